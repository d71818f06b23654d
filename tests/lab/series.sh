#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Checks a run of tests/lab/series.yaml, and that nothing is left of it to run.
# Usage: series.sh BENCH SERIES_DIR
set -u

bench=$1
dir=$2
failures=0
# shellcheck source=tests/lab/holds.sh
. "${0%/*}/holds.sh"

for name in coiommu-strain replay; do
	holds "$name has its report" "$([ -s "$dir/$name/report.html" ] && echo 1)"
	holds "the page about all leads there" "$(grep -c "href=\"$name/report.html\"" "$dir/report.html") == 1"
done
said=$("$bench" run --resume "$dir" 2>&1)
holds "a series that is done is not run again" \
	"$? == 0 && $(echo "$said" | grep -c 'done before') == 2 && $(echo "$said" | grep -c 'lab:') == 0"
exit $((failures > 0))
