// SPDX-License-Identifier: GPL-2.0-only
/*
 * The backend against imitated VFIO containers: requests good and hostile, hostile tables,
 * memory that comes and goes, several containers, resets, and what it reads from its host.
 */
#include "backend_internal.h"
#include "hostmem.h"
#include "test_coiommu_fake.h"

#define PAGES 16384ULL /* 64 MiB */
#define REQUEST (PAGES - 1)
#define ROOT (PAGES - 2)
#ifndef HOSTILE_REQUESTS
#define HOSTILE_REQUESTS 1000000
#endif

static struct fake fake;
static struct coiommu_counters *counters;
static struct backend *backend;
static struct backend_vcpu *vcpu;
static struct guest guest;
static struct settings settings;

static char *no_environment(const char *name)
{
	return NULL;
}

static void start_with(void (*change)(struct settings *s))
{
	char error[100];

	assert_int_equal(settings_read(&settings, no_environment, error, sizeof(error)), 0);
	settings.no_thread = true;
	if (change)
		change(&settings);
	fake_init(&fake, PAGES);
	counters = calloc(1, sizeof(*counters));
	backend = backend_new(&settings, &fake_sys, &fake, counters);
	vcpu = backend_vcpu_new(backend);
	guest = (struct guest){ &fake, backend, ROOT, ROOT };
}

static void map_all(int container)
{
	backend_container(backend, FAKE_FD + container);
	assert_int_equal(backend_dma_map(backend, FAKE_FD + container, 0, (uintptr_t)fake.mem,
					 PAGES * PAGE, RW),
			 0);
}

static void start(void)
{
	start_with(NULL);
	map_all(0);
	assert_int_equal(fake.mapped[0], 0);
	assert_int_equal(guest_command(&guest, vcpu, REQUEST, COIOMMU_OP_ACTIVATE), COIOMMU_OK);
}

static int finish(void **state)
{
	assert_int_equal(fake.mistakes, 0);
	backend_free(backend);
	free(vcpu);
	free(counters);
	fake_free(&fake);
	return 0;
}

static bool map(uint64_t pfn, uint32_t nr)
{
	return guest_map(&guest, vcpu, REQUEST, pfn, nr);
}

/* ---- Registers and requests ----------------------------------------------------------- */

static void test_registers(void **state)
{
	uint8_t bytes[4] = { 0 };
	uint32_t value = 0;

	start();
	backend_port(backend, vcpu, false, COIOMMU_REG_MAGIC, 4, &value);
	assert_int_equal(value, COIOMMU_MAGIC);
	backend_port(backend, vcpu, false, COIOMMU_REG_VERSION, 4, &value);
	assert_int_equal(value, COIOMMU_VERSION);
	for (uint32_t offset = 0; offset < 20; offset++) {
		backend_port(backend, vcpu, false, offset, 1, bytes);
		assert_int_equal(bytes[0], 0xff);
		backend_port(backend, vcpu, true, offset, 2, bytes);
	}
	value = 0xffffffff;
	backend_port(backend, vcpu, true, COIOMMU_REG_REQUEST, 4, &value);
	backend_port(backend, vcpu, false, COIOMMU_REG_REQUEST, 4, &value);
	assert_int_equal(value, COIOMMU_BAD_PAGE);
	assert_int_equal(vcpu->n->bad_requests, 1);
}

static void test_pin_and_deactivate(void **state)
{
	start();
	assert_true(map(10, 100));
	assert_int_equal(fake.mapped[0], 100);
	assert_int_equal(vcpu->n->pin_requests, 1);
	assert_int_equal(counters->state, COIOMMU_STATE_ACTIVE);
	assert_true(map(10, 100)); /* pinned: no request */
	assert_int_equal(vcpu->n->pin_requests, 1);
	assert_int_equal(guest_command(&guest, vcpu, REQUEST, COIOMMU_OP_DEACTIVATE), COIOMMU_OK);
	assert_int_equal(fake.mapped[0], 0);
	assert_int_equal(*guest_unit(&guest, 10), COIOMMU_UNIT_ACCESSED | 2);
	assert_int_equal(guest_pin(&guest, vcpu, REQUEST, 10, 1), COIOMMU_INACTIVE);
	assert_int_equal(counters->state, COIOMMU_STATE_WAITING);
	/* A new activation finds the counts. */
	assert_int_equal(guest_command(&guest, vcpu, REQUEST, COIOMMU_OP_ACTIVATE), COIOMMU_OK);
	assert_int_equal(fake.mapped[0], 100);
	assert_true(*guest_unit(&guest, 109) >> 31);
}

