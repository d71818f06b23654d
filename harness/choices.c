// SPDX-License-Identifier: GPL-2.0-only
/* The lists of an experiment: plug-ins, and their settings spanned to variants. */
#include "harness/choices.h"

#include <errno.h>
#include <string.h>

#include "bench/registry.h"
#include "harness/util.h"
#include "harness/yaml.h"

#define VARIANTS_MAX 10000 /* of all items of one list */

/* What modes, devices and workloads have in common here. */
struct plugin {
	const void *ops;
	const char *name;
	const struct setting *settings;
	int (*validate)(const struct settings *settings, char **why); /* may be NULL */
};
struct choice_kind {
	const char *key; /* of its list in the file, and for `iommubench list` */
	const char *one;
	bool (*at)(size_t i, struct plugin *out); /* the registry's entry; false: past the end */
};

static bool mode_at(size_t i, struct plugin *out)
{
	const struct mode_ops *ops = registry_modes[i];

	if (ops)
		*out = (struct plugin){ ops, ops->name, ops->settings, ops->validate };
	return ops;
}

static bool device_at(size_t i, struct plugin *out)
{
	const struct device_ops *ops = registry_devices[i];

	if (ops)
		*out = (struct plugin){ ops, ops->name, ops->settings, ops->validate };
	return ops;
}

static bool workload_at(size_t i, struct plugin *out)
{
	const struct workload_ops *ops = registry_workloads[i];

	if (ops)
		*out = (struct plugin){ ops, ops->name, ops->settings, ops->validate };
	return ops;
}

const struct choice_kind choice_modes = { "modes", "mode", mode_at };
const struct choice_kind choice_devices = { "devices", "device", device_at };
const struct choice_kind choice_workloads = { "workloads", "workload", workload_at };

/* A setting given as a list. */
struct axis {
	const char *name;
	const struct yaml_node *values;
};
/* One item of a list as written: what all its variants share, and what spans them. */
struct matrix {
	struct settings *base;
	struct axis *axes;
	size_t nr_axes;
	size_t nr_variants;
};

static int plugin_find(const struct choice_kind *kind, const struct yaml_node *item,
		       const char *name, struct plugin *out)
{
	autofree const char **names = NULL;
	autofree char *hint = NULL;
	size_t nr = 0;

	for (; kind->at(nr, out); nr++) {
		if (!strcmp(out->name, name))
			return 0;
		names = xrealloc(names, (nr + 1) * sizeof(*names));
		names[nr] = out->name;
	}
	hint = name_hint(name, names, nr);
	return yaml_error(item, "no %s '%.40s': %s (`iommubench list %s` shows all)", kind->one,
			  name, hint, kind->key);
}

static int check_setting_names(const struct plugin *plugin, const struct yaml_node *map)
{
	autofree const char **names = NULL;
	size_t nr = 0;

	while (plugin->settings && plugin->settings[nr].name)
		nr++;
	if (!nr && map->nr)
		return yaml_error(map, "%s has no settings: write just '%s'", plugin->name,
				  plugin->name);
	names = xzalloc(nr * sizeof(*names));
	for (size_t i = 0; i < nr; i++)
		names[i] = plugin->settings[i].name;
	return yaml_check_keys(map, plugin->name, names, nr);
}

/* Is each value of a list valid, and none there twice? */
static int check_axis(const struct axis *axis, const struct settings *base)
{
	const struct yaml_node *list = axis->values;
	struct settings **seen = xzalloc(list->nr * sizeof(struct settings *));
	int ret = 0;

	for (size_t i = 0; i < list->nr && !ret; i++) {
		const struct yaml_node *node = &list->items[i];
		autofree char *why = NULL;

		ret = yaml_expect(node, YAML_TEXT, axis->name, "[value, value]");
		if (ret)
			break;
		seen[i] = settings_dup(base);
		if (settings_set(seen[i], axis->name, node->text, &why))
			ret = yaml_error(node, "%s", why);
		for (size_t j = 0; j < i && !ret; j++)
			if (!settings_difference(seen[j], seen[i]))
				ret = yaml_error(node,
						 "%s: '%.40s' is the same as '%.40s' before it: "
						 "remove one",
						 axis->name, node->text, list->items[j].text);
	}
	for (size_t i = 0; i < list->nr; i++)
		settings_free(seen[i]);
	free(seen);
	return ret;
}

