// SPDX-License-Identifier: GPL-2.0-only
/* What network workloads share: addresses, the proof of the path, iperf3's JSON, ssh's quoting. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "bench/net.h"
#include "bench/registry.h"
#include "bench/workloads/iperf.h"
#include "harness/shell.h"
#include "harness/util.h"

/* --- addresses --- */

static struct settings *nic_with(const char *subnet)
{
	struct settings *settings = settings_new(registry_device("nic")->settings);
	char *why = NULL;

	assert_int_equal(settings_set(settings, "subnet", subnet, &why), 0);
	return settings;
}

static void test_addresses(void **state)
{
	struct settings *settings = nic_with("10.20.255");
	struct net_addresses addresses;

	assert_int_equal(net_addresses(settings, &addresses), 0);
	assert_string_equal(addresses.peer, "10.20.255.1");
	assert_string_equal(addresses.peer_prefix, "10.20.255.1/24");
	assert_string_equal(addresses.guest, "10.20.255.2");
	settings_free(settings);
}

static void test_bad_subnets(void **state)
{
	static const char *const bad[] = { "",	      "10.20",	   "10.20.30.40", "10.20.256",
					   "0.20.30", "224.20.30", "a.b.c",	  "10.20.30x" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct settings *settings = nic_with(bad[i]);
		struct net_addresses addresses;
		char *why = NULL;

		assert_int_equal(net_addresses(settings, &addresses), -EINVAL);
		assert_int_equal(registry_device("nic")->validate(settings, &why), -EINVAL);
		assert_non_null(strstr(why, "198.18.0"));
		free(why);
		settings_free(settings);
	}
}

static void test_irq_cpus(void **state)
{
	struct settings *settings = nic_with("10.20.30");
	char *why = NULL;

	assert_int_equal(settings_set(settings, "irq_cpus", "0-1,3", &why), 0);
	assert_int_equal(registry_device("nic")->validate(settings, &why), 0);
	assert_int_equal(settings_set(settings, "irq_cpus", "0;reboot", &why), 0);
	assert_int_equal(registry_device("nic")->validate(settings, &why), -EINVAL);
	free(why);
	settings_free(settings);
}

/* --- the path --- */

static const struct net_ends start = { .guest = { 100, 200, 5000, 6000 },
				       .peer = { 70, 80, 9000, 1000 } };

static struct net_ends moved(uint64_t out, uint64_t in, uint64_t peer_in, uint64_t peer_out)
{
	struct net_ends end = start;

	end.guest.tx_bytes += out;
	end.guest.rx_bytes += in;
	end.peer.rx_bytes += peer_in;
	end.peer.tx_bytes += peer_out;
	end.guest.tx_packets += 10;
	end.guest.rx_packets += 10;
	return end;
}

static void assert_path(bool proven, uint64_t packets, struct net_ends end)
{
	char *doubt = net_path_doubt(&start, &end, packets);

	assert_int_equal(!doubt, proven);
	if (doubt)
		assert_non_null(strstr(doubt, "did not take the cable"));
	free(doubt);
}

static void test_path(void **state)
{
	assert_path(true, 10, moved(1000000, 2000000, 1000000, 2000000));
	assert_path(true, 10, moved(1000000, 2000000, 950000, 2100000));   /* some lost */
	assert_path(false, 11, moved(1000000, 2000000, 1000000, 2000000)); /* too few packets */
	assert_path(false, 10, moved(1000000, 2000000, 0, 2000000));	   /* went elsewhere */
	assert_path(false, 10, moved(1000000, 2000000, 1000000, 0));	   /* came from elsewhere */
	assert_path(false, 10, moved(1000000, 2000000, 2000000, 2000000)); /* others' traffic */
}

/* --- iperf3 --- */

static int parse(const char *text, struct iperf_result *result, const char *wanted)
{
	char *why = NULL;
	int ret = iperf_parse(text, result, &why);

	if (wanted)
		assert_non_null(strstr(why, wanted));
	else
		assert_null(why);
	free(why);
	return ret;
}

static void test_iperf(void **state)
{
	struct iperf_result result;

	assert_int_equal(parse("{\"end\":{\"sum_sent\":{\"retransmits\":3},"
			       "\"sum_received\":{\"bits_per_second\":8000}}}",
			       &result, NULL),
			 0);
	assert_true(result.bytes_per_s == 1000 && result.retransmits == 3);
	assert_int_equal(parse("{\"end\":{\"sum_received\":{\"bits_per_second\":8000},"
			       "\"sum_received_bidir_reverse\":{\"bits_per_second\":16000}}}",
			       &result, NULL),
			 0);
	assert_true(result.bytes_per_s == 3000 && isnan(result.retransmits));
}

static void test_iperf_broken(void **state)
{
	struct iperf_result result;

	assert_int_equal(parse("", &result, "no JSON"), -EINVAL);
	assert_int_equal(parse("{\"end\":{}", &result, "no JSON"), -EINVAL);
	assert_int_equal(parse("{\"end\":{}}", &result, "lacks"), -EINVAL);
	assert_int_equal(parse("{\"error\":\"unable to connect\"}", &result, "unable to connect"),
			 -EINVAL);
	assert_int_equal(parse("{\"end\":{\"sum_received\":{\"bits_per_second\":0}}}", &result,
			       "moved nothing"),
			 -EINVAL);
}

/* --- commands on another host --- */

static void test_remote(void **state)
{
	char *const command[] = { (char *)"sh", (char *)"-c", (char *)"echo 'a  b'; ls $HOME",
				  NULL };
	struct strlist argv = { 0 };

	shell_remote(NULL, false, command, &argv);
	assert_int_equal(argv.nr, 3);
	assert_string_equal(argv.items[2], command[2]);
	strlist_free(&argv);

	argv = (struct strlist){ 0 };
	shell_remote("user@host", true, command, &argv);
	assert_string_equal(argv.items[0], "ssh");
	assert_string_equal(argv.items[1], "-tt");
	assert_string_equal(argv.items[argv.nr - 2], "user@host");
	assert_string_equal(argv.items[argv.nr - 1], "sh -c 'echo '\\''a  b'\\''; ls $HOME'");
	strlist_free(&argv);
}

static void test_quoting(void **state)
{
	static const char *const words[][2] = {
		{ "plain-1.2:3", "plain-1.2:3" },
		{ "", "''" },
		{ "a b", "'a b'" },
		{ "$x", "'$x'" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		char *quoted = shell_quoted(words[i][0]);

		assert_string_equal(quoted, words[i][1]);
		free(quoted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses), cmocka_unit_test(test_bad_subnets),
		cmocka_unit_test(test_irq_cpus),  cmocka_unit_test(test_path),
		cmocka_unit_test(test_iperf),	  cmocka_unit_test(test_iperf_broken),
		cmocka_unit_test(test_remote),	  cmocka_unit_test(test_quoting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
