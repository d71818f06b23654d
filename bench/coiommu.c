// SPDX-License-Identifier: GPL-2.0-only
/* Access to coIOMMU's counters in QEMU and in the guest; see coiommu.h. */
#include "bench/coiommu.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "harness/util.h"

/* A memfd shows as a link "/memfd:NAME (deleted)". */
static int open_memfd(pid_t pid, const char *name)
{
	autofree char *folder = xasprintf("/proc/%d/fd", pid);
	autofree char *wanted = xasprintf("/memfd:%s ", name);
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int fd = -1;

	if (!dir)
		return -1;
	while (fd < 0 && (entry = readdir(dir))) {
		char link[128] = "";

		if (readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1) > 0 &&
		    !strncmp(link, wanted, strlen(wanted)))
			fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_CLOEXEC);
	}
	closedir(dir);
	if (fd < 0)
		errno = ENOENT;
	return fd;
}

const struct coiommu_counters *coiommu_counters_map(pid_t pid)
{
	autoclose int fd = open_memfd(pid, COIOMMU_COUNTERS_MEMFD);
	const struct coiommu_counters *counters;

	if (fd < 0)
		return NULL;
	counters = mmap(NULL, sizeof(*counters), PROT_READ, MAP_SHARED, fd, 0);
	if (counters == MAP_FAILED)
		return NULL;
	if (counters->magic == COIOMMU_COUNTERS_MAGIC &&
	    counters->version == COIOMMU_COUNTERS_VERSION)
		return counters;
	coiommu_counters_unmap(counters);
	errno = EBADMSG;
	return NULL;
}

void coiommu_counters_unmap(const struct coiommu_counters *counters)
{
	if (counters)
		munmap((void *)counters, sizeof(*counters));
}

void coiommu_requests(const struct coiommu_counters *counters, struct coiommu_requests *sum)
{
	*sum = (struct coiommu_requests){ 0 };
	for (size_t i = 0; i < COIOMMU_COUNTERS_VCPUS; i++) {
		sum->exits += counters->vcpu[i].exits;
		sum->pin_requests += counters->vcpu[i].pin_requests;
		sum->bad += counters->vcpu[i].bad_requests;
		sum->refused += counters->vcpu[i].refused_requests;
	}
}

void coiommu_snapshot(const struct coiommu_counters *counters, struct coiommu_snapshot *s)
{
	do {
		s->seq = __atomic_load_n(&counters->trace_seq, __ATOMIC_SEQ_CST);
		memcpy(&s->policy, &counters->policy, sizeof(s->policy));
		coiommu_requests(counters, &s->requests);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	} while (s->seq % 2 || s->seq != __atomic_load_n(&counters->trace_seq, __ATOMIC_SEQ_CST));
}

int coiommu_log_open(pid_t pid)
{
	return open_memfd(pid, COIOMMU_TRACE_MEMFD);
}

int coiommu_stat(const char *text, const char *name, double *value)
{
	size_t len = strlen(name);

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, name, len) && line[len] == ' ') {
			*value = strtod(line + len, NULL);
			return 0;
		}
	}
	return -ENOENT;
}
