// SPDX-License-Identifier: GPL-2.0-only
/* YAML files: libyaml's documents made into checked trees. */
#include "harness/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <yaml.h>

#include "harness/log.h"
#include "harness/settings.h"
#include "harness/util.h"

#define FILE_MAX MIB
#define DEPTH_MAX 16
#define KEYS_MAX 1000 /* in one mapping; its check for equal keys is quadratic */

struct loader {
	const char *path;
	yaml_document_t *doc;
};

/* Keeps one message on one line and the terminal safe: C0, DEL, and C1 in UTF-8. */
static void replace_controls(char *text)
{
	unsigned char *p = (unsigned char *)text;

	for (; *p; p++) {
		if (*p < ' ' || *p == 0x7f)
			*p = '?';
		else if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
			p[0] = p[1] = '?';
	}
}

__attribute__((format(printf, 4, 0))) static int
error_at(const char *path, unsigned long line, unsigned long column, const char *fmt, va_list ap)
{
	autofree char *message = NULL;
	autofree char *text = NULL;

	if (vasprintf(&message, fmt, ap) < 0)
		abort();
	text = xasprintf("%s:%lu:%lu: %s", path, line, column, message);
	replace_controls(text);
	log_err("%s", text);
	return -EINVAL;
}

int yaml_error(const struct yaml_node *node, const char *fmt, ...)
{
	va_list ap;
	int ret;

	va_start(ap, fmt);
	ret = error_at(node->path, node->line, node->column, fmt, ap);
	va_end(ap);
	return ret;
}

int yaml_error_key(const struct yaml_node *node, const char *fmt, ...)
{
	va_list ap;
	int ret;

	va_start(ap, fmt);
	ret = error_at(node->path, node->key_line, node->key_column, fmt, ap);
	va_end(ap);
	return ret;
}

__attribute__((format(printf, 3, 4))) static int error_mark(const char *path, yaml_mark_t mark,
							    const char *fmt, ...)
{
	va_list ap;
	int ret;

	va_start(ap, fmt);
	ret = error_at(path, mark.line + 1, mark.column + 1, fmt, ap);
	va_end(ap);
	return ret;
}

/* Reads at most FILE_MAX + 1 bytes: path may be a pipe, or /dev/zero. */
static int file_load(const char *path, struct strbuf *out)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	char chunk[16384];
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	while (out->len <= FILE_MAX) {
		n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		strbuf_add(out, chunk, (size_t)n);
	}
	return n < 0 ? -errno : 0;
}

/* Errors of libyaml's reader tell the place by a byte offset alone. */
static yaml_mark_t offset_mark(const struct strbuf *text, size_t offset)
{
	yaml_mark_t mark = { 0 };

	for (size_t i = 0; i < offset && i < text->len; i++) {
		mark.column++;
		if (text->data[i] == '\n') {
			mark.line++;
			mark.column = 0;
		}
	}
	return mark;
}

static int parser_error(const char *path, const struct strbuf *text, const yaml_parser_t *parser)
{
	const char *problem = parser->problem ? parser->problem : "not understood";

	if (parser->error == YAML_MEMORY_ERROR) {
		log_err("%s: out of memory", path);
		return -ENOMEM;
	}
	if (parser->error == YAML_READER_ERROR)
		return error_mark(path, offset_mark(text, parser->problem_offset),
				  "no text file (%s): save it as UTF-8 text", problem);
	if (parser->context)
		return error_mark(path, parser->problem_mark,
				  "%s, %s that starts in line %zu: check brackets, quotes and "
				  "indentation (spaces, not tabs)",
				  problem, parser->context, parser->context_mark.line + 1);
	return error_mark(path, parser->problem_mark,
			  "%s: check brackets, quotes and indentation (spaces, not tabs)", problem);
}

static int convert(const struct loader *loader, int id, struct yaml_node *out);

static int convert_text(const yaml_node_t *from, struct yaml_node *out)
{
	const char *value = (const char *)from->data.scalar.value;

	if (strlen(value) != from->data.scalar.length)
		return yaml_error(out, "the text has a NUL character: remove it");
	out->text = xstrdup(value);
	return 0;
}

static int convert_list(const struct loader *loader, const yaml_node_t *from, struct yaml_node *out)
{
	const yaml_node_item_t *start = from->data.sequence.items.start;
	size_t nr = (size_t)(from->data.sequence.items.top - start);

	out->items = xzalloc(nr * sizeof(*out->items));
	for (; out->nr < nr; out->nr++) {
		int ret = convert(loader, start[out->nr], &out->items[out->nr]);

		if (ret) {
			out->nr++; /* the last one may hold something already */
			return ret;
		}
	}
	return 0;
}

