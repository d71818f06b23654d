#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs a libFuzzer program for some seconds, always from the same seed and without a corpus.
# An input that makes it fail stays in DIR. Fewer inputs a second than RATE (100) are a failure,
# too: hardly anything was tried. Usage: run-fuzz.sh PROGRAM SECONDS DIR [RATE]
set -u

program=$1
seconds=$2
dir=$3
least=${4:-100}
rm -rf "$dir/corpus"
rm -f "$dir"/crash-* "$dir"/leak-* "$dir"/oom-* "$dir"/timeout-* "$dir"/slow-unit-*
mkdir -p "$dir/corpus" || exit 1
timeout -k 10 $((seconds + 300)) "$program" -seed=1 -max_total_time="$seconds" -max_len=512 \
	-timeout=60 -print_final_stats=1 -artifact_prefix="$dir/" "$dir/corpus" >"$dir/log" 2>&1
status=$?
inputs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$dir/log")
rate=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$dir/log")
echo "$(basename "$program"): ${inputs:-0} inputs, ${rate:-0} a second"
if [ "$status" -eq 0 ] && [ "${inputs:-0}" -ge $((seconds * least)) ]; then
	echo "1 passed, 0 failed"
	exit 0
fi
sed -n '/ERROR: \|runtime error:\|not true:/,$p' "$dir/log" | head -n 60
echo "$(basename "$program"): exit status $status, inputs and log are in $dir"
echo "0 passed, 1 failed"
exit 1
