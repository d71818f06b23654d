// SPDX-License-Identifier: GPL-2.0-only
/* Virtual functions of NVMe drives: their shares of queues and interrupts. */
#include "harness/nvme_functions.h"

#include <errno.h>
#include <string.h>

#include "harness/journal.h"
#include "harness/journal_record.h"
#include "harness/log.h"
#include "harness/nvme_admin.h"
#include "harness/pci.h"
#include "harness/rebind.h"
#include "harness/util.h"

/* What a controller needs to work: the admin queue and one for I/O, an interrupt. */
static const uint16_t least[NVME_NR_RESOURCES] = { 2, 1 };

bool nvme_is_drive(const char *bdf)
{
	autofree char *path = pci_path(bdf, "class");
	autofree char *class = file_read_trimmed(path);

	return class && !strcmp(class, "0x010802");
}

/*
 * ---- the text of a division ----
 * "CONTROLLER:QUEUES,INTERRUPTS ...": of those secondary controllers that are to be set online, and
 * last of the primary one, behind a '=', if it is to give something up. It gets back what the
 * others no longer have.
 */

struct share {
	bool primary;
	uint16_t id;
	uint16_t nr[NVME_NR_RESOURCES];
};

static char *division_text(const struct nvme_drive *drive, unsigned int nr, bool primary)
{
	struct strbuf sb = { 0 };

	strbuf_add(&sb, "", 0); /* never NULL */
	for (size_t i = 0; i < drive->nr; i++) {
		const struct nvme_secondary *secondary = &drive->secondaries[i];

		/* Some say only later whose controller it is. */
		if (secondary->function <= nr && !secondary->online)
			strbuf_addf(&sb, "%u:%u,%u ", secondary->id, secondary->nr[NVME_QUEUES],
				    secondary->nr[NVME_INTERRUPTS]);
	}
	if (primary)
		strbuf_addf(&sb, "=%u:%u,%u", drive->id, drive->pools[NVME_QUEUES].primary,
			    drive->pools[NVME_INTERRUPTS].primary);
	return sb.data;
}

static bool read_number(const char **text, char end, uint16_t *nr)
{
	char *at;
	unsigned long value = strtoul(*text, &at, 10);

	if (at == *text || value > UINT16_MAX || (*at != end && (end != ' ' || *at)))
		return false;
	*nr = (uint16_t)value;
	*text = *at ? at + 1 : at;
	return true;
}

/* The next share, and *text behind it; false at the end, or of what is no share. */
static bool next_share(const char **text, struct share *share)
{
	share->primary = **text == '=';
	*text += share->primary;
	return **text && read_number(text, ':', &share->id) &&
	       read_number(text, ',', &share->nr[NVME_QUEUES]) &&
	       read_number(text, ' ', &share->nr[NVME_INTERRUPTS]);
}

/* ---- making room ---- */

static const struct nvme_secondary *find_function(const struct nvme_drive *drive,
						  unsigned int function)
{
	for (size_t i = 0; i < drive->nr; i++)
		if (drive->secondaries[i].function == function)
			return &drive->secondaries[i];
	return NULL;
}

static bool lacks(const struct nvme_drive *drive, const struct nvme_secondary *secondary,
		  enum nvme_resource resource)
{
	return drive->pools[resource].flexible &&
	       (!secondary || secondary->nr[resource] < least[resource]);
}

static unsigned int count_lacking(const struct nvme_drive *drive, unsigned int nr,
				  enum nvme_resource resource)
{
	unsigned int lacking = 0;

	for (unsigned int i = 1; i <= nr; i++)
		lacking += lacks(drive, find_function(drive, i), resource);
	return lacking;
}

/* What each of so many controllers can get of what nobody has. */
static uint16_t share_of(const struct nvme_pool *pool, unsigned int nr)
{
	uint32_t given = pool->primary + pool->secondaries;
	uint32_t share = pool->total > given ? (pool->total - given) / nr : 0;

	if (share > pool->most)
		share = pool->most;
	if (pool->granularity && share > pool->granularity)
		share -= share % pool->granularity;
	return (uint16_t)share;
}

static bool has_room(const struct nvme_drive *drive, unsigned int nr, enum nvme_resource resource)
{
	unsigned int lacking = count_lacking(drive, nr, resource);

	return !lacking || share_of(&drive->pools[resource], lacking) >= least[resource];
}

/* What the primary controller must keep to work. */
static uint16_t kept(const struct nvme_pool *pool, enum nvme_resource resource)
{
	return pool->own < least[resource] ? (uint16_t)(least[resource] - pool->own) : 0;
}

static int reset_function(const char *physical, int lock_fd)
{
	const struct rebind lock = { .bdf = physical, .lock_fd = lock_fd };
	autofree char *path = pci_path(physical, "reset");
	int ret;

	log_debug("%s: function reset", physical);
	ret = rebind_write(&lock, path, "1");
	if (ret)
		log_err("%s: cannot reset it (%s), without which its physical function keeps its "
			"queues: see dmesg",
			physical, strerror(-ret));
	return ret;
}

