// SPDX-License-Identifier: GPL-2.0-only
/* QEMU's control channel: commands and replies in JSON lines, matched by id. */
#include "harness/qmp.h"

#include <errno.h>
#include <string.h>

#include "harness/log.h"
#include "harness/util.h"

#define MAX_LINE (4 * MIB)

struct qmp {
	int fd;
	const struct waiter *waiter;
	struct strbuf in; /* received, not yet taken */
	unsigned int next_id;
};

/* The next message. New reference in *out. */
static int receive(struct qmp *qmp, uint64_t deadline, json_t **out)
{
	char chunk[4096];
	char *end;
	ssize_t n;
	int ret;

	while (!(end = qmp->in.len ? memchr(qmp->in.data, '\n', qmp->in.len) : NULL)) {
		ret = wait_readable(qmp->waiter, qmp->fd, deadline);
		if (ret)
			return ret;
		n = read(qmp->fd, chunk, sizeof(chunk));
		if (n == 0)
			return -ECHILD;
		if (n < 0)
			return errno == ECONNRESET ? -ECHILD : -errno;
		strbuf_add(&qmp->in, chunk, (size_t)n);
		if (qmp->in.len > MAX_LINE)
			return -EBADMSG;
	}
	*out = json_loadb(qmp->in.data, (size_t)(end - qmp->in.data), 0, NULL);
	qmp->in.len -= (size_t)(end + 1 - qmp->in.data);
	memmove(qmp->in.data, end + 1, qmp->in.len);
	if (!json_is_object(*out)) {
		json_decref(*out);
		*out = NULL;
		return -EBADMSG;
	}
	return 0;
}

static int send_command(struct qmp *qmp, const char *name, json_t *args)
{
	json_t *command = json_pack("{s:s, s:i, s:o*}", "execute", name, "id", (int)++qmp->next_id,
				    "arguments", args);
	autofree char *text = json_dumps(command, JSON_COMPACT);
	int ret;

	json_decref(command);
	if (!text)
		return -EINVAL;
	ret = write_all(qmp->fd, text, strlen(text));
	return ret == -EPIPE ? -ECHILD : ret;
}

/* The reply to the last command sent; others and events are passed over. */
static int receive_reply(struct qmp *qmp, const char *name, uint64_t deadline, json_t **result)
{
	for (;;) {
		json_t *message, *error;
		int ret = receive(qmp, deadline, &message);

		if (ret)
			return ret;
		if (json_integer_value(json_object_get(message, "id")) != (int)qmp->next_id) {
			json_decref(message);
			continue;
		}
		error = json_object_get(message, "error");
		if (error) {
			const char *desc = json_string_value(json_object_get(error, "desc"));

			log_err("QEMU refuses %s: %s", name, desc ? desc : "no reason given");
			ret = -EIO;
		} else if (result) {
			*result = json_incref(json_object_get(message, "return"));
		}
		json_decref(message);
		return ret;
	}
}

int qmp_command(struct qmp *qmp, const char *name, json_t *args, double timeout_s, json_t **result)
{
	int ret = send_command(qmp, name, args);

	return ret ? ret : receive_reply(qmp, name, deadline_in(timeout_s), result);
}

int qmp_open(int fd, const struct waiter *waiter, double timeout_s, struct qmp **out,
	     uint64_t *ready_ns)
{
	struct qmp *qmp = xzalloc(sizeof(*qmp));
	json_t *greeting = NULL;
	int ret;

	qmp->fd = fd;
	qmp->waiter = waiter;
	ret = receive(qmp, deadline_in(timeout_s), &greeting);
	if (!ret && !json_object_get(greeting, "QMP"))
		ret = -EBADMSG;
	json_decref(greeting);
	if (!ret)
		ret = qmp_command(qmp, "qmp_capabilities", NULL, timeout_s, NULL);
	*ready_ns = now_ns();
	if (ret) {
		qmp_close(qmp);
		return ret;
	}
	*out = qmp;
	return 0;
}

void qmp_close(struct qmp *qmp)
{
	if (!qmp)
		return;
	close(qmp->fd);
	free(qmp->in.data);
	free(qmp);
}
