// SPDX-License-Identifier: GPL-2.0-only
/*
 * No assignment: the VM has a device of QEMU's, emulated or paravirtual, and QEMU drives the
 * host's device behind it through the host's driver. Nothing is pinned for the VM.
 */
#include <errno.h>
#include <string.h>

#include "bench/mode.h"
#include "bench/modes/proof.h"
#include "harness/boot.h"
#include "harness/pci.h"
#include "harness/proc.h"
#include "harness/util.h"

/* What QEMU says that the device under test is: its type. */
static int device_type(struct boot *boot, char **type)
{
	json_t *args =
		json_pack("{s:s, s:s}", "path", "/machine/peripheral/dut", "property", "type");
	json_t *reply = NULL;
	int ret = qmp_command(boot->vm->qmp, "qom-get", args, 10, &reply);

	*type = xstrdup(json_is_string(reply) ? json_string_value(reply) : "");
	json_decref(reply);
	return ret;
}

static int prove_device(struct boot *boot, bool paravirtual, json_t *proof)
{
	static const char *const link = "/sys/bus/pci/devices/" BOOT_DEVICE_BDF "/driver";
	char *const argv[] = { (char *)"readlink", (char *)link, NULL };
	autofree char *type = NULL, *driver = NULL;
	int ret = device_type(boot, &type);

	if (!ret)
		ret = guest_run(boot->vm->guest, argv, 30, &driver);
	if (ret)
		return ret;
	driver[strcspn(driver, "\n")] = '\0';
	json_object_set_new(proof, "qemu.device", json_string(type));
	json_object_set_new(proof, "guest.driver", json_string(driver));
	if (!strncmp(type, "vfio", 4) || paravirtual != !strncmp(type, "virtio-", 7) ||
	    paravirtual != (strstr(driver, "/virtio-pci") != NULL))
		return boot_fail(boot, -EPROTO, "the VM's device is a %s with driver %s", type,
				 driver);
	return 0;
}

/* The host's device stays with the host's driver, and QEMU pins nothing. */
static int prove_host(struct boot *boot, json_t *proof)
{
	const char *address = host_device(boot->host, device_kind(boot->cell->device))->address;
	unsigned long long pinned = proc_locked_bytes(boot->vm->proc.pid);
	autofree char *driver = pci_driver(address);

	json_object_set_new(proof, "host.driver", driver ? json_string(driver) : json_null());
	json_object_set_new(proof, "host.pinned_bytes", json_integer((json_int_t)pinned));
	if (!driver || !strcmp(driver, "vfio-pci"))
		return boot_fail(boot, -EPROTO, "%s is not with a driver of the host: %s", address,
				 driver ? driver : "it has none");
	if (pinned)
		return boot_fail(boot, -EPROTO, "%s are pinned without an assigned device",
				 human_bytes((double)pinned));
	return 0;
}

static int prove_with(struct boot *boot, bool paravirtual, json_t *proof)
{
	int ret = proof_no_guest_iommu(boot, proof);

	if (!ret)
		ret = prove_device(boot, paravirtual, proof);
	return ret ? ret : prove_host(boot, proof);
}

static int prove_emulated(struct boot *boot, const struct settings *settings, json_t *proof)
{
	return prove_with(boot, false, proof);
}

static int prove_virtio(struct boot *boot, const struct settings *settings, json_t *proof)
{
	return prove_with(boot, true, proof);
}

const struct mode_ops mode_emulated = {
	.name = "emulated",
	.help = "no assignment: a device that QEMU emulates, the host's behind it",
	.attach = ATTACH_EMULATED,
	.prove = prove_emulated,
};

const struct mode_ops mode_virtio = {
	.name = "virtio",
	.help = "no assignment: a paravirtual device, the host's behind it",
	.attach = ATTACH_VIRTIO,
	.prove = prove_virtio,
};
