// SPDX-License-Identifier: GPL-2.0-only
/* Reading what the guest's modules and the backend say, without a VM. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/coiommu.h"

static void values_by_name(void **state)
{
	static const char text[] = "maps 20\nrequests 3\nmapped_pages -1\nhist device map 16 2\n";
	double value;

	assert_int_equal(coiommu_stat(text, "maps", &value), 0);
	assert_float_equal(value, 20, 0);
	assert_int_equal(coiommu_stat(text, "mapped_pages", &value), 0);
	assert_float_equal(value, -1, 0);
	assert_int_equal(coiommu_stat(text, "map", &value), -ENOENT);
	assert_int_equal(coiommu_stat(text, "equests", &value), -ENOENT);
	assert_int_equal(coiommu_stat("", "maps", &value), -ENOENT);
}

/* A process with a memfd like that of the backend: this one. */
static struct coiommu_counters *make_counters(int *fd)
{
	struct coiommu_counters *counters;

	*fd = memfd_create(COIOMMU_COUNTERS_MEMFD, MFD_CLOEXEC);
	assert_true(*fd >= 0);
	assert_int_equal(ftruncate(*fd, sizeof(*counters)), 0);
	counters = mmap(NULL, sizeof(*counters), PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	assert_true(counters != MAP_FAILED);
	counters->magic = COIOMMU_COUNTERS_MAGIC;
	counters->version = COIOMMU_COUNTERS_VERSION;
	return counters;
}

static void counters_of_a_process(void **state)
{
	int fd;
	struct coiommu_counters *counters = make_counters(&fd);
	const struct coiommu_counters *seen = coiommu_counters_map(getpid());
	struct coiommu_requests sum;

	assert_non_null(seen);
	counters->vcpu[0].pin_requests = 2;
	counters->vcpu[COIOMMU_COUNTERS_VCPUS - 1].pin_requests = 3;
	coiommu_requests(seen, &sum);
	assert_int_equal(sum.pin_requests, 5);
	coiommu_counters_unmap(seen);

	counters->version++;
	assert_null(coiommu_counters_map(getpid()));
	assert_int_equal(errno, EBADMSG);
	munmap(counters, sizeof(*counters));
	close(fd);
}

static void no_counters(void **state)
{
	assert_null(coiommu_counters_map(getpid()));
	assert_int_equal(errno, ENOENT);
	coiommu_counters_unmap(NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_by_name),
		cmocka_unit_test(no_counters),
		cmocka_unit_test(counters_of_a_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
