/* SPDX-License-Identifier: GPL-2.0-only */
/* A fake host with two devices and some attributes, for tests of the journal; sets it up again
 * for each test. */
#ifndef TESTS_FAKE_HOST_H
#define TESTS_FAKE_HOST_H

#include "harness/journal.h"

#define THP "sys/kernel/mm/transparent_hugepage/enabled"

extern char journal_dir[96];

int fake_host_setup(void **state);
int fake_host_teardown(void **state);
#define HOST_TEST(name) cmocka_unit_test_setup_teardown(name, fake_host_setup, fake_host_teardown)

/* A path below its root, in a rotating static buffer. */
char *in_tree(const char *name);

struct journal *open_journal(void);
/* The journal's file, to free; NULL: there is none. */
char *journal_text(void);
void assert_no_journal(void);
void assert_journal_has(const char *word);

/* NULL: none. */
void assert_driver(const char *bdf, const char *driver);
void assert_override(const char *bdf, const char *override);
/* All as set up, and no journal. */
void assert_host_as_before(void);

/* Between the two, messages go to a file, which must have the word in the end. */
void capture(void);
void captured(const char *word);

/* Waits for what a killed harness had begun to write, which keeps the lock until it is over. */
void await_writes(void);

/* Runs work in a child that ends without closing its journal: a crash. */
void crash_after(void (*work)(struct journal *journal));

#endif
