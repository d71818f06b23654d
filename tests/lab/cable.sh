#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs inside of the virtual lab: a cable that is pulled, a peer that dies, a busy port, a
# harness that is killed. The cell must say why, the run go on, and the host be as before.
# Usage: cable.sh IOMMUBENCH TESTS_DIR
# shellcheck disable=SC2015 # "test && ok || bad" is if-then-else: ok does not fail
set -u

bench=$1
tests=$2
host=/run/iommubench/lab/host.yaml
nic=0000:01:00.0
peer=0000:02:00.0
ns=iommubench
work=$(mktemp -d)
failures=0
. "$tests/lib.sh"

interface=$(ls /sys/bus/pci/devices/$peer/net)

host_state() {
	basename "$(readlink /sys/bus/pci/devices/$nic/driver)"
	ls /sys/bus/pci/devices/$peer/net
	cat "/sys/class/net/$interface/mtu" "/sys/class/net/$interface/flags"
	ip netns list
}

same_state() {
	state=$(host_state)
	[ "$state" = "$before" ] && ok "$1" ||
		bad "$1" "state is '$(echo "$state" | tr '\n' ' ')', was '$(echo "$before" | tr '\n' ' ')'"
}

nothing_left() {
	for name in qemu-system-x86 rr iperf3 memload pkt; do
		pgrep -lx "$name"
	done >"$work/left"
	[ -s "$work/left" ] && bad "$1" "still running: $(tr '\n' ' ' <"$work/left")" || ok "$1"
}

# start CONFIG DIR: a run in the background, as $pid
start() {
	"$bench" run "$1" --where host --host "$host" --out "$2" >"$work/log" 2>&1 &
	pid=$!
}

# await COMMAND...: until it succeeds, a minute at most
await() {
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ $tries -lt 300 ] || return 1
		sleep 0.2
	done
}

# one_failed NAME DIR TEXT: the disturbed cell failed with this reason, the other is fine
one_failed() {
	grep -q -- "$3" "$2/manifest.json" && ok "$1: the cell says why" ||
		bad "$1: the cell says why" "no '$3' in the manifest"
	[ "$(cells_ok "$2")" -eq 1 ] &&
		ok "$1: the run goes on" || bad "$1: the run goes on" "the other cell is not ok"
	nothing_left "$1: nothing is left"
	same_state "$1: the host is put back"
}

before=$(host_state)

# the peer's interface goes down
start "$tests/cable.yaml" "$work/pulled"
await pgrep -x rr
sleep 3
ip -n $ns link set "$interface" down
wait $pid
expect "a pulled cable: exit status" $? 4 "is the cable plugged in"
one_failed "a pulled cable" "$work/pulled" "has not answered"

# the load dies
start "$tests/cable.yaml" "$work/died"
await pgrep -x rr
sleep 3
pkill -9 -x rr
wait $pid
expect "a peer that dies: exit status" $? 4 "ended too early"
one_failed "a peer that dies" "$work/died" "rr on the peer ended too early"

# Ctrl-C
start "$tests/cable.yaml" "$work/interrupted"
await pgrep -x rr
kill -INT $pid
wait $pid
expect "an interrupted run: exit status" $? 130 ""
grep -q "cannot undo" "$work/log" && bad "an interrupted run undoes all" "$(cat "$work/log")" ||
	ok "an interrupted run undoes all"
nothing_left "an interrupted run: nothing is left"
same_state "an interrupted run: the host is put back"

# somebody else's namespace of that name
ip netns add $ns
start "$tests/cable.yaml" "$work/taken"
wait $pid
expect "a namespace that is there already: exit status" $? 4 "network namespace $ns already"
ip netns list | grep -q $ns && ok "a namespace that is there already stays" ||
	bad "a namespace that is there already stays" "it is gone"
ip netns del $ns
same_state "a namespace that is there already: the host is put back"

# somebody listens on iperf3's port
sed 's/- tcp:.*/- tcp: { test: stream, runtime: 1s, port: [5201, 5202] }/' "$tests/cable.yaml" \
	>"$work/busy.yaml"
