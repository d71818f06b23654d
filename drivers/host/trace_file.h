/* SPDX-License-Identifier: GPL-2.0-only */
/* Writing and reading trace files; the format is in coiommu_trace_file.h. */
#ifndef TRACE_FILE_H
#define TRACE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coiommu_trace_file.h"

uint32_t trace_sum(const uint8_t *data, size_t len);

/* Growing bytes. */
struct trace_bytes {
	uint8_t *data;
	size_t len, cap;
};
void trace_bytes_number(struct trace_bytes *b, uint64_t n);
void trace_bytes_add(struct trace_bytes *b, const void *data, size_t len);
void trace_bytes_free(struct trace_bytes *b);

/* ---- Writing ---- */

struct trace_writer {
	int fd;
	int err; /* the first -errno; nothing is written after it */
	struct trace_bytes frame;
	uint64_t time_ns, pfn; /* of the frame's last event */
	uint64_t events;
};

/* Writes the header. The caller keeps fd, and checks err. */
void trace_writer_init(struct trace_writer *w, int fd);
/* kind with TRACE_MORE or without. */
void trace_write_pages(struct trace_writer *w, uint8_t kind, uint64_t time_ns, uint64_t pfn,
		       uint64_t nr);

struct trace_args {
	uint32_t nr;
	uint64_t v[TRACE_ARGS_MAX];
};
/* looks: what the call saw; may be NULL with len 0. */
void trace_write_call(struct trace_writer *w, enum trace_kind kind, uint64_t time_ns,
		      const struct trace_args *args, const struct trace_bytes *looks);
/* Everything so far becomes a frame of its own. */
void trace_writer_flush(struct trace_writer *w);
/* Writes END. Returns 0 or the first -errno; all memory is freed in any case. */
int trace_writer_finish(struct trace_writer *w, uint64_t time_ns);

/* ---- Reading ---- */

struct trace_event {
	uint8_t kind; /* enum trace_kind */
	bool more;
	uint64_t time_ns;
	uint64_t pfn, nr; /* MAP, UNMAP, UNDO */
	struct trace_args args;
	const uint8_t *looks; /* until the next event is read */
	size_t looks_len;
};

/* Keeps one frame in memory. */
struct trace_reader {
	int fd;		       /* the caller's */
	uint64_t offset, size; /* of the next frame, of the file */
	struct trace_bytes frame;
	const uint8_t *event, *frame_end; /* in it */
	uint64_t time_ns, pfn, events;
	bool ended;
	bool unfinished_ok; /* a log being written: ends after the last whole frame */
	const char *error;  /* what is wrong with the file, after -EBADMSG */
};

/* 0, -EBADMSG with error set (no trace, or another version) or -errno. */
int trace_reader_open(struct trace_reader *r, int fd);
void trace_reader_close(struct trace_reader *r);
/* 1, 0 after END, -EBADMSG with error set, or another -errno, with error set, too. */
int trace_read(struct trace_reader *r, struct trace_event *event);
/* From the start again. */
void trace_rewind(struct trace_reader *r);

/* Next number of [*at, end). False at the end or if it is malformed. */
static inline bool trace_number(const uint8_t **at, const uint8_t *end, uint64_t *n)
{
	const uint8_t *p = *at;
	uint64_t value = 0;

	for (unsigned int shift = 0; p < end && shift < 64; shift += 7) {
		uint8_t byte = *p++;

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*at = p;
			*n = value;
			return shift < 63 || byte <= 1;
		}
	}
	return false;
}

static inline uint64_t trace_unzigzag(uint64_t n)
{
	return n >> 1 ^ (0 - (n & 1));
}

#endif
