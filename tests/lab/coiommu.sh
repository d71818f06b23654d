#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs inside of the virtual lab: what coIOMMU must stand, and what must be found out about it.
# Prints one "ok" or "not ok" line a test. Usage: coiommu.sh BUILD_DIR TESTS_DIR
# shellcheck disable=SC2015 # "test && ok || bad" is if-then-else: ok does not fail
set -u

build=$1
tests=$2
host=/run/iommubench/lab/host.yaml
work=$(mktemp -d)
failures=0
. "$tests/lib.sh"

"$build/tests/lab/life" "$build" "$host" "$work/life" || failures=$((failures + 1))

# Pages that are said to be pinned and are not: the IOMMU stops the device, what it should have
# written is not in memory (fio reads back other blocks), and the cell is invalid.
before=$(dmesg | grep -c 'DMAR: \[DMA')
COIOMMU_BREAK=no-pin COIOMMU_BREAK_AFTER=40 "$build/iommubench" run "$tests/negative.yaml" \
	--where host --host "$host" --out "$work/negative" >"$work/log" 2>&1
expect "DMA to pages that are not pinned is found out" $? 4 "read back wrong"
cp "$work"/negative/cells/*/0/fio.stderr "$work/log"
expect "it leaves memory untouched: other data are read back" 0 0 "verify: bad "
[ "$(dmesg | grep -c 'DMAR: \[DMA')" -gt "$before" ] &&
	ok "the IOMMU reports it" ||
	bad "the IOMMU reports it" "no DMAR message"

# A VM under constant unpinning and a small quota, while the host moves its memory about.
sh "$tests/stress.sh" "$build/iommubench" "$tests" 0 >"$work/log" 2>&1
expect "data survive unpinning, eviction and memory pressure" $? 0 "without a fault"

exit $((failures > 0))