/* Can so many work? */
static int check_room(const char *physical, const struct nvme_drive *drive, unsigned int nr)
{
	for (unsigned int i = 0; i < NVME_NR_RESOURCES; i++) {
		const struct nvme_pool *pool = &drive->pools[i];

		if (has_room(drive, nr, i))
			continue;
		log_err("%s: of its %u %s the physical function needs %u, %u are given already, "
			"and a virtual one can have %u: too few for %u of them: lower 'functions', "
			"or free some ('nvme virt-mgmt' takes them from other controllers)",
			physical, pool->total, nvme_resource_names[i], pool->primary,
			pool->secondaries, pool->most, nr);
		return -ENOSPC;
	}
	return 0;
}

/* Must the physical function give some of it up, and can it? */
static bool must_release(const struct nvme_drive *drive, unsigned int nr,
			 enum nvme_resource resource)
{
	const struct nvme_pool *pool = &drive->pools[resource];

	return !has_room(drive, nr, resource) && pool->primary > kept(pool, resource);
}

static int release(struct journal *journal, int fd, const char *physical,
		   const struct nvme_drive *drive, unsigned int nr)
{
	int ret = 0;

	for (unsigned int i = 0; i < NVME_NR_RESOURCES && !ret; i++)
		if (must_release(drive, nr, i))
			ret = nvme_manage(fd, physical, NVME_PRIMARY_ALLOCATE, drive->id, i,
					  kept(&drive->pools[i], i));
	return ret ? ret : reset_function(physical, journal_lock_fd(journal));
}

static int record_division(struct journal *journal, const char *physical,
			   const struct nvme_drive *drive, unsigned int nr, bool primary)
{
	autofree char *serial = nvme_serial(physical);
	autofree char *division = division_text(drive, nr, primary);

	return journal_add_record(journal, json_pack("{s:s, s:s, s:s, s:s}", "kind",
						     "nvme_division", "bdf", physical, "serial",
						     serial ? serial : "", "division", division));
}

static int make_room(struct journal *journal, int fd, const char *physical,
		     const struct nvme_drive *drive, unsigned int nr)
{
	struct nvme_drive then = *drive; /* when the physical function has given up what it can */
	bool primary = false;
	int ret;

	for (unsigned int i = 0; i < NVME_NR_RESOURCES; i++) {
		if (!must_release(drive, nr, i))
			continue;
		primary = true;
		then.pools[i].primary = kept(&drive->pools[i], i);
	}
	ret = check_room(physical, &then, nr);
	if (!ret)
		ret = record_division(journal, physical, drive, nr, primary);
	if (ret || !primary)
		return ret;
	return release(journal, fd, physical, drive, nr);
}

/* What to do with a drive of nr virtual functions. 0 or -errno, logged. */
typedef int drive_fn(struct journal *journal, int fd, const char *physical,
		     const struct nvme_drive *drive, unsigned int nr);

/* A drive that does not know these commands is left as it is. */
static int with_drive(struct journal *journal, const char *physical, unsigned int nr, drive_fn *act)
{
	autoclose int fd = nvme_open(physical);
	struct nvme_drive drive;
	int ret;

	if (fd < 0)
		return fd;
	ret = nvme_drive_read(fd, physical, &drive);
	if (ret)
		return ret == -EOPNOTSUPP ? 0 : ret;
	ret = act(journal, fd, physical, &drive, nr);
	nvme_drive_free(&drive);
	return ret;
}

int journal_nvme_division(struct journal *journal, const char *physical, unsigned int nr)
{
	return with_drive(journal, physical, nr, make_room);
}

/* ---- giving out ---- */

static int set_online(int fd, const char *physical, const struct nvme_drive *drive,
		      const struct nvme_secondary *secondary, const uint16_t *shares)
{
	int ret = 0;

	for (unsigned int i = 0; i < NVME_NR_RESOURCES && !ret; i++)
		if (lacks(drive, secondary, i))
			ret = nvme_manage(fd, physical, NVME_ASSIGN, secondary->id, i, shares[i]);
	if (!ret && !secondary->online)
		ret = nvme_manage(fd, physical, NVME_ONLINE, secondary->id, NVME_QUEUES, 0);
	return ret;
}

static int give_out(struct journal *unused, int fd, const char *physical,
		    const struct nvme_drive *drive, unsigned int nr)
{
	uint16_t shares[NVME_NR_RESOURCES];
	int ret = check_room(physical, drive, nr);

	for (unsigned int i = 0; i < NVME_NR_RESOURCES; i++) {
		unsigned int lacking = count_lacking(drive, nr, i);

		shares[i] = lacking ? share_of(&drive->pools[i], lacking) : 0;
	}
	for (unsigned int i = 1; i <= nr && !ret; i++) {
		const struct nvme_secondary *secondary = find_function(drive, i);

		if (!secondary) {
			log_err("%s: the drive has no controller for its virtual function %u: "
				"lower 'functions'",
				physical, i);
			return -ENODEV;
		}
		ret = set_online(fd, physical, drive, secondary, shares);
	}
	return ret;
}

