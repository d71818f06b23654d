// SPDX-License-Identifier: GPL-2.0-only
/*
 * A rogue device: reads and writes by DMA where it has no business, each proven by comparing
 * memory. What was expected is checked: what the mode promises (mode_ops.reach), or what the
 * configuration says.
 */
#include <errno.h>
#include <string.h>

#include "bench/rogue/rogue.h"
#include "bench/workload.h"

static const char *const expectations[] = { "mode", "blocked", "passed", "window", "any", NULL };

#define EXPECTATION SETTING_CHOICE, "mode", expectations, 0, 0
static const struct setting settings_table[] = {
	{ "probes", SETTING_COUNT, "64", NULL, 1, ROGUE_PROBES,
	  "places all over the guest's memory that are read; with edu a tenth of a second each" },
	{ "window", SETTING_TIME, "30s", NULL, 0.1, 120,
	  "an unmapped page is tried for so long at most" },
	{ "guest", EXPECTATION,
	  "expected of guest memory that is not mapped; mode: what the mode "
	  "promises" },
	{ "unmapped", EXPECTATION,
	  "expected of a page that was mapped; window: reached for a time" },
	{ "host", EXPECTATION, "expected of the host's memory" },
	{ "other_vm", EXPECTATION, "expected of another VM's memory" },
	{ "other_group", EXPECTATION, "expected of a device in another IOMMU group" },
	{ 0 },
};

enum { PASSED, BLOCKED, FAULTS, STALE, CLOSED, REACHED, SHARES };
static const struct metric_desc metrics[] = {
	[PASSED] = { "isolation_passed", "count", DIRECTION_LOWER,
		     "targets without a mapping that the device reached at some time" },
	[BLOCKED] = { "isolation_blocked", "count", DIRECTION_HIGHER, "those it never reached" },
	[FAULTS] = { "isolation_faults", "count", DIRECTION_NONE,
		     "faults that the host's IOMMU reported of it (it drops repeated ones)" },
	[STALE] = { "isolation_stale_s", "s", DIRECTION_LOWER,
		    "longest time after its unmapping that a page was reached; tried for `window`" },
	[CLOSED] = { "isolation_closed_s", "s", DIRECTION_LOWER,
		     "shortest time after all these at which it was found out of reach" },
	[REACHED] = { "isolation_reached_bytes", "bytes", DIRECTION_LOWER,
		      "guest memory reached, by the share of the places that were read" },
	[SHARES + TARGET_MAPPED] = { "reached_mapped", "share", DIRECTION_NONE,
				     "tries that got through at a page that is mapped" },
	[SHARES + TARGET_BESIDE] = { "reached_beside", "share", DIRECTION_LOWER,
				     "tries at the page beside one that is mapped" },
	[SHARES + TARGET_FAR] = { "reached_far", "share", DIRECTION_LOWER,
				  "tries at guest memory far from what is mapped or pinned" },
	[SHARES + TARGET_GUEST] = { "reached_guest", "share", DIRECTION_LOWER,
				    "tries at places all over the guest's memory" },
	[SHARES + TARGET_UNMAPPED] = { "reached_unmapped", "share", DIRECTION_LOWER,
				       "tries at a page that was mapped" },
	[SHARES + TARGET_HOST] = { "reached_host", "share", DIRECTION_LOWER,
				   "tries at the host's memory" },
	[SHARES + TARGET_OTHER_VM] = { "reached_other_vm", "share", DIRECTION_LOWER,
				       "tries at another VM's memory" },
	[SHARES + TARGET_OTHER_GROUP] = { "reached_other_group", "share", DIRECTION_LOWER,
					  "tries at a device in another IOMMU group" },
	{ 0 },
};

/* What was expected where, by the setting of that name. */
static const struct {
	enum rogue_target target;
	enum rogue_aim aim;
	const char *setting;
} checks[] = {
	{ TARGET_BESIDE, ROGUE_UNMAPPED, "guest" },
	{ TARGET_FAR, ROGUE_UNMAPPED, "guest" },
	{ TARGET_GUEST, ROGUE_ANYWHERE, "guest" },
	{ TARGET_UNMAPPED, ROGUE_STALE, "unmapped" },
	{ TARGET_HOST, ROGUE_FOREIGN, "host" },
	{ TARGET_OTHER_VM, ROGUE_FOREIGN, "other_vm" },
	{ TARGET_OTHER_GROUP, ROGUE_FOREIGN, "other_group" },
};

static double estimate_s(const struct settings *settings)
{
	return 10 + settings_time(settings, "window") +
	       0.1 * (double)settings_count(settings, "probes");
}

/* --- what came of it --- */

