// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest agent: init of the measured VM and of the virtual lab, and the harness' hands in
 * them. Static, one process, one poll loop. Prepares the system as /init.conf says, then
 * serves requests from its virtio-serial port (agent_proto.h). With "--serve FD DIR" it is a plain
 * process of a machine that is no VM: it prepares nothing, serves that descriptor, finds
 * programs in DIR, too, and ends.
 */
#include "harness/agent_proto.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_JOBS 32

/* One running EXEC: a slot is free when pid is 0. */
static struct job {
	pid_t pid;
	uint32_t id;
	int out, err; /* pipes from the child, -1 when at end */
	bool exited;
	int status;
} jobs[MAX_JOBS];

static int port = -1;
static char path_variable[4352] =
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/* A VM ends with its agent. On a machine that is no VM the agent is not init, and only it ends. */
__attribute__((noreturn)) static void end(int status)
{
	if (getpid() == 1) {
		sync();
		reboot(RB_POWER_OFF);
	}
	_exit(status);
}

__attribute__((noreturn)) static void die(const char *what)
{
	fprintf(stderr, "agent: %s: %s\n", what, strerror(errno));
	end(1);
}

/* --- preparing the system: /init.conf, one step a line --- */

static int load_module(const char *path, const char *params)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	ret = (int)syscall(SYS_finit_module, fd, params, 0);
	if (ret && errno == EEXIST)
		ret = 0;
	ret = ret ? -errno : 0;
	close(fd);
	return ret;
}

/* Makes dir the root of this process and of all it starts. */
static int enter_root(const char *dir)
{
	if (chdir(dir) || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
		return -errno;
	return 0;
}

/* A device behind an IOMMU whose driver came late is probed once more, in the background. */
static void await_device(const char *source)
{
	for (int tries = 0; tries < 10000 && access(source, F_OK); tries++)
		usleep(2000);
}

static int mount_step(const char *source, const char *target, const char *type, char *options)
{
	unsigned long flags = 0;
	char *data = options;

	if (options && !strncmp(options, "ro", 2) && (options[2] == ',' || !options[2])) {
		flags |= MS_RDONLY;
		data = options[2] ? options + 3 : NULL;
	}
	if (!strcmp(type, "bind"))
		flags |= MS_BIND;
	if (!strncmp(source, "/dev/", strlen("/dev/")))
		await_device(source);
	return mount(source, target, type, flags, data) ? -errno : 0;
}

static int init_step(char *line)
{
	char *word[5] = { NULL };
	int nr = 0;

	for (char *p = strtok(line, " \t\n"); p && nr < 5; p = strtok(NULL, " \t\n"))
		word[nr++] = p;
	if (!nr || word[0][0] == '#')
		return 0;
	if (!strcmp(word[0], "insmod") && nr >= 2)
		return load_module(word[1], word[2] ? word[2] : "");
	if (!strcmp(word[0], "mkdir") && nr == 2)
		return mkdir(word[1], 0755) && errno != EEXIST ? -errno : 0;
	if (!strcmp(word[0], "mount") && nr >= 4)
		return mount_step(word[1], word[2], word[3], word[4]);
	if (!strcmp(word[0], "symlink") && nr == 3)
		return symlink(word[1], word[2]) && errno != EEXIST ? -errno : 0;
	if (!strcmp(word[0], "root") && nr == 2)
		return enter_root(word[1]);
	return -EINVAL;
}

static void init_system(void)
{
	FILE *conf = fopen("/init.conf", "re");
	char line[1024], copy[1024];

	if (!conf)
		die("/init.conf");
	while (fgets(line, sizeof(line), conf)) {
		int ret;

		memcpy(copy, line, sizeof(copy));
		ret = init_step(line);
		if (ret) {
			errno = -ret;
			die(copy);
		}
	}
	fclose(conf);
}

/* --- the port --- */

/* The port appears when the console driver has probed; there is no udev to name it. */
static int open_port(void)
{
	for (int tries = 0; tries < 2000; tries++) {
		DIR *dir = opendir("/sys/class/virtio-ports");
		struct dirent *entry;

		while (dir && (entry = readdir(dir))) {
			char path[512], name[64] = "";
			FILE *f;

			snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name",
				 entry->d_name);
			f = fopen(path, "re");
			if (f && fgets(name, sizeof(name), f))
				name[strcspn(name, "\n")] = '\0';
			if (f)
				fclose(f);
			if (strcmp(name, AGENT_PORT_NAME) != 0)
				continue;
			snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
			closedir(dir);
			return open(path, O_RDWR | O_CLOEXEC);
		}
		if (dir)
			closedir(dir);
		usleep(2000);
	}
	errno = ENODEV;
	return -1;
}

