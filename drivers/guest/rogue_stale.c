// SPDX-License-Identifier: GPL-2.0-only
/*
 * For how long does a device reach a page that was unmapped? DMAs follow one another after the
 * unmapping. Where the device begins a DMA only a while after it is told to (edu: a tenth of a
 * second), the page is also unmapped while one is pending, for shorter times than that: the shorter
 * before it comes the later in that while.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/ktime.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "rogue.h"

#define SHOTS_PER_STEP 3
#define CLOSED_NS (200 * NSEC_PER_MSEC) /* out of reach for so long: it stays so */
#define DENSE_NS (100 * NSEC_PER_MSEC)	/* DMAs follow without a pause for so long */
#define ROUNDS 3 /* without shots: a first DMA that is late misses a short window */

/* So long before the DMA is due the page is unmapped: a deferred invalidation may wait 10 ms. */
static const unsigned int ahead_us[] = { 4000, 6000, 8000, 12000, 24000, 64000 };

struct shot {
	u8 before[ROGUE_MARK], mark[ROGUE_MARK];
};

/* A content of its own in the page, and another one in the device's buffer. */
static int prepare(struct rogue *rogue, struct shot *shot)
{
	get_random_bytes(shot, sizeof(*shot));
	memcpy(page_address(rogue->stale), shot->before, ROGUE_MARK);
	return rogue_load(rogue, shot->mark, 1);
}

/* Is what the device wrote in the page? */
static bool passed(struct rogue *rogue, const u8 *mark)
{
	return !memcmp(page_address(rogue->stale), mark, ROGUE_MARK);
}

static int map(struct rogue *rogue, dma_addr_t *bus)
{
	struct device *dev = &rogue->pdev->dev;

	*bus = dma_map_page(dev, rogue->stale, 0, PAGE_SIZE, DMA_BIDIRECTIONAL);
	return dma_mapping_error(dev, *bus) ? -ENOMEM : 0;
}

static void unmap(struct rogue *rogue, dma_addr_t bus)
{
	dma_unmap_page(&rogue->pdev->dev, bus, PAGE_SIZE, DMA_BIDIRECTIONAL);
}

/* Sleeping would add to the time that is measured. */
static int poll_end(struct rogue *rogue)
{
	ktime_t end = ktime_add_us(ktime_get(), 2 * rogue->engine->delay_us);

	while (rogue_busy(rogue)) {
		if (ktime_after(ktime_get(), end))
			return rogue_await(rogue);
		cond_resched();
	}
	return 0;
}

/*
 * "shot AHEAD_US RESULT AFTER_NS UNMAP_NS": AFTER from the end of the unmapping to that of the DMA.
 * A DMA that was over before the unmapping is early, and tells nothing.
 */
static int shoot(struct rogue *rogue, unsigned int ahead)
{
	unsigned int delay = rogue->engine->delay_us;
	ktime_t unmapping, unmapped, done;
	struct shot shot;
	dma_addr_t bus;
	bool early;
	int err = prepare(rogue, &shot);

	if (!err)
		err = map(rogue, &bus);
	if (err)
		return err;
	rogue_store_start(rogue, bus, 0);
	usleep_range(delay - ahead - 200, delay - ahead);
	unmapping = ktime_get();
	unmap(rogue, bus);
	unmapped = ktime_get();
	early = !rogue_busy(rogue);
	err = poll_end(rogue);
	done = ktime_get();
	return err ?: rogue_print(rogue, "shot %u %s %lld %lld\n", ahead,
				  early ? "early" : passed(rogue, shot.mark) ? "passed" : "blocked",
				  ktime_to_ns(ktime_sub(done, unmapped)),
				  ktime_to_ns(ktime_sub(unmapped, unmapping)));
}

/* DMAs in a row with the same result, and when the first and the last one were over. */
struct row {
	bool passed;
	unsigned int nr;
	u64 first, last;
};

