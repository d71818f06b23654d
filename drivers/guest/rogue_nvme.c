// SPDX-License-Identifier: GPL-2.0-only
/*
 * An NVMe drive as the rogue (NVM Express base specification 1.4): a write to the drive reads
 * memory, a read writes it, a block at any bus address. Each slot is one of the drive's last
 * blocks, whose content is lost. One command at a time, and its end is looked for: no interrupts.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/nvme.h>
#include <linux/sched.h>

#include "rogue.h"

#define DEPTH 2 /* entries of a queue: one command, and one that tells full from empty */
#define NAME_SPACE 1
#define ADMIN_LIMIT_S 10
#define LOOK_AFTER (HZ / 10)

/* A submission and a completion queue, whose entries are used in turns. */
struct queue {
	struct nvme_command *commands;
	struct nvme_completion *completions;
	dma_addr_t commands_bus, completions_bus;
	void __iomem *tail, *head; /* doorbells */
	unsigned int at;	   /* the next entry of either */
	u16 phase;		   /* of a new completion */
};

/* Pages of memory that the drive reads and writes for itself. */
enum { ADMIN_COMMANDS, ADMIN_COMPLETIONS, IO_COMMANDS, IO_COMPLETIONS, IDENTITY, NR_PAGES };

struct drive {
	struct queue admin, io;
	void *pages;
	dma_addr_t pages_bus;
	unsigned long limit; /* jiffies that it may take to become ready */
	unsigned int block;  /* bytes */
	u64 first;	     /* block of slot 0 */
	bool busy;
	unsigned long look; /* when to look for a failure next, in jiffies */
	int err;	    /* it could not be reset */
};

/* ---- Commands ------------------------------------------------------------------------------ */

static void submit(struct queue *queue, const struct nvme_command *command)
{
	queue->commands[queue->at] = *command;
	dma_wmb(); /* the command before its doorbell */
	writel((queue->at + 1) % DEPTH, queue->tail);
}

/* Is the command over? Then *status is its own, 0 meaning success. */
static bool completed(struct queue *queue, u16 *status)
{
	u16 word = le16_to_cpu(READ_ONCE(queue->completions[queue->at].status));

	if ((word & 1) != queue->phase)
		return false;
	*status = word >> 1;
	queue->at = (queue->at + 1) % DEPTH;
	if (!queue->at)
		queue->phase ^= 1;
	writel(queue->at, queue->head);
	return true;
}

static int admin(struct drive *drive, const struct nvme_command *command)
{
	ktime_t end = ktime_add_ms(ktime_get(), ADMIN_LIMIT_S * MSEC_PER_SEC);
	u16 status = 0;

	submit(&drive->admin, command);
	while (!completed(&drive->admin, &status)) {
		if (ktime_after(ktime_get(), end))
			return -ETIMEDOUT;
		usleep_range(50, 100);
	}
	return status ? -EIO : 0;
}

/* ---- The controller ------------------------------------------------------------------------ */

static int await_ready(struct rogue *rogue, bool ready)
{
	struct drive *drive = rogue->priv;
	unsigned long end = jiffies + drive->limit;

	for (;;) {
		u32 status = readl(rogue->regs + NVME_REG_CSTS);

		if (!(status & NVME_CSTS_RDY) == !ready)
			return 0;
		if (ready && (status & NVME_CSTS_CFS))
			return -EIO;
		if (time_after(jiffies, end))
			return -ETIMEDOUT;
		usleep_range(100, 200);
	}
}

static int disable(struct rogue *rogue)
{
	writel(0, rogue->regs + NVME_REG_CC);
	return await_ready(rogue, false);
}

