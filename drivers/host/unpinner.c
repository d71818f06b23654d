// SPDX-License-Identifier: GPL-2.0-only
/*
 * The thread that unpins idle pages and counts those in use, in small batches so that requests
 * never wait for long.
 */
#include "backend_internal.h"

#include <sched.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define YIELD_NS 50000
#define COUNT_NS 200000000ULL

static void give_way(struct backend *b)
{
	static const struct timespec pause = { .tv_nsec = YIELD_NS };

	backend_unlock(b);
	/* The mutex is not fair: whoever waits needs us asleep to get it. */
	if (__atomic_load_n(&b->waiters, __ATOMIC_RELAXED))
		nanosleep(&pause, NULL);
	pthread_mutex_lock(&b->lock);
}

static void sleep_until(struct backend *b, uint64_t deadline_ns)
{
	struct timespec ts = { .tv_sec = (time_t)(deadline_ns / 1000000000),
			       .tv_nsec = (long)(deadline_ns % 1000000000) };

	if (deadline_ns == UINT64_MAX)
		pthread_cond_wait(&b->wake, &b->lock);
	else
		pthread_cond_timedwait(&b->wake, &b->lock, &ts);
}

/* The table may be read: it is there, and nobody is about to change it. */
static bool may_work(const struct backend *b)
{
	return b->dtt.levels && !__atomic_load_n(&b->paused, __ATOMIC_RELAXED);
}

/* A table that goes away in between leaves the last count. */
static void count_mapped(struct backend *b)
{
	uint64_t mapped = 0;
	uint32_t at = 0;

	while (!policy_count_mapped(b->policy, b->settings.batch, &at, &mapped)) {
		give_way(b);
		if (b->stop || !may_work(b) || b->parked)
			return;
	}
	b->counters->mapped_pages = mapped;
	b->counters->mapped_ns = b->sys->now_ns(b->ctx);
}

static void note_cpu_time(struct backend *b)
{
	struct timespec cpu;

	if (!clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu))
		b->counters->scan_cpu_ns =
			(uint64_t)cpu.tv_sec * 1000000000 + (uint64_t)cpu.tv_nsec;
}

static void *unpinner_main(void *arg)
{
	struct backend *b = arg;
	uint64_t count_ns = 0;

	pthread_mutex_lock(&b->lock);
	while (!b->stop) {
		uint64_t now = b->sys->now_ns(b->ctx);
		uint64_t scan_ns = may_work(b) ? policy_deadline(b->policy) : UINT64_MAX;
		bool counts = may_work(b) && !b->parked;

		if (counts && now >= count_ns) {
			count_mapped(b);
			count_ns = now + COUNT_NS;
		} else if (scan_ns > now) {
			note_cpu_time(b);
			sleep_until(b, counts && count_ns < scan_ns ? count_ns : scan_ns);
		} else if (backend_scan_locked(b)) {
			give_way(b);
		}
	}
	pthread_mutex_unlock(&b->lock);
	return NULL;
}

void backend_unpinner_start_locked(struct backend *b)
{
	sigset_t all, old;
	cpu_set_t cpus;

	if (b->unpinner_runs || b->settings.no_thread)
		return;
	/* The VMM's signals are for the VMM's threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	b->unpinner_runs = !pthread_create(&b->unpinner, NULL, unpinner_main, b);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!b->unpinner_runs) {
		backend_log(b, "cannot start the unpinning thread");
		return;
	}
	pthread_setname_np(b->unpinner, "coiommu-unpin");
	/* The caller is a vCPU, maybe with a CPU of its own: go where the main thread may go. */
	if (!sched_getaffinity(getpid(), sizeof(cpus), &cpus))
		pthread_setaffinity_np(b->unpinner, sizeof(cpus), &cpus);
}

void backend_unpinner_stop(struct backend *b)
{
	if (!b->unpinner_runs)
		return;
	pthread_mutex_lock(&b->lock);
	b->stop = true;
	pthread_cond_signal(&b->wake);
	pthread_mutex_unlock(&b->lock);
	pthread_join(b->unpinner, NULL);
	b->unpinner_runs = false;
}
