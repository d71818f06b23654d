// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzing of what a guest can reach of the coIOMMU backend (libFuzzer). An input is a program
 * of small actions: the guest writes to its memory, rings the doorbell, accesses the ports,
 * and changes its request while the host works on it; the VMM adds and removes memory and
 * resets. Pages that are not guest memory cannot be accessed and ROM cannot be written, so
 * that a stray access is a crash. After each input what is mapped must be what the policy
 * believes to be pinned, and within its limits.
 */
#include "backend_internal.h"
#include "fuzz_check.h"
#include "test_coiommu_fake.h"

#define PAGES (4ULL * COIOMMU_LEAF_UNITS)
#define GUARD_PAGES 1024ULL
#define ROOT 300ULL
#define LEAVES 301ULL /* one a block */
#define REQUEST 310ULL
#define MAX_ACTIONS 48

enum { LOW, ROM, MIDDLE, HIGH, REGIONS };

/* As of a small machine; between and behind them there is nothing. */
static const struct region {
	uint64_t pfn, nr;
	bool writable;
} regions[REGIONS] = {
	[LOW] = { 0, 0xa0, true },
	[ROM] = { 0xc0, 0x10, false },
	[MIDDLE] = { 0xd0, 2500 - 0xd0, true },
	[HIGH] = { 3000, 1000, true },
};

enum flags {
	TWO_CONTAINERS = 1 << 0,
	STATIC_BEFORE = 1 << 1,
	RACING = 1 << 2, /* the request page changes while it is served */
	FAIL_MAP = 1 << 3,
	FAIL_UNMAP = 1 << 4,
	NO_TABLE = 1 << 5,
	ADAPTIVE = 1 << 6,
	GENERATIONS = 1 << 7,
};

enum action {
	WRITE,
	REQUEST_PIN,
	REQUEST_ANY,
	RING,
	PORT,
	ENTRY,
	UNITS,
	SCAN,
	REGION,
	RESET,
	NR_ACTIONS
};

struct input {
	const uint8_t *at, *end;
};

static struct fake fake;
static struct settings settings;
static struct coiommu_counters counters;
static struct backend *backend;
static struct backend_vcpu *vcpu;
static enum flags flags;
static uint8_t present[REGIONS]; /* bit per container */
static uint64_t calm_calls;	 /* of the clock, before the request changes */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- Input: after its end there are zeros ------------------------------------------------ */

static uint64_t take(struct input *in, int bytes)
{
	uint64_t value = 0;

	for (int i = 0; i < bytes && in->at < in->end; i++)
		value |= (uint64_t)*in->at++ << (8 * i);
	return value;
}

/* A frame number: mostly of guest memory, often at an edge, sometimes anything. */
static uint64_t take_frame(struct input *in)
{
	uint64_t value = take(in, 2);
	const struct region *r = &regions[value % REGIONS];

	if (value < 0xc000)
		return value % PAGES;
	if (value < 0xe000)
		return r->pfn + (value >> 2) % 4 - 2;
	if (value < 0xf800)
		return r->pfn + r->nr + (value >> 2) % 4 - 2;
	return take(in, 8);
}

/* ---- Guest memory ------------------------------------------------------------------------ */

static const struct region *region_of(uint64_t pfn)
{
	for (int i = 0; i < REGIONS; i++) {
		if (pfn >= regions[i].pfn && pfn - regions[i].pfn < regions[i].nr)
			return &regions[i];
	}
	return NULL;
}

static bool can_write(uint64_t pfn)
{
	const struct region *r = region_of(pfn);

	return r && r->writable && present[r - regions];
}

/* The page that an action writes to, or NULL. */
static void *take_page(struct input *in)
{
	uint64_t pfn = take_frame(in);

	return can_write(pfn) ? guest_page(&fake, pfn) : NULL;
}

static void protect(int i)
{
	int access = regions[i].writable ? PROT_READ | PROT_WRITE : PROT_READ;

	CHECK(!mprotect(guest_page(&fake, regions[i].pfn), regions[i].nr * PAGE,
			present[i] ? access : PROT_NONE));
}

