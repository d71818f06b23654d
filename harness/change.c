// SPDX-License-Identifier: GPL-2.0-only
/* The kinds of host changes: how each is undone, and the shell command that does the same. */
#include "harness/change.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/swap.h>

#include "harness/group_type.h"
#include "harness/log.h"
#include "harness/nvme_functions.h"
#include "harness/pci.h"
#include "harness/proc.h"
#include "harness/rebind.h"
#include "harness/shell.h"
#include "harness/sriov.h"
#include "harness/util.h"
#include "harness/wait.h"

/* A cgroup whose last process has just ended is busy for a moment. */
#define BUSY_S 5

/* What kinds of records there are, and which texts each must have. */
struct record_kind {
	const char *name;
	const char *fields[6];
	int (*undo)(const json_t *record, int lock_fd);
	char *(*by_hand)(const json_t *record); /* the shell command that does the same */
};

static const char *text_of(const json_t *record, const char *field)
{
	return json_string_value(json_object_get(record, field));
}

/* ---- attributes ---- */

/* Truncation means nothing to sysfs; the shell's '>' does it, too. A write must not be empty. */
int attribute_write(const char *path, const char *value)
{
	autoclose int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write_all(fd, *value ? value : "\n", *value ? strlen(value) : 1);
}

/* The chosen word of one line such as "always [madvise] never", to free; else NULL. */
static char *chosen_word(const char *text)
{
	autofree char *copy = xstrdup(text);
	char *save = NULL, *chosen = NULL;

	copy[strcspn(copy, "\n")] = '\0';
	if (strlen(copy) + 1 < strlen(text))
		return NULL;
	for (char *word = strtok_r(copy, " \t", &save); word; word = strtok_r(NULL, " \t", &save)) {
		size_t len = strlen(word);

		if (len < 3 || word[0] != '[' || word[len - 1] != ']')
			continue;
		if (chosen)
			return NULL;
		word[len - 1] = '\0';
		chosen = word + 1;
	}
	return chosen ? xstrdup(chosen) : NULL;
}

char *attribute_read(const char *path)
{
	char *text = file_read(path, NULL);
	char *chosen = text ? chosen_word(text) : NULL;

	if (!chosen)
		return text;
	free(text);
	return chosen;
}

static size_t trimmed_len(const char *text)
{
	size_t len = strlen(text);

	while (len && strchr(" \t\r\n", text[len - 1]))
		len--;
	return len;
}

static bool same_value(const char *a, const char *b)
{
	size_t len = trimmed_len(a);

	return len == trimmed_len(b) && !memcmp(a, b, len);
}

/* ---- undo ---- */

static bool is_gone(int err)
{
	return err == -ENOENT || err == -ENODEV || err == -ENXIO;
}

static int undo_write(const json_t *record, int lock_fd)
{
	const char *path = text_of(record, "path"), *old = text_of(record, "old");
	autofree char *now = attribute_read(path);
	int ret = now ? 0 : -errno;

	if (is_gone(ret) || (now && same_value(now, old))) {
		log_debug("%s: nothing to undo", path);
		return 0;
	}
	ret = attribute_write(path, old);
	if (ret)
		return is_gone(ret) ? 0 : ret;
	free(now);
	now = attribute_read(path);
	if (now && !same_value(now, old))
		log_warn("%s: wrote back \"%.*s\", but it shows \"%.*s\"", path,
			 (int)trimmed_len(old), old, (int)trimmed_len(now), now);
	return 0;
}

/* Its number may be another device's by now. */
static int undo_interrupt(const json_t *record, int lock_fd)
{
	if (file_exists(text_of(record, "owner")))
		return undo_write(record, lock_fd);
	log_debug("%s: the interrupt is gone, nothing to undo", text_of(record, "owner"));
	return 0;
}

static char *write_by_hand(const json_t *record)
{
	const char *value = text_of(record, "old");
	autofree char *trimmed = xasprintf("%.*s", (int)trimmed_len(value), value);
	autofree char *old = shell_quoted(trimmed), *path = shell_quoted(text_of(record, "path"));

	return xasprintf("printf '%%s\\n' %s > %s", old, path);
}

