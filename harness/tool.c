// SPDX-License-Identifier: GPL-2.0-only
/* Load tools with the control protocol, in the guest or on the peer. */
#include "harness/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "harness/log.h"
#include "harness/proc.h"
#include "harness/util.h"

#define ANSWER_S 30
#define END_S 10

struct tool {
	struct cell_run *run;
	char *name;
	struct strbuf out; /* all it has printed */
	size_t seen;	   /* of it, read as events */
	/* On the peer: */
	struct proc proc;
	int in_fd, out_fd;
	/* In the guest: */
	bool in_guest, collected, finished;
	uint32_t job;
	char *fifo;
};

static struct tool *tool_new(struct cell_run *run, const char *name)
{
	struct tool *tool = xzalloc(sizeof(*tool));

	tool->run = run;
	tool->name = xstrdup(name);
	tool->in_fd = tool->out_fd = -1;
	tool->proc.pidfd = -1;
	strbuf_add(&tool->out, "", 0);
	return tool;
}

static struct boot *boot_of(const struct tool *tool)
{
	return tool->run->boot;
}

static struct guest *guest_of(const struct tool *tool)
{
	return tool->run->boot->vm->guest;
}

/* --- on the peer --- */

static int start_process(struct tool *tool, char *const argv[])
{
	autofree char *path = xasprintf("%s/%s.stderr", tool->run->dir, tool->name);
	autoclose int err = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, ret;

	if (err < 0 || pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC)) {
		ret = -errno;
		close(in[0]);
		close(in[1]);
		return ret;
	}
	ret = proc_start(argv, &(struct proc_options){ .in = in[0], .out = out[1], .err = err },
			 &tool->proc);
	close(in[0]);
	close(out[1]);
	tool->in_fd = in[1];
	tool->out_fd = out[0];
	return ret;
}

int tool_start_peer(struct cell_run *run, const char *name, char *const argv[], struct tool **out)
{
	struct tool *tool = tool_new(run, name);
	struct strlist whole = { 0 };
	int ret;

	peer_command(run->boot->peer, argv, &whole);
	ret = start_process(tool, whole.items);
	strlist_free(&whole);
	if (ret) {
		boot_fail(run->boot, ret, "cannot start %s on the peer: %s", name, strerror(-ret));
		tool_end(tool);
		return ret;
	}
	*out = tool;
	return 0;
}

/* More of what it prints; -EPIPE at its end. */
static int receive_process(struct tool *tool, uint64_t deadline)
{
	/* The VM's end ends the wait, too; its ticks go on. */
	int ret = wait_readable(&boot_of(tool)->vm->waiter, tool->out_fd, deadline);
	char chunk[4096];
	ssize_t n;

	if (ret)
		return ret;
	n = read(tool->out_fd, chunk, sizeof(chunk));
	if (n <= 0)
		return n < 0 ? -errno : -EPIPE;
	strbuf_add(&tool->out, chunk, (size_t)n);
	return 0;
}

static char *process_last_words(struct tool *tool)
{
	autofree char *path = xasprintf("%s/%s.stderr", tool->run->dir, tool->name);

	return file_read_trimmed(path);
}

/* --- in the guest --- */

static void on_output(void *arg, const char *data, size_t len)
{
	struct tool *tool = arg;

	strbuf_add(&tool->out, data, len);
}

/*
 * The agent gives programs no stdin. A FIFO does; opened for reading and writing it never ends
 * between two words.
 */
int tool_start_guest(struct cell_run *run, const char *name, char *const argv[], struct tool **out)
{
	struct tool *tool = tool_new(run, name);
	struct strlist whole = { 0 };
	int ret;

	tool->in_guest = true;
	tool->fifo = xasprintf("/tmp/%s.control", name);
	strlist_add(&whole, "sh");
	strlist_add(&whole, "-c");
	strlist_addf(&whole, "busybox rm -f %s; busybox mkfifo %s && exec \"$@\" 0<>%s", tool->fifo,
		     tool->fifo, tool->fifo);
	strlist_add(&whole, name);
	for (; *argv; argv++)
		strlist_add(&whole, *argv);
	ret = guest_start(run->boot->vm->guest, whole.items, 0, on_output, tool, &tool->job);
	strlist_free(&whole);
	if (ret) {
		tool->collected = true;
		tool_end(tool);
		return ret;
	}
	*out = tool;
	return 0;
}

