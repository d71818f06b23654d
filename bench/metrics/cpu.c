// SPDX-License-Identifier: GPL-2.0-only
/* CPU time of the QEMU process, guest time included. */
#include <errno.h>
#include <string.h>

#include "bench/device.h"
#include "bench/metric.h"
#include "harness/boot.h"
#include "harness/util.h"

static const struct metric_desc metrics[] = {
	{ "host_cpu_s", "s", DIRECTION_LOWER, "CPU time of QEMU in the measured window" },
	{ "host_cpu_s_per_op", "s", DIRECTION_LOWER, "the same per operation" },
	{ "host_cpu_s_per_gbit", "s", DIRECTION_LOWER, "the same per gigabit (streams, packets)" },
	{ 0 },
};

struct cpu {
	double begin_s, used_s;
};

/* utime and stime, fields 14 and 15 of /proc/PID/stat (proc(5)); field 2 may hold blanks. */
static double cpu_seconds(pid_t pid)
{
	autofree char *path = xasprintf("/proc/%d/stat", pid);
	autofree char *text = file_read(path, NULL);
	const char *rest = text ? strrchr(text, ')') : NULL;
	uint64_t utime, stime;

	if (!rest || field_number(rest, 14 - 1, &utime) || field_number(rest, 15 - 1, &stime))
		return -1;
	return (double)(utime + stime) / (double)sysconf(_SC_CLK_TCK);
}

static int begin(struct cell_run *run, void *priv)
{
	((struct cpu *)priv)->begin_s = cpu_seconds(run->boot->vm->proc.pid);
	return 0;
}

static int end(struct cell_run *run, void *priv)
{
	double now = cpu_seconds(run->boot->vm->proc.pid);
	struct cpu *cpu = priv;

	if (now < 0 || cpu->begin_s < 0)
		return -ESRCH;
	cpu->used_s = now - cpu->begin_s;
	sample_add(&run->samples, &metrics[0], cpu->used_s);
	return 0;
}

static int finish(struct cell_run *run, void *priv)
{
	const struct cpu *cpu = priv;

	if (run->ops)
		sample_add(&run->samples, &metrics[1], cpu->used_s / (double)run->ops);
	if (run->bytes > 0)
		sample_add(&run->samples, &metrics[2], cpu->used_s / (run->bytes * 8e-9));
	return 0;
}

const struct metric_ops metric_cpu = {
	.name = "cpu",
	.help = "host CPU time",
	.metrics = metrics,
	.except = ATTACH_NO_VM,
	.priv_size = sizeof(struct cpu),
	.begin = begin,
	.end = end,
	.finish = finish,
};
