// SPDX-License-Identifier: GPL-2.0-only
/* The counters file; see counters.h. */
#include "counters.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Stays open: others find the memory through /proc/PID/fd, and it vanishes with us. */
static int open_memory(const char *path)
{
	if (path)
		return open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	return memfd_create(COIOMMU_COUNTERS_MEMFD, MFD_CLOEXEC);
}

struct coiommu_counters *counters_open(const char *path)
{
	size_t size = sizeof(struct coiommu_counters);
	int fd = open_memory(path), err;
	void *mem = MAP_FAILED;

	if (fd < 0)
		return NULL;
	if (!ftruncate(fd, (off_t)size))
		mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mem != MAP_FAILED)
		return mem;
	err = errno;
	close(fd);
	errno = err;
	return NULL;
}
