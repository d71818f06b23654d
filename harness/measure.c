// SPDX-License-Identifier: GPL-2.0-only
/* What a boot is measured with: its metric sources, and the window of each cell. */
#include "harness/measure.h"

#include <errno.h>
#include <string.h>

#include "bench/registry.h"
#include "harness/boot.h"
#include "harness/log.h"
#include "harness/placing.h"
#include "harness/util.h"

/* --- metric sources --- */

void measure_tick(void *arg)
{
	struct boot *boot = arg;

	for (size_t i = 0; i < boot->nr_sources; i++)
		if (boot->sources[i].ops->tick)
			boot->sources[i].ops->tick(boot, boot->sources[i].priv);
}

int measure_open(struct boot *boot)
{
	size_t nr = 0;

	while (registry_metrics[nr])
		nr++;
	boot->sources = xzalloc(nr * sizeof(*boot->sources));
	for (size_t i = 0; i < nr; i++) {
		const struct metric_ops *ops = registry_metrics[i];
		struct metric_source *source = &boot->sources[boot->nr_sources];
		autofree char *why = NULL;
		int ret;

		if (ops->except & ATTACH_BIT(boot->cell->mode->attach))
			continue;
		if (ops->probe && ops->probe(boot->host, &why)) {
			log_debug("metric source %s: %s", ops->name, why ? why : "not here");
			continue;
		}
		*source = (struct metric_source){ ops, xzalloc(ops->priv_size) };
		boot->nr_sources++;
		ret = ops->open ? ops->open(boot, source->priv) : 0;
		if (ret)
			return boot_fail(boot, ret, "cannot open metric source %s: %s", ops->name,
					 strerror(-ret));
	}
	return 0;
}

void measure_close(struct boot *boot)
{
	for (size_t i = 0; i < boot->nr_sources; i++) {
		const struct metric_ops *ops = boot->sources[i].ops;

		if (ops->close)
			ops->close(boot, boot->sources[i].priv);
		free(boot->sources[i].priv);
	}
	free(boot->sources);
	boot->sources = NULL;
	boot->nr_sources = 0;
}

int measure_created(struct boot *boot)
{
	int ret = 0;

	for (size_t i = 0; i < boot->nr_sources && !ret; i++)
		if (boot->sources[i].ops->created)
			ret = boot->sources[i].ops->created(boot, boot->sources[i].priv);
	return ret;
}

/*
 * Which of a source's per-cell callbacks to call. The window is bracketed: what begins last
 * ends first, so that the sources which reading disturbs most stand last in the registry.
 */
enum source_phase { SOURCE_BEGIN, SOURCE_END, SOURCE_FINISH };

static int sources_phase(struct cell_run *run, enum source_phase phase)
{
	struct boot *boot = run->boot;

	for (size_t i = 0; i < boot->nr_sources; i++) {
		size_t n = phase == SOURCE_BEGIN ? i : boot->nr_sources - 1 - i;
		const struct metric_ops *ops = boot->sources[n].ops;
		int (*const calls[])(struct cell_run *, void *) = { ops->begin, ops->end,
								    ops->finish };
		int ret = calls[phase] ? calls[phase](run, boot->sources[n].priv) : 0;

		if (ret)
			return boot_fail(boot, ret, "metric source %s: %s", ops->name,
					 strerror(-ret));
	}
	return 0;
}

/* --- the measured window --- */

/* They are there only once a driver, the guest's or the peer's, has switched them on. */
void measure_place_interrupts(struct boot *boot)
{
	placing_interrupts(boot->journal, host_device(boot->host, device_kind(boot->cell->device)),
			   boot->placement);
}

static int count_ops(struct cell_run *run, uint64_t *ops)
{
	const struct device_ops *device = run->cell->device;
	int ret;

	*ops = 0;
	if (!device->count_ops)
		return 0;
	ret = device->count_ops(run->boot, ops);
	if (ret)
		return boot_fail(run->boot, ret, "cannot read the %s's operations in the guest: %s",
				 device->name, strerror(-ret));
	return 0;
}

int measure_begin(struct cell_run *run)
{
	int ret;

	/* Once more: queues that the workload has opened since have brought interrupts. */
	measure_place_interrupts(run->boot);
	run->begin_ns = now_ns();
	ret = sources_phase(run, SOURCE_BEGIN);
	run->counted_s = -now_s();
	/* Next to the counters that it divides, as at the end. */
	return ret ? ret : count_ops(run, &run->ops);
}

int measure_end(struct cell_run *run)
{
	uint64_t ops;
	int ret = count_ops(run, &ops);

	run->end_ns = now_ns();
	run->counted_s += now_s();
	run->ops = run->device_ops = ops - run->ops;
	return ret ? ret : sources_phase(run, SOURCE_END);
}

int measure_finish(struct cell_run *run)
{
	return sources_phase(run, SOURCE_FINISH);
}

void measure_boot(struct cell_run *run)
{
	run->begin_ns = run->boot->vm->started_ns;
	run->end_ns = run->boot->vm->ready_ns;
}
