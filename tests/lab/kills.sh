#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs inside of the virtual lab: N runs are ended by kill -9, each at a random moment of its
# start (settings, huge pages, bind, the VM) or, told to stop, of its end (the VM's end, unbind and
# all that is put back). After each, `restore` leaves the host as before. The seed repeats it.
# Usage: kills.sh IOMMUBENCH TESTS_DIR N [SEED]
# shellcheck disable=SC2015 # ok does not fail
set -u

bench=$1
tests=$2
kills=$3
seed=${4:-$(od -An -N2 -tu2 /dev/urandom | tr -d ' ')}
work=$(mktemp -d)
failures=0
. "$tests/lib.sh"
. "$tests/state.sh"

journal=/var/lib/iommubench/journal
before=$(host_state)
{ cat "$host" && echo "settings: { thp: never, ksm: on }"; } >"$work/host.yaml"

# start N: a run in the background, as $pid
start() {
	"$bench" run "$tests/kills.yaml" --where host --host "$work/host.yaml" --out "$work/$1" \
		>"$work/log" 2>&1 &
	pid=$!
}

seconds() { cut -d ' ' -f 1 /proc/uptime; }
since() { awk -v a="$1" -v b="$(seconds)" 'BEGIN { print b - a }'; }

# Undisturbed, to know when what happens: until QEMU runs, and from being told to stop to the end.
begin=$(seconds)
start undisturbed
while ! pgrep -x qemu-system-x86 >/dev/null && kill -0 $pid; do sleep 0.05; done
start_s=$(since "$begin")
sleep 1
begin=$(seconds)
kill -TERM $pid
wait $pid
expect "a run that is told to stop exits with 130" $? 130 ""
end_s=$(since "$begin")

# moments: KIND SECONDS, a line a kill
moments() {
	awk -v seed="$seed" -v n="$kills" -v start="$start_s" -v end="$end_s" 'BEGIN {
		srand(seed)
		for (i = 0; i < n; i++)
			if (i % 2)
				printf("end %.3f\n", rand() * end)
			else
				printf("start %.3f\n", rand() * (start + 1))
	}'
}

left=0
wrong=0
n=0
moments >"$work/moments"
while read -r kind at; do
	n=$((n + 1))
	start $n
	if [ "$kind" = end ]; then
		while ! pgrep -x qemu-system-x86 >/dev/null && kill -0 $pid 2>/dev/null; do
			sleep 0.1
		done
		kill -TERM $pid
	fi
	sleep "$at"
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
	[ ! -e "$journal" ] || left=$((left + 1))
	if ! "$bench" restore >"$work/log" 2>&1; then
		wrong=$((wrong + 1))
		echo "# kill $n (seed $seed), $at s after its $kind: restore failed"
		sed 's/^/# /' "$work/log"
	fi
	state=$(host_state)
	if [ "$state" != "$before" ] || [ -e "$journal" ]; then
		wrong=$((wrong + 1))
		echo "# kill $n (seed $seed), $at s after its $kind: the host is not as before"
	fi
	rm -rf "${work:?}/$n"
done <"$work/moments"
[ $wrong -eq 0 ] && ok "$kills kills at random moments (seed $seed) leave the host as before" ||
	bad "kills at random moments (seed $seed) leave the host as before" "$wrong did not"
# Else the moments were none.
[ $left -ge $((kills / 4)) ] && ok "$left of $kills kills left changes to be undone" ||
	bad "enough kills left changes to be undone" "$left of $kills"
no_qemu "no VM survives the kills"
same_state "after the kills the host is as before"
rm -rf "$work"
exit $((failures > 0))