static void reset_queue(struct rogue *rogue, struct queue *queue, unsigned int id, u64 capabilities)
{
	struct drive *drive = rogue->priv;
	unsigned int page = id ? IO_COMMANDS : ADMIN_COMMANDS;
	unsigned int stride = 4 << NVME_CAP_STRIDE(capabilities);

	queue->commands = drive->pages + page * PAGE_SIZE;
	queue->commands_bus = drive->pages_bus + page * PAGE_SIZE;
	queue->completions = drive->pages + (page + 1) * PAGE_SIZE;
	queue->completions_bus = drive->pages_bus + (page + 1) * PAGE_SIZE;
	queue->tail = rogue->regs + NVME_REG_DBS + 2 * id * stride;
	queue->head = queue->tail + stride;
	queue->at = 0;
	queue->phase = 1;
}

static int create_io_queues(struct drive *drive)
{
	struct nvme_command count = {}, completions = {}, commands = {};
	int err;

	count.features.opcode = nvme_admin_set_features;
	count.features.fid = cpu_to_le32(NVME_FEAT_NUM_QUEUES); /* 0: one of each */
	completions.create_cq.opcode = nvme_admin_create_cq;
	completions.create_cq.prp1 = cpu_to_le64(drive->io.completions_bus);
	completions.create_cq.cqid = cpu_to_le16(1);
	completions.create_cq.qsize = cpu_to_le16(DEPTH - 1);
	completions.create_cq.cq_flags = cpu_to_le16(NVME_QUEUE_PHYS_CONTIG);
	commands.create_sq.opcode = nvme_admin_create_sq;
	commands.create_sq.prp1 = cpu_to_le64(drive->io.commands_bus);
	commands.create_sq.sqid = cpu_to_le16(1);
	commands.create_sq.qsize = cpu_to_le16(DEPTH - 1);
	commands.create_sq.sq_flags = cpu_to_le16(NVME_QUEUE_PHYS_CONTIG);
	commands.create_sq.cqid = cpu_to_le16(1);
	err = admin(drive, &count);
	if (!err)
		err = admin(drive, &completions);
	return err ?: admin(drive, &commands);
}

/* Ends whatever it is doing, and makes it ready anew. */
static int reset(struct rogue *rogue)
{
	u64 capabilities = lo_hi_readq(rogue->regs + NVME_REG_CAP);
	struct drive *drive = rogue->priv;
	int err;

	drive->limit = (NVME_CAP_TIMEOUT(capabilities) + 1) * HZ / 2;
	err = disable(rogue);
	if (err)
		return err;
	memset(drive->pages, 0, NR_PAGES * PAGE_SIZE);
	reset_queue(rogue, &drive->admin, 0, capabilities);
	reset_queue(rogue, &drive->io, 1, capabilities);
	writel((DEPTH - 1) << 16 | (DEPTH - 1), rogue->regs + NVME_REG_AQA);
	lo_hi_writeq(drive->admin.commands_bus, rogue->regs + NVME_REG_ASQ);
	lo_hi_writeq(drive->admin.completions_bus, rogue->regs + NVME_REG_ACQ);
	writel(NVME_CC_ENABLE | NVME_CC_IOSQES | NVME_CC_IOCQES, rogue->regs + NVME_REG_CC);
	err = await_ready(rogue, true);
	return err ?: create_io_queues(drive);
}

static int identify(struct rogue *rogue)
{
	struct drive *drive = rogue->priv;
	const struct nvme_id_ns *space = drive->pages + IDENTITY * PAGE_SIZE;
	struct nvme_command command = {};
	const struct nvme_lbaf *format;
	int err;

	command.identify.opcode = nvme_admin_identify;
	command.identify.nsid = cpu_to_le32(NAME_SPACE);
	command.identify.dptr.prp1 = cpu_to_le64(drive->pages_bus + IDENTITY * PAGE_SIZE);
	command.identify.cns = NVME_ID_CNS_NS;
	err = admin(drive, &command);
	if (err)
		return err;
	if (le64_to_cpu(space->nsze) < ROGUE_PROBES) {
		dev_err(&rogue->pdev->dev, "it has no name space %d of %d blocks\n", NAME_SPACE,
			ROGUE_PROBES);
		return -ENODEV;
	}
	format = &space->lbaf[space->flbas & 0xf];
	if (format->ms || format->ds < 9 || format->ds > PAGE_SHIFT) {
		dev_err(&rogue->pdev->dev, "blocks of 2^%u bytes with %u of metadata do not do\n",
			format->ds, le16_to_cpu(format->ms));
		return -EOPNOTSUPP;
	}
	drive->block = 1U << format->ds;
	drive->first = le64_to_cpu(space->nsze) - ROGUE_PROBES;
	return 0;
}

