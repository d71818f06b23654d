// SPDX-License-Identifier: GPL-2.0-only
/* The plan: cells and their ids, the order of VM lives, what is refused. */
#include "tests/capture.h"

#include <errno.h>

#include "bench/registry.h"
#include "harness/plan.h"

/* Plug-ins of the tests' own: the plan looks at names, classes and settings alone. */
static const struct setting depth_table[] = {
	{ "depth", SETTING_COUNT, "1", NULL, 1, 100000, "any" },
	{ "label", SETTING_TEXT, "", NULL, 0, 0, "any" },
	{ 0 },
};
static const struct mode_ops mode_m1 = { .name = "m1" };
static const struct mode_ops mode_m2 = { .name = "m2", .settings = depth_table };
static const struct device_ops device_disk = { .name = "disk", .class = DEVICE_BLOCK };
static const struct device_ops device_port = { .name = "port", .class = DEVICE_NET };
static const struct workload_ops workload_any = { .name = "any", .needs = DEVICE_ANY };
static const struct workload_ops workload_io = { .name = "io",
						 .needs = DEVICE_BLOCK,
						 .settings = depth_table };
static const struct workload_ops workload_net = { .name = "net", .needs = DEVICE_NET };

/* One item of a list; without values it has one variant, with the defaults. */
static void add(struct choices *choices, const void *ops, const struct setting *table,
		const char *const *values)
{
	struct choice *choice;
	char *why;

	choices->items = xrealloc(choices->items, (choices->nr + 1) * sizeof(*choices->items));
	choice = &choices->items[choices->nr++];
	*choice = (struct choice){ .ops = ops, .variants = xzalloc(8 * sizeof(struct variant)) };
	do {
		struct variant *variant = &choice->variants[choice->nr_variants++];

		variant->settings = settings_new(table);
		variant->name = values ? xasprintf("depth=%s", *values) : xstrdup("");
		if (values)
			assert_int_equal(settings_set(variant->settings, "depth", *values, &why),
					 0);
	} while (values && *++values);
}

/* Cells, in order: {m1, m2 depth 1, m2 depth 2} x {disk: any, io 4, io 8; port: any}. */
static struct experiment *make_experiment(void)
{
	static const char *const mode_depths[] = { "1", "2", NULL };
	static const char *const io_depths[] = { "4", "8", NULL };
	struct experiment *exp = xzalloc(sizeof(*exp));

	exp->path = xstrdup("test.yaml");
	exp->boots = 3;
	add(&exp->modes, &mode_m1, NULL, NULL);
	add(&exp->modes, &mode_m2, depth_table, mode_depths);
	add(&exp->devices, &device_disk, NULL, NULL);
	add(&exp->devices, &device_port, NULL, NULL);
	add(&exp->workloads, &workload_any, NULL, NULL);
	add(&exp->workloads, &workload_io, depth_table, io_depths);
	return exp;
}

static struct plan *must_plan(const struct experiment *exp, const char *only, unsigned int boots)
{
	struct plan *plan = NULL;

	assert_int_equal(plan_new(exp, only, boots, &plan), 0);
	return plan;
}

static void must_refuse(const struct experiment *exp, const char *only, const char *message)
{
	autofree char *log = NULL;
	struct plan none, *plan = &none;
	int ret;

	capture_begin();
	ret = plan_new(exp, only, 0, &plan);
	log = capture_end();
	assert_int_equal(ret, -EINVAL);
	assert_null(plan);
	assert_one_line(log);
	assert_contains(log, "error: test.yaml: ");
	assert_contains(log, message);
}

