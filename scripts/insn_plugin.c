// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCG plug-in of the virtual lab: counts the instructions each emulated CPU executes, in a
 * file that others may read while it runs (64 counters of 64 bits). Argument: counters=PATH.
 *
 * Debian 12 does not package qemu-plugin.h, so the few prototypes used are declared here
 * (QEMU 7.2, include/qemu/qemu-plugin.h, API version 1).
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_info_t;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };

typedef void (*tb_trans_cb)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*vcpu_udata_cb)(unsigned int vcpu_index, void *userdata);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, tb_trans_cb cb);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, vcpu_udata_cb cb,
					  enum qemu_plugin_cb_flags flags, void *userdata);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);

#define NR_COUNTERS 64

__attribute__((visibility("default"))) int qemu_plugin_version = 1;
int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc, char **argv);

static uint64_t *counters;

/* Each vCPU has its own counter and thread: no atomics needed. */
static void count_block(unsigned int vcpu_index, void *userdata)
{
	counters[vcpu_index % NR_COUNTERS] += (uintptr_t)userdata;
}

static void block_translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	/* A number is what count_block() takes. NOLINTNEXTLINE(performance-no-int-to-ptr) */
	void *nr_insns = (void *)(uintptr_t)qemu_plugin_tb_n_insns(tb);

	(void)id;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, count_block, QEMU_PLUGIN_CB_NO_REGS, nr_insns);
}

__attribute__((visibility("default"))) int
qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc, char **argv)
{
	const size_t size = NR_COUNTERS * sizeof(*counters);
	int fd;

	(void)info;
	if (argc != 1 || strncmp(argv[0], "counters=", 9) != 0) {
		fprintf(stderr, "insn_plugin: argument counters=PATH needed\n");
		return -1;
	}
	fd = open(argv[0] + 9, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || ftruncate(fd, (off_t)size)) {
		perror(argv[0] + 9);
		return -1;
	}
	counters = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (counters == MAP_FAILED) {
		perror("insn_plugin: mmap");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, block_translated);
	return 0;
}
