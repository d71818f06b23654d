// SPDX-License-Identifier: GPL-2.0-only
/*
 * coIOMMU guest driver: finds the host, hands it the tracking table, and puts tracking DMA
 * operations on every assigned device before its driver binds.
 *
 * Must be loaded before the drivers of assigned devices. It can be unloaded when none of them
 * is bound.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/reboot.h>

#include "coiommu.h"

#define MAX_IDS 64

static char *track = "assigned";
module_param(track, charp, 0444);
MODULE_PARM_DESC(track, "devices: assigned (as the host tells), all, or PCI addresses");

LIST_HEAD(coiommu_devs);
DEFINE_MUTEX(coiommu_devs_lock); /* protects the list, its members' state, and leaving */
static bool leaving; /* nothing is attached any more */

static struct resource *ports;
struct platform_device *coiommu_parent;

/* ---- Which devices ------------------------------------------------------------------ */

static bool named_in_parameter(struct pci_dev *pdev)
{
	const char *name = pci_name(pdev), *at = track;
	size_t len = strlen(name);

	while ((at = strstr(at, name))) {
		if ((at == track || at[-1] == ',') &&
		    (!at[len] || at[len] == ',' || at[len] == '\n'))
			return true;
		at += len;
	}
	return false;
}

static bool assigned(struct pci_dev *pdev)
{
	u64 id = COIOMMU_DEVICE(pdev->vendor, pdev->device, pdev->subsystem_vendor,
				pdev->subsystem_device);
	u64 ids[MAX_IDS];
	int i, nr = coiommu_query_devices(ids, MAX_IDS);

	for (i = 0; i < nr; i++) {
		if (ids[i] == id)
			return true;
	}
	return false;
}

static bool wanted(struct device *dev)
{
	struct pci_dev *pdev = to_pci_dev(dev);

	if (pdev->hdr_type != PCI_HEADER_TYPE_NORMAL)
		return false;
	if (!strcmp(track, "assigned"))
		return assigned(pdev);
	return !strcmp(track, "all") || named_in_parameter(pdev);
}

/* ---- Tracked devices ---------------------------------------------------------------- */

static struct coiommu_dev *find(struct device *dev)
{
	struct coiommu_dev *cd;

	list_for_each_entry(cd, &coiommu_devs, node) {
		if (cd->dev == dev)
			return cd;
	}
	return NULL;
}

static struct coiommu_dev *attach(struct device *dev)
{
	struct platform_device_info info = {
		.parent = &coiommu_parent->dev,
		.name = "coiommu-proxy",
		.id = PLATFORM_DEVID_AUTO,
	};
	struct coiommu_dev *cd;

	/* Another IOMMU translates for it: its ops are not direct, and not to be replaced. */
	if (get_dma_ops(dev)) {
		dev_warn(dev, "coiommu: has DMA operations already, not tracked\n");
		return NULL;
	}
	cd = kzalloc(sizeof(*cd), GFP_KERNEL);
	if (!cd)
		return NULL;
	cd->proxy = platform_device_register_full(&info);
	if (IS_ERR(cd->proxy)) {
		kfree(cd);
		return NULL;
	}
	set_dev_node(&cd->proxy->dev, dev_to_node(dev));
	cd->dev = get_device(dev);
	cd->ops = coiommu_dma_ops;
	list_add_tail(&cd->node, &coiommu_devs);
	set_dma_ops(dev, &cd->ops);
	dev_info(dev, "coiommu: DMA is tracked\n");
	return cd;
}

/* The group was switched: the IOMMU driver has put its own operations there. */
static bool remapped(struct coiommu_dev *cd)
{
	const struct dma_map_ops *ops = get_dma_ops(cd->dev);

	return ops && ops != &cd->ops;
}

static void detach(struct coiommu_dev *cd)
{
	if (!remapped(cd))
		set_dma_ops(cd->dev, NULL);
	/* Not a mask of its own: it points into the real device. */
	cd->proxy->dev.dma_mask = NULL;
	platform_device_unregister(cd->proxy);
	list_del(&cd->node);
	put_device(cd->dev);
	kfree(cd);
}

