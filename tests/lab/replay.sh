#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Checks the recordings of tests/lab/replay.yaml: a replay with the recorded settings counts what
# the run's metrics counted, exactly. Usage: replay.sh BENCH RUN_DIR
set -u

bench=$1
run=$2
failures=0
# shellcheck source=tests/lab/holds.sh
. "${0%/*}/holds.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# window NAME: of the only policy in the JSON
window() { sed -n "/\"window\"/,/}/s/.*\"$1\": \([0-9]*\).*/\1/p" "$work/json"; }
number() { sed -n "s/.*\"$1\": \([0-9.e+-]*\).*/\1/p" "$work/json" | head -n 1; }

holds "every cell is ok" "$(cells_ok "$run") == 2"
for trace in "$run"/cells/*/0/trace.coit; do
	cell=${trace%/0/trace.coit}
	cell=${cell##*/}
	name=$(echo "$cell" | cut -d. -f3)
	"$bench" replay "$trace" --policy coiommu --json >"$work/json"
	holds "$name: the replay says it is exact" "$? == 0 && $(grep -c '"exact": true' "$work/json") == 1"
	# name of the metric, name of the count
	while read -r metric count; do
		holds "$name: $count are those of the run" \
			"$(window "$count") == $(sample "$cell" "$metric")"
	done <<-END
		dma_maps maps
		pin_requests requests
		pins pins
		unpins unpins
		pin_refusals refusals
		pin_evictions evictions
	END
	# fio's pages may be busy all the time on a fast machine; dmamap's are more than the quota
	few=10
	[ "$name" = dmamap ] || few=-1
	holds "$name: something happened" "$(window maps) > 100 && $(window pins) > $few"
	# A look at a page and the page's use at the same moment: on a slow machine moments are long.
	holds "$name: few looks were raced" "$(number raced_looks) <= 0.25 * $(number looks)"
	holds "$name: the mappings foretell the requests" \
		"$(number foretold_requests) >= 0.99 * $(number requests) &&
		$(number foretold_requests) <= 1.01 * $(number requests)"
	holds "$name: pages that are used again are counted" "$(sample "$cell" pages_reused) > 100 &&
		$(sample "$cell" pages_reused) == $(tail -n 1 "${trace%/*}/reuse.csv" | cut -d, -f2)"
	"$bench" replay "$trace" --json >"$work/json"
	holds "$name: every policy can be replayed" "$? == 0 && $(grep -c '"window"' "$work/json") == 6"
	head -c 20000 "$trace" >"$work/cut"
	"$bench" replay "$work/cut" 2>/dev/null >&2
	holds "$name: a recording cut short is refused" "$? == 2"
done
exit $((failures > 0))