static void port_write(const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(port, p, len);

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			die("write to port");
		p += n;
		len -= (size_t)n;
	}
}

static void port_read(void *data, size_t len)
{
	char *p = data;

	while (len) {
		ssize_t n = read(port, p, len);

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			die("read from port");
		if (n == 0) /* the harness has gone: nothing survives it */
			die("harness gone");
		p += n;
		len -= (size_t)n;
	}
}

/* Header and payload in one write: each write is one exit of the VM. */
static void send_frame(enum agent_op op, uint32_t id, const void *data, uint32_t len)
{
	static char buf[sizeof(struct agent_frame) + AGENT_MAX_PAYLOAD];
	struct agent_frame frame = { AGENT_MAGIC, op, id, len };

	memcpy(buf, &frame, sizeof(frame));
	if (len)
		memcpy(buf + sizeof(frame), data, len);
	port_write(buf, sizeof(frame) + len);
}

static void send_number(enum agent_op op, uint32_t id, int32_t number)
{
	send_frame(op, id, &number, sizeof(number));
}

/* --- requests --- */

static void exec_child(char **argv, bool tty, const int *out, const int *err)
{
	static char *const env[] = { path_variable, (char *)"HOME=/root", (char *)"TERM=linux",
				     (char *)"LC_ALL=C.UTF-8", NULL };
	sigset_t none;
	int in;

	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	in = open(tty ? "/dev/hvc0" : "/dev/null", O_RDWR);
	dup2(in, 0);
	dup2(tty ? in : out[1], 1);
	dup2(tty ? in : err[1], 2);
	execvpe(argv[0], argv, env);
	fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static int start_job(uint32_t id, char **argv, bool tty)
{
	int out[2], err[2];
	struct job *job = NULL;

	for (int i = 0; i < MAX_JOBS && !job; i++)
		if (!jobs[i].pid)
			job = &jobs[i];
	if (!job)
		return -EAGAIN;
	if (pipe2(out, O_CLOEXEC))
		return -errno;
	if (pipe2(err, O_CLOEXEC)) {
		close(out[0]);
		close(out[1]);
		return -errno;
	}
	*job = (struct job){ .pid = fork(), .id = id, .out = out[0], .err = err[0] };
	if (!job->pid)
		exec_child(argv, tty, out, err);
	close(out[1]);
	close(err[1]);
	if (job->pid < 0) {
		job->pid = 0;
		close(out[0]);
		close(err[0]);
		return -EAGAIN;
	}
	return 0;
}

static void handle_exec(uint32_t id, char *data, uint32_t len)
{
	struct agent_exec head = { 0 };
	char *argv[257];
	int nr = 0, ret = -EINVAL;

	if (len > sizeof(head)) {
		memcpy(&head, data, sizeof(head));
		for (char *p = data + sizeof(head); p < data + len && nr < 256; p += strlen(p) + 1)
			argv[nr++] = p;
		argv[nr] = NULL;
		ret = start_job(id, argv, head.flags & AGENT_EXEC_TTY);
	}
	if (ret)
		send_number(AGENT_EXIT, id, 126 << 8);
}

static void handle_read(uint32_t id, const char *path)
{
	char chunk[16384];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = -1;

	while (fd >= 0 && (n = read(fd, chunk, sizeof(chunk))) > 0)
		send_frame(AGENT_DATA, id, chunk, (uint32_t)n);
	send_number(AGENT_REPLY, id, fd < 0 || n < 0 ? -errno : 0);
	if (fd >= 0)
		close(fd);
}

static int write_file(const char *path, const char *data, size_t len)
{
	/* A FIFO that nobody reads would block us for good. */
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0644);
	ssize_t n;
	int ret = 0;

	if (fd < 0)
		return -errno;
	n = write(fd, data, len);
	if (n < 0)
		ret = -errno;
	else if ((size_t)n != len)
		ret = -EIO;
	close(fd);
	return ret;
}

static void handle_kill(uint32_t id, const char *data, uint32_t len)
{
	int32_t sig = SIGKILL;

	if (len == sizeof(sig))
		memcpy(&sig, data, sizeof(sig));
	for (int i = 0; i < MAX_JOBS; i++)
		if (jobs[i].pid && jobs[i].id == id)
			kill(-jobs[i].pid, sig);
}

