// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exhaustive check of the tracking-unit protocol. Every interleaving of a few threads is
 * explored: guests that map, do DMA and unmap, and a host that scans, evicts, pins and whose
 * VFIO calls may fail at any time. The accesses to units are those of coiommu_unit.h, step by
 * step. In every state reached: a page that a device uses is mapped, and a page whose unit
 * says "pinned" is mapped. At the end: no count is left, and pinned means mapped and the
 * other way round. Somebody can always go on. Broken variants show that errors are found.
 *
 * How: threads are plain functions which are run again from the start of their iteration,
 * fed with the results of the shared steps they made before, up to one new step. So a state
 * is the shared memory and these results, and can be copied.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/types.h>

static __u32 model_load(const __u32 *unit);
static __u32 model_cas(__u32 *unit, __u32 old, __u32 new);

#define COIOMMU_UNIT_PRIMITIVES
#define coiommu_unit_load(unit) model_load(unit)
#define coiommu_unit_cas(unit, old, new) model_cas(unit, old, new)
#include "coiommu_unit.h"

#define MAX_PAGES 2
#define MAX_THREADS 4
#define MAX_STEPS 48

enum broken {
	SOUND,
	TEST_BEFORE_COUNT, /* guest looks at pinned, then raises the count */
	UNMAP_BEFORE_SWAP, /* host unmaps, then tries to clear the bit */
	PIN_BIT_FIRST,	   /* host says "pinned" before the page is mapped */
	NO_LOCK,	   /* a release is not serialised with requests */
	NO_ROLLBACK,	   /* a partly released range is left partly released */
};

struct thread {
	uint8_t iteration;
	uint8_t nr;   /* results of this iteration's steps */
	uint8_t last; /* the kind of step that gave the newest result */
	uint32_t result[MAX_STEPS];
};

struct state {
	__u32 unit[MAX_PAGES];
	uint8_t mapped;		  /* the one VFIO mapping, of all pages */
	uint8_t record;		  /* the host's own idea of that */
	uint8_t lock;		  /* thread + 1 */
	uint8_t failures;	  /* of VFIO, so far */
	uint8_t dma[MAX_THREADS]; /* page + 1 */
	struct thread thread[MAX_THREADS];
};

struct config {
	enum broken broken;
	int pages, guests, guest_iterations, host_iterations, max_failures;
	int page_of[MAX_THREADS]; /* of the guests */
};

enum step { LOAD, CAS, LOCK, UNLOCK, MAP, UNMAP, RECORD, SET_RECORD, CHOICE, DMA_BEGIN, DMA_END };

static const struct config *config;
static struct state now;
static int self;	 /* the thread that moves */
static uint8_t replayed; /* results used up */
static bool stepped, chose, choice;
static jmp_buf out;
enum { RAN_ON = 1, BLOCKED };

/* ---- Shared steps ------------------------------------------------------------------- */

static uint32_t execute(enum step step, int page, uint32_t a, uint32_t b)
{
	uint32_t old;

	switch (step) {
	case LOAD:
		return now.unit[page];
	case CAS:
		old = now.unit[page];
		if (old == a)
			now.unit[page] = b;
		return old;
	case LOCK:
		if (now.lock)
			longjmp(out, BLOCKED);
		now.lock = (uint8_t)(self + 1);
		return 0;
	case UNLOCK:
		now.lock = 0;
		return 0;
	case MAP:
		now.mapped = 1;
		return 0;
	case UNMAP:
		now.mapped = 0;
		return 0;
	case RECORD:
		return now.record;
	case SET_RECORD:
		now.record = (uint8_t)a;
		return 0;
	case CHOICE: /* does VFIO fail? */
		chose = now.failures < config->max_failures;
		if (chose && choice)
			now.failures++;
		return chose && choice;
	case DMA_BEGIN:
		now.dma[self] = (uint8_t)(page + 1);
		return 0;
	case DMA_END:
		now.dma[self] = 0;
		return 0;
	}
	return 0;
}

/*
 * Histories that leave a thread in the same local state are made equal, to keep the number of
 * states down. The loops of coiommu_unit.h load and then swap: a swap that failed is as good
 * as a load of what it found, and after one that succeeded (or a load without a swap) only
 * flags and "is there a count" can matter.
 */
static void forget_details(struct thread *t, enum step step, uint32_t a, uint32_t b)
{
	bool release = a == COIOMMU_UNIT_PINNED && !b;
	uint32_t *r = &t->result[t->nr];
	int from = 0, to = 0;

	if (step == CAS && !release && r[-1] != a) {
		r[-2] = r[-1];
		t->nr--;
		t->last = LOAD;
		replayed--;
		return;
	}
	if (step == CAS && !release)
		from = -2;
	else if (t->last == LOAD && t->nr > 1 && step != CAS)
		from = -2, to = -1;
	for (int i = from; i < to; i++) {
		if (r[i] & COIOMMU_UNIT_COUNT)
			r[i] = (r[i] & ~COIOMMU_UNIT_COUNT) | 1;
	}
	t->last = (uint8_t)step;
}

