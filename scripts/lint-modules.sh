#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Checks the guest's modules with the kernel's own tools: all its warnings, sparse, and
# checkpatch.pl if CHECKPATCH names one (the header packages have none). Prints what they find
# and fails if there is anything. Usage: lint-modules.sh KDIR SCRATCH_DIR
set -u
cd "$(dirname "$0")/.." || exit 1

if [ $# -ne 2 ] || [ ! -f "$1/Makefile" ]; then
	echo "usage: lint-modules.sh KDIR SCRATCH_DIR, with the headers of a kernel in KDIR" >&2
	exit 1
fi
if ! command -v sparse >/dev/null 2>&1; then
	echo "lint-modules.sh: sparse is not installed: call 'make deps'" >&2
	exit 1
fi
kdir=$1
found=0

# Only what is compiled gets checked, so each time all of it.
mkdir -p "$2" && scratch=$(cd "$2" && pwd) || exit 1
rm -rf "$scratch/guest" "$scratch/include"
cp -r drivers/guest drivers/include "$scratch/" || exit 1

unset MAKEFLAGS MFLAGS # of a make that calls us
make -s -j "$(nproc 2>/dev/null || echo 2)" -C "$kdir" M="$scratch/guest" W=1 C=2 \
	CF=-D__CHECK_ENDIAN__ modules >"$scratch/log" 2>&1 || found=1
if [ "$found" -ne 0 ] || grep -q -e 'warning:' -e 'error:' "$scratch/log"; then
	cat "$scratch/log"
	found=1
fi

# The host changes tracking units from another CPU even if the guest has one only, and then the
# kernel would patch ordinary lock prefixes away.
if objdump -h "$scratch/guest/coiommu_track.o" | grep -q '\.smp_locks'; then
	echo "coiommu_track.c: a lock prefix that does not stay in a guest with one CPU"
	found=1
fi

# checkpatch OPTIONS: a device's ops are a changed copy, which cannot be const. It leaves a
# cache where it is called.
checkpatch() {
	(cd "$scratch" && "$CHECKPATCH" --no-tree --strict --terse --ignore CONST_STRUCT "$@") ||
		found=1
}

if [ -n "${CHECKPATCH:-}" ]; then
	CHECKPATCH=$(realpath "$CHECKPATCH")
	for file in drivers/guest/*.[ch]; do
		case $file in
		*_trace.h) # tracepoints are laid out like tables
			checkpatch --ignore OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT -f "${file#*/}"
			;;
		*)
			checkpatch -f "${file#*/}"
			;;
		esac
	done
fi
exit $found
