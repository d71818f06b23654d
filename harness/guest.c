// SPDX-License-Identifier: GPL-2.0-only
/* The harness' side of the guest agent's channel. */
#include "harness/guest.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "harness/agent_proto.h"
#include "harness/log.h"

#define FILE_TIMEOUT_S 20.0
#define DATA_TIMEOUT_S 600.0
#define MAX_OUTPUT (64 * MIB) /* of one command: more is a guest out of hand */

/* A request whose last frame has not been taken yet. */
struct request {
	uint32_t id;
	bool done;
	int32_t code; /* of EXIT or REPLY */
	struct strbuf out, err;
	guest_output_fn *on_output;
	void *arg;
	struct request *next;
};

struct guest {
	int fd;
	const struct waiter *waiter;
	uint32_t next_id;
	struct strbuf in;
	struct request *requests;
};

static struct request *find_request(struct guest *guest, uint32_t id)
{
	struct request *request = guest->requests;

	while (request && request->id != id)
		request = request->next;
	return request;
}

static void free_request(struct guest *guest, uint32_t id)
{
	for (struct request **p = &guest->requests; *p; p = &(*p)->next) {
		struct request *request = *p;

		if (request->id != id)
			continue;
		*p = request->next;
		free(request->out.data);
		free(request->err.data);
		free(request);
		return;
	}
}

static struct request *new_request(struct guest *guest)
{
	struct request *request = xzalloc(sizeof(*request));

	request->id = ++guest->next_id;
	request->next = guest->requests;
	guest->requests = request;
	return request;
}

static int send_frame(struct guest *guest, enum agent_op op, uint32_t id, const void *data,
		      size_t len)
{
	struct agent_frame frame = { AGENT_MAGIC, op, id, (uint32_t)len };
	struct strbuf sb = { 0 };
	int ret;

	if (len > AGENT_MAX_PAYLOAD)
		return -E2BIG;
	strbuf_add(&sb, &frame, sizeof(frame));
	strbuf_add(&sb, data, len);
	ret = write_all(guest->fd, sb.data, sb.len);
	free(sb.data);
	return ret == -EPIPE ? -ECHILD : ret;
}

static int request_output(struct request *request, struct strbuf *sb, const char *data, size_t len)
{
	if (request->on_output) {
		request->on_output(request->arg, data, len);
		return 0;
	}
	if (sb->len + len > MAX_OUTPUT)
		return -EBADMSG;
	strbuf_add(sb, data, len);
	return 0;
}

static int handle_frame(struct guest *guest, const struct agent_frame *frame, const char *data)
{
	struct request *request = find_request(guest, frame->id);

	if (!request) /* of a command that was killed and forgotten */
		return 0;
	switch (frame->op) {
	case AGENT_STDOUT:
	case AGENT_DATA:
		return request_output(request, &request->out, data, frame->len);
	case AGENT_STDERR:
		return request_output(request, &request->err, data, frame->len);
	case AGENT_EXIT:
	case AGENT_REPLY:
		if (frame->len != sizeof(request->code))
			return -EBADMSG;
		memcpy(&request->code, data, sizeof(request->code));
		request->done = true;
		return 0;
	default:
		return -EBADMSG;
	}
}

/* A whole frame at the head of what was received? 1, 0 or -EBADMSG. */
static int frame_complete(const struct guest *guest, struct agent_frame *frame)
{
	if (guest->in.len < sizeof(*frame))
		return 0;
	memcpy(frame, guest->in.data, sizeof(*frame));
	if (frame->magic != AGENT_MAGIC || frame->len > AGENT_MAX_PAYLOAD)
		return -EBADMSG;
	return guest->in.len >= sizeof(*frame) + frame->len;
}

static void drop_frame(struct guest *guest, const struct agent_frame *frame)
{
	size_t len = sizeof(*frame) + frame->len;

	guest->in.len -= len;
	memmove(guest->in.data, guest->in.data + len, guest->in.len);
}

