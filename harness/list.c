// SPDX-License-Identifier: GPL-2.0-only
/* The registry, printed: what there is and how it is set. */
#include "harness/list.h"

#include <errno.h>
#include <string.h>

#include "bench/registry.h"
#include "harness/util.h"

static void print_settings(const struct setting *table, FILE *out)
{
	for (const struct setting *s = table; s && s->name; s++) {
		fprintf(out, "      %-12s %s (default %s", s->name, s->help, s->def);
		for (size_t i = 0; s->choices && s->choices[i]; i++)
			fprintf(out, "%s%s", i ? ", " : "; one of ", s->choices[i]);
		fprintf(out, ")\n");
	}
}

static void print_modes(FILE *out)
{
	for (size_t i = 0; registry_modes[i]; i++) {
		fprintf(out, "  %-16s %s\n", registry_modes[i]->name, registry_modes[i]->help);
		print_settings(registry_modes[i]->settings, out);
	}
}

static void print_devices(FILE *out)
{
	for (size_t i = 0; registry_devices[i]; i++) {
		fprintf(out, "  %-16s %s\n", registry_devices[i]->name, registry_devices[i]->help);
		print_settings(registry_devices[i]->settings, out);
	}
}

static void print_workloads(FILE *out)
{
	for (size_t i = 0; registry_workloads[i]; i++) {
		fprintf(out, "  %-16s %s\n", registry_workloads[i]->name,
			registry_workloads[i]->help);
		print_settings(registry_workloads[i]->settings, out);
	}
}

static void print_metric_table(const struct metric_desc *metrics, FILE *out)
{
	for (const struct metric_desc *m = metrics; m && m->name; m++)
		fprintf(out, "  %-26s %-8s %s\n", m->name, m->unit, m->help);
}

static void print_metrics(FILE *out)
{
	for (size_t i = 0; registry_workloads[i]; i++)
		print_metric_table(registry_workloads[i]->metrics, out);
	for (size_t i = 0; registry_metrics[i]; i++)
		print_metric_table(registry_metrics[i]->metrics, out);
}

int list_print(const char *what, FILE *out)
{
	static const struct {
		const char *name;
		void (*print)(FILE *out);
	} sections[] = { { "modes", print_modes },
			 { "devices", print_devices },
			 { "workloads", print_workloads },
			 { "metrics", print_metrics } };
	int ret = -EINVAL;

	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		if (what && strcmp(what, sections[i].name) != 0)
			continue;
		if (!what)
			fprintf(out, "%s:\n", sections[i].name);
		sections[i].print(out);
		ret = 0;
	}
	return ret;
}
