#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The replay command on made traces: counts, speed, memory, files, errors. Prints "ok NAME" or
# "not ok NAME: why" for each test. Usage: replay.sh BUILD; no root needed.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lab/lib.sh
. "$here/lab/lib.sh"
# shellcheck source=tests/lab/holds.sh
. "$here/lab/holds.sh"

build=${1:-build}
bench=$build/iommubench
make=$build/tests/make_trace
for program in "$bench" "$make"; do
	[ -x "$program" ] || { echo "$program is missing: make $program" >&2; exit 2; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# number FILE NAME: the first one of that name in JSON
number() { sed -n "s/.*\"$2\": \([0-9.e+-]*\).*/\1/p" "$1" | head -n 1; }
# replay OUT ARGUMENTS...
replay() {
	out=$work/$1
	shift
	"$bench" replay "$@" --json >"$out" 2>"$work/log"
}

"$make" "$work/short" 2000000 16384 && "$make" "$work/long" 20000000 16384 &&
	"$make" "$work/wide" 2000000 262144 || exit 2

replay short.json "$work/short" --policy coiommu --interval 100ms
replay long.json "$work/long" --policy coiommu --interval 100ms
replay wide.json "$work/wide" --policy coiommu --interval 100ms
holds "a trace of 20 million events is replayed whole" \
	"$(number "$work/long.json" maps) == 10000000 && $(number "$work/long.json" events) > 19999960"
holds "20 million events take a processor less than a second" \
	"$(number "$work/long.json" events_per_cpu_s) >= 20e6"
holds "a trace ten times as long takes as much memory" \
	"$(number "$work/long.json" max_rss_bytes) < 1.1 * $(number "$work/short.json" max_rss_bytes)"
holds "sixteen times as many pages take more" \
	"$(number "$work/wide.json" max_rss_bytes) > $(number "$work/short.json" max_rss_bytes) + 1000000"

replay matrix.json "$work/short" --unpin off,lru --interval 10ms,1s --quota 0,8MiB \
	--curves "$work/curves.csv" --locality "$work/locality.csv" --vms 1000
holds "lists are a matrix: eight of coiommu, two oracles, three others" \
	"$(grep -c '"window"' "$work/matrix.json") == 13"
holds "each has its curve" \
	"$(cut -d, -f2 "$work/curves.csv" | sort -u | wc -l) == 14"
holds "times until pages are used again are there" \
	"$(awk -F, 'NR > 1 { n += $3 } END { print n }' "$work/locality.csv") > 900000"
holds "a thousand VMs are a fleet" "$(number "$work/matrix.json" vms) == 1000"
"$make" "$work/quota" 2000 64 40
holds "the recorded quota has its oracle" \
	"$("$bench" replay "$work/quota" --policy oracle | grep -c '^oracle') == 2"
replay again.json "$work/short" --unpin off,lru --interval 10ms,1s --quota 0,8MiB --vms 1000
sed '/"fleet"/,/max_rss/!d; /max_rss/d' "$work/matrix.json" >"$work/fleet1"
sed '/"fleet"/,/max_rss/!d; /max_rss/d' "$work/again.json" >"$work/fleet2"
holds "the same seed gives the same fleet" "$(cmp -s "$work/fleet1" "$work/fleet2"; echo $?) == 0"

cat >"$work/costs.yaml" <<'END'
source: a test
request: 10us
pin_call: 1us
END
replay costs.json "$work/short" --policy coiommu --interval 1s --costs "$work/costs.yaml"
holds "costs make counts times" \
	"$(number "$work/costs.json" estimated_guest_s) == \
	$(number "$work/costs.json" requests) * 1e-5 + $(number "$work/costs.json" pin_calls) * 1e-6"
holds "what is not known stays unknown" \
	"$(grep -c '"s": null' "$work/costs.json") == 3"

"$bench" replay "$work/short" --costs /dev/null >/dev/null 2>"$work/log"
expect "empty costs are refused" $? 2 "costs"
echo "request: 1us" >"$work/costs.yaml"
"$bench" replay "$work/short" --costs "$work/costs.yaml" >/dev/null 2>"$work/log"
expect "costs say where they are from" $? 2 "add 'source"
for bytes in 100 100000; do
	head -c $bytes "$work/short" >"$work/cut"
	"$bench" replay "$work/cut" >/dev/null 2>"$work/log"
	expect "a trace that is cut short at $bytes bytes is refused" $? 2 "cut short"
done
"$bench" replay "$work/short" --policy coiommu >"$work/log" 2>&1
expect "a trace that is no recording is not called exact" $? 0 "no counts of a run"
"$bench" replay "$work/costs.yaml" >/dev/null 2>"$work/log"
expect "a file that is no trace is refused" $? 2 "to be a trace"
"$bench" replay "$work/none" >/dev/null 2>"$work/log"
expect "a file that is not there is named" $? 2 "none: No such file"
"$bench" replay "$work/short" --policy lazy >/dev/null 2>"$work/log"
expect "an unknown policy is refused" $? 2 "takes static, strict"
"$bench" replay "$work/short" --policy , >/dev/null 2>"$work/log"
expect "no policy is refused" $? 2 "which policies"
mkfifo "$work/pipe"
timeout 5 "$bench" replay "$work/pipe" >/dev/null 2>"$work/log"
expect "a pipe is no trace" $? 2 "pipe: "
timeout -s INT 0.1 "$bench" replay "$work/long" "$work/long" "$work/long" >/dev/null 2>"$work/log"
holds "an interrupt ends it" "$? == 124"
"$bench" replay "$work/short" --range 3 >/dev/null 2>"$work/log"
expect "a range of 3 pages is refused" $? 2 "powers of two"
"$bench" replay "$work/short" --interval soon >/dev/null 2>"$work/log"
expect "an interval that is no time is refused" $? 2 "interval"
"$bench" replay --help >"$work/log"
expect "there is help" $? 0 "usage: iommubench replay"
exit $((failures > 0))
