// SPDX-License-Identifier: GPL-2.0-only
/* Which CPUs what runs on: each vCPU alone on its own, everything else elsewhere. */
#include "harness/placement.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "harness/log.h"
#include "harness/vm.h"

void placement_leave(unsigned int first, unsigned int nr)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return;
	for (unsigned int i = 0; i < nr; i++)
		CPU_CLR(first + i, &set);
	if (!CPU_COUNT(&set) || sched_setaffinity(0, sizeof(set), &set))
		log_warn("vCPUs cannot have CPUs of their own: too few CPUs here");
}

bool placement_fits(unsigned int first, unsigned int nr)
{
	return first + nr <= (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
}

static int pin_thread(pid_t tid, unsigned int cpu)
{
	cpu_set_t set;

	if (!placement_fits(cpu, 1))
		return -ERANGE;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(tid, sizeof(set), &set) ? -errno : 0;
}

int placement_pin_vcpus(struct vm *vm, unsigned int first)
{
	json_t *vcpus = NULL, *vcpu;
	size_t i;
	int ret = qmp_command(vm->qmp, "query-cpus-fast", NULL, 10, &vcpus);

	json_array_foreach(vcpus, i, vcpu) {
		json_t *tid = json_object_get(vcpu, "thread-id");

		if (!ret)
			ret = pin_thread((pid_t)json_integer_value(tid), first + (unsigned int)i);
	}
	json_decref(vcpus);
	return ret;
}