/* The doorbells of the second queues must be there, and the drive's pages may be 4 KiB. */
static int check(struct rogue *rogue)
{
	u64 capabilities = lo_hi_readq(rogue->regs + NVME_REG_CAP);
	u64 end = NVME_REG_DBS + 4ULL * (4 << NVME_CAP_STRIDE(capabilities));

	if (!NVME_CAP_MPSMIN(capabilities) && end <= pci_resource_len(rogue->pdev, 0))
		return 0;
	dev_err(&rogue->pdev->dev, "capabilities %#llx do not do\n", capabilities);
	return -EOPNOTSUPP;
}

static int set_up(struct rogue *rogue)
{
	struct device *dev = &rogue->pdev->dev;
	struct drive *drive = devm_kzalloc(dev, sizeof(*drive), GFP_KERNEL);
	int err = check(rogue);

	if (!drive)
		return -ENOMEM;
	if (err)
		return err;
	rogue->priv = drive;
	drive->pages = dmam_alloc_coherent(dev, NR_PAGES * PAGE_SIZE, &drive->pages_bus,
					   GFP_KERNEL);
	if (!drive->pages)
		return -ENOMEM;
	pci_intx(rogue->pdev, 0);
	err = reset(rogue);
	if (!err)
		err = identify(rogue);
	if (err) {
		dev_err(dev, "cannot make the drive ready: %d\n", err);
		disable(rogue);
	}
	return err;
}

static void tear_down(struct rogue *rogue)
{
	disable(rogue);
}

/* ---- The engine ---------------------------------------------------------------------------- */

/* A block at a time; where it crosses into the next page, that has an entry of its own. */
static void start(struct rogue *rogue, dma_addr_t bus, unsigned int slot, unsigned int nr,
		  bool to_bus)
{
	struct drive *drive = rogue->priv;
	struct nvme_command command = {};

	if (drive->err)
		return;
	command.rw.opcode = to_bus ? nvme_cmd_read : nvme_cmd_write;
	command.rw.nsid = cpu_to_le32(NAME_SPACE);
	command.rw.slba = cpu_to_le64(drive->first + slot);
	command.rw.dptr.prp1 = cpu_to_le64(bus);
	if (offset_in_page(bus) + drive->block > PAGE_SIZE)
		command.rw.dptr.prp2 = cpu_to_le64((bus & PAGE_MASK) + PAGE_SIZE);
	drive->busy = true;
	drive->look = jiffies + LOOK_AFTER;
	submit(&drive->io, &command);
}

static int abort_dma(struct rogue *rogue)
{
	struct drive *drive = rogue->priv;

	dev_warn(&rogue->pdev->dev, "it does not end a command, and is reset\n");
	drive->busy = false;
	drive->err = reset(rogue);
	return drive->err;
}

/*
 * Some drives fail altogether when their DMA is blocked. Their registers are looked at but now and
 * then: an emulator serves either who reads registers or the DMA.
 */
static int poll(struct rogue *rogue)
{
	struct drive *drive = rogue->priv;
	u16 status;

	if (drive->err || !drive->busy)
		return drive->err;
	if (completed(&drive->io, &status)) {
		drive->busy = false;
		dma_rmb(); /* the completion before the data */
		return 0;
	}
	if (time_before(jiffies, drive->look))
		return 1;
	drive->look = jiffies + LOOK_AFTER;
	return readl(rogue->regs + NVME_REG_CSTS) & NVME_CSTS_CFS ? abort_dma(rogue) : 1;
}

const struct rogue_engine rogue_nvme = {
	.burst = 1,
	.set_up = set_up,
	.tear_down = tear_down,
	.start = start,
	.poll = poll,
	.abort = abort_dma,
};
