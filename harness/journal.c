// SPDX-License-Identifier: GPL-2.0-only
/* The journal of host changes: recorded first, then made, undone in reverse order. */
#include "harness/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "harness/change.h"
#include "harness/journal_record.h"
#include "harness/log.h"
#include "harness/pci.h"
#include "harness/util.h"

struct journal {
	char *dir, *path;
	int lock_fd;
	int fd;		 /* of the file at path; -1: it must be written anew first */
	off_t len;	 /* of the file */
	json_int_t seq;	 /* number of the newest record */
	json_t *records; /* what is not undone, oldest first */
};

/* ---- the file ---- */

static char *boot_id(void)
{
	autofree char *path = xasprintf("%s/sys/kernel/random/boot_id", procfs_root);
	char *id = file_read_trimmed(path);

	return id ? id : xstrdup("unknown");
}

static json_t *boot_record(void)
{
	autofree char *id = boot_id();

	return json_pack("{s:s, s:s, s:i}", "kind", "boot", "boot_id", id, "seq", 0);
}

static int sync_dir(const char *dir)
{
	autoclose int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) ? -errno : 0;
}

static void add_line(struct strbuf *sb, const json_t *record)
{
	autofree char *text = json_dumps(record, JSON_COMPACT);

	strbuf_addf(sb, "%s\n", text);
}

static void close_file(struct journal *journal)
{
	if (journal->fd >= 0)
		close(journal->fd);
	journal->fd = -1;
}

/* Appends text and flushes it to the disk; of a failed write nothing is left. */
static int append(struct journal *journal, const struct strbuf *sb)
{
	int ret = write_all(journal->fd, sb->data, sb->len);

	if (!ret && fsync(journal->fd))
		ret = -errno;
	if (!ret)
		journal->len += (off_t)sb->len;
	else if (ftruncate(journal->fd, journal->len))
		close_file(journal);
	return ret;
}

/* Writes the file anew, with what is not undone. */
static int rewrite(struct journal *journal)
{
	json_auto_t *header = boot_record();
	autofree char *text = NULL;
	struct strbuf sb = { 0 };
	int ret;

	add_line(&sb, header);
	for (size_t i = 0; i < json_array_size(journal->records); i++)
		add_line(&sb, json_array_get(journal->records, i));
	text = sb.data;
	close_file(journal);
	ret = file_replace(journal->path, text, sb.len);
	if (!ret)
		ret = sync_dir(journal->dir);
	if (ret)
		return ret;
	journal->fd = open(journal->path, O_WRONLY | O_APPEND | O_CLOEXEC);
	journal->len = (off_t)sb.len;
	return journal->fd < 0 ? -errno : 0;
}

int journal_add_record(struct journal *journal, json_t *record)
{
	json_auto_t *owned = record;
	struct strbuf sb = { 0 };
	int ret = owned ? 0 : -EILSEQ;

	if (!ret && journal->fd < 0)
		ret = rewrite(journal);
	if (!ret) {
		json_object_set_new(owned, "seq", json_integer(journal->seq + 1));
		add_line(&sb, owned);
		ret = append(journal, &sb);
		free(sb.data);
	}
	if (ret) {
		log_err("cannot write the journal %s, so the host is not changed: %s",
			journal->path, strerror(-ret));
		return ret;
	}
	journal->seq++;
	json_array_append(journal->records, owned);
	return 0;
}

/* Takes the newest record back: its change was not made, or has been undone. */
static void forget_record(struct journal *journal)
{
	int ret;

	json_array_remove(journal->records, json_array_size(journal->records) - 1);
	ret = rewrite(journal);
	if (ret)
		log_warn("cannot write the journal %s: %s", journal->path, strerror(-ret));
}

static int remove_file(struct journal *journal)
{
	close_file(journal);
	journal->seq = 0;
	if (unlink(journal->path) && errno != ENOENT)
		return -errno;
	return sync_dir(journal->dir);
}

static json_t *damaged_record(const char *line)
{
	json_t *text = json_string(line);

	return json_pack("{s:s, s:o}", "kind", "damaged", "line",
			 text ? text : json_string("(not text)"));
}

/* What was changed on another host, or is kept by a drive, outlives a reboot of this host. */
static bool outlives_reboot(const json_t *record)
{
	const char *remote = json_string_value(json_object_get(record, "remote"));
	const char *kind = json_string_value(json_object_get(record, "kind"));

	return (remote && *remote) || (kind && !strcmp(kind, "nvme_division"));
}

static void load_record(struct journal *journal, const char *line, bool rebooted)
{
	json_t *record = json_loads(line, 0, NULL);
	json_int_t seq;

	if (rebooted && !outlives_reboot(record)) {
		json_decref(record);
		return;
	}

	if (!change_valid(record)) {
		json_decref(record);
		record = damaged_record(line);
	}
	seq = json_integer_value(json_object_get(record, "seq"));
	if (seq > journal->seq)
		journal->seq = seq;
	json_array_append_new(journal->records, record);
}

/* Of which boot is the journal, by its first line? To free; NULL: that is no such line. */
static char *header_boot(const char *line)
{
	json_auto_t *header = json_loads(line, 0, NULL);
	const char *id = json_string_value(json_object_get(header, "boot_id"));

	return id ? xstrdup(id) : NULL;
}

/*
 * Reads the records that an earlier harness left. A last line without its end is left out: the
 * crash came while it was written, so that its change was not made.
 */
