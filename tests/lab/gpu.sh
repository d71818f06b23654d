#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Checks the results of tests/lab/gpu.yaml against what must hold on any machine.
# Usage: gpu.sh RUN_DIR MEMORY_BYTES
set -u

run=$1
memory=$2
failures=0
. "${0%/*}/holds.sh"

cost=lab_instructions_per_op
flips=mode=640x480
changes=mode=1024x768
# Buffers of the display program: 2 of 640x480, 3 of 1024x768, 4 bytes a pixel.
small=$((2 * 640 * 480 * 4))
large=$((3 * 1024 * 768 * 4))
# Beside them the console's own, 1280x800, and little else: rings, and what is being destroyed.
more=$((1280 * 800 * 4 + 1024 * 768 * 4 + (2 << 20)))

# value MODE VARIANT METRIC
value() { sample "$1.gpu.gpu.$2" "$3"; }

holds "every cell is ok" "$(cells_ok "$run") == 9"
for mode in static viommu-strict coiommu; do
	for variant in $flips $changes; do
		holds "$mode $variant: frames are shown" \
			"$(value $mode "$variant" frames_per_s) > 1 &&
			$(value $mode "$variant" $cost) > 10000"
		holds "$mode $variant: latencies are in order" \
			"0 < $(value $mode "$variant" lat_p50_s) &&
			$(value $mode "$variant" lat_p50_s) <= $(value $mode "$variant" lat_p99_s) &&
			$(value $mode "$variant" lat_p99_s) <= $(value $mode "$variant" lat_max_s)"
		holds "$mode $variant: the display's picture was compared with what was drawn" \
			"$(value $mode "$variant" gpu_pictures) == 1 &&
			$(grep -c 'every pixel' "$run/cells/$mode.gpu.gpu.$variant/0/display.png.txt")"
		holds "$mode $variant: no IOMMU fault" "$(value $mode "$variant" iommu_faults) == 0"
	done
	holds "$mode: buffers are as large as they must be" \
		"$(value $mode $flips gpu_buffer_bytes) == $small &&
		$(value $mode $changes gpu_buffer_bytes) == $large"
	holds "$mode: every fourth frame has a new buffer" \
		"$(value $mode $flips gpu_buffers_created) == 0 &&
		$(value $mode $changes gpu_buffers_created) > 0 &&
		$(value $mode $changes gpu_buffer_change_p50_s) > 0"
done
for mode in static viommu-strict coiommu; do
	cell=$mode.gpu.gpu_command
	scores=$run/cells/$cell/0/scores.csv
	# The lab's command prints three figures: the second of them in order is the sample.
	holds "$mode: the host file's command gave its figures" \
		"$(sample $cell command_scores) == 3 && $(grep -c . "$scores") == 4 &&
		$(sample $cell command_score) > 1 &&
		$(sample $cell command_score) == $(tail -n 3 "$scores" | sort -g | sed -n 2p)"
	holds "$mode: it was measured from its start to its end" \
		"$(sample $cell command_s) > 3 * 40 / $(sort -g "$scores" | tail -n 1) &&
		$(sample $cell vm_exits) > 100 && $(sample $cell pinned_peak_bytes) >= $small &&
		$(sample $cell iommu_faults) == 0"
done
holds "coiommu has curves of what is pinned and of what is mapped" \
	"$(tail -n +2 "$run/cells/coiommu.gpu.gpu.$flips/0/pinned.csv" | grep -c .) > 5 &&
	$(sort -t, -k2 -g "$run/cells/coiommu.gpu.gpu.$flips/0/mapped.csv" | tail -n 1 |
		cut -d, -f2) >= $small &&
	$(grep -c 'coiommu, mapped' "$run/plots/pinned-gpu_command.svg") >= 1"
holds "static pins all memory" "$(value static $flips pinned_peak_bytes) >= $memory"
for mode in viommu-strict coiommu; do
	holds "$mode pins the buffers and little else" \
		"$(value $mode $flips pinned_peak_bytes) >= $small &&
		$(value $mode $flips pinned_peak_bytes) < $small + $more &&
		$(value $mode $changes pinned_peak_bytes) >= $large"
done
holds "viommu-strict maps for each frame, coiommu nothing new" \
	"$(value viommu-strict $flips host_map_calls) > 10 &&
	$(value coiommu $flips host_map_calls) < 0.1 * \
	$(value viommu-strict $flips host_map_calls)"
holds "coiommu costs less than viommu-strict" \
	"$(value coiommu $flips $cost) < $(value viommu-strict $flips $cost)"
# One boot of each on a busy machine; measurements say how near.
holds "coiommu is not far from static" \
	"$(value static $flips $cost) > 0.85 * $(value coiommu $flips $cost)"
holds "every cell's picture is in the report" \
	"$(grep -o 'src="data:image/png;base64,iVBORw0KGgo' "$run/report.html" | grep -c .) == 6"
exit $((failures > 0))