start "$work/busy.yaml" "$work/busy"
await ip netns exec $ns true
ip netns exec $ns timeout 100 iperf3 -s -p 5201 >/dev/null 2>&1 &
wait $pid
expect "a busy port: exit status" $? 4 "listen"
wait
one_failed "a busy port" "$work/busy" "iperf3's server on the peer"

# kill -9, and the next start
start "$tests/cable.yaml" "$work/killed"
await pgrep -x rr
kill -9 $pid
wait $pid 2>/dev/null
ip netns list | grep -q $ns && ok "kill -9: the namespace is still there" ||
	bad "kill -9: the namespace is still there" "it is not"
# shellcheck disable=SC2317 # await calls it
no_guest() { ! pgrep -x qemu-system-x86; }
await no_guest # the kernel resets the NIC before QEMU is gone
nothing_left "kill -9: nothing survives"
"$bench" restore >"$work/log" 2>&1
expect "kill -9: restore succeeds" $? 0 "nothing is left"
same_state "kill -9: restore puts the host back"

# a port the host uses
ip addr add 192.0.2.1/24 dev "$interface"
start "$tests/cable.yaml" "$work/used"
wait $pid
grep -q "has an IP address" "$work/used/manifest.json" && ok "a port in use is not taken" ||
	bad "a port in use is not taken" "no such reason in the manifest"
ip addr flush dev "$interface"
same_state "a port in use is left as it is"

# a guest that cannot be set up: none of the cells that share it may run
sed 's/^devices:.*/devices: [{ nic: { queues: 200 } }]\nshare_vm: yes/' "$tests/cable.yaml" \
	>"$work/queues.yaml"
start "$work/queues.yaml" "$work/queues"
wait $pid
expect "a guest that cannot be set up: exit status" $? 4 "lower .queues"
[ "$(grep -c 'does not have that many queues' "$work/queues/manifest.json")" -ge 2 ] &&
	[ "$(cells_ok "$work/queues")" -eq 0 ] &&
	ok "a guest that cannot be set up serves no cell" ||
	bad "a guest that cannot be set up serves no cell" "$(cat "$work/log")"

# a remote peer: this host again, with a shell in place of ssh, which gets the same one line
mkdir "$work/bin"
cat >"$work/bin/ssh" <<'EOF'
#!/bin/sh
while [ "${1#-}" != "$1" ]; do shift; done
[ "$1" = root@peer ] && [ $# -eq 2 ] && exec sh -c "$2"
EOF
chmod +x "$work/bin/ssh"
sed "s|peer: \"$peer\"|remote: root@peer, interface: $interface, tools: ${bench%/*}/load|" "$host" \
	>"$work/remote.yaml"
sed 's/- tcp:.*/- tcp: { test: stream, runtime: 1s }\n  - memcached: { keys: 100, runtime: 1s }/' \
	"$tests/cable.yaml" >"$work/two.yaml"
PATH=$work/bin:$PATH "$bench" run "$work/two.yaml" --where host --host "$work/remote.yaml" \
	--out "$work/remote" >"$work/log" 2>&1
expect "a remote peer: both ways of loading work" $? 0 "ok"
nothing_left "a remote peer: nothing is left"
same_state "a remote peer: it is put back"

# coIOMMU without registration: the device cannot reach DPDK's memory
sed 's/static/coiommu/; s/- tcp:.*/- dpdk: { registered: no, window: 4, idle: 50us, runtime: 1s }/' \
	"$tests/cable.yaml" >"$work/blocked.yaml"
faults() { dmesg | grep -c "DMAR: \[DMA .*${nic#0000:}"; }
faults_before=$(faults)
start "$work/blocked.yaml" "$work/blocked"
wait $pid
expect "memory that is not registered: exit status" $? 4 "IOMMU faults"
[ "$(faults)" -gt "$faults_before" ] &&
	ok "memory that is not registered is blocked by the IOMMU" ||
	bad "memory that is not registered is blocked by the IOMMU" "no new fault of $nic in the log"
same_state "memory that is not registered: the host is put back"

exit $((failures > 0))
