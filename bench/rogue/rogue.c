// SPDX-License-Identifier: GPL-2.0-only
/* What is tried with the rogue device, and what proves its outcome: memory compared. */
#include "bench/rogue/rogue.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "bench/rogue/bystander.h"
#include "bench/rogue/registers.h"
#include "harness/kmsg.h"
#include "harness/log.h"

#define DMA_S 0.1     /* a DMA of edu's takes that long, a drive's less */
#define COMMAND_S 60. /* one of few DMAs; an emulated machine may stand still */

const char *rogue_target_name(enum rogue_target target)
{
	static const char *const names[NR_TARGETS] = {
		[TARGET_MAPPED] = "mapped",	[TARGET_BESIDE] = "beside",
		[TARGET_FAR] = "far",		[TARGET_GUEST] = "guest",
		[TARGET_UNMAPPED] = "unmapped", [TARGET_HOST] = "host",
		[TARGET_OTHER_VM] = "other_vm", [TARGET_OTHER_GROUP] = "other_group",
	};

	return names[target];
}

int rogue_guest_setup(struct boot *boot, const struct settings *settings)
{
	char *const argv[] = { (char *)"modprobe", (char *)"rogue", NULL };
	autofree char *pages = NULL;
	int ret = guest_run(boot->vm->guest, argv, 60, NULL);

	if (ret == -EREMOTEIO)
		return boot_fail(boot, ret, "the guest has no module rogue for its kernel");
	if (!ret)
		ret = guest_read(boot->vm->guest, ROGUE_DEBUGFS "/pages", &pages);
	if (!ret && !*pages)
		ret = boot_fail(boot, -ENODEV,
				"the guest's driver has not bound the device: its "
				"console says why");
	return ret;
}

int rogue_open(struct cell_run *run, struct rogue *rogue)
{
	*rogue = (struct rogue){ .run = run };
	strbuf_addf(&rogue->csv, "target,way,bus_address,result,tries,passed,faults\n");
	rogue->kmsg = kmsg_open();
	return rogue->kmsg < 0 ? boot_fail(run->boot, rogue->kmsg,
					   "cannot read the host kernel's messages: %s",
					   strerror(-rogue->kmsg))
			       : 0;
}

void rogue_close(struct rogue *rogue)
{
	if (rogue->kmsg >= 0)
		close(rogue->kmsg);
	free(rogue->csv.data);
	for (size_t i = 0; i < NR_TARGETS; i++)
		free(rogue->notes[i]);
}

/* The write to the module returns when it is done: a process of its own does it. */
static int command(struct rogue *rogue, const char *text, double limit_s, char **result)
{
	struct guest *guest = rogue->run->boot->vm->guest;
	autofree char *script = xasprintf("echo '%s' >" ROGUE_DEBUGFS "/run", text);
	char *const argv[] = { (char *)"sh", (char *)"-c", script, NULL };
	int ret = guest_run(guest, argv, limit_s, NULL);

	if (ret == -EREMOTEIO)
		boot_fail(rogue->run->boot, ret, "the rogue device does not do '%s'", text);
	return ret ? ret : guest_read(guest, ROGUE_DEBUGFS "/result", result);
}

static int unreadable(struct rogue *rogue, const char *what)
{
	return boot_fail(rogue->run->boot, -EBADMSG,
			 "the guest's module says of its %s what cannot be understood", what);
}

/* --- the record --- */

/* The faults since the last look. The kernel prints 10 in 5 s at most. */
static int count_faults(struct rogue *rogue, unsigned int *faults)
{
	struct kmsg_findings findings = { 0 };
	int ret = kmsg_read(rogue->kmsg, &findings);

	*faults = findings.iommu_faults;
	rogue->faults += findings.iommu_faults;
	kmsg_findings_free(&findings);
	return ret;
}

static int record(struct rogue *rogue, enum rogue_target target, const char *way, uint64_t address,
		  const struct rogue_tally *tally)
{
	unsigned int faults;
	int ret = count_faults(rogue, &faults);

	strbuf_addf(&rogue->csv, "%s,%s,%#llx,%s,%u,%u,%u\n", rogue_target_name(target), way,
		    (unsigned long long)address, rogue_verdict_name(rogue_verdict(tally)),
		    tally->tries, tally->passed, faults);
	return ret;
}

