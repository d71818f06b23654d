// SPDX-License-Identifier: GPL-2.0-only
/* Trace files: what is written is read, and no damage goes unnoticed. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "trace_file.h"

static int fd;

static int setup(void **state)
{
	fd = memfd_create("trace", MFD_CLOEXEC);
	return fd < 0;
}

static int teardown(void **state)
{
	return close(fd);
}

/* MAPs of odd numbers of pages, a scan with looks in between, over several frames. */
#define EVENTS 30000

static void write_trace(void)
{
	const struct trace_bytes looks = { .data = (uint8_t *)"\x05\x01\x02", .len = 3 };
	const struct trace_args scan = { .nr = 2, .v = { 256, UINT64_MAX } };
	struct trace_writer w;

	trace_writer_init(&w, fd);
	for (uint64_t i = 0; i < EVENTS; i++) {
		if (i % 1000 == 999)
			trace_write_call(&w, TRACE_SCAN, 5000 * i, &scan, &looks);
		else
			trace_write_pages(&w, i % 2 ? TRACE_UNMAP : TRACE_MAP | TRACE_MORE,
					  5000 * i - i % 3 * 9000, (i * 7919) % (1ULL << 50),
					  1 + i % 3);
	}
	assert_int_equal(trace_writer_finish(&w, 5000ULL * EVENTS), 0);
}

static void check_event(const struct trace_event *e, uint64_t i)
{
	if (i % 1000 == 999) {
		assert_int_equal(e->kind, TRACE_SCAN);
		assert_int_equal(e->time_ns, 5000 * i);
		assert_int_equal(e->args.nr, 2);
		assert_true(e->args.v[1] == UINT64_MAX);
		assert_int_equal(e->looks_len, 3);
		assert_memory_equal(e->looks, "\x05\x01\x02", 3);
		return;
	}
	assert_int_equal(e->kind, i % 2 ? TRACE_UNMAP : TRACE_MAP);
	assert_int_equal(e->more, !(i % 2));
	assert_true(e->time_ns == 5000 * i - i % 3 * 9000);
	assert_true(e->pfn == (i * 7919) % (1ULL << 50));
	assert_int_equal(e->nr, 1 + i % 3);
}

static void test_round_trip(void **state)
{
	struct trace_event e = { 0 };
	struct trace_reader r;

	write_trace();
	assert_int_equal(trace_reader_open(&r, fd), 0);
	for (int pass = 0; pass < 2; pass++) {
		for (uint64_t i = 0; i < EVENTS; i++) {
			assert_int_equal(trace_read(&r, &e), 1);
			check_event(&e, i);
		}
		assert_int_equal(trace_read(&r, &e), 1);
		assert_int_equal(e.kind, TRACE_END);
		assert_int_equal(trace_read(&r, &e), 0);
		trace_rewind(&r);
	}
	trace_reader_close(&r);
}

/* The result of reading it all. */
static int read_all(const char **error)
{
	struct trace_event e = { 0 };
	struct trace_reader r;
	int ret = trace_reader_open(&r, fd);

	*error = r.error;
	if (ret)
		return ret;
	while ((ret = trace_read(&r, &e)) > 0)
		;
	*error = r.error;
	trace_reader_close(&r);
	return ret;
}

static off_t small_trace(void)
{
	struct trace_writer w;

	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	trace_writer_init(&w, fd);
	for (uint64_t i = 0; i < 20; i++) {
		trace_write_pages(&w, TRACE_MAP, i * 100, i * 3, 1);
		if (i % 7 == 0)
			trace_writer_flush(&w);
	}
	assert_int_equal(trace_writer_finish(&w, 5000), 0);
	return lseek(fd, 0, SEEK_END);
}

static void test_cut_short(void **state)
{
	const char *error;
	off_t size = small_trace();

	assert_int_equal(read_all(&error), 0);
	while (--size >= 0) {
		assert_int_equal(ftruncate(fd, size), 0);
		assert_int_equal(read_all(&error), -EBADMSG);
		assert_non_null(error);
	}
}

static void test_damage(void **state)
{
	const char *error;
	off_t size = small_trace();

	for (off_t i = 0; i < size; i++) {
		uint8_t byte, other;

		assert_int_equal(pread(fd, &byte, 1, i), 1);
		other = byte ^ (uint8_t)(1 << i % 8);
		assert_int_equal(pwrite(fd, &other, 1, i), 1);
		assert_int_equal(read_all(&error), -EBADMSG);
		assert_int_equal(pwrite(fd, &byte, 1, i), 1);
	}
	assert_int_equal(read_all(&error), 0);
	assert_int_equal(pwrite(fd, "x", 1, size), 1);
	assert_int_equal(read_all(&error), -EBADMSG);
}

static void test_version(void **state)
{
	const char *error;
	uint32_t version = TRACE_FILE_VERSION + 1;

	small_trace();
	assert_int_equal(pwrite(fd, &version, sizeof(version), 8), sizeof(version));
	assert_int_equal(read_all(&error), -EBADMSG);
	assert_non_null(strstr(error, "version"));
}

/* Frames of anything with a right sum: must end, and never read outside. */
static void test_hostile(void **state)
{
	uint64_t random = 1;
	const char *error;

	for (int round = 0; round < 20000; round++) {
		uint8_t bytes[64];
		struct trace_frame_header header = { 1 + (uint32_t)round % sizeof(bytes), 0 };

		for (size_t i = 0; i < sizeof(bytes); i++) {
			random = random * 6364136223846793005ULL + 1442695040888963407ULL;
			bytes[i] = (uint8_t)(random >> 56);
		}
		bytes[0] &= 0x7f;
		header.sum = trace_sum(bytes, header.bytes);
		assert_int_equal(ftruncate(fd, 16), 0);
		assert_int_equal(pwrite(fd, &header, sizeof(header), 16), sizeof(header));
		assert_int_equal(pwrite(fd, bytes, header.bytes, 24), header.bytes);
		if (!round) {
			struct trace_file_header file = { TRACE_FILE_MAGIC, TRACE_FILE_VERSION, 0 };

			assert_int_equal(pwrite(fd, &file, sizeof(file), 0), sizeof(file));
		}
		assert_int_equal(read_all(&error), -EBADMSG);
	}
}

/* An error of the disk is kept until the end. */
static void test_no_space(void **state)
{
	struct trace_writer w;
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	if (full < 0)
		skip();
	trace_writer_init(&w, full);
	trace_write_pages(&w, TRACE_MAP, 1, 1, 1);
	assert_int_equal(trace_writer_finish(&w, 2), -ENOSPC);
	close(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut_short, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_version, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_space, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