static void test_bad_requests(void **state)
{
	struct coiommu_request *r;

	start();
	r = guest_page(&fake, REQUEST);
	r->op = COIOMMU_OP_NR;
	assert_int_equal(guest_ring(&guest, vcpu, REQUEST), COIOMMU_BAD_OP);
	r->op = COIOMMU_OP_PIN;
	r->nr = COIOMMU_REQUEST_ENTRIES + 1;
	assert_int_equal(guest_ring(&guest, vcpu, REQUEST), COIOMMU_BAD_ARG);
	r->nr = 2; /* too many pages in all */
	r->entry[0] = COIOMMU_RUN(0, 4096);
	r->entry[1] = COIOMMU_RUN(0, 1);
	assert_int_equal(guest_ring(&guest, vcpu, REQUEST), COIOMMU_BAD_ARG);
	assert_int_equal(fake.mapped[0], 0);
	r->nr = 1; /* beyond memory, up to the end of the address space */
	r->entry[0] = COIOMMU_RUN(COIOMMU_RUN_PFN, 4096);
	assert_int_equal(guest_ring(&guest, vcpu, REQUEST), COIOMMU_REFUSED);
	assert_int_equal(r->done, 0);
	guest_unit(&guest, PAGES - 1);
	r->entry[0] = COIOMMU_RUN(PAGES - 1, 2);
	assert_int_equal(guest_ring(&guest, vcpu, REQUEST), COIOMMU_REFUSED);
	assert_int_equal(r->done, 1);
	r->op = COIOMMU_OP_ACTIVATE;
	r->arg[2] = COIOMMU_VERSION;
	for (uint64_t levels = 0; levels < 10; levels++) {
		r->arg[0] = PAGES;
		r->arg[1] = levels;
		assert_int_equal(guest_ring(&guest, vcpu, REQUEST), COIOMMU_BAD_ARG);
	}
	r->arg[0] = ROOT;
	r->arg[1] = 1ULL << 32 | 2;
	assert_int_equal(guest_ring(&guest, vcpu, REQUEST), COIOMMU_BAD_ARG);
	r->arg[1] = 2;
	r->arg[2] = (COIOMMU_VERSION_MAJOR + 1) << 16;
	assert_int_equal(guest_ring(&guest, vcpu, REQUEST), COIOMMU_BAD_ARG);
	/* None of this disturbed the table in use. */
	assert_int_equal(fake.mapped[0], 1);
}

static void test_devices_and_info(void **state)
{
	struct coiommu_request *r;

	start();
	r = guest_page(&fake, REQUEST);
	backend_device(backend, COIOMMU_DEVICE(0x8086, 0x10d3, 0x1234, 0x5678));
	assert_int_equal(guest_command(&guest, vcpu, REQUEST, COIOMMU_OP_DEVICES), COIOMMU_OK);
	assert_int_equal(r->done, 1);
	assert_true(r->entry[0] == 0x5678123410d38086ULL);
	assert_true(map(0, 3));
	assert_int_equal(guest_command(&guest, vcpu, REQUEST, COIOMMU_OP_INFO), COIOMMU_OK);
	assert_int_equal(r->arg[COIOMMU_INFO_PINNED_PAGES], 3);
	guest_unmap(&guest, 0, 3);
	r->op = COIOMMU_OP_RELEASE;
	r->nr = 1;
	r->entry[0] = COIOMMU_RUN(0, 3);
	assert_int_equal(guest_ring(&guest, vcpu, REQUEST), COIOMMU_OK);
	assert_int_equal(r->done, 3);
	assert_int_equal(fake.mapped[0], 0);
}

/* ---- Hostile guests --------------------------------------------------------------------- */

static void small_quota(struct settings *s)
{
	s->policy.quota_pages = 500;
	s->policy.speculate_pages = 16;
}

static uint64_t hostile_frame(uint32_t *seed)
{
	switch (fake_random(seed) % 6) {
	case 0:
		return (uint64_t)fake_random(seed) << 32 | fake_random(seed);
	case 1:
		return PAGES - 3 + fake_random(seed) % 6;
	default:
		return fake_random(seed) % PAGES;
	}
}

