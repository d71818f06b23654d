// SPDX-License-Identifier: GPL-2.0-only
/* run --ab: whose turn it is, who gets more boots, what is refused, and how it is judged. */
#include "tests/made_runs.h"

#include <errno.h>
#include <math.h>

#include "harness/ab.h"
#include "harness/partner.h"

#define EXPERIMENT_OF(modes) \
	"modes: [" modes "]\ndevices: [nvme]\nworkloads:\n  - boot\n  - fio: { rw: randread }\n"

/* --- whose turn it is --- */

struct session {
	struct experiment *exps[NR_SIDES];
	struct plan *plans[NR_SIDES];
	struct turns turns;
};

static void session_make(struct session *session, const char *const texts[NR_SIDES],
			 enum boot_order order)
{
	struct looks looks = { { 2, 3, 4 }, 3 };

	for (unsigned int side = 0; side < NR_SIDES; side++) {
		autofree char *path =
			capture_file(side ? "b.yaml" : "a.yaml", texts[side], strlen(texts[side]));

		assert_int_equal(experiment_load(path, &session->exps[side]), 0);
		assert_int_equal(plan_new(session->exps[side], NULL, 4, &session->plans[side]), 0);
	}
	turns_make((const struct plan *const *)session->plans, &looks, order, 1, &session->turns);
}

static void session_free(struct session *session)
{
	turns_free(&session->turns);
	for (unsigned int side = 0; side < NR_SIDES; side++) {
		plan_free(session->plans[side]);
		experiment_free(session->exps[side]);
	}
}

/* "A0 B0 B1 ...": sides and rounds, with the cell's place where there are several lives. */
static int write_turn(void *arg, const struct turn_life *life, const struct plan_boot *boot)
{
	strbuf_addf(arg, "%s%c%zu.%u", ((struct strbuf *)arg)->len ? " " : "",
		    life->side ? 'B' : 'A', boot->cells[0], boot->index);
	return 0;
}

static void assert_turns(const struct turns *turns, const char *expected)
{
	struct strbuf order = { 0 };

	assert_int_equal(turns_each(turns, write_turn, &order), 0);
	assert_string_equal(order.data, expected);
	free(order.data);
}

static void sides_take_turns(void **state)
{
	static const char *const texts[] = { EXPERIMENT_OF("static"),
					     EXPERIMENT_OF("viommu-strict") };
	struct session session;

	session_make(&session, texts, ORDER_ALTERNATE);
	assert_turns(&session.turns, "A0.0 B0.0 A1.0 B1.0 B1.1 A1.1 B0.1 A0.1");
	session_free(&session);
}

static void sides_of_different_length(void **state)
{
	static const char *const texts[] = { EXPERIMENT_OF("static"),
					     "share_vm: yes\n" EXPERIMENT_OF("static") };
	struct session session;

	session_make(&session, texts, ORDER_ALTERNATE);
	assert_turns(&session.turns, "A0.0 B0.0 A1.0 A1.1 B0.1 A0.1");
	/* The one life of B serves both cells. */
	assert_ptr_equal(turns_find(&session.turns, 1, "static.nvme.boot"),
			 turns_find(&session.turns, 1, "static.nvme.fio"));
	assert_null(turns_find(&session.turns, 1, "static.nvme.tcp"));
	session_free(&session);
}

static void only_what_is_inconclusive_goes_on(void **state)
{
	static const char *const texts[] = { EXPERIMENT_OF("static"), EXPERIMENT_OF("static") };
	static const char *const fio = "static.nvme.fio", *const boot = "static.nvme.boot";
	const size_t first[4] = { 0 }, then[4] = { 0, 0, 1, 1 }, last[4] = { 0, 0, 2, 2 };
	struct session session, again;
	json_t *json;

	session_make(&session, texts, ORDER_ALTERNATE);
	assert_true(turns_extend(&session.turns, first, fio, fio));
	assert_true(turns_extend(&session.turns, first, fio, fio)); /* another metric of it */
	assert_turns(&session.turns, "A0.0 B0.0 A1.0 B1.0 B1.1 A1.1 B0.1 A0.1 A1.2 B1.2");

	/* Resumed, it goes on to the same look. */
	json = turns_json(&session.turns);
	session_make(&again, texts, ORDER_ALTERNATE);
	turns_read(json, &again.turns);
	assert_turns(&again.turns, "A0.0 B0.0 A1.0 B1.0 B1.1 A1.1 B0.1 A0.1 A1.2 B1.2");
	json_decref(json);
	session_free(&again);

	assert_true(turns_extend(&session.turns, then, fio, fio));
	assert_turns(&session.turns, "A0.0 B0.0 A1.0 B1.0 B1.1 A1.1 B0.1 A0.1 A1.2 B1.2 B1.3 A1.3");
	assert_false(turns_extend(&session.turns, last, fio, fio));
	assert_false(turns_extend(&session.turns, first, "no.such.cell", "no.such.cell"));
	/* A cell that was settled may become inconclusive again, among others. */
	assert_true(turns_extend(&session.turns, last, boot, boot));
	assert_int_equal(turns_find(&session.turns, 0, boot)->look, 1);
	session_free(&session);
}

