#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Checks the results of tests/lab/coiommu.yaml: a small quota, constant unpinning, two vCPUs.
# Usage: strain.sh RUN_DIR
set -u

run=$1
failures=0

# value CELL METRIC
value() { sample "coiommu.nvme.$1" "$2"; }
. "${0%/*}/holds.sh"

quota=$((4 << 20))
holds "every cell is ok" "$(cells_ok "$run") == 8"
for range in 1 16; do
	pool=dmamap.range=$range+shape=page
	lists=dmamap.range=$range+shape=sg
	holds "range $range: data written reads back right" \
		"$(value fio.range=$range verify_errors) == 0"
	# dmamap's pages may all be evicted before they are idle; fio stays below the quota
	holds "range $range: idle pages are unpinned" \
		"$(value fio.range=$range unpins) > $(value fio.range=$range pin_evictions)"
	holds "range $range: the quota makes room by eviction" "$(value $lists pin_evictions) > 100"
	holds "range $range: the quota refuses nobody" \
		"$(value $pool pin_refusals) == 0 && $(value $lists pin_refusals) == 0 &&
		$(value $pool dma_map_errors) == 0"
	holds "range $range: the quota holds" \
		"$(value $pool pinned_peak_bytes) <= $quota + 262144 &&
		$(value $lists pinned_peak_bytes) <= $quota + 262144"
	holds "range $range: every request's time is known" "$(value $pool pin_latency_p50_s) > 0"
	holds "range $range: speculation is right more often than wrong" \
		"$(value $pool speculation_hits) > $(value $pool speculation_misses)"
	holds "range $range: both arms of tracking were measured" \
		"$(value tracking.range=$range tracking_overhead_low) <= \
		$(value tracking.range=$range tracking_overhead_high)"
done
holds "a mapping of one page pins one page" \
	"$(value dmamap.range=1+shape=page pins) == \
	$(value dmamap.range=1+shape=page host_map_calls)"
holds "a mapping of up to 16 pages pins more" \
	"$(value dmamap.range=16+shape=page pins) > \
	2 * $(value dmamap.range=16+shape=page host_map_calls)"
holds "range pins need fewer requests" \
	"$(value dmamap.range=16+shape=page pin_requests) < \
	$(value dmamap.range=1+shape=page pin_requests)"
exit $((failures > 0))
