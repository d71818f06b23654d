#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# For scripts that check the results in $run: counts in $failures.
# shellcheck disable=SC2154 # run is the caller's

# sample ID METRIC: of the cell's first boot
sample() {
	awk -F, -v id="$1" -v metric="$2" \
		'$1 == id && $7 == metric { print $10; exit }' "$run/samples.csv"
}

# cells_ok RUN: how many cells are ok (boots and the preflight's items are further in)
cells_ok() { grep -c '^      "status": "ok"' "$1/manifest.json"; }

# holds NAME EXPRESSION: an awk expression of numbers; a missing one makes it fail
holds() {
	if [ "$(awk "BEGIN { print ($2) ? 1 : 0 }" 2>/dev/null)" = 1 ]; then
		echo "ok $1"
	else
		echo "not ok $1: $2"
		failures=$((failures + 1))
	fi
}
