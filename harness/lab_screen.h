/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pictures of what the lab's GPU displays. Only its emulator sees them: who is inside leaves a file
 * in the lab's share (scripts/lab-screen.sh), and gets the picture there.
 */
#ifndef HARNESS_LAB_SCREEN_H
#define HARNESS_LAB_SCREEN_H

#define LAB_SCREEN "screen" /* QEMU's id of the GPU */

/* The tick of all waits for the lab (arg: its struct lab): looks for such a file, and answers. */
void lab_screen_tick(void *arg);

#endif