static int record_one(struct rogue *rogue, enum rogue_target target, const char *way,
		      uint64_t address, bool passed)
{
	struct rogue_tally one = { 0 };

	rogue_count(&one, passed);
	rogue_count(&rogue->tallies[target], passed);
	return record(rogue, target, way, address, &one);
}

/* --- a page that should not be reached --- */

/* Memory that the CPU can look at, and its address on the bus. */
struct victim {
	enum rogue_target target;
	const char *page;		   /* of the module's, or NULL */
	const struct bystander *bystander; /* else, or NULL */
	const struct registers *registers; /* else */
};

static int look(struct rogue *rogue, const struct victim *victim, struct rogue_page *page)
{
	autofree char *text = NULL;
	int ret;

	if (victim->registers) {
		page->physical = registers_address(victim->registers);
		registers_read(victim->registers, page->content);
		return 0;
	}
	if (victim->bystander) {
		ret = bystander_address(victim->bystander, &page->physical);
		if (!ret)
			ret = bystander_read(victim->bystander, page->content);
		return ret;
	}
	ret = guest_read(rogue->run->boot->vm->guest, ROGUE_DEBUGFS "/pages", &text);
	if (ret)
		return ret;
	return rogue_parse_page(text, victim->page, page) ? unreadable(rogue, "pages") : 0;
}

/* Reads 16 bytes by DMA. */
static int fetch(struct rogue *rogue, uint64_t address, uint8_t *data)
{
	autofree char *text = xasprintf("read %#llx", (unsigned long long)address);
	autofree char *result = NULL;
	int ret = command(rogue, text, COMMAND_S, &result);

	if (ret)
		return ret;
	return rogue_parse_data(result, data) ? unreadable(rogue, "data") : 0;
}

/* The page may have been moved by the host meanwhile: then a try tells nothing. */
static int moved(struct rogue *rogue, const struct victim *victim)
{
	cell_invalid(rogue->run, "%s: the memory was moved or changed by somebody else",
		     rogue_target_name(victim->target));
	return 0;
}

static int try_read(struct rogue *rogue, const struct victim *victim)
{
	struct rogue_page before = { 0 }, after = { 0 };
	uint8_t data[ROGUE_MARK];
	int ret = look(rogue, victim, &before);

	if (!ret)
		ret = fetch(rogue, before.physical, data);
	if (!ret)
		ret = look(rogue, victim, &after);
	if (ret)
		return ret;
	if (after.physical != before.physical ||
	    memcmp(after.content, before.content, ROGUE_MARK) != 0)
		return moved(rogue, victim);
	return record_one(rogue, victim->target, "read", before.physical,
			  !memcmp(data, before.content, ROGUE_MARK));
}

static int try_write(struct rogue *rogue, const struct victim *victim)
{
	struct rogue_page before = { 0 }, after = { 0 };
	autofree char *hex = NULL, *text = NULL, *result = NULL;
	uint8_t mark[ROGUE_MARK];
	bool passed;
	int ret = look(rogue, victim, &before);

	if (!ret && getrandom(mark, sizeof(mark), 0) != sizeof(mark))
		ret = -EIO;
	if (ret)
		return ret;
	hex = rogue_hex(mark);
	text = xasprintf("write %#llx %s", (unsigned long long)before.physical, hex);
	ret = command(rogue, text, COMMAND_S, &result);
	if (!ret)
		ret = look(rogue, victim, &after);
	if (ret)
		return ret;
	passed = !memcmp(after.content, mark, ROGUE_MARK);
	if (after.physical != before.physical ||
	    (!passed && memcmp(after.content, before.content, ROGUE_MARK) != 0))
		return moved(rogue, victim);
	return record_one(rogue, victim->target, "write", before.physical, passed);
}

static int try_victim(struct rogue *rogue, const struct victim *victim)
{
	int ret = try_read(rogue, victim);

	return ret ? ret : try_write(rogue, victim);
}

/* why: of what could not be had, taken over. A user who wants to stop is obeyed. */
static int skip(struct rogue *rogue, enum rogue_target target, int ret, char *why)
{
	if (ret == -EINTR || !why) {
		free(why);
		return ret;
	}
	log_warn("%s: target %s is not tried: %s", rogue->run->cell->id, rogue_target_name(target),
		 why);
	rogue->notes[target] = why;
	return 0;
}

