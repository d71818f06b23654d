/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The wire between harness and guest agent: frames over one virtio-serial port, the only
 * channel into a VM, which never uses the device under test. Both ends are x86, so numbers
 * are in host order. Replies carry the id of their request; several may be under way.
 */
#ifndef HARNESS_AGENT_PROTO_H
#define HARNESS_AGENT_PROTO_H

#include <stdint.h>

#define AGENT_PORT_NAME "iommubench"
#define AGENT_MAGIC 0x31424d49u /* "IMB1": the version is in it */
#define AGENT_MAX_PAYLOAD 65536u

enum agent_op {
	/* agent to harness, once: struct agent_hello */
	AGENT_HELLO = 1,

	/* harness to agent */
	AGENT_EXEC,	/* struct agent_exec, then argv as NUL-terminated strings */
	AGENT_KILL,	/* id of an EXEC, int32_t: that signal to its process group */
	AGENT_READ,	/* path; answered by DATA frames and REPLY */
	AGENT_WRITE,	/* path, NUL, contents; answered by REPLY */
	AGENT_PING,	/* answered by REPLY */
	AGENT_POWEROFF, /* sync, power off; no answer */

	/* agent to harness */
	AGENT_STDOUT, /* output of an EXEC */
	AGENT_STDERR,
	AGENT_EXIT, /* int32_t: wait status of an EXEC, its last frame */
	AGENT_DATA,
	AGENT_REPLY, /* int32_t: 0 or -errno */
};

struct agent_frame {
	uint32_t magic, op, id, len; /* len: bytes of payload that follow */
};
_Static_assert(sizeof(struct agent_frame) == 16, "on the wire");

struct agent_hello {
	uint64_t uptime_ns; /* CLOCK_BOOTTIME: time since the guest kernel's entry */
};
_Static_assert(sizeof(struct agent_hello) == 8, "on the wire");

#define AGENT_EXEC_TTY 1u /* standard streams are the VM's console, /dev/hvc0 */
struct agent_exec {
	uint32_t flags;
};
_Static_assert(sizeof(struct agent_exec) == 4, "on the wire");

#endif
