#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Checks the results of tests/lab/creation.yaml, guests of two sizes: how creation grows with
# memory, in emulated instructions, which a busy machine changes least. Intervals take more boots.
# Usage: creation.sh RUN_DIR
set -u

run=$1
failures=0
. "${0%/*}/holds.sh"

# slope MODE FIGURE: as the report has it
slope() {
	awk -v series="<tr data-series=\"$1\">" -v of="data-of=\"$2\" value=\"" '
		/data-x=/ { on = index($0, "data-metric=\"lab_create_instructions\"") }
		on && index($0, series) {
			at = index($0, of)
			if (at)
				print substr($0, at + length(of)) + 0
			exit
		}' "$run/report.html"
}

holds "every boot is ok" "$(cells_ok "$run") == 6"
holds "static: each page of 4 KiB more costs a thousand instructions or more" \
	"$(slope static slope) > 1000 * 262144"
holds "static-hugetlb: less" "$(slope static-hugetlb slope) < $(slope static slope)"
holds "coiommu: hardly at all" "$(slope coiommu slope) < $(slope static slope) / 5"
exit $((failures > 0))
