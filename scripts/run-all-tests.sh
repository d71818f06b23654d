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
add_units make -j "$(nproc)" --no-print-directory check
step "unit tests with AddressSanitizer and UndefinedBehaviorSanitizer"
add_units make -j "$(nproc)" --no-print-directory SAN=1 check
step "the protocol with ThreadSanitizer"
add_units make -j "$(nproc)" --no-print-directory coiommu-tsan
step "fuzzing of the requests"
add_units make -j "$(nproc)" --no-print-directory coiommu-fuzz
step "fuzzing of what reads results"
add_units make -j "$(nproc)" --no-print-directory results-fuzz
step "the memcached load generator on the loopback"
add_lines 37 timeout 180 tests/load.sh build
step "the nightly script"
add_lines 60 timeout 300 tests/nightly.sh
step "replays of made traces"
add_lines 23 timeout 180 tests/replay.sh build
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
add_lines 45 tests/lab/results.sh "$out/run" $((256 << 20))
step "its exports and those of harmful results, read by the formats' own readers"
add_lines 8 tests/export.py "$bench" "$out/run"
step "the other modes, in the virtual lab"
timeout 900 "$bench" run tests/lab/modes.yaml --out "$out/modes" || echo "exit status $?"
newer=0
[ ! -e build/images-newer/guest.erofs ] || newer=1
add_lines $((50 + 3 * newer)) tests/lab/modes.sh "$out/modes" $((256 << 20)) $newer
step "every network workload, in the virtual lab"
timeout 900 "$bench" run tests/lab/network.yaml --out "$out/network" || echo "exit status $?"
add_lines 44 tests/lab/network.sh "$out/network" $((256 << 20))
step "a GPU and its display, in the virtual lab"
timeout 900 "$bench" run tests/lab/gpu.yaml --out "$out/gpu" || echo "exit status $?"
add_lines 45 tests/lab/gpu.sh "$out/gpu" $((256 << 20))
step "a rogue device, in the virtual lab"
timeout 600 "$bench" run tests/lab/isolation.yaml --out "$out/isolation" || echo "exit status $?"
add_lines 42 tests/lab/isolation.sh "$out/isolation" $((256 << 20))
drive=viommu-lazy
[ "$newer" -eq 0 ] || drive=virtio-iommu
timeout 600 "$bench" run tests/lab/isolation-drive.yaml --only "$drive.*" --out "$out/drive" ||
	echo "exit status $?"
add_lines 12 tests/lab/isolation.sh "$out/drive" $((256 << 20)) "$drive"
step "a series: coIOMMU under strain, and recorded"
timeout 1200 "$bench" run tests/lab/series.yaml --out "$out/series" || echo "exit status $?"
add_lines 5 tests/lab/series.sh "$bench" "$out/series"
add_lines 20 tests/lab/strain.sh "$out/series/coiommu-strain"
step "more VMs than memory"
timeout 900 "$bench" run tests/lab/overcommit.yaml --out "$out/overcommit" || echo "exit status $?"
add_lines 9 tests/lab/overcommit.sh "$out/overcommit"
step "creation time against memory"
timeout 900 "$bench" run tests/lab/creation.yaml --out "$out/creation" || echo "exit status $?"
add_lines 4 tests/lab/creation.sh "$out/creation"
step "a run split over hosts by Slurm, one of which is lost"
add_lines 21 timeout 900 tests/lab/fleet.sh "$bench" tests/lab "$out/fleet"
step "every figure of the reports, computed again from the samples"
for run in run network gpu isolation creation series/coiommu-strain series/replay; do
	add_lines 1 build/tests/test_report_figures "$out/$run"
done
step "the report in a browser"
if command -v chromium >/dev/null 2>&1; then
	add_lines 27 timeout 300 tests/browser.sh "$out/run/report.html" "$out/network/report.html" \
		"$out/gpu/report.html"
else
	tests/browser.sh # says that it is skipped
fi
step "what coIOMMU recorded, replayed"
add_lines 27 tests/lab/replay.sh "$bench" "$out/series/replay"
step "coIOMMU: the driver's life, negative controls, memory pressure"
in_lab 27 900 --cpus 2 sh "$(pwd)/tests/lab/coiommu.sh" "$(pwd)/build" "$(pwd)/tests/lab"
step "accidents, in the virtual lab"
in_lab 46 1200 sh "$(pwd)/tests/lab/inside.sh" "$bench" "$(pwd)/tests/lab"
step "accidents of the NIC and its peer"
in_lab 36 1500 sh "$(pwd)/tests/lab/cable.sh" "$bench" "$(pwd)/tests/lab"
step "virtual functions of a drive, in the virtual lab"
in_lab 22 600 sh "$(pwd)/tests/lab/sriov.sh" "$bench" "$(pwd)/tests/lab"
step "accidents of the lab itself"
add_lines 13 timeout 1500 tests/lab/outside.sh "$bench" "$(pwd)/tests/lab" "$out/outside"
step "two modes against each other, in turns"
add_lines 13 timeout 900 tests/lab/ab.sh "$bench" "$(pwd)/tests/lab" "$out/ab"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
