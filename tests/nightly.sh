#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Every way in which scripts/nightly can end, with a stand-in for iommubench; and the examples of
# services. Prints one "ok" or "not ok" line a test. Usage: nightly.sh, in the tree's top folder
# shellcheck disable=SC2015 # "test && ok || bad" is meant: ok never fails
set -u

root=$(pwd)
work=$(mktemp -d)
failures=0
. "${0%/*}/lab/lib.sh"
trap 'rm -rf "$work"' EXIT

STAND_IN=$work/stand-in
IOMMUBENCH=$root/tests/stand_in.sh
NIGHTLY_LOCK=$work/lock
export STAND_IN IOMMUBENCH NIGHTLY_LOCK
history=$work/history

# says COMMAND STATUS: what the stand-in does next
says() { echo "exit $2" >"$STAND_IN/$1"; }
fresh() {
	rm -rf "$history" "$STAND_IN"
	mkdir -p "$STAND_IN"
	echo complete >"$STAND_IN/status"
}
nightly() { scripts/nightly configs/quick.yaml --history "$history" "$@" >"$work/log" 2>&1; }
# night NAME STATUS TEXT [OPTION...]: it ends so, and the summary says so first
night() {
	name=$1 status=$2 text=$3
	shift 3
	nightly "$@"
	expect "$name" $? "$status" "nightly: $text"
	head -n 1 "$history/summary.txt" | grep -q -- "^iommubench nightly on .*: $text" &&
		ok "$name, in the summary" ||
		bad "$name, in the summary" "$(head -n 1 "$history/summary.txt")"
}
called() { grep -q -- "^$2" "$STAND_IN/calls" && ok "$1" || bad "$1" "$(cat "$STAND_IN/calls")"; }
not_called() {
	grep -q -- "^$2" "$STAND_IN/calls" 2>/dev/null && bad "$1" "$(cat "$STAND_IN/calls")" || ok "$1"
}

fresh
echo 'echo "read_iops of static.nvme.fio"; exit 1' >"$STAND_IN/trend"
night "a regression" 1 "REGRESSION$"
grep -q 'read_iops of static.nvme.fio' "$history/summary.txt" &&
	ok "the summary has what the trend says" || bad "the summary has what the trend says" "not"
called "the run goes to a folder of its own" "run configs/quick.yaml --out $history/quick-2[0-9-]*$"
called "the trend judges the history" "trend $history --junit $history/quick-2[0-9-]*/trend.xml$"
[ "$(grep -n '^trend' "$STAND_IN/calls" | cut -d: -f1)" -eq "$(wc -l <"$STAND_IN/calls")" ] &&
	ok "the trend comes last" || bad "the trend comes last" "$(cat "$STAND_IN/calls")"

fresh
night "no change" 0 "no change"
fresh
says trend 5
night "too few nights" 5 "too few nights"
fresh
says trend 2
night "a broken history is a failure of the tool" 4 "TOOL FAILURE: the trend ended with status 2"
fresh
says trend 139
night "a crash of the trend is one, too" 4 "TOOL FAILURE: the trend ended with status 139"
fresh
says trend 130
night "interrupted in the trend" 130 "INTERRUPTED"

fresh
says run 4
night "failed cells without a regression" 4 "TOOL FAILURE: some cells failed"
called "cells that are ok are judged" trend
fresh
says run 4
says trend 1
night "failed cells beside a regression" 1 "REGRESSION; some cells failed"

# What did not complete is not judged by the night before.
fresh
says run 4
says trend 1
echo partial >"$STAND_IN/status"
night "a run that did not complete" 4 "TOOL FAILURE: the run did not complete"
not_called "it is not judged" trend
fresh
says run 4
says trend 1
rm "$STAND_IN/status"
night "a run without a manifest" 4 "TOOL FAILURE: the run did not complete"
not_called "it is not judged, either" trend
fresh
says run 139
says trend 1
night "a crash of the run" 4 "TOOL FAILURE: the run ended with status 139"
not_called "a crashed run is not judged" trend
fresh
says run 2
night "a wrong configuration" 2 "NOT RUN: the configuration is wrong"
fresh
says run 3
night "a host that cannot" 3 "NOT RUN: this host cannot run it"
fresh
says run 130
night "interrupted" 130 "INTERRUPTED: 'iommubench run --resume $history/quick-"