static void hostile_request(struct coiommu_request *r, uint32_t *seed)
{
	r->op = fake_random(seed) % 8 ? COIOMMU_OP_PIN : fake_random(seed) % (COIOMMU_OP_NR + 2);
	r->nr = fake_random(seed) % 64 ? fake_random(seed) % 6 : fake_random(seed);
	for (int i = 0; i < 6; i++) {
		r->arg[i] = hostile_frame(seed);
		r->entry[i] = (hostile_frame(seed) & COIOMMU_RUN_PFN) |
			      (uint64_t)(fake_random(seed) % 40) << COIOMMU_RUN_SHIFT;
	}
	r->arg[1] = fake_random(seed) % 7;
	r->arg[2] = COIOMMU_VERSION;
}

/* Entries that point anywhere: to themselves, to units, out of memory. */
static void hostile_table(uint32_t *seed)
{
	uint64_t *table =
		guest_page(&fake, fake_random(seed) % 2 ? ROOT : hostile_frame(seed) % PAGES);

	for (int i = 0; i < 8; i++)
		table[fake_random(seed) % 512] = hostile_frame(seed) << 12 | fake_random(seed) % 4 |
						 (uint64_t)fake_random(seed) << 56;
}

static void test_hostile(void **state)
{
	uint32_t seed = 4711;
	uint64_t quota;

	start_with(small_quota);
	quota = settings.policy.quota_pages;
	map_all(0);
	fake.fail_map = 50;
	fake.fail_unmap = 50;
	for (int i = 0; i < HOSTILE_REQUESTS; i++) {
		uint64_t page = i % 3 ? REQUEST : hostile_frame(&seed) % PAGES;

		if (i % 16 == 0)
			hostile_table(&seed);
		hostile_request(guest_page(&fake, page), &seed);
		if (i % 1000 == 0) {
			guest.root = hostile_frame(&seed) % PAGES;
			guest_command(&guest, vcpu, page, COIOMMU_OP_ACTIVATE);
		} else {
			guest_ring(&guest, vcpu, i % 7 ? page : hostile_frame(&seed));
		}
		if (i % 64 == 0) {
			fake.clock += settings.policy.interval_ns;
			backend_scan(backend);
		}
		if (fake.mapped[0] > quota || fake.mistakes)
			break;
	}
	assert_true(fake.mapped_peak <= quota);
	assert_true(fake.mapped_peak > quota / 2); /* it did get somewhere */
	assert_int_equal(fake.mistakes, 0);
	assert_true(counters->policy.pins > 100000);
	fake.fail_map = fake.fail_unmap = 0;
	backend_vm_reset(backend);
	assert_int_equal(counters->policy.pinned_pages, 0);
	printf("%d hostile requests: %llu pins, peak %llu of %llu pages\n", HOSTILE_REQUESTS,
	       (unsigned long long)counters->policy.pins, (unsigned long long)fake.mapped_peak,
	       (unsigned long long)quota);
}

/* The table's walk by itself, with tables of any depth. */
static void *table_page(void *ctx, uint64_t pfn)
{
	return pfn < 64 ? (uint8_t *)ctx + pfn * PAGE : NULL;
}

static void test_hostile_walks(void **state)
{
	uint8_t *mem = aligned_alloc(PAGE, 64 * PAGE);
	uint64_t *words = (uint64_t *)mem;
	uint64_t found = 0;
	uint32_t seed = 99;

	for (uint64_t i = 0; i < 64ULL * 512; i++)
		words[i] = (uint64_t)(fake_random(&seed) % 80) << 12 | fake_random(&seed) % 2 |
			   (fake_random(&seed) % 4 ? 0 : (uint64_t)fake_random(&seed) << 32);
	for (uint32_t i = 0; i < 2000000; i++) {
		struct dtt dtt = { 0 };
		uint64_t root = fake_random(&seed) % 70, levels = fake_random(&seed) % 7;
		uint64_t block = (uint64_t)fake_random(&seed) << (fake_random(&seed) % 16) >>
				 (fake_random(&seed) % 32);
		const uint32_t *leaf;

		if (dtt_set(&dtt, root, levels, table_page, mem)) {
			assert_true(root >= 64 || levels < 2 || levels > 5);
			continue;
		}
		leaf = dtt_leaf(&dtt, block, table_page, mem);
		if (!leaf)
			continue;
		found++;
		if ((const uint8_t *)leaf < mem || (const uint8_t *)leaf >= mem + 64 * PAGE ||
		    block >= dtt_blocks(&dtt))
			fail();
	}
	assert_true(found > 10000);
	/* A page that is its own child, at every level. */
	words[0] = COIOMMU_ENTRY_PRESENT;
	struct dtt loop = { .root_pfn = 0, .levels = 5 };

	assert_ptr_equal(dtt_leaf(&loop, 0, table_page, mem), mem);
	free(mem);
}

