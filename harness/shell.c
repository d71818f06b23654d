// SPDX-License-Identifier: GPL-2.0-only
/* Command lines for a shell, and for another host's shell. */
#include "harness/shell.h"

#include <string.h>

#include "harness/proc.h"

void shell_quote(struct strbuf *sb, const char *word)
{
	if (*word && word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789-_=+,./:@%")] == '\0') {
		strbuf_addf(sb, "%s", word);
		return;
	}
	strbuf_add(sb, "'", 1);
	for (; *word; word++) {
		if (*word == '\'')
			strbuf_addf(sb, "'\\''");
		else
			strbuf_add(sb, word, 1);
	}
	strbuf_add(sb, "'", 1);
}

char *shell_quoted(const char *word)
{
	struct strbuf sb = { 0 };

	shell_quote(&sb, word);
	return sb.data;
}

void shell_remote(const char *remote, bool terminal, char *const command[], struct strlist *argv)
{
	struct strbuf line = { 0 };

	if (!remote) {
		for (; *command; command++)
			strlist_add(argv, *command);
		return;
	}
	for (char *const *word = command; *word; word++) {
		if (word != command)
			strbuf_add(&line, " ", 1);
		shell_quote(&line, *word);
	}
	strlist_add(argv, "ssh");
	if (terminal)
		strlist_add(argv, "-tt");
	strlist_add(argv, "-oBatchMode=yes");
	strlist_add(argv, "-oConnectTimeout=10");
	strlist_add(argv, "-oServerAliveInterval=5");
	strlist_add(argv, "-oLogLevel=ERROR"); /* what it prints is read */
	strlist_add(argv, "-oControlPath=none");
	strlist_add(argv, remote);
	strlist_add(argv, line.data);
	free(line.data);
}

int shell_run(const char *remote, const char *script, double timeout_s, char **output)
{
	char *const command[] = { (char *)"sh", (char *)"-c", (char *)script, NULL };
	struct strlist argv = { 0 };
	int ret;

	shell_remote(remote, false, command, &argv);
	ret = proc_run(argv.items, timeout_s, output);
	strlist_free(&argv);
	return ret;
}
