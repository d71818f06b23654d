/* SPDX-License-Identifier: GPL-2.0-only */
/* QEMU's command line, as vm.c starts it and a dry run shows it. */
#ifndef HARNESS_VM_COMMAND_H
#define HARNESS_VM_COMMAND_H

#include "harness/vm.h"

/* The program: the configuration's, or the one that is installed. */
const char *vm_qemu(const struct vm_config *config);

/*
 * Adds the program and all its arguments to argv; what the VM prints goes to files in dir.
 * Descriptors of -1 stand in a dry run.
 */
void vm_arguments(const struct vm_config *config, const char *dir, int qmp_fd, int agent_fd,
		  struct strlist *argv);

/* Environment and arguments as one shell-quoted line, to free. */
char *vm_quote(const struct vm_config *config, const struct strlist *argv);

#endif
