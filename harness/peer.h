/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The other end of an assigned NIC's cable: a second port of this host, or a port of a remote
 * host reached by ssh, in a network namespace of the run's own.
 */
#ifndef HARNESS_PEER_H
#define HARNESS_PEER_H

#include "harness/config.h"
#include "harness/proc.h"
#include "harness/util.h"

struct journal;
struct peer;

/* The namespace's name, on whichever host. */
#define PEER_NETNS "iommubench"

/* Can there be one? 0, or -errno with "reason: remedy" in *why (to free). Changes nothing. */
int peer_probe(const struct host_device *device, char **why);

/*
 * Makes the namespace (once a run) and gives the interface its address ("198.18.0.1/24") and MTU.
 * It stays down until peer_up(): a NIC that no reset has stopped would put what the peer sends,
 * be it a dead connection's, where the last VM had its buffers. device must outlive the peer.
 * Both: 0 or -errno with the reason in *why (to free).
 */
int peer_open(struct journal *journal, const struct host_device *device, const char *address,
	      unsigned int mtu, struct peer **out, char **why);
int peer_up(const struct peer *peer, char **why);
/* NULL is fine. The namespace stays until the journal undoes it. */
void peer_close(struct peer *peer);

const char *peer_interface(const struct peer *peer);

/* What runs command in the namespace, appended to argv. */
void peer_command(const struct peer *peer, char *const command[], struct strlist *argv);
/* Runs it to its end: as proc_run(). */
int peer_run(const struct peer *peer, char *const command[], double timeout_s, char **output);
/* Starts it, without our stdin, its output into the file at path. It is the caller's: proc_kill().
 * 0 or -errno. */
int peer_start(const struct peer *peer, char *const command[], const char *path, struct proc *proc);
/* The path of a load tool there, to free. */
char *peer_tool(const struct peer *peer, const char *build_dir, const char *name);

#endif