/* Its output comes while something is waited for: its end, for a moment. */
static int receive_guest(struct tool *tool, uint64_t deadline)
{
	struct guest_result result = { 0 };
	int ret = guest_wait(guest_of(tool), tool->job, 0.05, &result);

	if (ret == -ETIMEDOUT)
		return now_ns() < deadline ? 0 : ret;
	if (ret)
		return ret;
	guest_result_free(&result);
	tool->collected = true;
	return 0; /* there may be an event in its last words */
}

/* --- both --- */

/* The next whole line as an object, or NULL: none yet. Lines that are no JSON are skipped. */
static json_t *next_event(struct tool *tool)
{
	char *line, *end;

	for (;;) {
		json_t *event;

		line = tool->out.data + tool->seen;
		end = memchr(line, '\n', tool->out.len - tool->seen);
		if (!end)
			return NULL;
		tool->seen += (size_t)(end - line) + 1;
		event = json_loadb(line, (size_t)(end - line), 0, NULL);
		if (event)
			return event;
	}
}

static int receive(struct tool *tool, uint64_t deadline)
{
	if (tool->collected)
		return -EPIPE;
	return tool->in_guest ? receive_guest(tool, deadline) : receive_process(tool, deadline);
}

/* The last line of text, for a message. */
static const char *last_line(char *text)
{
	char *line;

	if (!text || !*text)
		return "it printed no reason";
	for (line = text + strlen(text) - 1; line > text && *line == '\n'; line--)
		*line = '\0';
	line = strrchr(text, '\n');
	return line ? line + 1 : text;
}

/* In the guest both outputs come as one: the reason is its last line. */
static int explain_end(struct tool *tool)
{
	autofree char *words = tool->in_guest ? xstrdup(tool->out.data) : process_last_words(tool);

	return boot_fail(boot_of(tool), -EREMOTEIO, "%s %s ended too early: %.300s", tool->name,
			 tool->in_guest ? "in the guest" : "on the peer", last_line(words));
}

int tool_await(struct tool *tool, const char *event, double timeout_s, json_t **fields)
{
	uint64_t deadline = deadline_in(timeout_s);
	int ret = 0;

	while (!ret) {
		json_t *next = next_event(tool);
		const char *name = json_string_value(json_object_get(next, "event"));

		if (name && !strcmp(name, event)) {
			if (fields)
				*fields = json_incref(next);
			json_decref(next);
			return 0;
		}
		json_decref(next);
		if (!next)
			ret = receive(tool, deadline);
	}
	if (ret == -EPIPE)
		return explain_end(tool);
	/* It is the tool, or the way to it, that failed: the VM may well serve other cells. */
	if (ret == -ETIMEDOUT)
		return boot_fail(boot_of(tool), -EREMOTEIO, "%s %s was not %s within %.0f s",
				 tool->name, tool->in_guest ? "in the guest" : "on the peer", event,
				 timeout_s);
	return ret;
}

int tool_say(struct tool *tool, const char *word)
{
	autofree char *line = xasprintf("%s\n", word);
	int ret;

	if (tool->in_guest) {
		ret = guest_write(guest_of(tool), tool->fifo, line);
		return ret == -ENXIO ? explain_end(tool) : ret;
	}
	ret = write_all(tool->in_fd, line, strlen(line));
	return ret == -EPIPE ? explain_end(tool) : ret;
}

static bool has_ended(struct tool *tool)
{
	struct pollfd poll_fd = { .fd = tool->proc.pidfd, .events = POLLIN };

	if (tool->in_guest)
		return tool->collected || guest_job_ended(guest_of(tool), tool->job);
	return poll(&poll_fd, 1, 0) > 0;
}

