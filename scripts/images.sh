#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Makes the images from the unpacked kernel and this machine's own packages:
#   lab.cpio     initramfs of the virtual lab: agent, then this machine's root over 9p
#   guest.cpio   initramfs of the measured guest: agent, drivers for its root
#   guest.erofs  its root: the load tools with their libraries, modules
# Usage: images.sh KERNEL_DIR AGENT OUT_DIR [GUEST_MODULE.ko | LOAD_TOOL]...
set -eu

kernel=$(realpath "$1")
agent=$2
out=$3
shift 3
version=$(cat "$kernel/version")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What the guest can run.
tools="fio iperf3 memcached ethtool kmod"
# Drivers that a guest loads once it is up, with all they depend on.
guest_modules="nvme e1000 e1000e igb igc ixgbe i40e ice mlx5_core virtio_net virtio_gpu uio_pci_generic vfio-pci vfio_iommu_type1"

# A guest whose kernel has it needs it before any of its devices.
iommu=
[ -z "$(find "$kernel/lib/modules" -name virtio-iommu.ko)" ] || iommu=virtio_iommu

# Paths of modules and all they depend on, in loading order, below $kernel.
module_paths() {
	for module; do
		modprobe -d "$kernel" -S "$version" --show-depends "$module" ||
			{ echo "images.sh: kernel $version has no module $module" >&2; exit 1; }
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

# initramfs DIR MODULE... : modules, agent and /init.conf (its tail comes from stdin)
initramfs() {
	dir=$1
	shift
	mkdir -p "$dir/modules" "$dir/dev" "$dir/sys" "$dir/proc" "$dir/root" "$dir/ro" "$dir/rw"
	cp "$agent" "$dir/init"
	{
		echo "mount devtmpfs /dev devtmpfs"
		echo "mount sysfs /sys sysfs"
		module_paths "$@" | while read -r path; do
			cp "$path" "$dir/modules/"
			echo "insmod /modules/$(basename "$path")"
		done
		cat
	} >"$dir/init.conf"
	(cd "$dir" && find . -print0 | sort -z |
		cpio --null --quiet -o -H newc -R 0:0 --reproducible)
}

# copy_tool NAME ROOT: a program with the libraries it loads
copy_tool() {
	path=$(PATH=$PATH:/usr/sbin:/sbin command -v "$1") ||
		{ echo "images.sh: $1 is not installed: make deps" >&2; exit 1; }
	name=${1##*/}
	cp -L "$path" "$2/usr/bin/$name"
	strip --strip-unneeded "$2/usr/bin/$name" 2>/dev/null || true
	{ ldd "$path" 2>/dev/null || true; } | grep -oE '/[^ ]+' | while read -r lib; do
		mkdir -p "$2/usr${lib%/*}" 2>/dev/null || true
		case $lib in
		/usr/*) dest=$2$lib ;;
		*) dest=$2/usr$lib ;;
		esac
		mkdir -p "${dest%/*}"
		[ -e "$dest" ] || { cp -L "$lib" "$dest"; strip --strip-unneeded "$dest"; }
	done
}

mkdir -p "$out"

initramfs "$work/lab" virtio_pci virtio_console 9p 9pnet_virtio overlay \
	>"$out/lab.cpio" <<'EOF'
mount root /ro 9p ro,trans=virtio,version=9p2000.L,msize=512000,cache=loose
mount tmpfs /rw tmpfs
mkdir /rw/upper
mkdir /rw/work
mount overlay /root overlay lowerdir=/ro,upperdir=/rw/upper,workdir=/rw/work
mount /dev /root/dev bind
mount proc /root/proc proc
mount sysfs /root/sys sysfs
mount tmpfs /root/run tmpfs
root /root
mount tracefs /sys/kernel/tracing tracefs
mount debugfs /sys/kernel/debug debugfs
mkdir /dev/shm
mount tmpfs /dev/shm tmpfs
mkdir /dev/pts
mount devpts /dev/pts devpts
symlink /proc/self/fd /dev/fd
EOF

# shellcheck disable=SC2086 # may be empty
initramfs "$work/guest" virtio_pci $iommu virtio_console virtio_blk erofs \
	>"$out/guest.cpio" <<'EOF'
mount /dev/vda /root erofs ro
mount /dev /root/dev bind
mount proc /root/proc proc
mount sysfs /root/sys sysfs
mount tmpfs /root/tmp tmpfs
mount tmpfs /root/run tmpfs
root /root
mount debugfs /sys/kernel/debug debugfs
symlink /proc/self/fd /dev/fd
EOF

root=$work/tools
mkdir -p "$root/usr/bin" "$root/usr/lib" "$root/usr/lib64" "$root/dev" "$root/proc" "$root/sys" \
	"$root/tmp" "$root/run" "$root/root" "$root/etc"
for link in bin sbin; do
	ln -s usr/bin "$root/$link"
done
ln -s bin "$root/usr/sbin"
ln -s usr/lib "$root/lib"
ln -s usr/lib64 "$root/lib64"
for tool in $tools; do
	copy_tool "$tool" "$root"
done
ln -s kmod "$root/usr/bin/modprobe"
cp "$(command -v busybox)" "$root/usr/bin/busybox"
for applet in sh cat ls dmesg sleep readlink mount; do
	ln -s busybox "$root/usr/bin/$applet"
done
echo "root:x:0:0:root:/root:/bin/sh" >"$root/etc/passwd"
echo "root:x:0:" >"$root/etc/group"
# shellcheck disable=SC2086 # a list of module names
module_paths $guest_modules | while read -r path; do
	install -D -m 644 "$path" "$root/usr/lib/${path#"$kernel"/lib/}"
done
for extra; do
	case $extra in
	*.ko) install -D -m 644 "$extra" "$root/usr/lib/modules/$version/extra/${extra##*/}" ;;
	*) copy_tool "$extra" "$root" ;;
	esac
done
cp "$kernel/lib/modules/$version/modules.builtin" "$kernel/lib/modules/$version/modules.order" \
	"$root/usr/lib/modules/$version/"
depmod -b "$root" "$version" 2>/dev/null
rm -f "$out/guest.erofs"
mkfs.erofs --quiet -zlz4 -T0 -U 00000000-0000-0000-0000-000000000000 "$out/guest.erofs" "$root"
