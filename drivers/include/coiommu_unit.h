/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tracking-unit protocol: every access that guest or host makes to a unit. The guest
 * module, the host backend, the stress test and the model checker compile this one source.
 *
 * Why it is safe: count, accessed and pinned share one word. The guest raises the count and
 * learns of "pinned" in one atomic step; the host gives a page up by one compare-and-swap
 * from exactly "pinned" to 0. Whichever comes first decides: either the host sees the count
 * and keeps the page, or the guest sees the page unpinned and asks. The host maps before it
 * sets the bit and unmaps after it has cleared it, and serialises both with a lock, so a
 * guest that asks while a release is under way waits for it and gets a new pin.
 */
#ifndef COIOMMU_UNIT_H
#define COIOMMU_UNIT_H

#include "coiommu_abi.h"

#ifndef COIOMMU_UNIT_PRIMITIVES /* the model checker brings its own */
#ifdef __KERNEL__
#include <linux/atomic.h>
#define coiommu_unit_load(unit) READ_ONCE(*(unit))
/* Not cmpxchg(): a guest with one CPU patches its lock prefix away, but the host is another. */
#define coiommu_unit_cas(unit, old, new) sync_cmpxchg(unit, old, new)
#else
static inline __u32 coiommu_unit_load(const __u32 *unit)
{
	return __atomic_load_n(unit, __ATOMIC_ACQUIRE);
}

/* Returns the value found; the swap was made if that is old. */
/* NOLINTNEXTLINE(readability-non-const-parameter): the builtin writes to it */
static inline __u32 coiommu_unit_cas(__u32 *unit, __u32 old, __u32 new)
{
	__atomic_compare_exchange_n(unit, &old, new, 0, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE);
	return old;
}
#endif
#endif

/* ---- Guest ------------------------------------------------------------------------- */

/*
 * A mapping begins. Returns the unit as it was before, whose COIOMMU_UNIT_PINNED tells
 * whether the page must be asked for. A count at its limit is left alone, and the value
 * returned has all count bits set: the mapping must fail.
 */
static inline __u32 coiommu_unit_get(__u32 *unit)
{
	__u32 old = coiommu_unit_load(unit);

	for (;;) {
		__u32 seen;

		if ((old & COIOMMU_UNIT_COUNT) == COIOMMU_UNIT_COUNT)
			return old;
		seen = coiommu_unit_cas(unit, old, (old + 1) | COIOMMU_UNIT_ACCESSED);
		if (seen == old)
			return old;
		old = seen;
	}
}

/* A mapping ends. Returns the unit as it was before; one without a count is left alone. */
static inline __u32 coiommu_unit_put(__u32 *unit)
{
	__u32 old = coiommu_unit_load(unit);

	for (;;) {
		__u32 seen;

		if (!(old & COIOMMU_UNIT_COUNT))
			return old;
		seen = coiommu_unit_cas(unit, old, old - 1);
		if (seen == old)
			return old;
		old = seen;
	}
}

/* ---- Host, under its lock ---------------------------------------------------------- */

static inline __u32 coiommu_unit_update(__u32 *unit, __u32 set, __u32 clear)
{
	__u32 old = coiommu_unit_load(unit);

	for (;;) {
		__u32 seen;

		if (((old | set) & ~clear) == old)
			return old;
		seen = coiommu_unit_cas(unit, old, (old | set) & ~clear);
		if (seen == old)
			return old;
		old = seen;
	}
}

/* The page is mapped for devices: say so. */
static inline void coiommu_unit_set_pinned(__u32 *unit)
{
	coiommu_unit_update(unit, COIOMMU_UNIT_PINNED, 0);
}

/* The page is lost whatever the guest does: its memory or the table goes away. */
static inline void coiommu_unit_clear_pinned(__u32 *unit)
{
	coiommu_unit_update(unit, 0, COIOMMU_UNIT_PINNED);
}

static inline void coiommu_unit_clear_accessed(__u32 *unit)
{
	coiommu_unit_update(unit, 0, COIOMMU_UNIT_ACCESSED);
}

/* Gives the page up if nobody uses it. After 1 the host must unmap it, or set the bit again. */
static inline int coiommu_unit_release(__u32 *unit)
{
	return coiommu_unit_cas(unit, COIOMMU_UNIT_PINNED, 0) == COIOMMU_UNIT_PINNED;
}

#endif
