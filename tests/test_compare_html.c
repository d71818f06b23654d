// SPDX-License-Identifier: GPL-2.0-only
/* compare's page: the same figures as its JSON, worst first, escaped, with or without plots. */
#include "tests/made_runs.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

static const struct metric hostile = { "<script>alert(1)</script>", "count", "lower" };

static void put_runs(void)
{
	struct made base = { .boots = 10 }, value = { .boots = 10 };
	const struct metric mappings = { "vfio_mappings", "count", "lower" };
	const struct metric none = { "zero", "count", "lower" };

	add_values(&base, IOPS, 1000);
	add_values(&value, IOPS, 900);
	add_values(&base, P99, 0.001);
	add_values(&value, P99, 0.0008);
	add_values(&base, &mappings, 5);
	add_values(&value, &mappings, 5.0001);
	add_values(&base, &hostile, 7);
	add_values(&value, &hostile, 7.2);
	add_values(&base, &none, 0);
	add_values(&value, &none, 1);
	put_run("base", &base);
	put_run("new", &value);
}

/* Compares "base" and "new": the page, to free; with json also what it said, to decref. */
static char *page_of(json_t **json)
{
	autofree char *path = path_of("new", "compare.html"), *text = NULL, *said = NULL;
	const struct compare_options options = {
		.all = true, .as_json = json, .html = path, .scripts_dir = "scripts"
	};
	char *html;

	assert_int_equal(compare_with(options, &text, &said), EXIT_REGRESSION);
	if (json)
		*json = json_loads(text, 0, NULL);
	html = file_read(path, NULL);
	assert_non_null(html);
	return html;
}

/* The figure of that kind in a row of the table; NAN: there is none. */
static double figure_in(const char *row, const char *of)
{
	autofree char *start = xasprintf("<data data-of=\"%s\" value=\"", of);
	const char *at = strstr(row, start);

	return at && at < strstr(row, "</tr>") ? strtod(at + strlen(start), NULL) : NAN;
}

static void assert_figure(const char *row, const char *of, const json_t *json)
{
	double value = figure_in(row, of);

	if (json_is_null(json))
		assert_true(isnan(value));
	else if (fabs(value - json_number_value(json)) > 1e-15 * fabs(value) || isnan(value))
		fail_msg("%s is %.17g, not %.17g", of, value, json_number_value(json));
}

static void page_has_the_figures_in_order(void **state)
{
	static const char *const same[][2] = { { "change", "change" },
					       { "low", "change_low" },
					       { "high", "change_high" },
					       { "q", "q" },
					       { "smallest", "smallest_change" } };
	autofree char *html = NULL;
	json_t *json = NULL, *result;
	const char *row;
	size_t i;

	put_runs();
	html = page_of(&json);
	row = strstr(html, "<tr data-cell=");
	json_array_foreach(json_object_get(json, "results"), i, result) {
		const char *verdict = json_string_value(json_object_get(result, "verdict"));
		autofree char *badge = xasprintf(">%s</span>", verdict);

		assert_non_null(row);
		assert_true(strstr(row, badge) && strstr(row, badge) < strstr(row, "</tr>"));
		assert_figure(row, "base",
			      json_object_get(json_object_get(result, "base"), "median"));
		assert_figure(row, "new",
			      json_object_get(json_object_get(result, "new"), "median"));
		for (size_t f = 0; f < ARRAY_SIZE(same); f++)
			assert_figure(row, same[f][0], json_object_get(result, same[f][1]));
		row = strstr(row + 1, "<tr data-cell=");
	}
	assert_int_equal(i, 5);
	assert_null(row);
	json_decref(json);
}

static void page_is_escaped_and_needs_nothing(void **state)
{
	autofree char *html = NULL;

	put_runs();
	html = page_of(NULL);
	assert_contains(html, "&lt;script&gt;alert(1)");
	assert_null(strstr(html, "<script"));
	assert_null(strstr(html, " src="));
	assert_contains(html, "default-src 'none'");
	assert_contains(html, "<span class=\"badge no-change\">no change</span>");
	assert_contains(html, "-10.0 %");
}

static void there_is_a_plot_of_what_is_worse_and_of_what_is_better(void **state)
{
	autofree char *html = NULL;

	if (system("gnuplot --version >/dev/null 2>&1") != 0)
		skip();
	put_runs();
	html = page_of(NULL);
	assert_contains(html, "aria-label=\"Worse, or not known\"");
	assert_contains(html, "aria-label=\"Better\"");
	assert_contains(html, "id='worse-gp");
	assert_contains(html, "id='better-gp");
}

static void without_gnuplot_there_is_the_table(void **state)
{
	autofree char *html = NULL, *before = xstrdup(getenv("PATH"));

	put_runs();
	setenv("PATH", "/nonexistent", 1);
	html = page_of(NULL);
	setenv("PATH", before, 1);
	assert_null(strstr(html, "<svg"));
	assert_contains(html, "read_iops");
}

static void a_page_that_cannot_be_written_is_an_error(void **state)
{
	const struct compare_options options = { .html = "/nonexistent/compare.html",
						 .scripts_dir = "scripts" };
	autofree char *said = NULL;

	put_runs();
	assert_int_equal(compare_with(options, NULL, &said), EXIT_REGRESSION); /* not hidden */
	assert_contains(said, "/nonexistent/compare.html");
	put_iops("new", &(struct made){ 0 }, 1000);
	put_iops("base", &(struct made){ 0 }, 1000);
	assert_int_equal(compare_with(options, NULL, NULL), EXIT_USAGE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(page_has_the_figures_in_order, made_runs_clean),
		cmocka_unit_test_setup(page_is_escaped_and_needs_nothing, made_runs_clean),
		cmocka_unit_test_setup(there_is_a_plot_of_what_is_worse_and_of_what_is_better,
				       made_runs_clean),
		cmocka_unit_test_setup(without_gnuplot_there_is_the_table, made_runs_clean),
		cmocka_unit_test_setup(a_page_that_cannot_be_written_is_an_error, made_runs_clean),
	};

	return cmocka_run_group_tests(tests, capture_setup, capture_teardown);
}
