// SPDX-License-Identifier: GPL-2.0-only
/* When run --ab looks at its results. */
#include "harness/looks.h"

#include <errno.h>

#include "harness/gate.h"

void looks_plan(unsigned int boots, unsigned int max, struct looks *looks)
{
	unsigned int first = boots < GATE_MIN_BOOTS ? GATE_MIN_BOOTS : boots;

	*looks = (struct looks){ { max }, 1 };
	if (first >= max)
		return;
	looks->nr = max - first < LOOKS_MAX - 1 ? 2 : LOOKS_MAX;
	for (size_t i = 0; i < looks->nr; i++)
		looks->boots[i] = first + (unsigned int)((max - first) * i / (looks->nr - 1));
}

size_t looks_index(const struct looks *looks, size_t boots)
{
	size_t i = 0;

	while (i + 1 < looks->nr && looks->boots[i] < boots)
		i++;
	return i;
}

double looks_share(const struct looks *looks)
{
	return looks->nr ? 1 / (double)looks->nr : 1;
}

json_t *looks_json(const struct looks *looks)
{
	json_t *json = json_array();

	for (size_t i = 0; i < looks->nr; i++)
		json_array_append_new(json, json_integer(looks->boots[i]));
	return json;
}

int looks_read(const json_t *json, struct looks *looks)
{
	size_t nr = json_array_size(json);
	json_int_t last = 0;

	*looks = (struct looks){ 0 };
	if (!nr || nr > LOOKS_MAX)
		return -EINVAL;
	for (size_t i = 0; i < nr; i++) {
		json_int_t boots = json_integer_value(json_array_get(json, i));

		if (boots <= last || boots > GATE_MAX_BOOTS)
			return -EINVAL;
		looks->boots[i] = (unsigned int)boots;
		last = boots;
	}
	looks->nr = nr;
	return 0;
}
