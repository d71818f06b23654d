// SPDX-License-Identifier: GPL-2.0-only
/* A virtual machine's configuration, and the command line that comes of it. */
#include "harness/vm_command.h"

#include <errno.h>
#include <string.h>

#include "harness/agent_proto.h"
#include "harness/guest_files.h"
#include "harness/log.h"
#include "harness/shell.h"

#define QEMU "qemu-system-x86_64"

/* The machine parts a measured guest has no use for; each costs boot time. */
#define MACHINE \
	"q35,kernel-irqchip=split,smbus=off,sata=off,hpet=off,usb=off,graphics=off,vmport=off"

/*
 * Kernel arguments of every VM of ours. The last four only spare time: probes for hardware
 * that is not there, some of them ten thousands of exits long (a scan of 256 empty PCI buses
 * for an AGP bridge, another for peer buses).
 */
static const char *const common_cmdline[] = {
	"console=ttyS0",       "quiet",
	"loglevel=4",	       "panic=-1",
	"tsc=reliable",	       "no_timer_check",
	"i8042.noaux",	       "i8042.nokbd",
	"8250.nr_uarts=1",     "cryptomgr.notests",
	"random.trust_cpu=on", "pci=lastbus=0",
	"iommu=noaperture",
};

void vm_config_free(struct vm_config *config)
{
	free(config->qemu);
	free(config->kernel);
	free(config->initrd);
	free(config->root);
	free(config->backend);
	strlist_free(&config->args);
	strlist_free(&config->cmdline);
	strlist_free(&config->env);
}

static int need_file(const char *path)
{
	if (file_exists(path))
		return 0;
	log_err("%s is missing: run 'make images'", path);
	return -ENOENT;
}

/* The file that is named, or the build's, of those images. To free. */
static char *choose_file(const struct vm_config *config, enum guest_file file, const char *folder,
			 const char *which, const char *name)
{
	const char *named = config->files ? config->files->paths[file] : NULL;

	return named ? xstrdup(named)
		     : xasprintf("%s/%s%s/%s", config->build_dir, folder, which, name);
}

/* Compressed: started unpacked (PVH), a guest with VFIO and a vIOMMU never comes up. */
void vm_config_images(struct vm_config *config, const char *which)
{
	free(config->kernel);
	free(config->initrd);
	free(config->root);
	config->kernel = choose_file(config, GUEST_KERNEL, "kernel", which, "vmlinuz");
	config->initrd = choose_file(config, GUEST_INITRD, "images", which, "guest.cpio");
	config->root = choose_file(config, GUEST_ROOT, "images", which, "guest.erofs");
}

int vm_config_guest(const char *build_dir, const struct guest_files *files, uint64_t memory_bytes,
		    unsigned int cpus, struct vm_config *config)
{
	int ret;

	*config = (struct vm_config){ .accel = "kvm",
				      .cpu = "host",
				      .firmware = "qboot.rom",
				      .build_dir = build_dir,
				      .files = files,
				      .memory_bytes = memory_bytes,
				      .cpus = cpus,
				      .no_thp = true };
	vm_config_images(config, "");
	config->backend = choose_file(config, GUEST_BACKEND, "drivers", "", "libcoiommu.so");
	if (files && files->paths[GUEST_QEMU])
		config->qemu = xstrdup(files->paths[GUEST_QEMU]);
	ret = need_file(config->kernel);
	if (!ret)
		ret = need_file(config->initrd);
	if (!ret)
		ret = need_file(config->root);
	if (ret)
		vm_config_free(config);
	return ret;
}

/* Memory that QEMU would not choose by itself. */
static void add_memory(const struct vm_config *config, struct strlist *argv)
{
	struct strbuf object = { 0 };

	if (!config->hugetlb && !config->bind_memory)
		return;
	strbuf_addf(&object, "memory-backend-%s,id=ram0,size=%lluM",
		    config->hugetlb ? "memfd" : "ram",
		    (unsigned long long)(config->memory_bytes / MIB));
	if (config->hugetlb)
		strbuf_addf(&object, ",hugetlb=on,hugetlbsize=2M,prealloc=on");
	if (config->bind_memory)
		strbuf_addf(&object, ",host-nodes=%d,policy=bind", config->memory_node);
	strlist_add(argv, "-object");
	strlist_add(argv, object.data);
	strlist_add(argv, "-machine");
	strlist_add(argv, "memory-backend=ram0");
	free(object.data);
}