/* ---- Memory that comes and goes -------------------------------------------------------- */

static void test_regions_move(void **state)
{
	uint64_t low = 0xc0 * PAGE, lazy = 0;

	start();
	assert_true(map(0x10, 4));
	assert_true(map(0x1000, 4));
	/* What QEMU does when firmware programs the PAM registers. */
	assert_int_equal(backend_dma_unmap(backend, FAKE_FD, 0, PAGES * PAGE, &lazy), 0);
	assert_int_equal(lazy, PAGES * PAGE);
	assert_int_equal(fake.mapped[0], 0);
	/* No memory: not even the request page can be read. */
	assert_int_equal(guest_pin(&guest, vcpu, REQUEST, 0x10, 1), COIOMMU_BAD_PAGE);
	assert_int_equal(backend_dma_map(backend, FAKE_FD, 0, (uintptr_t)fake.mem, low, RW), 0);
	/* A shadowed ROM: read only, stays as the VMM wants it. */
	assert_int_equal(
		backend_dma_map(backend, FAKE_FD, low, (uintptr_t)fake.mem + low, 16 * PAGE, 1), 0);
	assert_int_equal(fake.mapped[0], 16);
	assert_int_equal(backend_dma_map(backend, FAKE_FD, low + 16 * PAGE,
					 (uintptr_t)fake.mem + low + 16 * PAGE,
					 PAGES * PAGE - low - 16 * PAGE, RW),
			 0);
	/* What was mapped by devices all the time is pinned again, unasked. */
	assert_int_equal(fake.mapped[0], 16 + 8);
	assert_true(*guest_unit(&guest, 0x10) >> 31);
	/* A range that only partly exists for us passes, and loses its pins. */
	assert_int_equal(backend_dma_unmap(backend, FAKE_FD, 0, 0x20 * PAGE, &lazy), 0);
	assert_int_equal(fake.mapped[0], 16 + 4);
	assert_int_equal(backend_dma_unmap(backend, FAKE_FD, low, 16 * PAGE, &lazy), BACKEND_PASS);
	assert_int_equal(lazy, 0);
	assert_int_equal(fake_dma_unmap(&fake, FAKE_FD, low, 16 * PAGE), 0);
	assert_int_equal(backend_dma_unmap(backend, FAKE_FD, 0, UINT64_MAX, &lazy), BACKEND_PASS);
	assert_int_equal(lazy, (PAGES - 0x30) * PAGE);
	assert_int_equal(fake.mapped[0], 0);
	assert_int_equal(counters->ram_bytes, 0);
}

static void test_other_memory_passes(void **state)
{
	uint8_t bar[64] = { 0 };

	start();
	assert_int_equal(
		backend_dma_map(backend, FAKE_FD, 1ULL << 32, (uintptr_t)bar & ~0xfffULL, PAGE, RW),
		BACKEND_PASS);
	assert_int_equal(backend_dma_map(backend, FAKE_FD, 5, (uintptr_t)fake.mem, PAGE, RW),
			 BACKEND_PASS);
	assert_int_equal(backend_dma_map(backend, FAKE_FD, 0, (uintptr_t)fake.mem, PAGE, RW | 4),
			 BACKEND_PASS);
	assert_int_equal(counters->passed_maps, 3);
}

