// SPDX-License-Identifier: GPL-2.0-only
/*
 * The protocol with real threads, under ThreadSanitizer too: guest threads map, "do DMA" and
 * unmap pages that they share while the backend unpins, evicts and fails as often as it can.
 * A page in use must be mapped all the time, and at the end nothing may be left.
 */
#include <pthread.h>
#include <unistd.h>

#include "backend_internal.h"
#include "test_coiommu_fake.h"

#define PAGES 16384ULL
#define SHARED_PAGES 3000 /* three blocks */
#define GUESTS 4
#define SECONDS 2.0

static struct fake fake;
static struct coiommu_counters *counters;
static struct backend *backend;
static struct guest guest;
static bool stop;

struct guest_thread {
	pthread_t thread;
	struct backend_vcpu *vcpu;
	uint64_t request;
	uint32_t seed;
	uint64_t maps, refused, lost;
};

/* A device uses the pages: each must be mapped, at the start and at the end. */
static uint64_t dma(uint64_t pfn, uint32_t nr)
{
	uint64_t lost = 0;

	for (int again = 0; again < 2; again++) {
		for (uint32_t i = 0; i < nr; i++)
			lost += !fake_owner(&fake, 0, pfn + i);
	}
	return lost;
}

static void *guest_main(void *arg)
{
	struct guest_thread *t = arg;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		uint64_t pfn = fake_random(&t->seed) % SHARED_PAGES;
		uint32_t nr = 1 + fake_random(&t->seed) % (fake_random(&t->seed) % 8 ? 2 : 40);

		if (!guest_map(&guest, t->vcpu, t->request, pfn, nr)) {
			t->refused++;
			continue;
		}
		t->maps++;
		t->lost += dma(pfn, nr);
		guest_unmap(&guest, pfn, nr);
	}
	return NULL;
}

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void start(struct guest_thread *threads, const struct settings *settings)
{
	fake_init(&fake, PAGES);
	fake.real_clock = true;
	counters = calloc(1, sizeof(*counters));
	backend = backend_new(settings, &fake_sys, &fake, counters);
	backend_container(backend, FAKE_FD);
	assert_int_equal(
		backend_dma_map(backend, FAKE_FD, 0, (uintptr_t)fake.mem, PAGES * PAGE, RW), 0);
	guest = (struct guest){ &fake, backend, PAGES - 1, PAGES - 1 };
	for (uint32_t i = 0; i < GUESTS; i++)
		threads[i] = (struct guest_thread){ .vcpu = backend_vcpu_new(backend),
						    .request = guest_alloc(&guest),
						    .seed = i + 1 };
	assert_int_equal(
		guest_command(&guest, threads[0].vcpu, threads[0].request, COIOMMU_OP_ACTIVATE),
		COIOMMU_OK);
}

static uint64_t counts_left(void)
{
	uint64_t left = 0;

	for (uint64_t pfn = 0; pfn < SHARED_PAGES + 64; pfn++) {
		uint32_t unit = coiommu_unit_load(guest_unit(&guest, pfn));

		left += (unit & COIOMMU_UNIT_COUNT) != 0;
		left += (unit >> 31) != (fake_owner(&fake, 0, pfn) != 0);
	}
	return left;
}

static void stress(struct settings *settings, const char *name)
{
	struct guest_thread threads[GUESTS];
	uint64_t maps = 0, refused = 0, lost = 0;
	double end;

	start(threads, settings);
	stop = false;
	fake.fail_map = 1000;
	fake.fail_unmap = 1000;
	for (int i = 0; i < GUESTS; i++)
		pthread_create(&threads[i].thread, NULL, guest_main, &threads[i]);
	for (end = now_s() + SECONDS; now_s() < end;)
		usleep(20000);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < GUESTS; i++) {
		pthread_join(threads[i].thread, NULL);
		maps += threads[i].maps;
		refused += threads[i].refused;
		lost += threads[i].lost;
	}
	backend_lock(backend); /* against the unpinner */
	fake.fail_map = fake.fail_unmap = 0;
	printf("%s: %llu maps, %llu refused, %llu pins, %llu idle, %llu evicted, %llu cycles, "
	       "peak %llu pages, %llu lost\n",
	       name, (unsigned long long)maps, (unsigned long long)refused,
	       (unsigned long long)counters->policy.pins,
	       (unsigned long long)counters->policy.released_idle,
	       (unsigned long long)counters->policy.released_quota,
	       (unsigned long long)counters->policy.scan_cycles,
	       (unsigned long long)fake.mapped_peak, (unsigned long long)lost);
	assert_int_equal(counts_left(), 0);
	assert_true(maps > 1000);
	assert_true(counters->policy.unpins > 100);
	assert_true(counters->mapped_ns > 0); /* counted meanwhile */
	assert_true(counters->mapped_pages <= fake.mapped_peak);
	if (settings->policy.quota_pages)
		assert_true(fake.mapped_peak <= settings->policy.quota_pages);
	backend_unlock(backend);
	assert_int_equal(
		guest_command(&guest, threads[0].vcpu, threads[0].request, COIOMMU_OP_DEACTIVATE),
		COIOMMU_OK);
	assert_int_equal(fake.mapped[0], 0);
	assert_int_equal(counters->mapped_pages, 0);
	assert_int_equal(fake.mistakes, 0);
	if (settings->policy.break_release)
		assert_true(lost > 0);
	else
		assert_int_equal(lost, 0);
	backend_free(backend);
	for (int i = 0; i < GUESTS; i++)
		free(threads[i].vcpu);
	free(counters);
	fake_free(&fake);
}

static char *no_environment(const char *name)
{
	return NULL;
}

static void defaults(struct settings *s)
{
	char error[100];

	assert_int_equal(settings_read(s, no_environment, error, sizeof(error)), 0);
	s->policy.interval_ns = 100000; /* all the time */
}

static void test_unpinning(void **state)
{
	struct settings s;

	defaults(&s);
	stress(&s, "ranges");
	s.policy.range_pages = 1;
	stress(&s, "single pages");
}

static void test_quota(void **state)
{
	struct settings s;

	defaults(&s);
	s.policy.quota_pages = 256;
	stress(&s, "quota");
}

static void test_everything(void **state)
{
	struct settings s;

	defaults(&s);
	s.policy.unpin = POLICY_UNPIN_ADAPTIVE;
	s.policy.generations = 3;
	s.policy.speculate_pages = 32;
	s.policy.quota_pages = 1000;
	s.policy.limit_pages = 100;
	stress(&s, "everything");
}

/* The test can fail: with pages released in use, devices lose them. */
static void test_negative_control(void **state)
{
	struct settings s;

	defaults(&s);
	s.policy.break_release = true;
	stress(&s, "negative control");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unpinning),
		cmocka_unit_test(test_quota),
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_negative_control),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
