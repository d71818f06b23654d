#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs inside of the virtual lab: breaks runs in all the ways that users and machines do, and
# looks whether the host is as before. Prints one "ok" or "not ok" line a test.
# Usage: inside.sh IOMMUBENCH TESTS_DIR
# shellcheck disable=SC2015 # "test && ok || bad" is if-then-else: ok does not fail
set -u

bench=$1
tests=$2
work=$(mktemp -d)
failures=0
. "$tests/lib.sh"
. "$tests/state.sh"

run() { "$bench" run "$tests/safety.yaml" --where host --host "$host" "$@" >"$work/log" 2>&1; }

# start ARGS: the same in the background, as $pid
start() {
	"$bench" run "$tests/safety.yaml" --where host --host "$host" "$@" >"$work/log" 2>&1 &
	pid=$!
}

# await_boot DIR N: until N boots of the run are recorded
await_boot() {
	tries=0
	while [ "$(grep -c '"window_s"' "$1/manifest.json" 2>/dev/null || true)" != "$2" ] &&
		[ $tries -lt 200 ]; do
		tries=$((tries + 1))
		sleep 0.5
	done
}

before=$(host_state)

# what can be assigned, and what this host is like
"$bench" groups "$dev" >"$work/log" 2>&1
expect "groups: the drive is assignable" $? 0 "^    assignable$"
"$bench" groups 0000:00:00.0 >"$work/log" 2>&1
expect "groups: the host bridge is not" $? 0 "NOT assignable: it is a bridge"
"$bench" groups --json >"$work/log" 2>&1
expect "groups: the rules explain a group" $? 0 '"by_rules": "same"'
grep '"by_rules"' "$work/log" | grep -qv '"same"' &&
	bad "groups: the rules explain every group" "$(grep -c by_rules "$work/log") devices and groups" ||
	ok "groups: the rules explain every group"
"$bench" check --host "$host" >"$work/log" 2>&1
expect "check: interrupts are remapped" $? 0 "ok    remapping"
{ cat "$host" && echo "settings: { governor: performance }"; } >"$work/host.yaml"
run --host "$work/host.yaml" --out "$work/governor"
expect "a setting that the host lacks is refused" $? 3 "host.yaml:[0-9]*: governor: .*remove the line"
same_state "a refused setting changes nothing"

# kill -9 in the second boot; the next start restores, --resume repeats nothing
{ cat "$host" && echo "settings: { thp: never, ksm: on }"; } >"$work/host.yaml"
start --host "$work/host.yaml" --out "$work/killed"
await_boot "$work/killed" 1
sleep 2
kill -9 $pid
wait $pid 2>/dev/null
no_qemu "kill -9: no VM survives the harness"
[ "$(basename "$(readlink "$sys/driver")")" = vfio-pci ] &&
	ok "kill -9: the device was bound to vfio-pci" ||
	bad "kill -9: the device was bound to vfio-pci" "it is not"
[ "$(cat "$ksm")" = 1 ] && grep -q '\[never\]' "$thp" &&
	ok "kill -9: the host file's settings were made" ||
	bad "kill -9: the host file's settings were made" "ksm $(cat "$ksm"), thp $(cat "$thp")"
grep -q '"found": "transparent huge pages: never"' "$work/killed/manifest.json" &&
	ok "the manifest has the preflight as it was after them" ||
	bad "the manifest has the preflight as it was after them" "it has not"
cp "$work/killed/samples.csv" "$work/first-boot.csv"
"$bench" restore >"$work/log" 2>&1
expect "kill -9: restore succeeds" $? 0 "nothing is left"
same_state "kill -9: restore puts the host back"
run --resume "$work/killed"
expect "kill -9: --resume finishes the run" $? 0 "ok"
head -c "$(wc -c <"$work/first-boot.csv")" "$work/killed/samples.csv" |
	cmp -s - "$work/first-boot.csv" &&
	ok "kill -9: --resume keeps finished boots" ||
	bad "kill -9: --resume keeps finished boots" "their samples differ"
twice=$(cut -d, -f1,6,7 "$work/killed/samples.csv" | sort | uniq -d | wc -l)
[ "$twice" -eq 0 ] && ok "kill -9: no sample is there twice" ||
	bad "kill -9: no sample is there twice" "$twice are"
same_state "a normal end puts the host back"

# kill -9 and then straight into the next run
start --out "$work/killed2"
sleep 4
kill -9 $pid
wait $pid 2>/dev/null
run --boots 1 --out "$work/after"
expect "the next run restores what a killed one left, and runs" $? 0 "ok"
same_state "the next run leaves the host as it was before the killed one"

