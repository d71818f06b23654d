#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# memload against a real memcached on the loopback, partly through a proxy that does known harm; and
# rr against itself.
# Prints "ok NAME" or "not ok NAME: why" for each test. Usage: load.sh BUILD; no root needed.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lab/lib.sh
. "$here/lab/lib.sh"

build=${1:-build}
memload=$build/load/memload
rr=$build/load/rr
delay=$build/tests/load/delay
for program in "$memload" "$rr" "$delay"; do
	[ -x "$program" ] || { echo "$program is missing: make $program" >&2; exit 2; }
done
command -v memcached >/dev/null || { echo "memcached is missing: make deps" >&2; exit 2; }

work=$(mktemp -d)
server=
proxy=
helper=
failures=0
stop_all() {
	# shellcheck disable=SC2086 # those that run
	kill $server $proxy $helper 2>/dev/null
	rm -rf "$work"
}
trap stop_all EXIT
trap 'exit 130' INT TERM

# wait_for FILE TEXT: up to 5 s.
wait_for() {
	tries=50
	until grep -q "$2" "$1" 2>/dev/null; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.1
	done
}

# Sets $server, the process that limits its time, and $port. memcached itself finds a free port and writes it down.
start_server() {
	rm -f "$work/port"
	# shellcheck disable=SC2016 # for the inner shell, which becomes memcached
	MEMCACHED_PORT_FILENAME=$work/port timeout 120 sh -c 'echo $$ >"$0"; exec memcached "$@"' \
		"$work/pid" -u "$(id -un)" -l 127.0.0.1 -p -1 -U 0 -m 64 -t 1 >"$work/server" 2>&1 &
	server=$!
	wait_for "$work/port" '^TCP' || { echo "memcached does not start" >&2; exit 2; }
	port=$(sed -n 's/^TCP INET: //p' "$work/port")
}

# start_proxy OPTION...: sets $proxy and $proxy_port
start_proxy() {
	rm -f "$work/proxy"
	"$delay" "$@" "$port" >"$work/proxy" &
	proxy=$!
	wait_for "$work/proxy" . || { echo "the proxy does not start" >&2; exit 2; }
	proxy_port=$(cat "$work/proxy")
}

stop_proxy() {
	kill "$proxy"
	wait "$proxy" 2>/dev/null
	proxy=
}

# load PORT OPTION...: its output and errors in $work/log
load() {
	to=$1
	shift
	timeout 20 "$memload" --connect "127.0.0.1:$to" --keys 1000 --warmup 0.2 "$@" \
		>"$work/log" 2>&1 </dev/null
}

field() { sed -n "s/.*\"event\":\"result\".*\"$1\":\([^,}]*\).*/\1/p" "$work/log"; }

# check NAME CONDITION: CONDITION is awk's, names of fields are written {name}.
check() {
	condition=$2
	while name=$(expr "$condition" : '.*{\([a-z0-9_]*\)}'); do
		value=$(field "$name")
		case $value in
		'' | null) bad "$1" "no $name in the result" && return ;;
		\"*) ;;
		esac
		condition=$(printf '%s' "$condition" | sed "s/{$name}/$value/g")
	done
	if awk "BEGIN { exit !($condition) }"; then
		ok "$1"
	else
		bad "$1" "not so: $condition"
	fi
}

closed_loop() {
	load "$port" --runtime 1
	check "closed loop: operations, hits only, all whole" \
		'{ops} > 1000 && {verify_errors} == 0 && {misses} == 0 && {hits} == {gets}'
	check "closed loop: the share of gets" '{gets} / {ops} > 0.87 && {gets} / {ops} < 0.93'
	check "closed loop: latency is from the send" '{latency_from} == "send"'
	check "closed loop: one request per connection makes the throughput the latency's inverse" \
		'{lat_mean_s} * {ops_per_s} > 7 && {lat_mean_s} * {ops_per_s} < 8.1'
	load "$port" --runtime 1 --protocol text --threads 2 --depth 8 --mix etc --key-dist zipf:0.99
	check "text protocol, ETC sizes, Zipf, two threads" \
		'{ops} > 1000 && {verify_errors} == 0 && {misses} == 0 && {threads} == 2'
	load "$port" --runtime 1 --value-size uniform:0-1048576 --keys 20 --depth 4 --get-ratio 0.5
	check "values from nothing to the largest" \
		'{ops} > 100 && {verify_errors} == 0 && {sets} > 0 && {hits} > 0'
	load "$port" --runtime 1 --value-size fixed:1000 --keys 200000 --get-ratio 1
	check "evicted values are misses, not errors" '{misses} > 0 && {verify_errors} == 0'
}

