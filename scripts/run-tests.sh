#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs cmocka test programs, as many at a time as there are CPUs, and adds up what they say.
# Usage: run-tests.sh PROGRAM...
set -u

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
# shellcheck disable=SC2016 # the inner shell expands it
printf '%s\n' "$@" | LOGS=$logs xargs -P "$(nproc 2>/dev/null || echo 2)" -n 1 sh -c '
	timeout 300 "$0" >"$LOGS/$(basename "$0")" 2>&1
	echo "$?" >"$LOGS/$(basename "$0").status"'

passed=0
failed=0
for program; do
	name=$(basename "$program")
	log=$logs/$name
	status=$(cat "$log.status" 2>/dev/null || echo unknown)
	ok=$(grep -c '^\[       OK \]' "$log")
	# cmocka names a failed test twice: when it fails and in its summary.
	bad=$(grep '^\[  FAILED  \] [a-z]' "$log" | sort -u | wc -l)
	if [ "$status" != 0 ]; then
		cat "$log"
		[ "$bad" -gt 0 ] || bad=1
		echo "$name: exit status $status"
	elif [ "$ok" -eq 0 ]; then
		echo "$name: ran no test"
		bad=1
	fi
	passed=$((passed + ok))
	failed=$((failed + bad))
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
