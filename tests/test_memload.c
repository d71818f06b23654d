// SPDX-License-Identifier: GPL-2.0-only
/* memload's keys, values, replies and distributions against their definitions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <math.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/load/memload.h"

#define DRAWS 1000000

static struct dist parsed(const char *text)
{
	struct dist dist;

	assert_true(dist_parse(text, &dist));
	return dist;
}

/* --- keys --- */

/* That their first digits ascend means that no two keys are the same. */
static void check_keys(uint32_t count, const char *text, unsigned int digits)
{
	struct dist dist = parsed(text);
	char key[KEY_MAX + 1], previous[KEY_MAX + 1] = "";
	struct keyspace keys;

	keyspace_init(&keys, count, &dist);
	assert_int_equal(keys.digits, digits);
	for (uint32_t i = 0; i < count; i++) {
		size_t len = key_write(&keys, i, key);

		assert_true(len >= digits && len <= KEY_MAX);
		key[len] = '\0';
		assert_int_equal(strlen(key), len);
		assert_int_equal(strspn(key, "0123456789abcdefghijklmnopqrstuv"), len);
		assert_true(memcmp(previous, key, digits) < 0);
		memcpy(previous, key, digits);
	}
	keyspace_free(&keys);
}

static void keys_are_unique_and_legal(void **state)
{
	check_keys(1, "fixed:0", 1);
	check_keys(32, "fixed:32", 1);
	check_keys(33, "fixed:1", 2);
	check_keys(100000, "fixed:1000", 4);
	check_keys(100000, "uniform:1-250", 4);
	check_keys(100000, "gev:30.7984,8.20449,0.078688", 4);
}

static void keys_have_the_size_asked_for(void **state)
{
	struct dist dist = parsed("fixed:32");
	struct keyspace keys;
	char key[KEY_MAX];

	keyspace_init(&keys, 5000, &dist);
	for (uint32_t i = 0; i < 5000; i++)
		assert_int_equal(key_write(&keys, i, key), 32);
	keyspace_free(&keys);
}

/* --- values --- */

static const uint32_t sizes[] = { 0,  1,  2,  3,  7,  8,  9,  15,  16,	17,
				  23, 24, 25, 31, 32, 33, 64, 200, 1001 };

#define SIZES (sizeof(sizes) / sizeof(*sizes))

static void values_are_of_their_key(void **state)
{
	char value[1024];

	for (size_t i = 0; i < SIZES; i++) {
		for (uint32_t nonce = 0; nonce < 50; nonce++) {
			value_write(7, nonce * 85899345, value, sizes[i]);
			assert_true(value_is_of(7, value, sizes[i]));
			if (sizes[i] >= 8)
				assert_false(value_is_of(8, value, sizes[i]));
		}
	}
}

static void flip(char *value, uint32_t bit)
{
	value[bit / 8] = (char)((unsigned char)value[bit / 8] ^ 1U << bit % 8);
}

static void each_flipped_bit_is_seen(void **state)
{
	char value[1024];

	for (size_t i = 0; i < SIZES; i++) {
		value_write(7, 12345, value, sizes[i]);
		for (uint32_t bit = 0; bit < 8 * sizes[i]; bit++) {
			flip(value, bit);
			assert_false(value_is_of(7, value, sizes[i]));
			flip(value, bit);
		}
		assert_true(value_is_of(7, value, sizes[i]));
	}
}

static void a_part_of_a_value_is_none(void **state)
{
	char value[1024];

	for (size_t i = 0; i < SIZES; i++) {
		value_write(7, 12345, value, sizes[i]);
		for (uint32_t part = 8; part < sizes[i]; part++)
			assert_false(value_is_of(7, value, part));
	}
}

/* --- protocol --- */

static void requests_as_memcached_documents_them(void **state)
{
	struct dist dist = parsed("fixed:5");
	struct keyspace keys;
	char text[512], *value;

	keyspace_init(&keys, 40, &dist);
	*request_get(PROTOCOL_META, &keys, 35, text) = '\0';
	assert_string_equal(text, "mg 13kkk v\r\n");
	*request_get(PROTOCOL_TEXT, &keys, 35, text) = '\0';
	assert_string_equal(text, "get 13kkk\r\n");
	memset(text, '-', sizeof(text));
	*request_set(PROTOCOL_META, &keys, 35, 10, text, &value) = '\0';
	memset(value, 'v', 10);
	assert_string_equal(text, "ms 13kkk 10\r\nvvvvvvvvvv\r\n");
	*request_set(PROTOCOL_TEXT, &keys, 35, 0, text, &value) = '\0';
	assert_string_equal(text, "set 13kkk 0 0 0\r\n\r\n");
	keyspace_free(&keys);
}

