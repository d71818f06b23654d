// SPDX-License-Identifier: GPL-2.0-only
/* A command of the host file, and the figures that it prints. */
#include "harness/host_command.h"

#include <errno.h>
#include <math.h>
#include <regex.h>
#include <string.h>

#include "harness/samples_format.h"
#include "harness/settings.h"
#include "harness/util.h"
#include "harness/yaml.h"

#define MAX_UNIT 20
#define MAX_SHOWN 40

static const char *const better_choices[] = { "higher", "lower", NULL };

static const struct setting settings_table[] = {
	{ "run", SETTING_TEXT, "", .help = "shell command" },
	{ "score", SETTING_TEXT, "", .help = "its figure: an extended regular expression" },
	{ "unit", SETTING_TEXT, "points", .help = "of the figure" },
	{ "better", SETTING_CHOICE, "higher", better_choices, .help = "figures" },
	{ 0 },
};

/* --- reading --- */

/* Lines are lines: "." and a list do not match their ends, ^ and $ do. */
static int compile(const char *score, regex_t *regex, char **why)
{
	char text[128];
	int ret = regcomp(regex, score, REG_EXTENDED | REG_NEWLINE);

	if (!ret)
		return 0;
	regerror(ret, regex, text, sizeof(text));
	*why = xasprintf("'%.80s' is no extended regular expression: %s: see regex(7), and write "
			 "it in single quotes",
			 score, text);
	return -EINVAL;
}

static int check_score(const char *score, char **why)
{
	regex_t regex;
	size_t groups;
	int ret = compile(score, &regex, why);

	if (ret)
		return ret;
	groups = regex.re_nsub;
	regfree(&regex);
	if (groups == 1)
		return 0;
	*why = xasprintf(
		"'%.80s' has %zu groups: put the figure, and nothing else, in parentheses, "
		"as in 'Score: ([0-9.]+)'",
		score, groups);
	return -EINVAL;
}

static int check_texts(const struct yaml_node *map, const struct host_command *command)
{
	autofree char *why = NULL;

	if (!*command->run || !*command->score)
		return yaml_error(map,
				  "a command needs %s: write '{ run: \"glmark2-es2-drm\", score: "
				  "'Score: ([0-9.]+)' }'",
				  *command->run ? "a score" : "something to run");
	if (check_score(command->score, &why))
		return yaml_error(yaml_get(map, "score"), "score: %s", why);
	if (!*command->unit || strlen(command->unit) > MAX_UNIT ||
	    !sample_field_valid(command->unit))
		return yaml_error(
			yaml_get(map, "unit"),
			"unit: '%.40s' is empty, longer than %d characters, or has a comma "
			"or a quote: write it as 'frames/s'",
			command->unit, MAX_UNIT);
	return 0;
}

int host_command_read(const struct yaml_node *map, struct host_command **out)
{
	static const char *const keys[] = { "run", "score", "unit", "better" };
	struct settings *s = settings_new(settings_table);
	struct host_command *command;
	int ret = yaml_expect(map, YAML_MAP, "command",
			      "'command: { run: \"glmark2-es2-drm\", score: 'Score: ([0-9.]+)' }'");

	if (!ret)
		ret = yaml_check_keys(map, "command", keys, ARRAY_SIZE(keys));
	if (!ret)
		ret = yaml_read_settings(map, s);
	command = xzalloc(sizeof(*command));
	command->run = xstrdup(settings_text(s, "run"));
	command->score = xstrdup(settings_text(s, "score"));
	command->unit = xstrdup(settings_text(s, "unit"));
	command->better =
		strcmp(settings_text(s, "better"), "lower") ? DIRECTION_HIGHER : DIRECTION_LOWER;
	settings_free(s);
	if (!ret)
		ret = check_texts(map, command);
	if (ret)
		host_command_free(command);
	else
		*out = command;
	return ret;
}

void host_command_free(struct host_command *command)
{
	if (!command)
		return;
	free(command->run);
	free(command->score);
	free(command->unit);
	free(command);
}

json_t *host_command_json(const struct host_command *command)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "run", command->run, "score", command->score,
			 "unit", command->unit, "better", direction_name(command->better));
}

/* --- figures --- */

/* The whole of the group, which is no number if it took no part in the match. */
static int parse_score(const char *output, const regmatch_t *group, double *score, char **why)
{
	autofree char *text = group->rm_so < 0
				      ? xstrdup("")
				      : xasprintf("%.*s", (int)(group->rm_eo - group->rm_so),
						  output + group->rm_so);
	autofree char *shown = NULL;
	char *end;

	*score = strtod(text, &end);
	if (end != text && !*end && isfinite(*score))
		return 0;
	shown = text_tail(text, strlen(text), MAX_SHOWN);
	*why = xasprintf("'%s', which the host file's score found in what the command printed, "
			 "is no number: let its group match the figure alone",
			 shown);
	return -EINVAL;
}

/* What is before a match stays in sight: "^" is the start of a line, no matter where one ended. */
static int find_scores(const regex_t *regex, const struct strbuf *output, double **scores,
		       size_t *nr, char **why)
{
	regmatch_t match[2] = { { 0, (regoff_t)output->len } };
	int ret = 0;

	while (!ret && !regexec(regex, output->data, ARRAY_SIZE(match), match, REG_STARTEND)) {
		*scores = xrealloc(*scores, (*nr + 1) * sizeof(**scores));
		ret = parse_score(output->data, &match[1], &(*scores)[*nr], why);
		*nr += !ret;
		match[0].rm_so = match[0].rm_eo; /* further: a number has a digit */
		match[0].rm_eo = (regoff_t)output->len;
	}
	return ret;
}

int host_command_scores(const struct host_command *command, const struct strbuf *output,
			double **scores, size_t *nr, char **why)
{
	regex_t regex;
	int ret = compile(command->score, &regex, why);

	*scores = NULL;
	*nr = 0;
	if (ret)
		return ret;
	ret = find_scores(&regex, output, scores, nr, why);
	regfree(&regex);
	if (!ret && !*nr) {
		*why = xasprintf("the host file's score '%s' matches nothing that the command "
				 "printed",
				 command->score);
		ret = -ENOENT;
	}
	if (ret) {
		free(*scores);
		*scores = NULL;
		*nr = 0;
	}
	return ret;
}
