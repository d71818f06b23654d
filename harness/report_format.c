// SPDX-License-Identifier: GPL-2.0-only
/* Figures as people read them. */
#include "harness/report_format.h"

#include <math.h>
#include <string.h>

#include "harness/util.h"

/* Three significant digits: 0.0123, 1.23, 12.3, 123. */
static char *three_digits(double value, const char *suffix)
{
	double size = fabs(value);
	int decimals = size >= 99.95 || size == 0 ? 0 : size >= 9.995 ? 1 : 2;

	if (size > 0 && size < 0.1)
		return xasprintf("%.2g%s", value, suffix);
	return xasprintf("%.*f%s", decimals, value, suffix);
}

#define NR_PREFIXES 5

/* Divides the value by step until it is below it, rounded. The prefix for that, and after: to free.
 */
static char *scale(double *value, double step, const char *const *prefixes, const char *after)
{
	size_t p = 0;

	while (fabs(*value) >= step - 0.5 && p + 1 < NR_PREFIXES) {
		*value /= step;
		p++;
	}
	return xasprintf("%s%s", prefixes[p], after);
}

static char *format_si(double value, const char *after)
{
	static const char *const prefixes[NR_PREFIXES] = { "", " k", " M", " G", " T" };
	autofree char *suffix = scale(&value, 1000, prefixes, after);

	return three_digits(value, suffix);
}

static char *format_bytes(double value, const char *after)
{
	static const char *const prefixes[NR_PREFIXES] = { " B", " KiB", " MiB", " GiB", " TiB" };
	autofree char *suffix = scale(&value, 1024, prefixes, after);

	return value == floor(value) ? xasprintf("%.0f%s", value, suffix)
				     : three_digits(value, suffix);
}

static char *format_seconds(double value)
{
	double size = fabs(value);

	if (size == 0 || size >= 0.9995)
		return three_digits(value, " s");
	if (size >= 0.9995e-3)
		return three_digits(value * 1e3, " ms");
	if (size >= 0.9995e-6)
		return three_digits(value * 1e6, " µs");
	return three_digits(value * 1e9, " ns");
}

char *report_format(double value, const char *unit)
{
	autofree char *after = NULL;

	if (!isfinite(value))
		return xstrdup(NO_VALUE);
	if (!strcmp(unit, "s"))
		return format_seconds(value);
	if (!strcmp(unit, "bytes"))
		return format_bytes(value, "");
	if (!strcmp(unit, "bytes/s"))
		return format_bytes(value, "/s");
	if (!strcmp(unit, "ops/s"))
		return format_si(value, "/s");
	if (!strcmp(unit, "count") || !*unit)
		return format_si(value, "");
	after = xasprintf(" %s", unit);
	return format_si(value, after);
}

static char *format_multiple(double ratio, const char *after)
{
	if (ratio > 0 && ratio < 0.005)
		return xasprintf("<0.01%s", after);
	return isfinite(ratio) ? three_digits(ratio, after) : xstrdup(NO_VALUE);
}

char *report_format_ratio(double ratio)
{
	return format_multiple(ratio, "×");
}

char *report_format_bare(double ratio)
{
	return format_multiple(ratio, "");
}

char *report_ratio_text(const struct report_ratio *ratio)
{
	autofree char *low = report_format_bare(ratio->low);
	autofree char *high = report_format_bare(ratio->high);
	autofree char *middle = report_format_ratio(ratio->ratio);

	if (isnan(ratio->low))
		return xstrdup(middle);
	return xasprintf("%s (%s to %s)", middle, low, high);
}

char *report_format_confidence(double confidence)
{
	/* Rounded down: 94.9 % are no 95 %. */
	return xasprintf("%.0f %%", floor(100 * fmin(confidence, REPORT_CONFIDENCE) + 1e-9));
}

int report_text_width(const char *text)
{
	int width = 0;

	for (; *text; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}

void report_print_clean(FILE *out, const char *text)
{
	while (*text) {
		size_t control = control_bytes(text);

		fputc(control ? '?' : *text, out);
		text += control ? control : 1;
	}
}

void report_print_padded(FILE *out, const char *text, int width, bool left)
{
	int pad = width - report_text_width(text);

	if (!left && pad > 0)
		fprintf(out, "%*s", pad, "");
	report_print_clean(out, text);
	if (left && pad > 0)
		fprintf(out, "%*s", pad, "");
}
