// SPDX-License-Identifier: GPL-2.0-only
/* A command of the host file: how it is read, refused and told apart, and its figures. */
#include "tests/refuse.h"

#include "harness/environment.h"
#include "harness/host_command.h"

#define GPU "devices:\n  gpu: { address: \"0000:0a:00.0\", "
#define COMMAND(what) GPU "command: { " what " } }\n"

static struct host *must_load(const char *text)
{
	autofree char *path = capture_file("host.yaml", text, strlen(text));
	struct host *host = NULL;

	assert_int_equal(host_load(path, &host), 0);
	return host;
}

static void is_read(void **state)
{
	struct host *host = must_load(COMMAND("run: 'bench --all', score: 'Score: ([0-9.]+)', "
					      "unit: GFLOP/s, better: lower"));
	const struct host_command *command = host_device(host, "gpu")->command;

	assert_string_equal(command->run, "bench --all");
	assert_string_equal(command->score, "Score: ([0-9.]+)");
	assert_string_equal(command->unit, "GFLOP/s");
	assert_int_equal(command->better, DIRECTION_LOWER);
	assert_null(host_device(host, "gpu")->image);
	host_free(host);
}

static void has_defaults(void **state)
{
	struct host *host = must_load(COMMAND("run: a, score: (b)"));
	const struct host_command *command = host_device(host, "gpu")->command;

	assert_string_equal(command->unit, "points");
	assert_int_equal(command->better, DIRECTION_HIGHER);
	host_free(host);
	host = must_load("devices: { gpu: \"0000:0a:00.0\" }\n");
	assert_null(host_device(host, "gpu")->command);
	host_free(host);
}

static const struct bad_case bad_hosts[] = {
	{ GPU "command: glmark2 }\n", "2:44", "command must be a mapping", "run: \"glmark2" },
	{ COMMAND("rum: a"), "2:46", "unknown key 'rum' in command", "did you mean 'run'?" },
	{ COMMAND("run: a"), "2:44", "a command needs a score", "Score: ([0-9.]+)" },
	{ COMMAND("score: (b)"), "2:44", "a command needs something to run", "glmark2" },
	{ COMMAND("run: a, score: '([0-9]+'"), "2:61",
	  "score: '([0-9]+' is no extended regular expression: Unmatched ( or \\(", "regex(7)" },
	{ COMMAND("run: a, score: 'a([0-9'"), "2:61",
	  "score: 'a([0-9' is no extended regular expression: Unmatched [", "regex(7)" },
	{ COMMAND("run: a, score: 'fps: [0-9]+'"), "2:61", "score: 'fps: [0-9]+' has 0 groups",
	  "in parentheses" },
	{ COMMAND("run: a, score: '(a|b): ([0-9]+)'"), "2:61",
	  "score: '(a|b): ([0-9]+)' has 2 groups", "the figure, and nothing else" },
	{ COMMAND("run: a, score: (b), better: fastest"), "2:74", "better: 'fastest' is no choice",
	  "higher, lower" },
	{ COMMAND("run: a, score: (b), unit: 'a,b'"), "2:72", "unit: 'a,b' is empty, longer",
	  "'frames/s'" },
	{ COMMAND("run: a, score: (b), unit: ''"), "2:72", "unit: '' is empty", "'frames/s'" },
	{ COMMAND("run: a, score: (b), unit: hundredweights-per-fortnight"), "2:72",
	  "unit: 'hundredweights-per-fortnight' is empty, longer than 20", "'frames/s'" },
	{ COMMAND("run: [a], score: (b)"), "2:51", "run must be a plain value", "write it as" },
	{ GPU "image: gpu.erofs }\n", "2:42", "image: 'gpu.erofs' is no absolute path",
	  "begin it with /" },
	{ GPU "image: /no/such.erofs }\n", "2:42",
	  "image: cannot use '/no/such.erofs': No such file", "check the path" },
	{ "devices:\n  nvme: { address: \"0000:0a:00.0\", command: { run: a, score: (b) } }\n",
	  "2:36", "command is for a GPU, which nvme is not", "remove it" },
	{ "devices:\n  nic: { address: \"0000:0a:00.0\", image: /tmp/x }\n", "2:35",
	  "image is for a GPU, which nic is not", "remove it" },
};

static void bad_ones_are_refused(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad_hosts); i++)
		must_refuse(load_host, bad_hosts[i].text, strlen(bad_hosts[i].text), &bad_hosts[i]);
}

/* --- figures --- */

static int find(const char *score, const char *text, size_t len, double **scores, size_t *nr,
		char **why)
{
	const struct host_command command = { .run = (char *)"x", .score = (char *)score };
	struct strbuf output = { 0 };
	int ret;

	strbuf_add(&output, text, len);
	ret = host_command_scores(&command, &output, scores, nr, why);
	free(output.data);
	return ret;
}