static int add_axis(struct matrix *matrix, const char *name, const struct yaml_node *list,
		    size_t room)
{
	struct axis axis = { .name = name, .values = list };
	int ret;

	if (!list->nr)
		return yaml_error(list, "%s: an empty list: give at least one value", name);
	if (list->nr > room / matrix->nr_variants)
		return yaml_error(list,
				  "%s: more than %d variants with these values: shorten the lists "
				  "or split the experiment",
				  name, VARIANTS_MAX);
	ret = check_axis(&axis, matrix->base);
	if (ret)
		return ret;
	matrix->nr_variants *= list->nr;
	matrix->axes = xrealloc(matrix->axes, (matrix->nr_axes + 1) * sizeof(axis));
	matrix->axes[matrix->nr_axes++] = axis;
	return 0;
}

/* In the order of the table, so that names of variants do not depend on the file's layout. */
static int read_matrix(const struct plugin *plugin, const struct yaml_node *map, size_t room,
		       struct matrix *matrix)
{
	const struct setting *setting = plugin->settings;
	int ret = check_setting_names(plugin, map);

	for (; !ret && setting && setting->name; setting++) {
		const struct yaml_node *node = yaml_get(map, setting->name);
		autofree char *why = NULL;

		if (!node)
			continue;
		if (node->kind == YAML_LIST)
			ret = add_axis(matrix, setting->name, node, room);
		else if (node->kind == YAML_MAP)
			ret = yaml_error(node,
					 "%s must be a value or a list of values: write "
					 "'%s: %s'",
					 setting->name, setting->name, setting->def);
		else if (settings_set(matrix->base, setting->name, node->text, &why))
			ret = yaml_error(node, "%s", why);
	}
	return ret;
}

static void name_add(struct strbuf *name, const char *setting, const char *value)
{
	strbuf_addf(name, "%s%s=", name->len ? "+" : "", setting);
	for (; *value; value++) {
		if (strchr(SAFE_CHARS, *value))
			strbuf_add(name, value, 1);
		else
			strbuf_addf(name, "%%%02X", (unsigned char)*value);
	}
}

/* Variant number i, the last list varying fastest. */
static struct variant variant_new(const struct matrix *matrix, size_t i)
{
	struct variant variant = { .settings = settings_dup(matrix->base) };
	size_t stride = matrix->nr_variants;
	struct strbuf name = { 0 };

	strbuf_add(&name, "", 0);
	for (size_t a = 0; a < matrix->nr_axes; a++) {
		const struct axis *axis = &matrix->axes[a];
		const char *value;
		char *why;

		stride /= axis->values->nr;
		value = axis->values->items[i / stride % axis->values->nr].text;
		if (settings_set(variant.settings, axis->name, value, &why))
			abort(); /* check_axis() has accepted it */
		name_add(&name, axis->name, value);
	}
	variant.name = name.data;
	return variant;
}

static int validate(const struct plugin *plugin, const struct yaml_node *item,
		    const struct variant *variant)
{
	autofree char *why = NULL;
	const char *name = variant->name;

	if (!plugin->validate || !plugin->validate(variant->settings, &why))
		return 0;
	return yaml_error(item, "%s%s%s: %s", plugin->name, *name ? " with " : "", name,
			  why ? why : "settings that do not fit together");
}

static int add_variants(const struct plugin *plugin, const struct yaml_node *item,
			const struct matrix *matrix, struct choice *choice)
{
	choice->variants = xzalloc(matrix->nr_variants * sizeof(*choice->variants));
	while (choice->nr_variants < matrix->nr_variants) {
		struct variant *variant = &choice->variants[choice->nr_variants];
		int ret;

		*variant = variant_new(matrix, choice->nr_variants++);
		ret = validate(plugin, item, variant);
		if (ret)
			return ret;
	}
	return 0;
}

