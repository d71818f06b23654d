#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Checks every file that git tracks with every tool, one line a tool; fails if any finds something.
# Called by `make lint`, which gives the compilers' flags in LINT_CFLAGS, the kernel's headers
# in LINT_KDIR and a folder to build modules in in LINT_DIR.
set -u
cd "$(dirname "$0")/.." || exit 1

if [ -z "${LINT_CFLAGS:-}" ] || [ -z "${LINT_KDIR:-}" ] || [ -z "${LINT_DIR:-}" ]; then
	echo "lint: no flags or folders: call it as 'make lint'" >&2
	exit 1
fi
jobs=$(nproc 2>/dev/null || echo 2)
found=0
output=$(mktemp) || exit 1
trap 'rm -f "$output"' EXIT
trap 'exit 130' INT TERM

# Tracked files of these patterns, as far as they exist here.
files() {
	git ls-files -- "$@" | while read -r file; do
		[ ! -f "$file" ] || echo "$file"
	done
}

# Sources that compile in user space. The kernel's tools look after the modules: see
# scripts/lint-modules.sh.
sources() {
	files "$@" ':!drivers/guest'
}

# verdict NAME STATUS: says what the tool found; it wrote that to $output.
verdict() {
	if [ "$2" -eq 0 ]; then
		echo "lint: $1: ok"
	else
		grep -v ' generated\.$' "$output" # clang's counts
		echo "lint: $1: failed"
		found=1
	fi
}

have_files() {
	[ -n "$(files '*.c')" ] || { echo "git lists no sources: is this a git checkout?"; false; }
}

have_licence() {
	files '*.c' '*.h' '*.sh' '*.gp' '*.mk' '*/Kbuild' Makefile .clang-tidy .ci/run | {
		ret=0
		while read -r file; do
			head -n 3 "$file" | grep -q 'SPDX-License-Identifier: GPL-2\.0-only' && continue
			echo "$file: no SPDX line"
			ret=1
		done
		return "$ret"
	}
}

# compile COMPILER: several files at once, each in its own process.
compile() {
	# shellcheck disable=SC2086 # a list of flags
	sources '*.c' | xargs -P "$jobs" -n 1 "$1" $LINT_CFLAGS -Werror -fsyntax-only
}

format() {
	sources '*.c' '*.h' | xargs clang-format --dry-run -Werror
}

# One file a process: version 14 gives false errors about va_list when it gets several.
tidy() {
	# shellcheck disable=SC2016 # for the inner shell
	sources '*.c' | TIDY_FLAGS=$LINT_CFLAGS xargs -P "$jobs" -n 1 \
		sh -c 'clang-tidy --quiet --config-file=.clang-tidy "$0" -- $TIDY_FLAGS'
}

# It has no macros of system headers; jansson's loops it must know to parse them.
errors() {
	jansson=$(pkg-config --variable=includedir jansson)/jansson.h
	sources '*.c' | xargs cppcheck --quiet -j "$jobs" --std=c11 -D_GNU_SOURCE \
		-I. -Idrivers/include -Idrivers/host --include="$jansson" \
		--enable=warning,performance,portability --error-exitcode=1 --inline-suppr
}

scripts() {
	files '*.sh' .ci/run scripts/nightly 'scripts/fleet/*' | xargs shellcheck --external-sources --source-path=SCRIPTDIR
}

have_files >"$output" 2>&1
verdict "tracked files" $?
have_licence >"$output" 2>&1
verdict "SPDX lines" $?
compile gcc >"$output" 2>&1
verdict gcc $?
if command -v clang >/dev/null 2>&1; then
	compile clang >"$output" 2>&1
	verdict clang $?
else
	echo "lint: clang: not installed, skipped"
fi
format >"$output" 2>&1
verdict clang-format $?
tidy >"$output" 2>&1
verdict clang-tidy $?
errors >"$output" 2>&1
verdict cppcheck $?
scripts >"$output" 2>&1
verdict shellcheck $?
scripts/lint-modules.sh "$LINT_KDIR" "$LINT_DIR" >"$output" 2>&1
verdict sparse $?
exit $found