static int receive(struct guest *guest)
{
	char chunk[65536];
	ssize_t n = read(guest->fd, chunk, sizeof(chunk));

	if (n == 0)
		return -ECHILD;
	if (n < 0)
		return errno == ECONNRESET ? -ECHILD : -errno;
	strbuf_add(&guest->in, chunk, (size_t)n);
	return 0;
}

static int dispatch(struct guest *guest)
{
	struct agent_frame frame;
	int ret;

	while ((ret = frame_complete(guest, &frame)) == 1) {
		ret = handle_frame(guest, &frame, guest->in.data + sizeof(frame));
		if (ret)
			return ret;
		drop_frame(guest, &frame);
	}
	return ret;
}

/* Serves the channel until the request is done. */
static int await(struct guest *guest, struct request *request, double timeout_s)
{
	uint64_t deadline = deadline_in(timeout_s);
	int ret = 0;

	while (!ret && !request->done) {
		ret = wait_readable(guest->waiter, guest->fd, deadline);
		if (!ret)
			ret = receive(guest);
		if (!ret)
			ret = dispatch(guest);
	}
	return ret;
}

int guest_open(int fd, const struct waiter *waiter, double timeout_s, struct guest **out,
	       uint64_t *uptime_ns)
{
	struct guest *guest = xzalloc(sizeof(*guest));
	uint64_t deadline = deadline_in(timeout_s);
	struct agent_frame frame = { 0 };
	struct agent_hello hello;
	int ret;

	guest->fd = fd;
	guest->waiter = waiter;
	while ((ret = frame_complete(guest, &frame)) == 0) {
		ret = wait_readable(waiter, fd, deadline);
		if (!ret)
			ret = receive(guest);
		if (ret)
			break;
	}
	if (ret == 1)
		ret = frame.op == AGENT_HELLO && frame.len == sizeof(hello) ? 0 : -EBADMSG;
	if (ret) {
		guest_close(guest);
		return ret;
	}
	memcpy(&hello, guest->in.data + sizeof(frame), sizeof(hello));
	drop_frame(guest, &frame);
	*uptime_ns = hello.uptime_ns;
	*out = guest;
	return 0;
}

void guest_close(struct guest *guest)
{
	if (!guest)
		return;
	while (guest->requests)
		free_request(guest, guest->requests->id);
	close(guest->fd);
	free(guest->in.data);
	free(guest);
}

void guest_result_free(struct guest_result *result)
{
	free(result->out.data);
	free(result->err.data);
	*result = (struct guest_result){ 0 };
}

int guest_start(struct guest *guest, char *const argv[], uint32_t flags, guest_output_fn *on_output,
		void *arg, uint32_t *job)
{
	struct request *request = new_request(guest);
	struct agent_exec head = { .flags = flags };
	struct strbuf sb = { 0 };
	int ret;

	request->on_output = on_output;
	request->arg = arg;
	strbuf_add(&request->out, "", 0);
	strbuf_add(&request->err, "", 0);
	strbuf_add(&sb, &head, sizeof(head));
	for (size_t i = 0; argv[i]; i++)
		strbuf_add(&sb, argv[i], strlen(argv[i]) + 1);
	ret = send_frame(guest, AGENT_EXEC, request->id, sb.data, sb.len);
	free(sb.data);
	*job = request->id;
	if (ret)
		free_request(guest, request->id);
	return ret;
}

int guest_wait(struct guest *guest, uint32_t job, double timeout_s, struct guest_result *result)
{
	struct request *request = find_request(guest, job);
	int ret;

	if (!request)
		return -ENOENT;
	ret = await(guest, request, timeout_s);
	if (ret)
		return ret;
	*result = (struct guest_result){ request->code, request->out, request->err };
	request->out = request->err = (struct strbuf){ 0 };
	free_request(guest, job);
	return 0;
}

