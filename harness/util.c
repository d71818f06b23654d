// SPDX-License-Identifier: GPL-2.0-only
/* Small helpers every part uses. */
#include "harness/util.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>

static void *check_memory(void *p)
{
	if (!p) {
		fputs("error: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *xzalloc(size_t size)
{
	return check_memory(calloc(1, size ? size : 1));
}

void *xrealloc(void *old, size_t size)
{
	return check_memory(realloc(old, size ? size : 1));
}

char *xstrdup(const char *text)
{
	return check_memory(strdup(text));
}

__attribute__((format(printf, 1, 0))) static char *xvasprintf(const char *fmt, va_list ap)
{
	char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	return check_memory(text);
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	return text;
}

void strbuf_add(struct strbuf *sb, const void *data, size_t len)
{
	if (sb->len + len + 1 > sb->cap) {
		sb->cap = (sb->len + len + 1) * 2;
		sb->data = xrealloc(sb->data, sb->cap);
	}
	if (len)
		memcpy(sb->data + sb->len, data, len);
	sb->len += len;
	sb->data[sb->len] = '\0';
}

void strbuf_addf(struct strbuf *sb, const char *fmt, ...)
{
	autofree char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	strbuf_add(sb, text, strlen(text));
}

static void strlist_take(struct strlist *list, char *text)
{
	list->items = xrealloc(list->items, (list->nr + 2) * sizeof(*list->items));
	list->items[list->nr++] = text;
	list->items[list->nr] = NULL;
}

void strlist_add(struct strlist *list, const char *text)
{
	strlist_take(list, xstrdup(text));
}

void strlist_addf(struct strlist *list, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strlist_take(list, xvasprintf(fmt, ap));
	va_end(ap);
}

void strlist_free(struct strlist *list)
{
	for (size_t i = 0; i < list->nr; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct strlist){ 0 };
}

bool strlist_has(const struct strlist *list, const char *text)
{
	for (size_t i = 0; i < list->nr; i++)
		if (!strcmp(list->items[i], text))
			return true;
	return false;
}

char *file_read(const char *path, size_t *len)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct strbuf sb = { 0 };
	char chunk[16384];
	ssize_t n;

	if (fd < 0)
		return NULL;
	strbuf_add(&sb, "", 0);
	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int err = errno;

			free(sb.data);
			errno = err;
			return NULL;
		}
		strbuf_add(&sb, chunk, (size_t)n);
	}
	if (len)
		*len = sb.len;
	return sb.data;
}

char *file_read_trimmed(const char *path)
{
	size_t len;
	char *text = file_read(path, &len);

	while (text && len && strchr(" \t\r\n", text[len - 1]))
		text[--len] = '\0';
	return text;
}

int write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

FILE *file_open_regular(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "re");
	struct stat st;

	if (!file) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		return file;
	fclose(file);
	errno = EINVAL;
	return NULL;
}

int file_write(const char *path, const char *text, bool create)
{
	int flags = O_WRONLY | O_CLOEXEC | (create ? O_CREAT | O_TRUNC : 0);
	autoclose int fd = open(path, flags, 0644);

	if (fd < 0)
		return -errno;
	return write_all(fd, text, strlen(text));
}

int file_replace(const char *path, const char *data, size_t len)
{
	autofree char *tmp = xasprintf("%s.tmp", path);
	autoclose int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int ret;

	if (fd < 0)
		return -errno;
	ret = write_all(fd, data, len);
	if (!ret && fsync(fd))
		ret = -errno;
	if (!ret && rename(tmp, path))
		ret = -errno;
	if (ret)
		unlink(tmp);
	return ret;
}

bool file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