static void expect(const char *score, const char *text, const double *wanted, size_t nr_wanted)
{
	autofree double *scores = NULL;
	char *why = NULL;
	size_t nr;

	if (find(score, text, strlen(text), &scores, &nr, &why))
		fail_msg("'%s' in '%s': %s", score, text, why);
	assert_null(why);
	assert_int_equal(nr, nr_wanted);
	assert_memory_equal(scores, wanted, nr_wanted * sizeof(*wanted));
}
#define EXPECT(score, text, ...)                             \
	expect(score, text, (const double[]){ __VA_ARGS__ }, \
	       ARRAY_SIZE(((const double[]){ __VA_ARGS__ })))

static void figures_are_found(void **state)
{
	EXPECT("glmark2 Score: ([0-9]+)", "====\n   glmark2 Score: 1234 \n====\n", 1234);
	EXPECT("fps=(.*)", "fps=-1.5e3\nother\n", -1500);
	EXPECT("([0-9.]+) FPS", "[a] 1 FPS\n[b] 2.5 FPS\n[c] 3 FPS", 1, 2.5, 3);
	EXPECT("([0-9]+)", "1 2 3", 1, 2, 3); /* several in one line */
	/* Lines begin and end at newlines, and only there. */
	EXPECT("^([0-9])", "123\n456\n", 1, 4);
	EXPECT("([0-9])$", "123\n456\n", 3, 6);
	EXPECT("\\<([0-9])", "12 34", 1, 3);
	EXPECT("a[^0]*b([0-9])", "a\nab1\n", 1); /* no match goes over a line's end */
	EXPECT("\"frames_per_s\":([0-9.]+)",
	       "{\"event\":\"begun\"}\n{\"event\":\"result\",\"frames_per_s\":212.5,\"frame\":48}\n",
	       212.5);
}

static void bytes_of_any_kind_do_not_end_the_output(void **state)
{
	static const char text[] = "x\0y\n\xff\xfe fps 7\n\0fps 8\n";
	autofree double *scores = NULL;
	char *why = NULL;
	size_t nr;

	assert_int_equal(find("fps ([0-9]+)", text, sizeof(text) - 1, &scores, &nr, &why), 0);
	assert_int_equal(nr, 2);
	assert_true(scores[0] == 7 && scores[1] == 8);
}

static void no_figure_is_said(void **state)
{
	static const struct {
		const char *score, *text, *said;
		int ret;
	} cases[] = {
		{ "Score: ([0-9]+)", "", "'Score: ([0-9]+)' matches nothing", -ENOENT },
		{ "Score: ([0-9]+)", "score: 5\nScore:\n5\n", "matches nothing", -ENOENT },
		{ "Score: (.*)", "Score: 5\nScore: good\n", "'good', which", -EINVAL },
		{ "Score: ([^\n]*)", "Score: 5 fps\n", "'5 fps', which", -EINVAL },
		{ "Score:([0-9]*)", "Score: 5\n", "'', which", -EINVAL },
		{ "Score: (.*)", "Score: nan\n", "is no number", -EINVAL },
		{ "Score: (.*)", "Score: 1e999\n", "is no number", -EINVAL },
		{ "Score: (.*)", "Score: 5\xff\n", "'5 ', which",
		  -EINVAL }, /* fit for a manifest */
		{ "a|b([0-9]+)", "a b1\n", "'', which", -EINVAL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		double *scores = NULL;
		autofree char *why = NULL;
		size_t nr;

		assert_int_equal(find(cases[i].score, cases[i].text, strlen(cases[i].text), &scores,
				      &nr, &why),
				 cases[i].ret);
		assert_contains(why, cases[i].said);
		assert_null(scores);
		assert_int_equal(nr, 0);
	}
}

/* --- what was measured --- */

static json_t *files_of(const char *text)
{
	struct host *host = must_load(text);
	json_t *env = environment_capture(host, NULL, "/nowhere");
	json_t *files = json_incref(json_object_get(env, "guest_files"));

	json_decref(env);
	host_free(host);
	return files;
}

/* Runs of two commands, or of two contents of one image, are not of one kind. */
static void runs_are_told_apart(void **state)
{
	autofree char *image = capture_file("image", "1", 1);
	autofree char *with = xasprintf(GPU "image: %s }\n", image);
	json_t *a = files_of(COMMAND("run: a, score: (b)")),
	       *b = files_of(COMMAND("run: a, score: (c)"));
	json_t *again = files_of(COMMAND("run: a, score: (b)")), *one = files_of(with), *other;

	assert_non_null(a);
	assert_true(json_equal(a, again));
	assert_false(json_equal(a, b));
	assert_int_equal(file_replace(image, "2", 1), 0);
	other = files_of(with);
	assert_non_null(one);
	assert_false(json_equal(one, other));
	assert_null(files_of("devices: { gpu: \"0000:0a:00.0\" }\n"));
	json_decref(a);
	json_decref(b);
	json_decref(again);
	json_decref(one);
	json_decref(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_read),
		cmocka_unit_test(has_defaults),
		cmocka_unit_test(bad_ones_are_refused),
		cmocka_unit_test(figures_are_found),
		cmocka_unit_test(bytes_of_any_kind_do_not_end_the_output),
		cmocka_unit_test(no_figure_is_said),
		cmocka_unit_test(runs_are_told_apart),
	};

	return cmocka_run_group_tests(tests, capture_setup, capture_teardown);
}
