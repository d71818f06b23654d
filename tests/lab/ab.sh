#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Two modes against each other in the virtual lab, interrupted and taken up again. Prints one "ok"
# or "not ok" line a test. Usage: ab.sh IOMMUBENCH TESTS_DIR WORK_DIR
# shellcheck disable=SC2015 # "test && ok || bad" is meant: ok never fails
set -u

bench=$1
tests=$2
work=$3
failures=0
mkdir -p "$work"
. "$tests/lib.sh"

# Nobody's own noise floors.
XDG_STATE_HOME=$work/state
export XDG_STATE_HOME

# same NAME A B
same() { [ "$2" = "$3" ] && ok "$1" || bad "$1" "'$2', not '$3'"; }

# numbers SIDE KEY: the values of a key in a side's manifest, in order of the file
numbers() { sed -n "s/^ *\"$2\": \([0-9]*\),*$/\1/p" "$work/run/$1/manifest.json" | xargs; }

"$bench" run "$tests/ab-a.yaml" --ab "$tests/ab-b.yaml" --max-boots 2 --out "$work/run" \
	>"$work/log" 2>&1 &
pid=$!
tries=0
while ! grep -q window_s "$work/run/a/manifest.json" 2>/dev/null && [ $tries -lt 1200 ]; do
	tries=$((tries + 1))
	sleep 0.5
done
kill -TERM $pid
wait $pid
expect "Ctrl-C ends both with 130" $? 130 "run --resume $work/run"
for side in a b; do
	grep -q '"status": "partial"' "$work/run/$side/manifest.json" &&
		ok "Ctrl-C: $side is recorded as partial" ||
		bad "Ctrl-C: $side is recorded as partial" "it is not"
done

"$bench" run --resume "$work/run" >"$work/log" 2>&1
expect "--resume: too few boots for a verdict are inconclusive, and it says why it stopped" $? 5 \
	"^stopped: --max-boots are reached: .* inconclusive, with 2 boots a side at most"
expect "the modes are compared with each other" 5 5 \
	"static.nvme.boot | viommu-strict.nvme.boot .* 2/2, needs 6"
for side in a b; do
	grep -q '"status": "complete"' "$work/run/$side/manifest.json" &&
		[ -s "$work/run/$side/report.html" ] &&
		ok "$side is a complete run with a report" ||
		bad "$side is a complete run with a report" "it is not"
	same "$side has two boots" "$(numbers $side boot)" "0 1"
	why=$(sed -n 's/^ *"why": "\(.*\)".*$/\1/p' "$work/run/$side/manifest.json" | xargs)
	same "$side was warmed up in both labs" "$why" "the run begins the run goes on"
done
# Warm-ups 0 and 1; then A, B, B, A, of which the first was before the interruption. What was
# interrupted may have used numbers of its own.
order=$(for side in a b; do
	sed -n '/"cells": \[/,/"warmups": \[/p' "$work/run/$side/manifest.json" |
		sed -n "s/^ *\"sequence\": \([0-9]*\),*$/\1 $side/p"
done | sort -n | cut -d' ' -f2 | xargs)
same "boots took turns" "$order" "a b b a"
"$bench" compare "$work/run/a" "$work/run/b" >"$work/log" 2>&1
expect "compare says the same of the two runs" $? 5 "run in turns, in one session"
"$bench" run "$tests/ab-a.yaml" --ab "$tests/ab-b.yaml" --out "$work/run" >"$work/log" 2>&1
expect "a session is not overwritten" $? 2 "holds a run already"

exit $((failures > 0))
