// SPDX-License-Identifier: GPL-2.0-only
/* Memory that a guest's device has no business with. */
#include "bench/rogue/bystander.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "harness/boot.h"
#include "harness/util.h"

#define PAGE 4096ULL
#define VM_MEMORY (64 * MIB)
#define VM_ADDRESS (32 * MIB) /* within it, past what firmware touches */
#define VM_PAGES ((VM_MEMORY - VM_ADDRESS) / PAGE)
#define VM_START_S 60.0

/* Bits of an entry of /proc/PID/pagemap. */
#define PAGEMAP_PRESENT (1ULL << 63)
#define PAGEMAP_PFN ((1ULL << 55) - 1)

/* So many are taken until one lies where it should: what is free may lie close together. */
static const size_t host_pages[] = { 256, 8192, 65536 };

struct bystander {
	struct vm *vm; /* NULL: the page is ours */
	void *area;    /* then its mapping */
	size_t area_bytes;
	int mem, pagemap;
	uint64_t va; /* the page's */
};

static int read_address(const struct bystander *bystander, uint64_t va, uint64_t *address)
{
	uint64_t entry;

	if (pread(bystander->pagemap, &entry, sizeof(entry), (off_t)(va / PAGE * sizeof(entry))) !=
	    sizeof(entry))
		return -EIO;
	if (!(entry & PAGEMAP_PRESENT))
		return -ENOENT;
	*address = (entry & PAGEMAP_PFN) * PAGE;
	return *address ? 0 : -EPERM;
}

int bystander_address(const struct bystander *bystander, uint64_t *address)
{
	return read_address(bystander, bystander->va, address);
}

int bystander_read(const struct bystander *bystander, uint8_t *content)
{
	return pread(bystander->mem, content, ROGUE_MARK, (off_t)bystander->va) == ROGUE_MARK
		       ? 0
		       : -EIO;
}

void bystander_free(struct bystander *bystander)
{
	if (!bystander)
		return;
	if (bystander->mem >= 0)
		close(bystander->mem);
	if (bystander->pagemap >= 0)
		close(bystander->pagemap);
	if (bystander->area)
		munmap(bystander->area, bystander->area_bytes);
	vm_stop(bystander->vm, false);
	free(bystander);
}

static int open_process(struct bystander *bystander, pid_t pid)
{
	autofree char *mem = xasprintf("/proc/%d/mem", pid);
	autofree char *pagemap = xasprintf("/proc/%d/pagemap", pid);

	bystander->mem = open(mem, O_RDWR | O_CLOEXEC);
	if (bystander->mem < 0)
		return -errno;
	bystander->pagemap = open(pagemap, O_RDONLY | O_CLOEXEC);
	return bystander->pagemap < 0 ? -errno : 0;
}

/* One of nr pages from va on that lies where the guest has no memory, with random content. */
static int choose_page(struct bystander *bystander, uint64_t va, size_t nr, uint64_t guest_bytes)
{
	uint8_t mark[ROGUE_MARK];

	if (getrandom(mark, sizeof(mark), 0) != sizeof(mark))
		return -EIO;
	for (size_t i = 0; i < nr; i++, va += PAGE) {
		uint64_t address;
		int ret;

		if (pwrite(bystander->mem, mark, sizeof(mark), (off_t)va) != sizeof(mark))
			return -EIO;
		ret = read_address(bystander, va, &address);
		if (ret)
			return ret;
		if (rogue_is_guest_memory(guest_bytes, address))
			continue;
		bystander->va = va;
		return 0;
	}
	return -ERANGE;
}

static struct bystander *bystander_new(void)
{
	struct bystander *bystander = xzalloc(sizeof(*bystander));

	bystander->mem = bystander->pagemap = -1;
	return bystander;
}

/* The end of both: takes the bystander over. */
static int finish(struct bystander *bystander, int ret, struct bystander **out, char **why)
{
	if (!ret) {
		*out = bystander;
		return 0;
	}
	bystander_free(bystander);
	*why = ret == -ERANGE
		       ? xasprintf("the host has no page at an address where the guest has no "
				   "memory: give the guest less")
		       : xasprintf("cannot lock memory or find it (/proc/PID/pagemap): %s",
				   strerror(-ret));
	return ret;
}

/* So many pages of ours in place of those before. */
static int lock_pages(struct bystander *bystander, size_t nr)
{
	void *area;

	if (bystander->area)
		munmap(bystander->area, bystander->area_bytes);
	bystander->area = NULL;
	area = mmap(NULL, nr * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);
	if (area == MAP_FAILED)
		return -errno;
	bystander->area = area;
	bystander->area_bytes = nr * PAGE;
	return 0;
}

int bystander_host(const struct boot *boot, struct bystander **out, char **why)
{
	struct bystander *bystander = bystander_new();
	int opened = open_process(bystander, getpid()), ret = -ERANGE;

	for (size_t i = 0; i < ARRAY_SIZE(host_pages) && !opened && ret == -ERANGE; i++) {
		ret = lock_pages(bystander, host_pages[i]);
		if (!ret)
			ret = choose_page(bystander, (uintptr_t)bystander->area, host_pages[i],
					  boot->guest_config->memory_bytes);
	}
	return finish(bystander, opened ? opened : ret, out, why);
}

/* --- another VM --- */

/* Where QEMU has a page of its guest: "Host virtual address for 0x2000000 (pc.ram) is 0x7f..." */
static int find_memory(struct vm *vm, uint64_t *va)
{
	autofree char *line = xasprintf("gpa2hva %#llx", (unsigned long long)VM_ADDRESS);
	json_t *reply = NULL;
	const char *text, *at;
	int ret = qmp_command(vm->qmp, "human-monitor-command",
			      json_pack("{s:s}", "command-line", line), 10, &reply);

	if (ret)
		return ret;
	text = json_string_value(reply);
	at = text ? strstr(text, ") is 0x") : NULL;
	*va = at ? strtoull(at + strlen(") is "), NULL, 16) : 0;
	json_decref(reply);
	return *va ? 0 : -EBADMSG;
}

static int start_vm(const struct boot *boot, const char *dir, struct vm **vm)
{
	struct vm_config config;
	int ret = mkdir_all(dir);

	if (!ret)
		ret = vm_config_guest(boot->build_dir, NULL, VM_MEMORY, 1, &config);
	if (ret)
		return ret;
	ret = vm_start(&config, dir, vm);
	vm_config_free(&config);
	if (ret)
		return ret;
	/* The boot's metrics go on meanwhile. */
	(*vm)->waiter.tick = boot->vm->waiter.tick;
	(*vm)->waiter.arg = boot->vm->waiter.arg;
	return vm_await_created(*vm, VM_START_S);
}

int bystander_vm(const struct boot *boot, const char *dir, struct bystander **out, char **why)
{
	struct bystander *bystander = bystander_new();
	uint64_t va = 0;
	int ret = start_vm(boot, dir, &bystander->vm);

	if (!ret)
		ret = find_memory(bystander->vm, &va);
	if (ret) {
		if (ret != -EINTR)
			*why = xasprintf("cannot start another VM: %s", strerror(-ret));
		bystander_free(bystander);
		return ret;
	}
	ret = open_process(bystander, bystander->vm->proc.pid);
	if (!ret)
		ret = choose_page(bystander, va, VM_PAGES, boot->guest_config->memory_bytes);
	return finish(bystander, ret, out, why);
}