static void random_turns_have_a_seed(void **state)
{
	static const char *const texts[] = { EXPERIMENT_OF("static"), EXPERIMENT_OF("static") };
	struct strbuf one = { 0 }, same = { 0 }, other = { 0 };
	struct session session;

	session_make(&session, texts, ORDER_RANDOM);
	turns_each(&session.turns, write_turn, &one);
	turns_each(&session.turns, write_turn, &same);
	session.turns.seed = 2;
	turns_each(&session.turns, write_turn, &other);
	assert_string_equal(one.data, same.data);
	assert_string_not_equal(one.data, other.data);
	assert_int_equal(one.len, other.len);
	free(one.data);
	free(same.data);
	free(other.data);
	session_free(&session);
}

static void partners(void **state)
{
	static const struct cell_names one[] = { { "m.d.w", "m", "d", "w", "" },
						 { "m.d.v.x=1", "m", "d", "v", "x=1" } };
	static const struct cell_names other[] = { { "n.d.v.x=1", "n", "d", "v", "x=1" },
						   { "n.e.w", "n", "e", "w", "" },
						   { "m.d.w", "m", "d", "w", "" } };

	assert_int_equal(partner_find(one, 2, 0, other, 3), 2);		 /* the same id */
	assert_int_equal(partner_find(one, 2, 1, other, 3), NO_PARTNER); /* two modes there */
	assert_int_equal(partner_find(one, 2, 1, other, 2), 0);		 /* one mode against one */
	assert_int_equal(partner_find(one, 2, 0, other, 2), NO_PARTNER); /* another device */
	assert_int_equal(partner_find(one, 2, 0, other, 0), NO_PARTNER);
}

/* --- what is refused --- */

static void refused(const char *a, const char *b, struct run_options options, const char *why)
{
	autofree char *a_path = capture_file("a.yaml", a, strlen(a)), *log = NULL, *dir = NULL;
	autofree char *b_path = capture_file("b.yaml", b, strlen(b));
	int code;

	options.config = a_path;
	options.ab = b_path;
	options.dry_run = true;
	capture_begin();
	code = ab_measure(&options, "ab", &dir);
	log = capture_end();
	assert_int_equal(code, EXIT_USAGE);
	assert_null(dir);
	assert_one_line(log);
	assert_contains(log, why);
}

static void what_cannot_be_tested(void **state)
{
	static const char *const one = EXPERIMENT_OF("static");

	refused("order: sequential\n" EXPERIMENT_OF("static"), one, (struct run_options){ 0 },
		"a.yaml: order: sequential lets neither side have its turn");
	refused(one, one, (struct run_options){ .boots = 10, .max_boots = 9 },
		"boots: 10 is more than --max-boots 9");
	refused(EXPERIMENT_OF("static, viommu-pt"), EXPERIMENT_OF("viommu-strict"),
		(struct run_options){ 0 },
		"no cell of one is to be compared with one of the other, as static.nvme.boot and "
		"viommu-strict.nvme.boot");
	refused(one, "modes: []\n", (struct run_options){ 0 }, "b.yaml:1:");
	refused(one, one, (struct run_options){ .only = "x*" }, "no cell matches 'x*'");
}

