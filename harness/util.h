/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Small helpers every part uses: memory that aborts when there is none, scoped cleanup,
 * strings, whole files, time. Functions that can fail return 0 or -errno unless they say so.
 */
#ifndef HARNESS_UTIL_H
#define HARNESS_UTIL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define KIB (1024ULL)
#define MIB (1024ULL * KIB)
#define GIB (1024ULL * MIB)

/* Memory: never NULL; the process aborts when there is none. The caller frees with free(). */
void *xzalloc(size_t size);
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *text);
__attribute__((format(printf, 1, 2))) char *xasprintf(const char *fmt, ...);

/* Locals that free or close themselves; set to NULL or -1 when ownership moves on. */
static inline void autofree_(void *p)
{
	free(*(void **)p);
}
static inline void autoclose_(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define autofree __attribute__((cleanup(autofree_)))
#define autoclose __attribute__((cleanup(autoclose_)))

/* A growing, always NUL-terminated string. Start with { 0 }; free data with free(). */
struct strbuf {
	char *data;
	size_t len, cap;
};
void strbuf_add(struct strbuf *sb, const void *data, size_t len);
__attribute__((format(printf, 2, 3))) void strbuf_addf(struct strbuf *sb, const char *fmt, ...);

/* A growing NULL-terminated list of strings it owns, as exec() wants them. Start with { 0 }. */
struct strlist {
	char **items;
	size_t nr;
};
void strlist_add(struct strlist *list, const char *text);
__attribute__((format(printf, 2, 3))) void strlist_addf(struct strlist *list, const char *fmt, ...);
void strlist_free(struct strlist *list);
#define autolist __attribute__((cleanup(strlist_free)))
bool strlist_has(const struct strlist *list, const char *text);

/* Whole small files. file_read() returns a NUL-terminated string to free, or NULL with errno. */
char *file_read(const char *path, size_t *len);
/* As file_read(), with trailing white space removed: for sysfs and proc attributes. */
char *file_read_trimmed(const char *path);
/*
 * fopen(path, "re"), to fclose(), for files from outside: never waits, as for a pipe's other end.
 * NULL with errno, EINVAL if it is no regular file.
 */
FILE *file_open_regular(const char *path);
/* Writes in one write() call, as sysfs needs; the file must exist unless create is set. */
int file_write(const char *path, const char *text, bool create);
/* Replaces path atomically (temporary file, fsync, rename): a crash leaves old or new. */
int file_replace(const char *path, const char *data, size_t len);
bool file_exists(const char *path);
/* fnv1a() of what is in it, as hexadecimal text to free; NULL if it cannot be read. */
char *file_hash(const char *path);
/* The last component of what a symbolic link points to, to free; NULL with errno. */
char *link_name(const char *path);
/* Adds the names in a directory, sorted, without those that begin with a dot; none if unreadable.
 */
void dir_names(const char *path, struct strlist *names);
/* mkdir -p. An existing directory is success. */
int mkdir_all(const char *path);
/* rm -r, not following symbolic links; a missing path is success. */
int remove_all(const char *path);
/* write() until all is out. */
int write_all(int fd, const void *data, size_t len);

/* The number that is field nr (from 1) of a line; blanks part the fields. 0 or -EINVAL. */
int field_number(const char *line, unsigned int nr, uint64_t *value);

/* CLOCK_MONOTONIC in nanoseconds and in seconds. */
uint64_t now_ns(void);
double now_s(void);
/* UTC now as 2026-01-31T23:59:59Z, to free. */
char *now_iso8601(void);

/*
 * The end of a text of len bytes, at most max of them, on one line and in ASCII: what a program
 * said last, for a message. To free.
 */
char *text_tail(const char *text, size_t len, size_t max);

/* The entry of names nearest to word by edit distance, or NULL if none is near. */
const char *nearest_name(const char *word, const char *const *names, size_t nr);

/*
 * The bytes of the control character at the start of text, 0 if there is none: ASCII's, and
 * U+0080 to U+009F in UTF-8, which some terminals obey as well.
 */
size_t control_bytes(const char *text);

/* "1.5 GiB", "340 ms", "5m20s" into a rotating static buffer; for messages only. */
const char *human_bytes(double bytes);
const char *human_duration(double seconds);

/* FNV-1a, 64 bits: names things in results, no security. Start with hash = FNV1A_INIT. */
#define FNV1A_INIT 0xcbf29ce484222325ULL
uint64_t fnv1a(uint64_t hash, const void *data, size_t len);

#endif
