#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Checks the results of tests/lab/overcommit.yaml: two VMs of 192 MiB in 300 MiB.
# Usage: overcommit.sh RUN_DIR
set -u

run=$1
failures=0

# value MODE METRIC
value() { sample "$1.nvme.overcommit" "$2"; }
. "${0%/*}/holds.sh"

guest=$((192 << 20))
for mode in static coiommu; do
	holds "$mode: all data reads back right" "$(value $mode verify_errors) == 0"
	holds "$mode: no VM that came up is killed" "$(value $mode vms_killed) == 0"
	holds "$mode: the limit holds" "$(value $mode vms_memory_peak_bytes) <= 300 * 1048576"
done
holds "static: as many VMs as fit with all of their memory" \
	"$(value static vms_started) == 1 && $(value static vms_pinned_bytes) == $guest"
holds "coiommu: all VMs come up, almost nothing is pinned" \
	"$(value coiommu vms_started) == 2 && $(value coiommu vms_pinned_bytes) < $guest / 10"
holds "coiommu: what does not fit is reclaimed" "$(value coiommu vms_swapped_bytes) > 0"
exit $((failures > 0))
