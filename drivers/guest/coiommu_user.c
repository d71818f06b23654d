// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/coiommu: memory of user-space drivers, see coiommu_user.h. Its pages are pinned in the
 * guest, so that their addresses stay, and counted in the table as those of a scatter list are,
 * which makes the host pin them.
 *
 * This does not go through a device's DMA operations, so the switch "tracking" (debugfs) changes
 * nothing here: counts are raised and lowered in both states.
 */
#include <linux/atomic.h>
#include <linux/dma-direct.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/scatterlist.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "coiommu.h"
#include "coiommu_user.h"

/* Pinned in the guest in one step, and counted in one. Interrupts are off for each step. */
#define PIN_PAGES 512
#define COUNT_PAGES COIOMMU_LEAF_UNITS
#define COUNT_RUNS ((int)(PAGE_SIZE / sizeof(struct scatterlist)))

struct region {
	struct list_head node;
	u64 vaddr;
	u64 length;
	unsigned long nr;	/* pages pinned in the guest */
	unsigned long counted;	/* of these: from the first on, counted in the table */
	struct page *pages[];
};

struct session {
	struct mutex lock;	/* protects what follows */
	struct mm_struct *mm;	/* of the process that opened the file */
	struct list_head regions;
	unsigned int nr_regions;
	struct scatterlist *sgl;	/* COUNT_RUNS entries */
};

static atomic_long_t registered;

unsigned long coiommu_user_pages(void)
{
	return atomic_long_read(&registered);
}

/*
 * Lists the pages from first on as runs, no more than are counted in one step. Returns their
 * number. It depends on the pages only, so that a region ends in the same steps as it began.
 */
static unsigned long list_pages(struct session *s, const struct region *r, unsigned long first,
				int *nents)
{
	unsigned long end = min(r->nr, first + COUNT_PAGES), i;
	struct scatterlist *sg = NULL;

	sg_init_table(s->sgl, COUNT_RUNS);
	*nents = 0;
	for (i = first; i < end; i++) {
		phys_addr_t phys = page_to_phys(r->pages[i]);
		dma_addr_t addr = phys_to_dma(&coiommu_parent->dev, phys);

		if (sg && sg_dma_address(sg) + sg_dma_len(sg) == addr) {
			sg_dma_len(sg) += PAGE_SIZE;
			continue;
		}
		if (*nents == COUNT_RUNS)
			break;
		sg = s->sgl + (*nents)++;
		sg_dma_address(sg) = addr;
		sg_dma_len(sg) = PAGE_SIZE;
	}
	return i - first;
}

static int pin_pages(struct region *r, unsigned long nr)
{
	while (r->nr < nr) {
		int want = min_t(unsigned long, nr - r->nr, PIN_PAGES), got;

		if (fatal_signal_pending(current))
			return -EINTR;
		got = pin_user_pages_fast(r->vaddr + (r->nr << PAGE_SHIFT), want,
					  FOLL_WRITE | FOLL_LONGTERM, r->pages + r->nr);
		if (got <= 0)
			return got ?: -EFAULT;
		r->nr += got;
		cond_resched();
	}
	return 0;
}

static int count_pages(struct session *s, struct region *r)
{
	while (r->counted < r->nr) {
		unsigned long done;
		int nents, err;

		if (fatal_signal_pending(current))
			return -EINTR;
		done = list_pages(s, r, r->counted, &nents);
		err = coiommu_track_sg(&coiommu_parent->dev, s->sgl, nents);
		if (err)
			return err;
		r->counted += done;
		atomic_long_add(done, &registered);
		cond_resched();
	}
	return 0;
}

/* With release, the host gives up at once what nobody else counts. */
static void uncount_pages(struct session *s, const struct region *r, bool release)
{
	struct device *dev = &coiommu_parent->dev;
	unsigned long at, done;
	struct scatterlist *sg;
	int nents, i;

	for (at = 0; at < r->counted; at += done) {
		done = list_pages(s, r, at, &nents);
		coiommu_untrack_sg(dev, s->sgl, nents);
		for_each_sg(s->sgl, sg, release ? nents : 0, i)
			coiommu_release(PHYS_PFN(dma_to_phys(dev, sg_dma_address(sg))),
					sg_dma_len(sg) >> PAGE_SHIFT);
		cond_resched();
	}
	atomic_long_sub(r->counted, &registered);
}

