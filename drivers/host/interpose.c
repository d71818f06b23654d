// SPDX-License-Identifier: GPL-2.0-only
/*
 * libcoiommu.so: puts the backend into an unmodified QEMU by LD_PRELOAD. It replaces ioctl():
 * VFIO mappings of guest memory go to the backend, and a vCPU that leaves KVM_RUN with an
 * access to our ports is served here, in its own thread, and sent back in. QEMU sees neither.
 *
 * VFIO numbers its calls per kind of file: PCI_HOT_RESET of a device is MAP_DMA of a
 * container. So every call is judged by what its descriptor is known to be.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "backend.h"
#include "counters.h"
#include "hostmem.h"

#define NR_FDS 65536
#define MAX_VCPUS 1024
#define IOMMUFD_IOAS_MAP _IO(';', 0x85)
#define VCPU_MMAP_DEFAULT (3 * 4096L)

enum fd_kind {
	FD_OTHER,
	FD_CONTAINER,
	FD_DEVICE,
};

struct vcpu {
	struct kvm_run *run;
	struct backend_vcpu *state;
	bool ran; /* since the machine was last reset */
};

int ioctl(int fd, unsigned long request, ...) __attribute__((visibility("default")));

static uint8_t fd_kinds[NR_FDS];
static struct vcpu *vcpus[NR_FDS]; /* by descriptor */
static struct vcpu *vcpu_list[MAX_VCPUS];
static uint32_t nr_vcpus;
static long vcpu_mmap_size = VCPU_MMAP_DEFAULT;
static bool checked; /* that guest memory was seen */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct settings settings;
static struct coiommu_counters *counters;
static struct backend *backend;

/* ---- System calls ------------------------------------------------------------------- */

static int raw_ioctl(int fd, unsigned long request, void *arg)
{
	return (int)syscall(SYS_ioctl, fd, request, arg);
}

static int sys_dma_map(void *ctx, int fd, uint64_t iova, uint64_t vaddr, uint64_t size,
		       uint32_t flags)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map), .flags = flags, .vaddr = vaddr, .iova = iova, .size = size
	};

	return raw_ioctl(fd, VFIO_IOMMU_MAP_DMA, &map) ? -errno : 0;
}

static int sys_dma_unmap(void *ctx, int fd, uint64_t iova, uint64_t size)
{
	struct vfio_iommu_type1_dma_unmap unmap = { .argsz = sizeof(unmap),
						    .iova = iova,
						    .size = size };

	return raw_ioctl(fd, VFIO_IOMMU_UNMAP_DMA, &unmap) ? -errno : 0;
}

static uint64_t sys_now_ns(void *ctx)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static bool sys_is_ram(void *ctx, uint64_t iova, uint64_t vaddr, uint64_t size)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	bool ram;

	if (!maps)
		return false;
	ram = hostmem_is_ram(maps, iova, vaddr, size);
	fclose(maps);
	return ram;
}

static const struct backend_sys sys = {
	.dma_map = sys_dma_map,
	.dma_unmap = sys_dma_unmap,
	.now_ns = sys_now_ns,
	.is_ram = sys_is_ram,
};

/* ---- Start -------------------------------------------------------------------------- */

static void broken(const char *what)
{
	fprintf(stderr, "coiommu: %s\n", what);
	counters->state = COIOMMU_STATE_BROKEN;
	if (settings.strict)
		abort();
}

/* Each mapping costs VFIO an entry; the VMM needs some for BARs and firmware. */
static uint64_t read_entry_limit(void)
{
	FILE *f = fopen("/sys/module/vfio_iommu_type1/parameters/dma_entry_limit", "re");
	uint64_t limit = 0;
	char line[32];

	if (!f)
		return 0;
	if (fgets(line, sizeof(line), f))
		limit = strtoull(line, NULL, 10);
	fclose(f);
	return limit;
}

static void start(void)
{
	char error[128];

	if (settings_read(&settings, getenv, error, sizeof(error))) {
		fprintf(stderr, "coiommu: %s\n", error);
		_exit(1);
	}
	counters = counters_open(settings.counters_path);
	if (!counters) {
		fprintf(stderr, "coiommu: %s: %s\n", settings.counters_path, strerror(errno));
		_exit(1);
	}
	counters->entry_limit = read_entry_limit();
	if (settings.mappings_auto && counters->entry_limit > 1024)
		settings.policy.max_mappings = counters->entry_limit - 512;
	backend = backend_new(&settings, &sys, NULL, counters);
	/* Helpers that the VMM starts are not ours. */
	unsetenv("LD_PRELOAD");
}

