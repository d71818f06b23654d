#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Checks the results of tests/lab/experiment.yaml against what must hold on any machine.
# Usage: results.sh RUN_DIR MEMORY_BYTES
set -u

run=$1
memory=$2
failures=0

# value MODE WORKLOAD METRIC
value() { sample "$1.nvme.$2" "$3"; }

. "${0%/*}/holds.sh"

read=fio.rw=randread
write=fio.rw=randwrite

holds "every cell is ok" "$(cells_ok "$run") == 15"
holds "samples.csv has its header" \
	"$(head -n 1 "$run/samples.csv" | grep -c '^cell,mode,device,workload,variant,boot,metric,unit,direction,value$') == 1"
for mode in static viommu-strict viommu-lazy viommu-pt coiommu; do
	holds "$mode: data written reads back right" "$(value $mode $write verify_errors) == 0"
	holds "$mode: no IOMMU fault" "$(value $mode $read iommu_faults) == 0"
	holds "$mode: reads were done" "$(value $mode $read read_iops) > 0"
	holds "$mode: the stages of creation follow one another" \
		"0 < $(value $mode boot stage_mapped_s) &&
		$(value $mode boot stage_mapped_s) <= $(value $mode boot vm_create_s) &&
		$(value $mode boot vm_create_s) < $(value $mode boot stage_kernel_s) &&
		$(value $mode boot stage_kernel_s) < $(value $mode boot vm_ready_s)"
done
for mode in static viommu-strict viommu-lazy viommu-pt; do
	holds "$mode: VFIO pins all memory while the VM starts" \
		"$(value $mode boot pinned_start_bytes) >= $memory"
done
holds "coiommu pins nothing while the VM starts" \
	"$(value coiommu boot pinned_start_bytes) == 0"
holds "static pins all memory under load" "$(value static $read pinned_peak_bytes) >= $memory"
holds "viommu-pt pins all memory under load" \
	"$(value viommu-pt $read pinned_peak_bytes) >= $memory"
for mode in viommu-strict viommu-lazy coiommu; do
	holds "$mode pins under 2 % of it" \
		"$(value $mode $read pinned_peak_bytes) < 0.02 * $memory &&
		$(value $mode $read pinned_peak_bytes) > 0"
done
holds "coiommu: what is really mapped is less than what is pinned, but not nothing" \
	"0 < $(value coiommu $read mapped_mean_bytes) &&
	$(value coiommu $read mapped_mean_bytes) <= 1.05 * $(value coiommu $read pinned_mean_bytes)"
holds "it is recorded over time where it is known" \
	"$(find "$run/cells" -name mapped.csv | grep -c coiommu) == 3 &&
	$(find "$run/cells" -name mapped.csv | wc -l) == 3"
holds "static makes no mapping under load" "$(value static $read host_map_calls) == 0"
holds "viommu-strict maps for each read" \
	"$(value viommu-strict $read host_map_calls) > 100"
# How often a guest halts between two I/Os is up to the emulator: static has 1.4 to 2.4 exits.
holds "viommu-strict needs 1.5 times the exits of static" \
	"$(value viommu-strict $read vm_exits_per_op) >= 1.5 * $(value static $read vm_exits_per_op)"
holds "coiommu asks for few pages once its working set is pinned" \
	"$(value coiommu $read pin_requests_per_1000_maps) < 5 &&
	$(value coiommu $read dma_maps) > 100"
holds "coiommu is created faster than static" \
	"$(value coiommu boot vm_create_s) < 0.8 * $(value static boot vm_create_s)"
if grep -q '"where": "lab-tcg"' "$run/manifest.json"; then
	holds "viommu-strict needs 1.5 times the instructions of static" \
		"$(value viommu-strict $read lab_instructions_per_op) / \
		$(value static $read lab_instructions_per_op) >= 1.5"
	holds "coiommu needs at most 1.25 times the instructions of static" \
		"$(value coiommu $read lab_instructions_per_op) / \
		$(value static $read lab_instructions_per_op) <= 1.25"
fi
holds "viommu-lazy is lazy" "$(grep -c 'iommu_group/type": "DMA-FQ"' "$run/manifest.json") == 3"
holds "viommu-strict is strict" "$(grep -c 'iommu_group/type": "DMA"' "$run/manifest.json") == 3"
holds "viommu-pt is passthrough" \
	"$(grep -c 'iommu_group/type": "identity"' "$run/manifest.json") == 3"
holds "coiommu tracks the device" \
	"$(grep -c 'coiommu/devices": "0000:00:10.0 bound tracked"' "$run/manifest.json") == 3"
holds "the report is there, with its plots" \
	"$([ -s "$run/report.html" ] && [ -n "$(find "$run/plots" -name '*.png')" ] && echo 1)"
holds "the report loads nothing from anywhere" \
	"$(grep -cE '(src|href)="(https?:)?//' "$run/report.html") == 0"
exit $((failures > 0))
