#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Tests build/load/pkt between two network namespaces. Needs root, and neither huge pages nor a
# NIC. Usage: pkt.sh [PKT]
set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/lab/lib.sh
. tests/lab/lib.sh

pkt=${1:-build/load/pkt}
here=pkt-here-$$
there=pkt-there-$$
fields='\([^,}]*\)'
failures=0
jobs=

if [ "$(id -u)" -ne 0 ] || [ ! -x "$pkt" ]; then
	echo "pkt.sh: needs root, and $pkt: make build/load/pkt" >&2
	exit 3
fi
work=$(mktemp -d) || exit 1

clean() {
	trap '' INT TERM
	exec 3>&-
	for job in $jobs; do
		kill "$job" 2>/dev/null
	done
	wait
	ip netns del "$here" 2>/dev/null
	ip netns del "$there" 2>/dev/null
	rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT TERM

# Without IPv6, whose own packets would be counted, too.
namespace() {
	ip netns add "$1" || exit 1
	for which in all default; do
		ip netns exec "$1" sh -c "echo 1 >/proc/sys/net/ipv6/conf/$which/disable_ipv6" \
			2>/dev/null
	done
}

# run NAMESPACE OPTION... : pkt on its interface; events go to stdout, the rest to stderr.
# Sleeping and free to move, as the machine may have little to spare.
run() {
	space=$1
	shift
	exec ip netns exec "$space" timeout 20 "$pkt" --limit 20 --idle-us 20 "$@" -- \
		--lcores "0@(0-$(($(nproc) - 1)))" --no-huge -m 64 --no-pci --no-shconf \
		--no-telemetry --vdev=net_af_packet0,iface=pkt0
}

# field FILE NAME: of the result
field() {
	sed -n "s/.*\"event\":\"result\".*\"$2\":$fields.*/\\1/p" "$1"
}

# check NAME EXPRESSION: of awk, true if it is as it should be
check() {
	if awk "BEGIN { exit !($2) }" 2>/dev/null; then
		ok "$1"
	else
		bad "$1" "not so: $2"
	fi
}

# await FILE TEXT: up to 10 s
await() {
	i=0
	while ! grep -q "$2" "$1" 2>/dev/null; do
		i=$((i + 1))
		[ $i -le 100 ] || return 1
		sleep 0.1
	done
}

# there ROLE: a peer that is steered through descriptor 3, its window begun
there() {
	: >"$work/peer"
	(run "$there" --role "$1" <"$work/in" >"$work/peer" 2>"$work/log") &
	job=$!
	jobs="$jobs $job"
	exec 3>"$work/in"
	await "$work/peer" '"ready"' || { bad "peer $1" "is not ready"; return 1; }
	echo begin >&3
	await "$work/peer" '"begun"'
}

# there_ends: its result is in $work/peer
there_ends() {
	sleep 0.3 # for what is under way
	echo end >&3
	wait "$job"
	exec 3>&-
}

# here OPTION... : runs for a second, result in $work/out
here() {
	(run "$here" --runtime 1 "$@") >"$work/out" 2>"$work/log"
}

# Bytes and packets that came in there.
wire() {
	ip netns exec "$there" cat "/sys/class/net/pkt0/statistics/rx_$1"
}

usage() {
	"$pkt" "$@" >"$work/log" 2>&1
	expect "usage: $*" $? 2 'pkt'
}

refuses() {
	usage --size 64
	usage --role tx --size 63
	usage --role tx --size 1519
	usage --role tx --dst-mac 02:00
	usage --role tx --window 4
	usage --role rx --rate 5
	usage --role tx --burst 1.5
	usage --role tx --unknown
	usage --role tx -l 0
	"$pkt" --role rx --runtime 1 -- --no-huge -m 64 --no-pci --no-shconf >"$work/log" 2>&1
	expect "no port" $? 1 'DPDK has no port: .* or this build has no driver for it'
	"$pkt" --role rx --runtime 1 -- --nonsense >"$work/out" 2>"$work/log"
	expect "wrong EAL argument" $? 1 'DPDK does not start'
	"$pkt" --role rx --runtime 1 --register "$work/none" >"$work/log" 2>&1
	expect "no coIOMMU" $? 1 'is the coiommu module loaded'
	"$pkt" --role rx --runtime 1 --register /dev/null >"$work/log" 2>&1
	expect "not coIOMMU" $? 1 "not coIOMMU's"
}

link_down() {
	(run "$here" --role tx --runtime 1 --link-wait 0.3) >"$work/out" 2>"$work/log"
	expect "link down" $? 1 'the link is down'
}

# sizes SIZE: what is sent arrives, all of it and as long as it should be
sizes() {
	there rx || return
	bytes=$(wire bytes)
	packets=$(wire packets)
	here --role tx --rate 2000 --size "$1"
	there_ends
	bytes=$(($(wire bytes) - bytes))
	packets=$(($(wire packets) - packets))
	sent=$(field "$work/out" tx_packets)
	got=$(field "$work/peer" rx_packets)
	check "size $1: sent at the rate" "$sent > 1800 && $sent < 2200"
	check "size $1: all arrive" "$got == $packets && $got >= $sent"
	check "size $1: none lost" "$(field "$work/peer" lost) == 0"
	check "size $1: none corrupt, none foreign" \
		"$(field "$work/peer" corrupt) + $(field "$work/peer" foreign) == 0"
	check "size $1: on the wire" "$bytes == $packets * ($1 - 4)"
	check "size $1: counted" "$(field "$work/peer" rx_bytes) == $got * $1"
}

corrupt() {
	there rx || return
	here --role tx --rate 2000 --size 700 --spoil 10
	there_ends
	got=$(field "$work/peer" rx_packets)
	bad=$(field "$work/peer" corrupt)
	check "damaged packets are found" "$bad >= ($got + $bad) / 11 && $bad <= ($got + $bad) / 9"
}

# round_trips NAME OPTION...
round_trips() {
	name=$1
	shift
	there forward || return
	here --role echo "$@"
	there_ends
	p50=$(field "$work/out" lat_p50_s)
	p99=$(field "$work/out" lat_p99_s)
	sent=$(field "$work/out" tx_packets)
	check "$name: none lost" "$sent > 100 && $(field "$work/out" lost) == 0"
	check "$name: packets until the end" "$(field "$work/out" idle_at_end_s) < 0.25"
	check "$name: sent back" "$(field "$work/peer" tx_packets) >= $sent"
	max=$(field "$work/out" lat_max_s)
	check "$name: latency" "$p50 > 1e-6 && $p50 < 0.1 && $p50 <= $p99 && $p99 <= $max"
}

# The time since the last packet tells a pulled cable.
silence() {
	there rx || return
	here --role tx --rate 100
	check "a sender has no time since the last packet" \
		"$(grep -c idle_at_end_s "$work/out") == 0"
	sleep 1
	there_ends
	idle=$(field "$work/peer" idle_at_end_s)
	check "the sender stops: rx is idle" \
		"$idle > 1 && $idle < $(field "$work/peer" window_s) - 0.5"
	there rx || return
	there_ends
	idle=$(field "$work/peer" idle_at_end_s)
	check "nothing comes: idle for the whole window" \
		"$idle > 0.3 && $idle > $(field "$work/peer" window_s) - 0.05"
	there forward || return
	: >"$work/out"
	here --role echo --runtime 2 &
	echo=$!
	jobs="$jobs $echo"
	await "$work/out" '"begun"'
	sleep 0.3
	kill "$job"
	wait "$echo"
	exec 3>&-
	idle=$(field "$work/out" idle_at_end_s)
	check "the peer is killed: echo is idle, its drain not counted" "$idle > 1 && $idle < 1.8"
}

ends() {
	there rx || return
	exec 3>&-
	wait "$job"
	expect "stdin ends" $? 1 'stdin ended'
	there rx || return
	kill "$job"
	wait "$job"
	expect "SIGTERM" $? 1 'stopped by signal 15'
	exec 3>&-
	here --role echo --link-wait 0.5
	expect "nobody answers" $? 1 'no packet came back'
}

mkfifo "$work/in" || exit 1
namespace "$here"
namespace "$there"
ip link add pkt0 netns "$here" type veth peer name pkt0 netns "$there" || exit 1
refuses
link_down
ip -n "$here" link set pkt0 up && ip -n "$there" link set pkt0 up || exit 1
sizes 64
sizes 1518
corrupt
round_trips "window"
round_trips "window of 1" --window 1
round_trips "rate" --rate 1000 --size 512
check "rate: kept" "$sent > 950 && $sent < 1050"
silence
ends
[ $failures -eq 0 ]
