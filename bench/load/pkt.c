// SPDX-License-Identifier: GPL-2.0-only
/*
 * pkt: packets through one port of DPDK, sent, received, sent back or on a round trip. Steered as
 * bench/load/control.h says, or by itself with --runtime.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>

#include "bench/load/control.h"
#include "bench/load/histogram.h"
#include "bench/load/pkt.h"

#define CONTROL_HZ 100 /* how often stdin is looked at: a system call each time */
#define LINK_HZ 10     /* how often the link is, while it is down: it may be slow to tell */

enum stage { STAGE_LINK, STAGE_START, STAGE_READY, STAGE_WINDOW };

struct run {
	struct options o;
	struct port port;
	struct load *load;
	enum stage stage;
	uint64_t deadline; /* for the link, or for packets to flow */
	struct timespec began, began_cpu;
	struct port_errors before;
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	stopped = number;
}

int complain(const char *format, ...)
{
	va_list args;

	fputs("pkt: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return -1;
}

/* ---- Result ---- */

static double seconds_since(clockid_t clock, const struct timespec *since)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)(now.tv_sec - since->tv_sec) + (double)(now.tv_nsec - since->tv_nsec) / 1e9;
}

static void set_count(json_t *fields, const char *name, uint64_t value)
{
	json_object_set_new(fields, name, json_integer((json_int_t)value));
}

static void set_real(json_t *fields, const char *name, double value)
{
	json_object_set_new(fields, name, isnan(value) ? json_null() : json_real(value));
}

static void add_latency(json_t *fields, const struct histogram *h)
{
	set_real(fields, "lat_mean_s", histogram_mean_s(h));
	set_real(fields, "lat_p50_s", histogram_quantile_s(h, 0.5));
	set_real(fields, "lat_p99_s", histogram_quantile_s(h, 0.99));
	set_real(fields, "lat_p999_s", histogram_quantile_s(h, 0.999));
	set_real(fields, "lat_max_s", histogram_max_s(h));
}

static void add_counters(json_t *fields, const struct counters *n, double window_s)
{
	set_count(fields, "rx_packets", n->rx_packets);
	set_count(fields, "tx_packets", n->tx_packets);
	set_real(fields, "rx_packets_per_s", (double)n->rx_packets / window_s);
	set_real(fields, "tx_packets_per_s", (double)n->tx_packets / window_s);
	set_count(fields, "rx_bytes", n->rx_bytes);
	set_count(fields, "tx_bytes", n->tx_bytes);
	set_count(fields, "foreign", n->foreign);
	set_count(fields, "lost", n->lost);
	set_count(fields, "reordered", n->reordered);
	set_count(fields, "corrupt", n->corrupt);
	set_count(fields, "tx_refused", n->tx_refused);
}

static void begin(struct run *run, uint64_t now)
{
	run->stage = STAGE_WINDOW;
	run->before = port_errors(&run->port);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &run->began_cpu);
	clock_gettime(CLOCK_MONOTONIC, &run->began);
	load_begin(run->load, rte_rdtsc());
	run->deadline = now + (uint64_t)(run->o.runtime_s * (double)rte_get_tsc_hz());
	control_event("begun", NULL);
}

static void end(struct run *run)
{
	static const char *const roles[] = { "", "tx", "rx", "forward", "echo" };
	double window_s = seconds_since(CLOCK_MONOTONIC, &run->began);
	double cpu_s = seconds_since(CLOCK_PROCESS_CPUTIME_ID, &run->began_cpu);
	struct counters n = load_end(run->load);
	struct port_errors errors = port_errors(&run->port);
	json_t *fields = json_object();

	json_object_set_new(fields, "role", json_string(roles[run->o.role]));
	json_object_set_new(fields, "driver", json_string(run->port.driver));
	json_object_set_new(fields, "iova_mode",
			    json_string(rte_eal_iova_mode() == RTE_IOVA_PA ? "pa" : "va"));
	set_real(fields, "window_s", window_s);
	set_real(fields, "cpu_s", cpu_s);
	add_counters(fields, &n, window_s);
	set_count(fields, "port_missed", errors.missed - run->before.missed);
	set_count(fields, "port_rx_errors", errors.rx_errors - run->before.rx_errors);
	set_count(fields, "port_no_mbuf", errors.no_mbuf - run->before.no_mbuf);
	set_count(fields, "memory_bytes", memory_bytes());
	set_count(fields, "registered_bytes", memory_registered_bytes());
	if (run->o.role != ROLE_TX)
		set_real(fields, "idle_at_end_s", n.idle_s);
	if (run->o.role == ROLE_ECHO)
		add_latency(fields, load_latency(run->load));
	control_event("result", fields);
}

/* ---- Polling ---- */

