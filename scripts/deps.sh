#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Installs what building, testing and running need and this machine lacks. Debian and Ubuntu
# only; elsewhere it says what is needed and exits with 3.
set -eu

packages="gcc make git pkg-config libc6-dev libjansson-dev libyaml-dev libpci-dev libcmocka-dev
	libdpdk-dev libdrm-dev libhwloc-dev libnuma-dev libpng-dev libsqlite3-dev
	qemu-system-x86 qemu-system-data fio iperf3 memcached ethtool iproute2 gnuplot-nox
	slurmctld slurmd slurm-client munge kmod cpio erofs-utils busybox-static binutils xz-utils zstd
	procps clang clang-format clang-tidy cppcheck libclang-rt-dev shellcheck sparse libxml2-utils
	python3-prometheus-client"

fail() {
	echo "deps: $*" >&2
	exit 3
}

if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg-query >/dev/null 2>&1; then
	# shellcheck disable=SC2086 # a list of package names
	fail "this is neither Debian nor Ubuntu; install the equivalents of:" $packages
fi

missing=
for package in $packages; do
	state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
	[ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

sudo=
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null 2>&1 || fail "needs root to install:$missing"
	sudo=sudo
fi

echo "deps: installing$missing"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get -q update >/dev/null || fail "'apt-get update' failed: is there a network?"
# shellcheck disable=SC2086 # a list of package names
$sudo apt-get -q -y --no-install-recommends install $missing >/dev/null ||
	fail "cannot install:$missing"

# Their packages start servers on this machine, which nobody asked for.
for server in memcached slurmctld slurmd munge; do
	case $missing in
	*" $server"*) $sudo systemctl disable --now "$server" >/dev/null 2>&1 || true ;;
	esac
done
