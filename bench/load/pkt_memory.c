// SPDX-License-Identifier: GPL-2.0-only
/*
 * DPDK's memory: how much there is, and its registration with coIOMMU's guest driver. Each of
 * DPDK's pages is a registration of its own, so that it can go back by itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_memory.h>

#include "bench/load/pkt.h"
#include "drivers/include/coiommu_user.h"

#define CALLBACK "pkt-coiommu"

static int fd = -1;
static uint64_t registered;
static bool failed;

int memory_open(const char *path)
{
	int version;

	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return complain("cannot open %s: %s: is the coiommu module loaded?", path,
				strerror(errno));
	version = ioctl(fd, COIOMMU_USER_GET_VERSION);
	if (version == COIOMMU_USER_VERSION)
		return 0;
	if (version < 0)
		return complain("%s is not coIOMMU's: %s: name %s", path, strerror(errno),
				COIOMMU_USER_PATH);
	return complain("%s has version %d, this is %d: use the module of the same build", path,
			version, COIOMMU_USER_VERSION);
}

static int refused(uint64_t len)
{
	int error = errno;

	failed = true;
	return complain(
		"cannot register %llu bytes with coIOMMU after %llu: %s: raise the quota, or "
		"take less memory (-m) in larger pages",
		(unsigned long long)len, (unsigned long long)registered, strerror(error));
}

/* Registering pins a page; one in movable memory moves first, when DPDK knows its address already.
 */
static int moved(void)
{
	failed = true;
	return complain("registered memory is not where DPDK saw it: boot without movable memory");
}

static int register_page(const struct rte_memseg_list *list, const void *addr, uint64_t len)
{
	struct coiommu_user_range range = { (uintptr_t)addr, len };
	const struct rte_memseg *segment = rte_mem_virt2memseg(addr, list);

	if (ioctl(fd, COIOMMU_USER_REGISTER, &range))
		return refused(len);
	registered += len;
	if (segment && rte_eal_iova_mode() == RTE_IOVA_PA &&
	    rte_mem_virt2phy(addr) != segment->iova)
		return moved();
	return 0;
}

static int register_segment(const struct rte_memseg_list *list, const struct rte_memseg *segment,
			    void *unused)
{
	return list->external ? 0 : register_page(list, segment->addr, segment->len);
}

static void unregister_page(const void *addr, uint64_t len)
{
	struct coiommu_user_range range = { (uintptr_t)addr, len };

	if (ioctl(fd, COIOMMU_USER_UNREGISTER, &range) == 0)
		registered -= len;
}

/* A run of pages comes, or is about to go. */
static void memory_event(enum rte_mem_event event, const void *addr, size_t len, void *unused)
{
	const struct rte_memseg_list *list = rte_mem_virt2memseg_list(addr);
	const uint8_t *page = addr, *end = page + len;

	for (; list && !list->external && page < end; page += list->page_sz) {
		if (event == RTE_MEM_EVENT_ALLOC)
			register_page(list, page, list->page_sz);
		else
			unregister_page(page, list->page_sz);
	}
}

int memory_register(void)
{
	if (fd < 0)
		return 0;
	if (rte_memseg_walk(register_segment, NULL) < 0)
		return -1;
	/* Where memory cannot grow there are no events. */
	if (rte_mem_event_callback_register(CALLBACK, memory_event, NULL) && rte_errno != ENOTSUP)
		return complain("cannot follow DPDK's memory: %s: use --legacy-mem",
				rte_strerror(rte_errno));
	return 0;
}

bool memory_failed(void)
{
	return failed;
}

void memory_close(void)
{
	if (fd < 0)
		return;
	rte_mem_event_callback_unregister(CALLBACK, NULL);
	close(fd);
	fd = -1;
}

static int add_segment(const struct rte_memseg_list *list, const struct rte_memseg *segment,
		       void *sum)
{
	if (!list->external)
		*(uint64_t *)sum += segment->len;
	return 0;
}

uint64_t memory_bytes(void)
{
	uint64_t sum = 0;

	rte_memseg_walk(add_segment, &sum);
	return sum;
}

uint64_t memory_registered_bytes(void)
{
	return registered;
}
