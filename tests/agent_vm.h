/* SPDX-License-Identifier: GPL-2.0-only */
/* This build's agent on this machine: all of a guest but its VM. */
#ifndef TESTS_AGENT_VM_H
#define TESTS_AGENT_VM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/vm.h"

/* Where this test has been built, with the agent. To free. */
static inline char *agent_build_dir(void)
{
	char self[4096] = "";
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	assert_true(len > 0);
	*strrchr(self, '/') = '\0';
	*strrchr(self, '/') = '\0';
	return xstrdup(self);
}

/* Its log is in dir. To be ended with vm_stop(). */
static inline struct vm *agent_start(const char *dir)
{
	autofree char *build = agent_build_dir();
	struct vm *vm = NULL;

	assert_int_equal(vm_start_agent(build, NULL, dir, &vm), 0);
	assert_int_equal(vm_await_ready(vm, 30), 0);
	return vm;
}

#endif
