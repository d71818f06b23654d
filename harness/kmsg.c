// SPDX-License-Identifier: GPL-2.0-only
/* What kernels complain about, on the host and in the guest. */
#include "harness/kmsg.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "harness/util.h"

/*
 * Intel: "DMAR: [DMA Write NO_PASID] Request device ... fault addr ... [fault reason 0x05]";
 * AMD: "AMD-Vi: Event logged [IO_PAGE_FAULT ...]"; SMMU and others: "Unhandled context fault".
 */
static const char *const fault_marks[] = {
	"DMAR: [DMA Read", "DMAR: [DMA Write",	      "[INTR-REMAP]",
	"IO_PAGE_FAULT",   "Unhandled context fault",
};

static const char *const splat_marks[] = {
	"WARNING: CPU:",
	"BUG: ",
	"Oops: ",
	"general protection fault",
	"Kernel panic",
	"soft lockup",
	"hung_task",
	"blocked for more than",
	"detected stalls on CPUs",
	"possible circular locking",
	"UBSAN: ",
	"KASAN: ",
};

void kmsg_findings_free(struct kmsg_findings *findings)
{
	free(findings->first_fault);
	free(findings->first_splat);
	*findings = (struct kmsg_findings){ 0 };
}

static bool has_mark(const char *line, const char *const *marks, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (strstr(line, marks[i]))
			return true;
	return false;
}

static void scan_line(const char *line, struct kmsg_findings *findings)
{
	if (has_mark(line, fault_marks, ARRAY_SIZE(fault_marks))) {
		findings->iommu_faults++;
		if (!findings->first_fault)
			findings->first_fault = xstrdup(line);
	} else if (has_mark(line, splat_marks, ARRAY_SIZE(splat_marks))) {
		findings->splats++;
		if (!findings->first_splat)
			findings->first_splat = xstrdup(line);
	}
}

void kmsg_scan(const char *text, struct kmsg_findings *findings)
{
	autofree char *copy = xstrdup(text);
	char *save = NULL;

	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		scan_line(line, findings);
}

int kmsg_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	lseek(fd, 0, SEEK_END);
	return fd;
}

int kmsg_read(int fd, struct kmsg_findings *findings)
{
	char record[8192 + 1];

	/* One record a read (Documentation/ABI/testing/dev-kmsg); EPIPE: some were lost. */
	for (;;) {
		ssize_t n = read(fd, record, sizeof(record) - 1);

		if (n < 0 && errno == EPIPE)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		if (n == 0)
			return 0;
		record[n] = '\0';
		record[strcspn(record, "\n")] = '\0';
		scan_line(strchr(record, ';') ? strchr(record, ';') + 1 : record, findings);
	}
}
