// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recording and replay against the backend itself: what the guest traced and the backend's log,
 * woven into a trace; its replay counts what the backend counted.
 */
#include <unistd.h>

#include "test_replay_guest.h"

#include "bench/record/weave.h"
#include "bench/replay/replay.h"
#include "trace_file.h"
static struct replay_totals totals;

/* ---- A life --------------------------------------------------------------------------- */

#define LISTS 48

static struct list lists[LISTS];
static struct weave_mark marks[3];
static uint64_t recorded_ns; /* that the guest waited until the last mark */

static void mark(enum trace_mark which)
{
	tick();
	marks[which] = (struct weave_mark){ which, fake.clock, { 0 } };
	coiommu_snapshot(counters, &marks[which].at);
	tick();
}

static void new_list(struct list *l)
{
	/* A small pool, as devices have, and now and then the rest of memory. */
	uint64_t pool = random_below(10) ? 1500 : PAGES - 100;

	l->entries = random_below(3) ? 1 : 1 + random_below(8);
	for (uint32_t i = 0; i < l->entries; i++) {
		l->pfn[i] = random_below((uint32_t)pool);
		l->nr[i] = random_below(4) ? 1 : 1 + random_below(80);
	}
}

static void step(void)
{
	struct list *l = &lists[random_below(LISTS)];

	tick();
	if (l->mapped) {
		put_list(l, GUEST_UNMAP);
		unmaps++;
		l->mapped = false;
	} else {
		new_list(l);
		/* It leaves pages accessed, of which the trace does not tell. */
		if (race && !random_below(50))
			map_half_list(l);
		else
			map_list(l);
	}
	tick();
	if (!random_below(4))
		backend_scan(backend);
}

static char *no_environment(const char *name)
{
	return NULL;
}

static void start(void (*change)(struct settings *s))
{
	char error[100];

	assert_int_equal(settings_read(&settings, no_environment, error, sizeof(error)), 0);
	settings.no_thread = settings.trace = true;
	settings.policy.interval_ns = 100000;
	change(&settings);
	fake_init(&fake, PAGES);
	fake.clock = 1000000000;
	counters = calloc(1, sizeof(*counters));
	backend = backend_new(&settings, &fake_sys, &fake, counters);
	vcpu = backend_vcpu_new(backend);
	guest = (struct guest){ &fake, backend, ROOT, ROOT };
	backend_container(backend, FAKE_FD);
	/* In two pieces, one of which is another container's as well. */
	backend_dma_map(backend, FAKE_FD, 0, (uintptr_t)fake.mem, 640 * PAGE, RW);
	backend_dma_map(backend, FAKE_FD, 640 * PAGE, (uintptr_t)fake.mem + 640 * PAGE,
			(PAGES - 640) * PAGE, RW);
	assert_int_equal(guest_command(&guest, vcpu, REQUEST, COIOMMU_OP_ACTIVATE), COIOMMU_OK);
	state_random = 2463534242;
	memset(lists, 0, sizeof(lists));
	ring = NULL;
	ring_len = 0;
	maps = unmaps = requests = refused = waited_ns = 0;
}

static void finish(void)
{
	assert_int_equal(fake.mistakes, 0);
	backend_free(backend);
	free(vcpu);
	free(counters);
	free(ring);
	fake_free(&fake);
}

/* Lives for so many steps, with the memory map changing half way. */
static void live(uint32_t steps)
{
	uint64_t lazy;

	for (uint32_t i = 0; i < steps; i++) {
		if (i == steps / 4) {
			say_stats(true);
			mark(TRACE_MARK_BEGIN);
		}
		if (i == steps / 2) {
			backend_dma_unmap(backend, FAKE_FD, 0, 640 * PAGE, &lazy);
			backend_dma_map(backend, FAKE_FD, 0, (uintptr_t)fake.mem, 640 * PAGE, RW);
		}
		if (i == steps * 3 / 4) {
			mark(TRACE_MARK_END);
			say_stats(false);
		}
		step();
	}
	say_stats(false);
	mark(TRACE_MARK_STOP);
	recorded_ns = waited_ns;
	for (uint32_t i = 0; i < 20; i++) /* after the end of the recording */
		step();
	end_page();
}

static int weave_life(int fd, const char **error)
{
	int log = coiommu_log_open(getpid()), ret;
	struct ftrace_cpu cpu = { .data = ring, .len = ring_len };
	struct weave_input in = {
		.host_fd = log, .cpus = &cpu, .nr_cpus = 1, .marks = marks, .nr_marks = 3
	};

	memcpy(in.formats, formats, sizeof(formats));
	assert_true(log >= 0);
	ret = weave(&in, fd, error);
	close(log);
	return ret;
}

static void replay(int fd, struct replay_policy *p)
{
	struct trace_reader r;
	const char *error;

	assert_int_equal(trace_reader_open(&r, fd), 0);
	if (replay_run(&r, &p, 1, &totals, &error))
		fail_msg("event %llu: %s", (unsigned long long)r.events, error);
	trace_reader_close(&r);
}

static uint64_t since(uint64_t end, uint64_t begin)
{
	return end - begin;
}

static void check(const struct replay_policy *p)
{
	const struct coiommu_policy_counters *b = &marks[TRACE_MARK_BEGIN].at.policy;
	const struct coiommu_policy_counters *e = &marks[TRACE_MARK_END].at.policy;

	if (p->check.different)
		fail_msg("%s", p->check.first);
	assert_true(p->check.compared > 80);
	assert_int_equal(p->window.n[COUNT_PINS], since(e->pins, b->pins));
	assert_int_equal(p->window.n[COUNT_UNPINS], since(e->unpins, b->unpins));
	assert_int_equal(p->window.n[COUNT_REFUSALS], since(e->refused_pages, b->refused_pages));
	assert_int_equal(p->window.n[COUNT_REQUESTS], since(marks[1].at.requests.pin_requests,
							    marks[0].at.requests.pin_requests));
	assert_int_equal(totals.requests, p->counts.n[COUNT_REQUESTS]);
	assert_int_equal(totals.request_ns, recorded_ns);
	assert_true(p->window.n[COUNT_PINS] > 100 && p->window.n[COUNT_UNPINS] > 100);
}