static void test_containers(void **state)
{
	uint64_t lazy, first;

	start();
	assert_true(map(100, 20));
	map_all(1); /* a second device arrives */
	assert_int_equal(fake.mapped[1], 20);
	assert_true(map(200, 20));
	assert_int_equal(fake.mapped[0], 40);
	assert_int_equal(fake.mapped[1], 40);
	/* All or nothing. */
	fake.fail_map = 2;
	for (uint64_t pfn = 1000; pfn < 2000; pfn += 3) {
		bool ok = map(pfn, 1);

		assert_int_equal(fake_owner(&fake, 0, pfn) != 0, ok);
		assert_int_equal(fake_owner(&fake, 1, pfn) != 0, ok);
	}
	fake.fail_map = 0;
	/* It leaves again; the first keeps what it has mapped, and keeps working. */
	first = fake.mapped[0];
	assert_int_equal(backend_dma_unmap(backend, FAKE_FD + 1, 0, PAGES * PAGE, &lazy), 0);
	assert_int_equal(fake.mapped[1], 0);
	assert_int_equal(fake.mapped[0], first);
	assert_true(map(300, 20));
	assert_int_equal(fake.mapped[1], 0);
	assert_true(fake_owner(&fake, 0, 300) != 0);
}

static void static_before(struct settings *s)
{
	s->static_before = true;
}

static void test_static_until_active(void **state)
{
	start_with(static_before);
	map_all(0);
	assert_int_equal(fake.mapped[0], PAGES);
	assert_int_equal(counters->static_bytes, PAGES * PAGE);
	assert_int_equal(guest_command(&guest, vcpu, REQUEST, COIOMMU_OP_ACTIVATE), COIOMMU_OK);
	assert_int_equal(fake.mapped[0], 0);
	assert_true(map(5, 1));
	assert_int_equal(fake.mapped[0], 1);
	backend_vm_reset(backend);
	assert_int_equal(fake.mapped[0], PAGES);
	assert_int_equal(counters->vm_resets, 1);
}

static void test_vm_reset(void **state)
{
	uint32_t *unit;

	start();
	assert_true(map(5, 1));
	unit = guest_unit(&guest, 5);
	/* From the devices' reset on nothing is written unasked. */
	backend_device_reset(backend);
	guest_unmap(&guest, 5, 1);
	fake.clock += 10 * settings.policy.interval_ns;
	assert_false(backend_scan(backend));
	assert_int_equal(counters->policy.scan_cycles, 0);
	memset(unit, 0xab, 4); /* the new owner's data */
	backend_vm_reset(backend);
	assert_int_equal(fake.mapped[0], 0);
	assert_true(*unit == 0xabababab);
	assert_int_equal(guest_pin(&guest, vcpu, REQUEST, 5, 1), COIOMMU_INACTIVE);
}

static void break_pin(struct settings *s)
{
	s->break_pin = true;
}

static void test_negative_control(void **state)
{
	start_with(break_pin);
	map_all(0);
	assert_int_equal(guest_command(&guest, vcpu, REQUEST, COIOMMU_OP_ACTIVATE), COIOMMU_OK);
	assert_true(map(5, 1));
	assert_int_equal(fake.mapped[0], 0);
}

/* ---- Host: kinds of memory, settings ----------------------------------------------------- */

static bool is_ram(char *text, uint64_t iova, uint64_t vaddr, uint64_t size)
{
	FILE *f = fmemopen(text, strlen(text), "r");
	bool ram = hostmem_is_ram(f, iova, vaddr, size);

	fclose(f);
	return ram;
}

static void test_hostmem(void **state)
{
	static char maps[] =
		"100000000-120000000 rw-p 00000000 00:00 0 \n"
		"200000000-201000000 rw-p 00000000 00:00 0 \n"
		"300000000-320000000 rw-s 00000000 00:01 77    /memfd:memory-backend-memfd (deleted)\n"
		"320000000-340000000 rw-s 20000000 00:01 77    /memfd:memory-backend-memfd (deleted)\n"
		"400000000-401000000 rw-s 00000000 00:0e 1057    anon_inode:[vfio-device]\n"
		"500000000-501000000 rw-s 00000000 00:05 555    /dev/vfio/devices/vfio0\n"
		"600000000-640000000 rw-s 00000000 00:05 556    /dev/hugepages/x\n"
		"700000000-720000000 rw-p 00000000 00:00 0      [anon:ram]\n"
		"800000000-808000000 rw-p 00000000 00:00 0      [heap]\n";

	/* Nothing known of KVM: large anonymous memory, files, but no devices. */
	assert_true(is_ram(maps, 0, 0x100000000, 0x20000000));
	assert_true(is_ram(maps, 0, 0x100001000, 0x1000));
	assert_false(is_ram(maps, 0, 0x200000000, 0x1000000)); /* video memory */
	assert_true(is_ram(maps, 0, 0x300000000, 0x40000000)); /* two pieces of one file */
	assert_false(is_ram(maps, 0, 0x300000000, 0x40001000));
	assert_false(is_ram(maps, 0, 0x400000000, 0x1000));
	assert_false(is_ram(maps, 0, 0x500000000, 0x1000));
	assert_true(is_ram(maps, 0, 0x600000000, 0x40000000));
	assert_true(is_ram(maps, 0, 0x700000000, 0x1000));
	assert_false(is_ram(maps, 0, 0x800000000, 0x1000));
	assert_false(is_ram(maps, 0, 0x900000000, 0x1000));
	/* A vIOMMU maps the same memory at addresses that the guest does not know. */
	hostmem_slot(0, 0x100000000, 0xa0000);
	hostmem_slot(0x100000, 0x100100000, 0x1ff00000);
	assert_true(is_ram(maps, 0, 0x100000000, 0x20000000));
	assert_true(is_ram(maps, 0xc0000, 0x1000c0000, 0x10000));
	assert_false(is_ram(maps, 0xfffff000, 0x100001000, 0x1000));
	/* A small guest's memory is known by its address 0. */
	hostmem_slot(0, 0x200000000, 0x1000000);
	assert_true(is_ram(maps, 0, 0x200000000, 0x1000000));
	hostmem_reset();
}