/* ret and why: how the bystander was had; both are taken over. */
static int try_bystander(struct rogue *rogue, enum rogue_target target, struct bystander *bystander,
			 int ret, char *why)
{
	const struct victim victim = { .target = target, .bystander = bystander };

	if (ret)
		return skip(rogue, target, ret, why);
	ret = try_victim(rogue, &victim);
	bystander_free(bystander);
	return ret;
}

static int try_host(struct rogue *rogue)
{
	struct bystander *page = NULL;
	char *why = NULL;
	int ret = bystander_host(rogue->run->boot, &page, &why);

	return try_bystander(rogue, TARGET_HOST, page, ret, why);
}

static int try_other_vm(struct rogue *rogue)
{
	autofree char *dir = xasprintf("%s/other-vm", rogue->run->dir);
	struct bystander *vm = NULL;
	char *why = NULL;
	int ret = bystander_vm(rogue->run->boot, dir, &vm, &why);

	return try_bystander(rogue, TARGET_OTHER_VM, vm, ret, why);
}

/* Reads only: whatever was written there would be done by the other device. */
static int try_other_group(struct rogue *rogue)
{
	const struct boot *boot = rogue->run->boot;
	const struct host_device *own =
		host_device(boot->host, device_kind(rogue->run->cell->device));
	struct victim victim = { .target = TARGET_OTHER_GROUP };
	struct registers *registers = NULL;
	autofree char *bars = NULL;
	char *why = NULL;
	int ret = guest_read(boot->vm->guest, "/sys/bus/pci/devices/" BOOT_DEVICE_BDF "/resource",
			     &bars);

	if (!ret)
		ret = registers_open(boot->host, own->address, bars,
				     boot->guest_config->memory_bytes, &registers, &why);
	if (ret)
		return skip(rogue, TARGET_OTHER_GROUP, ret, why);
	victim.registers = registers;
	ret = try_read(rogue, &victim);
	registers_close(registers);
	return ret;
}

int rogue_try_targets(struct rogue *rogue)
{
	static const struct victim pages[] = { { .target = TARGET_BESIDE, .page = "beside" },
					       { .target = TARGET_FAR, .page = "far" } };
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(pages) && !ret; i++)
		ret = try_victim(rogue, &pages[i]);
	if (!ret)
		ret = try_host(rogue);
	if (!ret)
		ret = try_other_vm(rogue);
	return ret ? ret : try_other_group(rogue);
}

/* --- many tries in one command --- */

int rogue_try_stale(struct rogue *rogue, double limit_s)
{
	struct rogue_tally *mapped = &rogue->tallies[TARGET_MAPPED];
	struct rogue_tally *stale = &rogue->tallies[TARGET_UNMAPPED];
	autofree char *text = xasprintf("stale %.0f", limit_s * 1e3), *result = NULL;
	int ret = command(rogue, text, 2 * limit_s + COMMAND_S, &result);

	if (!ret)
		ret = cell_save(rogue->run, "stale.txt", result, strlen(result));
	if (ret)
		return ret;
	if (rogue_parse_stale(result, mapped, stale))
		return unreadable(rogue, "stale page");
	ret = record(rogue, TARGET_MAPPED, "read+write", 0, mapped);
	return ret ? ret : record(rogue, TARGET_UNMAPPED, "write", 0, stale);
}

int rogue_try_sweep(struct rogue *rogue, unsigned int probes)
{
	struct rogue_tally *sweep = &rogue->tallies[TARGET_GUEST];
	uint64_t end = rogue_guest_end(rogue->run->boot->guest_config->memory_bytes);
	autofree char *text = xasprintf("sweep %u %llu", probes, (unsigned long long)end);
	autofree char *result = NULL;
	int ret = command(rogue, text, probes * DMA_S * 2 + COMMAND_S, &result);

	if (!ret)
		ret = cell_save(rogue->run, "sweep.txt", result, strlen(result));
	if (ret)
		return ret;
	if (rogue_parse_sweep(result, sweep))
		return unreadable(rogue, "sweep");
	return record(rogue, TARGET_GUEST, "read", 0, sweep);
}