static void run(void (*change)(struct settings *s), uint32_t steps)
{
	struct replay_policy *p = replay_coiommu(NULL);
	const char *error = NULL;
	int fd = memfd_create("woven", MFD_CLOEXEC);

	make_formats();
	start(change);
	live(steps);
	if (weave_life(fd, &error))
		fail_msg("%s", error);
	replay(fd, p);
	check(p);
	if (race) {
		assert_true(p->raced > 0);
	} else {
		assert_int_equal(p->raced, 0);
		assert_int_equal(p->predicted_requests, p->counts.n[COUNT_REQUESTS]);
	}
	curve_free(&p->curve);
	p->ops->free(p);
	close(fd);
	finish();
}

static void plain(struct settings *s)
{
}

static void small_batches(struct settings *s)
{
	s->batch = 7;
	s->policy.limit_pages = 40;
	s->policy.generations = 3;
}

static void quota(struct settings *s)
{
	s->policy.quota_pages = 300;
	s->policy.speculate_pages = 8;
	s->policy.unpin = POLICY_UNPIN_ADAPTIVE;
}

static void single_pages(struct settings *s)
{
	s->policy.range_pages = 1;
	s->policy.max_mappings = 500;
}

static void test_equal(void **state)
{
	race = 0;
	run(plain, 4000);
	run(small_batches, 4000);
	run(quota, 4000);
	run(single_pages, 4000);
}

/* Scans while counts are being changed, at moments that the events' order does not tell. */
static void test_equal_with_races(void **state)
{
	race = 3;
	run(plain, 4000);
	run(small_batches, 4000);
	run(quota, 4000);
	run(single_pages, 4000);
	race = 0;
}

static void failing(struct settings *s)
{
	s->policy.quota_pages = 400;
}

/* VFIO calls that fail are part of the recording. */
static void live_failing(uint32_t steps)
{
	fake.fail_map = 13;
	fake.fail_unmap = 17;
	live(steps);
}

static void test_equal_with_failures(void **state)
{
	struct replay_policy *p = replay_coiommu(NULL);
	const char *error = NULL;
	int fd = memfd_create("woven", MFD_CLOEXEC);

	make_formats();
	start(failing);
	live_failing(4000);
	if (weave_life(fd, &error))
		fail_msg("%s", error);
	replay(fd, p);
	check(p);
	assert_true(counters->policy.map_errors > 10 && counters->policy.unmap_errors > 10);
	curve_free(&p->curve);
	p->ops->free(p);
	close(fd);
	fake.fail_map = fake.fail_unmap = 0;
	finish();
}

/* Other settings leave other counts, and the guest's own are the same. */
static void test_other_settings(void **state)
{
	struct policy_config config = policy_defaults;
	struct replay_policy *p;
	const char *error = NULL;
	int fd = memfd_create("woven", MFD_CLOEXEC);

	make_formats();
	start(plain);
	live(4000);
	assert_int_equal(weave_life(fd, &error), 0);
	config.unpin = POLICY_UNPIN_OFF;
	p = replay_coiommu(&config);
	replay(fd, p);
	assert_int_equal(p->counts.n[COUNT_PINS], p->curve.value + p->counts.n[COUNT_UNPINS]);
	assert_true(p->counts.n[COUNT_PINS] < marks[TRACE_MARK_STOP].at.policy.pins);
	assert_int_equal(p->check.compared, 0);
	curve_free(&p->curve);
	p->ops->free(p);
	close(fd);
	finish();
}

/* ---- What must not become a trace ----------------------------------------------------- */

static void expect_refused(const char *why)
{
	const char *error = NULL;
	int fd = memfd_create("woven", MFD_CLOEXEC);

	assert_int_equal(weave_life(fd, &error), -EBADMSG);
	assert_non_null(error);
	if (!strstr(error, why))
		fail_msg("'%s', not '%s'", error, why);
	close(fd);
}

static void test_incomplete(void **state)
{
	uint64_t commit, missed;
	size_t len;

	make_formats();
	start(plain);
	live(1000);
	len = ring_len;
	memcpy(&commit, ring + 8 + RING_PAGE, sizeof(commit));
	missed = commit | 1ULL << 31;
	memcpy(ring + 8 + RING_PAGE, &missed, sizeof(commit));
	expect_refused("overflowed");
	memcpy(ring + 8 + RING_PAGE, &commit, sizeof(commit));
	ring_len = len / 2 / RING_PAGE * RING_PAGE;
	expect_refused("not in the guest's trace");
	ring_len -= 100;
	expect_refused("cut short");
	ring_len = len;
	commit = 8192;
	memcpy(ring + 8, &commit, sizeof(commit));
	expect_refused("malformed");
	/* A page that is missing in the middle. */
	memmove(ring, ring + RING_PAGE, len - RING_PAGE);
	ring_len = len - RING_PAGE;
	expect_refused("");
	marks[TRACE_MARK_STOP].at.seq += 2000;
	expect_refused("");
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_equal_with_races),
		cmocka_unit_test(test_equal_with_failures),
		cmocka_unit_test(test_other_settings),
		cmocka_unit_test(test_incomplete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