char *link_name(const char *path)
{
	char target[PATH_MAX];
	ssize_t len = readlink(path, target, sizeof(target) - 1);
	const char *slash;

	if (len < 0)
		return NULL;
	target[len] = '\0';
	slash = strrchr(target, '/');
	return xstrdup(slash ? slash + 1 : target);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

void dir_names(const char *path, struct strlist *names)
{
	struct dirent **entries = NULL;
	int nr = scandir(path, &entries, is_visible, alphasort);

	for (int i = 0; i < nr; i++) {
		strlist_add(names, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

int mkdir_all(const char *path)
{
	autofree char *copy = xstrdup(path); /* clang-tidy does not know that it frees itself */

	for (char *p = copy + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(copy, 0755) && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	if (mkdir(copy, 0755) && errno != EEXIST)
		return -errno;
	return 0; /* NOLINT(clang-analyzer-unix.Malloc) */
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int remove_all(const char *path)
{
	if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) && errno != ENOENT)
		return -errno;
	return 0;
}

int field_number(const char *line, unsigned int nr, uint64_t *value)
{
	static const char blanks[] = " \t\n";
	char *end;

	line += strspn(line, blanks);
	for (; nr > 1; nr--) {
		line += strcspn(line, blanks);
		line += strspn(line, blanks);
	}
	if (*line < '0' || *line > '9')
		return -EINVAL;
	errno = 0;
	*value = strtoull(line, &end, 10);
	return errno || (*end && !strchr(blanks, *end)) ? -EINVAL : 0;
}

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

double now_s(void)
{
	return (double)now_ns() * 1e-9;
}

char *now_iso8601(void)
{
	time_t now = time(NULL);
	struct tm tm;
	char text[32];

	gmtime_r(&now, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return xstrdup(text);
}

char *text_tail(const char *text, size_t len, size_t max)
{
	char *tail;

	while (len && strchr(" \r\n", text[len - 1]))
		len--;
	if (len > max)
		text += len - max;
	tail = xzalloc((len < max ? len : max) + 1);
	memcpy(tail, text, len < max ? len : max);
	for (size_t i = 0; i < len && i < max; i++)
		if ((unsigned char)tail[i] < ' ' || (unsigned char)tail[i] >= 0x7f)
			tail[i] = ' ';
	return tail;
}

/* Levenshtein distance, two rows; words longer than a row holds are never near. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t row[65], len_b = strlen(b);

	if (len_b > 64)
		return SIZE_MAX;
	for (size_t j = 0; j <= len_b; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= len_b; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[len_b];
}

const char *nearest_name(const char *word, const char *const *names, size_t nr)
{
	const char *best = NULL;
	size_t best_distance = strlen(word) / 2 + 1;

	for (size_t i = 0; i < nr; i++) {
		size_t distance = edit_distance(word, names[i]);

		if (distance <= best_distance && (!best || distance < best_distance)) {
			best = names[i];
			best_distance = distance;
		}
	}
	return best;
}

static char *rotating_buffer(void)
{
	static char buffers[8][32];
	static unsigned int next;

	return buffers[next++ % ARRAY_SIZE(buffers)];
}

size_t control_bytes(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;

	if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f)
		return 2;
	return (c[0] && c[0] < ' ') || c[0] == 0x7f;
}

const char *human_bytes(double bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	char *text = rotating_buffer();
	size_t u = 0;

	while (bytes >= 1024 && u + 1 < ARRAY_SIZE(units)) {
		bytes /= 1024;
		u++;
	}
	snprintf(text, 32, "%.*f %s", bytes < 10 && u ? 1 : 0, bytes, units[u]);
	return text;
}

const char *human_duration(double seconds)
{
	char *text = rotating_buffer();
	unsigned long s = (unsigned long)(seconds + 0.5);

	if (seconds < 1e-3)
		snprintf(text, 32, "%.0f us", seconds * 1e6);
	else if (seconds < 1)
		snprintf(text, 32, "%.1f ms", seconds * 1e3);
	else if (seconds < 60)
		snprintf(text, 32, "%.1f s", seconds);
	else if (s < 3600)
		snprintf(text, 32, "%lum%02lus", s / 60, s % 60);
	else
		snprintf(text, 32, "%luh%02lum", s / 3600, s / 60 % 60);
	return text;
}

uint64_t fnv1a(uint64_t hash, const void *data, size_t len)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * 0x100000001b3ULL;
	return hash;
}

char *file_hash(const char *path)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t hash = FNV1A_INIT;
	char block[65536];
	ssize_t len;

	if (fd < 0)
		return NULL;
	while ((len = read(fd, block, sizeof(block))) > 0)
		hash = fnv1a(hash, block, (size_t)len);
	return len < 0 ? NULL : xasprintf("%016llx", (unsigned long long)hash);
}