static uint32_t shared(enum step step, int page, uint32_t a, uint32_t b)
{
	struct thread *t = &now.thread[self];
	uint32_t result;

	if (replayed < t->nr)
		return t->result[replayed++];
	if (stepped)
		longjmp(out, RAN_ON);
	assert_true(t->nr < MAX_STEPS);
	result = execute(step, page, a, b);
	t->result[t->nr++] = result;
	replayed++;
	stepped = true;
	forget_details(t, step, a, b);
	return result;
}

static __u32 model_load(const __u32 *unit)
{
	return shared(LOAD, (int)(unit - now.unit), 0, 0);
}

static __u32 model_cas(__u32 *unit, __u32 old, __u32 new)
{
	return shared(CAS, (int)(unit - now.unit), old, new);
}

static bool fails(void)
{
	return shared(CHOICE, 0, 0, 0);
}

static void lock(void)
{
	shared(LOCK, 0, 0, 0);
}

static void unlock(void)
{
	shared(UNLOCK, 0, 0, 0);
}

/* ---- Host, as in policy.c and policy_pin.c --------------------------------------------- */

static void set_all_pinned(void)
{
	for (int i = 0; i < config->pages; i++)
		coiommu_unit_set_pinned(&now.unit[i]);
}

static void host_pin(int page)
{
	if (config->broken != NO_LOCK)
		lock();
	if (shared(RECORD, 0, 0, 0)) {
		coiommu_unit_set_pinned(&now.unit[page]);
	} else if (!fails()) {
		if (config->broken == PIN_BIT_FIRST)
			set_all_pinned();
		shared(MAP, 0, 0, 0);
		shared(SET_RECORD, 0, 1, 0);
		set_all_pinned();
	}
	if (config->broken != NO_LOCK)
		unlock();
}

static void host_release(void)
{
	int done = 0;

	if (config->broken == UNMAP_BEFORE_SWAP)
		shared(UNMAP, 0, 0, 0);
	while (done < config->pages && coiommu_unit_release(&now.unit[done]))
		done++;
	if (done == config->pages && !fails()) {
		if (config->broken != UNMAP_BEFORE_SWAP)
			shared(UNMAP, 0, 0, 0);
		shared(SET_RECORD, 0, 0, 0);
		return;
	}
	if (config->broken == UNMAP_BEFORE_SWAP)
		shared(MAP, 0, 0, 0);
	while (config->broken != NO_ROLLBACK && done > 0)
		coiommu_unit_set_pinned(&now.unit[--done]);
}

/* Odd turns evict: pages that were accessed but have no count go as well. */
static void host_turn(int iteration)
{
	__u32 seen = 0;

	if (config->broken != NO_LOCK)
		lock();
	if (shared(RECORD, 0, 0, 0)) {
		for (int i = 0; i < config->pages; i++)
			seen |= coiommu_unit_load(&now.unit[i]);
		if (!(seen & COIOMMU_UNIT_COUNT)) {
			for (int i = 0; seen & COIOMMU_UNIT_ACCESSED && i < config->pages; i++)
				coiommu_unit_clear_accessed(&now.unit[i]);
			if (!(seen & COIOMMU_UNIT_ACCESSED) || iteration % 2)
				host_release();
		}
	}
	if (config->broken != NO_LOCK)
		unlock();
}

/* ---- Guest, as in coiommu_track.c -------------------------------------------------------- */

static void guest_turn(int page)
{
	__u32 *unit = &now.unit[page];
	__u32 old;

	if (config->broken == TEST_BEFORE_COUNT) {
		old = coiommu_unit_load(unit);
		coiommu_unit_get(unit);
	} else {
		old = coiommu_unit_get(unit);
	}
	if (!(old & COIOMMU_UNIT_PINNED)) {
		host_pin(page);
		if (!(coiommu_unit_load(unit) & COIOMMU_UNIT_PINNED)) {
			coiommu_unit_put(unit); /* refused */
			return;
		}
	}
	shared(DMA_BEGIN, page, 0, 0);
	shared(DMA_END, page, 0, 0);
	coiommu_unit_put(unit);
}

/* ---- Exploration ---------------------------------------------------------------------- */

#define TABLE_BITS 24
static uint64_t *visited; /* hashes; 0 is empty */
static uint64_t nr_states;

static uint64_t hash(const void *data, size_t len, uint64_t h)
{
	const uint8_t *p = data;

	while (len--)
		h = (h ^ *p++) * 0x100000001b3ULL;
	return h ^ h >> 29;
}

