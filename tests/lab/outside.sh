#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Breaks runs from outside of the virtual lab, on the machine that it runs on. Prints one "ok"
# or "not ok" line a test. Usage: outside.sh IOMMUBENCH TESTS_DIR WORK_DIR
# shellcheck disable=SC2015 # "test && ok || bad" is meant: ok never fails
set -u

bench=$1
tests=$2
work=$3
failures=0
mkdir -p "$work"
. "$tests/lib.sh"

# Process ids of labs started by the harness with process id $1.
lab_of() { pgrep -f "build/lab/$1@" || true; }

gone() {
	tries=0
	while [ -n "$(lab_of "$2")" ] && [ $tries -lt 50 ]; do
		tries=$((tries + 1))
		sleep 0.2
	done
	[ -z "$(lab_of "$2")" ] && ok "$1" || bad "$1" "QEMU still runs"
}

start() {
	"$bench" run "$tests/safety.yaml" "$@" >"$work/log" 2>&1 &
	pid=$!
}

# await TEXT FILE: at most three minutes
await() {
	tries=0
	while ! grep -q -- "$1" "$2" 2>/dev/null && [ $tries -lt 360 ]; do
		tries=$((tries + 1))
		sleep 0.5
	done
}

# kill -9 of the harness: the lab goes with it; --resume takes up what it left
start --boots 2 --out "$work/killed"
await window_s "$work/killed/manifest.json"
kill -9 $pid
wait $pid 2>/dev/null
gone "kill -9: the lab does not survive the harness" $pid
"$bench" run --resume "$work/killed" --boots 2 >"$work/log" 2>&1
expect "kill -9: --resume finishes the run in a new lab" $? 0 "report:"
twice=$(cut -d, -f1,6,7 "$work/killed/samples.csv" | sort | uniq -d | wc -l)
[ "$twice" -eq 0 ] && ok "kill -9: no sample is there twice" ||
	bad "kill -9: no sample is there twice" "$twice are"
[ ! -e "$(dirname "$bench")/lab/$pid" ] && ok "kill -9: the next lab cleans up after the killed" ||
	bad "kill -9: the next lab cleans up after the killed" "its folder is still there"

# the lab itself dies
start --boots 1 --out "$work/lab-killed"
await "lab: up" "$work/log"
kill -9 "$(lab_of $pid | head -n 1)"
wait $pid
expect "a killed lab ends the run with 4 and its reason" $? 4 "the virtual lab has ended.*signal 9"

# the emulator crashes: another one goes on
start --boots 2 --out "$work/lab-crashed"
await window_s "$work/lab-crashed/manifest.json"
kill -ABRT "$(lab_of $pid | head -n 1)"
wait $pid
expect "a crashed lab is replaced, the run goes on" $? 0 "the virtual lab has crashed"
grep -q '"stalls": 1' "$work/lab-crashed/manifest.json" &&
	ok "a crashed lab is recorded" || bad "a crashed lab is recorded" "it is not"

# Ctrl-C
start --boots 2 --out "$work/interrupted"
await window_s "$work/interrupted/manifest.json"
kill -TERM $pid
wait $pid
expect "Ctrl-C ends the run with 130" $? 130 "interrupted"
gone "Ctrl-C leaves no lab" $pid
grep -q '"status": "partial"' "$work/interrupted/manifest.json" &&
	ok "Ctrl-C: the run is recorded as partial" ||
	bad "Ctrl-C: the run is recorded as partial" "it is not"

# too small a machine
sed 's/128MiB/8TiB/' "$tests/safety.yaml" >"$work/huge.yaml"
"$bench" run "$work/huge.yaml" --out "$work/huge" >"$work/log" 2>&1
expect "a guest larger than the machine is refused" $? 3 "guest.memory"

exit $((failures > 0))
