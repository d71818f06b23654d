// SPDX-License-Identifier: GPL-2.0-only
/* QEMU's edu device as the rogue (docs/specs/edu of QEMU): registers for source and destination. */
#include <linux/io-64-nonatomic-lo-hi.h>

#include "rogue.h"

#define REG_SOURCE 0x80
#define REG_DESTINATION 0x88
#define REG_LENGTH 0x90
#define REG_COMMAND 0x98
#define COMMAND_RUN 1
#define COMMAND_TO_BUS 2
#define EDU_BUFFER 0x40000

/* QEMU ends itself if a DMA reaches the end of the device's 4 KiB: the slots end well before it. */
static void start(struct rogue *rogue, dma_addr_t bus, unsigned int slot, unsigned int nr,
		  bool to_bus)
{
	u64 own = EDU_BUFFER + slot * ROGUE_MARK;

	writeq(to_bus ? own : bus, rogue->regs + REG_SOURCE);
	writeq(to_bus ? bus : own, rogue->regs + REG_DESTINATION);
	writeq(nr * ROGUE_MARK, rogue->regs + REG_LENGTH);
	writeq(COMMAND_RUN | (to_bus ? COMMAND_TO_BUS : 0), rogue->regs + REG_COMMAND);
}

static int poll(struct rogue *rogue)
{
	return readq(rogue->regs + REG_COMMAND) & COMMAND_RUN;
}

/* There is no way. */
static int abort_dma(struct rogue *rogue)
{
	return -ETIMEDOUT;
}

static int set_up(struct rogue *rogue)
{
	return 0;
}

static void tear_down(struct rogue *rogue)
{
	rogue_await(rogue);
}

const struct rogue_engine rogue_edu = {
	.burst = ROGUE_PROBES,
	.delay_us = 100000,
	.set_up = set_up,
	.tear_down = tear_down,
	.start = start,
	.poll = poll,
	.abort = abort_dma,
};
