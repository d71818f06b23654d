#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Every test there is: those of `make check`, the same with sanitizers, and a small real
# experiment with its accidents in the virtual lab. Prints how many passed and failed last.
set -u

bench=$(pwd)/build/iommubench
out=$(mktemp -d)
log=$out/log
trap 'rm -rf "$out"' EXIT

passed=0
failed=0

# Adds up "N passed, M failed" of the last line printed.
add_units() {
	"$@" >"$log" 2>&1
	status=$?
	counts=$(tail -n 1 "$log" | sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p')
	if [ -z "$counts" ]; then
		cat "$log"
		failed=$((failed + 1))
		return
	fi
	[ "$status" -eq 0 ] || cat "$log"
	passed=$((passed + ${counts% *}))
	failed=$((failed + ${counts#* }))
	echo "$*: $counts (passed, failed)"
}

# Adds up "ok" and "not ok" lines; a failure without one counts as well.
add_lines() {
	"$@" >"$log" 2>&1
	status=$?
	grep -av '^ok ' "$log"
	ok=$(grep -ac '^ok ' "$log")
	not=$(grep -ac '^not ok ' "$log")
	[ "$status" -eq 0 ] || [ "$not" -gt 0 ] || not=1
	[ "$ok" -gt 0 ] || not=$((not + 1))
	passed=$((passed + ok))
	failed=$((failed + not))
	echo "$ok passed, $not failed"
}

step() { echo "== $* ($(date -u +%H:%M:%S))"; }

step "unit tests"
add_units make --no-print-directory check
step "unit tests with AddressSanitizer and UndefinedBehaviorSanitizer"
add_units make --no-print-directory SAN=1 check
step "a small experiment in the virtual lab"
timeout 900 "$bench" run tests/lab/experiment.yaml --out "$out/run" ||
	echo "exit status $?"
add_lines tests/lab/results.sh "$out/run" $((256 << 20))
step "accidents, in the virtual lab"
add_lines timeout 1200 "$bench" lab sh "$(pwd)/tests/lab/inside.sh" "$bench" \
	"$(pwd)/tests/lab"
step "accidents of the lab itself"
add_lines timeout 1200 tests/lab/outside.sh "$bench" "$(pwd)/tests/lab" "$out/outside"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