/* The harness' window lies within those of the tools. A tool that ends is not waited for. */
static int wait_window(struct tool *const *tools, size_t nr, double runtime_s)
{
	uint64_t end = deadline_in(runtime_s);
	int ret = 0;

	while (!ret && now_ns() < end) {
		ret = wait_seconds(&boot_of(tools[0])->vm->waiter,
				   fmin(1, (double)(end - now_ns()) * 1e-9));
		for (size_t i = 0; i < nr && !ret; i++)
			if (has_ended(tools[i]))
				ret = explain_end(tools[i]);
	}
	return ret;
}

static int measure_window(struct tool *const *tools, size_t nr, double runtime_s)
{
	int ret = measure_begin(tools[0]->run);

	if (!ret)
		ret = wait_window(tools, nr, runtime_s);
	return ret ? ret : measure_end(tools[0]->run);
}

static int begin_tool(struct tool *tool)
{
	int ret = tool_say(tool, "begin");

	return ret ? ret : tool_await(tool, "begun", ANSWER_S, NULL);
}

static int end_tool(struct tool *tool, struct tool_result *result)
{
	int ret = tool_say(tool, "end");

	if (!ret)
		ret = tool_await(tool, "result", ANSWER_S, &result->fields);
	if (ret)
		return ret;
	tool->finished = true;
	if (json_number_value(json_object_get(result->fields, "window_s")) > 0)
		return 0;
	return boot_fail(boot_of(tool), -EREMOTEIO, "%s gave a result without window_s",
			 tool->name);
}

int tool_measure(struct tool *const *tools, size_t nr, double runtime_s,
		 struct tool_result *results)
{
	int ret = 0;

	for (size_t i = 0; i < nr && !ret; i++)
		ret = begin_tool(tools[i]);
	if (!ret)
		ret = measure_window(tools, nr, runtime_s);
	for (size_t i = nr; i-- > 0 && !ret;)
		ret = end_tool(tools[i], &results[i]);
	return ret;
}

int tool_number(struct tool *tool, const struct tool_result *result, const char *key, double *value)
{
	const json_t *field = json_object_get(result->fields, key);

	if (json_is_number(field)) {
		*value = json_number_value(field);
		return 0;
	}
	return boot_fail(boot_of(tool), -EREMOTEIO, "%s gave a result without %s", tool->name, key);
}

int tool_sample(struct tool *tool, const struct tool_result *result, const char *key,
		const struct metric_desc *metric)
{
	double value = 0;
	int ret = tool_number(tool, result, key, &value);

	if (!ret)
		sample_add(&tool->run->samples, metric, value);
	return ret;
}

int tool_ops(struct tool *tool, const struct tool_result *result, const char *key)
{
	double ops = 0, window = 1;
	int ret = tool_number(tool, result, key, &ops);

	if (!ret)
		ret = tool_number(tool, result, "window_s", &window);
	if (!ret)
		tool->run->ops = (uint64_t)(ops / window * tool->run->counted_s);
	return ret;
}

/* After its result it stops its device and exits by itself; a crash there is worth a word. */
static void let_end(struct tool *tool)
{
	struct guest_result result = { 0 };
	int status = 0, ret;

	if (tool->in_guest && !tool->collected) {
		ret = guest_wait(guest_of(tool), tool->job, END_S, &result);
		tool->collected = !ret;
		status = result.status;
		guest_result_free(&result);
	} else {
		ret = tool->proc.pid > 0
			      ? proc_wait(&tool->proc, &boot_of(tool)->vm->waiter, END_S, &status)
			      : 0;
	}
	if (ret && ret != -EINTR)
		log_warn("%s did not end within %d s of its result", tool->name, END_S);
	else if (status)
		log_warn("%s ended with %s after its result", tool->name, proc_status_text(status));
}

void tool_end(struct tool *tool)
{
	autofree char *file = NULL;

	if (!tool)
		return;
	file = xasprintf("%s.json", tool->name);
	if (tool->finished)
		let_end(tool);
	if (tool->in_guest && !tool->collected)
		guest_kill(guest_of(tool), tool->job);
	proc_kill(&tool->proc);
	if (tool->out.len)
		cell_save(tool->run, file, tool->out.data, tool->out.len);
	close(tool->in_fd);
	close(tool->out_fd);
	free(tool->out.data);
	free(tool->fifo);
	free(tool->name);
	free(tool);
}
