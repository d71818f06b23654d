// SPDX-License-Identifier: GPL-2.0-only
/*
 * coIOMMU: the guest's driver tracks what it maps for DMA in a table shared with the host, and
 * the backend in QEMU's process pins just that (drivers/).
 */
#include <errno.h>
#include <string.h>

#include "bench/coiommu.h"
#include "bench/mode.h"
#include "bench/modes/coiommu.h"
#include "bench/modes/proof.h"
#include "bench/record/recording.h"
#include "harness/boot.h"
#include "harness/proc.h"
#include "harness/util.h"

static const char *const unpin_choices[] = { "off", "lru", "adaptive", NULL };
static const char *const before_choices[] = { "refuse", "static", NULL };

static const struct setting settings_table[] = {
	{ "unpin", SETTING_CHOICE, "lru", unpin_choices, 0, 0,
	  "release idle pages: never, after a fixed interval, or one that adapts" },
	{ "interval", SETTING_TIME, "10s", NULL, 0.001, 86400,
	  "an idle page is released after one to two of these" },
	{ "limit", SETTING_COUNT, "0", NULL, 0, 4294967295.0,
	  "pages released in an interval at most; 0: no limit" },
	{ "generations", SETTING_COUNT, "0", NULL, 0, 255,
	  "a page busy for so many intervals is looked at only every so many; 0: off" },
	{ "quota", SETTING_SIZE, "0", NULL, 0, 1e15, "pinned at most; 0: no quota" },
	{ "range", SETTING_COUNT, "16", NULL, 1, 1024,
	  "pages in one VFIO mapping at most, a power of two" },
	{ "speculate", SETTING_COUNT, "0", NULL, 0, 1024,
	  "neighbourhood pinned unasked at most, in pages, a power of two; 0: off" },
	{ "before", SETTING_CHOICE, "refuse", before_choices, 0, 0,
	  "DMA before the guest's driver is loaded: refused, or all memory pinned" },
	{ "trace", SETTING_BOOL, "no", NULL, 0, 0,
	  "record all mappings as trace.coit, for iommubench replay" },
	{ "trace_buffer", SETTING_SIZE, "16MiB", NULL, 65536, 1e12,
	  "guest memory that holds a boot's trace, about 60 bytes a mapping" },
	{ 0 },
};

/* Pages are pinned in small mappings, more of them than VFIO allows by default. */
const struct host_write coiommu_host_writes[] = {
	{ "/sys/module/vfio_iommu_type1/parameters/dma_entry_limit", "4194304" },
	{ 0 },
};

static bool power_of_two(uint64_t n)
{
	return !(n & (n - 1));
}

static int validate(const struct settings *settings, char **why)
{
	uint64_t quota = settings_size(settings, "quota");

	if (!power_of_two(settings_count(settings, "range")))
		*why = xstrdup("range must be a power of two");
	else if (!power_of_two(settings_count(settings, "speculate")))
		*why = xstrdup("speculate must be a power of two, or 0");
	else if (quota && quota < MIB)
		*why = xstrdup("a quota below 1MiB leaves no room for a device's queues");
	else
		return 0;
	return -EINVAL;
}

void coiommu_preload(struct vm_config *vm)
{
	strlist_addf(&vm->env, "LD_PRELOAD=%s", vm->backend);
	strlist_add(&vm->env, "COIOMMU_STRICT=1");
}

static void configure(const struct settings *settings, struct vm_config *vm)
{
	static const struct {
		const char *setting, *variable;
	} as_written[] = { { "unpin", "UNPIN" }, { "before", "BEFORE" } },
	  counts[] = { { "limit", "LIMIT" },
		       { "generations", "GENERATIONS" },
		       { "range", "RANGE" },
		       { "speculate", "SPECULATE" } };

	coiommu_preload(vm);
	if (settings_bool(settings, "trace"))
		strlist_add(&vm->env, "COIOMMU_TRACE=1");
	strlist_addf(&vm->env, "COIOMMU_INTERVAL_MS=%.0f",
		     settings_time(settings, "interval") * 1e3);
	strlist_addf(&vm->env, "COIOMMU_QUOTA=%llu",
		     (unsigned long long)settings_size(settings, "quota"));
	for (size_t i = 0; i < ARRAY_SIZE(as_written); i++)
		strlist_addf(&vm->env, "COIOMMU_%s=%s", as_written[i].variable,
			     settings_text(settings, as_written[i].setting));
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		strlist_addf(&vm->env, "COIOMMU_%s=%llu", counts[i].variable,
			     (unsigned long long)settings_count(settings, counts[i].setting));
}

