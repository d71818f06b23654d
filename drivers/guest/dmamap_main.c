// SPDX-License-Identifier: GPL-2.0-only
/*
 * Micro-benchmark of DMA mapping: maps and unmaps memory for a device, without any DMA, and
 * keeps the distribution of what each call took. Runs with any kind of DMA operations.
 *
 * /sys/kernel/debug/dmamap/run     write "key=value ..." to run; returns when it is over
 * /sys/kernel/debug/dmamap/result  read the last run: "name value", and histograms as
 *                                  "hist ARM CALL lowest-ns number"
 *
 * Keys: device=0000:00:02.0 (needed), shape=page|64k|sg, threads=1, maps=100000 (per thread
 * and arm), reuse=100 (percent of maps that take one of the few hot buffers; the others go
 * round the whole pool), pool=1024 (buffers a thread), hot=16, dir=to|from|both, ab=0|1,
 * round=500.
 *
 * ab=1 alternates between two arms every round: "device", and "direct", which maps for a
 * device of the same limits that has no DMA operations. That is what the device itself would
 * do untracked, so the cost of tracking comes from one boot; the order of the arms flips from
 * pair to pair.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/dma-mapping.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/prandom.h>
#include <linux/scatterlist.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "coiommu_stats.h"
#include "dmamap.h"

#define SG_PAGES 16
#define ORDER_64K (16 - PAGE_SHIFT)
#define SUB_BITS 4 /* 16 buckets an octave: 6 % */
#define BUCKETS (32 << SUB_BITS)
#define CLOCK_SAMPLES 1000

enum arm { ARM_DEVICE, ARM_DIRECT, NR_ARMS };
enum call { CALL_MAP, CALL_UNMAP, CALL_BOTH, NR_CALLS };

static const char * const arm_names[] = { "device", "direct" };
static const char * const call_names[] = { "map", "unmap", "both" };

struct sample {
	u64 nr, errors;
	u64 ns[NR_CALLS];
	u64 hist[NR_CALLS][BUCKETS];
};

struct worker {
	struct task_struct *task;
	struct rnd_state random;
	struct page **pages;	/* pool buffers of SG_PAGES, one or one compound page */
	struct scatterlist sgl[SG_PAGES];
	unsigned int next;	/* of the pool */
	struct sample arm[NR_ARMS];
};

static DEFINE_MUTEX(lock);	/* one run at a time; protects all below */
static struct dmamap_params params;
static struct device *devices[NR_ARMS];
static struct worker *workers[DMAMAP_THREADS];
static struct sample *total;	/* NR_ARMS of them */
static struct completion start, finished;
static atomic_t running;
static bool stop, valid;
static u64 clock_ns, elapsed_ns;
static struct coiommu_stats tracking;
static bool tracked;
static struct dentry *dir;

/* ---- Distribution ---------------------------------------------------------------------- */

static unsigned int bucket_of(u64 ns)
{
	unsigned int log, bucket;

	if (ns < 1 << SUB_BITS)
		return ns;
	log = fls64(ns) - 1;
	bucket = ((log - SUB_BITS + 1) << SUB_BITS) +
		 ((ns >> (log - SUB_BITS)) & ((1 << SUB_BITS) - 1));
	return min_t(unsigned int, bucket, BUCKETS - 1);
}

static u64 bucket_floor(unsigned int bucket)
{
	if (bucket < 1 << SUB_BITS)
		return bucket;
	return (u64)((1 << SUB_BITS) + (bucket & ((1 << SUB_BITS) - 1)))
	       << ((bucket >> SUB_BITS) - 1);
}

static void record(struct sample *s, enum call which, u64 ns)
{
	s->ns[which] += ns;
	s->hist[which][bucket_of(ns)]++;
}

/* A map from t0 to t1, and its unmap from t1 to t2. */
static void record_calls(struct sample *s, u64 t0, u64 t1, u64 t2)
{
	record(s, CALL_MAP, t1 - t0);
	record(s, CALL_UNMAP, t2 - t1);
	record(s, CALL_BOTH, t2 - t0);
	s->nr++;
}

static u64 quantile(const struct sample *s, enum call which, unsigned int permille)
{
	u64 want = div_u64(s->nr * permille, 1000), seen = 0;
	unsigned int i;

	for (i = 0; i < BUCKETS - 1; i++) {
		seen += s->hist[which][i];
		if (seen > want)
			break;
	}
	return bucket_floor(i);
}

