// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DMA operations of tracked devices: the direct mapping, then the tracking of the bus
 * address that came out, which is the bounce buffer's if there is one. Unmapping lowers the
 * count first: the device has finished, and afterwards the bounce buffer may belong to
 * somebody else.
 *
 * Memory that the device reaches as it is needs nothing but its address, as in the kernel's
 * own dma_direct_map_page() (kernel/dma/direct.h; x86 keeps caches coherent). All else goes by
 * way of the proxy.
 *
 * Not tracked: map_resource (other devices' BARs, which the host maps all the time).
 */
#include <linux/dma-direct.h>

#include "coiommu.h"

/* The masks may change at any time before a mapping, the rest only when a driver binds. */
static struct device *proxy_of(struct device *dev)
{
	const struct dma_map_ops *ops = READ_ONCE(dev->dma_ops);
	struct device *proxy;

	/* Tracking was switched off (debugfs) since the caller got here: dev is direct itself. */
	if (unlikely(!ops))
		return dev;
	proxy = &container_of(ops, struct coiommu_dev, ops)->proxy->dev;
	proxy->dma_mask = dev->dma_mask;
	proxy->coherent_dma_mask = dev->coherent_dma_mask;
	proxy->bus_dma_limit = dev->bus_dma_limit;
	return proxy;
}

static bool is_direct(struct device *dev, dma_addr_t addr, size_t size)
{
	return !is_swiotlb_force_bounce(dev) && dma_capable(dev, addr, size, true);
}

static dma_addr_t map_by_proxy(struct device *dev, struct page *page, unsigned long offset,
			       size_t size, enum dma_data_direction dir, unsigned long attrs)
{
	struct device *proxy = proxy_of(dev);
	dma_addr_t addr = dma_map_page_attrs(proxy, page, offset, size, dir, attrs);

	if (unlikely(dma_mapping_error(proxy, addr)))
		return DMA_MAPPING_ERROR;
	if (likely(!coiommu_track(dev, dma_to_phys(proxy, addr), size)))
		return addr;
	dma_unmap_page_attrs(proxy, addr, size, dir, attrs | DMA_ATTR_SKIP_CPU_SYNC);
	return DMA_MAPPING_ERROR;
}

static dma_addr_t coiommu_map_page(struct device *dev, struct page *page, unsigned long offset,
				   size_t size, enum dma_data_direction dir, unsigned long attrs)
{
	phys_addr_t phys = page_to_phys(page) + offset;
	dma_addr_t addr = phys_to_dma(dev, phys);

	if (unlikely(!is_direct(dev, addr, size)))
		return map_by_proxy(dev, page, offset, size, dir, attrs);
	return likely(!coiommu_track(dev, phys, size)) ? addr : DMA_MAPPING_ERROR;
}

static void coiommu_unmap_page(struct device *dev, dma_addr_t addr, size_t size,
			       enum dma_data_direction dir, unsigned long attrs)
{
	phys_addr_t phys = dma_to_phys(dev, addr);

	coiommu_untrack(dev, phys, size);
	if (unlikely(is_swiotlb_buffer(dev, phys)))
		dma_unmap_page_attrs(proxy_of(dev), addr, size, dir, attrs);
}

static int map_sg_by_proxy(struct device *dev, struct scatterlist *sgl, int nents,
			   enum dma_data_direction dir, unsigned long attrs)
{
	struct device *proxy = proxy_of(dev);
	int mapped = dma_map_sg_attrs(proxy, sgl, nents, dir, attrs);
	int err;

	if (unlikely(!mapped))
		return -EIO;
	err = coiommu_track_sg(dev, sgl, mapped);
	if (likely(!err))
		return mapped;
	dma_unmap_sg_attrs(proxy, sgl, nents, dir, attrs | DMA_ATTR_SKIP_CPU_SYNC);
	return err;
}

static int coiommu_map_sg(struct device *dev, struct scatterlist *sgl, int nents,
			  enum dma_data_direction dir, unsigned long attrs)
{
	int err = coiommu_map_direct_sg(dev, sgl, nents);

	if (unlikely(err == -EOPNOTSUPP))
		return map_sg_by_proxy(dev, sgl, nents, dir, attrs);
	return likely(!err) ? nents : err;
}

static void coiommu_unmap_sg(struct device *dev, struct scatterlist *sgl, int nents,
			     enum dma_data_direction dir, unsigned long attrs)
{
	if (unlikely(coiommu_untrack_sg(dev, sgl, nents)))
		dma_unmap_sg_attrs(proxy_of(dev), sgl, nents, dir, attrs);
}

static void *coiommu_alloc(struct device *dev, size_t size, dma_addr_t *handle, gfp_t gfp,
			   unsigned long attrs)
{
	struct device *proxy = proxy_of(dev);
	void *vaddr = dma_alloc_attrs(proxy, size, handle, gfp, attrs);

	if (!vaddr)
		return NULL;
	if (!coiommu_track(dev, dma_to_phys(proxy, *handle), PAGE_ALIGN(size)))
		return vaddr;
	dma_free_attrs(proxy, size, vaddr, *handle, attrs);
	return NULL;
}

static void coiommu_free(struct device *dev, size_t size, void *vaddr, dma_addr_t handle,
			 unsigned long attrs)
{
	struct device *proxy = proxy_of(dev);

	coiommu_untrack(dev, dma_to_phys(proxy, handle), PAGE_ALIGN(size));
	dma_free_attrs(proxy, size, vaddr, handle, attrs);
}

static struct page *coiommu_alloc_pages(struct device *dev, size_t size, dma_addr_t *handle,
					enum dma_data_direction dir, gfp_t gfp)
{
	struct device *proxy = proxy_of(dev);
	struct page *page = dma_alloc_pages(proxy, size, handle, dir, gfp);

	if (!page)
		return NULL;
	if (!coiommu_track(dev, dma_to_phys(proxy, *handle), size))
		return page;
	dma_free_pages(proxy, size, page, *handle, dir);
	return NULL;
}

static void coiommu_free_pages(struct device *dev, size_t size, struct page *page,
			       dma_addr_t handle, enum dma_data_direction dir)
{
	struct device *proxy = proxy_of(dev);

	coiommu_untrack(dev, dma_to_phys(proxy, handle), size);
	dma_free_pages(proxy, size, page, handle, dir);
}

static int coiommu_mmap(struct device *dev, struct vm_area_struct *vma, void *vaddr,
			dma_addr_t handle, size_t size, unsigned long attrs)
{
	return dma_mmap_attrs(proxy_of(dev), vma, vaddr, handle, size, attrs);
}

static int coiommu_get_sgtable(struct device *dev, struct sg_table *sgt, void *vaddr,
			       dma_addr_t handle, size_t size, unsigned long attrs)
{
	return dma_get_sgtable_attrs(proxy_of(dev), sgt, vaddr, handle, size, attrs);
}

static dma_addr_t coiommu_map_resource(struct device *dev, phys_addr_t phys, size_t size,
				       enum dma_data_direction dir, unsigned long attrs)
{
	return dma_map_resource(proxy_of(dev), phys, size, dir, attrs);
}

static void coiommu_unmap_resource(struct device *dev, dma_addr_t addr, size_t size,
				   enum dma_data_direction dir, unsigned long attrs)
{
	dma_unmap_resource(proxy_of(dev), addr, size, dir, attrs);
}

static void coiommu_sync_single_for_cpu(struct device *dev, dma_addr_t addr, size_t size,
					enum dma_data_direction dir)
{
	dma_sync_single_for_cpu(proxy_of(dev), addr, size, dir);
}

static void coiommu_sync_single_for_device(struct device *dev, dma_addr_t addr, size_t size,
					   enum dma_data_direction dir)
{
	dma_sync_single_for_device(proxy_of(dev), addr, size, dir);
}

static void coiommu_sync_sg_for_cpu(struct device *dev, struct scatterlist *sgl, int nents,
				    enum dma_data_direction dir)
{
	dma_sync_sg_for_cpu(proxy_of(dev), sgl, nents, dir);
}

static void coiommu_sync_sg_for_device(struct device *dev, struct scatterlist *sgl, int nents,
				       enum dma_data_direction dir)
{
	dma_sync_sg_for_device(proxy_of(dev), sgl, nents, dir);
}

/* The question is exported only together with the change, which the proxy can bear. */
static int coiommu_dma_supported(struct device *dev, u64 mask)
{
	return !dma_set_coherent_mask(proxy_of(dev), mask);
}

static u64 coiommu_get_required_mask(struct device *dev)
{
	return dma_get_required_mask(proxy_of(dev));
}

static size_t coiommu_max_mapping_size(struct device *dev)
{
	return dma_max_mapping_size(proxy_of(dev));
}

const struct dma_map_ops coiommu_dma_ops = {
	.alloc			= coiommu_alloc,
	.free			= coiommu_free,
	.alloc_pages		= coiommu_alloc_pages,
	.free_pages		= coiommu_free_pages,
	.mmap			= coiommu_mmap,
	.get_sgtable		= coiommu_get_sgtable,
	.map_page		= coiommu_map_page,
	.unmap_page		= coiommu_unmap_page,
	.map_sg			= coiommu_map_sg,
	.unmap_sg		= coiommu_unmap_sg,
	.map_resource		= coiommu_map_resource,
	.unmap_resource		= coiommu_unmap_resource,
	.sync_single_for_cpu	= coiommu_sync_single_for_cpu,
	.sync_single_for_device	= coiommu_sync_single_for_device,
	.sync_sg_for_cpu	= coiommu_sync_sg_for_cpu,
	.sync_sg_for_device	= coiommu_sync_sg_for_device,
	.dma_supported		= coiommu_dma_supported,
	.get_required_mask	= coiommu_get_required_mask,
	.max_mapping_size	= coiommu_max_mapping_size,
};