static void handle_request(void)
{
	static char data[AGENT_MAX_PAYLOAD + 1];
	struct agent_frame frame;
	size_t path_len;

	port_read(&frame, sizeof(frame));
	if (frame.magic != AGENT_MAGIC || frame.len > AGENT_MAX_PAYLOAD) {
		errno = EPROTO;
		die("frame");
	}
	port_read(data, frame.len);
	data[frame.len] = '\0';
	path_len = strlen(data);
	switch (frame.op) {
	case AGENT_EXEC:
		handle_exec(frame.id, data, frame.len);
		break;
	case AGENT_KILL:
		handle_kill(frame.id, data, frame.len);
		break;
	case AGENT_READ:
		handle_read(frame.id, data);
		break;
	case AGENT_WRITE:
		send_number(AGENT_REPLY, frame.id,
			    path_len < frame.len ? write_file(data, data + path_len + 1,
							      frame.len - path_len - 1)
						 : -EINVAL);
		break;
	case AGENT_PING:
		send_number(AGENT_REPLY, frame.id, 0);
		break;
	case AGENT_POWEROFF:
		end(0);
	default:
		send_number(AGENT_REPLY, frame.id, -EOPNOTSUPP);
	}
}

/* --- children --- */

/* An EXEC is over when its process has ended and both of its pipes have been emptied. */
static void finish_job(struct job *job)
{
	if (!job->exited || job->out >= 0 || job->err >= 0)
		return;
	send_number(AGENT_EXIT, job->id, job->status);
	job->pid = 0;
}

static void forward_output(struct job *job, int *fd, enum agent_op op)
{
	char chunk[16384];
	ssize_t n = read(*fd, chunk, sizeof(chunk));

	if (n > 0) {
		send_frame(op, job->id, chunk, (uint32_t)n);
		return;
	}
	if (n < 0 && errno == EINTR)
		return;
	close(*fd);
	*fd = -1;
	finish_job(job);
}

static void reap_children(void)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (int i = 0; i < MAX_JOBS; i++) {
			if (jobs[i].pid != pid)
				continue;
			jobs[i].exited = true;
			jobs[i].status = status;
			finish_job(&jobs[i]);
		}
	}
}

static void serve(int signals)
{
	struct pollfd fds[2 + 2 * MAX_JOBS];
	struct {
		struct job *job;
		int *fd;
		enum agent_op op;
	} source[2 + 2 * MAX_JOBS];
	nfds_t nr = 2;

	fds[0] = (struct pollfd){ .fd = port, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = signals, .events = POLLIN };
	for (int i = 0; i < MAX_JOBS; i++) {
		struct job *job = &jobs[i];

		if (job->pid && job->out >= 0) {
			source[nr].job = job;
			source[nr].fd = &job->out;
			source[nr].op = AGENT_STDOUT;
			fds[nr++] = (struct pollfd){ .fd = job->out, .events = POLLIN };
		}
		if (job->pid && job->err >= 0) {
			source[nr].job = job;
			source[nr].fd = &job->err;
			source[nr].op = AGENT_STDERR;
			fds[nr++] = (struct pollfd){ .fd = job->err, .events = POLLIN };
		}
	}
	if (poll(fds, nr, -1) < 0 && errno != EINTR)
		die("poll");
	for (nfds_t i = 2; i < nr; i++)
		if (fds[i].revents)
			forward_output(source[i].job, source[i].fd, source[i].op);
	if (fds[1].revents) {
		struct signalfd_siginfo info;

		if (read(signals, &info, sizeof(info)) > 0)
			reap_children();
	}
	if (fds[0].revents)
		handle_request();
}

int main(int argc, char **argv)
{
	struct agent_hello hello;
	struct timespec ts;
	sigset_t mask;
	int signals;

	if (argc == 4 && !strcmp(argv[1], "--serve") && getpid() != 1) {
		size_t len = strlen(path_variable);

		port = (int)strtol(argv[2], NULL, 10);
		snprintf(path_variable + len, sizeof(path_variable) - len, ":%s", argv[3]);
		fcntl(port, F_SETFD, FD_CLOEXEC);
	} else if (getpid() == 1) {
		init_system();
		port = open_port();
	} else {
		fprintf(stderr, "usage: agent --serve FD DIR (else it is the init of a VM)\n");
		return 2;
	}
	if (port < 0)
		die("agent port");
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	signals = signalfd(-1, &mask, SFD_CLOEXEC);
	clock_gettime(CLOCK_BOOTTIME, &ts);
	hello.uptime_ns = (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
	send_frame(AGENT_HELLO, 0, &hello, sizeof(hello));
	for (;;)
		serve(signals);
}