int coiommu_guest_setup(struct boot *boot, const struct settings *settings)
{
	char *const argv[] = { (char *)"modprobe", (char *)"coiommu", NULL };

	return guest_run(boot->vm->guest, argv, 30, NULL);
}

static int guest_setup(struct boot *boot, const struct settings *settings)
{
	int ret = coiommu_guest_setup(boot, settings);

	if (!ret && settings_bool(settings, "trace"))
		ret = recording_start(boot, settings_size(settings, "trace_buffer"));
	return ret;
}

/* Guest: its driver tracks the device under test and has asked for pages. */
static int prove_guest(struct boot *boot, json_t *proof)
{
	autofree char *devices = NULL, *stats = NULL;
	double requests = 0;
	int ret = guest_read(boot->vm->guest, COIOMMU_DEBUGFS "/devices", &devices);

	if (!ret)
		ret = guest_read(boot->vm->guest, COIOMMU_DEBUGFS "/stats", &stats);
	if (ret)
		return boot_fail(boot, -EPROTO, "cannot read " COIOMMU_DEBUGFS " in the guest: %s",
				 strerror(-ret));
	coiommu_stat(stats, "requests", &requests);
	json_object_set_new(proof, "guest." COIOMMU_DEBUGFS "/devices", json_string(devices));
	json_object_set_new(proof, "guest.requests", json_integer((json_int_t)requests));
	if (!strstr(devices, BOOT_DEVICE_BDF " bound tracked"))
		return boot_fail(boot, -EPROTO, "the guest's driver does not track the device");
	if (requests < 1)
		return boot_fail(boot, -EPROTO, "the guest's driver has asked for no page");
	return 0;
}

/* VFIO holds what the backend pinned, but for the firmware's read-only memory. */
static bool pins_agree(struct boot *boot, const struct coiommu_counters *counters,
		       unsigned long long *pinned, unsigned long long *locked)
{
	for (int i = 0; i < 10; i++) {
		*locked = proc_locked_bytes(boot->vm->proc.pid);
		*pinned =
			counters->policy.pinned_pages * COIOMMU_PAGE_SIZE + counters->static_bytes;
		if (*pinned && *locked >= *pinned && *locked <= *pinned + MIB)
			return true;
		/* A page may have been pinned or unpinned in between. */
		if (wait_seconds(&boot->vm->waiter, 0.1))
			break;
	}
	return false;
}

/* Host: the backend works with the guest's table, and nothing else is pinned. */
static int prove_host(struct boot *boot, json_t *proof)
{
	const struct coiommu_counters *counters = coiommu_counters_map(boot->vm->proc.pid);
	unsigned long long locked = 0, pinned = 0;
	unsigned int state;
	bool agree;

	if (!counters)
		return boot_fail(boot, -EPROTO, "QEMU has no coIOMMU backend: %s", strerror(errno));
	state = counters->state;
	agree = pins_agree(boot, counters, &pinned, &locked);
	coiommu_counters_unmap(counters);
	json_object_set_new(proof, "host.backend_state", json_integer(state));
	json_object_set_new(proof, "host.backend_pinned_bytes", json_integer((json_int_t)pinned));
	json_object_set_new(proof, "host.pinned_bytes", json_integer((json_int_t)locked));
	if (state != COIOMMU_STATE_ACTIVE)
		return boot_fail(boot, -EPROTO, "the backend is not active: state %u", state);
	if (!agree)
		return boot_fail(boot, -EPROTO, "the backend says it pinned %s, VFIO accounts %s",
				 human_bytes((double)pinned), human_bytes((double)locked));
	return 0;
}

int coiommu_prove_tracking(struct boot *boot, json_t *proof)
{
	int ret = prove_guest(boot, proof);

	return ret ? ret : prove_host(boot, proof);
}

static int prove(struct boot *boot, const struct settings *settings, json_t *proof)
{
	int ret = proof_no_guest_iommu(boot, proof);

	return ret ? ret : coiommu_prove_tracking(boot, proof);
}

const struct mode_ops mode_coiommu = {
	.name = "coiommu",
	.help = "the guest tracks its DMA mappings, the host pins what is mapped, and lazily unpins",
	.settings = settings_table,
	.tracks = true,
	.host_writes = coiommu_host_writes,
	.validate = validate,
	.configure = configure,
	.guest_setup = guest_setup,
	.prove = prove,
};
