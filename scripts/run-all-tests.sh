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

# add_lines LINES COMMAND...: adds up "ok" and "not ok" lines. A command that fails or prints
# fewer than LINES of them has at least one failure.
add_lines() {
	lines=$1
	shift
	"$@" >"$log" 2>&1
	status=$?
	grep -av '^ok ' "$log"
	ok=$(grep -ac '^ok ' "$log")
	not=$(grep -ac '^not ok ' "$log")
	made=$((ok + not))
	[ "$status" -eq 0 ] || [ "$not" -gt 0 ] || not=1
	if [ "$made" -lt "$lines" ]; then
		echo "only $made of $lines tests were made"
		[ "$not" -gt 0 ] || not=1
	fi
	passed=$((passed + ok))
	failed=$((failed + not))
	echo "$ok passed, $not failed"
}

show_lab() {
	cat "$out/lab"
	return "$lab_status"
}

# in_lab LINES LIMIT_S [--cpus N] COMMAND...: add_lines in the virtual lab. An emulated machine
# stalls or crashes now and then (iommubench run replaces it and goes on); a script is begun anew,
# once.
in_lab() {
	lines=$1
	limit=$2
	shift 2
	timeout "$limit" "$bench" lab "$@" >"$out/lab" 2>&1
	status=$?
	if grep -aEq 'the virtual lab has (stalled|crashed)' "$out/lab"; then
		echo "the lab was lost, the script is begun anew; so far:"
		cat "$out/lab"
		timeout "$limit" "$bench" lab "$@" >"$out/lab" 2>&1
		status=$?
	fi
	lab_status=$status
	add_lines "$lines" show_lab
}

step() { echo "== $* ($(date -u +%H:%M:%S))"; }

step "unit tests"
add_units make --no-print-directory check
step "unit tests with AddressSanitizer and UndefinedBehaviorSanitizer"
add_units make --no-print-directory SAN=1 check
step "the protocol with ThreadSanitizer"
add_units make --no-print-directory coiommu-tsan
step "fuzzing of the requests"
add_units make --no-print-directory coiommu-fuzz
step "the memcached load generator on the loopback"
add_lines 37 timeout 180 tests/load.sh build
step "the packet benchmark between two network namespaces"
if ip netns add "probe-$$" 2>/dev/null && ip -n "probe-$$" link add probe0 type veth peer name probe1; then
	add_lines 47 timeout 180 tests/pkt.sh
else
	echo "skipped: this machine makes no network namespaces or veth pairs; the lab's tests follow"
fi
ip netns del "probe-$$" 2>/dev/null
step "a small experiment in the virtual lab"
timeout 900 "$bench" run tests/lab/experiment.yaml --out "$out/run" ||
	echo "exit status $?"
add_lines 43 tests/lab/results.sh "$out/run" $((256 << 20))
step "every network workload, in the virtual lab"
timeout 900 "$bench" run tests/lab/network.yaml --out "$out/network" || echo "exit status $?"
add_lines 44 tests/lab/network.sh "$out/network" $((256 << 20))
step "coIOMMU under strain"
timeout 600 "$bench" run tests/lab/coiommu.yaml --out "$out/strain" || echo "exit status $?"
add_lines 20 tests/lab/strain.sh "$out/strain"
step "more VMs than memory"
timeout 900 "$bench" run tests/lab/overcommit.yaml --out "$out/overcommit" || echo "exit status $?"
add_lines 9 tests/lab/overcommit.sh "$out/overcommit"
step "coIOMMU: the driver's life, negative controls, memory pressure"
in_lab 27 900 --cpus 2 sh "$(pwd)/tests/lab/coiommu.sh" "$(pwd)/build" "$(pwd)/tests/lab"
step "accidents, in the virtual lab"
in_lab 23 1200 sh "$(pwd)/tests/lab/inside.sh" "$bench" "$(pwd)/tests/lab"
step "accidents of the NIC and its peer"
in_lab 36 1500 sh "$(pwd)/tests/lab/cable.sh" "$bench" "$(pwd)/tests/lab"
step "accidents of the lab itself"
add_lines 11 timeout 1500 tests/lab/outside.sh "$bench" "$(pwd)/tests/lab" "$out/outside"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
