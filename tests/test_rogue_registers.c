// SPDX-License-Identifier: GPL-2.0-only
/* Which device's registers a rogue is to read, and what the CPU sees there, in a tree of files. */
#include "tests/tree.h"

#include <errno.h>

#include "bench/rogue/registers.h"
#include "harness/config.h"

#define OWN "0000:00:10.0"
#define DRIVE "0000:00:11.0"
#define EDU "0000:00:14.0"
#define ON "\x34\x12\x78\x56\x06" /* ids and the command register: memory, bus master */
#define DRIVE_BAR 0xfe000000ULL
#define EDU_BAR 0xfd000000ULL

static struct host_device devices[] = {
	{ .kind = (char *)"nvme", .address = (char *)OWN, .writable = true },
	{ .kind = (char *)"nvme", .address = (char *)DRIVE },
	{ .kind = (char *)"edu", .address = (char *)EDU },
};
static struct host host;
static uint64_t guest_bytes;
static const uint8_t drive_registers[ROGUE_MARK] = "capabilities+ver";

static char *file_of(const char *bdf, const char *name)
{
	return xasprintf("sys/devices/pci0000:00/0000:00:01.0/%s/%s", bdf, name);
}

/* A device that answers; its registers, a page: the first ones, and else the byte fill. */
static void make_device(const char *bdf, const char *driver, int group, uint64_t bar)
{
	autofree char *resource = file_of(bdf, "resource"), *config = file_of(bdf, "config");
	autofree char *lines = xasprintf("%#018llx %#018llx 0x0000000000140204\n",
					 (unsigned long long)bar, (unsigned long long)bar + 0xfff);

	tree_pci(bdf, "0x010802\n", driver, group);
	tree_put(resource, lines);
	tree_put(config, ON "...");
}

static void make_registers(const char *bdf, const uint8_t *first, uint8_t fill)
{
	autofree char *name = file_of(bdf, "resource0"), *path = NULL;
	autoclose int fd = -1;
	uint8_t page[4096];

	tree_put(name, "");
	path = tree_path(name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	memset(page, fill, sizeof(page));
	if (first)
		memcpy(page, first, ROGUE_MARK);
	assert_int_equal(write(fd, page, sizeof(page)), sizeof(page));
}

static int setup(void **state)
{
	if (tree_setup(state))
		return -1;
	host = (struct host){ .devices = devices, .nr_devices = ARRAY_SIZE(devices) };
	guest_bytes = 256 * MIB;
	make_device(OWN, "vfio-pci", 1, 0xfb000000);
	make_device(DRIVE, "nvme", 2, DRIVE_BAR);
	make_registers(DRIVE, drive_registers, 0);
	make_device(EDU, NULL, 3, EDU_BAR);
	make_registers(EDU, NULL, 0);
	return 0;
}

/* In vain, and the last reason has this word. */
static void assert_none(const char *bars, const char *word)
{
	struct registers *registers;
	autofree char *why = NULL;

	assert_int_equal(registers_open(&host, OWN, bars, guest_bytes, &registers, &why), -ENODEV);
	assert_null(registers);
	if (!strstr(why, word))
		fail_msg("'%s' lacks '%s'", why, word);
}

/* Found, at this address. */
static struct registers *assert_found(const char *bars, uint64_t address)
{
	struct registers *registers;
	char *why = NULL;

	assert_int_equal(registers_open(&host, OWN, bars, guest_bytes, &registers, &why), 0);
	assert_null(why);
	assert_int_equal(registers_address(registers), address);
	return registers;
}

/* What edu's registers hold is put there, and is another thing each time. */
static void test_edu(void **state)
{
	uint8_t first[ROGUE_MARK], second[ROGUE_MARK], now[ROGUE_MARK];
	struct registers *registers = assert_found("", EDU_BAR + 0x80);
	autofree char *name = file_of(EDU, "resource0"), *path = tree_path(name), *page = NULL;

	registers_read(registers, first);
	registers_close(registers);
	registers = assert_found("", EDU_BAR + 0x80);
	registers_read(registers, second);
	page = file_read(path, NULL);
	assert_memory_equal(page + 0x80, second, ROGUE_MARK);
	assert_memory_not_equal(first, second, ROGUE_MARK);
	/* Read anew each time. */
	make_registers(EDU, NULL, 7);
	registers_read(registers, now);
	assert_memory_not_equal(now, second, ROGUE_MARK);
	registers_close(registers);
}

static void test_drive(void **state)
{
	struct registers *registers;
	uint8_t content[ROGUE_MARK];

	host.nr_devices = 2;
	registers = assert_found("", DRIVE_BAR);
	registers_read(registers, content);
	assert_memory_equal(content, drive_registers, ROGUE_MARK);
	registers_close(registers);
}

/* An edu that has a driver is left alone. */
static void test_driven(void **state)
{
	tree_dir("sys/bus/pci/drivers/rogue");
	tree_link("sys/devices/pci0000:00/0000:00:01.0/" EDU "/driver",
		  "sys/bus/pci/drivers/rogue");
	registers_close(assert_found("", DRIVE_BAR));
}

static void test_none(void **state)
{
	autofree char *config = file_of(DRIVE, "config"), *page = file_of(DRIVE, "resource0");

	host.nr_devices = 1;
	assert_none("", "names no edu device or nvme drive");
	host.nr_devices = 2;
	/* The guest has its own device's registers there. */
	assert_none("0x0000000000000000 0x0000000000000000 0x0\n"
		    "0x00000000fdfff000 0x00000000fe000fff 0x0000000000140204\n\n",
		    "own device or memory at the same address");
	/* Or its memory, some of which is above 4 GiB. */
	tree_remove("sys/devices/pci0000:00/0000:00:01.0/" DRIVE);
	make_device(DRIVE, "nvme", 2, 5 * GIB);
	make_registers(DRIVE, drive_registers, 0);
	registers_close(assert_found("", 5 * GIB));
	guest_bytes = 8 * GIB;
	assert_none("", "own device or memory at the same address");
	guest_bytes = 256 * MIB;
	make_registers(DRIVE, NULL, 0xff);
	assert_none("", "tell nothing");
	tree_remove(page);
	assert_none("", "iomem=relaxed");
	tree_put("sys/devices/pci0000:00/0000:00:01.0/" DRIVE "/power_state", "D3hot\n");
	assert_none("", "switched off");
	tree_put("sys/devices/pci0000:00/0000:00:01.0/" DRIVE "/power_state", "D0\n");
	tree_put(config, "\x34\x12\x78\x56\x04...");
	assert_none("", "switched off");
	/* Not isolated from it, so none of another group. */
	tree_remove("sys/devices/pci0000:00/0000:00:01.0/" DRIVE);
	make_device(DRIVE, "nvme", 1, DRIVE_BAR);
	assert_none("", "names no edu device or nvme drive");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, tree_teardown)
	const struct CMUnitTest tests[] = { TEST(test_edu), TEST(test_drive), TEST(test_driven),
					    TEST(test_none) };

	return cmocka_run_group_tests_name("rogue registers", tests, NULL, NULL);
}