static bool share_variant(const struct choice *a, const struct choice *b)
{
	for (size_t i = 0; i < a->nr_variants; i++)
		for (size_t j = 0; j < b->nr_variants; j++)
			if (!settings_difference(a->variants[i].settings, b->variants[j].settings))
				return true;
	return false;
}

static int check_repeated(const struct plugin *plugin, const struct yaml_node *item,
			  const struct choices *choices)
{
	const struct choice *last = &choices->items[choices->nr - 1];

	for (const struct choice *other = choices->items; other < last; other++)
		if (other->ops == last->ops && share_variant(other, last))
			return yaml_error(item,
					  "%s is listed twice with the same settings: "
					  "remove one",
					  plugin->name);
	return 0;
}

/* An item is a name, or a mapping of one name to its settings. Sets name, and map or NULL. */
static int item_split(const struct choice_kind *kind, const struct yaml_node *item,
		      const char **name, const struct yaml_node **map)
{
	*map = NULL;
	*name = item->text;
	if (item->kind == YAML_TEXT)
		return 0;
	if (item->kind == YAML_LIST)
		return yaml_error(item,
				  "a list within %s: write a name, or 'NAME: { setting: value }'",
				  kind->key);
	if (item->nr != 1)
		return yaml_error(
			item,
			"an item of %s is one name, here are %zu: start each with '-', and "
			"indent its settings below it",
			kind->key, item->nr);
	*map = &item->items[0];
	*name = item->items[0].key;
	return 0;
}

static size_t count_variants(const struct choices *choices)
{
	size_t nr = 0;

	for (size_t i = 0; i < choices->nr; i++)
		nr += choices->items[i].nr_variants;
	return nr;
}

static int load_item(const struct choice_kind *kind, const struct yaml_node *item,
		     struct choices *choices)
{
	size_t room = VARIANTS_MAX - count_variants(choices);
	struct choice *choice = &choices->items[choices->nr];
	struct matrix matrix = { .nr_variants = 1 };
	const struct yaml_node *map;
	struct plugin plugin;
	const char *name;
	int ret;

	ret = item_split(kind, item, &name, &map);
	if (!ret)
		ret = plugin_find(kind, item, name, &plugin);
	if (!ret && map)
		ret = yaml_expect(map, YAML_MAP, name,
				  "'NAME: { setting: value }', or the name alone");
	if (!ret && !room)
		ret = yaml_error(item, "more than %d variants in %s: split the experiment",
				 VARIANTS_MAX, kind->key);
	if (ret)
		return ret;
	choices->nr++;
	choice->ops = plugin.ops;
	matrix.base = settings_new(plugin.settings);
	if (map)
		ret = read_matrix(&plugin, map, room, &matrix);
	if (!ret)
		ret = add_variants(&plugin, item, &matrix, choice);
	if (!ret)
		ret = check_repeated(&plugin, item, choices);
	settings_free(matrix.base);
	free(matrix.axes);
	return ret;
}

/* The first setting in which two variants of the same name differ, of items of the same ops. */
static const struct setting *find_clash(const struct choice *a, const struct choice *b)
{
	const struct setting *setting = NULL;

	for (size_t i = 0; i < a->nr_variants && !setting; i++)
		for (size_t j = 0; j < b->nr_variants && !setting; j++)
			if (!strcmp(a->variants[i].name, b->variants[j].name))
				setting = settings_difference(a->variants[i].settings,
							      b->variants[j].settings);
	return setting;
}

static void add_to_names(const struct choice *choice, const struct setting *setting)
{
	for (size_t i = 0; i < choice->nr_variants; i++) {
		struct variant *variant = &choice->variants[i];
		size_t at = (size_t)(setting - variant->settings->table);
		struct strbuf name = { 0 };

		strbuf_addf(&name, "%s", variant->name);
		name_add(&name, setting->name, variant->settings->values[at].text);
		free(variant->name);
		variant->name = name.data;
	}
}

