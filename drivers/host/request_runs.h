/* SPDX-License-Identifier: GPL-2.0-only */
/* How the pages of a request are handed to the policy: by the backend, and in a replay. */
#ifndef REQUEST_RUNS_H
#define REQUEST_RUNS_H

#include <stdbool.h>
#include <stdint.h>

#include "coiommu_abi.h"
#include "policy.h"

/* Start with { 0 }. */
struct request_cursor {
	uint32_t at; /* the next entry */
	uint64_t pfn;
	uint32_t left; /* pages of the current run */
};

/* The next pages for one call of the policy: runs without a gap in between count as one. */
static inline bool request_next(const struct coiommu_request *r, struct request_cursor *c,
				uint64_t *pfn, uint32_t *nr)
{
	if (!c->left && c->at >= r->nr)
		return false;
	if (!c->left) {
		c->pfn = r->entry[c->at] & COIOMMU_RUN_PFN;
		c->left = COIOMMU_RUN_NR(r->entry[c->at++]);
		while (c->at < r->nr && (r->entry[c->at] & COIOMMU_RUN_PFN) == c->pfn + c->left)
			c->left += COIOMMU_RUN_NR(r->entry[c->at++]);
	}
	*pfn = c->pfn;
	*nr = POLICY_PIN_BATCH - (uint32_t)(c->pfn % POLICY_PIN_BATCH);
	if (*nr > c->left)
		*nr = c->left;
	c->pfn += *nr;
	c->left -= *nr;
	return true;
}

#endif
