// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keeps an idle VM with one vCPU open in the virtual lab, for ever. KVM switches static keys
 * when the first VM comes, the last one goes and their APICs are enabled: it patches the kernel's
 * text under the other CPU's feet. Emulated CPUs now and then miss the end of such a patch and
 * spin on its breakpoint for good. With this VM there the keys never change.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int vm = kvm < 0 ? -1 : ioctl(kvm, KVM_CREATE_VM, 0);

	if (vm < 0 || ioctl(vm, KVM_CREATE_IRQCHIP, 0) || ioctl(vm, KVM_CREATE_VCPU, 0) < 0) {
		perror("lab_hold");
		return 1;
	}
	/* The caller goes on when this is closed: the VM is there now. */
	if (close(STDOUT_FILENO))
		return 1;
	for (;;)
		pause();
}