static bool seen_before(void)
{
	uint64_t h = hash(&now, offsetof(struct state, thread), 0xcbf29ce484222325ULL);
	uint64_t at;

	for (int i = 0; i <= config->guests; i++) {
		const struct thread *t = &now.thread[i];

		h = hash(t, offsetof(struct thread, result), h);
		h = hash(t->result, t->nr * sizeof(t->result[0]), h);
	}
	h |= 1;
	for (at = h >> (64 - TABLE_BITS); visited[at]; at = (at + 1) & ((1 << TABLE_BITS) - 1)) {
		if (visited[at] == h)
			return true;
	}
	visited[at] = h;
	nr_states++;
	assert_true(nr_states < 1ULL << TABLE_BITS);
	return false;
}

static bool done(int thread)
{
	return now.thread[thread].iteration ==
	       (thread < config->guests ? config->guest_iterations : config->host_iterations);
}

static const char *wrong_state(void)
{
	for (int i = 0; i < config->guests; i++) {
		if (now.dma[i] && !now.mapped)
			return "DMA to an unmapped page";
	}
	for (int i = 0; i < config->pages; i++) {
		if ((now.unit[i] & COIOMMU_UNIT_PINNED) && !now.mapped)
			return "pinned but not mapped";
	}
	return NULL;
}

static const char *wrong_end(void)
{
	if (now.record != now.mapped)
		return "the host's record is wrong";
	for (int i = 0; i < config->pages; i++) {
		if (now.unit[i] & COIOMMU_UNIT_COUNT)
			return "a count is left";
		if (now.mapped && !(now.unit[i] & COIOMMU_UNIT_PINNED))
			return "mapped but not pinned: a leaked pin";
	}
	return NULL;
}

/* One step of a thread; false if it cannot make one. */
static bool step(int thread, bool with_choice)
{
	struct thread *t = &now.thread[thread];
	int why;

	self = thread;
	choice = with_choice;
	replayed = 0;
	stepped = chose = false;
	why = setjmp(out);
	if (!why) {
		if (thread < config->guests)
			guest_turn(config->page_of[thread]);
		else
			host_turn(t->iteration);
		t->iteration++;
		t->nr = t->last = 0;
		memset(t->result, 0, sizeof(t->result));
	}
	return why != BLOCKED;
}

static const char *explore(void)
{
	const struct state here = now;
	bool moved = false, all_done = true;
	const char *wrong = wrong_state();

	if (wrong || seen_before())
		return wrong;
	for (int i = 0; i <= config->guests; i++) {
		if (done(i))
			continue;
		all_done = false;
		for (int with_choice = 0; with_choice < 2; with_choice++) {
			now = here;
			if (!step(i, with_choice))
				break;
			moved = true;
			bool both = chose;

			wrong = explore();
			if (wrong)
				return wrong;
			if (!both)
				break;
		}
	}
	now = here;
	if (all_done)
		return wrong_end();
	return moved ? NULL : "deadlock";
}

static const char *check(const struct config *c)
{
	const char *wrong;

	config = c;
	memset(&now, 0, sizeof(now));
	nr_states = 0;
	visited = calloc(1 << TABLE_BITS, sizeof(*visited));
	assert_non_null(visited);
	wrong = explore();
	free(visited);
	printf("%d pages, %d guests x %d, host x %d, variant %d: %llu states, %s\n", c->pages,
	       c->guests, c->guest_iterations, c->host_iterations, (int)c->broken,
	       (unsigned long long)nr_states, wrong ? wrong : "sound");
	return wrong;
}

/* ---- Tests ---------------------------------------------------------------------------- */

static void test_one_page(void **state)
{
	static const struct config c = { .pages = 1,
					 .guests = 2,
					 .guest_iterations = 2,
					 .host_iterations = 4,
					 .max_failures = 1 };

	assert_null(check(&c));
}

static void test_three_guests(void **state)
{
	static const struct config c = { .pages = 1,
					 .guests = 3,
					 .guest_iterations = 1,
					 .host_iterations = 3,
					 .max_failures = 1 };

	assert_null(check(&c));
}

static void test_range(void **state)
{
	static const struct config c = { .pages = 2,
					 .guests = 2,
					 .guest_iterations = 2,
					 .host_iterations = 3,
					 .max_failures = 1,
					 .page_of = { 0, 1 } };

	assert_null(check(&c));
}

static void test_failures(void **state)
{
	static const struct config c = { .pages = 2,
					 .guests = 1,
					 .guest_iterations = 3,
					 .host_iterations = 4,
					 .max_failures = 3 };

	assert_null(check(&c));
}

static void test_errors_are_found(void **state)
{
	for (int broken = TEST_BEFORE_COUNT; broken <= NO_ROLLBACK; broken++) {
		const struct config c = { .broken = (enum broken)broken,
					  .pages = 2,
					  .guests = 2,
					  .guest_iterations = 2,
					  .host_iterations = 3,
					  .page_of = { 0, 1 } };

		assert_non_null(check(&c));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_page),
		cmocka_unit_test(test_three_guests),
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_errors_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