open_loop() {
	load "$port" --runtime 4 --rate 10000 --connections 16
	check "open loop, Poisson: the rate within 2 %" \
		'{ops_per_s} / 10000 > 0.98 && {ops_per_s} / 10000 < 1.02'
	check "open loop: latency is from the schedule" '{latency_from} == "schedule"'
	load "$port" --runtime 2 --rate 5000 --arrivals uniform
	check "open loop, uniform: the rate within 2 %" \
		'{ops_per_s} / 5000 > 0.98 && {ops_per_s} / 5000 < 1.02'
}

known_delay() {
	start_proxy
	load "$proxy_port" --runtime 1
	base=$(field lat_p99_s)
	stop_proxy
	start_proxy -d 5
	load "$proxy_port" --runtime 1
	stop_proxy
	check "a delay of 5 ms is a median of 5 ms" \
		"{lat_p50_s} >= 0.005 && {lat_p50_s} <= 0.006 + ${base:-0}"
	start_proxy -d 20 -n 50
	load "$proxy_port" --runtime 2 --connections 1
	stop_proxy
	check "one delay of 20 ms in 50 answers: the 99th percentile, not the 90th" \
		"{lat_p99_s} >= 0.02 && {lat_p99_s} <= 0.021 + ${base:-0} && {lat_p90_s} < 0.01"
	start_proxy -d 200
	load "$proxy_port" --runtime 2 --rate 400 --connections 4 --keys 50
	stop_proxy
	# 4 connections give 20 operations a second: after 2 s 380 of each 400 wait in the tool.
	check "overload: what waits in the tool is counted" \
		'{unanswered} > 700 && {oldest_wait_s} > 1.8 && {offered_per_s} > 350'
}

# stalled OPTION...: a run of 3 s with a stall of 1 s in it
stalled() {
	start_proxy -s 1000
	load "$proxy_port" --runtime 3 --connections 4 "$@" &
	helper=$!
	wait_for "$work/log" begun
	sleep 1
	kill -USR1 "$proxy"
	wait "$helper"
	helper=
	stop_proxy
}

# A third of the arrivals meets the stall and waits from 0 to 1 s, evenly: the quantile q is
# 1 - (1 - q) * 3.
known_stall() {
	stalled --rate 1000 --depth 512
	check "a stall as the schedule sees it: the 90th percentile" \
		'{lat_p90_s} > 0.7 * 0.9 && {lat_p90_s} < 0.7 * 1.1'
	check "a stall as the schedule sees it: the 99th percentile" \
		'{lat_p99_s} > 0.97 * 0.9 && {lat_p99_s} < 0.97 * 1.1'
	check "a stall as the schedule sees it: the 99.9th percentile" \
		'{lat_p999_s} > 0.997 * 0.9 && {lat_p999_s} < 0.997 * 1.1'
	stalled --rate 500 --depth 1
	check "the same when the requests wait in the tool" \
		'{lat_p99_s} > 0.97 * 0.9 && {lat_p99_s} < 0.97 * 1.1'
	stalled --depth 1
	check "negative control: the closed loop omits the stall" '{lat_p99_s} < 0.1'
}

corruption() {
	start_proxy -f 64
	load "$proxy_port" --runtime 1
	check "negative control: flipped bits are verify errors" \
		'{verify_errors} > 10 && {verify_errors} < {bytes_in} / 65536 + 2'
	load "$proxy_port" --runtime 1 --verify no
	check "without verification they pass" '{verify_errors} == 0 && {ops} > 1000'
	stop_proxy
}

# Words on stdin, with 1 s between begin and end.
steered() {
	mkfifo "$work/in"
	timeout 20 "$memload" --connect "127.0.0.1:$port" --warmup 0.2 >"$work/log" 2>&1 \
		<"$work/in" &
	helper=$!
	exec 9>"$work/in"
	wait_for "$work/log" ready
	echo begin >&9
	wait_for "$work/log" begun
	sleep 1
	echo end >&9
	exec 9>&-
	wait "$helper"
	expect "begin and end: exit status" $? 0 '"event":"result"'
	helper=
	check "begin and end: the window is between them" '{window_s} >= 1 && {window_s} < 1.3'
}