# Ctrl-C
start --out "$work/interrupted"
await_boot "$work/interrupted" 1
sleep 1
kill -TERM $pid
wait $pid
expect "an interrupted run exits with 130" $? 130 ""
no_qemu "an interrupted run leaves no VM"
same_state "an interrupted run puts the host back"
grep -q '"status": "partial"' "$work/interrupted/manifest.json" &&
	ok "an interrupted run is recorded as partial" ||
	bad "an interrupted run is recorded as partial" "it is not"

# native modes switch the IOMMU group, and what runs is no VM; huge pages are reserved
"$bench" run "$tests/native.yaml" --where host --host "$host" --out "$work/native-killed" \
	>"$work/log" 2>&1 &
pid=$!
tries=0
until pgrep -x fio >/dev/null || [ $tries -ge 100 ]; do
	tries=$((tries + 1))
	sleep 0.2
done
[ "$(cat "$sys/iommu_group/type")" = DMA ] && ok "native: the group is strict while fio runs" ||
	bad "native: the group is strict while fio runs" "$(cat "$sys/iommu_group/type")"
kill -9 $pid
wait $pid 2>/dev/null
sleep 1
pgrep -x fio >/dev/null && bad "native, kill -9: nothing is left running" "fio is" ||
	ok "native, kill -9: nothing is left running"
"$bench" restore >"$work/log" 2>&1
expect "native, kill -9: restore succeeds" $? 0 "nothing is left"
same_state "native, kill -9: restore puts the host back"
"$bench" run "$tests/native.yaml" --where host --host "$host" --out "$work/native" \
	>"$work/log" 2>&1
expect "native and static-hugetlb run" $? 0 "ok"
same_state "native and static-hugetlb put the host back"

# QEMU dies: its boot fails with the reason, the run goes on
start --boots 2 --out "$work/qemu"
while ! pgrep -x qemu-system-x86 >/dev/null; do sleep 0.5; done
sleep 3
pkill -9 -x qemu-system-x86
wait $pid
expect "a killed QEMU: the run goes on and exits with 4" $? 4 "signal 9"
grep -q '^          "status": "ok"' "$work/qemu/manifest.json" && # of a boot
	ok "a killed QEMU: the other boot is fine" ||
	bad "a killed QEMU: the other boot is fine" "it is not"

# two harnesses
start --boots 1 --out "$work/one"
sleep 2
cp "$work/log" "$work/log1"
"$bench" run "$tests/safety.yaml" --where host --host "$host" --out "$work/two" \
	>"$work/log" 2>&1
expect "a second harness is refused" $? 3 "$pid"
wait $pid

# devices that may not be used
sed 's/0000:00:10.0/0000:00:1e.0/' "$host" >"$work/host.yaml"
"$bench" run "$tests/safety.yaml" --where host --host "$work/host.yaml" --out "$work/none" \
	>"$work/log" 2>&1
expect "an unknown PCI address is refused" $? 3 "0000:00:1e.0"
mkswap /dev/nvme0n1 >/dev/null 2>&1
swapon /dev/nvme0n1
run --out "$work/busy"
expect "a device in use is refused" $? 3 "swap"
"$bench" groups "$dev" >"$work/log" 2>&1
expect "groups: a device in use is not assignable" $? 0 "NOT assignable: it holds active swap"
swapoff /dev/nvme0n1

# results that cannot be written
mkdir "$work/small"
mount -t tmpfs -o size=8m tmpfs "$work/small"
run --out "$work/small/run"
expect "too small a results disk is refused" $? 3 "disk"
mount -o remount,size=300m "$work/small"
start --out "$work/small/full"
await_boot "$work/small/full" 1
dd if=/dev/zero of="$work/small/filler" bs=1M >/dev/null 2>&1
dd if=/dev/zero of="$work/small/filler2" bs=512 >/dev/null 2>&1
wait $pid
expect "a results disk that fills up ends the run with 4" $? 4 "No space left"
no_qemu "a full results disk leaves no VM"
same_state "a full results disk: the host is put back"

# a GPU's command in an image: the guest's own root, as one that has another /tmp
sed -e "s|run: 'for|run: 'echo kept: \$(ls -A /tmp); for|" \
	-e "s|^\\(  gpu: {\\)|\\1 image: \"${bench%/*}/images/guest.erofs\",|" "$host" >"$work/host.yaml"
"$bench" run "$tests/gpu-command.yaml" --where host --host "$work/host.yaml" \
	--out "$work/image" >"$work/log" 2>&1
expect "a GPU's command runs in the host file's image" $? 0 "ok"
cp "$work/image/cells/coiommu.gpu.gpu_command/0/command-output.txt" "$work/log"
expect "the image's root is the command's own" 0 0 "^kept: *$"

# and at random moments
sh "$tests/kills.sh" "$bench" "$tests" 8 || failures=$((failures + 1))

exit $((failures > 0))
