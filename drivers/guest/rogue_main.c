// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device that does not keep to the rules: lets root point QEMU's edu device or an NVMe drive at
 * any bus address. It is bound like any other device, so that its mappings go the way of the
 * guest's IOMMU mode. A drive's last ROGUE_PROBES blocks are overwritten.
 *
 * /sys/kernel/debug/rogue/pages   "NAME BUS PHYSICAL CONTENT" of its pages: home is mapped,
 *                                 beside (home's neighbour) and far never are; BUS is 0 then
 * /sys/kernel/debug/rogue/run     write a command; returns when it is over:
 *	read BUS        16 bytes by DMA: "data HEX"
 *	write BUS HEX   16 bytes by DMA
 *	stale MS        maps and unmaps a page and goes on writing to where it was, MS at most
 *	sweep N END     reads at N places of guest memory below END
 * /sys/kernel/debug/rogue/result  what it printed
 *
 * Numbers are hexadecimal with 0x or decimal. That a DMA is blocked is not told to the device's
 * driver: who calls compares memory.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "rogue.h"

#define EDU_VENDOR 0x1234
#define EDU_DEVICE 0x11e8

#define DMA_LIMIT_S 10 /* an emulated machine may stand still for a while */

static DEFINE_MUTEX(lock);	/* one command at a time; protects the one below */
static struct rogue *the_rogue;
static struct dentry *dir;

/* ---- The engine ------------------------------------------------------------------------- */

static void start(struct rogue *rogue, dma_addr_t bus, unsigned int slot, unsigned int nr,
		  bool to_bus)
{
	if (!WARN_ON(!nr || nr > rogue->engine->burst || slot + nr > ROGUE_PROBES))
		rogue->engine->start(rogue, bus, slot, nr, to_bus);
}

bool rogue_busy(struct rogue *rogue)
{
	return rogue->engine->poll(rogue) > 0;
}

/* Sleeps only for a device that takes its time. */
int rogue_await(struct rogue *rogue)
{
	ktime_t end = ktime_add_ms(ktime_get(), DMA_LIMIT_S * MSEC_PER_SEC);
	int ret;

	while ((ret = rogue->engine->poll(rogue)) > 0) {
		if (ktime_after(ktime_get(), end))
			return rogue->engine->abort(rogue);
		if (rogue->engine->delay_us)
			usleep_range(200, 400);
		else
			cond_resched();
	}
	return ret;
}

static int move(struct rogue *rogue, dma_addr_t bus, unsigned int slot, unsigned int nr,
		bool to_bus)
{
	start(rogue, bus, slot, nr, to_bus);
	return rogue_await(rogue);
}

int rogue_fetch(struct rogue *rogue, dma_addr_t bus, unsigned int slot)
{
	return move(rogue, bus, slot, 1, false);
}

void rogue_store_start(struct rogue *rogue, dma_addr_t bus, unsigned int slot)
{
	start(rogue, bus, slot, 1, true);
}

int rogue_store(struct rogue *rogue, dma_addr_t bus, unsigned int slot)
{
	return move(rogue, bus, slot, 1, true);
}

int rogue_load(struct rogue *rogue, const u8 *marks, unsigned int nr)
{
	struct device *dev = &rogue->pdev->dev;
	unsigned int slot, n;
	int err = 0;

	for (slot = 0; slot < nr && !err; slot += n) {
		n = min(nr - slot, rogue->engine->burst);
		dma_sync_single_for_cpu(dev, rogue->bus, PAGE_SIZE, DMA_BIDIRECTIONAL);
		memcpy(page_address(rogue->home), marks + slot * ROGUE_MARK, n * ROGUE_MARK);
		dma_sync_single_for_device(dev, rogue->bus, PAGE_SIZE, DMA_BIDIRECTIONAL);
		err = move(rogue, rogue->bus, slot, n, false);
	}
	return err;
}

int rogue_unload(struct rogue *rogue, u8 *marks, unsigned int nr)
{
	struct device *dev = &rogue->pdev->dev;
	unsigned int slot, n;
	int err = 0;

	for (slot = 0; slot < nr && !err; slot += n) {
		n = min(nr - slot, rogue->engine->burst);
		err = move(rogue, rogue->bus, slot, n, true);
		dma_sync_single_for_cpu(dev, rogue->bus, PAGE_SIZE, DMA_BIDIRECTIONAL);
		memcpy(marks + slot * ROGUE_MARK, page_address(rogue->home), n * ROGUE_MARK);
		dma_sync_single_for_device(dev, rogue->bus, PAGE_SIZE, DMA_BIDIRECTIONAL);
	}
	return err;
}

/* ---- Commands --------------------------------------------------------------------------- */

int rogue_print(struct rogue *rogue, const char *fmt, ...)
{
	size_t room = ROGUE_TEXT - rogue->len;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(rogue->text + rogue->len, room, fmt, args);
	va_end(args);
	if (len >= room)
		return -ENOSPC;
	rogue->len += len;
	return 0;
}

/* What the buffer held before must not be taken for what was read. */
static int read_bus(struct rogue *rogue, u64 bus)
{
	u8 data[ROGUE_MARK];
	int err;

	get_random_bytes(data, sizeof(data));
	err = rogue_load(rogue, data, 1);
	if (!err)
		err = rogue_fetch(rogue, bus, 0);
	if (!err)
		err = rogue_unload(rogue, data, 1);
	return err ?: rogue_print(rogue, "data %*phN\n", ROGUE_MARK, data);
}

static int write_bus(struct rogue *rogue, u64 bus, const char *hex)
{
	u8 data[ROGUE_MARK];
	int err;

	if (strlen(hex) != 2 * sizeof(data) || hex2bin(data, hex, sizeof(data)))
		return -EINVAL;
	err = rogue_load(rogue, data, 1);
	return err ?: rogue_store(rogue, bus, 0);
}

static int command(struct rogue *rogue, char *text)
{
	char *words[4] = { NULL };
	unsigned int nr = 0;
	u64 number = 0, end;
	char *word;

	while ((word = strsep(&text, " \n"))) {
		if (!*word)
			continue;
		if (nr == ARRAY_SIZE(words))
			return -EINVAL;
		words[nr++] = word;
	}
	if (nr < 2 || kstrtou64(words[1], 0, &number))
		return -EINVAL;
	if (!strcmp(words[0], "read") && nr == 2)
		return read_bus(rogue, number);
	if (!strcmp(words[0], "write") && nr == 3)
		return write_bus(rogue, number, words[2]);
	if (!strcmp(words[0], "stale") && nr == 2 && number <= INT_MAX)
		return rogue_stale(rogue, number);
	if (!strcmp(words[0], "sweep") && nr == 3 && number && number <= ROGUE_PROBES &&
	    !kstrtou64(words[2], 0, &end))
		return rogue_sweep(rogue, number, end);
	return -EINVAL;
}

/* ---- debugfs ---------------------------------------------------------------------------- */

static ssize_t run_write(struct file *file, const char __user *user, size_t len, loff_t *pos)
{
	int err = -ENODEV;
	char *text;

	if (len > PAGE_SIZE)
		return -EINVAL;
	text = memdup_user_nul(user, len);
	if (IS_ERR(text))
		return PTR_ERR(text);
	mutex_lock(&lock);
	if (the_rogue) {
		the_rogue->len = 0;
		err = command(the_rogue, text);
	}
	mutex_unlock(&lock);
	kfree(text);
	return err ?: len;
}

static const struct file_operations run_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = run_write,
};