static void test_cells(void **state)
{
	static const char *const ids[] = {
		"m1.disk.any",
		"m1.disk.io.depth=4",
		"m1.disk.io.depth=8",
		"m1.port.any",
		"m2.disk.any.depth=1",
		"m2.disk.io.depth=1+depth=4",
		"m2.disk.io.depth=1+depth=8",
		"m2.port.any.depth=1",
		"m2.disk.any.depth=2",
		"m2.disk.io.depth=2+depth=4",
		"m2.disk.io.depth=2+depth=8",
		"m2.port.any.depth=2",
	};
	struct experiment *exp = make_experiment();
	struct plan *plan = must_plan(exp, NULL, 0);
	const struct cell *cell = &plan->cells[6];

	assert_int_equal(plan->nr_cells, ARRAY_SIZE(ids));
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		assert_string_equal(plan->cells[i].id, ids[i]);
	assert_string_equal(cell->variant, "depth=1+depth=8");
	assert_ptr_equal(cell->mode, &mode_m2);
	assert_ptr_equal(cell->device, &device_disk);
	assert_ptr_equal(cell->workload, &workload_io);
	assert_int_equal(settings_count(cell->mode_settings, "depth"), 1);
	assert_int_equal(settings_count(cell->workload_settings, "depth"), 8);
	assert_int_equal(cell->device_settings->nr, 0);
	assert_null(cell->skip);
	plan_free(plan);
	experiment_free(exp);
}

static void test_boots_interleave(void **state)
{
	struct experiment *exp = make_experiment();
	struct plan *plan = must_plan(exp, NULL, 0);

	assert_int_equal(plan->nr_boots, 3 * 12);
	for (size_t i = 0; i < plan->nr_boots; i++) {
		const struct plan_boot *boot = &plan->boots[i];
		size_t round = i / 12, place = i % 12;

		assert_int_equal(boot->nr_cells, 1);
		assert_int_equal(boot->cells[0], round == 1 ? 11 - place : place);
		assert_int_equal(boot->index, round);
		assert_false(boot->warmup);
	}
	plan_free(plan);
	experiment_free(exp);
}

/* Every life once a round, in whatever order; sequential: a life's boots one after the other. */
static void test_other_orders(void **state)
{
	struct experiment *exp = make_experiment();
	struct plan *plan;
	size_t moved = 0;

	exp->order = ORDER_RANDOM;
	exp->seed = 5;
	plan = must_plan(exp, NULL, 0);
	assert_int_equal(plan->nr_boots, 3 * 12);
	for (size_t round = 0; round < 3; round++) {
		bool seen[12] = { false };

		for (size_t i = 12 * round; i < 12 * round + 12; i++) {
			size_t cell = plan->boots[i].cells[0];

			assert_int_equal(plan->boots[i].index, round);
			assert_false(seen[cell]);
			seen[cell] = true;
			moved += cell != i % 12;
		}
	}
	assert_in_range(moved, 20, 36);
	plan_free(plan);
	exp->order = ORDER_SEQUENTIAL;
	plan = must_plan(exp, NULL, 0);
	for (size_t i = 0; i < plan->nr_boots; i++) {
		assert_int_equal(plan->boots[i].cells[0], i / 3);
		assert_int_equal(plan->boots[i].index, i % 3);
	}
	plan_free(plan);
	experiment_free(exp);
}

static void test_shared_vm(void **state)
{
	static const struct {
		size_t first, nr;
	} lives[] = { { 0, 3 }, { 3, 1 }, { 4, 3 }, { 7, 1 }, { 8, 3 }, { 11, 1 } };
	struct experiment *exp = make_experiment();
	struct plan *plan;

	exp->share_vm = true;
	plan = must_plan(exp, NULL, 2);
	assert_int_equal(plan->nr_boots, 2 * 6);
	for (size_t i = 0; i < plan->nr_boots; i++) {
		const struct plan_boot *boot = &plan->boots[i];
		size_t life = i < 6 ? i : 11 - i;

		assert_int_equal(boot->index, i / 6);
		assert_int_equal(boot->nr_cells, lives[life].nr);
		for (size_t c = 0; c < boot->nr_cells; c++)
			assert_int_equal(boot->cells[c], lives[life].first + c);
	}
	plan_free(plan);
	experiment_free(exp);
}

