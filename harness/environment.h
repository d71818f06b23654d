/* SPDX-License-Identifier: GPL-2.0-only */
/* What a run's figures depend on besides the experiment: recorded with every run. */
#ifndef HARNESS_ENVIRONMENT_H
#define HARNESS_ENVIRONMENT_H

#include <jansson.h>

struct guest_files;
struct host;

/*
 * CPU, microcode, kernel and its command line, mitigations, memory, QEMU, guest kernel, THP,
 * NUMA balancing, governor, KVM's halt polling ... and "fingerprint", a hash over what makes
 * figures comparable. What files names in place of what is installed or built (NULL: nothing) is in
 * "guest_files", with hashes. What cannot be read is null. New reference.
 */
json_t *environment_capture(const struct host *host, const struct guest_files *files,
			    const char *build_dir);

#endif