static uint64_t from_now(double seconds)
{
	return rte_rdtsc() + (uint64_t)(seconds * (double)rte_get_tsc_hz());
}

/* Until the window begins. 0 or -1. */
static int prepare(struct run *run, uint64_t now)
{
	if (run->stage == STAGE_LINK && port_link(&run->port)) {
		run->load = load_new(&run->o, &run->port);
		if (!run->load)
			return -1;
		run->stage = STAGE_START;
		run->deadline = from_now(run->o.link_wait_s);
		return 0;
	}
	if (run->stage == STAGE_START && load_running(run->load)) {
		run->stage = STAGE_READY;
		control_event("ready", NULL);
		if (run->o.runtime_s > 0)
			begin(run, now);
		return 0;
	}
	if (run->stage == STAGE_READY || now < run->deadline)
		return 0;
	if (run->stage == STAGE_LINK)
		return complain("the link is down after %g s: check the cable, the peer and "
				"--link-wait",
				run->o.link_wait_s);
	return complain(
		"no packet %s in %g s: is the peer's pkt running, and --dst-mac its address?",
		run->o.role == ROLE_ECHO ? "came back" : "left", run->o.link_wait_s);
}

/* Everything but packets. 0: go on, 1: done, -1: failed, with a message. */
static int steer(struct run *run, uint64_t now)
{
	enum control_word word = CONTROL_NONE;

	if (stopped)
		return complain("stopped by signal %d", (int)stopped);
	if (memory_failed())
		return -1;
	if (run->stage != STAGE_WINDOW && prepare(run, now))
		return -1;
	if (run->o.runtime_s > 0) {
		if (run->stage == STAGE_WINDOW && now >= run->deadline)
			word = CONTROL_END;
	} else {
		word = control_poll();
	}
	if (word == CONTROL_NONE)
		return 0;
	if (word == CONTROL_GONE)
		return -1; /* said already */
	if (word == CONTROL_BEGIN && run->stage == STAGE_READY) {
		begin(run, now);
		return 0;
	}
	if (word == CONTROL_END && run->stage == STAGE_WINDOW) {
		end(run);
		return 1;
	}
	return complain("'%s' out of turn: wait for ready, then begin, then end",
			word == CONTROL_BEGIN ? "begin" : "end");
}

static int poll_port(struct run *run)
{
	uint64_t next = 0;
	int ret;

	for (;;) {
		uint64_t now = rte_rdtsc();

		if (now >= next) {
			ret = steer(run, now);
			if (ret)
				return ret < 0 ? 1 : 0;
			next = from_now(1.0 / CONTROL_HZ);
			now = rte_rdtsc(); /* a window may have begun */
		}
		if (!run->load)
			rte_delay_us_sleep(1000000 / LINK_HZ);
		else if (!load_step(run->load, now))
			load_idle(run->load, now);
	}
}

/* The EAL prints its help to stdout when an argument is wrong; that is for events. */
static int init_silently(int argc, char **argv)
{
	int saved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC), ret;

	if (saved < 0 || null < 0 || dup2(null, STDOUT_FILENO) < 0)
		ret = complain("cannot redirect stdout: %s", strerror(errno));
	else if (rte_eal_init(argc, argv) < 0)
		ret = complain(
			"DPDK does not start: %s: it needs root, huge pages (or --no-huge -m "
			"64), its devices bound to uio_pci_generic or vfio-pci, and EAL "
			"arguments without a mistake",
			rte_strerror(rte_errno));
	else
		ret = 0;
	fflush(stdout);
	if (saved >= 0) {
		dup2(saved, STDOUT_FILENO);
		close(saved);
	}
	if (null >= 0)
		close(null);
	return ret;
}

static int run_pkt(struct run *run, int argc, char **argv)
{
	int ret = 1;

	if (run->o.register_path && memory_open(run->o.register_path))
		return 1;
	rte_openlog_stream(stderr);
	if (init_silently(argc, argv)) {
		memory_close();
		return 1;
	}
	if (!memory_register() && !port_start(&run->port, &run->o)) {
		run->deadline = from_now(run->o.link_wait_s);
		ret = poll_port(run);
		port_stop(&run->port);
	}
	load_free(run->load);
	memory_close();
	rte_eal_cleanup();
	return ret;
}

int main(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = on_signal };
	struct run run = { 0 };
	int eal_arguments = argc, ret = options_parse(argc, argv, &run.o, &eal_arguments);

	if (ret)
		return ret > 0 ? 0 : 2;
	if (run.o.runtime_s > 0)
		alarm(run.o.limit_s);
	else
		control_init(run.o.limit_s);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	/* The EAL takes the first for the program's name. */
	argv[eal_arguments - 1] = argv[0];
	return run_pkt(&run, argc - eal_arguments + 1, argv + eal_arguments - 1);
}
