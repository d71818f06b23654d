/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The harness' side of the guest agent's channel: commands, files. All calls return 0,
 * -ETIMEDOUT, -EINTR, -ECHILD (the VM has ended), -EBADMSG (garbage on the wire), or what
 * they say.
 */
#ifndef HARNESS_GUEST_H
#define HARNESS_GUEST_H

#include <stdint.h>

#include "harness/util.h"
#include "harness/wait.h"

struct guest;

/* Takes over fd and waits for the agent's hello. uptime_ns: the guest kernel's age then. */
int guest_open(int fd, const struct waiter *waiter, double timeout_s, struct guest **out,
	       uint64_t *uptime_ns);
void guest_close(struct guest *guest);

/* Called with each piece of output as it comes. */
typedef void guest_output_fn(void *arg, const char *data, size_t len);

/* What a finished command left. Free with guest_result_free(). */
struct guest_result {
	int status; /* as from waitpid() */
	struct strbuf out, err;
};
void guest_result_free(struct guest_result *result);

/*
 * Starts a command in the guest; *job names it for the calls below. on_output (may be NULL)
 * gets stdout and stderr as they come instead of their being kept.
 */
int guest_start(struct guest *guest, char *const argv[], uint32_t flags, guest_output_fn *on_output,
		void *arg, uint32_t *job);
/* Waits for its end. On -ETIMEDOUT the command still runs. */
int guest_wait(struct guest *guest, uint32_t job, double timeout_s, struct guest_result *result);
/* Has it ended? (A look at what has come so far; does not block.) */
bool guest_job_ended(struct guest *guest, uint32_t job);
/* Sends a signal to it and all its children. */
void guest_signal(struct guest *guest, uint32_t job, int sig);
/* Kills it with all its children and forgets it. */
void guest_kill(struct guest *guest, uint32_t job);

/*
 * Runs a command to its end, killing it after the time limit. A status other than 0 is
 * -EREMOTEIO with the command and the last line it printed logged. out (may be NULL) gets
 * its stdout, to free.
 */
int guest_run(struct guest *guest, char *const argv[], double timeout_s, char **out);

/* A file of the guest as a NUL-terminated string to free, trailing newline removed. Also the
 * guest's own -errno (-ENOENT ...), not logged. */
int guest_read(struct guest *guest, const char *path, char **text);
/* Appends a file's bytes, or what a pipe (of tracefs, say) holds at this moment, of any size. */
int guest_read_data(struct guest *guest, const char *path, struct strbuf *data);
int guest_write(struct guest *guest, const char *path, const char *text);

/* Is the agent there? */
int guest_ping(struct guest *guest, double timeout_s);
/* Asks for power-off; does not wait. */
void guest_poweroff(struct guest *guest);

#endif