/* The key of a mapping's newest item: a text that no other item has. */
static int convert_key(const struct loader *loader, int id, struct yaml_node *map)
{
	const yaml_node_t *from = yaml_document_get_node(loader->doc, id);
	struct yaml_node *item = &map->items[map->nr];
	const struct yaml_node *other;
	struct yaml_node key = { 0 };
	int ret;

	if (from->type != YAML_SCALAR_NODE)
		return error_mark(loader->path, from->start_mark,
				  "a list or mapping as a key: use a plain name");
	ret = convert(loader, id, &key);
	if (ret)
		return ret;
	other = yaml_get(map, key.text);
	item->path = loader->path;
	item->key = key.text;
	item->key_line = key.line;
	item->key_column = key.column;
	if (other)
		return yaml_error_key(item, "'%.40s' is there already, in line %u: remove one",
				      item->key, other->key_line);
	return 0;
}

static int convert_map(const struct loader *loader, const yaml_node_t *from, struct yaml_node *out)
{
	const yaml_node_pair_t *start = from->data.mapping.pairs.start;
	size_t nr = (size_t)(from->data.mapping.pairs.top - start);

	if (nr > KEYS_MAX)
		return yaml_error(out, "a mapping of %zu keys: use at most %d", nr, KEYS_MAX);
	out->items = xzalloc(nr * sizeof(*out->items));
	for (; out->nr < nr; out->nr++) {
		struct yaml_node *item = &out->items[out->nr];
		int ret = convert_key(loader, start[out->nr].key, out);

		if (!ret)
			ret = convert(loader, start[out->nr].value, item);
		if (ret) {
			out->nr++;
			return ret;
		}
	}
	return 0;
}

/* A tag that libyaml did not add itself. */
static const char *foreign_tag(const yaml_node_t *from)
{
	static const char *const own[] = { YAML_STR_TAG, YAML_SEQ_TAG, YAML_MAP_TAG };
	const char *tag = (const char *)from->tag;

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (!tag || !strcmp(tag, own[i]))
			return NULL;
	return tag;
}

/* Leaves in out what yaml_unload() can free, whether it succeeds or not. */
static int convert(const struct loader *loader, int id, struct yaml_node *out)
{
	const yaml_node_t *from = yaml_document_get_node(loader->doc, id);
	const char *tag = foreign_tag(from);

	out->path = loader->path;
	out->line = (unsigned int)from->start_mark.line + 1;
	out->column = (unsigned int)from->start_mark.column + 1;
	if (tag)
		return yaml_error(out, "tags have no meaning here: remove '%.40s'", tag);
	switch (from->type) {
	case YAML_SEQUENCE_NODE:
		out->kind = YAML_LIST;
		return convert_list(loader, from, out);
	case YAML_MAPPING_NODE:
		out->kind = YAML_MAP;
		return convert_map(loader, from, out);
	default:
		out->kind = YAML_TEXT;
		return convert_text(from, out);
	}
}

static void node_clear(struct yaml_node *node)
{
	for (size_t i = 0; i < node->nr; i++)
		node_clear(&node->items[i]);
	free(node->items);
	free(node->text);
	free(node->key);
}

static int document_convert(const char *path, yaml_document_t *doc, struct yaml_node **root)
{
	struct loader loader = { .path = xstrdup(path), .doc = doc };
	int ret;

	*root = xzalloc(sizeof(**root));
	ret = convert(&loader, 1, *root); /* the root's number */
	if (ret) {
		yaml_unload(*root);
		*root = NULL;
	}
	return ret;
}

static const yaml_char_t *event_anchor(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return event->data.scalar.anchor;
	case YAML_SEQUENCE_START_EVENT:
		return event->data.sequence_start.anchor;
	case YAML_MAPPING_START_EVENT:
		return event->data.mapping_start.anchor;
	default:
		return NULL;
	}
}

static int check_event(const char *path, const yaml_event_t *event, unsigned int *depth,
		       unsigned int *documents)
{
	const yaml_char_t *anchor = event_anchor(event);

	if (anchor)
		return error_mark(path, event->start_mark,
				  "anchors are not taken here: remove '&%.40s'",
				  (const char *)anchor);
	switch (event->type) {
	case YAML_ALIAS_EVENT:
		return error_mark(path, event->start_mark,
				  "aliases are not taken here: write out what '*%.40s' stands for",
				  (const char *)event->data.alias.anchor);
	case YAML_DOCUMENT_START_EVENT:
		if ((*documents)++)
			return error_mark(path, event->start_mark,
					  "a second document ('---') starts: keep one a file");
		return 0;
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		if (++*depth > DEPTH_MAX)
			return error_mark(path, event->start_mark,
					  "more than %d levels deep: nest less", DEPTH_MAX);
		return 0;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		--*depth;
		return 0;
	default:
		return 0;
	}
}

