#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Checks the results of tests/lab/isolation.yaml: what the rogue device reached in each mode; or, if
# MODE is given, those of isolation-drive.yaml in that mode alone.
# Usage: isolation.sh RUN_DIR MEMORY_BYTES [MODE]
set -u

run=$1
memory=$2
failures=0
# shellcheck source=tests/lab/holds.sh
. "${0%/*}/holds.sh"

# value MODE METRIC: of its only cell
value() {
	id=$(awk -F, -v mode="$1" '$2 == mode { print $1; exit }' "$run/samples.csv")
	sample "$id" "$2"
}

# guest MODE SHARE BYTES: what of memory that is not mapped, and the sweep, as comparisons
guest() {
	holds "$1: its mapped page is reached" "$(value "$1" reached_mapped) == 1"
	for target in beside far guest; do
		holds "$1: $target" "$(value "$1" reached_$target) == $2"
	done
	holds "$1: guest memory reached" "$(value "$1" isolation_reached_bytes) == $3"
	for target in host other_vm other_group; do
		holds "$1: nothing of $target is reached" "$(value "$1" reached_$target) == 0"
	done
	holds "$1: the IOMMU reports what it blocked" "$(value "$1" isolation_faults) > 0"
}

edu() {
	guest static 1 "$memory"
	guest viommu-strict 0 0
	guest viommu-lazy 0 0
	guest coiommu 0 0
	holds "static: an unmapped page stays within reach" \
		"$(value static reached_unmapped) == 1 && $(value static isolation_stale_s) >= 3"
	holds "viommu-strict: an unmapped page is out of reach at once" \
		"$(value viommu-strict reached_unmapped) == 0 &&
		$(value viommu-strict isolation_closed_s) < 1"
	# Between one and two intervals of 500 ms, and the host's timers may be late.
	holds "coiommu: an unmapped page is reached until it is unpinned" \
		"$(value coiommu isolation_stale_s) > 0.2 && $(value coiommu isolation_closed_s) < 2.5"
}

if [ $# -eq 2 ]; then
	cells=4
	lazy=viommu-lazy
	edu
else
	cells=1
	lazy=$3
	guest "$lazy" 0 0
fi
holds "$lazy: an unmapped page is reached for some milliseconds" \
	"$(value "$lazy" isolation_stale_s) > 0 && $(value "$lazy" isolation_stale_s) < 1"
holds "every cell is ok" "$(cells_ok "$run") == $cells"
holds "the tries are kept" "$(cat "$run"/cells/*/0/attempts.csv | wc -l) >= $cells * 10"
exit $((failures > 0))
