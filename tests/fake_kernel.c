// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's side of a fake sysfs: a child that reacts to what drivers are told. */
#include "tests/fake_kernel.h"

#include "tests/tree.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "harness/rebind.h"

const char *const fake_drivers[NR_FAKE_DRIVERS] = { "nvme", "ixgbe", "vfio-pci", "broken" };

static struct {
	pid_t pid;
	int request, reply; /* its ends of pipes: a byte asks it to react to all that was written */
	int unbind[NR_FAKE_DRIVERS], bind[NR_FAKE_DRIVERS], probe;
} kernel;

int fake_fifo(const char *name)
{
	autofree char *path = tree_path(name);

	return open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

static char *driver_link(const char *bdf)
{
	return xasprintf("%s/" BELOW "%s/driver", tree_root, bdf);
}

static bool kernel_override_is(const char *bdf, const char *driver)
{
	autofree char *now = rebind_override(bdf);

	return !now || !strcmp(now, driver);
}

static void kernel_bind(const char *bdf, const char *driver)
{
	autofree char *link = driver_link(bdf);
	autofree char *target = xasprintf("%s/" DRIVERS "%s", tree_root, driver);

	if (kernel_override_is(bdf, driver) && strcmp(driver, "broken") != 0 &&
	    symlink(target, link))
		return;
}

/* Keeps what the journal says when the first device is unbound. */
static void kernel_unbind(const char *bdf, const char *driver)
{
	autofree char *now = pci_driver(bdf), *link = driver_link(bdf);
	autofree char *from = xasprintf("%s/" JOURNAL, tree_root);
	autofree char *to = tree_path("journal-at-unbind"), *text = file_read(from, NULL);

	if (text && !file_exists(to))
		file_write(to, text, true);
	if (now && !strcmp(now, driver))
		unlink(link);
}

static void kernel_probe(const char *bdf, const char *unused)
{
	autofree char *override = rebind_override(bdf);

	kernel_bind(bdf, override ? override : !strcmp(bdf, NVME) ? "nvme" : "ixgbe");
}

/* Calls react for each address in the pipe. */
static bool kernel_read(int fd, const char *driver,
			void (*react)(const char *bdf, const char *driver))
{
	char text[4096];
	ssize_t len = read(fd, text, sizeof(text) - 1);

	if (len <= 0)
		return false;
	/* Writers that follow each other closely leave no white space. */
	text[len] = '\0';
	for (char *p = text; strlen(p) >= strlen(NVME); p += strlen(NVME)) {
		char bdf[sizeof(NVME)];

		snprintf(bdf, sizeof(bdf), "%.12s", p);
		react(bdf, driver);
	}
	return true;
}

static bool kernel_react(void)
{
	bool any = kernel_read(kernel.probe, NULL, kernel_probe);

	for (size_t i = 0; i < NR_FAKE_DRIVERS; i++) {
		any |= kernel_read(kernel.unbind[i], fake_drivers[i], kernel_unbind);
		any |= kernel_read(kernel.bind[i], fake_drivers[i], kernel_bind);
	}
	return any;
}

static void kernel_main(void)
{
	struct pollfd fds[2 + 2 * NR_FAKE_DRIVERS] = {
		{ .fd = kernel.request, .events = POLLIN },
		{ .fd = kernel.probe, .events = POLLIN },
	};
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t i = 0; i < NR_FAKE_DRIVERS; i++) {
		fds[2 + 2 * i] = (struct pollfd){ .fd = kernel.unbind[i], .events = POLLIN };
		fds[3 + 2 * i] = (struct pollfd){ .fd = kernel.bind[i], .events = POLLIN };
	}
	while (poll(fds, ARRAY_SIZE(fds), -1) > 0) {
		while (kernel_react())
			;
		if (fds[0].revents &&
		    (read(kernel.request, &byte, 1) != 1 || write(kernel.reply, &byte, 1) != 1))
			_exit(0);
	}
	_exit(1);
}

static int request_fd, reply_fd;

void kernel_sync(void)
{
	char byte = 'x';

	assert_int_equal(write(request_fd, &byte, 1), 1);
	assert_int_equal(read(reply_fd, &byte, 1), 1);
}

static void make_fifo(const char *name)
{
	autofree char *path = tree_path(name);

	tree_parent(name);
	assert_int_equal(mkfifo(path, 0600), 0);
}

int kernel_start(void)
{
	int request[2], reply[2];

	make_fifo("sys/bus/pci/drivers_probe");
	kernel.probe = fake_fifo("sys/bus/pci/drivers_probe");
	for (size_t i = 0; i < NR_FAKE_DRIVERS; i++) {
		autofree char *unbind = xasprintf(DRIVERS "%s/unbind", fake_drivers[i]);
		autofree char *bind = xasprintf(DRIVERS "%s/bind", fake_drivers[i]);

		make_fifo(unbind);
		make_fifo(bind);
		kernel.unbind[i] = fake_fifo(unbind);
		kernel.bind[i] = fake_fifo(bind);
	}
	if (pipe2(request, O_CLOEXEC) || pipe2(reply, O_CLOEXEC))
		return -1;
	kernel.request = request[0];
	kernel.reply = reply[1];
	kernel.pid = fork();
	if (!kernel.pid)
		kernel_main();
	close(request[0]);
	close(reply[1]);
	request_fd = request[1];
	reply_fd = reply[0];
	return kernel.pid < 0 ? -1 : 0;
}

void kernel_stop(void)
{
	if (!kernel.pid)
		return;
	kill(kernel.pid, SIGKILL);
	waitpid(kernel.pid, NULL, 0);
	kernel.pid = 0;
	close(request_fd);
	close(reply_fd);
	close(kernel.probe);
	for (size_t i = 0; i < NR_FAKE_DRIVERS; i++) {
		close(kernel.unbind[i]);
		close(kernel.bind[i]);
	}
}
