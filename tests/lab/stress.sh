#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs inside of the virtual lab (iommubench lab --cpus 2 sh THIS ...): coIOMMU at its most
# aggressive, VM after VM for so many minutes, at least one, while the host's memory is short and
# its pages are moved about all the time. A fault, verify error or kernel warning ends it with 1.
# Usage: stress.sh IOMMUBENCH TESTS_DIR MINUTES
set -u

bench=$1
tests=$2
end=$(($(date +%s) + 60 * $3))
work=$(mktemp -d)

# Takes half of what is free, gives it back, and makes the kernel move every movable page.
pressure() {
	while :; do
		half=$(awk '/^MemAvailable:/ { print int($2 / 2) }' /proc/meminfo)
		head -c "${half}k" /dev/zero >/dev/shm/hog
		echo 1 >/proc/sys/vm/compact_memory
		rm /dev/shm/hog
		sleep 5
	done
}
pressure &
hog=$!
trap 'kill $hog; rm -rf "$work" /dev/shm/hog' EXIT

# Why cells failed, if just time ran out: the emulator's CPUs were held up. That may happen once.
late() {
	grep -h '"reason": "' "$work/run/manifest.json" >"$work/reasons" &&
		! grep -Evq 'lockup|stalls on CPUs|blocked for more than|timed out|within|measured window' \
			"$work/reasons" && [ $held_up -eq 0 ]
}

vms=0
held_up=0
while [ $vms -eq 0 ] || [ "$(date +%s)" -lt "$end" ]; do
	"$bench" run "$tests/stress.yaml" --where host --host /run/iommubench/lab/host.yaml \
		--out "$work/run" >"$work/log" 2>&1 || {
		if late; then
			held_up=1
			cat "$work/reasons"
			rm -rf "$work/run"
			continue
		fi
		tail -n 60 "$work"/run/cells/*/0/console.log "$work"/run/cells/*/0/qemu.log
		dmesg | tail -n 30
		echo "failed in VM $vms:"
		grep -h '"reason": "' "$work/run/manifest.json"
		tail -n 10 "$work/log"
		exit 1
	}
	vms=$((vms + 1))
	awk -F, '$7 ~ /^(pins|unpins|pin_evictions|pin_refusals|dma_maps)$/ { n[$7] += $10 }
		END { for (m in n) printf "%s %d  ", m, n[m]; print "" }' "$work/run/samples.csv"
	rm -rf "$work/run"
done
echo "$vms VMs without a fault, a verify error or a kernel warning"