static void sessions_that_are_damaged(void **state)
{
	static const char *const texts[] = {
		"{",
		"{\"schema\": 2, \"session\": \"s\", \"looks\": [6]}",
		"{\"schema\": 1, \"looks\": [6]}",
		"{\"schema\": 1, \"session\": \"s\", \"looks\": [9, 6]}",
	};
	autofree char *dir = xasprintf("%s/new", capture_dir);

	assert_false(ab_is_session(dir));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct run_options options = { .resume = dir };
		autofree char *log = NULL, *none = NULL;

		put("new", "ab.json", texts[i]);
		assert_true(ab_is_session(dir));
		capture_begin();
		assert_int_equal(ab_measure(&options, "ab", &none), EXIT_USAGE);
		log = capture_end();
		assert_one_line(log);
		assert_contains(log, "/new/ab.json");
	}
}

/* --- how it is judged --- */

#define SIDE(side) "{\"session\": \"s\", \"side\": \"" side "\", \"looks\": [6, 13, 20]}"

static void what_differs_is_what_is_tested(void **state)
{
	autofree char *printed = NULL, *said = NULL;

	put_iops("base", &(struct made){ .ab = SIDE("a") }, 1000);
	put_iops("new",
		 &(struct made){
			 .ab = SIDE("b"), .memory = "2048", .fingerprint = "beef", .bs = "8192" },
		 900);
	assert_int_equal(compare_with((struct compare_options){ 0 }, &printed, &said),
			 EXIT_REGRESSION);
	assert_string_equal(said, "");
	assert_contains(printed, "tested: other config guest: {\"memory_bytes\":1024");
	assert_contains(printed, "tested: other environment fingerprint");
	assert_contains(printed, "tested: " FIO ": fio has other settings");
	assert_contains(printed, "judged at 6, 13, 20 boots a side at most, each time with 1/3");
}

/* Of other sessions, or of one side, nothing is passed over. */
static void others_are_refused(void **state)
{
	static const char *const marks[] = {
		NULL,
		SIDE("a"),
		"{\"session\": \"t\", \"side\": \"b\", \"looks\": [6, 13, 20]}",
		"{\"session\": \"s\", \"side\": \"b\", \"looks\": [6]}",
	};

	put_iops("base", &(struct made){ .ab = SIDE("a") }, 1000);
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		autofree char *said = NULL;

		put_iops("new", &(struct made){ .ab = marks[i], .fingerprint = "beef" }, 1000);
		assert_int_equal(compare_with((struct compare_options){ 0 }, NULL, &said),
				 EXIT_USAGE);
		assert_contains(said, i == 3 ? "no looks that agree" : "not comparable");
	}
}

/* p of 6 boots apart is 0.0022: enough for 1 %, and for a third of it, but not for a fifth. */
static void each_look_has_its_share(void **state)
{
	struct compare_options options = { .as_json = true };
	autofree char *text = NULL;
	json_t *json, *result;

	put_iops("base", &(struct made){ .ab = SIDE("a"), .boots = 6 }, 1000);
	put_iops("new", &(struct made){ .ab = SIDE("b"), .boots = 6 }, 900);
	assert_int_equal(compare_with(options, &text, NULL), EXIT_REGRESSION);
	json = json_loads(text, 0, NULL);
	result = json_array_get(json_object_get(json, "results"), 0);
	assert_true(fabs(json_number_value(json_object_get(result, "share")) - 1 / 3.0) < 1e-12);
	assert_true(fabs(json_number_value(json_object_get(result, "q")) - 3 * 2 / 924.0) < 1e-12);
	assert_true(fabs(json_number_value(json_object_get(result, "confidence")) - 1 + 0.05 / 3) <
		    1e-12);
	assert_string_equal(json_string_value(json_object_get(result, "new_cell")), FIO);
	json_decref(json);
}

#define CLEAN_TEST(f) cmocka_unit_test_setup(f, made_runs_clean)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sides_take_turns),
		cmocka_unit_test(sides_of_different_length),
		cmocka_unit_test(only_what_is_inconclusive_goes_on),
		cmocka_unit_test(random_turns_have_a_seed),
		cmocka_unit_test(partners),
		cmocka_unit_test(what_cannot_be_tested),
		CLEAN_TEST(sessions_that_are_damaged),
		CLEAN_TEST(what_differs_is_what_is_tested),
		CLEAN_TEST(others_are_refused),
		CLEAN_TEST(each_look_has_its_share),
	};

	return cmocka_run_group_tests(tests, capture_setup, capture_teardown);
}