/* Not before the process shows that it is a VMM: shells and wrappers get preloaded, too. */
static struct backend *get_backend(void)
{
	pthread_once(&once, start);
	return backend;
}

static enum fd_kind fd_kind(int fd)
{
	return fd >= 0 && fd < NR_FDS ? __atomic_load_n(&fd_kinds[fd], __ATOMIC_ACQUIRE) : FD_OTHER;
}

static void set_fd_kind(int fd, enum fd_kind kind)
{
	if (fd >= 0 && fd < NR_FDS)
		__atomic_store_n(&fd_kinds[fd], (uint8_t)kind, __ATOMIC_RELEASE);
}

/* ---- VFIO --------------------------------------------------------------------------- */

static int map_dma(int fd, struct vfio_iommu_type1_dma_map *map)
{
	int ret;

	if (map->argsz < sizeof(*map))
		return raw_ioctl(fd, VFIO_IOMMU_MAP_DMA, map);
	ret = backend_dma_map(get_backend(), fd, map->iova, map->vaddr, map->size, map->flags);
	if (ret == BACKEND_PASS)
		return raw_ioctl(fd, VFIO_IOMMU_MAP_DMA, map);
	if (!ret)
		return 0;
	errno = -ret;
	return -1;
}

static int unmap_dma(int fd, struct vfio_iommu_type1_dma_unmap *unmap)
{
	uint64_t iova, size, lazy;
	int ret;

	if (unmap->argsz < offsetof(struct vfio_iommu_type1_dma_unmap, data))
		return raw_ioctl(fd, VFIO_IOMMU_UNMAP_DMA, unmap);
	iova = unmap->flags & VFIO_DMA_UNMAP_FLAG_ALL ? 0 : unmap->iova;
	size = unmap->flags & VFIO_DMA_UNMAP_FLAG_ALL ? UINT64_MAX : unmap->size;
	ret = backend_dma_unmap(get_backend(), fd, iova, size, &lazy);
	if (ret != BACKEND_PASS) {
		unmap->size = lazy;
		return 0;
	}
	ret = raw_ioctl(fd, VFIO_IOMMU_UNMAP_DMA, unmap);
	if (!ret)
		unmap->size += lazy;
	return ret;
}

/* What the guest will see of the device, so that its driver knows which ones to track. */
static void device_found(int fd)
{
	struct vfio_region_info info = { .argsz = sizeof(info),
					 .index = VFIO_PCI_CONFIG_REGION_INDEX };
	uint16_t config[32];

	set_fd_kind(fd, FD_DEVICE);
	if (raw_ioctl(fd, VFIO_DEVICE_GET_REGION_INFO, &info) ||
	    pread(fd, config, sizeof(config), (off_t)info.offset) != sizeof(config)) {
		fprintf(stderr, "coiommu: cannot read the identity of an assigned device\n");
		return;
	}
	backend_device(get_backend(),
		       COIOMMU_DEVICE(config[0], config[1], config[0x2c / 2], config[0x2e / 2]));
}

static int container_call(int fd, unsigned long request, void *arg)
{
	if (request == VFIO_IOMMU_MAP_DMA)
		return map_dma(fd, arg);
	if (request == VFIO_IOMMU_UNMAP_DMA)
		return unmap_dma(fd, arg);
	return raw_ioctl(fd, request, arg);
}

static int device_call(int fd, unsigned long request, void *arg)
{
	int ret = raw_ioctl(fd, request, arg);

	if (!ret && (request == VFIO_DEVICE_RESET || request == VFIO_DEVICE_PCI_HOT_RESET))
		backend_device_reset(get_backend());
	return ret;
}

static int set_iommu(int fd, void *arg)
{
	unsigned long type = (unsigned long)arg;
	int ret = raw_ioctl(fd, VFIO_SET_IOMMU, arg);

	if (ret)
		return ret;
	get_backend();
	if (type == VFIO_TYPE1_IOMMU || type == VFIO_TYPE1v2_IOMMU) {
		set_fd_kind(fd, FD_CONTAINER);
		backend_container(backend, fd);
	} else {
		broken("this VFIO IOMMU type is not supported");
	}
	return 0;
}

/* ---- KVM ---------------------------------------------------------------------------- */

static struct vcpu *find_vcpu(int fd)
{
	return fd >= 0 && fd < NR_FDS ? __atomic_load_n(&vcpus[fd], __ATOMIC_ACQUIRE) : NULL;
}

