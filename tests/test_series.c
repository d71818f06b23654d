// SPDX-License-Identifier: GPL-2.0-only
/* A series of experiments: its file, its folder, what is left of it, and its page. */
#include "tests/made_report.h"

#include <errno.h>

#include "bench/registry.h"
#include "harness/run.h"
#include "harness/series.h"

#define EXPERIMENT_TEXT                                                                    \
	"guest: { memory: 128MiB }\nboots: 1\nmodes: [static, coiommu]\ndevices: [nvme]\n" \
	"workloads: [boot]\n"

static char *file_path(const char *name)
{
	return xasprintf("%s/files/%s", capture_dir, name);
}

static void put_file(const char *name, const char *text)
{
	autofree char *path = file_path(name), *dir = xstrdup(path);

	*strrchr(dir, '/') = '\0';
	assert_int_equal(mkdir_all(dir), 0);
	assert_int_equal(file_replace(path, text, strlen(text)), 0);
}

static int put_files(void **state)
{
	autofree char *files = xasprintf("%s/files", capture_dir);
	int ret = clean(state);

	if (!ret)
		ret = remove_all(files);
	put_file("first.yaml", EXPERIMENT_TEXT);
	put_file("sub/second.yaml", "name: other\n" EXPERIMENT_TEXT);
	put_file("all.yaml", "name: all\nexperiments: [first.yaml, sub/second.yaml]\n");
	return ret;
}

static void assert_refused(const char *text, const char *what)
{
	autofree char *path = file_path("bad.yaml"), *said = NULL;
	struct series series;
	int ret;

	put_file("bad.yaml", text);
	capture_begin();
	ret = series_load(path, &series);
	said = capture_end();
	series_free(&series);
	assert_int_equal(ret < 0, 1);
	assert_one_line(said);
	assert_contains(said, what);
}

static void files_that_are_none(void **state)
{
	autofree char *path = file_path("first.yaml"), *all = file_path("all.yaml");

	assert_false(series_is_file(path));
	assert_true(series_is_file(all));
	assert_false(series_is_file("/nowhere"));
	assert_refused("name: x\nexperiments: first.yaml\n", "bad.yaml:2:14: experiments");
	assert_refused("name: x\nexperiments: []\n", "none is named");
	assert_refused("name: x\n", "no experiments");
	assert_refused("experiments: [first.yaml]\n", "add 'name: NAME'");
	assert_refused("name: a/b\nexperiments: [first.yaml]\n", "bad.yaml:1:7:");
	assert_refused("name: x\nexperiments: [[first.yaml]]\n", "the name of its file");
	assert_refused("name: x\nboots: 3\nexperiments: [first.yaml]\n", "unknown key 'boots'");
	assert_refused("name: x\nexperiments: [gone.yaml]\n", "gone.yaml");
	assert_refused("name: x\nexperiments: [all.yaml]\n", "unknown key 'experiments'");
	assert_refused("name: x\nexperiments: [first.yaml, first.yaml]\n",
		       "bad.yaml:2:27: a second experiment of the name 'first'");
}

static struct series begun(void)
{
	autofree char *path = file_path("all.yaml"), *dir = path_of(".");
	struct series series;

	*strrchr(dir, '/') = '\0';
	assert_int_equal(series_load(path, &series), 0);
	assert_int_equal(series.nr, 2);
	assert_int_equal(series_begin(&series, dir), 0);
	return series;
}

/* Whatever becomes of the user's files, it goes on with what it began with. */
static void goes_on_with_copies(void **state)
{
	struct series series = begun(), again;
	autofree char *dir = xstrdup(series.dir), *said = NULL;

	series_free(&series);
	put_file("first.yaml", "nonsense");
	assert_true(series_is_dir(dir));
	assert_false(series_is_dir(capture_dir));
	assert_int_equal(series_resume(dir, &again), 0);
	assert_int_equal(again.nr, 2);
	assert_string_equal(again.name, "all");
	assert_string_equal(again.items[0].exp->name, "first");
	assert_string_equal(again.items[1].exp->name, "other");
	assert_contains(again.items[1].dir, "/run/other");
	capture_begin();
	assert_int_equal(series_begin(&again, dir), -EEXIST);
	said = capture_end();
	assert_contains(said, "--resume");
	series_free(&again);
}

/* Results of something else that are in the way are not this series': neither done nor lost. */
static void leaves_other_runs_alone(void **state)
{
	autofree char *path = file_path("all.yaml"), *dir = path_of("."), *said = NULL;
	autofree char *kept = NULL;
	struct series series;

	*strrchr(dir, '/') = '\0';
	put("other/manifest.json", "{}");
	assert_int_equal(series_load(path, &series), 0);
	capture_begin();
	assert_int_equal(series_begin(&series, dir), -EEXIST);
	said = capture_end();
	assert_one_line(said);
	assert_contains(said, "/run/other: holds a run already");
	assert_false(series_is_dir(dir));
	kept = get("other/manifest.json");
	assert_string_equal(kept, "{}");
	series_free(&series);
}

