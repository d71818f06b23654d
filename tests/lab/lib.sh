#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# For scripts that break things: one "ok" or "not ok" line a test, with the end of $work/log.
# Counts in $failures.
# shellcheck disable=SC2154 # work is the caller's

ok() { echo "ok $1"; }
bad() {
	echo "not ok $1: $2"
	failures=$((failures + 1))
	tail -n 15 "$work/log" 2>/dev/null | sed 's/^/# /'
}

# cells_ok RUN: how many cells are ok (boots and the preflight's items are further in)
cells_ok() { grep -c '^      "status": "ok"' "$1/manifest.json"; }

# expect NAME STATUS WANTED_STATUS WANTED_TEXT
expect() {
	if [ "$2" -ne "$3" ]; then
		bad "$1" "exit status $2, not $3"
	elif ! grep -q -- "$4" "$work/log"; then
		bad "$1" "no message with '$4'"
	else
		ok "$1"
	fi
}
