// SPDX-License-Identifier: GPL-2.0-only
/*
 * What comes over the channels into a VM, QMP and the agent's: as QEMU and the agent say it,
 * and broken. The other end speaks beforehand, so no thread is needed. And kernel messages.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "harness/agent_proto.h"
#include "harness/guest.h"
#include "harness/kmsg.h"
#include "harness/qmp.h"
#include "harness/util.h"

#define GREETING                                                                           \
	"{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}, " \
	"\"package\": \"Debian\"}, \"capabilities\": [\"oob\"]}}\r\n"
#define READY "{\"return\": {}, \"id\": 1}\r\n"

static const struct waiter waiter = { .pidfd = -1, .uninterruptible = true };

/* Opens QMP against a peer that has said all of text; it hangs up then if close_it is set. */
static int open_against(const char *text, bool close_it, struct qmp **qmp, int *peer)
{
	uint64_t ready_ns = 0;
	int fds[2], ret;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(write_all(fds[1], text, strlen(text)), 0);
	if (close_it)
		assert_int_equal(shutdown(fds[1], SHUT_WR), 0);
	ret = qmp_open(fds[0], &waiter, 0.2, qmp, &ready_ns);
	*peer = fds[1];
	if (!ret)
		assert_true(ready_ns > 0);
	return ret;
}

static void test_qmp(void **state)
{
	struct qmp *qmp = NULL;
	json_t *result = NULL;
	int peer;

	/* An event, and the reply to something else, come before the reply that counts. */
	assert_int_equal(
		open_against(GREETING READY
			     "{\"event\": \"RESUME\", \"timestamp\": {}}\r\n"
			     "{\"return\": {\"wrong\": 1}, \"id\": 77}\r\n"
			     "{\"return\": {\"right\": 2}, \"id\": 2}\r\n"
			     "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}, "
			     "\"id\": 3}\r\n",
			     false, &qmp, &peer),
		0);
	assert_int_equal(qmp_command(qmp, "query-x", NULL, 0.2, &result), 0);
	assert_int_equal(json_integer_value(json_object_get(result, "right")), 2);
	json_decref(result);
	assert_int_equal(qmp_command(qmp, "query-y", NULL, 0.2, NULL), -EIO);
	assert_int_equal(qmp_command(qmp, "query-z", NULL, 0.1, NULL), -ETIMEDOUT);
	close(peer);
	assert_int_equal(qmp_command(qmp, "query-z", NULL, 0.1, NULL), -ECHILD);
	qmp_close(qmp);
}

static void test_qmp_broken(void **state)
{
	static const struct {
		const char *text;
		bool close_it;
		int ret;
	} cases[] = {
		{ "", false, -ETIMEDOUT },
		{ "", true, -ECHILD },
		{ GREETING, true, -ECHILD },
		{ "{\"QMP\": {\"vers", true, -ECHILD },
		{ "hello\r\n", false, -EBADMSG },
		{ "[1, 2]\r\n", false, -EBADMSG },
		{ "{\"return\": {}}\r\n", false, -EBADMSG },
		{ GREETING "garbage\r\n", false, -EBADMSG },
		{ GREETING "{\"error\": {}, \"id\": 1}\r\n", false, -EIO },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct qmp *qmp = NULL;
		int peer;

		assert_int_equal(open_against(cases[i].text, cases[i].close_it, &qmp, &peer),
				 cases[i].ret);
		assert_null(qmp);
		close(peer);
	}
}

static const struct agent_hello hello = { .uptime_ns = 1234567 };

static void add_frame(struct strbuf *sb, enum agent_op op, uint32_t id, const void *data,
		      uint32_t len)
{
	struct agent_frame frame = { AGENT_MAGIC, op, id, len };

	strbuf_add(sb, &frame, sizeof(frame));
	strbuf_add(sb, data, len);
}

static int open_guest(struct strbuf *sb, struct guest **guest, int *peer)
{
	uint64_t uptime_ns = 0;
	int fds[2], ret;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(write_all(fds[1], sb->data, sb->len), 0);
	free(sb->data);
	ret = guest_open(fds[0], &waiter, 0.2, guest, &uptime_ns);
	*peer = fds[1];
	if (!ret)
		assert_int_equal(uptime_ns, 1234567);
	return ret;
}

/* The agent's answer is there before it is asked: the ids it will be asked with count up. */
static void answer(int peer, struct strbuf *sb)
{
	assert_int_equal(write_all(peer, sb->data, sb->len), 0);
	free(sb->data);
	*sb = (struct strbuf){ 0 };
}

