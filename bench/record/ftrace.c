// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading pages of the kernel's trace ring buffer: Documentation/trace/ring-buffer-map.rst,
 * include/linux/ring_buffer.h, and the formats that tracefs tells.
 */
#include "bench/record/ftrace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_BYTES 4096U
#define PAGE_HEADER 16U
#define COMMIT_BYTES 0x3fffffffU
#define COMMIT_MISSED 0xc0000000U /* events were lost before this page */

enum { TYPE_LONG = 0, TYPE_MAX = 28, TYPE_PADDING = 29, TYPE_EXTEND = 30, TYPE_STAMP = 31 };

/* struct trace_entry */
#define ENTRY_FLAGS 2U
#define ENTRY_PID 4U
#define ENTRY_BYTES 8U
#define IN_INTERRUPT 0x58U /* TRACE_FLAG_HARDIRQ, _SOFTIRQ, _NMI */

const char *const guest_event_names[GUEST_KINDS] = {
	[GUEST_MAP] = "coiommu_map",	 [GUEST_UNMAP] = "coiommu_unmap",
	[GUEST_UNDO] = "coiommu_undo",	 [GUEST_REQUEST] = "coiommu_request",
	[GUEST_STATS] = "coiommu_stats",
};

static const char *const field_names[GUEST_KINDS][GUEST_FIELDS] = {
	[GUEST_MAP] = { "pfn", "nr", "more" },
	[GUEST_UNMAP] = { "pfn", "nr", "more" },
	[GUEST_UNDO] = { "pfn", "nr", "more" },
	[GUEST_REQUEST] = { "entries", "pages", "ns", "status" },
	[GUEST_STATS] = { "reset", "maps", "unmaps", "requests", "refused", "request_ns" },
};

/* The number behind a label of text. */
static bool number_behind(const char *text, const char *label, uint32_t *n)
{
	const char *at = strstr(text, label);
	unsigned long value;
	char *end;

	if (!at)
		return false;
	at += strlen(label);
	value = strtoul(at, &end, 10);
	*n = (uint32_t)value;
	return end > at && value <= UINT16_MAX;
}

int ftrace_format_parse(const char *text, enum guest_event_kind kind, struct ftrace_format *f)
{
	*f = (struct ftrace_format){ 0 };
	if (!number_behind(text, "\nID: ", &f->id))
		return -EBADMSG;
	for (int i = 0; i < GUEST_FIELDS && field_names[kind][i]; i++) {
		char wanted[64];
		const char *field;

		snprintf(wanted, sizeof(wanted), " %s;\toffset:", field_names[kind][i]);
		field = strstr(text, wanted);
		if (!field || !number_behind(field, "offset:", &f->fields[i].offset) ||
		    !number_behind(field, "size:", &f->fields[i].size))
			return -EBADMSG;
		if (f->fields[i].size != 4 && f->fields[i].size != 8)
			return -EBADMSG;
	}
	return 0;
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t n;

	memcpy(&n, p, sizeof(n));
	return n;
}

static uint64_t get64(const uint8_t *p)
{
	uint64_t n;

	memcpy(&n, p, sizeof(n));
	return n;
}

static int bad(const char **error, const char *what)
{
	*error = what;
	return -EBADMSG;
}

/* 1, 0 at the end of all pages. */
static int next_page(struct ftrace_cpu *cpu, const char **error)
{
	const uint8_t *page = cpu->data + cpu->page;
	uint64_t commit;

	if (cpu->page == cpu->len)
		return 0;
	if (cpu->len - cpu->page < PAGE_BYTES)
		return bad(error, "a page of the guest's trace is cut short");
	cpu->time_ns = get64(page);
	commit = get64(page + 8);
	if (commit & COMMIT_MISSED)
		return bad(error, "the guest's trace buffer overflowed");
	if ((commit & COMMIT_BYTES) > PAGE_BYTES - PAGE_HEADER)
		return bad(error, "a page of the guest's trace is malformed");
	cpu->at = cpu->page + PAGE_HEADER;
	cpu->end = cpu->at + (commit & COMMIT_BYTES);
	cpu->page += PAGE_BYTES;
	return 1;
}

/* Is it one of ours? Takes its fields. */
static bool take_event(const struct ftrace_format formats[GUEST_KINDS], const uint8_t *data,
		       size_t len, struct guest_event *e)
{
	uint32_t id;
	int kind = 0;

	if (len < ENTRY_BYTES)
		return false;
	id = get32(data) & 0xffff;
	while (kind < GUEST_KINDS && formats[kind].id != id)
		kind++;
	if (kind == GUEST_KINDS)
		return false;
	e->kind = (enum guest_event_kind)kind;
	e->context = (uint64_t)get32(data + ENTRY_PID) << 8 | (data[ENTRY_FLAGS] & IN_INTERRUPT);
	for (int i = 0; i < GUEST_FIELDS && formats[kind].fields[i].size; i++) {
		uint32_t offset = formats[kind].fields[i].offset;
		uint32_t size = formats[kind].fields[i].size;

		if (offset + size > len)
			return false;
		e->v[i] = size == 8 ? get64(data + offset) : get32(data + offset);
	}
	return true;
}

/* One record of a page: 1 with an event of ours, 0 without, -EBADMSG. */
static int next_record(struct ftrace_cpu *cpu, const struct ftrace_format formats[GUEST_KINDS],
		       struct guest_event *e)
{
	size_t left = cpu->end - cpu->at, len = 0, skip = 4;
	uint32_t head, type, delta, extra;

	if (left < 4)
		return -EBADMSG;
	head = get32(cpu->data + cpu->at);
	type = head & 31;
	delta = head >> 5;
	if (type == TYPE_PADDING && !delta) { /* the rest of the page is empty */
		cpu->at = cpu->end;
		return 0;
	}
	extra = left >= 8 ? get32(cpu->data + cpu->at + 4) : 0;
	if ((!type || type > TYPE_MAX) && left < 8)
		return -EBADMSG;
	if (type == TYPE_LONG) {
		if (extra < 4)
			return -EBADMSG;
		skip = 8;
		len = extra - 4;
	} else if (type <= TYPE_MAX) {
		len = (size_t)type * 4;
	} else if (type == TYPE_PADDING) {
		len = extra;
	} else {
		len = 4;
	}
	if (len > left - skip)
		return -EBADMSG;
	if (type == TYPE_EXTEND)
		cpu->time_ns += ((uint64_t)extra << 27) + delta;
	else if (type == TYPE_STAMP)
		cpu->time_ns = (cpu->time_ns & (0x1fULL << 59)) | ((uint64_t)extra << 27) | delta;
	else
		cpu->time_ns += delta;
	cpu->at += skip + len;
	e->time_ns = cpu->time_ns;
	return type <= TYPE_MAX && take_event(formats, cpu->data + cpu->at - len, len, e);
}

int ftrace_next(struct ftrace_cpu *cpu, const struct ftrace_format formats[GUEST_KINDS],
		struct guest_event *e, const char **error)
{
	for (;;) {
		int ret;

		if (cpu->at == cpu->end) {
			ret = next_page(cpu, error);
			if (ret <= 0)
				return ret;
			continue;
		}
		ret = next_record(cpu, formats, e);
		if (ret < 0)
			return bad(error, "a page of the guest's trace is malformed");
		if (ret)
			return 1;
	}
}