static void memory_new(void)
{
	uint8_t *all = mmap(NULL, (PAGES + 2 * GUARD_PAGES) * PAGE, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	CHECK(all != MAP_FAILED);
	fake.mem = all + GUARD_PAGES * PAGE;
	fake.pages = PAGES;
	CHECK(!madvise(fake.mem, PAGES * PAGE, MADV_NOHUGEPAGE));
	for (int i = 0; i < FAKE_CONTAINERS; i++) {
		fake.owner[i] = calloc(PAGES, sizeof(uint32_t));
		CHECK(fake.owner[i]);
	}
}

static void memory_clear(void)
{
	CHECK(!madvise(fake.mem, PAGES * PAGE, MADV_DONTNEED));
	for (int i = 0; i < FAKE_CONTAINERS; i++) {
		memset(fake.owner[i], 0, PAGES * sizeof(uint32_t));
		fake.mapped[i] = 0;
	}
	fake.mappings = 0;
	fake.mistakes = 0;
	fake.fail_map = flags & FAIL_MAP ? 7 : 0;
	fake.fail_unmap = flags & FAIL_UNMAP ? 7 : 0;
	fake.clock = 0;
	fake.random = 12345;
}

/* ---- The host's system calls ------------------------------------------------------------- */

/* Pages of lazy memory that the container has mapped; without a table all may be mapped. */
static uint64_t lazy_mapped(int container)
{
	return fake.mapped[container] - (present[ROM] >> container & 1 ? regions[ROM].nr : 0);
}

/* Only what the VMM gave to this container, whole, with its rights, and within the limits. */
static int checked_map(void *ctx, int fd, uint64_t iova, uint64_t vaddr, uint64_t size,
		       uint32_t access)
{
	const struct region *r = region_of(iova / PAGE);
	int c = fd - FAKE_FD, err;

	CHECK(r && (present[r - regions] >> c & 1) && !(iova % PAGE) && !(size % PAGE));
	CHECK(size / PAGE <= r->pfn + r->nr - iova / PAGE);
	CHECK(access == (r->writable ? RW : 1));
	err = fake_dma_map(ctx, fd, iova, vaddr, size, access);
	if (settings.policy.quota_pages && r->writable && !(flags & (STATIC_BEFORE | FAIL_UNMAP)))
		CHECK(lazy_mapped(c) <= settings.policy.quota_pages);
	return err;
}

/* Called all over while a request is served: the moment for a guest to change it. */
static uint64_t racing_now_ns(void *ctx)
{
	struct coiommu_request *r = guest_page(&fake, REQUEST);
	uint32_t value = fake_random(&fake.random);

	if (calm_calls)
		calm_calls--;
	else if ((flags & RACING) && can_write(REQUEST) && value % 4 == 0)
		r->op = value >> 8;
	else if ((flags & RACING) && can_write(REQUEST) && value % 4 == 1)
		r->nr = value >> 8;
	else if ((flags & RACING) && can_write(REQUEST))
		r->entry[(value >> 2) % COIOMMU_REQUEST_ENTRIES] = ~0ULL << value % 64;
	return fake_now_ns(ctx);
}

static const struct backend_sys sys = {
	.dma_map = checked_map,
	.dma_unmap = fake_dma_unmap,
	.now_ns = racing_now_ns,
	.is_ram = fake_is_ram,
};

/* ---- The VMM ------------------------------------------------------------------------------ */

static void region_add(int i, int c)
{
	const struct region *r = &regions[i];
	uint8_t before = present[i];

	present[i] |= (uint8_t)(1U << c);
	protect(i);
	if (backend_dma_map(backend, FAKE_FD + c, r->pfn * PAGE,
			    (uintptr_t)guest_page(&fake, r->pfn), r->nr * PAGE,
			    r->writable ? RW : 1)) {
		present[i] = before;
		protect(i);
	}
}

static void region_remove(int i, int c)
{
	const struct region *r = &regions[i];
	uint64_t lazy;

	if (backend_dma_unmap(backend, FAKE_FD + c, r->pfn * PAGE, r->nr * PAGE, &lazy) ==
	    BACKEND_PASS) {
		fake.fail_unmap = 0;
		CHECK(!fake_dma_unmap(&fake, FAKE_FD + c, r->pfn * PAGE, r->nr * PAGE));
		fake.fail_unmap = flags & FAIL_UNMAP ? 7 : 0;
	}
	present[i] &= (uint8_t) ~(1U << c);
	protect(i);
}

static void do_region(struct input *in)
{
	int i = (int)(take(in, 1) % REGIONS), c = (int)(take(in, 1) % FAKE_CONTAINERS);

	if (c && !(flags & TWO_CONTAINERS))
		c = 0;
	if (present[i] >> c & 1)
		region_remove(i, c);
	else
		region_add(i, c);
}

static void do_reset(struct input *in)
{
	switch (take(in, 1) % 4) {
	case 0:
		backend_vm_reset(backend);
		break;
	case 1:
		backend_device_reset(backend);
		break;
	case 2:
		backend_vcpu_runs(backend);
		break;
	default:
		backend_device(backend, take(in, 8));
		break;
	}
}

/* ---- The guest ---------------------------------------------------------------------------- */

static void ring(uint64_t pfn)
{
	uint32_t value = (uint32_t)pfn;

	backend_port(backend, vcpu, true, COIOMMU_REG_REQUEST, sizeof(value), &value);
}

static void do_write(struct input *in)
{
	uint8_t *page = take_page(in);
	size_t offset = take(in, 2) % PAGE, size = take(in, 1);

	if (size > PAGE - offset)
		size = PAGE - offset;
	for (size_t i = 0; page && i < size && in->at < in->end; i++)
		page[offset + i] = *in->at++;
}

static void fill_entries(struct input *in, struct coiommu_request *r)
{
	uint32_t nr = (uint32_t)take(in, 1);

	r->nr = nr < 0xf0 ? nr % 8 : (uint32_t)take(in, 4);
	for (uint32_t i = 0; i < r->nr && i < 8; i++) {
		uint64_t pfn = take_frame(in) & COIOMMU_RUN_PFN, pages = take(in, 1);

		if (pages >= 0xc0)
			pages = take(in, 2);
		r->entry[i] = pfn | pages << COIOMMU_RUN_SHIFT;
	}
}

static void do_request(struct input *in, bool any)
{
	struct coiommu_request *r = can_write(REQUEST) ? guest_page(&fake, REQUEST) : NULL;

	if (!r)
		return;
	r->op = COIOMMU_OP_PIN;
	r->status = COIOMMU_PENDING;
	if (any)
		r->op = (uint32_t)take(in, 1) % (COIOMMU_OP_NR + 1);
	if (r->op == COIOMMU_OP_PIN || r->op == COIOMMU_OP_RELEASE)
		fill_entries(in, r);
	if (r->op == COIOMMU_OP_ACTIVATE) {
		uint64_t other = take(in, 1);

		r->arg[0] = other & 1 ? take_frame(in) : ROOT;
		r->arg[1] = other & 2 ? take(in, 1) : 2;
		r->arg[2] = other & 4 ? take(in, 4) : COIOMMU_VERSION;
	}
	calm_calls = flags & RACING ? take(in, 1) % 16 : 0;
	ring(REQUEST);
	CHECK(flags & RACING || !can_write(REQUEST) || r->status == vcpu->status);
}

static void do_port(struct input *in)
{
	uint32_t size = 1U << take(in, 1) % 3, offset = (uint32_t)take(in, 1) % COIOMMU_PORT_NR;
	bool write = take(in, 1) % 2;
	uint32_t data = (uint32_t)take(in, 4);

	backend_port(backend, vcpu, write, offset, size, &data);
}

/* Tables that lead anywhere, or back to what they were. */
static void do_entry(struct input *in)
{
	uint64_t *table = can_write(ROOT) ? guest_page(&fake, ROOT) : NULL;
	uint64_t index = take(in, 2), frame;

	if (index & 0x8000)
		table = take_page(in);
	frame = take_frame(in);
	if (table)
		table[index % COIOMMU_UPPER_ENTRIES] =
			frame << COIOMMU_PAGE_SHIFT | take(in, 1) % 4;
}

/* Counts that go up and down as in a driver, or units that say anything. */
static void do_units(struct input *in)
{
	uint64_t pfn = take_frame(in), nr = take(in, 1) % 64, what = take(in, 1) % 4;
	uint32_t value = (uint32_t)take(in, what ? 0 : 4);

	for (uint64_t i = 0; i < nr && pfn + i < PAGES && can_write(LEAVES); i++) {
		uint64_t leaf = LEAVES + (pfn + i) / COIOMMU_LEAF_UNITS;
		uint32_t *unit = guest_page(&fake, leaf);

		unit += (pfn + i) % COIOMMU_LEAF_UNITS;
		if (what == 0)
			*unit = value;
		else if (what == 1)
			coiommu_unit_put(unit);
		else
			coiommu_unit_get(unit);
	}
}

static void do_scan(struct input *in)
{
	uint64_t value = take(in, 1);

	fake.clock += value % 4 * settings.policy.interval_ns;
	for (uint64_t i = 0; i < value / 64 + 1; i++)
		backend_scan(backend);
}

static void act(struct input *in)
{
	enum action action = (enum action)(take(in, 1) % NR_ACTIONS);

	switch (action) {
	case WRITE:
		do_write(in);
		break;
	case REQUEST_PIN:
	case REQUEST_ANY:
		do_request(in, action == REQUEST_ANY);
		break;
	case RING:
		ring(take_frame(in));
		break;
	case PORT:
		do_port(in);
		break;
	case ENTRY:
		do_entry(in);
		break;
	case UNITS:
		do_units(in);
		break;
	case SCAN:
		do_scan(in);
		break;
	case REGION:
		do_region(in);
		break;
	default:
		do_reset(in);
		break;
	}
}

/* ---- One input ---------------------------------------------------------------------------- */

static char *no_environment(const char *name)
{
	return NULL;
}

static void take_settings(struct input *in)
{
	static const uint16_t limits[] = { 0, 1, 5, 16, 64, 500, 2000, 0 };
	struct policy_config *policy = &settings.policy;
	uint64_t value;
	char error[100];

	CHECK(!settings_read(&settings, no_environment, error, sizeof(error)));
	settings.no_thread = true;
	flags = (enum flags)take(in, 1);
	/* All memory mapped at once on top of what could not be unmapped: not handled. */
	if (flags & STATIC_BEFORE)
		flags &= ~FAIL_UNMAP;
	settings.static_before = flags & STATIC_BEFORE;
	policy->unpin = flags & ADAPTIVE ? POLICY_UNPIN_ADAPTIVE : POLICY_UNPIN_LRU;
	policy->generations = flags & GENERATIONS ? 2 : 0;
	value = take(in, 1);
	policy->quota_pages = limits[value % 8];
	policy->max_mappings = limits[value / 8 % 8];
	policy->limit_pages = limits[value / 64];
	value = take(in, 1);
	policy->range_pages = 1U << value % 11;
	policy->speculate_pages = 1U << value / 16 % 11;
}

static void start(void)
{
	memory_clear();
	memset(&counters, 0, sizeof(counters));
	backend = backend_new(&settings, &sys, &fake, &counters);
	vcpu = backend_vcpu_new(backend);
	for (int c = 0; c < (flags & TWO_CONTAINERS ? 2 : 1); c++) {
		backend_container(backend, FAKE_FD + c);
		for (int i = 0; i < REGIONS; i++)
			region_add(i, c);
	}
	if (!can_write(ROOT) || !can_write(REQUEST))
		return;
	for (uint64_t i = 0; i < PAGES / COIOMMU_LEAF_UNITS; i++)
		((uint64_t *)guest_page(&fake, ROOT))[i] =
			(LEAVES + i) << COIOMMU_PAGE_SHIFT | COIOMMU_ENTRY_PRESENT;
	if (!(flags & NO_TABLE)) {
		struct guest guest = { &fake, backend, ROOT, 0 };

		guest_command(&guest, vcpu, REQUEST, COIOMMU_OP_ACTIVATE);
	}
}

static uint8_t pinned[PAGES];

/* A mapping of the policy: all of it is mapped in all containers that reach it. */
static int check_mapping(void *ctx, uint64_t pfn, uint32_t nr)
{
	const struct region *r = region_of(pfn);
	uint64_t *pages = ctx;

	*pages += nr;
	if (flags & FAIL_UNMAP && (!r || !present[r - regions]))
		return 0; /* its memory is gone, but the mapping could not be undone */
	CHECK(r && present[r - regions] && r->writable);
	CHECK(pfn + nr <= r->pfn + r->nr);
	for (int c = 0; c < FAKE_CONTAINERS; c++) {
		for (uint32_t i = 0; present[r - regions] >> c & 1 && i < nr; i++)
			CHECK(fake_owner(&fake, c, pfn + i) == pfn + 1 ||
			      (backend->leaked && fake_owner(&fake, c, pfn + i)));
	}
	memset(&pinned[pfn], 1, nr);
	return 0;
}

static void check(void)
{
	const struct coiommu_policy_counters *n = &counters.policy;
	uint64_t pages = 0;

	CHECK(!fake.mistakes || backend->leaked);
	CHECK(!n->quota_pages || n->pinned_pages_peak <= n->quota_pages);
	CHECK(!settings.policy.max_mappings || n->mappings_peak <= settings.policy.max_mappings);
	memset(pinned, 0, sizeof(pinned));
	policy_visit(backend->policy, 0, UINT64_MAX / PAGE, check_mapping, &pages);
	CHECK(pages == n->pinned_pages);
	if (flags & (STATIC_BEFORE | FAIL_UNMAP))
		return;
	/* Nothing else is mapped, but for ROM. */
	for (uint64_t pfn = 0; pfn < PAGES; pfn++) {
		const uint32_t mapped = fake.owner[0][pfn] | fake.owner[1][pfn];

		if (mapped && !pinned[pfn])
			CHECK(region_of(pfn) == &regions[ROM]);
	}
}

static void finish(void)
{
	backend_vm_reset(backend);
	check();
	if (!(flags & FAIL_UNMAP))
		CHECK(!counters.policy.pinned_pages);
	backend_free(backend);
	free(vcpu);
	for (int i = 0; i < REGIONS; i++) {
		present[i] = 0;
		protect(i);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, data + size };

	if (!fake.mem)
		memory_new();
	take_settings(&in);
	start();
	for (int i = 0; i < MAX_ACTIONS && in.at < in.end; i++)
		act(&in);
	check();
	finish();
	return 0;
}
