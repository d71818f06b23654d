// SPDX-License-Identifier: GPL-2.0-only
/*
 * For how long does a device reach a page that was unmapped? The device begins a DMA a tenth of a
 * second after it is told to: for times shorter than that, the page is unmapped while the DMA is
 * pending, the shorter before it comes the later in that tenth; for longer ones, DMAs follow one
 * another after the unmapping.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/ktime.h>
#include <linux/random.h>
#include <linux/sched.h>

#include "rogue.h"

#define SHOTS_PER_STEP 3
#define CLOSED_AFTER 2 /* so many blocked in a row */

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
	return rogue_load(rogue, shot->mark, ROGUE_MARK);
}

/* Is what the device wrote in the page? */
static bool passed(struct rogue *rogue, const struct shot *shot)
{
	return !memcmp(page_address(rogue->stale), shot->mark, ROGUE_MARK);
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
	ktime_t end = ktime_add_us(ktime_get(), 2 * ROGUE_DMA_US);

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
	struct shot shot;
	ktime_t unmapping, unmapped, done;
	dma_addr_t bus;
	bool early;
	int err = prepare(rogue, &shot);

	if (!err)
		err = map(rogue, &bus);
	if (err)
		return err;
	rogue_store_start(rogue, bus, 0, ROGUE_MARK);
	usleep_range(ROGUE_DMA_US - ahead - 200, ROGUE_DMA_US - ahead);
	unmapping = ktime_get();
	unmap(rogue, bus);
	unmapped = ktime_get();
	early = !rogue_busy(rogue);
	err = poll_end(rogue);
	done = ktime_get();
	rogue_print(rogue, "shot %u %s %lld %lld\n", ahead,
		    early ? "early" : passed(rogue, &shot) ? "passed" : "blocked",
		    ktime_to_ns(ktime_sub(done, unmapped)),
		    ktime_to_ns(ktime_sub(unmapped, unmapping)));
	return err;
}

/* "follow RESULT AFTER_NS": a DMA told after the unmapping. */
static int follow(struct rogue *rogue, dma_addr_t bus, ktime_t unmapped, bool *blocked, u64 *after)
{
	struct shot shot;
	int err = prepare(rogue, &shot);

	if (!err)
		err = rogue_store(rogue, bus, 0, ROGUE_MARK);
	if (err)
		return err;
	*after = ktime_to_ns(ktime_sub(ktime_get(), unmapped));
	*blocked = !passed(rogue, &shot);
	rogue_print(rogue, "follow %s %llu\n", *blocked ? "blocked" : "passed", *after);
	return 0;
}

/* While it is mapped, the page must be reached: "control passed". */
static int control(struct rogue *rogue, dma_addr_t bus)
{
	struct device *dev = &rogue->pdev->dev;
	struct shot shot;
	int err = prepare(rogue, &shot);

	if (err)
		return err;
	/* The page's new content goes along, where it is copied. */
	dma_sync_single_for_device(dev, bus, PAGE_SIZE, DMA_BIDIRECTIONAL);
	err = rogue_store(rogue, bus, 0, ROGUE_MARK);
	dma_sync_single_for_cpu(dev, bus, PAGE_SIZE, DMA_BIDIRECTIONAL);
	rogue_print(rogue, "control %s\n", passed(rogue, &shot) ? "passed" : "blocked");
	return err;
}

static int follow_all(struct rogue *rogue, unsigned int limit_ms)
{
	unsigned int in_a_row = 0;
	ktime_t unmapped;
	dma_addr_t bus;
	bool blocked;
	u64 after = 0;
	int err = map(rogue, &bus);

	if (err)
		return err;
	err = control(rogue, bus);
	unmap(rogue, bus);
	unmapped = ktime_get();
	while (!err && in_a_row < CLOSED_AFTER && after < (u64)limit_ms * NSEC_PER_MSEC) {
		err = follow(rogue, bus, unmapped, &blocked, &after);
		in_a_row = blocked ? in_a_row + 1 : 0;
		if (fatal_signal_pending(current))
			err = -EINTR;
	}
	return err;
}

int rogue_stale(struct rogue *rogue, unsigned int limit_ms)
{
	int i, n, err = 0;

	for (i = 0; i < ARRAY_SIZE(ahead_us) && !err; i++)
		for (n = 0; n < SHOTS_PER_STEP && !err; n++)
			err = shoot(rogue, ahead_us[i]);
	return err ?: follow_all(rogue, limit_ms);
}