/* Each beginning of it is partial; the whole is what it is, also with more behind it. */
static void check_reply(enum protocol protocol, bool get, const char *text, enum reply_kind kind)
{
	char with_more[256];
	struct reply reply;
	size_t len = strlen(text);

	for (size_t part = 0; part < len; part++)
		assert_int_equal(reply_parse(protocol, get, text, part, &reply), REPLY_PARTIAL);
	snprintf(with_more, sizeof(with_more), "%sEND\r\n", text);
	for (size_t more = 0; more <= 5; more += 5) {
		assert_int_equal(reply_parse(protocol, get, with_more, len + more, &reply), kind);
		assert_int_equal(reply.size, len);
	}
	if (kind == REPLY_HIT && reply.value_size)
		assert_memory_equal(reply.value, "va\nue", reply.value_size);
}

static void replies_in_parts_and_whole(void **state)
{
	check_reply(PROTOCOL_META, true, "VA 5\r\nva\nue\r\n", REPLY_HIT);
	check_reply(PROTOCOL_META, true, "VA 0\r\n\r\n", REPLY_HIT);
	check_reply(PROTOCOL_META, true, "EN\r\n", REPLY_MISS);
	check_reply(PROTOCOL_META, false, "HD\r\n", REPLY_STORED);
	check_reply(PROTOCOL_TEXT, true, "VALUE key 0 5\r\nva\nue\r\nEND\r\n", REPLY_HIT);
	check_reply(PROTOCOL_TEXT, true, "VALUE key 0 0\r\n\r\nEND\r\n", REPLY_HIT);
	check_reply(PROTOCOL_TEXT, true, "END\r\n", REPLY_MISS);
	check_reply(PROTOCOL_TEXT, false, "STORED\r\n", REPLY_STORED);
}

static void other_replies_are_unknown(void **state)
{
	static const char *const replies[] = { "SERVER_ERROR out of memory\r\n",
					       "VA x\r\n",
					       "VA\r\n",
					       "VA 9999999999\r\n",
					       "VA 5\r\nvalue__",
					       "VALUE key 0\r\n",
					       "NS\r\n",
					       "\r\n" };
	static const char endless[4096];
	struct reply reply;

	for (size_t i = 0; i < sizeof(replies) / sizeof(*replies); i++) {
		const char *text = replies[i];

		assert_int_equal(reply_parse(PROTOCOL_META, true, text, strlen(text), &reply),
				 REPLY_UNKNOWN);
		assert_int_equal(reply_parse(PROTOCOL_TEXT, false, text, strlen(text), &reply),
				 REPLY_UNKNOWN);
	}
	assert_int_equal(reply_parse(PROTOCOL_META, true, "HD\r\n", 4, &reply), REPLY_UNKNOWN);
	assert_int_equal(reply_parse(PROTOCOL_META, false, "EN\r\n", 4, &reply), REPLY_UNKNOWN);
	assert_int_equal(reply_parse(PROTOCOL_META, true, endless, sizeof(endless), &reply),
			 REPLY_UNKNOWN);
}

/* --- distributions --- */

/* Mean and share below limit of many draws. */
static void check_dist(const char *text, double mean, uint32_t limit, double below)
{
	struct dist dist = strcmp(text, "etc") == 0 ? dist_etc_value() : parsed(text);
	struct rng rng = { 1 };
	double sum = 0, under = 0;

	for (int i = 0; i < DRAWS; i++) {
		uint32_t value = dist_draw(&dist, &rng, 0, 100000000);

		sum += value;
		under += value < limit;
	}
	assert_true(fabs(sum / DRAWS - mean) <= 0.01 * mean);
	assert_true(fabs(under / DRAWS - below) < 0.003);
}

static void sizes_are_of_their_distribution(void **state)
{
	double etc_rest = 1 - 0.44155; /* the share of the generalised Pareto part */

	check_dist("fixed:77", 77, 77, 0);
	check_dist("uniform:100-199", 149.5, 150, 0.5);
	check_dist("normal:1000,100", 1000, 1100, 0.8413);
	check_dist("gpareto:0,214.476,0.348238", 214.476 / (1 - 0.348238), 1000, 0.9373);
	check_dist("gpareto:10,500,0", 510, 510, 1 - exp(-1));
	/* Its mean is LOC + SCALE * (gamma(1 - SHAPE) - 1) / SHAPE. */
	check_dist("gev:3079.84,820.449,0.078688",
		   3079.84 + 820.449 * (tgamma(0.921312) - 1) / 0.078688, 3080, exp(-1));
	check_dist("gev:1000,100,0", 1000 + 57.7216, 1000, exp(-1));
	check_dist("etc", 2.29836 + etc_rest * 329.07, 3, 0.18403 + etc_rest * 0.01157);
}