/* A driver is about to probe: from here to its end the module must stay. */
static void bind(struct device *dev)
{
	struct coiommu_dev *cd = find(dev);

	if (cd && remapped(cd)) {
		dev_info(dev, "coiommu: is remapped, not tracked any more\n");
		detach(cd);
		return;
	}
	if (!cd && !leaving && wanted(dev))
		cd = attach(dev);
	if (!cd)
		return;
	if (!cd->bound && !try_module_get(THIS_MODULE)) {
		detach(cd);
		return;
	}
	cd->bound = true;
	if (!get_dma_ops(dev))
		set_dma_ops(dev, &cd->ops);
}

static void unbind(struct device *dev)
{
	struct coiommu_dev *cd = find(dev);

	if (cd && cd->bound) {
		cd->bound = false;
		module_put(THIS_MODULE);
	}
}

static int bus_event(struct notifier_block *nb, unsigned long action, void *data)
{
	struct device *dev = data;
	struct coiommu_dev *cd;

	mutex_lock(&coiommu_devs_lock);
	switch (action) {
	case BUS_NOTIFY_ADD_DEVICE:
		if (!leaving && !find(dev) && wanted(dev))
			attach(dev);
		break;
	case BUS_NOTIFY_BIND_DRIVER:
		bind(dev);
		break;
	case BUS_NOTIFY_DRIVER_NOT_BOUND:
	case BUS_NOTIFY_UNBOUND_DRIVER:
		unbind(dev);
		break;
	case BUS_NOTIFY_REMOVED_DEVICE:
		unbind(dev);
		cd = find(dev);
		if (cd)
			detach(cd);
		break;
	}
	mutex_unlock(&coiommu_devs_lock);
	return NOTIFY_DONE;
}

static struct notifier_block bus_notifier = {
	.notifier_call = bus_event,
};

/* A driver that is bound already may hold mappings that nobody counted. */
static int refuse_bound(struct device *dev, void *data)
{
	int err = 0;

	device_lock(dev);
	if (dev->driver && wanted(dev)) {
		dev_err(dev, "coiommu: driver %s was bound first; load coiommu before it\n",
			dev->driver->name);
		err = -EBUSY;
	}
	device_unlock(dev);
	return err;
}

/* A device that is present already; one that was bound since we looked stays as it is. */
static int attach_present(struct device *dev, void *data)
{
	device_lock(dev);
	mutex_lock(&coiommu_devs_lock);
	if (!find(dev) && wanted(dev)) {
		if (dev->driver)
			dev_err(dev, "coiommu: driver %s came first, its DMA is not tracked\n",
				dev->driver->name);
		else
			attach(dev);
	}
	mutex_unlock(&coiommu_devs_lock);
	device_unlock(dev);
	return 0;
}

/* What a driver binds to meanwhile is detached by the notifier, which stays until the end. */
static void detach_all(void)
{
	struct coiommu_dev *cd;

	mutex_lock(&coiommu_devs_lock);
	leaving = true;
	mutex_unlock(&coiommu_devs_lock);
	for (;;) {
		struct device *dev;

		mutex_lock(&coiommu_devs_lock);
		cd = list_first_entry_or_null(&coiommu_devs, struct coiommu_dev, node);
		dev = cd ? get_device(cd->dev) : NULL;
		mutex_unlock(&coiommu_devs_lock);
		if (!dev)
			return;
		/* A probe that failed may still be freeing what it had allocated. */
		device_lock(dev);
		mutex_lock(&coiommu_devs_lock);
		cd = find(dev);
		if (cd)
			detach(cd);
		mutex_unlock(&coiommu_devs_lock);
		device_unlock(dev);
		put_device(dev);
	}
}

/* ---- Host --------------------------------------------------------------------------- */

