#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Unpacks the distribution's stock kernel into DIR without installing it: DIR/vmlinuz,
# DIR/version, DIR/lib/modules/VERSION, and the headers to build modules with it in
# DIR/headers/build. With `newer`, that of the distribution's backports; this machine's own package
# sources stay as they are. Usage: kernel.sh DIR [newer]
set -eu

dir=$1
newer=${2:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

fail() {
	echo "kernel.sh: $*" >&2
	exit 3
}

# backports URI SUITE: from here on apt knows nothing but that suite, in lists of its own.
backports() {
	mkdir -p "$work/apt/parts" "$work/apt/lists/partial" "$work/apt/cache/archives/partial"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $1 $2 main" \
		>"$work/apt/parts/newer.list"
	cat >"$work/apt/conf" <<EOF
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "$work/apt/parts";
Dir::State::Lists "$work/apt/lists";
Dir::Cache "$work/apt/cache";
APT::Sandbox::User "root";
EOF
	export APT_CONFIG="$work/apt/conf"
	apt-get -q update >"$work/update.log" 2>&1 || echo "E: it failed" >>"$work/update.log"
	! grep -q '^[EW]:' "$work/update.log" ||
		fail "cannot read $2 of $1: $(grep '^[EW]:' "$work/update.log" | head -n 1)"
}

if [ -n "$newer" ]; then
	# shellcheck disable=SC1091 # this machine's
	codename=$(. /etc/os-release && [ "$ID" = debian ] && echo "$VERSION_CODENAME") ||
		fail "only Debian has a kernel in its backports"
	# The mirror that this machine uses already.
	# shellcheck disable=SC2016 # apt's own variable
	uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' |
		head -n 1)
	[ -n "$uri" ] || fail "apt has no source of Debian's: run 'apt-get update' and try again"
	backports "$uri" "$codename-backports"
fi

# The meta package's dependency names the kernel of today.
image=
for meta in linux-image-amd64 linux-image-generic; do
	image=$(apt-cache depends "$meta" 2>/dev/null |
		awk '$1 == "Depends:" && $2 ~ /^linux-image-[0-9]/ { print $2; exit }')
	[ -z "$image" ] || break
done
[ -n "$image" ] || fail "no kernel package found: run 'apt-get update' and try again"

# Ubuntu keeps the modules in packages of their own.
version=${image#linux-image-}
packages=$image
for extra in "linux-modules-$version" "linux-modules-extra-$version"; do
	if apt-cache show "$extra" >/dev/null 2>&1; then
		packages="$packages $extra"
	fi
done
headers="linux-headers-$version $(apt-cache depends "linux-headers-$version" 2>/dev/null |
	awk '$1 == "Depends:" && $2 ~ /^linux-(headers|kbuild)-/ { printf "%s ", $2 }')"

# unpack TARGET PACKAGE...
unpack() {
	target=$1
	shift
	echo "  FETCH $*"
	mkdir "$work/deb"
	chmod 777 "$work/deb"
	(cd "$work/deb" && apt-get -q download "$@" >../download.log 2>&1) ||
		fail "cannot download $*: $(tail -n 1 "$work/download.log"): run 'apt-get update'"
	for deb in "$work/deb"/*.deb; do
		dpkg -x "$deb" "$target"
	done
	rm -r "$work/deb"
}

# shellcheck disable=SC2086 # lists of package names
{
	unpack "$work/root" $packages
	unpack "$work/headers" $headers
}
# Only now: a download that fails must leave the kernel that is there.
rm -rf "$dir"
mkdir -p "$dir/lib"
mv "$work/headers" "$dir/headers"
# What the packages expect in /usr/src is here.
root=$(realpath "$dir/headers")
ln -s "usr/src/linux-headers-$version" "$dir/headers/build"
[ -L "$root/build/Makefile" ] ||
	sed -i "s|/usr/src/|$root/usr/src/|g" "$root/build/Makefile"

cp "$work/root/boot/vmlinuz-$version" "$dir/vmlinuz"
# The kernel proper, unpacked: QEMU loads it as it is (PVH), which spares the lab the
# decompression. Where it cannot be found, the compressed image serves as well.
unpack_kernel() {
	for try in "xz:fd377a585a00" "zstd:28b52ffd" "lz4:02214c18" "gzip:1f8b08"; do
		tool=${try%%:*}
		magic=$(printf '%s' "${try#*:}" | sed 's/../\\x&/g')
		offset=$(LC_ALL=C grep -obUaP "$magic" "$dir/vmlinuz" | head -n 1 | cut -d: -f1)
		[ -n "$offset" ] || continue
		tail -c "+$((offset + 1))" "$dir/vmlinuz" | "$tool" -dc >"$dir/vmlinux" 2>/dev/null
		[ "$(head -c 4 "$dir/vmlinux" | tail -c 3)" = ELF ] && return 0
	done
	return 1
}
unpack_kernel || cp "$dir/vmlinuz" "$dir/vmlinux"
cp "$work/root/boot/config-$version" "$dir/config"
if [ -d "$work/root/usr/lib/modules" ]; then
	mv "$work/root/usr/lib/modules" "$dir/lib/modules"
else
	mv "$work/root/lib/modules" "$dir/lib/modules"
fi
# The agent loads modules as they are: no compressed ones.
find "$dir/lib/modules" -name '*.ko.xz' -exec xz -d {} +
find "$dir/lib/modules" -name '*.ko.zst' -exec zstd -q -d --rm {} +
sed -i 's/\.ko\.[a-z]*$/.ko/' "$dir/lib/modules/$version/modules.order"
depmod -b "$dir" "$version"
echo "$version" >"$dir/version"
