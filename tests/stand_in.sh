#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Stands for iommubench in tests/nightly.sh: notes how it was called in $STAND_IN/calls and does
# what $STAND_IN/COMMAND says: an exit status, or commands ending in one. A run leaves a manifest
# that says $STAND_IN/status.
echo "$*" >>"$STAND_IN/calls"
command=$1
if [ "$command" = run ]; then
	while [ "$1" != --out ]; do
		shift
	done
	[ ! -e "$STAND_IN/status" ] ||
		printf '{\n  "status": "%s"\n}\n' "$(cat "$STAND_IN/status")" >"$2/manifest.json"
fi
[ -e "$STAND_IN/$command" ] || exit 0
# shellcheck disable=SC1090 # what the test has put there
. "$STAND_IN/$command"