static int find_host(void)
{
	u32 magic, version;

	ports = request_region(COIOMMU_PORT, COIOMMU_PORT_NR, KBUILD_MODNAME);
	if (!ports)
		return -EBUSY;
	magic = inl(COIOMMU_PORT + COIOMMU_REG_MAGIC);
	version = inl(COIOMMU_PORT + COIOMMU_REG_VERSION);
	if (magic != COIOMMU_MAGIC) {
		pr_info("no coIOMMU host\n");
		goto release;
	}
	if (version >> 16 != COIOMMU_VERSION_MAJOR) {
		pr_err("host has version %#x, this is %#x\n", version, COIOMMU_VERSION);
		goto release;
	}
	return 0;
release:
	release_region(COIOMMU_PORT, COIOMMU_PORT_NR);
	return -ENODEV;
}

static int activate(void)
{
	u64 arg[6] = { coiommu_dtt_root_pfn(), coiommu_dtt_levels(), COIOMMU_VERSION };
	u32 status = coiommu_command(COIOMMU_OP_ACTIVATE, arg);

	if (status == COIOMMU_OK)
		return 0;
	pr_err("host refuses the tracking table: %u\n", status);
	return -EIO;
}

/*
 * Devices still do DMA while the machine shuts down, so the pins stay. But the host must not
 * write to the table by itself once another kernel has that memory (kexec).
 */
static int reboot_event(struct notifier_block *nb, unsigned long action, void *data)
{
	coiommu_command(COIOMMU_OP_PARK, NULL);
	return NOTIFY_DONE;
}

static struct notifier_block reboot_notifier = {
	.notifier_call = reboot_event,
	.priority = INT_MIN,
};

/* ---- Module ------------------------------------------------------------------------- */

static int __init coiommu_init(void)
{
	int err = find_host();

	if (err)
		return err;
	err = coiommu_dtt_init();
	if (err)
		goto release_ports;
	err = coiommu_request_init();
	if (err)
		goto free_table;
	coiommu_parent = platform_device_register_simple(KBUILD_MODNAME, PLATFORM_DEVID_NONE,
							 NULL, 0);
	if (IS_ERR(coiommu_parent)) {
		err = PTR_ERR(coiommu_parent);
		goto free_track;
	}
	/* Before the host takes static pins away from a driver that is at work. */
	err = bus_for_each_dev(&pci_bus_type, NULL, NULL, refuse_bound);
	if (!err)
		err = activate();
	if (err)
		goto unregister_parent;
	err = coiommu_user_init();
	if (err)
		goto deactivate;
	bus_register_notifier(&pci_bus_type, &bus_notifier);
	bus_for_each_dev(&pci_bus_type, NULL, NULL, attach_present);
	register_reboot_notifier(&reboot_notifier);
	coiommu_debugfs_init();
	pr_info("active, %u levels\n", coiommu_dtt_levels());
	return 0;
deactivate:
	coiommu_command(COIOMMU_OP_DEACTIVATE, NULL);
unregister_parent:
	platform_device_unregister(coiommu_parent);
free_track:
	coiommu_request_exit();
free_table:
	coiommu_dtt_exit();
release_ports:
	release_region(COIOMMU_PORT, COIOMMU_PORT_NR);
	return err;
}

static void __exit coiommu_exit(void)
{
	struct coiommu_stats stats;

	coiommu_user_exit();
	coiommu_debugfs_exit();
	unregister_reboot_notifier(&reboot_notifier);
	detach_all();
	bus_unregister_notifier(&pci_bus_type, &bus_notifier);
	coiommu_stats_read(&stats);
	if (stats.mapped_pages)
		pr_warn("%lld pages are still mapped\n", stats.mapped_pages);
	coiommu_command(COIOMMU_OP_DEACTIVATE, NULL);
	platform_device_unregister(coiommu_parent);
	coiommu_request_exit();
	coiommu_dtt_exit();
	release_region(COIOMMU_PORT, COIOMMU_PORT_NR);
}

module_init(coiommu_init);
module_exit(coiommu_exit);
MODULE_DESCRIPTION("coIOMMU: cooperative DMA tracking for assigned devices");
MODULE_LICENSE("GPL");
