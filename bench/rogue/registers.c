// SPDX-License-Identifier: GPL-2.0-only
/* Registers of a device of another IOMMU group: read by the CPU through sysfs. */
#include "bench/rogue/registers.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "harness/config.h"
#include "harness/pci.h"
#include "harness/util.h"

#define PAGE 4096

/*
 * Where a kind of device has registers that tell it from nothing. edu has the addresses of its last
 * DMA there, which hold whatever is written to them while it does none; a drive its capabilities
 * and version.
 */
static const struct kind {
	const char *name;
	size_t offset;
	bool writable;
} kinds[] = { { "edu", 0x80, true }, { "nvme", 0, false } };

struct registers {
	uint64_t address;
	volatile uint64_t *words; /* within map; 64 bits at a time: edu wants that */
	void *map;		  /* a page of them */
};

uint64_t registers_address(const struct registers *registers)
{
	return registers->address;
}

void registers_read(const struct registers *registers, uint8_t *content)
{
	for (size_t i = 0; i < ROGUE_MARK / sizeof(uint64_t); i++) {
		uint64_t word = registers->words[i];

		memcpy(content + i * sizeof(word), &word, sizeof(word));
	}
}

void registers_close(struct registers *registers)
{
	if (!registers)
		return;
	munmap(registers->map, PAGE);
	free(registers);
}

/* The physical address of its first memory BAR, if it answers there, else 0. */
static uint64_t address_of(const char *bdf)
{
	autofree char *resource = pci_path(bdf, "resource"), *config = pci_path(bdf, "config");
	autofree char *power = pci_path(bdf, "power_state"), *state = file_read_trimmed(power);
	autofree char *bars = file_read(resource, NULL);
	size_t len = 0;
	autofree char *head = file_read(config, &len);

	/* It must be awake; then the command register's bit for memory. */
	if (state && !strncmp(state, "D3", 2))
		return 0;
	return bars && head && len > 5 && head[4] & 2 ? strtoull(bars, NULL, 16) : 0;
}

/* Lines "FIRST LAST FLAGS". */
static bool covers(const char *bars, uint64_t address)
{
	for (const char *line = bars; line && *line; line = strchr(line, '\n')) {
		char *end;
		uint64_t first, last;

		line += *line == '\n';
		first = strtoull(line, &end, 16);
		last = strtoull(end, NULL, 16);
		if (first && first <= address && address <= last)
			return true;
	}
	return false;
}

/* Nothing answers with all ones, and a DMA that was blocked often finds zeros. */
static bool tells(const uint8_t *content)
{
	for (size_t i = 1; i < ROGUE_MARK; i++)
		if (content[i] != content[0])
			return true;
	return false;
}

/* The page of its registers, or NULL with errno. */
static void *map(const char *bdf, const struct kind *kind)
{
	autofree char *path = pci_path(bdf, "resource0");
	autoclose int fd = open(path, (kind->writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	void *page;

	if (fd < 0)
		return NULL;
	page = mmap(NULL, PAGE, PROT_READ | (kind->writable ? PROT_WRITE : 0), MAP_SHARED, fd, 0);
	return page == MAP_FAILED ? NULL : page;
}

static int make_unique(const struct registers *registers)
{
	uint64_t mark[ROGUE_MARK / sizeof(uint64_t)];

	if (getrandom(mark, sizeof(mark), 0) != sizeof(mark))
		return -EIO;
	for (size_t i = 0; i < ARRAY_SIZE(mark); i++)
		registers->words[i] = mark[i];
	return 0;
}

/* Does somebody use it? vfio-pci alone does not. */
static bool is_driven(const char *bdf)
{
	autofree char *driver = pci_driver(bdf);

	return driver && strcmp(driver, "vfio-pci") != 0;
}

/* Why a device does not do: NULL, and then *out is its registers. */
static char *open_device(const char *bdf, const struct kind *kind, const char *bars,
			 uint64_t guest_bytes, struct registers **out)
{
	struct registers registers = { .address = address_of(bdf) };
	uint8_t content[ROGUE_MARK];
	int ret = 0;

	if (!registers.address)
		return xasprintf("%s is switched off: give it to its driver", bdf);
	registers.address += kind->offset;
	if (covers(bars, registers.address) ||
	    rogue_is_guest_memory(guest_bytes, registers.address))
		return xasprintf("the guest has its own device or memory at the same address as %s",
				 bdf);
	if (kind->writable && is_driven(bdf))
		return xasprintf("a driver uses %s: unbind it", bdf);
	registers.map = map(bdf, kind);
	if (!registers.map)
		return xasprintf("the CPU cannot read the registers of %s, with which a DMA would "
				 "be compared (%s): unbind its driver, or boot the host with "
				 "iomem=relaxed",
				 bdf, strerror(errno));
	registers.words = (uint64_t *)((char *)registers.map + kind->offset);
	if (kind->writable)
		ret = make_unique(&registers);
	registers_read(&registers, content);
	if (ret || !tells(content)) {
		munmap(registers.map, PAGE);
		return xasprintf("the registers of %s tell nothing", bdf);
	}
	*out = xzalloc(sizeof(**out));
	**out = registers;
	return NULL;
}

int registers_open(const struct host *host, const char *own, const char *bars, uint64_t guest_bytes,
		   struct registers **out, char **why)
{
	int group = pci_iommu_group(own);

	*out = NULL;
	*why = xstrdup(
		"the host file names no edu device or nvme drive in another IOMMU group: add "
		"one");
	for (size_t i = 0; i < ARRAY_SIZE(kinds) && !*out; i++) {
		const struct host_device *device;

		for (unsigned int n = 0; (device = host_device_at(host, kinds[i].name, n)); n++) {
			if (pci_iommu_group(device->address) == group)
				continue;
			free(*why);
			*why = open_device(device->address, &kinds[i], bars, guest_bytes, out);
			if (*out)
				break;
		}
	}
	return *out ? 0 : -ENODEV;
}