static int undo_bind(const json_t *record, int lock_fd)
{
	const struct rebind to = { .bdf = text_of(record, "bdf"),
				   .driver = text_of(record, "old_driver"),
				   .override = text_of(record, "old_override"),
				   .lock_fd = lock_fd };
	const char *old_id = text_of(record, "id");
	autofree char *id = pci_id(to.bdf), *now = pci_driver(to.bdf);

	if (!now && errno == ENODEV) {
		log_debug("%s: gone, nothing to undo", to.bdf);
		return 0;
	}
	if (old_id && id && strcmp(id, old_id) != 0) {
		log_info("%s: another device is there by now (%s, was %s): it stays as it is",
			 to.bdf, id, old_id);
		return 0;
	}
	return rebind(&to);
}

static char *bind_by_hand(const json_t *record)
{
	const char *bdf = text_of(record, "bdf"), *driver = text_of(record, "old_driver");
	const char *override = text_of(record, "old_override");
	struct strbuf sb = { 0 };

	strbuf_addf(&sb, "cd %s/bus/pci && echo %s > devices/%s/driver_override && ", sysfs_root,
		    override ? override : "", bdf);
	strbuf_addf(&sb, "echo %s > devices/%s/driver/unbind", bdf, bdf);
	if (driver)
		strbuf_addf(&sb, "; echo %s > drivers/%s/bind", bdf, driver);
	return sb.data;
}

static int undo_group_type(const json_t *record, int lock_fd)
{
	const char *bdf = text_of(record, "bdf");
	autofree char *now = group_type_read(bdf);

	if (!now) {
		log_debug("%s: gone, nothing to undo", bdf);
		return 0;
	}
	/* A crash may have left the right type, but no driver. */
	return group_type_set(bdf, text_of(record, "old"), text_of(record, "driver"), lock_fd);
}

static char *group_type_by_hand(const json_t *record)
{
	const char *bdf = text_of(record, "bdf");

	return xasprintf("cd %s/bus/pci && echo %s > devices/%s/driver/unbind; "
			 "echo %s > devices/%s/iommu_group/type && echo %s > drivers_probe",
			 sysfs_root, bdf, bdf, text_of(record, "old"), bdf, bdf);
}

static int undo_sriov(const json_t *record, int lock_fd)
{
	return sriov_remove(text_of(record, "bdf"), lock_fd);
}

static char *sriov_by_hand(const json_t *record)
{
	return xasprintf("echo 0 > %s/bus/pci/devices/%s/sriov_numvfs", sysfs_root,
			 text_of(record, "bdf"));
}

static int undo_nvme_division(const json_t *record, int lock_fd)
{
	return nvme_divide(text_of(record, "bdf"), text_of(record, "serial"),
			   text_of(record, "division"), lock_fd);
}

static char *nvme_division_by_hand(const json_t *record)
{
	return nvme_divide_by_hand(text_of(record, "bdf"), text_of(record, "division"));
}

static int undo_mkdir(const json_t *record, int lock_fd)
{
	const struct waiter waiter = { .pidfd = -1, .uninterruptible = true };
	uint64_t deadline = deadline_in(BUSY_S);
	const char *path = text_of(record, "path");

	while (rmdir(path)) {
		int err = errno;

		if (is_gone(-err)) {
			log_debug("%s: nothing to undo", path);
			return 0;
		}
		if (err != EBUSY || now_ns() > deadline)
			return -err;
		wait_seconds(&waiter, 0.05);
	}
	return 0;
}

static char *mkdir_by_hand(const json_t *record)
{
	autofree char *path = shell_quoted(text_of(record, "path"));

	return xasprintf("rmdir %s", path);
}

/*
 * The interface goes back, its MTU and state with it; the namespace's own processes would keep it
 * alive. An interface that went back already (a namespace that ends gives its ports to the
 * first one) is only restored.
 */
