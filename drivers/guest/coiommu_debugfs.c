// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/coiommu:
 *   stats     counters, one "name value" a line; writing anything starts them again
 *   latency   requests by duration: "lowest ns of the bucket, number"
 *   table     tracked pages as runs of equal state: "first frame, pages, count, flags"
 *   devices   tracked devices
 *   hold      off, pinned, all: keep what is pinned now, or all memory, pinned
 *   tracking  1 or 0: tracked or plain direct DMA operations on all tracked devices, to
 *             compare the two within one boot. 0 is accepted only while pages are held, and
 *             every page that devices use meanwhile must be among them. Switch while no
 *             streaming mapping is outstanding, and neither bind drivers nor reset devices
 *             meanwhile: what is mapped or allocated in one state must not end in the other.
 */
#include <linux/debugfs.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "coiommu.h"
#include "coiommu_counters.h"
#include "coiommu_trace.h"
#include "coiommu_unit.h"

enum hold {
	HOLD_OFF,
	HOLD_PINNED,
	HOLD_ALL,
};

static const char * const hold_names[] = { "off", "pinned", "all" };

static struct dentry *dir;
static DEFINE_MUTEX(hold_lock);	/* protects what follows */
static enum hold hold;
static unsigned long *held;	/* frames whose count we raised */
static bool tracking = true;

/* ---- Statistics ---------------------------------------------------------------------- */

static int stats_show(struct seq_file *m, void *data)
{
	struct coiommu_stats s;
	u64 info[6] = { 0 };

	coiommu_stats_read(&s);
	trace_coiommu_stats(&s, 0);
	seq_printf(m, "maps %llu\nunmaps %llu\nmap_pages %llu\n", s.maps, s.unmaps,
		   s.maps + s.more_pages);
	seq_printf(m, "requests %llu\nrequest_entries %llu\nrequest_pages %llu\nrequest_ns %llu\n",
		   s.requests, s.request_entries, s.request_pages, s.request_ns);
	seq_printf(m, "refused %llu\nfailed %llu\nunbalanced %llu\n", s.refused, s.failed,
		   s.unbalanced);
	seq_printf(m, "mapped_pages %lld\nmapped_peak %llu\n", s.mapped_pages, s.mapped_peak);
	seq_printf(m, "registered_pages %lu\n", coiommu_user_pages());
	seq_printf(m, "table_pages %lu\nlevels %u\n", coiommu_dtt_pages(), coiommu_dtt_levels());
	if (coiommu_command(COIOMMU_OP_INFO, info) == COIOMMU_OK) {
		seq_printf(m, "host_pinned_pages %llu\nhost_quota_pages %llu\n",
			   info[COIOMMU_INFO_PINNED_PAGES], info[COIOMMU_INFO_QUOTA_PAGES]);
		seq_printf(m, "host_mappings %llu\nhost_interval_ns %llu\nhost_cycles %llu\n",
			   info[COIOMMU_INFO_MAPPINGS], info[COIOMMU_INFO_INTERVAL_NS],
			   info[COIOMMU_INFO_CYCLES]);
	}
	return 0;
}

static int stats_open(struct inode *inode, struct file *file)
{
	return single_open(file, stats_show, NULL);
}

static ssize_t stats_write(struct file *file, const char __user *text, size_t len, loff_t *pos)
{
	coiommu_stats_reset();
	return len;
}