static void vcpu_created(int fd)
{
	uint32_t i = __atomic_fetch_add(&nr_vcpus, 1, __ATOMIC_RELAXED);
	struct vcpu *v;

	if (fd < 0 || fd >= NR_FDS || i >= MAX_VCPUS) {
		broken("too many vCPUs");
		return;
	}
	v = calloc(1, sizeof(*v));
	if (!v)
		abort();
	v->state = backend_vcpu_new(get_backend());
	__atomic_store_n(&vcpu_list[i], v, __ATOMIC_RELEASE);
	__atomic_store_n(&vcpus[fd], v, __ATOMIC_RELEASE);
}

/*
 * QEMU sets the MP state of vCPUs when it resets the machine, after it has reset the devices
 * and before any vCPU runs again. (A device's own reset says nothing about the machine.)
 */
static void mp_state_set(const struct vcpu *v)
{
	if (!v->ran)
		return;
	for (uint32_t i = 0; i < MAX_VCPUS && vcpu_list[i]; i++)
		vcpu_list[i]->ran = false;
	backend_vm_reset(get_backend());
}

static void check_start(void)
{
	if (__atomic_exchange_n(&checked, true, __ATOMIC_RELAXED))
		return;
	if (counters->containers && !counters->ram_maps)
		broken("the VM starts, but no mapping of guest memory was recognised");
	else if (!counters->containers)
		fprintf(stderr, "coiommu: the VM starts without an assigned device\n");
}

/* False: the exit is not ours. */
static bool serve_exit(struct vcpu *v)
{
	struct kvm_run *run = v->run;
	uint32_t offset = (uint32_t)run->io.port - COIOMMU_PORT;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;

	if (run->exit_reason != KVM_EXIT_IO || offset >= COIOMMU_PORT_NR)
		return false;
	for (uint32_t i = 0; i < run->io.count; i++)
		backend_port(backend, v->state, run->io.direction == KVM_EXIT_IO_OUT, offset,
			     run->io.size, data + (size_t)i * run->io.size);
	return true;
}

static int run_vcpu(int fd, void *arg)
{
	struct vcpu *v = find_vcpu(fd);
	int ret;

	if (!v)
		return raw_ioctl(fd, KVM_RUN, arg);
	if (!v->run) {
		void *run = mmap(NULL, (size_t)vcpu_mmap_size, PROT_READ | PROT_WRITE, MAP_SHARED,
				 fd, 0);

		if (run == MAP_FAILED) {
			broken("cannot map a vCPU's state");
			return raw_ioctl(fd, KVM_RUN, arg);
		}
		v->run = run;
		check_start();
	}
	v->ran = true;
	backend_vcpu_runs(backend);
	/* The next KVM_RUN completes the access; a pending kick makes it return EINTR. */
	do {
		ret = raw_ioctl(fd, KVM_RUN, arg);
		v->state->n->runs++;
	} while (!ret && serve_exit(v));
	return ret;
}

static int other_call(int fd, unsigned long request, void *arg)
{
	int ret = raw_ioctl(fd, request, arg);

	if (ret < 0)
		return ret;
	switch (request) {
	case KVM_CREATE_VM:
		get_backend();
		break;
	case KVM_CREATE_VCPU:
		vcpu_created(ret);
		break;
	case KVM_GET_VCPU_MMAP_SIZE:
		vcpu_mmap_size = ret;
		break;
	case VFIO_GROUP_GET_DEVICE_FD:
		device_found(ret);
		break;
	case IOMMUFD_IOAS_MAP:
		get_backend();
		broken("iommufd is not supported: use the legacy VFIO container");
		break;
	default:
		break;
	}
	return ret;
}

int ioctl(int fd, unsigned long request, ...)
{
	const struct kvm_userspace_memory_region *slot;
	const struct vcpu *v;
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);

	switch (request) {
	case KVM_RUN:
		return run_vcpu(fd, arg);
	case KVM_SET_USER_MEMORY_REGION:
		slot = arg;
		hostmem_slot(slot->guest_phys_addr, slot->userspace_addr, slot->memory_size);
		break;
	case KVM_SET_MP_STATE:
		v = find_vcpu(fd);
		if (v)
			mp_state_set(v);
		break;
	case VFIO_SET_IOMMU:
		return set_iommu(fd, arg);
	default:
		break;
	}
	if (fd_kind(fd) == FD_CONTAINER)
		return container_call(fd, request, arg);
	if (fd_kind(fd) == FD_DEVICE)
		return device_call(fd, request, arg);
	return other_call(fd, request, arg);
}
