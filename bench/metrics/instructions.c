// SPDX-License-Identifier: GPL-2.0-only
/*
 * Emulated instructions of guest, host kernel and QEMU together, counted by the virtual
 * lab's TCG plug-in (scripts/insn_plugin.c): the cost figure that depends least on how
 * busy the machine is (timer interrupts come by the clock, so a few per cent remain).
 */
#include "bench/metrics/instructions.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "bench/metric.h"
#include "harness/boot.h"
#include "harness/util.h"

static const struct metric_desc metrics[] = {
	{ "lab_instructions", "count", DIRECTION_LOWER,
	  "emulated instructions in the measured window (lab only)" },
	{ "lab_instructions_per_op", "count", DIRECTION_LOWER,
	  "emulated instructions per operation (lab only)" },
	{ "lab_create_instructions", "count", DIRECTION_LOWER,
	  "emulated instructions until the first vCPU can run (lab only)" },
	{ 0 },
};

struct instructions {
	int fd;
	double begin, total;
	double opened, created; /* totals then; 0: there was no VM to create */
};

static int probe(const struct host *host, char **why)
{
	if (host->instructions)
		return 0;
	*why = xstrdup("only the emulated lab counts instructions");
	return -EOPNOTSUPP;
}

/* The plug-in keeps one 64-bit counter a vCPU of the lab. */
int instructions_total(int fd, double *total)
{
	uint64_t counters[64];
	ssize_t n = pread(fd, counters, sizeof(counters), 0);

	*total = 0;
	if (n < 0)
		return -errno;
	for (size_t i = 0; i < (size_t)n / sizeof(counters[0]); i++)
		*total += (double)counters[i];
	return 0;
}

static int open_source(struct boot *boot, void *priv)
{
	struct instructions *instructions = priv;

	instructions->fd = open(boot->host->instructions, O_RDONLY | O_CLOEXEC);
	return instructions->fd < 0 ? -errno
				    : instructions_total(instructions->fd, &instructions->opened);
}

static int created(struct boot *boot, void *priv)
{
	struct instructions *instructions = priv;

	return instructions_total(instructions->fd, &instructions->created);
}

static int begin(struct cell_run *run, void *priv)
{
	struct instructions *instructions = priv;

	return instructions_total(instructions->fd, &instructions->begin);
}

static int end(struct cell_run *run, void *priv)
{
	struct instructions *instructions = priv;
	double total;
	int ret = instructions_total(instructions->fd, &total);

	if (ret)
		return ret;
	total -= instructions->begin;
	instructions->total = total;
	sample_add(&run->samples, &metrics[0], total);
	return 0;
}

/* Only now the workload has said how many operations there were. */
static int finish(struct cell_run *run, void *priv)
{
	const struct instructions *instructions = priv;

	if (run->ops)
		sample_add(&run->samples, &metrics[1], instructions->total / (double)run->ops);
	if (instructions->created > 0)
		sample_add(&run->samples, &metrics[2],
			   instructions->created - instructions->opened);
	return 0;
}

static void close_source(struct boot *boot, void *priv)
{
	int fd = ((struct instructions *)priv)->fd;

	if (fd > 0)
		close(fd);
}

const struct metric_ops metric_instructions = {
	.name = "instructions",
	.help = "emulated instructions (lab only)",
	.metrics = metrics,
	.priv_size = sizeof(struct instructions),
	.probe = probe,
	.open = open_source,
	.created = created,
	.begin = begin,
	.end = end,
	.finish = finish,
	.close = close_source,
};