/* ---- One thread ------------------------------------------------------------------------ */

static unsigned int pages_of_shape(void)
{
	return params.shape == SHAPE_SG ? SG_PAGES : 1;
}

static unsigned int order_of_shape(void)
{
	return params.shape == SHAPE_64K ? ORDER_64K : 0;
}

static unsigned int pick(struct worker *w)
{
	if (prandom_u32_state(&w->random) % 100 < params.reuse)
		return prandom_u32_state(&w->random) % params.hot;
	if (++w->next >= params.pool)
		w->next = 0;
	return w->next;
}

static void map_single(struct device *dev, struct page *page, struct sample *s)
{
	size_t size = PAGE_SIZE << order_of_shape();
	u64 t0 = ktime_get_ns(), t1;
	dma_addr_t addr = dma_map_page(dev, page, 0, size, params.dir);

	t1 = ktime_get_ns();
	if (dma_mapping_error(dev, addr)) {
		s->errors++;
		return;
	}
	dma_unmap_page(dev, addr, size, params.dir);
	record_calls(s, t0, t1, ktime_get_ns());
}

static void map_list(struct device *dev, struct page **pages, struct scatterlist *sgl,
		     struct sample *s)
{
	u64 t0, t1;
	int i, nr;

	sg_init_table(sgl, SG_PAGES);
	for (i = 0; i < SG_PAGES; i++)
		sg_set_page(&sgl[i], pages[i], PAGE_SIZE, 0);
	t0 = ktime_get_ns();
	nr = dma_map_sg(dev, sgl, SG_PAGES, params.dir);
	t1 = ktime_get_ns();
	if (!nr) {
		s->errors++;
		return;
	}
	dma_unmap_sg(dev, sgl, SG_PAGES, params.dir);
	record_calls(s, t0, t1, ktime_get_ns());
}

static void run_round(struct worker *w, enum arm which, unsigned int maps)
{
	struct sample *s = &w->arm[which];

	while (maps-- && !READ_ONCE(stop)) {
		struct page **pages = w->pages + pick(w) * pages_of_shape();

		if (params.shape == SHAPE_SG)
			map_list(devices[which], pages, w->sgl, s);
		else
			map_single(devices[which], pages[0], s);
	}
	cond_resched();
}

static int worker_main(void *data)
{
	unsigned int done, maps, pair = 0;
	struct worker *w = data;

	wait_for_completion(&start);
	for (done = 0; done < params.maps && !READ_ONCE(stop); done += maps, pair++) {
		maps = min(params.round, params.maps - done);
		if (!params.ab) {
			run_round(w, ARM_DEVICE, maps);
			continue;
		}
		run_round(w, pair % 2 ? ARM_DIRECT : ARM_DEVICE, maps);
		run_round(w, pair % 2 ? ARM_DEVICE : ARM_DIRECT, maps);
	}
	if (atomic_dec_and_test(&running))
		complete(&finished);
	return 0;
}

static void worker_free(struct worker *w)
{
	unsigned int i, nr = params.pool * pages_of_shape();

	for (i = 0; w->pages && i < nr && w->pages[i]; i++)
		__free_pages(w->pages[i], order_of_shape());
	vfree(w->pages);
	vfree(w);
}

static struct worker *worker_new(unsigned int id)
{
	unsigned int i, nr = params.pool * pages_of_shape();
	struct worker *w = vzalloc(sizeof(*w));

	if (!w)
		return NULL;
	w->pages = vzalloc(array_size(nr, sizeof(*w->pages)));
	for (i = 0; w->pages && i < nr; i++) {
		w->pages[i] = alloc_pages(GFP_KERNEL, order_of_shape());
		if (!w->pages[i])
			break;
	}
	if (i < nr) {
		worker_free(w);
		return NULL;
	}
	prandom_seed_state(&w->random, id + 1);
	return w;
}

/* ---- A run ------------------------------------------------------------------------------ */

static void measure_clock(void)
{
	u64 t = ktime_get_ns();
	int i;

	for (i = 1; i < CLOCK_SAMPLES; i++)
		ktime_get_ns();
	clock_ns = div_u64(ktime_get_ns() - t, CLOCK_SAMPLES);
}