/* -append takes one string. */
static char *join_cmdline(const struct vm_config *config)
{
	struct strbuf sb = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(common_cmdline); i++)
		strbuf_addf(&sb, "%s%s", i ? " " : "", common_cmdline[i]);
	for (size_t i = 0; i < config->cmdline.nr; i++)
		strbuf_addf(&sb, " %s", config->cmdline.items[i]);
	return sb.data;
}

const char *vm_qemu(const struct vm_config *config)
{
	return config->qemu ? config->qemu : QEMU;
}

void vm_arguments(const struct vm_config *config, const char *dir, int qmp_fd, int agent_fd,
		  struct strlist *argv)
{
	autofree char *cmdline = join_cmdline(config);
	const char *const fixed[] = {
		"-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-S",
		"-msg",	       "timestamp=on",	  "-M",		MACHINE,
	};

	strlist_add(argv, vm_qemu(config));
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		strlist_add(argv, fixed[i]);
	if (config->firmware) {
		strlist_add(argv, "-bios");
		strlist_add(argv, config->firmware);
	}
	strlist_add(argv, "-accel");
	strlist_add(argv, config->accel);
	strlist_add(argv, "-cpu");
	strlist_add(argv, config->cpu);
	strlist_add(argv, "-smp");
	strlist_addf(argv, "%u", config->cpus);
	strlist_add(argv, "-m");
	strlist_addf(argv, "%lluM", (unsigned long long)(config->memory_bytes / MIB));
	strlist_add(argv, "-kernel");
	strlist_add(argv, config->kernel);
	strlist_add(argv, "-initrd");
	strlist_add(argv, config->initrd);
	strlist_add(argv, "-append");
	strlist_add(argv, cmdline);
	strlist_add(argv, "-serial");
	strlist_addf(argv, "file:%s/console.log", dir);
	strlist_add(argv, "-chardev");
	strlist_addf(argv, "socket,id=qmp,fd=%d", qmp_fd);
	strlist_add(argv, "-mon");
	strlist_add(argv, "chardev=qmp,mode=control");
	strlist_add(argv, "-device");
	strlist_add(argv, "virtio-serial-pci,addr=0x3");
	strlist_add(argv, "-chardev");
	strlist_addf(argv, "socket,id=agent,fd=%d", agent_fd);
	strlist_add(argv, "-device");
	strlist_add(argv, "virtserialport,chardev=agent,nr=1,name=" AGENT_PORT_NAME);
	if (config->root) {
		strlist_add(argv, "-drive");
		strlist_addf(argv, "file=%s,if=none,id=root,format=raw,readonly=on", config->root);
		strlist_add(argv, "-device");
		strlist_add(argv, "virtio-blk-pci,drive=root,addr=0x2");
	}
	add_memory(config, argv);
	for (size_t i = 0; i < config->args.nr; i++)
		strlist_add(argv, config->args.items[i]);
}

char *vm_quote(const struct vm_config *config, const struct strlist *argv)
{
	struct strbuf sb = { 0 };

	for (size_t i = 0; i < config->env.nr; i++) {
		shell_quote(&sb, config->env.items[i]);
		strbuf_add(&sb, " ", 1);
	}
	for (size_t i = 0; i < argv->nr; i++) {
		if (i)
			strbuf_add(&sb, " ", 1);
		shell_quote(&sb, argv->items[i]);
	}
	return sb.data;
}

char *vm_command_line(const struct vm_config *config, const char *dir)
{
	struct strlist argv = { 0 };
	char *text;

	vm_arguments(config, dir, -1, -1, &argv);
	text = vm_quote(config, &argv);
	strlist_free(&argv);
	return text;
}