static char *const *environment;

static char *get(const char *name)
{
	size_t len = strlen(name);

	for (char *const *e = environment; *e; e++) {
		if (!strncmp(*e, name, len) && (*e)[len] == '=')
			return *e + len + 1;
	}
	return NULL;
}

static int read_settings(const char *one)
{
	char variable[64], error[100];
	char *const env[] = { variable, NULL };

	snprintf(variable, sizeof(variable), "%s", one);
	environment = env;
	return settings_read(&settings, get, error, sizeof(error));
}

static void test_settings(void **state)
{
	static const char *const wrong[] = {
		"COIOMMU_UNPIN=LRU",	   "COIOMMU_INTERVAL_MS=0", "COIOMMU_INTERVAL_MS=-1",
		"COIOMMU_QUOTA=10",	   "COIOMMU_QUOTA=1T",	    "COIOMMU_QUOTA=99999999999999G",
		"COIOMMU_RANGE=3",	   "COIOMMU_RANGE=2048",    "COIOMMU_BEFORE=",
		"COIOMMU_BATCH=0",	   "COIOMMU_LIMIT=1k",	    "COIOMMU_MAPPINGS=automatic",
		"COIOMMU_GENERATIONS=256", "COIOMMU_BREAK=yes",	    "COIOMMU_SPECULATE= 4",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(read_settings(wrong[i]), -EINVAL);
	assert_int_equal(read_settings("COIOMMU_QUOTA=16M"), 0);
	assert_int_equal(settings.policy.quota_pages, 4096);
	assert_int_equal(settings.policy.range_pages, 16);
	assert_true(settings.mappings_auto);
	assert_int_equal(read_settings("COIOMMU_UNPIN=adaptive"), 0);
	assert_int_equal(settings.policy.unpin, POLICY_UNPIN_ADAPTIVE);
	assert_int_equal(read_settings("COIOMMU_INTERVAL_MS=100"), 0);
	assert_int_equal(settings.policy.interval_ns, 100000000);
}

static void test_histogram(void **state)
{
	for (unsigned int b = 0; b < COIOMMU_HISTOGRAM_BUCKETS - 1; b++) {
		assert_int_equal(coiommu_histogram_bucket(coiommu_histogram_floor(b)), b);
		assert_int_equal(coiommu_histogram_bucket(coiommu_histogram_floor(b + 1) - 1), b);
	}
	assert_int_equal(coiommu_histogram_bucket(UINT64_MAX), COIOMMU_HISTOGRAM_BUCKETS - 1);
}

#define TEST(f) cmocka_unit_test_teardown(f, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_registers),
		TEST(test_pin_and_deactivate),
		TEST(test_bad_requests),
		TEST(test_devices_and_info),
		TEST(test_hostile),
		cmocka_unit_test(test_hostile_walks),
		TEST(test_regions_move),
		TEST(test_other_memory_passes),
		TEST(test_containers),
		TEST(test_static_until_active),
		TEST(test_vm_reset),
		TEST(test_negative_control),
		cmocka_unit_test(test_hostmem),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_histogram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