static char *netns_by_hand(const json_t *record)
{
	const char *remote = text_of(record, "remote");
	autofree char *name = shell_quoted(text_of(record, "name"));
	autofree char *interface = shell_quoted(text_of(record, "interface"));
	autofree char *mtu = shell_quoted(text_of(record, "mtu"));
	const char *alias = text_of(record, "alias");
	autofree char *old_name =
		alias ? xasprintf("ip -n %s link set %s down name %s; ", name, alias, interface)
		      : xstrdup("");
	autofree char *script = xasprintf(
		"if test -e /run/netns/%s; then kill -9 $(ip netns pids %s) 2>/dev/null; %s"
		"ip -n %s addr flush dev %s; ip -n %s link set %s down netns $$; ip netns del %s; "
		"fi; test ! -e /sys/class/net/%s || ip link set %s mtu %s %s",
		name, name, old_name, name, interface, name, interface, name, interface, interface,
		mtu, text_of(record, "state"));
	char *const command[] = { (char *)"sh", (char *)"-c", script, NULL };
	struct strlist argv = { 0 };
	struct strbuf line = { 0 };

	shell_remote(remote && *remote ? remote : NULL, false, command, &argv);
	for (size_t i = 0; i < argv.nr; i++) {
		strbuf_addf(&line, i ? " " : "");
		shell_quote(&line, argv.items[i]);
	}
	strlist_free(&argv);
	return line.data;
}

static int undo_netns(const json_t *record, int lock_fd)
{
	autofree char *line = netns_by_hand(record), *output = NULL;
	char *const argv[] = { (char *)"sh", (char *)"-c", line, NULL };
	int ret = proc_run_cleanup(argv, 60, &output);

	if (ret)
		log_err("namespace %s: %s", text_of(record, "name"), output ? output : "");
	return ret;
}

static int undo_swap(const json_t *record, int lock_fd)
{
	const char *path = text_of(record, "path");

	if (!swapoff(path))
		return 0;
	if (errno != EINVAL && !is_gone(-errno))
		return -errno;
	log_debug("%s: not swapped to, nothing to undo", path);
	return 0;
}

static char *swap_by_hand(const json_t *record)
{
	autofree char *path = shell_quoted(text_of(record, "path"));

	return xasprintf("swapoff %s", path);
}

/* A line of the journal that cannot be read stays there until somebody has looked at it. */
static int undo_damaged(const json_t *record, int lock_fd)
{
	return -EBADMSG;
}

static char *damaged_by_hand(const json_t *record)
{
	return xasprintf("undo what this says, then delete the journal: %s",
			 text_of(record, "line"));
}

/* ---- the table ---- */

static const struct record_kind kinds[] = {
	{ "write", { "path", "old" }, undo_write, write_by_hand },
	{ "interrupt", { "owner", "path", "old" }, undo_interrupt, write_by_hand },
	{ "bind", { "bdf", "new_driver" }, undo_bind, bind_by_hand },
	{ "group_type", { "bdf", "old" }, undo_group_type, group_type_by_hand },
	{ "sriov", { "bdf" }, undo_sriov, sriov_by_hand },
	{ "nvme_division",
	  { "bdf", "serial", "division" },
	  undo_nvme_division,
	  nvme_division_by_hand },
	{ "mkdir", { "path" }, undo_mkdir, mkdir_by_hand },
	{ "swap", { "path" }, undo_swap, swap_by_hand },
	{ "netns", { "name", "interface", "mtu", "state", "remote" }, undo_netns, netns_by_hand },
	{ "damaged", { "line" }, undo_damaged, damaged_by_hand },
};

static const struct record_kind *kind_of(const json_t *record)
{
	const char *name = text_of(record, "kind");

	for (size_t i = 0; name && i < ARRAY_SIZE(kinds); i++) {
		const struct record_kind *kind = &kinds[i];

		if (strcmp(kind->name, name) != 0)
			continue;
		for (size_t j = 0; kind->fields[j]; j++)
			if (!text_of(record, kind->fields[j]))
				return NULL;
		return kind;
	}
	return NULL;
}

bool change_valid(const json_t *record)
{
	return kind_of(record) != NULL;
}

int change_undo(const json_t *record, int lock_fd)
{
	const struct record_kind *kind = kind_of(record);
	int ret = kind->undo(record, lock_fd);

	if (ret) {
		autofree char *command = kind->by_hand(record);

		log_err("cannot undo a host change: %s; by hand: %s", strerror(-ret), command);
	}
	return ret;
}