/* The pages are free for others only when their counts are gone. */
static void drop_region(struct session *s, struct region *r, bool release)
{
	uncount_pages(s, r, release);
	unpin_user_pages_dirty_lock(r->pages, r->nr, true);
	kvfree(r);
}

static struct region *find_overlap(struct session *s, const struct coiommu_user_range *range)
{
	struct region *r;

	list_for_each_entry(r, &s->regions, node) {
		if (r->vaddr < range->vaddr + range->length && range->vaddr < r->vaddr + r->length)
			return r;
	}
	return NULL;
}

static int register_range(struct session *s, const struct coiommu_user_range *range)
{
	unsigned long nr = range->length >> PAGE_SHIFT;
	struct region *r;
	int err;

	if (nr > totalram_pages())
		return -ENOMEM;
	if (find_overlap(s, range))
		return -EBUSY;
	if (s->nr_regions == COIOMMU_USER_REGIONS)
		return -ENOSPC;
	r = kvmalloc(struct_size(r, pages, nr), GFP_KERNEL_ACCOUNT);
	if (!r)
		return -ENOMEM;
	r->vaddr = range->vaddr;
	r->length = range->length;
	r->nr = 0;
	r->counted = 0;
	err = pin_pages(r, nr);
	if (!err)
		err = count_pages(s, r);
	if (err) {
		drop_region(s, r, false);
		return err;
	}
	list_add(&r->node, &s->regions);
	s->nr_regions++;
	return 0;
}

static int unregister_range(struct session *s, const struct coiommu_user_range *range)
{
	struct region *r = find_overlap(s, range);

	if (!r || r->vaddr != range->vaddr || r->length != range->length)
		return -ENOENT;
	list_del(&r->node);
	s->nr_regions--;
	drop_region(s, r, false);
	return 0;
}

static int check_range(const struct coiommu_user_range *range)
{
	u64 end;

	if (!range->length || !PAGE_ALIGNED(range->vaddr) || !PAGE_ALIGNED(range->length) ||
	    check_add_overflow(range->vaddr, range->length, &end))
		return -EINVAL;
	return 0;
}

static long user_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct session *s = file->private_data;
	struct coiommu_user_range range;
	int err;

	if (cmd == COIOMMU_USER_GET_VERSION)
		return COIOMMU_USER_VERSION;
	if (cmd != COIOMMU_USER_REGISTER && cmd != COIOMMU_USER_UNREGISTER)
		return -ENOTTY;
	if (copy_from_user(&range, (const void __user *)arg, sizeof(range)))
		return -EFAULT;
	if (current->mm != s->mm)
		return -EPERM;
	err = check_range(&range);
	if (err)
		return err;
	if (mutex_lock_killable(&s->lock))
		return -EINTR;
	if (cmd == COIOMMU_USER_REGISTER)
		err = register_range(s, &range);
	else
		err = unregister_range(s, &range);
	mutex_unlock(&s->lock);
	return err;
}

static int user_open(struct inode *inode, struct file *file)
{
	struct session *s;

	if (!current->mm)
		return -EINVAL;
	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return -ENOMEM;
	s->sgl = kmalloc_array(COUNT_RUNS, sizeof(*s->sgl), GFP_KERNEL);
	if (!s->sgl) {
		kfree(s);
		return -ENOMEM;
	}
	mutex_init(&s->lock);
	INIT_LIST_HEAD(&s->regions);
	/* Only so that no other process gets a structure at the same address. */
	mmgrab(current->mm);
	s->mm = current->mm;
	file->private_data = s;
	return nonseekable_open(inode, file);
}

/* Whoever closes without unregistering has perhaps not stopped the device either. */
static int user_release(struct inode *inode, struct file *file)
{
	struct session *s = file->private_data;
	struct region *r, *next;

	list_for_each_entry_safe(r, next, &s->regions, node)
		drop_region(s, r, true);
	mmdrop(s->mm);
	kfree(s->sgl);
	kfree(s);
	return 0;
}

static const struct file_operations user_fops = {
	.owner = THIS_MODULE,	/* an open file keeps the module, and so the table */
	.open = user_open,
	.release = user_release,
	.unlocked_ioctl = user_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = no_llseek,
};

static struct miscdevice user_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "coiommu",
	.mode = 0600,
	.fops = &user_fops,
};

int coiommu_user_init(void)
{
	return misc_register(&user_device);
}

void coiommu_user_exit(void)
{
	misc_deregister(&user_device);
}
