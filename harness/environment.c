// SPDX-License-Identifier: GPL-2.0-only
/* What a run's figures depend on besides the experiment. */
#include "harness/environment.h"

#include <dirent.h>
#include <string.h>
#include <sys/utsname.h>

#include "harness/config.h"
#include "harness/guest_files.h"
#include "harness/packages.h"
#include "harness/proc.h"
#include "harness/util.h"

/* The first "key : value" line of /proc/cpuinfo. */
static json_t *cpuinfo_field(const char *text, const char *key)
{
	const char *line = text ? strstr(text, key) : NULL;
	const char *value = line ? strchr(line, ':') : NULL;

	if (!value)
		return json_null();
	value += strspn(value, ": \t");
	return json_stringn(value, strcspn(value, "\n"));
}

static void add_file(json_t *env, const char *key, const char *path)
{
	autofree char *text = file_read_trimmed(path);

	json_object_set_new(env, key, text ? json_string(text) : json_null());
}

static json_t *qemu_version(const char *path)
{
	char *const argv[] = { (char *)(path ? path : "qemu-system-x86_64"), (char *)"--version",
			       NULL };
	autofree char *output = NULL;
	json_t *version;

	if (proc_run(argv, 20, &output))
		return json_null();
	version = json_stringn(output, strcspn(output, "\n"));
	return version;
}

/* "name: state; name: state", of those that are not "Not affected". */
static json_t *mitigations(void)
{
	const char *const dir_path = "/sys/devices/system/cpu/vulnerabilities";
	DIR *dir = opendir(dir_path);
	struct strbuf sb = { 0 };
	struct dirent *entry;
	json_t *text;

	strbuf_add(&sb, "", 0);
	while (dir && (entry = readdir(dir))) {
		autofree char *path = xasprintf("%s/%s", dir_path, entry->d_name);
		autofree char *state = entry->d_name[0] == '.' ? NULL : file_read_trimmed(path);

		if (state && strcmp(state, "Not affected") != 0)
			strbuf_addf(&sb, "%s%s: %s", sb.len ? "; " : "", entry->d_name, state);
	}
	if (dir)
		closedir(dir);
	text = json_string(sb.data);
	free(sb.data);
	return text;
}

static void add_fingerprint(json_t *env, const struct host *host)
{
	static const char *const keys[] = { "cpu_model", "microcode",	 "kernel",
					    "qemu",	 "guest_kernel", "kernel_cmdline" };
	uint64_t hash = fnv1a(FNV1A_INIT, host->kind, strlen(host->kind));
	autofree char *text = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *value = json_string_value(json_object_get(env, keys[i]));

		if (value)
			hash = fnv1a(hash, value, strlen(value) + 1);
	}
	text = xasprintf("%016llx", (unsigned long long)hash);
	json_object_set_new(env, "fingerprint", json_string(text));
}

/* What the host file brings into the guest; the lab's own comes with the build. */
static void add_commands(json_t *named, const struct host *host)
{
	for (size_t i = 0; i < host->nr_devices && !strcmp(host->kind, "host"); i++) {
		const struct host_device *device = &host->devices[i];
		autofree char *hash = device->image ? file_hash(device->image) : NULL;
		json_t *own = json_object();

		if (device->image)
			json_object_set_new(
				own, "image",
				json_pack("{s:s, s:s?}", "path", device->image, "fnv1a", hash));
		if (device->command)
			json_object_set_new(own, "command", host_command_json(device->command));
		if (json_object_size(own))
			json_object_set(named, device->kind, own);
		json_decref(own);
	}
}

/* Of the build, unless the experiment names another. */
static void add_guest(json_t *env, const struct host *host, const struct guest_files *files,
		      const char *build_dir)
{
	autofree char *built = xasprintf("%s/kernel/version", build_dir), *version = NULL;
	json_t *named = guest_files_identity(files);

	json_object_set_new(env, "qemu", qemu_version(files->paths[GUEST_QEMU]));
	if (files->paths[GUEST_KERNEL]) {
		version = guest_files_kernel_version(files->paths[GUEST_KERNEL]);
		json_object_set_new(env, "guest_kernel", json_pack("s?", version));
	} else {
		add_file(env, "guest_kernel", built);
	}
	add_commands(named, host);
	if (json_object_size(named))
		json_object_set(env, "guest_files", named);
	json_decref(named);
}

/* How the running kernel was configured: where that is, and a hash of it. */
static json_t *kernel_config(const char *release, const char *build_dir)
{
	autofree char *built = xasprintf("%s/kernel/version", build_dir);
	autofree char *version = file_read_trimmed(built);
	autofree char *ours = xasprintf("%s/kernel/config", build_dir);
	autofree char *installed = xasprintf("/boot/config-%s", release);
	const char *const paths[] = { installed, "/proc/config.gz",
				      version && !strcmp(version, release) ? ours : NULL };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		autofree char *hash = paths[i] ? file_hash(paths[i]) : NULL;

		if (hash)
			return json_pack("{s:s, s:s}", "path", paths[i], "fnv1a", hash);
	}
	return json_null();
}

json_t *environment_capture(const struct host *host, const struct guest_files *files,
			    const char *build_dir)
{
	static const struct guest_files none;
	autofree char *cpuinfo = file_read("/proc/cpuinfo", NULL);
	json_t *env = json_object();
	struct utsname uts;

	uname(&uts);
	json_object_set_new(env, "cpu_model", cpuinfo_field(cpuinfo, "model name"));
	json_object_set_new(env, "microcode", cpuinfo_field(cpuinfo, "microcode"));
	json_object_set_new(env, "cpus", json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
	json_object_set_new(
		env, "memory_bytes",
		json_integer((json_int_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE)));
	json_object_set_new(env, "kernel", json_string(uts.release));
	json_object_set_new(env, "kernel_build", json_string(uts.version));
	add_file(env, "kernel_cmdline", "/proc/cmdline");
	json_object_set_new(env, "kernel_config", kernel_config(uts.release, build_dir));
	json_object_set_new(env, "packages", packages_installed());
	json_object_set_new(env, "mitigations", mitigations());
	add_guest(env, host, files ? files : &none, build_dir);
	add_file(env, "transparent_hugepages", "/sys/kernel/mm/transparent_hugepage/enabled");
	add_file(env, "ksm", "/sys/kernel/mm/ksm/run");
	add_file(env, "numa_balancing", "/proc/sys/kernel/numa_balancing");
	add_file(env, "cpu_governor", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
	add_file(env, "cpu_turbo_off", "/sys/devices/system/cpu/intel_pstate/no_turbo");
	add_file(env, "smt", "/sys/devices/system/cpu/smt/control");
	add_file(env, "kvm_halt_poll_ns", "/sys/module/kvm/parameters/halt_poll_ns");
	add_file(env, "vfio_dma_entry_limit",
		 "/sys/module/vfio_iommu_type1/parameters/dma_entry_limit");
	add_file(env, "load_average", "/proc/loadavg");
	add_fingerprint(env, host);
	return env;
}