static void tracking_read(struct coiommu_stats *stats)
{
	void (*read)(struct coiommu_stats *sum) = symbol_get(coiommu_stats_read);

	tracked = read;
	memset(stats, 0, sizeof(*stats));
	if (!read)
		return;
	read(stats);
	symbol_put(coiommu_stats_read);
}

/* New pages cost pins: each buffer once before the clock runs. Called under the lock. */
static void warm_up(struct worker *w)
{
	static struct sample thrown_away;
	unsigned int i;

	for (i = 0; i < params.pool; i++) {
		struct page **pages = w->pages + i * pages_of_shape();

		if (params.shape == SHAPE_SG)
			map_list(devices[ARM_DEVICE], pages, w->sgl, &thrown_away);
		else
			map_single(devices[ARM_DEVICE], pages[0], &thrown_away);
		cond_resched();
	}
}

static int create_workers(void)
{
	unsigned int i;

	for (i = 0; i < params.threads; i++) {
		struct worker *w = worker_new(i);

		if (!w)
			return -ENOMEM;
		workers[i] = w;
		warm_up(w);
		w->task = kthread_create(worker_main, w, "dmamap/%u", i);
		if (IS_ERR(w->task)) {
			int err = PTR_ERR(w->task);

			w->task = NULL;
			return err;
		}
		get_task_struct(w->task);
		if (params.threads > 1)
			kthread_bind(w->task, cpumask_local_spread(i, NUMA_NO_NODE));
	}
	return 0;
}

/* A thread that was never woken ends without having run. */
static void free_workers(void)
{
	unsigned int i, arm, call, b;

	for (i = 0; i < params.threads && workers[i]; i++) {
		struct worker *w = workers[i];

		if (w->task) {
			kthread_stop(w->task);
			put_task_struct(w->task);
		}
		for (arm = 0; arm < NR_ARMS; arm++) {
			total[arm].nr += w->arm[arm].nr;
			total[arm].errors += w->arm[arm].errors;
			for (call = 0; call < NR_CALLS; call++) {
				total[arm].ns[call] += w->arm[arm].ns[call];
				for (b = 0; b < BUCKETS; b++)
					total[arm].hist[call][b] += w->arm[arm].hist[call][b];
			}
		}
		worker_free(w);
		workers[i] = NULL;
	}
}

static int run_workers(void)
{
	struct coiommu_stats before;
	int err = create_workers();
	unsigned int i;
	u64 t;

	memset(total, 0, NR_ARMS * sizeof(*total));
	if (err)
		goto out;
	stop = false;
	reinit_completion(&start);
	reinit_completion(&finished);
	atomic_set(&running, params.threads);
	for (i = 0; i < params.threads; i++)
		wake_up_process(workers[i]->task);
	tracking_read(&before);
	t = ktime_get_ns();
	complete_all(&start);
	err = wait_for_completion_killable(&finished);
	if (err) {
		WRITE_ONCE(stop, true);
		wait_for_completion(&finished);
	}
	elapsed_ns = ktime_get_ns() - t;
	tracking_read(&tracking);
	tracking.maps -= before.maps;
	tracking.requests -= before.requests;
	tracking.request_pages -= before.request_pages;
	tracking.request_ns -= before.request_ns;
	tracking.refused -= before.refused;
out:
	free_workers();
	return err;
}

/* The second arm: a device with the same limits and without DMA operations. */
static int run_arms(struct device *dev)
{
	struct platform_device_info info = { .name = "dmamap", .id = PLATFORM_DEVID_AUTO };
	struct platform_device *direct = platform_device_register_full(&info);
	int err;

	if (IS_ERR(direct))
		return PTR_ERR(direct);
	*direct->dev.dma_mask = *dev->dma_mask;
	direct->dev.coherent_dma_mask = dev->coherent_dma_mask;
	direct->dev.bus_dma_limit = dev->bus_dma_limit;
	devices[ARM_DEVICE] = dev;
	devices[ARM_DIRECT] = &direct->dev;
	err = run_workers();
	platform_device_unregister(direct);
	return err;
}

