// SPDX-License-Identifier: GPL-2.0-only
/* Tells the guest's main memory from everything else; see hostmem.h. */
#include "hostmem.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define ANONYMOUS_MIN (64ULL << 20)
#define SLOTS 256

/* Adjacent mappings of one file, or of anonymous memory, are one block of memory. */
struct backing {
	uint64_t start, end;
	uint64_t inode;
	bool device;
};

static struct slot {
	uint64_t gpa, vaddr, size;
} slots[SLOTS];
static unsigned int nr_slots;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* protects slots */

void hostmem_slot(uint64_t gpa, uint64_t vaddr, uint64_t size)
{
	unsigned int i;

	if (!size)
		return;
	pthread_mutex_lock(&lock);
	for (i = 0; i < nr_slots; i++) {
		if (slots[i].gpa == gpa && slots[i].vaddr == vaddr && slots[i].size == size)
			break;
	}
	if (i == nr_slots && nr_slots < SLOTS)
		slots[nr_slots++] = (struct slot){ gpa, vaddr, size };
	pthread_mutex_unlock(&lock);
}

void hostmem_reset(void)
{
	nr_slots = 0;
}

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static bool name_is_device(const char *name)
{
	if (name[0] == '/')
		return starts_with(name, "/dev/") && !starts_with(name, "/dev/shm/") &&
		       !starts_with(name, "/dev/huge") && !starts_with(name, "/dev/zero");
	/* Nothing, or a name given by prctl(): anonymous. Else anon_inode:[vfio-device] etc. */
	return name[0] && !starts_with(name, "[anon");
}

/* START-END PERMISSIONS OFFSET DEVICE INODE NAME; the name may be missing. */
static bool parse_line(const char *line, struct backing *b)
{
	char *at;

	b->start = strtoull(line, &at, 16);
	if (*at++ != '-')
		return false;
	b->end = strtoull(at, &at, 16);
	for (int skip = 0; skip < 3; skip++) {
		if (*at++ != ' ')
			return false;
		at += strcspn(at, " ");
	}
	if (*at++ != ' ')
		return false;
	b->inode = strtoull(at, &at, 10);
	b->device = name_is_device(at + strspn(at, " "));
	return true;
}

/* The block that holds all of [vaddr, vaddr + size). */
static bool find_backing(FILE *maps, uint64_t vaddr, uint64_t size, struct backing *found)
{
	struct backing run = { 0 }, b;
	char line[4352];

	while (fgets(line, sizeof(line), maps)) {
		line[strcspn(line, "\n")] = '\0';
		if (!parse_line(line, &b))
			continue;
		if (run.end == b.start && run.inode == b.inode && run.device == b.device) {
			run.end = b.end;
			continue;
		}
		if (run.start <= vaddr && vaddr < run.end)
			break;
		run = b;
	}
	*found = run;
	return run.start <= vaddr && vaddr < run.end && size <= run.end - vaddr;
}

bool hostmem_is_ram(FILE *maps, uint64_t iova, uint64_t vaddr, uint64_t size)
{
	bool known = false, agrees = false, bottom = false;
	struct backing b;

	if (!find_backing(maps, vaddr, size, &b) || b.device)
		return false;
	pthread_mutex_lock(&lock);
	for (unsigned int i = 0; i < nr_slots; i++) {
		const struct slot *s = &slots[i];

		if (s->vaddr < b.start || s->vaddr >= b.end)
			continue;
		known = true;
		agrees |= s->vaddr - s->gpa == vaddr - iova;
		bottom |= s->gpa == 0;
	}
	pthread_mutex_unlock(&lock);
	/* VFIO hears of added memory before KVM: a block without any slot is new memory. */
	if (known && !agrees)
		return false;
	return b.inode || bottom || b.end - b.start >= ANONYMOUS_MIN;
}
