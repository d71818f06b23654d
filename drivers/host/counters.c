// SPDX-License-Identifier: GPL-2.0-only
/* The counters file; see counters.h. */
#include "counters.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

struct coiommu_counters *counters_open(const char *path)
{
	size_t size = sizeof(struct coiommu_counters);
	void *mem;
	int fd = -1, err;

	if (path) {
		fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		if (fd < 0)
			return NULL;
		if (ftruncate(fd, (off_t)size)) {
			err = errno;
			close(fd);
			errno = err;
			return NULL;
		}
	}
	mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   path ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, fd, 0);
	err = errno;
	if (fd >= 0)
		close(fd);
	errno = err;
	return mem == MAP_FAILED ? NULL : mem;
}

void counters_close(struct coiommu_counters *counters)
{
	munmap(counters, sizeof(*counters));
}
