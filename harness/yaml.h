/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * YAML files as a tree of lists, mappings and texts, each with its place in the file. What a
 * configuration has no use for is refused when the file is read: anchors and aliases, tags,
 * several documents, equal keys, more than 1 MiB, deep nesting.
 */
#ifndef HARNESS_YAML_H
#define HARNESS_YAML_H

#include <stdbool.h>
#include <stddef.h>

struct settings;

enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAP };

/* A node and all below it belong to the root. */
struct yaml_node {
	enum yaml_kind kind;
	const char *path;	   /* of the file */
	unsigned int line, column; /* where it starts, from 1 */
	char *text;		   /* YAML_TEXT: as written; no NUL inside, valid UTF-8 */
	struct yaml_node *items;   /* entries of a list, values of a mapping */
	size_t nr;
	char *key; /* its key, in a mapping; else NULL */
	unsigned int key_line, key_column;
};

/*
 * Reads a file. Returns 0, -EINVAL (no YAML, or refused) or another -errno (unreadable), each
 * logged as one line "FILE:LINE:COLUMN: what: remedy" (unreadable: without line and column).
 * *root is to be freed with yaml_unload(), and is NULL if there is nothing but comments in it.
 */
int yaml_load(const char *path, struct yaml_node **root);
/* NULL is fine. (libyaml exports a yaml_free() of its own.) */
void yaml_unload(struct yaml_node *root);

/* The value of a key, or NULL: no such key, no mapping. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);

/*
 * Logs one line "FILE:LINE:COLUMN: message", control characters replaced, for the start of
 * a node or of its key. Return -EINVAL, to be passed on.
 */
__attribute__((format(printf, 2, 3))) int yaml_error(const struct yaml_node *node, const char *fmt,
						     ...);
__attribute__((format(printf, 2, 3))) int yaml_error_key(const struct yaml_node *node,
							 const char *fmt, ...);

/* 0, or a logged -EINVAL: "what must be a list: write it as example". */
int yaml_expect(const struct yaml_node *node, enum yaml_kind kind, const char *what,
		const char *example);

/* Has the mapping no keys beside names? 0, or a logged -EINVAL with the nearest valid name. */
int yaml_check_keys(const struct yaml_node *map, const char *what, const char *const *names,
		    size_t nr);

/* Sets each setting of the table that the mapping has a value for. 0, or a logged -EINVAL. */
int yaml_read_settings(const struct yaml_node *map, struct settings *s);

#endif
