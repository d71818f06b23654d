/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside of a boot: its metric sources, from before the VM's start to after its end. */
#ifndef HARNESS_MEASURE_H
#define HARNESS_MEASURE_H

struct boot;
struct cell_run;

/* Opens all that can be read here. 0, or -errno with the boot's reason; to be closed anyway. */
int measure_open(struct boot *boot);
void measure_close(struct boot *boot);
/* The VM is created, its vCPUs do not run yet. 0 or -errno. */
int measure_created(struct boot *boot);
/* A waiter's tick, arg is the boot. */
void measure_tick(void *arg);
/* After a cell's workload. 0, or -errno with the boot's reason. */
int measure_finish(struct cell_run *run);
/* Puts the device's interrupts where they belong: only those that a driver has switched on. */
void measure_place_interrupts(struct boot *boot);

#endif
