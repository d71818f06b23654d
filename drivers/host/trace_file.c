// SPDX-License-Identifier: GPL-2.0-only
/* Writing and reading trace files; see trace_file.h. */
#include "trace_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FRAME_BYTES (64U << 10) /* a frame is written when it is as long */

/* Eight bytes at a time: every event read is paid for. */
uint32_t trace_sum(const uint8_t *data, size_t len)
{
	uint64_t sum = len * 0x9e3779b97f4a7c15ULL, word;

	for (; len >= sizeof(word); data += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, data, sizeof(word));
		sum = (sum ^ word) * 0xff51afd7ed558ccdULL;
		sum ^= sum >> 32;
	}
	word = 0;
	memcpy(&word, data, len);
	sum = (sum ^ word) * 0xff51afd7ed558ccdULL;
	return (uint32_t)(sum ^ sum >> 32);
}

static void trace_bytes_reserve(struct trace_bytes *b, size_t len)
{
	if (b->len + len <= b->cap)
		return;
	b->cap = (b->len + len) * 2;
	b->data = realloc(b->data, b->cap);
	if (!b->data)
		abort();
}

void trace_bytes_add(struct trace_bytes *b, const void *data, size_t len)
{
	if (!len)
		return;
	trace_bytes_reserve(b, len);
	memcpy(b->data + b->len, data, len);
	b->len += len;
}

void trace_bytes_number(struct trace_bytes *b, uint64_t n)
{
	uint8_t text[10];
	size_t len = 0;

	do {
		text[len] = (uint8_t)(n & 0x7f);
		n >>= 7;
		text[len++] |= n ? 0x80 : 0;
	} while (n);
	trace_bytes_add(b, text, len);
}

void trace_bytes_free(struct trace_bytes *b)
{
	free(b->data);
	*b = (struct trace_bytes){ 0 };
}

/* ---- Writing ---- */

static uint64_t zigzag(uint64_t n)
{
	return n << 1 ^ (0 - (n >> 63));
}

static void out(struct trace_writer *w, const void *data, size_t len)
{
	const char *at = data;

	while (!w->err && len) {
		ssize_t n = write(w->fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			w->err = n ? -errno : -EIO;
			return;
		}
		at += n;
		len -= (size_t)n;
	}
}

void trace_writer_init(struct trace_writer *w, int fd)
{
	const struct trace_file_header header = { TRACE_FILE_MAGIC, TRACE_FILE_VERSION, 0 };

	*w = (struct trace_writer){ .fd = fd };
	out(w, &header, sizeof(header));
}

void trace_writer_flush(struct trace_writer *w)
{
	struct trace_frame_header header = { (uint32_t)w->frame.len, 0 };

	if (!w->frame.len)
		return;
	if (w->frame.len > TRACE_FRAME_MAX && !w->err)
		w->err = -EFBIG;
	header.sum = trace_sum(w->frame.data, w->frame.len);
	out(w, &header, sizeof(header));
	out(w, w->frame.data, w->frame.len);
	w->frame.len = 0;
	w->time_ns = w->pfn = 0;
}

static void begin(struct trace_writer *w, uint8_t kind, uint64_t time_ns)
{
	if (w->frame.len >= FRAME_BYTES)
		trace_writer_flush(w);
	trace_bytes_add(&w->frame, &kind, 1);
	trace_bytes_number(&w->frame, zigzag(time_ns - w->time_ns));
	w->time_ns = time_ns;
	w->events++;
}

void trace_write_pages(struct trace_writer *w, uint8_t kind, uint64_t time_ns, uint64_t pfn,
		       uint64_t nr)
{
	begin(w, nr == 1 ? kind | TRACE_ONE : kind, time_ns);
	trace_bytes_number(&w->frame, zigzag(pfn - w->pfn));
	w->pfn = pfn;
	if (nr != 1)
		trace_bytes_number(&w->frame, nr);
}

void trace_write_call(struct trace_writer *w, enum trace_kind kind, uint64_t time_ns,
		      const struct trace_args *args, const struct trace_bytes *looks)
{
	begin(w, (uint8_t)kind, time_ns);
	trace_bytes_number(&w->frame, args->nr);
	for (uint32_t i = 0; i < args->nr; i++)
		trace_bytes_number(&w->frame, args->v[i]);
	trace_bytes_number(&w->frame, looks ? looks->len : 0);
	if (looks)
		trace_bytes_add(&w->frame, looks->data, looks->len);
}

int trace_writer_finish(struct trace_writer *w, uint64_t time_ns)
{
	const struct trace_args args = { .nr = 1, .v = { w->events } };

	trace_write_call(w, TRACE_END, time_ns, &args, NULL);
	trace_writer_flush(w);
	trace_bytes_free(&w->frame);
	return w->err;
}

/* ---- Reading ---- */

static int bad(struct trace_reader *r, const char *error)
{
	r->error = error;
	return -EBADMSG;
}

