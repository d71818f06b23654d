// SPDX-License-Identifier: GPL-2.0-only
/* Recording a trace of a running VM; see recording.h. */
#include "bench/record/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "bench/record/weave.h"
#include "harness/boot.h"
#include "harness/log.h"
#include "harness/util.h"

#define TRACING "/sys/kernel/debug/tracing"
#define MARKS 3

struct recording {
	struct boot *boot;
	size_t nr_cpus;
	struct strbuf *pages; /* of each CPU, from the boot's start */
	struct ftrace_format formats[GUEST_KINDS];
	bool has_formats;
	struct weave_mark marks[MARKS];
	size_t nr_marks;
};

int recording_start(struct boot *boot, uint64_t buffer_bytes)
{
	/* Full means lost events, which is found out; the oldest ones are no less needed. */
	static const char script[] = "set -e\n"
				     "cd " TRACING "\n"
				     "echo 0 >options/overwrite\n"
				     "echo mono >trace_clock\n"
				     "echo \"$0\" >buffer_size_kb\n"
				     "for e in map unmap undo request stats; do\n"
				     "	echo 1 >events/coiommu/coiommu_$e/enable\n"
				     "done\n"
				     "echo 1 >tracing_on\n";
	autofree char *kib = xasprintf(
		"%llu", (unsigned long long)(buffer_bytes / KIB / boot->guest_config->cpus));

	return boot_guest_script(boot, script, kib,
				 "cannot record the guest's trace (is trace_buffer too large?)");
}

struct recording *recording_open(struct boot *boot)
{
	struct recording *r = xzalloc(sizeof(*r));

	r->boot = boot;
	r->nr_cpus = boot->guest_config->cpus;
	r->pages = xzalloc(r->nr_cpus * sizeof(r->pages[0]));
	return r;
}

void recording_close(struct recording *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->nr_cpus; i++)
		free(r->pages[i].data);
	free(r->pages);
	free(r);
}

void recording_mark(struct recording *r, enum trace_mark mark, const struct coiommu_snapshot *at)
{
	if (mark == TRACE_MARK_BEGIN)
		r->nr_marks = 0;
	if (r->nr_marks == MARKS)
		return;
	r->marks[r->nr_marks++] = (struct weave_mark){ mark, now_ns(), *at };
}

static int read_formats(struct recording *r)
{
	int ret = 0;

	for (int i = 0; !ret && !r->has_formats && i < GUEST_KINDS; i++) {
		autofree char *path =
			xasprintf(TRACING "/events/coiommu/%s/format", guest_event_names[i]);
		autofree char *text = NULL;

		ret = guest_read(r->boot->vm->guest, path, &text);
		if (!ret)
			ret = ftrace_format_parse(text, (enum guest_event_kind)i, &r->formats[i]);
		if (ret)
			log_err("guest: %s: %s", path, strerror(-ret));
	}
	r->has_formats = !ret;
	return ret;
}

/* The kernel's own word that nothing was lost. */
static int check_lost(struct recording *r, struct cell_run *run, size_t cpu)
{
	static const char *const names[] = { "\noverrun: ", "\ncommit overrun: ",
					     "\ndropped events: " };
	autofree char *path = xasprintf(TRACING "/per_cpu/cpu%zu/stats", cpu), *text = NULL;
	int ret = guest_read(r->boot->vm->guest, path, &text);

	for (size_t i = 0; !ret && i < ARRAY_SIZE(names); i++) {
		const char *line = strstr(text, names[i]);

		if (line && line[strlen(names[i])] == '0')
			continue;
		cell_invalid(run, "the guest's trace buffer overflowed: no trace is kept; make "
				  "trace_buffer larger, or the workload shorter");
		return -ENOBUFS;
	}
	return ret;
}

static int read_pages(struct recording *r, struct cell_run *run)
{
	int ret = read_formats(r);

	for (size_t i = 0; !ret && i < r->nr_cpus; i++) {
		autofree char *path = xasprintf(TRACING "/per_cpu/cpu%zu/trace_pipe_raw", i);

		ret = guest_read_data(r->boot->vm->guest, path, &r->pages[i]);
		if (!ret)
			ret = check_lost(r, run, i);
	}
	return ret;
}

static int write_trace(struct recording *r, struct cell_run *run, const char *path)
{
	autoclose int log = coiommu_log_open(r->boot->vm->proc.pid);
	autoclose int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	struct weave_input in = {
		.host_fd = log, .nr_cpus = r->nr_cpus, .marks = r->marks, .nr_marks = r->nr_marks
	};
	const char *error = NULL;
	int ret;

	if (log < 0 || fd < 0) {
		ret = -errno;
		log_err("%s: %s", fd < 0 ? path : "the backend's log", strerror(-ret));
		return ret;
	}
	memcpy(in.formats, r->formats, sizeof(in.formats));
	in.cpus = xzalloc(r->nr_cpus * sizeof(in.cpus[0]));
	for (size_t i = 0; i < r->nr_cpus; i++)
		in.cpus[i] = (struct ftrace_cpu){ .data = (const uint8_t *)r->pages[i].data,
						  .len = r->pages[i].len };
	ret = weave(&in, fd, &error);
	free(in.cpus);
	if (error)
		cell_invalid(run, "no trace could be made: %s", error);
	else if (ret)
		log_err("%s: %s", path, strerror(-ret));
	return error ? 0 : ret;
}

int recording_save(struct recording *r, struct cell_run *run,
		   const struct coiommu_counters *counters)
{
	autofree char *path = xasprintf("%s/trace.coit", run->dir);
	struct coiommu_snapshot now;
	int ret;

	coiommu_snapshot(counters, &now);
	recording_mark(r, TRACE_MARK_STOP, &now);
	ret = read_pages(r, run);
	if (ret == -ENOBUFS)
		return 0;
	if (!ret && counters->trace_errors) {
		cell_invalid(run, "the backend could not keep its log: %s",
			     strerror((int)counters->trace_errors));
		return 0;
	}
	if (!ret)
		ret = write_trace(r, run, path);
	if (ret || run->status == BOOT_INVALID)
		unlink(path);
	return ret;
}