static const struct file_operations stats_fops = {
	.owner = THIS_MODULE,
	.open = stats_open,
	.read = seq_read,
	.write = stats_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static int latency_show(struct seq_file *m, void *data)
{
	u64 *buckets = kcalloc(COIOMMU_HISTOGRAM_BUCKETS, sizeof(*buckets), GFP_KERNEL);
	unsigned int i;

	if (!buckets)
		return -ENOMEM;
	coiommu_latency_read(buckets);
	for (i = 0; i < COIOMMU_HISTOGRAM_BUCKETS; i++) {
		if (buckets[i])
			seq_printf(m, "%llu %llu\n", coiommu_histogram_floor(i), buckets[i]);
	}
	kfree(buckets);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(latency);

static int devices_show(struct seq_file *m, void *data)
{
	struct coiommu_dev *cd;

	mutex_lock(&coiommu_devs_lock);
	list_for_each_entry(cd, &coiommu_devs, node)
		seq_printf(m, "%s %s %s\n", dev_name(cd->dev), cd->bound ? "bound" : "unbound",
			   cd->dev->dma_ops == &cd->ops ? "tracked" : "direct");
	mutex_unlock(&coiommu_devs_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(devices);

/* ---- Table ---------------------------------------------------------------------------- */

/* One record per block of 1024 pages. */
static void *table_start(struct seq_file *m, loff_t *pos)
{
	return *pos < coiommu_dtt_end_pfn() >> COIOMMU_LEAF_BITS ? pos : NULL;
}

static void *table_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return table_start(m, pos);
}

static void table_stop(struct seq_file *m, void *v)
{
}

static int table_show(struct seq_file *m, void *v)
{
	u64 base = *(loff_t *)v << COIOMMU_LEAF_BITS;
	u32 *leaf = coiommu_dtt_peek(base);
	u32 i, nr;

	for (i = 0; leaf && i < COIOMMU_LEAF_UNITS; i += nr) {
		u32 unit = READ_ONCE(leaf[i]);

		for (nr = 1; i + nr < COIOMMU_LEAF_UNITS; nr++) {
			if (READ_ONCE(leaf[i + nr]) != unit)
				break;
		}
		if (unit)
			seq_printf(m, "%#llx %u %u %s%s\n", base + i, nr,
				   unit & COIOMMU_UNIT_COUNT,
				   unit & COIOMMU_UNIT_PINNED ? "P" : "-",
				   unit & COIOMMU_UNIT_ACCESSED ? "A" : "-");
	}
	return 0;
}

static const struct seq_operations table_sops = {
	.start = table_start,
	.next = table_next,
	.stop = table_stop,
	.show = table_show,
};
DEFINE_SEQ_ATTRIBUTE(table);

/* ---- Hold and tracking ------------------------------------------------------------------ */

static void hold_release(void)
{
	unsigned long pfn, end, nr;

	if (!held)
		return;
	/* In runs within a block, as hold_block() made them. */
	for_each_set_bitrange(pfn, end, held, coiommu_dtt_end_pfn()) {
		for (; pfn < end; pfn += nr) {
			nr = min(end, ALIGN(pfn + 1, COIOMMU_LEAF_UNITS)) - pfn;
			coiommu_untrack(&coiommu_parent->dev, PFN_PHYS(pfn), nr << PAGE_SHIFT);
		}
	}
	vfree(held);
	held = NULL;
	hold = HOLD_OFF;
}

static bool hold_wants(enum hold what, u64 pfn)
{
	const u32 *unit;

	if (what == HOLD_ALL)
		return page_is_ram(pfn);
	unit = coiommu_dtt_peek(pfn);
	return unit && (READ_ONCE(*unit) & COIOMMU_UNIT_PINNED);
}

/* A run of wanted pages within a block in one step, so that "all" costs few requests. */
static int hold_block(enum hold what, u64 base)
{
	u64 pfn, end = base + COIOMMU_LEAF_UNITS, nr;
	int err;

	for (pfn = base; pfn < end; pfn += nr) {
		nr = 0;
		while (pfn + nr < end && hold_wants(what, pfn + nr))
			nr++;
		if (!nr) {
			nr = 1;
			continue;
		}
		err = coiommu_track(&coiommu_parent->dev, PFN_PHYS(pfn), nr << PAGE_SHIFT);
		if (err)
			return err;
		bitmap_set(held, pfn, nr);
	}
	return 0;
}

static int hold_set(enum hold what)
{
	u64 base;
	int err = 0;

	hold_release();
	if (what == HOLD_OFF)
		return 0;
	held = vzalloc(BITS_TO_LONGS(coiommu_dtt_end_pfn()) * sizeof(long));
	if (!held)
		return -ENOMEM;
	hold = what;
	for (base = 0; base < coiommu_dtt_end_pfn() && !err; base += COIOMMU_LEAF_UNITS) {
		err = hold_block(what, base);
		cond_resched();
	}
	if (err)
		hold_release();
	return err;
}

static int hold_show(struct seq_file *m, void *data)
{
	mutex_lock(&hold_lock);
	seq_printf(m, "%s\n", hold_names[hold]);
	mutex_unlock(&hold_lock);
	return 0;
}

static int hold_open(struct inode *inode, struct file *file)
{
	return single_open(file, hold_show, NULL);
}

static ssize_t hold_write(struct file *file, const char __user *text, size_t len, loff_t *pos)
{
	char word[16] = "";
	int what, err = -EBUSY;

	if (len >= sizeof(word) || copy_from_user(word, text, len))
		return -EINVAL;
	what = sysfs_match_string(hold_names, word);
	if (what < 0)
		return what;
	mutex_lock(&hold_lock);
	if (tracking)
		err = hold_set(what);
	mutex_unlock(&hold_lock);
	return err ?: len;
}

static const struct file_operations hold_fops = {
	.owner = THIS_MODULE,
	.open = hold_open,
	.read = seq_read,
	.write = hold_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static void set_tracking(bool on)
{
	struct coiommu_dev *cd;

	mutex_lock(&coiommu_devs_lock);
	list_for_each_entry(cd, &coiommu_devs, node)
		set_dma_ops(cd->dev, on ? &cd->ops : NULL);
	mutex_unlock(&coiommu_devs_lock);
	tracking = on;
}

static int tracking_get(void *data, u64 *value)
{
	*value = tracking;
	return 0;
}

static int tracking_set(void *data, u64 value)
{
	int err = 0;

	mutex_lock(&hold_lock);
	if (!value && hold == HOLD_OFF)
		err = -EBUSY;
	else
		set_tracking(value);
	mutex_unlock(&hold_lock);
	return err;
}
DEFINE_DEBUGFS_ATTRIBUTE(tracking_fops, tracking_get, tracking_set, "%llu\n");

/* ---- Life ------------------------------------------------------------------------------- */

void coiommu_debugfs_init(void)
{
	dir = debugfs_create_dir("coiommu", NULL);
	debugfs_create_file("stats", 0600, dir, NULL, &stats_fops);
	debugfs_create_file("latency", 0400, dir, NULL, &latency_fops);
	debugfs_create_file("table", 0400, dir, NULL, &table_fops);
	debugfs_create_file("devices", 0400, dir, NULL, &devices_fops);
	debugfs_create_file("hold", 0600, dir, NULL, &hold_fops);
	debugfs_create_file_unsafe("tracking", 0600, dir, NULL, &tracking_fops);
}

void coiommu_debugfs_exit(void)
{
	debugfs_remove_recursive(dir);
	set_tracking(true);
	hold_release();
}