static int load(struct journal *journal)
{
	autofree char *text = file_read(journal->path, NULL);
	autofree char *boot = NULL, *now = boot_id();
	char *line = text, *end;
	bool rebooted = false;

	if (!text)
		return errno == ENOENT ? 0 : -errno;
	for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		*end = '\0';
		if (line == text)
			boot = header_boot(line);
		if (line != text || !boot)
			load_record(journal, line, rebooted);
		else
			rebooted = strcmp(boot, now) != 0;
	}
	if (rebooted)
		log_info("%s is from before a reboot, which undid its changes: dropped",
			 journal->path);
	else if (*line)
		log_debug("%s: half-written record left out", journal->path);
	return 0;
}

/* ---- interface ---- */

static void journal_free(struct journal *journal)
{
	/* Unlocked by hand: a child stuck in the kernel has a copy of the descriptor. */
	if (journal->lock_fd >= 0) {
		flock(journal->lock_fd, LOCK_UN);
		close(journal->lock_fd);
	}
	close_file(journal);
	json_decref(journal->records);
	free(journal->path);
	free(journal->dir);
	free(journal);
}

int journal_open(const char *dir, double wait_s, struct journal **out)
{
	struct journal *journal = xzalloc(sizeof(*journal));
	int ret;

	*out = NULL;
	journal->dir = xstrdup(dir);
	journal->path = xasprintf("%s/journal", dir);
	journal->lock_fd = journal->fd = -1;
	journal->records = json_array();
	ret = journal_lock(dir, wait_s, &journal->lock_fd);
	if (!ret) {
		ret = load(journal);
		if (ret)
			log_err("cannot read the journal %s: %s", journal->path, strerror(-ret));
	}
	if (!ret && json_array_size(journal->records))
		log_info("undoing %zu host changes that an interrupted run left",
			 json_array_size(journal->records));
	if (!ret)
		ret = journal_undo(journal);
	if (ret)
		journal_free(journal);
	else
		*out = journal;
	return ret;
}

const json_t *journal_find(const struct journal *journal,
			   bool (*match)(const json_t *record, const struct netns_port *port),
			   const struct netns_port *port)
{
	const json_t *record;
	size_t i;

	json_array_foreach(journal->records, i, record)
		if (match(record, port))
			return record;
	return NULL;
}

int journal_lock_fd(const struct journal *journal)
{
	return journal->lock_fd;
}

int journal_write(struct journal *journal, const char *path, const char *value)
{
	autofree char *old = attribute_read(path);
	int ret = old ? 0 : -errno;

	if (ret) {
		log_err("cannot read %s: %s", path, strerror(-ret));
		return ret;
	}
	ret = journal_add_record(
		journal, json_pack("{s:s, s:s, s:s}", "kind", "write", "path", path, "old", old));
	if (ret)
		return ret;
	log_debug("%s: \"%s\"", path, value);
	ret = attribute_write(path, value);
	if (ret)
		log_err("cannot write \"%s\" to %s: %s", value, path, strerror(-ret));
	return ret;
}

void journal_roll_back(struct journal *journal, bool pending)
{
	size_t newest = json_array_size(journal->records) - 1;
	json_t *record = json_array_get(journal->records, newest);

	if (!change_undo(record, journal->lock_fd) && !pending)
		forget_record(journal);
}

int journal_mkdir(struct journal *journal, const char *path)
{
	int ret;

	if (file_exists(path)) {
		log_err("%s exists already", path);
		return -EEXIST;
	}
	ret = journal_add_record(journal, json_pack("{s:s, s:s}", "kind", "mkdir", "path", path));
	if (ret)
		return ret;
	if (mkdir(path, 0755)) {
		ret = -errno;
		log_err("cannot make %s: %s", path, strerror(-ret));
		forget_record(journal);
	}
	return ret;
}

/* Of that attribute, or of that PCI device? */
static bool is_about(const json_t *record, const char *what)
{
	const char *kind = json_string_value(json_object_get(record, "kind"));
	bool attribute = !strcmp(kind, "write");
	bool device =
		!strcmp(kind, "bind") || !strcmp(kind, "group_type") || !strcmp(kind, "netns");
	const json_t *subject = json_object_get(record, attribute ? "path" : "bdf");

	/* A namespace's port may be a remote host's. */
	return (attribute || device) && json_is_string(subject) &&
	       !strcmp(json_string_value(subject), what);
}

int journal_put_back(struct journal *journal, const char *what)
{
	bool changed = false;
	int ret = 0;

	for (size_t i = json_array_size(journal->records); i-- > 0 && !ret;) {
		const json_t *record = json_array_get(journal->records, i);

		if (!is_about(record, what))
			continue;
		ret = change_undo(record, journal->lock_fd);
		if (!ret)
			changed = !json_array_remove(journal->records, i);
	}
	return changed && rewrite(journal) ? -EIO : ret;
}

size_t journal_length(const struct journal *journal)
{
	return json_array_size(journal->records);
}

int journal_undo_some(struct journal *journal, size_t first, size_t nr)
{
	size_t left = 0;
	int ret;

	for (size_t i = first + nr; i-- > first;) {
		if (change_undo(json_array_get(journal->records, i), journal->lock_fd))
			left++;
		else
			json_array_remove(journal->records, i);
	}
	ret = journal_length(journal) ? rewrite(journal) : remove_file(journal);
	if (ret)
		log_err("cannot write the journal %s: %s", journal->path, strerror(-ret));
	return ret || left ? -EIO : 0;
}

int journal_undo(struct journal *journal)
{
	return journal_undo_some(journal, 0, journal_length(journal));
}

int journal_close(struct journal *journal)
{
	int ret;

	if (!journal)
		return 0;
	ret = journal_undo(journal);
	journal_free(journal);
	return ret;
}
