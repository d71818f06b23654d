// SPDX-License-Identifier: GPL-2.0-only
/* Other builds of what a guest is made of: read, checked, used, and told apart. */
#include "tests/refuse.h"

#include "harness/config.h"
#include "harness/vm.h"

#define LISTS "modes: [static]\ndevices: [nvme]\nworkloads: [boot]\n"

static int load(const char *path)
{
	struct experiment none, *exp = &none;
	int ret = experiment_load(path, &exp);

	assert_null(exp);
	return ret;
}

static void refused_with_their_place(void **state)
{
	static const struct bad_case cases[] = {
		{ "guest: { qemu: qemu-new }\n" LISTS, "1:16",
		  "qemu: 'qemu-new' is no absolute path", "begin it with /" },
		{ "guest: { kernel: /no/such/bzImage }\n" LISTS, "1:18",
		  "kernel: cannot use '/no/such/bzImage': No such file", "check the path" },
		{ "guest: { qemu: /etc/passwd }\n" LISTS, "1:16",
		  "qemu: cannot use '/etc/passwd': Permission denied", "check the path" },
		{ "guest: { root: /tmp }\n" LISTS, "1:16", "root: '/tmp' is no file",
		  "name the file itself" },
		{ "guest: { root: '/tmp/a,readonly=off' }\n" LISTS, "1:16",
		  "root: '/tmp/a,readonly=off' has a character", "rename it" },
		{ "guest: { initrd: [/a, /b] }\n" LISTS, "1:18", "initrd must be a plain value",
		  "write it as" },
		{ "guest: { kernl: /a }\n" LISTS, "1:10", "unknown key 'kernl' in guest",
		  "did you mean 'kernel'?" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		must_refuse(load, cases[i].text, strlen(cases[i].text), &cases[i]);
}

/* An experiment whose guest's files are all made up. */
static struct experiment *must_load(const char *backend)
{
	autofree char *file = capture_file("image", "x", 1), *path = NULL;
	autofree char *text = xasprintf("guest: { qemu: /bin/true, kernel: %s, initrd: %s, "
					"root: %s, backend: %s }\n" LISTS,
					file, file, file, backend);
	struct experiment *exp = NULL;

	path = capture_file("files.yaml", text, strlen(text));
	assert_int_equal(experiment_load(path, &exp), 0);
	return exp;
}

static void used_in_the_command_line(void **state)
{
	autofree char *backend = capture_file("lib.so", "1", 1), *command = NULL;
	struct experiment *exp = must_load(backend);
	autofree char *drive =
		xasprintf("file=%s,if=none,id=root", exp->guest.files.paths[GUEST_ROOT]);
	struct vm_config config;

	assert_int_equal(vm_config_guest("/nowhere", &exp->guest.files, GIB, 1, &config), 0);
	command = vm_command_line(&config, "DIR");
	assert_int_equal(strncmp(command, "/bin/true ", 10), 0);
	assert_contains(command, drive);
	assert_string_equal(config.kernel, exp->guest.files.paths[GUEST_KERNEL]);
	assert_string_equal(config.initrd, exp->guest.files.paths[GUEST_INITRD]);
	assert_string_equal(config.backend, backend);
	assert_null(strstr(command, "/nowhere"));
	vm_config_free(&config);
	experiment_free(exp);
}

/* Two builds at one path, one after the other, are not the same. */
static void told_apart_by_content(void **state)
{
	autofree char *backend = capture_file("lib.so", "1", 1);
	struct experiment *exp = must_load(backend);
	json_t *json = experiment_json(exp), *one, *same, *other;

	assert_string_equal(
		json_string_value(json_object_get(json_object_get(json, "guest"), "backend")),
		backend);
	one = guest_files_identity(&exp->guest.files);
	same = guest_files_identity(&exp->guest.files);
	assert_int_equal(file_replace(backend, "2", 1), 0);
	other = guest_files_identity(&exp->guest.files);
	assert_true(json_equal(one, same));
	assert_false(json_equal(one, other));
	assert_int_equal(json_object_size(one), NR_GUEST_FILES);
	json_decref(json);
	json_decref(one);
	json_decref(same);
	json_decref(other);
	experiment_free(exp);
}

static void version_of_a_kernel(void **state)
{
	static const char magic[] = { 'H', 'd', 'r', 'S' };
	static const char text[] = "6.12.7-test (me@here) #1 SMP";
	unsigned char image[0x400] = { 0 };
	autofree char *path = NULL, *version = NULL;

	memcpy(image + 0x202, magic, sizeof(magic));
	image[0x20e] = 0x30;
	image[0x20f] = 0x01;
	memcpy(image + 0x330, text, sizeof(text));
	path = capture_file("bzImage", image, sizeof(image));
	version = guest_files_kernel_version(path);
	assert_string_equal(version, "6.12.7-test");
	image[0x202] = 'X';
	free(path);
	path = capture_file("bzImage", image, sizeof(image));
	assert_null(guest_files_kernel_version(path));
	assert_null(guest_files_kernel_version("/bin/true"));
	assert_null(guest_files_kernel_version("/no/such/file"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_with_their_place),
		cmocka_unit_test(used_in_the_command_line),
		cmocka_unit_test(told_apart_by_content),
		cmocka_unit_test(version_of_a_kernel),
	};

	return cmocka_run_group_tests(tests, capture_setup, capture_teardown);
}
