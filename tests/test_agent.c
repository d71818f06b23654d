// SPDX-License-Identifier: GPL-2.0-only
/* The agent without a VM: it serves its channel, and what it runs ends with it. */
#include "tests/agent_vm.h"
#include "tests/tree.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

static void keep_output(void *arg, const char *data, size_t len)
{
	strbuf_add(arg, data, len);
}

/* A job that would run on for long: its process. */
static pid_t start_sleeper(struct vm *vm)
{
	char *const argv[] = { (char *)"sh", (char *)"-c", (char *)"echo $$; exec sleep 1000",
			       NULL };
	struct strbuf out = { 0 };
	uint32_t job;
	pid_t pid;

	strbuf_add(&out, "", 0);
	assert_int_equal(guest_start(vm->guest, argv, 0, keep_output, &out, &job), 0);
	while (!strchr(out.data, '\n'))
		assert_int_equal(guest_ping(vm->guest, 10), 0);
	pid = (pid_t)strtol(out.data, NULL, 10);
	free(out.data);
	assert_true(pid > 1);
	assert_int_equal(kill(pid, 0), 0);
	return pid;
}

static bool ends(pid_t pid)
{
	for (int i = 0; i < 500; i++) {
		autofree char *path = xasprintf("/proc/%d/stat", pid);
		autofree char *stat = file_read(path, NULL);

		/* One that nobody reaps has ended, too. */
		if (!stat || strstr(stat, ") Z "))
			return true;
		usleep(10000);
	}
	return false;
}

static void test_serve(void **state)
{
	char *const argv[] = { (char *)"sh", (char *)"-c", (char *)"echo $PATH", NULL };
	autofree char *path = NULL, *text = NULL, *build = agent_build_dir();
	autofree char *load = xasprintf(":%s/load\n", build), *file = tree_path("file");
	struct vm *vm = agent_start(tree_root);
	pid_t sleeper;

	assert_int_equal(guest_run(vm->guest, argv, 30, &path), 0);
	assert_non_null(strstr(path, "/usr/bin:"));
	assert_non_null(strstr(path, load));
	tree_put("file", "contents\n");
	assert_int_equal(guest_read(vm->guest, file, &text), 0);
	assert_string_equal(text, "contents");
	sleeper = start_sleeper(vm);
	vm_stop(vm, true);
	assert_true(ends(sleeper));
}

/* Not even a killed harness leaves anything running. */
static void test_killed(void **state)
{
	pid_t harness, sleeper = 0;
	int pipes[2];

	assert_int_equal(pipe(pipes), 0);
	harness = fork();
	if (!harness) {
		pid_t pid = start_sleeper(agent_start(tree_root));

		_exit(write(pipes[1], &pid, sizeof(pid)) == sizeof(pid) && pause());
	}
	assert_int_equal(read(pipes[0], &sleeper, sizeof(sleeper)), sizeof(sleeper));
	kill(harness, SIGKILL);
	waitpid(harness, NULL, 0);
	assert_true(ends(sleeper));
	close(pipes[0]);
	close(pipes[1]);
}

/* On a machine that is no VM it must not take itself for init. */
static void test_usage(void **state)
{
	autofree char *build = agent_build_dir(), *agent = xasprintf("%s/agent 2>/dev/null", build);
	int status = system(agent);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, tree_setup, tree_teardown)
	const struct CMUnitTest tests[] = { TEST(test_serve), TEST(test_killed), TEST(test_usage) };

	return cmocka_run_group_tests_name("agent", tests, NULL, NULL);
}