/* An unbound device has the masks nobody raised yet, which would make it bounce. */
static int run_device(struct device *dev)
{
	u64 mask, coherent;
	int err;

	if (!dev->dma_mask)
		return -ENODEV;
	device_lock(dev); /* no driver comes or goes meanwhile */
	mask = *dev->dma_mask;
	coherent = dev->coherent_dma_mask;
	err = dev->driver ? 0 : dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64));
	if (!err) {
		measure_clock();
		err = run_arms(dev);
	}
	if (!dev->driver) {
		*dev->dma_mask = mask;
		dev->coherent_dma_mask = coherent;
	}
	device_unlock(dev);
	return err;
}

static int run(void)
{
	struct device *dev = bus_find_device_by_name(&pci_bus_type, NULL, params.device);
	int err;

	valid = false;
	if (!dev)
		return -ENODEV;
	err = run_device(dev);
	valid = !err;
	put_device(dev);
	return err;
}

/* ---- debugfs ---------------------------------------------------------------------------- */

static ssize_t run_write(struct file *file, const char __user *user, size_t len, loff_t *pos)
{
	struct dmamap_params new;
	char *text;
	int err;

	if (len > PAGE_SIZE)
		return -EINVAL;
	text = memdup_user_nul(user, len);
	if (IS_ERR(text))
		return PTR_ERR(text);
	err = dmamap_parse(&new, text);
	kfree(text);
	if (err)
		return err;
	if (mutex_lock_interruptible(&lock))
		return -EINTR;
	params = new;
	err = run();
	mutex_unlock(&lock);
	return err ?: len;
}

static const struct file_operations run_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = run_write,
};

static void show_arm(struct seq_file *m, enum arm arm)
{
	static const unsigned int permilles[] = { 100, 250, 500, 900, 990, 999 };
	const struct sample *s = &total[arm];
	unsigned int i, call;

	seq_printf(m, "%s_maps %llu\n%s_errors %llu\n", arm_names[arm], s->nr, arm_names[arm],
		   s->errors);
	for (call = 0; s->nr && call < NR_CALLS; call++) {
		seq_printf(m, "%s_%s_mean_ns %llu\n", arm_names[arm], call_names[call],
			   div64_u64(s->ns[call], s->nr));
		for (i = 0; i < ARRAY_SIZE(permilles); i++)
			seq_printf(m, "%s_%s_p%u_ns %llu\n", arm_names[arm], call_names[call],
				   permilles[i], quantile(s, call, permilles[i]));
		for (i = 0; i < BUCKETS; i++) {
			if (s->hist[call][i])
				seq_printf(m, "hist %s %s %llu %llu\n", arm_names[arm],
					   call_names[call], bucket_floor(i), s->hist[call][i]);
		}
	}
}

static int result_show(struct seq_file *m, void *data)
{
	mutex_lock(&lock);
	if (valid) {
		seq_printf(m, "device %s\nshape %s\n", params.device, dmamap_shapes[params.shape]);
		seq_printf(m, "threads %u\nreuse %u\npool %u\nab %u\n", params.threads,
			   params.reuse, params.pool, params.ab);
		seq_printf(m, "clock_ns %llu\nelapsed_ns %llu\n", clock_ns, elapsed_ns);
		if (tracked)
			seq_printf(m, "tracked_maps %llu\nrequests %llu\nrefused %llu\n",
				   tracking.maps, tracking.requests, tracking.refused);
		if (tracked)
			seq_printf(m, "request_pages %llu\nrequest_ns %llu\n",
				   tracking.request_pages, tracking.request_ns);
		show_arm(m, ARM_DEVICE);
		if (params.ab)
			show_arm(m, ARM_DIRECT);
	}
	mutex_unlock(&lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(result);

static int __init dmamap_init(void)
{
	total = vzalloc(NR_ARMS * sizeof(*total));
	if (!total)
		return -ENOMEM;
	init_completion(&start);
	init_completion(&finished);
	dir = debugfs_create_dir("dmamap", NULL);
	debugfs_create_file("run", 0200, dir, NULL, &run_fops);
	debugfs_create_file("result", 0400, dir, NULL, &result_fops);
	return 0;
}

static void __exit dmamap_exit(void)
{
	debugfs_remove_recursive(dir);
	vfree(total);
}

module_init(dmamap_init);
module_exit(dmamap_exit);
MODULE_DESCRIPTION("DMA mapping micro-benchmark");
MODULE_LICENSE("GPL");