static void sizes_are_clamped(void **state)
{
	struct dist wide = parsed("normal:50,1000"), nowhere = parsed("gev:1,1,-900");
	struct rng rng = { 1 };

	for (int i = 0; i < 10000; i++) {
		uint32_t value = dist_draw(&wide, &rng, 3, 99);

		assert_true(value >= 3 && value <= 99);
		value = dist_draw(&nowhere, &rng, 3, 99);
		assert_true(value >= 3 && value <= 99);
	}
}

static void bad_distributions_are_refused(void **state)
{
	static const char *const bad[] = { "",		"fixed",       "fixed:",      "fixed:x",
					   "fixed:1,2", "fixed:1 ",    "uniform:5",   "uniform:9-2",
					   "normal:1",	"normal:1,-2", "normal:1,2,", "gpareto:1,2",
					   "gev:1,2,n", "fixed:inf",   "gamma:1,2" };
	struct dist dist;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(dist_parse(bad[i], &dist));
}

/* Of the first ranks and the last half; five standard deviations. */
static void check_zipf(uint32_t n, double theta)
{
	static double seen[1000];
	double total = 0;
	struct rng rng = { 1 };
	struct zipf zipf;

	memset(seen, 0, sizeof(seen));
	zipf_init(&zipf, n, theta);
	for (uint32_t i = 0; i < n; i++)
		total += pow(i + 1, -theta);
	for (int i = 0; i < DRAWS; i++) {
		uint32_t rank = zipf_draw(&zipf, &rng);

		assert_true(rank < n);
		seen[rank]++;
	}
	for (uint32_t i = 0; i < n; i++) {
		double expected = DRAWS * pow(i + 1, -theta) / total;

		assert_true(fabs(seen[i] - expected) < 5 * sqrt(expected) + 5);
	}
}

static void zipf_ranks(void **state)
{
	check_zipf(1, 0.99);
	check_zipf(2, 0.99);
	check_zipf(1000, 0.5);
	check_zipf(1000, 0.99);
	check_zipf(1000, 1);
	check_zipf(1000, 2.5);
}

/* --- the open loop --- */

#define CONNS 4

/* A socket that listens on the loopback; sets port. */
static int listen_anywhere(char *port, size_t size)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (void *)&address, len), 0);
	assert_int_equal(listen(fd, CONNS), 0);
	assert_int_equal(getsockname(fd, (void *)&address, &len), 0);
	snprintf(port, size, "%u", ntohs(address.sin_port));
	return fd;
}

/*
 * Six or seven requests are due at the start, and the next within two seconds: one that is queued
 * but not sent waits for it, or longer.
 */
static void all_that_is_due_is_sent(void **state)
{
	char host[] = "127.0.0.1", port[8];
	struct memload_options options = { .host = host,
					   .port = port,
					   .server = "the test",
					   .threads = 1,
					   .connections = CONNS,
					   .depth = 4,
					   .rate = 0.5,
					   .uniform_arrivals = true,
					   .get_ratio = 1,
					   .timeout_s = 10 };
	struct dist size = parsed("fixed:5");
	int listener = listen_anywhere(port, sizeof(port));
	struct phases phases = { .begin_at = NEVER, .end_at = NEVER };
	struct keyspace keys;
	struct worker *worker;
	struct pollfd clients[CONNS];

	phases.filled_fd = eventfd(0, 0);
	phases.load_at = now_ns() - 12100000000ULL;
	keyspace_init(&keys, 40, &size);
	worker = worker_new(&options, &keys, &phases, 0);
	for (int i = 0; i < CONNS; i++)
		clients[i] =
			(struct pollfd){ .fd = accept(listener, NULL, NULL), .events = POLLIN };
	worker_start(worker);
	for (int i = 0; i < CONNS; i++)
		assert_int_equal(poll(&clients[i], 1, 1000), 1);
	phases.end_at = now_ns();
	worker_wake(worker);
	assert_true(worker_join(worker)->unanswered >= 6);
	worker_free(worker);
	keyspace_free(&keys);
	for (int i = 0; i < CONNS; i++)
		close(clients[i].fd);
	close(listener);
	close(phases.filled_fd);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_unique_and_legal),
		cmocka_unit_test(keys_have_the_size_asked_for),
		cmocka_unit_test(values_are_of_their_key),
		cmocka_unit_test(each_flipped_bit_is_seen),
		cmocka_unit_test(a_part_of_a_value_is_none),
		cmocka_unit_test(requests_as_memcached_documents_them),
		cmocka_unit_test(replies_in_parts_and_whole),
		cmocka_unit_test(other_replies_are_unknown),
		cmocka_unit_test(sizes_are_of_their_distribution),
		cmocka_unit_test(sizes_are_clamped),
		cmocka_unit_test(bad_distributions_are_refused),
		cmocka_unit_test(zipf_ranks),
		cmocka_unit_test(all_that_is_due_is_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
