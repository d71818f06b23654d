/* SPDX-License-Identifier: GPL-2.0-only */
/* Replays of recorded traces: bench/replay/. */
#ifndef BENCH_REPLAY_H
#define BENCH_REPLAY_H

/* The replay command, with its own name as argv[0]. Returns an exit status. */
int replay_command(int argc, char **argv);

#endif
