#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Run inside of the virtual lab: what its GPU displays, as a PNG. The emulator takes the picture
# when it finds a file in the lab's share (harness/lab_screen.c). Usage: lab-screen.sh SHARE PNG
set -eu

share=$1
rm -f "$share/screen.png" "$share/screen.failed"
: >"$share/screen.ask"
n=0
until [ -e "$share/screen.png" ]; do
	if [ -e "$share/screen.failed" ]; then
		echo "lab-screen.sh: the emulator takes no picture: $(cat "$share/screen.failed")" >&2
		exit 1
	fi
	n=$((n + 1))
	[ "$n" -le 150 ] || { echo "lab-screen.sh: no picture within 15 s" >&2; exit 1; }
	sleep 0.1
done
cp "$share/screen.png" "$2"