/* All of it. 0, or -errno with error set. */
static int read_at(struct trace_reader *r, void *data, size_t len, uint64_t offset)
{
	uint8_t *at = data;

	while (len) {
		ssize_t n = pread(r->fd, at, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			r->error = "it cannot be read";
			return -errno;
		}
		if (!n)
			return bad(r, "the file is cut short");
		at += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

int trace_reader_open(struct trace_reader *r, int fd)
{
	struct trace_file_header header;
	struct stat st;
	int ret;

	*r = (struct trace_reader){ .fd = fd };
	if (fstat(fd, &st))
		return -errno;
	r->size = (uint64_t)st.st_size;
	if (r->size < sizeof(header))
		return bad(r, "too short to be a trace");
	ret = read_at(r, &header, sizeof(header), 0);
	if (ret)
		return ret;
	if (header.magic != TRACE_FILE_MAGIC)
		return bad(r, "not a trace");
	if (header.version != TRACE_FILE_VERSION || header.reserved)
		return bad(r, "a trace of another version of the format: record it anew");
	trace_rewind(r);
	return 0;
}

void trace_rewind(struct trace_reader *r)
{
	r->offset = sizeof(struct trace_file_header);
	r->event = r->frame_end = NULL;
	r->events = 0;
	r->ended = false;
	r->error = NULL;
}

void trace_reader_close(struct trace_reader *r)
{
	trace_bytes_free(&r->frame);
}

/* 1, 0 if there is none. */
static int next_frame(struct trace_reader *r)
{
	struct trace_frame_header header;
	uint64_t left = r->size - r->offset;
	int ret;

	if (r->unfinished_ok && !left)
		return 0;
	if (left < sizeof(header))
		return bad(r, "the file is cut short");
	ret = read_at(r, &header, sizeof(header), r->offset);
	if (ret)
		return ret;
	if (!header.bytes || header.bytes > TRACE_FRAME_MAX)
		return bad(r, "a frame of an impossible length");
	if (header.bytes > left - sizeof(header))
		return bad(r, "the file is cut short");
	trace_bytes_reserve(&r->frame, header.bytes);
	ret = read_at(r, r->frame.data, header.bytes, r->offset + sizeof(header));
	if (ret)
		return ret;
	if (trace_sum(r->frame.data, header.bytes) != header.sum)
		return bad(r, "the sum of a frame is wrong");
	r->offset += sizeof(header) + header.bytes;
	r->event = r->frame.data;
	r->frame_end = r->event + header.bytes;
	r->time_ns = r->pfn = 0;
	return 1;
}

static bool read_args(struct trace_reader *r, struct trace_event *e)
{
	uint64_t nr, len;

	if (!trace_number(&r->event, r->frame_end, &nr) || nr > TRACE_ARGS_MAX)
		return false;
	e->args.nr = (uint32_t)nr;
	for (uint64_t i = 0; i < nr; i++)
		if (!trace_number(&r->event, r->frame_end, &e->args.v[i]))
			return false;
	if (!trace_number(&r->event, r->frame_end, &len) ||
	    len > (uint64_t)(r->frame_end - r->event))
		return false;
	e->looks = r->event;
	e->looks_len = len;
	r->event += len;
	return true;
}

static inline bool read_pages(struct trace_reader *r, struct trace_event *e, uint8_t head)
{
	uint64_t pfn = 0;

	e->nr = 1;
	if (!trace_number(&r->event, r->frame_end, &pfn) ||
	    (!(head & TRACE_ONE) && !trace_number(&r->event, r->frame_end, &e->nr)))
		return false;
	r->pfn += trace_unzigzag(pfn);
	e->pfn = r->pfn;
	/* So that no sum of the two can overflow, and no loop over the pages lasts for ever. */
	return e->pfn < 1ULL << 52 && e->nr && e->nr <= TRACE_PAGES_MAX;
}

int trace_read(struct trace_reader *r, struct trace_event *e)
{
	uint64_t time = 0;
	uint8_t head;
	bool good;

	if (r->event == r->frame_end) {
		int ret = r->ended ? 0 : next_frame(r);

		if (r->ended && r->offset != r->size)
			return bad(r, "something follows the end");
		if (ret <= 0)
			return ret;
	}
	if (r->ended)
		return bad(r, "something follows the end");
	head = *r->event++;
	e->kind = head & TRACE_KIND_MASK;
	e->more = head & TRACE_MORE;
	good = trace_number(&r->event, r->frame_end, &time);
	r->time_ns += trace_unzigzag(time);
	e->time_ns = r->time_ns;
	if (!good || head & 0x80 || !e->kind || e->kind >= TRACE_NR)
		return bad(r, "a malformed event");
	if (!(e->kind <= TRACE_UNDO ? read_pages(r, e, head) : read_args(r, e)))
		return bad(r, "a malformed event");
	if (e->kind == TRACE_END) {
		r->ended = true;
		if (e->args.nr != 1 || e->args.v[0] != r->events)
			return bad(r, "events are missing");
	}
	r->events++;
	return 1;
}
