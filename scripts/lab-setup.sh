#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Run once inside of the virtual lab: mounts its shares and loads the drivers a lab host has.
# Usage: lab-setup.sh BUILD_DIR RUN_DIR [RESULTS_PATH]
set -eu

build=$1
run=$2
out=${3:-}
p9=trans=virtio,version=9p2000.L,msize=262144,cache=none

mkdir -p "$run/lab" /lib/modules
mount -t 9p -o "$p9" lab "$run/lab"
if [ -n "$out" ]; then
	mkdir -p "$out"
	mount -t 9p -o "$p9" out "$out"
fi
mount --bind "$build/kernel/lib/modules" /lib/modules

modprobe kvm-amd 2>/dev/null || modprobe kvm-intel
# Returns once the held VM is there; see lab_hold.c.
held=$("$build/lab_hold" 2>/dev/null </dev/null & echo $!)
kill -0 "$held"
modprobe -a vfio-pci nvme e1000e virtio_blk
mount -t cgroup2 cgroup2 /sys/fs/cgroup
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
mkswap -q /dev/vda
# Of the emulated NICs' resets that by power management does nothing.
for nic in /sys/bus/pci/drivers/e1000e/0000:*; do
	echo bus >"$nic/reset_method"
done
echo 0 >/proc/sys/kernel/hung_task_timeout_secs 2>/dev/null || true
