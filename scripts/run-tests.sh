#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs cmocka test programs and adds up what they say. Usage: run-tests.sh PROGRAM...
set -u

passed=0
failed=0
for program; do
	log=$(mktemp)
	timeout 300 "$program" >"$log" 2>&1
	status=$?
	ok=$(grep -c '^\[       OK \]' "$log")
	# cmocka names a failed test twice: when it fails and in its summary.
	bad=$(grep '^\[  FAILED  \] [a-z]' "$log" | sort -u | wc -l)
	if [ "$status" -ne 0 ]; then
		cat "$log"
		[ "$bad" -gt 0 ] || bad=1
		echo "$(basename "$program"): exit status $status"
	elif [ "$ok" -eq 0 ]; then
		echo "$(basename "$program"): ran no test"
		bad=1
	fi
	passed=$((passed + ok))
	failed=$((failed + bad))
	rm -f "$log"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