static void only_what_there_is(void **state)
{
	autofree char *path = file_path("all.yaml"), *said = NULL;
	struct run_options options = { .config = path, .dry_run = true, .only = "static.*.fio" };

	capture_begin();
	assert_int_equal(series_command(&options), EXIT_USAGE);
	said = capture_end();
	assert_one_line(said);
	assert_contains(said, "no cell of any experiment matches 'static.*.fio'");
}

static void put_part(const char *name, const char *status, const char *cell_status)
{
	autofree char *manifest = xasprintf(
		"{\"schema\": 1, \"run_id\": \"%s\", \"name\": \"%s\", \"status\": \"%s\", "
		"\"where\": \"lab-tcg\", \"cells\": [{\"id\": \"static.nvme.boot\", \"mode\": "
		"\"static\", \"device\": \"nvme\", \"workload\": \"boot\", \"status\": \"ok\", "
		"\"reason\": null, \"boots\": [" BOOT(
			0,
			"ok") "]}, {\"id\": "
			      "\"coiommu.nvme.boot\", \"mode\": \"coiommu\", \"device\": \"nvme\", "
			      "\"workload\": \"boot\", \"status\": \"%s\", \"reason\": \"no <such> thing\", "
			      "\"boots\": []}]}",
		name, name, status, cell_status);
	autofree char *path = xasprintf("%s/manifest.json", name);
	autofree char *samples = xasprintf("%s/samples.csv", name);

	put(path, manifest);
	put(samples, HEADER "static.nvme.boot,static,nvme,boot,,0,vm_create_s,s,lower,2.5\n");
}

static void what_is_left(void **state)
{
	struct series series = begun();

	assert_true(series_due(&series.items[0]));
	put_part("first", "running", "skipped");
	assert_true(series_due(&series.items[0]));
	put_part("first", "complete", "skipped");
	assert_false(series_due(&series.items[0]));
	put_part("first", "complete", "failed");
	assert_true(series_due(&series.items[0]));
	put_part("first", "complete", "invalid"); /* another boot would be no better */
	assert_false(series_due(&series.items[0]));
	series_free(&series);
}

static void page_has_every_mode_and_experiment(void **state)
{
	struct series series = begun();
	autofree char *html = NULL, *words = NULL, *later = NULL;

	put_part("first", "complete", "skipped");
	assert_int_equal(series_report(&series), 0);
	html = get("report.html");
	words = words_of(html);
	assert_contains(html, "<a href=\"first/report.html\">first</a>");
	assert_contains(words, "static1 of 1 cells–");
	assert_contains(words, "coiommu0 of 1 cellsskipped: no &lt;such&gt; thing–");
	assert_contains(words, "viommu-strictin no experiment that was begun");
	assert_contains(words, "other\nNot measured yet.");
	assert_contains(words, "2.50 s");
	assert_contains(words, "they are not hardware figures");
	assert_lacks(html, "Not complete");
	put_part("other", "partial", "failed");
	assert_int_equal(series_report(&series), 0);
	later = get("report.html");
	assert_contains(later, "other/report.html");
	assert_contains(later, "Not complete");
	series_free(&series);
}

/* Of a series that has only begun: the run's report and the page, and nothing of what is to come.
 */
static void reports_again(void **state)
{
	struct series series = begun();
	autofree char *other = xasprintf("%s/other", series.dir), *own = NULL, *page = NULL;

	put_part("first", "complete", "skipped");
	assert_int_equal(series_report_again(series.dir, "scripts"), 0);
	own = get("first/report.html");
	assert_contains(own, "What each way of running the IOMMU costs");
	page = get("report.html");
	assert_contains(page, "<a href=\"first/report.html\">first</a>");
	assert_false(file_exists(other));
	series_free(&series);
}

static bool has_mode(const struct series *series, const struct mode_ops *mode)
{
	for (size_t i = 0; i < series->nr; i++)
		for (size_t m = 0; m < series->items[i].exp->modes.nr; m++)
			if (series->items[i].exp->modes.items[m].ops == mode)
				return true;
	return false;
}

/* The one that comes with the suite leaves no mode out. */
static void the_whole_evaluation(void **state)
{
	struct series series;

	if (!file_exists("configs/paper.yaml"))
		skip();
	assert_int_equal(series_load("configs/paper.yaml", &series), 0);
	for (size_t m = 0; registry_modes[m]; m++)
		if (!has_mode(&series, registry_modes[m]))
			fail_msg("no experiment has %s", registry_modes[m]->name);
	series_free(&series);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(files_that_are_none, put_files),
		cmocka_unit_test_setup(goes_on_with_copies, put_files),
		cmocka_unit_test_setup(leaves_other_runs_alone, put_files),
		cmocka_unit_test_setup(only_what_there_is, put_files),
		cmocka_unit_test_setup(what_is_left, put_files),
		cmocka_unit_test_setup(page_has_every_mode_and_experiment, put_files),
		cmocka_unit_test_setup(reports_again, put_files),
		cmocka_unit_test(the_whole_evaluation),
	};

	return cmocka_run_group_tests(tests, capture_setup, capture_teardown);
}
