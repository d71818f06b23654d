// SPDX-License-Identifier: GPL-2.0-only
/* VM exits by reason, from KVM's own counters through QEMU (query-stats, QEMU 7.1 on). */
#include <errno.h>
#include <string.h>

#include "bench/device.h"
#include "bench/metric.h"
#include "harness/boot.h"
#include "harness/util.h"

/* KVM's counters, and below in the same order what they are called here. */
static const char *const kvm_names[] = {
	"exits",     "io_exits",	 "mmio_exits",	 "halt_exits",
	"irq_exits", "irq_window_exits", "signal_exits",
};
#define NR_COUNTERS ARRAY_SIZE(kvm_names)
#define PER_OP NR_COUNTERS
#define PER_PACKET (NR_COUNTERS + 1)

static const struct metric_desc metrics[] = {
	{ "vm_exits", "count", DIRECTION_LOWER, "VM exits in the measured window" },
	{ "vm_exits_io", "count", DIRECTION_LOWER, "of them: port I/O" },
	{ "vm_exits_mmio", "count", DIRECTION_LOWER, "of them: memory-mapped I/O" },
	{ "vm_exits_halt", "count", DIRECTION_LOWER, "of them: idle vCPU" },
	{ "vm_exits_irq", "count", DIRECTION_LOWER, "of them: interrupt of the host" },
	{ "vm_exits_irq_window", "count", DIRECTION_LOWER, "of them: interrupt window opened" },
	{ "vm_exits_signal", "count", DIRECTION_LOWER, "of them: signal for QEMU" },
	{ "vm_exits_per_op", "count", DIRECTION_LOWER, "VM exits per operation" },
	{ "vm_exits_per_packet", "count", DIRECTION_LOWER, "VM exits per packet of the NIC" },
	{ 0 },
};

struct exits {
	double begin[NR_COUNTERS], total;
};

static void add_vcpu(const json_t *stats, double *values)
{
	const json_t *stat;
	size_t i;

	json_array_foreach((json_t *)stats, i, stat) {
		const char *name = json_string_value(json_object_get(stat, "name"));

		for (size_t c = 0; name && c < NR_COUNTERS; c++)
			if (!strcmp(name, kvm_names[c]))
				values[c] += json_number_value(json_object_get(stat, "value"));
	}
}

static json_t *query_args(void)
{
	json_t *names = json_array();

	for (size_t c = 0; c < NR_COUNTERS; c++)
		json_array_append_new(names, json_string(kvm_names[c]));
	return json_pack("{s:s, s:[{s:s, s:o}]}", "target", "vcpu", "providers", "provider", "kvm",
			 "names", names);
}

static int read_counters(struct boot *boot, double *values)
{
	json_t *reply = NULL, *vcpu;
	size_t i;
	int ret = qmp_command(boot->vm->qmp, "query-stats", query_args(), 10, &reply);

	memset(values, 0, NR_COUNTERS * sizeof(*values));
	json_array_foreach(reply, i, vcpu)
		add_vcpu(json_object_get(vcpu, "stats"), values);
	json_decref(reply);
	return ret;
}

static int begin(struct cell_run *run, void *priv)
{
	return read_counters(run->boot, ((struct exits *)priv)->begin);
}

static int end(struct cell_run *run, void *priv)
{
	struct exits *exits = priv;
	double now[NR_COUNTERS];
	int ret = read_counters(run->boot, now);

	if (ret)
		return ret;
	for (size_t c = 0; c < NR_COUNTERS; c++)
		sample_add(&run->samples, &metrics[c], now[c] - exits->begin[c]);
	exits->total = now[0] - exits->begin[0];
	return 0;
}

/* Only now the workload has said how many operations there were. */
static int finish(struct cell_run *run, void *priv)
{
	const struct exits *exits = priv;

	if (run->ops)
		sample_add(&run->samples, &metrics[PER_OP], exits->total / (double)run->ops);
	if (run->device_ops && run->cell->device->class == DEVICE_NET)
		sample_add(&run->samples, &metrics[PER_PACKET],
			   exits->total / (double)run->device_ops);
	return 0;
}

const struct metric_ops metric_exits = {
	.name = "exits",
	.help = "VM exits by reason",
	.metrics = metrics,
	.except = ATTACH_NO_VM,
	.priv_size = sizeof(struct exits),
	.begin = begin,
	.end = end,
	.finish = finish,
};