static void test_guest(void **state)
{
	char *const argv[] = { (char *)"true", NULL };
	const int32_t good = 0, enoent = -ENOENT, exit_3 = 3 << 8;
	struct guest *guest = NULL;
	struct strbuf sb = { 0 };
	char *text = NULL;
	int peer;

	add_frame(&sb, AGENT_HELLO, 0, &hello, sizeof(hello));
	assert_int_equal(open_guest(&sb, &guest, &peer), 0);
	sb = (struct strbuf){ 0 };
	add_frame(&sb, AGENT_DATA, 1, "7.", 2);
	add_frame(&sb, AGENT_DATA, 99, "nobody's", 8);
	add_frame(&sb, AGENT_DATA, 1, "2\n", 2);
	add_frame(&sb, AGENT_REPLY, 1, &good, sizeof(good));
	answer(peer, &sb);
	assert_int_equal(guest_read(guest, "/etc/version", &text), 0);
	assert_string_equal(text, "7.2");
	free(text);
	add_frame(&sb, AGENT_REPLY, 2, &enoent, sizeof(enoent));
	answer(peer, &sb);
	assert_int_equal(guest_read(guest, "/none", &text), -ENOENT);
	add_frame(&sb, AGENT_STDOUT, 3, "out", 3);
	add_frame(&sb, AGENT_EXIT, 3, &good, sizeof(good));
	answer(peer, &sb);
	assert_int_equal(guest_run(guest, argv, 0.2, &text), 0);
	assert_string_equal(text, "out");
	free(text);
	add_frame(&sb, AGENT_STDERR, 4, "no such thing\n", 14);
	add_frame(&sb, AGENT_EXIT, 4, &exit_3, sizeof(exit_3));
	answer(peer, &sb);
	assert_int_equal(guest_run(guest, argv, 0.2, NULL), -EREMOTEIO);
	assert_int_equal(guest_ping(guest, 0.1), -ETIMEDOUT);
	close(peer);
	assert_int_equal(guest_ping(guest, 0.1), -ECHILD);
	guest_close(guest);
}

static void test_guest_broken(void **state)
{
	static const struct agent_frame frames[] = {
		{ 0x12345678, AGENT_HELLO, 0, 8 },	     /* not the agent's magic */
		{ AGENT_MAGIC, AGENT_REPLY, 0, 8 },	     /* no hello */
		{ AGENT_MAGIC, AGENT_HELLO, 0, 0xffffffff }, /* out of bounds */
	};

	for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
		struct guest *guest = NULL;
		struct strbuf sb = { 0 };
		int peer;

		strbuf_add(&sb, &frames[i], sizeof(frames[i]));
		strbuf_add(&sb, &hello, sizeof(hello));
		assert_int_equal(open_guest(&sb, &guest, &peer), -EBADMSG);
		assert_null(guest);
		close(peer);
	}
}

static void test_kmsg(void **state)
{
	struct kmsg_findings findings = { 0 };

	kmsg_scan("[    1.0] DMAR: IOMMU enabled\n"
		  "[    1.1] DMAR: dmar0: reg_base_addr fed90000 ver 1:0\n"
		  "[    2.0] nvme nvme0: 2/0/0 default/read/poll queues\n"
		  "[    2.1] AMD-Vi: AMD IOMMUv2 functionality not available on this system - "
		  "This is not a bug.\n"
		  "[    2.2] PCI: if necessary, use \"pci=nocrs\" and report a bug\n",
		  &findings);
	assert_int_equal(findings.iommu_faults, 0);
	assert_int_equal(findings.splats, 0);
	kmsg_scan(
		"[    3.0] DMAR: [DMA Write NO_PASID] Request device [00:02.0] fault addr "
		"0x4bb6000 [fault reason 0x05] PTE Write access is not set\n"
		"[    3.1] AMD-Vi: Event logged [IO_PAGE_FAULT device=01:00.0]\n"
		"[    4.0] WARNING: CPU: 0 PID: 0 at arch/x86/kernel/fpu/xstate.c:606 f+0x8/0xb\n",
		&findings);
	assert_int_equal(findings.iommu_faults, 2);
	assert_int_equal(findings.splats, 1);
	assert_non_null(strstr(findings.first_fault, "0x4bb6000"));
	assert_non_null(strstr(findings.first_splat, "xstate.c"));
	kmsg_findings_free(&findings);
}

/* Ctrl-C ends waits until it is obeyed, and then no more; another one does again. */
static void test_interrupted(void **state)
{
	static const struct waiter user = { .pidfd = -1 };

	for (unsigned int i = 0; i < 2; i++) {
		assert_false(wait_interrupted());
		assert_int_equal(kill(getpid(), SIGINT), 0);
		assert_int_equal(wait_seconds(&user, 30), -EINTR);
		assert_true(wait_interrupted());
		assert_int_equal(wait_seconds(&user, 30), -EINTR);
		wait_obeyed();
		assert_int_equal(wait_seconds(&user, 0.01), 0);
	}
	/* One that came while nothing waited. */
	assert_int_equal(kill(getpid(), SIGTERM), 0);
	wait_obeyed();
	assert_false(wait_interrupted());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_qmp),   cmocka_unit_test(test_qmp_broken),
		cmocka_unit_test(test_guest), cmocka_unit_test(test_guest_broken),
		cmocka_unit_test(test_kmsg),  cmocka_unit_test(test_interrupted),
	};

	wait_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
