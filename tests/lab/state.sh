#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# For scripts that break runs inside of the virtual lab: is the host as before? Needs lib.sh; who
# compares sets $before.
# shellcheck disable=SC2015,SC2034,SC2154 # ok does not fail; the caller uses or sets these

host=/run/iommubench/lab/host.yaml
dev=0000:00:10.0
sys=/sys/bus/pci/devices/$dev
nic=/sys/bus/pci/devices/0000:01:00.0
limit=/sys/module/vfio_iommu_type1/parameters/dma_entry_limit
thp=/sys/kernel/mm/transparent_hugepage/enabled
ksm=/sys/kernel/mm/ksm/run

host_state() {
	basename "$(readlink "$sys/driver")"
	cat "$sys/driver_override" "$limit" "$thp" "$ksm" "$sys/iommu_group/type" \
		/proc/sys/vm/nr_hugepages
	ls /sys/kernel/tracing/instances
	ls /run/netns 2>/dev/null
	(cd "$nic/net" && echo ./* && cat ./*/mtu ./*/flags)
}

same_state() {
	state=$(host_state)
	if [ "$state" = "$before" ]; then
		ok "$1"
	else
		bad "$1" "state is '$(echo "$state" | tr '\n' ' ')', was '$(echo "$before" | tr '\n' ' ')'"
	fi
}

no_qemu() {
	tries=0
	while pgrep -x qemu-system-x86 >/dev/null && [ $tries -lt 50 ]; do
		tries=$((tries + 1))
		sleep 0.1
	done
	if pgrep -x qemu-system-x86 >/dev/null; then
		bad "$1" "QEMU still runs"
	else
		ok "$1"
	fi
}