bool guest_job_ended(struct guest *guest, uint32_t job)
{
	const struct request *request = find_request(guest, job);

	return !request || request->done;
}

void guest_signal(struct guest *guest, uint32_t job, int sig)
{
	int32_t number = sig;

	if (send_frame(guest, AGENT_KILL, job, &number, sizeof(number)))
		log_debug("cannot ask the agent to signal job %u", job);
}

void guest_kill(struct guest *guest, uint32_t job)
{
	guest_signal(guest, job, SIGKILL);
	free_request(guest, job);
}

/* The last line of what a failed command printed: mostly its reason. */
static const char *last_line(struct guest_result *result)
{
	struct strbuf *sb = result->err.len ? &result->err : &result->out;
	char *line;

	while (sb->len && sb->data[sb->len - 1] == '\n')
		sb->data[--sb->len] = '\0';
	line = strrchr(sb->data, '\n');
	return line ? line + 1 : sb->data;
}

int guest_run(struct guest *guest, char *const argv[], double timeout_s, char **out)
{
	struct guest_result result = { 0 };
	uint32_t job;
	int ret = guest_start(guest, argv, 0, NULL, NULL, &job);

	if (ret)
		return ret;
	ret = guest_wait(guest, job, timeout_s, &result);
	if (ret) {
		guest_kill(guest, job);
		return ret;
	}
	if (result.status) {
		log_err("guest: %s ended with status %d: %s", argv[0], result.status >> 8,
			last_line(&result));
		ret = -EREMOTEIO;
	} else if (out) {
		*out = result.out.data;
		result.out.data = NULL;
	}
	guest_result_free(&result);
	return ret;
}

/* Sends a request and waits for its REPLY; the guest's own -errno is returned. */
static int simple_request(struct guest *guest, enum agent_op op, const void *data, size_t len,
			  double timeout_s, char **text)
{
	struct request *request = new_request(guest);
	int ret;

	strbuf_add(&request->out, "", 0);
	ret = send_frame(guest, op, request->id, data, len);
	if (!ret)
		ret = await(guest, request, timeout_s);
	if (!ret)
		ret = request->code;
	if (!ret && text) {
		*text = request->out.data;
		request->out.data = NULL;
	}
	free_request(guest, request->id);
	return ret;
}

static void append_data(void *arg, const char *data, size_t len)
{
	strbuf_add(arg, data, len);
}

int guest_read(struct guest *guest, const char *path, char **text)
{
	int ret = simple_request(guest, AGENT_READ, path, strlen(path), FILE_TIMEOUT_S, text);
	size_t len;

	if (ret)
		return ret;
	len = strlen(*text);
	if (len && (*text)[len - 1] == '\n')
		(*text)[len - 1] = '\0';
	return 0;
}

int guest_read_data(struct guest *guest, const char *path, struct strbuf *data)
{
	struct request *request = new_request(guest);
	int ret = send_frame(guest, AGENT_READ, request->id, path, strlen(path));

	request->on_output = append_data;
	request->arg = data;
	if (!ret)
		ret = await(guest, request, DATA_TIMEOUT_S);
	if (!ret)
		ret = request->code;
	free_request(guest, request->id);
	return ret == -EAGAIN ? 0 : ret;
}

int guest_write(struct guest *guest, const char *path, const char *text)
{
	struct strbuf sb = { 0 };
	int ret;

	strbuf_add(&sb, path, strlen(path) + 1);
	strbuf_add(&sb, text, strlen(text));
	ret = simple_request(guest, AGENT_WRITE, sb.data, sb.len, FILE_TIMEOUT_S, NULL);
	free(sb.data);
	return ret;
}

int guest_ping(struct guest *guest, double timeout_s)
{
	return simple_request(guest, AGENT_PING, NULL, 0, timeout_s, NULL);
}

void guest_poweroff(struct guest *guest)
{
	if (send_frame(guest, AGENT_POWEROFF, 0, NULL, 0))
		log_debug("cannot ask the agent for power-off");
}
