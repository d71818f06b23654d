#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# For scripts that check a run's results: counts in $failures.

# holds NAME EXPRESSION: an awk expression of numbers; a missing one makes it fail
holds() {
	if [ "$(awk "BEGIN { print ($2) ? 1 : 0 }" 2>/dev/null)" = 1 ]; then
		echo "ok $1"
	else
		echo "not ok $1: $2"
		failures=$((failures + 1))
	fi
}