static const struct setting *find_any_clash(const struct choices *choices, const void **ops)
{
	for (size_t i = 0; i < choices->nr; i++) {
		for (size_t j = 0; j < i; j++) {
			const struct choice *a = &choices->items[i], *b = &choices->items[j];
			const struct setting *setting = a->ops == b->ops ? find_clash(a, b) : NULL;

			*ops = a->ops;
			if (setting)
				return setting;
		}
	}
	return NULL;
}

/*
 * Items of one name whose variants would be named alike (the same workload listed twice, with
 * other settings) get the first setting in which they differ into their variants' names.
 */
static void choices_distinguish(struct choices *choices)
{
	const struct setting *setting;
	const void *ops;

	while ((setting = find_any_clash(choices, &ops)))
		for (size_t i = 0; i < choices->nr; i++)
			if (choices->items[i].ops == ops)
				add_to_names(&choices->items[i], setting);
}

int choices_load(const struct choice_kind *kind, const struct yaml_node *root,
		 struct choices *choices)
{
	const struct yaml_node *list = yaml_get(root, kind->key);
	autofree char *example = xasprintf("'%s: [NAME, NAME]'", kind->key);
	int ret;

	if (!list)
		return yaml_error(root, "no %s: add %s (`iommubench list %s` shows all)", kind->key,
				  example, kind->key);
	ret = yaml_expect(list, YAML_LIST, kind->key, example);
	if (ret)
		return ret;
	if (!list->nr)
		return yaml_error(list, "%s is empty: name at least one (`iommubench list %s`)",
				  kind->key, kind->key);
	choices->items = xzalloc(list->nr * sizeof(*choices->items));
	for (size_t i = 0; i < list->nr && !ret; i++)
		ret = load_item(kind, &list->items[i], choices);
	if (!ret)
		choices_distinguish(choices);
	return ret;
}

void choices_free(struct choices *choices)
{
	for (size_t i = 0; i < choices->nr; i++) {
		struct choice *choice = &choices->items[i];

		for (size_t j = 0; j < choice->nr_variants; j++) {
			free(choice->variants[j].name);
			settings_free(choice->variants[j].settings);
		}
		free(choice->variants);
	}
	free(choices->items);
}

/* Sizes in bytes, times in seconds. */
static json_t *value_json(const struct setting *setting, const struct setting_value *value)
{
	switch (setting->type) {
	case SETTING_COUNT:
	case SETTING_SIZE:
		return json_integer((json_int_t)value->number);
	case SETTING_TIME:
	case SETTING_NUMBER:
		return json_real(value->number);
	case SETTING_BOOL:
		return json_boolean(value->number != 0);
	case SETTING_CHOICE:
	case SETTING_TEXT:
		return json_string(value->text);
	}
	abort();
}

static json_t *settings_json(const struct settings *s)
{
	json_t *json = json_object();

	for (size_t i = 0; i < s->nr; i++)
		json_object_set_new(json, s->table[i].name,
				    value_json(&s->table[i], &s->values[i]));
	return json;
}

static const char *plugin_name(const struct choice_kind *kind, const void *ops)
{
	struct plugin plugin;

	for (size_t i = 0; kind->at(i, &plugin); i++)
		if (plugin.ops == ops)
			return plugin.name;
	return "?";
}

/* One object a variant. */
json_t *choices_json(const struct choice_kind *kind, const struct choices *choices)
{
	json_t *list = json_array();

	for (size_t i = 0; i < choices->nr; i++) {
		const struct choice *choice = &choices->items[i];

		for (size_t j = 0; j < choice->nr_variants; j++) {
			const struct variant *variant = &choice->variants[j];

			json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "name",
							      plugin_name(kind, choice->ops),
							      "variant", variant->name, "settings",
							      settings_json(variant->settings)));
		}
	}
	return list;
}
