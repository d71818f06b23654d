// SPDX-License-Identifier: GPL-2.0-only
/* May the virtual lab have KVM? */
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "harness/lab.h"
#include "harness/log.h"
#include "harness/util.h"

/* A kernel that was set up otherwise meanwhile is noticed after so long. */
#define FAILED_S 3600

static bool cpu_can_nest(struct guest *guest)
{
	autofree char *cpuinfo = NULL;

	return !guest_read(guest, "/proc/cpuinfo", &cpuinfo) &&
	       (strstr(cpuinfo, " svm ") || strstr(cpuinfo, " vmx "));
}

static bool boots_guest(const char *build_dir)
{
	char dir[] = "/tmp/iommubench-probe-XXXXXX";
	struct vm_config config;
	struct vm *vm = NULL;
	bool works;

	if (!mkdtemp(dir) || vm_config_guest(build_dir, NULL, 256 * MIB, 1, &config))
		return false;
	works = !vm_start(&config, dir, &vm) && !vm_await_created(vm, 5) && !vm_run(vm) &&
		!vm_await_ready(vm, 10) && cpu_can_nest(vm->guest);
	vm_stop(vm, false);
	vm_config_free(&config);
	remove_all(dir);
	return works;
}

/* Which start of which machine this is. To free, NULL: unknown. */
static char *machine_start(void)
{
	return file_read_trimmed("/proc/sys/kernel/random/boot_id");
}

/* Has the probe failed not long ago, since this start of the machine? */
static bool failed_before(const char *note)
{
	autofree char *now = machine_start(), *then = file_read_trimmed(note);
	struct stat st;

	return now && then && !strcmp(now, then) && !stat(note, &st) && st.st_mtime <= time(NULL) &&
	       time(NULL) - st.st_mtime < FAILED_S;
}

bool lab_kvm_works(const char *build_dir)
{
	autofree char *note = xasprintf("%s/no-kvm", build_dir), *start = machine_start();

	if (access("/dev/kvm", R_OK | W_OK))
		return false;
	if (failed_before(note)) {
		log_info(
			"lab: /dev/kvm booted no guest within the last hour: emulating ('rm %s' to try "
			"again)",
			note);
		return false;
	}
	if (boots_guest(build_dir))
		return true;
	log_info("lab: /dev/kvm is there but boots no guest within 10 s: emulating");
	if (start && !wait_interrupted())
		file_write(note, start, true);
	return false;
}