int nvme_functions_online(const char *physical, unsigned int nr)
{
	return with_drive(NULL, physical, nr, give_out);
}

/* ---- undo ---- */

static const struct nvme_secondary *find_controller(const struct nvme_drive *drive, uint16_t id)
{
	for (size_t i = 0; i < drive->nr; i++)
		if (drive->secondaries[i].id == id)
			return &drive->secondaries[i];
	return NULL;
}

/* Offline it has nothing, and gets what it had. */
static int restore_secondary(int fd, const char *physical, const struct nvme_secondary *now,
			     const struct share *old)
{
	int ret;

	if (!now->online && !memcmp(now->nr, old->nr, sizeof(old->nr)))
		return 0;
	ret = nvme_manage(fd, physical, NVME_OFFLINE, now->id, NVME_QUEUES, 0);
	for (unsigned int i = 0; i < NVME_NR_RESOURCES && !ret; i++)
		if (old->nr[i])
			ret = nvme_manage(fd, physical, NVME_ASSIGN, now->id, i, old->nr[i]);
	return ret;
}

/*
 * A crash between command and reset leaves a number that the next reset would make true: the
 * command is given even if the physical function has what it had.
 */
static int restore_primary(int fd, const char *physical, const struct nvme_drive *drive,
			   const struct share *old, int lock_fd)
{
	bool reset = false;
	int ret = 0;

	for (unsigned int i = 0; i < NVME_NR_RESOURCES && !ret; i++) {
		if (!drive->pools[i].flexible)
			continue;
		reset |= drive->pools[i].primary != old->nr[i];
		ret = nvme_manage(fd, physical, NVME_PRIMARY_ALLOCATE, drive->id, i, old->nr[i]);
	}
	return !ret && reset ? reset_function(physical, lock_fd) : ret;
}

static int divide(int fd, const char *physical, const struct nvme_drive *drive,
		  const char *division, int lock_fd)
{
	struct share share;
	int ret = 0;

	while (!ret && next_share(&division, &share)) {
		const struct nvme_secondary *now = find_controller(drive, share.id);

		if (share.primary)
			ret = restore_primary(fd, physical, drive, &share, lock_fd);
		else if (now)
			ret = restore_secondary(fd, physical, now, &share);
	}
	return !ret && *division ? -EBADMSG : ret;
}

/* Is it still to be done, and may it be? 1: yes; 0 or -errno, logged: no. */
static int undo_due(const char *physical, const char *serial)
{
	autofree char *now = nvme_serial(physical);
	autofree char *count_path = pci_path(physical, "sriov_numvfs");
	autofree char *count = file_read_trimmed(count_path);

	if (!nvme_is_drive(physical)) {
		log_debug("%s: gone, nothing to undo", physical);
		return 0;
	}
	if (now && strcmp(now, serial) != 0) {
		log_info("%s: another drive is there by now (%s, was %s): it stays as it is",
			 physical, now, serial);
		return 0;
	}
	if (!count || !strtoul(count, NULL, 10))
		return 1;
	log_err("%s: its virtual functions are still there, so their queues are not taken away",
		physical);
	return -EBUSY;
}

int nvme_divide(const char *physical, const char *serial, const char *division, int lock_fd)
{
	int ret = undo_due(physical, serial);
	autoclose int fd = ret > 0 ? nvme_open(physical) : -1;
	struct nvme_drive drive;

	if (ret <= 0)
		return ret;
	if (fd < 0)
		return fd;
	ret = nvme_drive_read(fd, physical, &drive);
	if (ret)
		return ret;
	ret = divide(fd, physical, &drive, division, lock_fd);
	nvme_drive_free(&drive);
	return ret;
}

static void add_command(struct strbuf *sb, const char *controller, enum nvme_action action,
			const struct share *share, enum nvme_resource resource)
{
	strbuf_addf(sb, "; nvme virt-mgmt /dev/%s -c %u -a %u", controller, share->id, action);
	if (action != NVME_OFFLINE)
		strbuf_addf(sb, " -r %u -n %u", resource, share->nr[resource]);
}

char *nvme_divide_by_hand(const char *physical, const char *division)
{
	autofree char *controller = nvme_controller(physical);
	struct strbuf sb = { 0 };
	struct share share;
	bool reset = false;

	strbuf_addf(&sb, "cd %s/bus/pci/devices/%s && echo 0 > sriov_numvfs", sysfs_root, physical);
	while (next_share(&division, &share)) {
		reset |= share.primary;
		if (!share.primary)
			add_command(&sb, controller ? controller : "nvme0", NVME_OFFLINE, &share,
				    0);
		for (unsigned int i = 0; i < NVME_NR_RESOURCES; i++)
			if (share.primary || share.nr[i])
				add_command(&sb, controller ? controller : "nvme0",
					    share.primary ? NVME_PRIMARY_ALLOCATE : NVME_ASSIGN,
					    &share, i);
	}
	strbuf_addf(&sb, reset ? "; echo 1 > reset" : "");
	return sb.data;
}
