// SPDX-License-Identifier: GPL-2.0-only
/* The workload gpu_command with real commands, run by the agent on this machine. */
#include "tests/agent_vm.h"
#include "tests/capture.h"

#include <errno.h>
#include <math.h>

#include "bench/registry.h"
#include "harness/boot.h"

static const struct workload_ops *workload(void)
{
	const struct workload_ops *ops = registry_workload("gpu_command");

	assert_non_null(ops);
	return ops;
}

static struct host_command command = { .score = (char *)"score ([0-9.]+)",
				       .unit = (char *)"GFLOP/s",
				       .better = DIRECTION_LOWER };
static struct host_device device = { .kind = (char *)"gpu",
				     .address = (char *)"0000:0a:00.0",
				     .command = &command };
static const struct host host = { .kind = (char *)"host", .devices = &device, .nr_devices = 1 };

/* One cell's part of a life of what is no VM. */
struct trial {
	struct settings *settings;
	struct cell cell;
	struct boot boot;
	struct cell_run run;
};

static int try_command(struct trial *trial, const char *text, const char *limit)
{
	char *why = NULL;

	command.run = (char *)text;
	trial->settings = settings_new(workload()->settings);
	assert_int_equal(settings_set(trial->settings, "limit", limit, &why), 0);
	trial->cell = (struct cell){ .device = registry_device("gpu"),
				     .workload = workload(),
				     .mode = registry_mode("static"),
				     .workload_settings = trial->settings };
	trial->boot = (struct boot){ .host = &host,
				     .cell = &trial->cell,
				     .vm = agent_start(capture_dir) };
	trial->run =
		(struct cell_run){ .boot = &trial->boot, .cell = &trial->cell, .dir = capture_dir };
	return workload()->run(&trial->run);
}

static void end_trial(struct trial *trial)
{
	vm_stop(trial->boot.vm, true);
	sample_set_free(&trial->run.samples);
	settings_free(trial->settings);
	free(trial->boot.reason);
}

static void assert_file(const char *name, const char *wanted)
{
	autofree char *path = xasprintf("%s/%s", capture_dir, name), *text = file_read(path, NULL);

	assert_non_null(text);
	assert_string_equal(text, wanted);
}

/* The boot is the statistics' unit: its sample is the median, all figures are kept beside it. */
static void figures_become_samples(void **state)
{
	struct trial trial;
	const struct sample_value *score;

	assert_int_equal(try_command(&trial,
				     "echo on $GPU; for n in 4 1 9.5; do echo score $n; done >&2",
				     "30s"),
			 0);
	score = trial.run.samples.items;
	for (size_t i = 0; i < trial.run.samples.nr; i++)
		if (!strcmp(trial.run.samples.items[i].desc->name, "command_score"))
			score = &trial.run.samples.items[i];
	assert_string_equal(score->desc->name, "command_score");
	assert_true(score->value == 4);
	assert_string_equal(score->desc->unit, "GFLOP/s");
	assert_int_equal(score->desc->direction, DIRECTION_LOWER);
	assert_true(sample_get(&trial.run.samples, "command_scores") == 3);
	assert_true(sample_get(&trial.run.samples, "command_s") > 0);
	assert_file("command-output.txt", "on 0000:00:10.0\nscore 4\nscore 1\nscore 9.5\n");
	assert_file("scores.csv", "score\n4\n1\n9.5\n");
	assert_true(trial.run.end_ns > trial.run.begin_ns);
	assert_null(trial.boot.reason);
	end_trial(&trial);
}

/* Each spoils its own cell only (-EREMOTEIO), says why, and leaves what was printed. */
static void failures_are_said(void **state)
{
	static const struct {
		const char *run, *limit, *said, *output;
	} cases[] = {
		{ "echo score 5; echo no such display >&2; exit 3", "30s",
		  "the host file's command ended with exit status 3; it printed last: score 5 no such "
		  "display",
		  "score 5\nno such display\n" },
		{ "kill -9 $$", "30s", "ended with signal 9 (Killed); it printed nothing", "" },
		{ "no-such-program", "30s", "ended with exit status 127", NULL },
		{ "echo 'fps: 5'", "30s",
		  "gives no figure: the host file's score 'score ([0-9.]+)' matches nothing that the "
		  "command printed; it printed last: fps: 5",
		  "fps: 5\n" },
		{ "echo score 1.2.3", "30s", "'1.2.3', which", "score 1.2.3\n" },
		{ "echo score 5; exec sleep 1000", "1s",
		  "did not end within 1.0 s (setting limit); it printed last: score 5",
		  "score 5\n" },
		{ "while :; do echo 0123456789012345678901234567890123456789; done", "60s",
		  "prints more than 16 MiB; it printed last: ", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct trial trial;

		assert_int_equal(try_command(&trial, cases[i].run, cases[i].limit), -EREMOTEIO);
		assert_non_null(trial.boot.reason);
		assert_contains(trial.boot.reason, cases[i].said);
		assert_true(isnan(sample_get(&trial.run.samples, "command_score")));
		if (cases[i].output)
			assert_file("command-output.txt", cases[i].output);
		assert_int_equal(guest_ping(trial.boot.vm->guest, 10), 0);
		end_trial(&trial);
	}
}

static void without_a_command_it_is_skipped(void **state)
{
	struct host_device plain = { .kind = (char *)"gpu" };
	const struct host without = { .devices = &plain, .nr_devices = 1 }, none = { 0 };
	const struct host *const hosts[] = { &without, &none };
	const struct cell cell = { .device = registry_device("gpu") };

	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		autofree char *why = NULL;

		assert_int_equal(workload()->probe(hosts[i], &cell, GIB, &why), -EOPNOTSUPP);
		assert_contains(why, "the host file has no command for the gpu: add 'command: {");
	}
	assert_int_equal(workload()->probe(&host, &cell, GIB, NULL), 0);
}

/* The guest is given the image as a disk that nobody can write. */
static void the_image_is_a_disk(void **state)
{
	struct vm_config config = { 0 };
	struct host_device with = device;
	const struct host other = { .kind = (char *)"host", .devices = &with, .nr_devices = 1 };

	registry_device("gpu")->configure(&host, NULL, ATTACH_VFIO, &config);
	assert_false(strlist_has(&config.args, "-drive"));
	with.image = (char *)"/srv/gpu.erofs";
	registry_device("gpu")->configure(&other, NULL, ATTACH_VFIO, &config);
	assert_true(strlist_has(&config.args,
				"file=/srv/gpu.erofs,if=none,id=image,format=raw,readonly=on"));
	vm_config_free(&config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(figures_become_samples),
		cmocka_unit_test(failures_are_said),
		cmocka_unit_test(without_a_command_it_is_skipped),
		cmocka_unit_test(the_image_is_a_disk),
	};

	return cmocka_run_group_tests(tests, capture_setup, capture_teardown);
}