/*
 * A first pass over the text refuses what the document interface would spend time and memory
 * on (deep nesting, many anchors) or make a graph of (aliases): what is left is one tree.
 */
static int check_events(const char *path, const struct strbuf *text, yaml_parser_t *parser)
{
	unsigned int depth = 0, documents = 0;
	bool end = false;
	int ret = 0;

	while (!ret && !end) {
		yaml_event_t event;

		if (!yaml_parser_parse(parser, &event))
			return parser_error(path, text, parser);
		end = event.type == YAML_STREAM_END_EVENT;
		ret = check_event(path, &event, &depth, &documents);
		yaml_event_delete(&event);
	}
	return ret;
}

static void parser_init(yaml_parser_t *parser, const struct strbuf *text)
{
	if (!yaml_parser_initialize(parser))
		abort();
	yaml_parser_set_input_string(parser, (const unsigned char *)text->data, text->len);
}

static int check_text(const char *path, const struct strbuf *text)
{
	yaml_parser_t parser;
	int ret;

	if (text->len > FILE_MAX)
		return error_mark(path, (yaml_mark_t){ 0 },
				  "more than 1 MiB: this is no configuration, check the path");
	parser_init(&parser, text);
	ret = check_events(path, text, &parser);
	yaml_parser_delete(&parser);
	return ret;
}

static int text_convert(const char *path, const struct strbuf *text, struct yaml_node **root)
{
	yaml_parser_t parser;
	yaml_document_t doc;
	int ret = check_text(path, text);

	if (ret)
		return ret;
	parser_init(&parser, text);
	if (!yaml_parser_load(&parser, &doc)) {
		ret = parser_error(path, text, &parser);
	} else {
		if (yaml_document_get_root_node(&doc))
			ret = document_convert(path, &doc, root);
		yaml_document_delete(&doc);
	}
	yaml_parser_delete(&parser);
	return ret;
}

int yaml_load(const char *path, struct yaml_node **root)
{
	struct strbuf text = { 0 };
	int ret;

	*root = NULL;
	strbuf_add(&text, "", 0);
	ret = file_load(path, &text);
	if (ret)
		log_err("%s: cannot be read: %s", path, strerror(-ret));
	else
		ret = text_convert(path, &text, root);
	free(text.data);
	return ret;
}

void yaml_unload(struct yaml_node *root)
{
	if (!root)
		return;
	node_clear(root);
	free((char *)root->path); /* one copy, which all nodes below it point to */
	free(root);
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
	for (size_t i = 0; map->kind == YAML_MAP && i < map->nr; i++)
		if (map->items[i].key && !strcmp(map->items[i].key, key))
			return &map->items[i];
	return NULL;
}

int yaml_expect(const struct yaml_node *node, enum yaml_kind kind, const char *what,
		const char *example)
{
	static const char *const names[] = { "a plain value", "a list", "a mapping" };

	if (node->kind == kind)
		return 0;
	return yaml_error(node, "%s must be %s: write it as %s", what, names[kind], example);
}

int yaml_check_keys(const struct yaml_node *map, const char *what, const char *const *names,
		    size_t nr)
{
	for (size_t i = 0; i < map->nr; i++) {
		autofree char *hint = NULL;
		size_t j = 0;

		while (j < nr && strcmp(map->items[i].key, names[j]) != 0)
			j++;
		if (j < nr)
			continue;
		hint = name_hint(map->items[i].key, names, nr);
		return yaml_error_key(&map->items[i], "unknown key '%.40s' in %s: %s",
				      map->items[i].key, what, hint);
	}
	return 0;
}

int yaml_read_settings(const struct yaml_node *map, struct settings *s)
{
	for (size_t i = 0; i < s->nr; i++) {
		const char *name = s->table[i].name;
		const struct yaml_node *node = yaml_get(map, name);
		autofree char *why = NULL;
		int ret;

		if (!node)
			continue;
		ret = yaml_expect(node, YAML_TEXT, name, "'name: value'");
		if (ret)
			return ret;
		if (settings_set(s, name, node->text, &why))
			return yaml_error(node, "%s", why);
	}
	return 0;
}
