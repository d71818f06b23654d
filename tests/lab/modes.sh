#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Checks the results of tests/lab/modes.yaml against what must hold on any machine.
# Usage: modes.sh RUN_DIR MEMORY_BYTES NEWER; NEWER: 0 where make images-newer has made none
set -u

run=$1
memory=$2
newer=$3
pool=$((16 << 20))
failures=0
. "${0%/*}/holds.sh"

# load MODE VARIANT METRIC: of its fio
load() { sample "$1.nvme.fio${2:+.$2}" "$3"; }

# mode NAME VARIANT START PEAK: what is pinned at the VM's start and under load, as comparisons
mode() {
	holds "$1 $2: data written reads back right" "$(load "$1" "$2" verify_errors) == 0"
	holds "$1 $2: no IOMMU fault" "$(load "$1" "$2" iommu_faults) == 0"
	holds "$1 $2: pinned at the start $3, under load $4" \
		"$(sample "$1.nvme.boot${2:+.$2}" pinned_start_bytes) $3 &&
		$(load "$1" "$2" pinned_peak_bytes) $4 && $(load "$1" "$2" pinned_peak_bytes) $5"
}

# proof TIMES TEXT: in that many cells
proof() { holds "proved: $2" "$(grep -c -- "$2" "$run/manifest.json") == $1"; }

little="< $((memory / 50))"
mode emulated "" "== 0" "== 0" ">= 0"
mode virtio "" "== 0" "== 0" ">= 0"
mode static-thp "" ">= $memory" ">= $memory" "< 2 * $memory"
mode static-hugetlb "" ">= $memory" ">= $memory" "< 2 * $memory"
mode viommu-nested stages=shadow ">= $memory" "$little" "> 0"
[ "$newer" -eq 0 ] || mode virtio-iommu "" "== 0" "$little" "> 0"
mode bounce "" "== 0" "<= $pool" "> 0"
mode coiommu-viommu untrusted=no "== 0" "$little" "> 0"
mode coiommu-viommu untrusted=yes "== 0" "$little" "> 0"

for type in identity lazy strict; do
	holds "native-$type: data written reads back right" \
		"$(load native-$type "" verify_errors) == 0"
	holds "native-$type: I/O was done" "$(load native-$type "" write_iops) > 0"
	holds "native-$type has no figures of a VM" \
		"$(grep -c "^native-$type.*,\(pinned_peak_bytes\|vm_exits\|vm_create_s\)," \
			"$run/samples.csv") == 0"
done
holds "every cell that can run is ok" "$(cells_ok "$run") == 19 + 2 * $newer"
holds "the rest is skipped" \
	"$(grep -c '^      "status": "skipped"' "$run/manifest.json") == 7 - 2 * $newer"
[ "$newer" -eq 1 ] || holds "virtio-iommu says what it needs" \
	"$(grep -c '"reason": .*make images-newer' "$run/manifest.json") == 2"
holds "viommu-nested says what it needs" \
	"$(grep -c 'scalable mode and nested translation' "$run/manifest.json") == 2"
holds "boot says why not in native modes" \
	"$(grep -c '"reason": "workload boot says nothing' "$run/manifest.json") == 3"

proof 1 '"host.iommu_group/type": "identity"'
proof 1 '"host.iommu_group/type": "DMA-FQ"'
proof 1 '"host.iommu_group/type": "DMA"'
proof 2 '"qemu.device": "nvme"'
proof 2 '"qemu.device": "virtio-blk-pci"'
proof 4 '"nvme.behind": "nvme'
proof 2 '"host.transparent_huge_bytes": [1-9]'
proof 2 '"host.hugetlb_bytes": [1-9]'
proof 2 '"guest.pinned_in_pool_bytes": [1-9]'
proof 2 'guest.*iommu_group/type": "identity"'
proof 4 'guest.*iommu_group/type": "DMA"'
[ "$newer" -eq 0 ] || proof 2 'guest.*iommu_group/type": "DMA-FQ"'
proof 4 'bound tracked"'
exit $((failures > 0))