/* "follow RESULT NUMBER FIRST_NS LAST_NS": DMAs told after the unmapping. */
static int print_row(struct rogue *rogue, const struct row *row)
{
	if (!row->nr)
		return 0;
	return rogue_print(rogue, "follow %s %u %llu %llu\n", row->passed ? "passed" : "blocked",
			   row->nr, row->first, row->last);
}

static int count(struct rogue *rogue, struct row *row, bool passed, u64 after)
{
	int err = 0;

	if (row->nr && row->passed == passed) {
		row->nr++;
		row->last = after;
		return 0;
	}
	err = print_row(rogue, row);
	*row = (struct row){ .passed = passed, .nr = 1, .first = after, .last = after };
	return err;
}

/* Writes a slot to a page that holds something else. */
static int follow(struct rogue *rogue, dma_addr_t bus, unsigned int slot, const u8 *marks,
		  bool *result)
{
	int err;

	get_random_bytes(page_address(rogue->stale), ROGUE_MARK);
	err = rogue_store(rogue, bus, slot);
	*result = passed(rogue, marks + slot * ROGUE_MARK);
	return err;
}

/* While it is mapped, the page must be reached: "control passed". */
static int control(struct rogue *rogue, dma_addr_t bus, const u8 *marks)
{
	struct device *dev = &rogue->pdev->dev;
	int err;

	get_random_bytes(page_address(rogue->stale), ROGUE_MARK);
	/* The page's new content goes along, where it is copied. */
	dma_sync_single_for_device(dev, bus, PAGE_SIZE, DMA_BIDIRECTIONAL);
	err = rogue_store(rogue, bus, 0);
	dma_sync_single_for_cpu(dev, bus, PAGE_SIZE, DMA_BIDIRECTIONAL);
	return err ?: rogue_print(rogue, "control %s\n",
				  passed(rogue, marks) ? "passed" : "blocked");
}

/*
 * The slots hold the marks by now: nothing but the DMA itself lies between two of them. *closed: in
 * the end the page was out of reach.
 */
static int follow_all(struct rogue *rogue, const u8 *marks, u64 limit, bool *closed)
{
	struct row row = {};
	u64 after = 0;
	ktime_t unmapped;
	dma_addr_t bus;
	unsigned int n;
	bool result;
	int err = map(rogue, &bus);

	if (err)
		return err;
	err = control(rogue, bus, marks);
	unmap(rogue, bus);
	unmapped = ktime_get();
	for (n = 0; !err && after < limit; n++) {
		err = follow(rogue, bus, n % ROGUE_PROBES, marks, &result);
		after = ktime_to_ns(ktime_sub(ktime_get(), unmapped));
		if (!err)
			err = count(rogue, &row, result, after);
		*closed = !row.passed && row.last - row.first >= CLOSED_NS;
		if (*closed)
			break;
		if (!row.passed || after > DENSE_NS)
			usleep_range(1000, 2000);
		if (fatal_signal_pending(current))
			err = -EINTR;
	}
	return err ?: print_row(rogue, &row);
}

int rogue_stale(struct rogue *rogue, unsigned int limit_ms)
{
	u64 limit = (u64)limit_ms * NSEC_PER_MSEC;
	size_t bytes = ROGUE_PROBES * ROGUE_MARK;
	ktime_t end = ktime_add_ns(ktime_get(), limit);
	bool closed = true;
	int i, n, err = 0;
	u8 *marks;

	for (i = 0; i < ARRAY_SIZE(ahead_us) && rogue->engine->delay_us && !err; i++)
		for (n = 0; n < SHOTS_PER_STEP && !err; n++)
			err = shoot(rogue, ahead_us[i]);
	marks = kmalloc(bytes, GFP_KERNEL);
	if (!marks)
		return -ENOMEM;
	get_random_bytes(marks, bytes);
	if (!err)
		err = rogue_load(rogue, marks, ROGUE_PROBES);
	for (n = 0; n < (rogue->engine->delay_us ? 1 : ROUNDS) && closed && !err; n++)
		if (!n || ktime_before(ktime_get(), end))
			err = follow_all(rogue, marks, limit, &closed);
	kfree(marks);
	return err;
}