/* Cells whose guests differ in size, or that change the host, have VMs of their own. */
static void test_own_vm(void **state)
{
	static const char text[] =
		"name: own\nguest: { memory: 256MiB, cpus: 1 }\nboots: 1\nwarmup: 0\nshare_vm: yes\n"
		"modes: [static]\ndevices: [nvme]\nworkloads:\n"
		"  - boot: { memory: [0, 512MiB, 1GiB] }\n  - fio: { rw: [read, randread] }\n"
		"  - overcommit: { vms: [2, 3] }\n";
	static const size_t lives[] = { 1, 1, 1, 2, 1, 1 };
	autofree char *path = capture_file("own.yaml", text, strlen(text));
	struct experiment *exp = NULL;
	struct plan *plan;

	assert_int_equal(experiment_load(path, &exp), 0);
	plan = must_plan(exp, NULL, 1);
	assert_int_equal(plan->nr_boots, ARRAY_SIZE(lives));
	for (size_t i = 0; i < plan->nr_boots; i++)
		assert_int_equal(plan->boots[i].nr_cells, lives[i]);
	assert_int_equal(cell_guest_bytes(&plan->cells[0], 256 * MIB), 256 * MIB);
	assert_int_equal(cell_guest_bytes(&plan->cells[2], 256 * MIB), GIB);
	assert_int_equal(cell_guest_bytes(&plan->cells[3], 256 * MIB), 256 * MIB);
	plan_free(plan);
	experiment_free(exp);
}

static void test_warmup_first(void **state)
{
	struct experiment *exp = make_experiment();
	struct plan *plan;

	exp->share_vm = true;
	exp->warmup = 2;
	plan = must_plan(exp, NULL, 1);
	assert_int_equal(plan->nr_boots, 2 + 6);
	for (size_t i = 0; i < 2; i++) {
		assert_true(plan->boots[i].warmup);
		assert_int_equal(plan->boots[i].index, i);
		assert_int_equal(plan->boots[i].nr_cells, 3);
		assert_int_equal(plan->boots[i].cells[0], 0);
	}
	for (size_t i = 2; i < plan->nr_boots; i++) {
		assert_false(plan->boots[i].warmup);
		assert_int_equal(plan->boots[i].index, 0);
	}
	plan_free(plan);
	experiment_free(exp);
}

static void test_boots_override(void **state)
{
	struct experiment *exp = make_experiment();
	struct plan *plan = must_plan(exp, NULL, 5);

	assert_int_equal(plan->nr_boots, 5 * 12);
	assert_int_equal(plan->boots[59].index, 4);
	plan_free(plan);
	experiment_free(exp);
}

static void test_only(void **state)
{
	struct experiment *exp = make_experiment();
	struct plan *plan;

	exp->share_vm = true;
	plan = must_plan(exp, "m2.*.io.*depth=8", 1);
	assert_int_equal(plan->nr_cells, 2);
	assert_string_equal(plan->cells[0].id, "m2.disk.io.depth=1+depth=8");
	assert_string_equal(plan->cells[1].id, "m2.disk.io.depth=2+depth=8");
	assert_int_equal(plan->nr_boots, 2); /* lives whose cells are all left out are, too */
	assert_int_equal(plan->boots[1].cells[0], 1);
	plan_free(plan);
	must_refuse(exp, "m3*",
		    "no cell matches 'm3*': use a pattern, as 'static.*', for m1.disk.any, "
		    "m1.disk.io.depth=4, m1.disk.io.depth=8, m1.port.any, m2.disk.any.depth=1, "
		    "... (12 in all)");
	experiment_free(exp);
}