static int result_show(struct seq_file *m, void *unused)
{
	mutex_lock(&lock);
	if (the_rogue)
		seq_write(m, the_rogue->text, the_rogue->len);
	mutex_unlock(&lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(result);

static void show_page(struct seq_file *m, const char *name, dma_addr_t bus, struct page *page)
{
	seq_printf(m, "%s %#llx %#llx %*phN\n", name, (u64)bus, (u64)page_to_phys(page),
		   ROGUE_MARK, page_address(page));
}

static int pages_show(struct seq_file *m, void *unused)
{
	struct rogue *rogue;

	mutex_lock(&lock);
	rogue = the_rogue;
	if (rogue) {
		dma_sync_single_for_cpu(&rogue->pdev->dev, rogue->bus, PAGE_SIZE,
					DMA_BIDIRECTIONAL);
		show_page(m, "home", rogue->bus, rogue->home);
		show_page(m, "beside", 0, rogue->home + 1);
		show_page(m, "far", 0, rogue->far);
	}
	mutex_unlock(&lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pages);

/* ---- The device ------------------------------------------------------------------------- */

static void free_pages_of(struct rogue *rogue)
{
	if (rogue->home)
		__free_pages(rogue->home, 1);
	if (rogue->far)
		__free_page(rogue->far);
	if (rogue->stale)
		__free_page(rogue->stale);
	kvfree(rogue->text);
}

/*
 * The far page is taken while a block of a MiB is held, so that it lies in another one: a host
 * that pins or maps more than the page it is asked for is told from one that does so for all.
 */
static int alloc_pages_of(struct rogue *rogue)
{
	struct page *between;

	rogue->home = alloc_pages(GFP_KERNEL, 1);
	rogue->stale = alloc_page(GFP_KERNEL);
	between = alloc_pages(GFP_KERNEL | __GFP_NOWARN, 8);
	rogue->far = alloc_pages(GFP_KERNEL | __GFP_NOWARN, 0);
	if (between)
		__free_pages(between, 8);
	rogue->text = kvzalloc(ROGUE_TEXT, GFP_KERNEL);
	if (!rogue->home || !rogue->stale || !rogue->far || !rogue->text)
		return -ENOMEM;
	get_random_bytes(page_address(rogue->home), 2 * PAGE_SIZE);
	get_random_bytes(page_address(rogue->far), PAGE_SIZE);
	return 0;
}

static int map_home(struct rogue *rogue)
{
	struct device *dev = &rogue->pdev->dev;

	rogue->bus = dma_map_page(dev, rogue->home, 0, PAGE_SIZE, DMA_BIDIRECTIONAL);
	return dma_mapping_error(dev, rogue->bus) ? -ENOMEM : 0;
}

static void unmap_home(struct rogue *rogue)
{
	dma_unmap_page(&rogue->pdev->dev, rogue->bus, PAGE_SIZE, DMA_BIDIRECTIONAL);
}

/* What it does for itself: its registers, and a page for what it reads and writes. */
static int set_up(struct rogue *rogue)
{
	struct pci_dev *pdev = rogue->pdev;
	int err = pcim_enable_device(pdev);

	if (!err)
		err = pcim_iomap_regions(pdev, BIT(0), KBUILD_MODNAME);
	if (!err)
		err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (!err)
		err = alloc_pages_of(rogue);
	if (!err)
		err = map_home(rogue);
	if (err)
		return err;
	rogue->regs = pcim_iomap_table(pdev)[0];
	pci_set_master(pdev);
	err = rogue->engine->set_up(rogue);
	if (err) {
		pci_clear_master(pdev);
		unmap_home(rogue);
	}
	return err;
}

static void tear_down(struct rogue *rogue)
{
	rogue->engine->tear_down(rogue);
	pci_clear_master(rogue->pdev);
	unmap_home(rogue);
}

static int rogue_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct rogue *rogue = kzalloc(sizeof(*rogue), GFP_KERNEL);
	int err;

	if (!rogue)
		return -ENOMEM;
	rogue->pdev = pdev;
	rogue->engine = (const struct rogue_engine *)id->driver_data;
	err = set_up(rogue);
	if (!err) {
		mutex_lock(&lock);
		err = the_rogue ? -EBUSY : 0;
		if (!err)
			the_rogue = rogue;
		mutex_unlock(&lock);
		if (err)
			tear_down(rogue);
	}
	if (err) {
		free_pages_of(rogue);
		kfree(rogue);
		return err;
	}
	pci_set_drvdata(pdev, rogue);
	return 0;
}

static void rogue_remove(struct pci_dev *pdev)
{
	struct rogue *rogue = pci_get_drvdata(pdev);

	mutex_lock(&lock);
	the_rogue = NULL;
	mutex_unlock(&lock);
	tear_down(rogue);
	free_pages_of(rogue);
	kfree(rogue);
}

/* Not for modules.alias: a drive gets this driver only where it is asked for by name. */
static const struct pci_device_id rogue_ids[] = {
	{ PCI_DEVICE(EDU_VENDOR, EDU_DEVICE), .driver_data = (kernel_ulong_t)&rogue_edu },
	{ PCI_DEVICE_CLASS(PCI_CLASS_STORAGE_EXPRESS, 0xffffff),
	  .driver_data = (kernel_ulong_t)&rogue_nvme },
	{ }
};

static struct pci_driver rogue_driver = {
	.name = KBUILD_MODNAME,
	.id_table = rogue_ids,
	.probe = rogue_probe,
	.remove = rogue_remove,
};

static int __init rogue_init(void)
{
	int err = pci_register_driver(&rogue_driver);

	if (err)
		return err;
	dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("run", 0200, dir, NULL, &run_fops);
	debugfs_create_file("result", 0400, dir, NULL, &result_fops);
	debugfs_create_file("pages", 0400, dir, NULL, &pages_fops);
	return 0;
}

static void __exit rogue_exit(void)
{
	debugfs_remove_recursive(dir);
	pci_unregister_driver(&rogue_driver);
}

module_init(rogue_init);
module_exit(rogue_exit);

MODULE_DESCRIPTION("DMA by QEMU's edu or an NVMe drive to any bus address, to test isolation");
MODULE_LICENSE("GPL");