# leftovers
fresh
echo "kernel: x" >"$work/host.yaml"
says restore 4
night "leftovers that cannot be undone" 3 "NOT RUN: what an earlier run left" --host "$work/host.yaml"
not_called "nothing is measured then" run
fresh
night "a host is named" 0 "no change" --host="$work/host.yaml"
called "the run has the host" "run configs/quick.yaml --host $work/host.yaml --out"
[ "$(head -n 1 "$STAND_IN/calls")" = restore ] && ok "leftovers are undone first" ||
	bad "leftovers are undone first" "$(cat "$STAND_IN/calls")"

# the history grows, nothing goes
fresh
night "a first night" 0 "no change"
sleep 1
night "a second night" 0 "no change"
[ "$(find "$history" -name manifest.json | wc -l)" -eq 2 ] && ok "both nights are kept" ||
	bad "both nights are kept" "$(ls "$history")"

# usage
for wrong in "--host" "--history=" "--nonsense" "a.yaml b.yaml"; do
	# shellcheck disable=SC2086 # words
	scripts/nightly $wrong >"$work/log" 2>&1
	expect "usage: $wrong" $? 2 "usage: scripts/nightly"
done
scripts/nightly "$work/none.yaml" --history "$history" >"$work/log" 2>&1
expect "a configuration that is not there" $? 2 "none.yaml cannot be read"
nightly --host "$work/none.yaml"
expect "a host file that is not there" $? 2 "none.yaml cannot be read"

# one at a time, and a signal ends the run in order
fresh
cat >"$STAND_IN/run" <<'END'
trap 'echo "in order" >>"$STAND_IN/calls"; exit 130' TERM
touch "$STAND_IN/running"
tries=0
while [ $tries -lt 100 ]; do
	tries=$((tries + 1))
	sleep 0.1
done
exit 0
END
scripts/nightly configs/quick.yaml --history "$history" >"$work/first" 2>&1 &
first=$!
tries=0
while [ ! -e "$STAND_IN/running" ] && [ $tries -lt 50 ]; do
	tries=$((tries + 1))
	sleep 0.1
done
scripts/nightly configs/quick.yaml --history "$work/other" >"$work/log" 2>&1
expect "two nights never overlap" $? 3 "NOT RUN: another night is still running"
[ ! -e "$work/other/summary.txt" ] && [ "$(grep -c ^run "$STAND_IN/calls")" -eq 1 ] &&
	ok "the second measures nothing" || bad "the second measures nothing" "it does"
kill -TERM $first
wait $first
status=$?
cp "$work/first" "$work/log"
expect "a signal interrupts the night" $status 130 "INTERRUPTED"
called "the run is told, and puts its host in order" "in order"
rm "$STAND_IN/run"
sleep 1 # a night is named by the second
nightly
expect "the next night runs" $? 0 "no change"

# examples
sed "s,/opt/iommubench,$root,g" configs/systemd/iommubench-nightly.service \
	>"$work/iommubench-nightly.service"
cp configs/systemd/iommubench-nightly.timer "$work"
if command -v systemd-analyze >/dev/null; then
	systemd-analyze verify "$work/iommubench-nightly.timer" "$work/iommubench-nightly.service" \
		>"$work/log" 2>&1
	status=$?
	[ $status -eq 0 ] && ! grep -q 'iommubench-nightly' "$work/log" && ok "systemd takes the units" ||
		bad "systemd takes the units" "$(cat "$work/log")"
else
	echo "skipped: no systemd-analyze here"
fi
for file in configs/ci/*.yml; do
	grep -q 'scripts/nightly' "$file" && ok "$file calls the script" || bad "$file calls the script" "no"
done
exit $((failures > 0))