static void test_same_id(void **state)
{
	static const char *const depths[] = { "16", NULL };
	struct experiment *exp = make_experiment();
	struct choice *last;

	add(&exp->workloads, &workload_io, depth_table, depths);
	last = &exp->workloads.items[exp->workloads.nr - 1];
	free(last->variants[0].name);
	last->variants[0].name = xstrdup("depth=8"); /* as if by two items without lists */
	must_refuse(exp, NULL,
		    "two cells with the same id 'm1.disk.io.depth=8': give the values as a list, "
		    "as depth: [8, 16]");
	experiment_free(exp);
}

static void test_workload_without_device(void **state)
{
	struct experiment *exp = make_experiment();

	exp->devices.nr--; /* the port, which has no settings to free */
	free(exp->devices.items[1].variants[0].name);
	settings_free(exp->devices.items[1].variants[0].settings);
	free(exp->devices.items[1].variants);
	add(&exp->workloads, &workload_net, NULL, NULL);
	must_refuse(exp, NULL, "workload net needs a network device, and devices names none");
	experiment_free(exp);
}

static void test_idle_device(void **state)
{
	struct experiment *exp = xzalloc(sizeof(*exp));
	autofree char *log = NULL;
	struct plan *plan;

	exp->path = xstrdup("test.yaml");
	exp->boots = 1;
	add(&exp->modes, &mode_m1, NULL, NULL);
	add(&exp->devices, &device_disk, NULL, NULL);
	add(&exp->devices, &device_port, NULL, NULL);
	add(&exp->workloads, &workload_net, NULL, NULL);
	capture_begin();
	plan = must_plan(exp, NULL, 0);
	log = capture_end();
	assert_one_line(log);
	assert_contains(log, "warning: test.yaml: device disk is left out");
	assert_int_equal(plan->nr_cells, 1);
	assert_string_equal(plan->cells[0].id, "m1.port.net");
	plan_free(plan);
	experiment_free(exp);
}

/* An id names a folder: too long ones are cut, and stay distinct by a hash. */
static void test_long_ids(void **state)
{
	static const char *const depths[] = { "1", "2", NULL };
	struct experiment *exp = make_experiment();
	struct choice *choice;
	struct plan *plan;

	add(&exp->modes, &mode_m2, depth_table, depths);
	choice = &exp->modes.items[2];
	for (size_t i = 0; i < 2; i++) {
		char *name = xzalloc(301);

		memset(name, 'n', 300);
		name[299] = (char)('a' + i);
		free(choice->variants[i].name);
		choice->variants[i].name = name;
	}
	plan = must_plan(exp, "*nnn*", 1);
	assert_int_equal(plan->nr_cells, 8);
	for (size_t i = 0; i < plan->nr_cells; i++)
		assert_int_equal(strlen(plan->cells[i].id), 200);
	assert_string_not_equal(plan->cells[0].id, plan->cells[4].id);
	assert_memory_equal(plan->cells[0].id, plan->cells[4].id, 183);
	plan_free(plan);
	experiment_free(exp);
}

static void test_too_many_lives(void **state)
{
	struct experiment *exp = make_experiment();
	autofree char *log = NULL;
	struct plan *plan;

	capture_begin();
	assert_int_equal(plan_new(exp, NULL, 100000, &plan), -EINVAL);
	log = capture_end();
	assert_one_line(log);
	assert_contains(log, "1200000 VM lives are too many: use fewer boots or cells");
	experiment_free(exp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_boots_interleave),
		cmocka_unit_test(test_other_orders),
		cmocka_unit_test(test_shared_vm),
		cmocka_unit_test(test_own_vm),
		cmocka_unit_test(test_warmup_first),
		cmocka_unit_test(test_boots_override),
		cmocka_unit_test(test_only),
		cmocka_unit_test(test_same_id),
		cmocka_unit_test(test_workload_without_device),
		cmocka_unit_test(test_idle_device),
		cmocka_unit_test(test_long_ids),
		cmocka_unit_test(test_too_many_lives),
	};

	return cmocka_run_group_tests_name("plan", tests, capture_setup, capture_teardown);
}
