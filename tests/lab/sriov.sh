#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs inside of the virtual lab: two virtual functions are made of its drive that has some, the
# first one is assigned to VMs, the physical one stays the host's. Afterwards, and after a kill -9
# in the middle, the drive is as before.
# Usage: sriov.sh IOMMUBENCH TESTS_DIR
# shellcheck disable=SC2015 # ok does not fail
set -u

bench=$1
tests=$2
work=$(mktemp -d)
failures=0
. "$tests/lib.sh"
. "$tests/state.sh"

devices=/sys/bus/pci/devices
pf=0000:00:19.0
vf=0000:00:19.1
journal=/var/lib/iommubench/journal

sed "s/{ address: \"$dev\",/{ address: \"$pf\", functions: 2,/" "$host" >"$work/host.yaml"

# byte ADDRESS OFFSET: of configuration space
byte() { od -An -tu1 -j "$2" -N 1 "$devices/$1/config" | tr -d ' '; }

# vectors ADDRESS: how many interrupts it has (MSI-X is capability 17)
vectors() {
	at=$(byte "$1" 52)
	while [ "$at" -ne 0 ] && [ "$(byte "$1" "$at")" -ne 17 ]; do
		at=$(byte "$1" $((at + 1)))
	done
	echo $((($(byte "$1" $((at + 3))) % 8 << 8) + $(byte "$1" $((at + 2))) + 1))
}

group() { basename "$(readlink "$devices/$1/iommu_group")"; }
driver() { basename "$(readlink "$devices/$1/driver")"; }

# A VM has it (QEMU alone may be asked for its version).
in_vm() { [ "$(driver $vf)" = vfio-pci ] && pgrep -x qemu-system-x86 >/dev/null; }

# In place of that of state.sh. The interrupts are divided as the queues are.
host_state() {
	driver $pf
	cat $devices/$pf/sriov_numvfs $devices/$pf/sriov_drivers_autoprobe
	ls $devices
	vectors $pf
	cat $devices/$pf/nvme/nvme*/state
}

# start DIR: a run in the background, as $pid
start() {
	"$bench" run "$tests/sriov.yaml" --where host --host "$work/host.yaml" --out "$1" \
		>"$work/log" 2>&1 &
	pid=$!
}

# Its physical function gets all that can be divided, and has to give it up for each run.
own=$(vectors $pf)
"${bench%/*}/tests/lab/divide" $pf "=0:8,4" >"$work/log" 2>&1 &&
	[ "$(vectors $pf)" = $((own + 4)) ] && ok "the drive itself has all there is" ||
	bad "the drive itself has all there is" "$(vectors $pf), was $own"
before=$(host_state)
disk=/dev/$(basename "$(echo $devices/$pf/nvme/nvme*)")n1

"$bench" groups $pf >"$work/log" 2>&1
expect "groups: the drive itself is assignable" $? 0 "^    assignable$"

# a drive that the host uses
mkswap "$disk" >/dev/null 2>&1
swapon "$disk"
start "$work/used"
wait $pid
expect "no function is made of a drive in use" $? 3 "swap"
swapoff "$disk"
dd if=/dev/zero of="$disk" bs=4k count=1024 conv=fsync 2>/dev/null
same_state "a drive in use is left as it is"

# in the middle of a VM's life
start "$work/killed"
while ! in_vm && kill -0 $pid 2>/dev/null; do sleep 0.1; done
sleep 2
[ "$(cat $devices/$pf/sriov_numvfs)" = 2 ] && ok "two functions are made" ||
	bad "two functions are made" "$(cat $devices/$pf/sriov_numvfs)"
[ "$(driver $vf)" = vfio-pci ] && [ "$(driver $pf)" = nvme ] &&
	[ ! -e $devices/0000:00:19.2/driver ] &&
	ok "the first one is VFIO's, the drive the host's, the second nobody's" ||
	bad "the first one is VFIO's, the drive the host's, the second nobody's" "$(driver $vf)"
[ "$(vectors $vf)" = 2 ] && [ "$(vectors $pf)" = "$own" ] &&
	ok "the drive has given its interrupts to the functions" ||
	bad "the drive has given its interrupts to the functions" "$(vectors $vf) $(vectors $pf)"
[ "$(group $vf)" != "$(group $pf)" ] && [ "$(group $vf)" != "$(group 0000:00:19.2)" ] &&
	ok "each function has a group of its own" ||
	bad "each function has a group of its own" "$(group $pf) $(group $vf)"
"$bench" groups $vf >"$work/groups" 2>&1
cp "$work/groups" "$work/log"
expect "groups: a function can be assigned" 0 0 "^    assignable$"
"$bench" groups $pf >"$work/log" 2>&1
expect "groups: the drive itself can not, now" $? 0 "NOT assignable: it has 2 virtual functions"
"$bench" groups --json >"$work/log" 2>&1
expect "groups: the rules explain the functions' groups" $? 0 "\"physical_function\": \"$pf\""
grep '"by_rules"' "$work/log" | grep -v '"same"' >"$work/other"
[ -s "$work/other" ] && bad "groups: the rules explain every group" "$(cat "$work/other")" ||
	ok "groups: the rules explain every group"
dd if="$disk" of=/dev/null bs=64k count=16 iflag=direct 2>/dev/null &&
	ok "the host reads its drive meanwhile" || bad "the host reads its drive meanwhile" "$disk"
kill -9 $pid
wait $pid 2>/dev/null
no_qemu "kill -9: no VM survives"
grep -q nvme_division "$journal" && [ -e $devices/$vf ] &&
	ok "kill -9: the functions are still there, journalled" ||
	bad "kill -9: the functions are still there, journalled" "$(cat "$journal")"
"$bench" restore >"$work/log" 2>&1
expect "kill -9: restore succeeds" $? 0 "nothing is left"
same_state "kill -9: restore puts the drive back"

# undisturbed
start "$work/run"
wait $pid
expect "VMs run with a virtual function" $? 0 "ok"
[ "$(cells_ok "$work/run")" -eq 4 ] && ok "every cell is ok" ||
	bad "every cell is ok" "$(cells_ok "$work/run") are"
grep -rq "vfio-pci,host=$vf" "$work/run/cells" && ok "it was the function that was assigned" ||
	bad "it was the function that was assigned" "no such command line"
written=$(dd if="$disk" bs=1M count=4 iflag=direct 2>/dev/null | tr -d '\0' | wc -c)
[ "$written" -gt 1000000 ] && ok "what a VM wrote is on the drive" ||
	bad "what a VM wrote is on the drive" "$written bytes are"
same_state "a run puts the drive back"
rm -rf "$work"
exit $((failures > 0))