writer_killed() {
	sleep 30 >"$work/in" &
	writer=$!
	timeout 20 "$memload" --connect "127.0.0.1:$port" --warmup 0.2 >"$work/log" 2>&1 \
		<"$work/in" &
	helper=$!
	wait_for "$work/log" ready
	kill -9 "$writer"
	before=$(date +%s%N)
	wait "$helper"
	status=$?
	helper=
	took=$((($(date +%s%N) - before) / 1000000))
	expect "the harness is killed: the tool ends" "$status" 1 "stdin ended"
	if [ "$took" -lt 1000 ]; then
		ok "the harness is killed: at once"
	else
		bad "the harness is killed: at once" "after $took ms"
	fi
}

usage_error() {
	text=$1
	shift
	timeout 10 "$memload" "$@" >"$work/log" 2>&1 </dev/null
	expect "usage: $*" $? 2 "$text"
}

usage_errors() {
	usage_error "--connect HOST:PORT is missing" --rate 5
	usage_error "'localhost' is not HOST:PORT" --connect localhost
	usage_error "'-1' is not a number from 0" --connect a:1 --rate -1
	usage_error "'fixed' is no DIST" --connect a:1 --value-size fixed
	usage_error "fewer than 9 --threads" --connect a:1 --threads 9
	usage_error "unrecognized option" --connect a:1 --frobnicate
	timeout 10 "$memload" --help >"$work/log" 2>&1
	expect "--help" $? 0 "--value-size DIST"
}

server_hangs() {
	load "$port" --runtime 10 --timeout 0.5 &
	helper=$!
	wait_for "$work/log" begun
	kill -STOP "$(cat "$work/pid")"
	wait "$helper"
	expect "the server hangs" $? 1 "^memload: 127.0.0.1:$port: no answer for 0.5 s: look"
	helper=
	kill -CONT "$(cat "$work/pid")"
}

# Last: it ends the server.
server_killed() {
	load "$port" --runtime 10 &
	helper=$!
	wait_for "$work/log" begun
	kill -9 "$(cat "$work/pid")"
	wait "$helper"
	expect "the server is killed" $? 1 "^memload: 127.0.0.1:$port: .*look whether memcached"
	helper=
	load "$port" --runtime 1
	expect "connection refused" $? 1 "^memload: cannot connect to 127.0.0.1:$port: Conn.*running"
}

# round_trips OPTION...: to rr's server, result in $work/log
round_trips() {
	timeout 10 "$rr" --connect "127.0.0.1:$rr_port" --warmup 0.1 --runtime 0.5 "$@" \
		>"$work/log" 2>&1 </dev/null
}

# serve BYTES: sets $helper and $rr_port
serve() {
	rr_port=$((20000 + $$ % 10000))
	until
		timeout 60 "$rr" --serve "$rr_port" --size "$1" >"$work/rr" 2>&1 </dev/null &
		helper=$!
		wait_for "$work/rr" .
		grep -q ready "$work/rr"
	do
		rr_port=$((rr_port + 1)) # taken
	done
}

request_response() {
	serve 16384
	round_trips --size 16384 --flows 16
	check "request/response: large messages, many flows" \
		'{transactions} > 1000 && {flows} == 16 && {lat_p50_s} > 0'
	timeout 1 "$rr" --connect "127.0.0.1:$rr_port" --size 16383 --warmup 0 --runtime 0.1 \
		>"$work/log" 2>&1 </dev/null
	status=$?
	if [ "$status" -eq 124 ] && [ ! -s "$work/log" ]; then
		ok "request/response: no answer before all has come"
	else
		bad "request/response: no answer before all has come" "exit status $status"
	fi
	"$rr" --connect "127.0.0.1:$rr_port" --size 16384 --flows 16 --limit 10 --runtime 5 \
		>/dev/null 2>&1 </dev/null &
	client=$!
	sleep 0.3
	kill -9 "$client"
	wait "$client" 2>/dev/null
	round_trips --size 16384
	check "request/response: the server outlives a client" '{transactions} > 100'
	kill "$helper"
	wait "$helper" 2>/dev/null
	helper=
}

start_server
closed_loop
open_loop
known_delay
known_stall
corruption
request_response
steered
writer_killed
usage_errors
server_hangs
server_killed
[ "$failures" -eq 0 ]
