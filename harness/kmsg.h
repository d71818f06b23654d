/* SPDX-License-Identifier: GPL-2.0-only */
/* What kernels complain about, on the host and in the guest. */
#ifndef HARNESS_KMSG_H
#define HARNESS_KMSG_H

#include <stddef.h>

struct kmsg_findings {
	unsigned int iommu_faults;
	unsigned int splats;		 /* warnings, bugs, oopses, lockups */
	char *first_fault, *first_splat; /* to free with kmsg_findings_free() */
};
void kmsg_findings_free(struct kmsg_findings *findings);

/* Looks through kernel messages, one a line in any format; adds to findings. */
void kmsg_scan(const char *text, struct kmsg_findings *findings);

/* Opens the host's messages at their present end. Descriptor or -errno. */
int kmsg_open(void);
/* Scans what has come since. 0 or -errno. */
int kmsg_read(int fd, struct kmsg_findings *findings);

#endif
