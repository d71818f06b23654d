#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A run split over hosts by a Slurm of one machine, with the virtual lab as the host of each shard,
# one at a time. The host is lost in the middle of the first. Prints one "ok" or "not ok" line a
# test. Usage: fleet.sh IOMMUBENCH TESTS_DIR WORK_DIR; as root
# shellcheck disable=SC2015,SC2317 # "test && ok || bad" is meant: ok never fails
set -u

bench=$1
tests=$(cd "$2" && pwd)
mkdir -p "$3"
work=$(cd "$3" && pwd)
root=$(cd "$tests/../.." && pwd)
failures=0
. "$tests/lib.sh"
. "$tests/slurm.sh"
trap 'slurm_stop' EXIT
trap 'exit 130' INT TERM

one=$work/results/shards/night/shard-1-of-2
two=$work/results/shards/night/shard-2-of-2

# await SECONDS COMMAND...: until it succeeds
await() {
	limit=$(($(date +%s) + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt $limit ] || return 1
		sleep 0.5
	done
}
# The harness of shard one, by the folder that only it has.
harness_of_one() { pgrep -o -f "^$bench run .*$one"; }
first_boot_done() { [ "$(grep -c window_s "$one/manifest.json")" -ge 1 ]; }
state_of() { squeue -h -a -r -o '%i %T' | grep "^${1}_1 "; }
requeued() { state_of "$job" | grep -q PENDING; }
all_ended() { [ -z "$(squeue -h -a)" ]; }
holds() { [ "$2" -eq "$3" ] && ok "$1" || bad "$1" "$2, not $3"; }

slurm_start >"$work/log" 2>&1 || { tail -n 3 "$work"/slurm/*.out "$work"/slurm/*.log; exit 1; }

cd "$work" || exit 1
IOMMUBENCH=$bench RESULTS=$work/results RUN_ID=night "$root/scripts/fleet/submit" \
	"$tests/fleet.yaml" 9 --where lab >"$work/log" 2>&1
expect "more shards than groups are refused before anything is submitted" $? 2 "at most 2 shards"
IOMMUBENCH=$bench RESULTS=$work/results RUN_ID=night "$root/scripts/fleet/submit" \
	"$tests/fleet.yaml" 2%1 --where lab >"$work/log" 2>&1
expect "two shards are submitted" $? 0 "run night: job [0-9]*, 2 shards"
job=$(sed -n 's/^run night: job \([0-9]*\),.*/\1/p' "$work/log")

# The power of the host fails: everything on it is gone at once, and nobody reports it.
if ! await 180 first_boot_done; then
	bad "the first shard runs" "no boot: $(squeue -h -a)"
	cat "$work"/results/shards/night/*.log
	exit 1
fi
ok "the first shard runs"
harness=$(harness_of_one)
step=$(ps -o ppid= -p "$harness" | tr -d ' ')
# shellcheck disable=SC2086 # either may be nothing
kill -9 "$slurmd" $step $harness
wait "$slurmd" 2>/dev/null
slurmd=
cp "$one/samples.csv" "$work/lost.csv"
grep -q '^  "status": "running"' "$one/manifest.json" &&
	ok "a lost host leaves its shard as it was" ||
	bad "a lost host leaves its shard as it was" "$(grep '^  "status"' "$one/manifest.json")"
scontrol update NodeName=lab-host State=DOWN Reason=lost
await 30 requeued && ok "Slurm takes up the shard of a lost host" ||
	bad "Slurm takes up the shard of a lost host" "$(state_of "$job")"

# What there is can be merged and looked at meanwhile.
"$bench" merge --out "$work/early" "$one" >"$work/log" 2>&1
expect "a merge names what is missing" $? 4 "shard 2 of 2 is missing"
grep -q '"reason": "shard 2 of 2 is missing"' "$work/early/manifest.json" &&
	grep -q '"status": "partial"' "$work/early/manifest.json" &&
	ok "cells of a missing shard have that reason" ||
	bad "cells of a missing shard have that reason" "they have not"

slurm_start_host
scontrol update NodeName=lab-host State=RESUME
# Slurm gives a host two minutes before it sends a job there again.
scontrol update JobId="${job}_1" StartTime=now
await 400 all_ended && ok "all jobs end" || bad "all jobs end" "$(squeue -h -a)"

cp "$work/results/shards/night/shard-1.log" "$work/log"
expect "the lost shard was resumed" $? 0 "going on, attempt 2"
cp "$work/results/shards/night/merge.log" "$work/log"
expect "the shards were merged when all had ended" $? 0 "report: "
run=$work/results/night
grep -q '^  "status": "complete"' "$run/manifest.json" && ok "the run is complete" ||
	bad "the run is complete" "$(grep '^  "status"' "$run/manifest.json")"
holds "every cell of both shards is ok" "$(cells_ok "$run")" 4
holds "every boot is there, once" "$(grep -c window_s "$run/manifest.json")" 4
holds "no sample is there twice" \
	"$(cut -d, -f1,6,7 "$run/samples.csv" | sort | uniq -d | wc -l)" 0
sort "$one/samples.csv" >"$work/parts.one"
cat "$one/samples.csv" "$two/samples.csv" | grep -v ^cell, | sort >"$work/parts"
grep -v ^cell, "$run/samples.csv" | sort | cmp -s - "$work/parts" &&
	ok "the samples are those of the shards" ||
	bad "the samples are those of the shards" "they differ"
# What was measured before the loss was not measured again.
missing=$(sort "$work/lost.csv" | comm -23 - "$work/parts.one" | grep -vc ^cell,)
holds "the boots from before the loss were kept" "$missing" 0
holds "modes that are compared were on one host" \
	"$(cut -d, -f1,3 "$one/samples.csv" | grep -v ^cell | cut -d, -f2 | sort -u | wc -l)" 1
"$bench" report "$run" >"$work/log" 2>&1
expect "report works on the merged run" $? 0 "coiommu"
"$bench" compare "$run" "$run" --all >"$work/log" 2>&1
expect "compare works on the merged run" $? 5 "inconclusive"
"$bench" merge --out "$work/twice" "$one" "$one" >"$work/log" 2>&1
expect "a shard is not merged twice" $? 2 "are both shard 1 of 2"
slurm_stop
trap - EXIT
[ -z "$(pgrep -f "$work/slurm")" ] && ok "nothing of Slurm is left" ||
	bad "nothing of Slurm is left" "$(pgrep -af "$work/slurm")"
exit $((failures > 0))
