/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the harness steers a load tool: words on its stdin, JSON lines on its stdout. So the tool's
 * measured window is the harness' own, locally and over ssh alike.
 *
 *   tool                              harness
 *   {"event":"ready"}       ---->     (set up, connected, filled, warmed up: load is running)
 *                           <----     begin      forget what was counted, start the window
 *   {"event":"begun"}       ---->
 *                           <----     end        end the window
 *   {"event":"result",...}  ---->     and the tool exits with 0
 *
 * The end of stdin means that the harness is gone: the tool exits at once with status 1. An error
 * is one line on stderr, "TOOL: what: remedy", and exit status 1 (2 for usage).
 */
#ifndef LOAD_CONTROL_H
#define LOAD_CONTROL_H

#include <jansson.h>

enum control_word { CONTROL_NONE, CONTROL_BEGIN, CONTROL_END, CONTROL_GONE };

/* Makes stdin non-blocking; the process is killed by SIGALRM after limit_s seconds (0: no limit).
 */
void control_init(unsigned int limit_s);

/* For poll()/epoll: the descriptor that becomes readable when a word has come. */
int control_fd(void);

/* The next word, without blocking. An unknown word is an error on stderr and CONTROL_GONE. */
enum control_word control_poll(void);

/* Prints {"event": event, ...fields} as one line and flushes. Takes over fields (may be NULL). */
void control_event(const char *event, json_t *fields);

#endif