static void add_samples(struct rogue *rogue)
{
	struct sample_set *samples = &rogue->run->samples;
	const struct rogue_tally *guest = &rogue->tallies[TARGET_GUEST];
	unsigned int passed = 0, blocked = 0;

	for (size_t i = 0; i < NR_TARGETS; i++) {
		const struct rogue_tally *tally = &rogue->tallies[i];

		if (!tally->tries)
			continue;
		sample_add(samples, &metrics[SHARES + i], (double)tally->passed / tally->tries);
		if (i == TARGET_MAPPED)
			continue;
		passed += tally->passed > 0;
		blocked += !tally->passed;
	}
	sample_add(samples, &metrics[PASSED], passed);
	sample_add(samples, &metrics[BLOCKED], blocked);
	sample_add(samples, &metrics[FAULTS], rogue->faults);
	sample_add(samples, &metrics[STALE], rogue->tallies[TARGET_UNMAPPED].open_s);
	if (rogue->tallies[TARGET_UNMAPPED].closed_s > 0)
		sample_add(samples, &metrics[CLOSED], rogue->tallies[TARGET_UNMAPPED].closed_s);
	sample_add(samples, &metrics[REACHED],
		   (double)guest->passed / guest->tries *
			   (double)rogue->run->boot->guest_config->memory_bytes);
}

static void check_expected(struct rogue *rogue)
{
	const struct cell *cell = rogue->run->cell;
	enum reach reach =
		cell->mode->reach ? cell->mode->reach(cell->mode_settings) : REACH_UNKNOWN;

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		const struct rogue_tally *tally = &rogue->tallies[checks[i].target];
		enum rogue_verdict verdict = rogue_verdict(tally);
		const char *missed = rogue_missed(
			verdict, settings_text(cell->workload_settings, checks[i].setting), reach,
			checks[i].aim);

		if (missed)
			cell_invalid(rogue->run,
				     "target %s: %s (%u of %u tries got through), expected: %s",
				     rogue_target_name(checks[i].target),
				     rogue_verdict_name(verdict), tally->passed, tally->tries,
				     missed);
	}
}

/* Tries that came to nothing because the device did nothing would look like isolation. */
static void check_proof(struct rogue *rogue)
{
	const struct rogue_tally *mapped = &rogue->tallies[TARGET_MAPPED];
	bool blocked = false;

	if (rogue_verdict(mapped) != ROGUE_PASSED)
		cell_invalid(rogue->run, "the device does not even reach the page that is mapped "
					 "for it: what else it does not reach proves nothing");
	for (size_t i = 0; i < NR_TARGETS; i++)
		blocked |= rogue->tallies[i].passed < rogue->tallies[i].tries;
	if (blocked && !rogue->faults)
		cell_invalid(rogue->run, "tries were blocked, but the host's IOMMU has reported no "
					 "fault: it was not the IOMMU that blocked them");
}

/* The tries, and why there were none. */
static int save(struct rogue *rogue)
{
	for (enum rogue_target i = 0; i < NR_TARGETS; i++)
		if (rogue->notes[i])
			strbuf_addf(&rogue->csv, "%s,,,\"not tried: %s\",0,0,0\n",
				    rogue_target_name(i), rogue->notes[i]);
	return cell_save(rogue->run, "attempts.csv", rogue->csv.data, rogue->csv.len);
}

static int try_all(struct rogue *rogue)
{
	const struct settings *settings = rogue->run->cell->workload_settings;
	int ret = rogue_try_targets(rogue);

	if (!ret)
		ret = rogue_try_stale(rogue, settings_time(settings, "window"));
	if (!ret)
		ret = rogue_try_sweep(rogue, (unsigned int)settings_count(settings, "probes"));
	return ret;
}

static int run_isolation(struct cell_run *run)
{
	struct rogue rogue;
	int ret = rogue_open(run, &rogue);

	if (!ret)
		ret = measure_begin(run);
	if (!ret)
		ret = try_all(&rogue);
	if (!ret)
		ret = measure_end(run);
	if (!ret)
		ret = save(&rogue);
	if (!ret) {
		add_samples(&rogue);
		check_proof(&rogue);
		check_expected(&rogue);
	}
	rogue_close(&rogue);
	return ret;
}

const struct workload_ops workload_isolation = {
	.name = "isolation",
	.help = "a rogue device reads and writes where it has no business: what gets through, and "
		"how long an unmapped page stays within reach",
	.needs = DEVICE_ROGUE,
	.except = ATTACH_VFIO_ONLY,
	.provokes_faults = true,
	.settings = settings_table,
	.metrics = metrics,
	.estimate_s = estimate_s,
	.run = run_isolation,
};
