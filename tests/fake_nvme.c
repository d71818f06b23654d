// SPDX-License-Identifier: GPL-2.0-only
/* A fake NVMe drive with secondary controllers. */
#include "tests/fake_nvme.h"

#include "tests/tree.h"

#include <errno.h>
#include <linux/nvme_ioctl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "tests/fake_kernel.h"

#define RESET BELOW NVME "/reset"

struct fake_nvme *fake_nvme;
static int reset_fd = -1;

static const struct fake_nvme fresh = {
	.total = { 8, 4 },
	.own = { 3, 2 },
	.most = { 3, 2 },
	.primary = { 8, 4 },
	.pending = { 8, 4 },
};

void fake_nvme_put(void)
{
	autofree char *reset = tree_path(RESET);

	if (!fake_nvme)
		fake_nvme = mmap(NULL, sizeof(*fake_nvme), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(fake_nvme, MAP_FAILED);
	*fake_nvme = fresh;
	tree_put(BELOW NVME "/nvme/nvme0/serial", FAKE_NVME_SERIAL "\n");
	tree_put("dev/nvme0", "");
	if (reset_fd >= 0)
		close(reset_fd);
	unlink(reset);
	assert_int_equal(mkfifo(reset, 0600), 0);
	reset_fd = fake_fifo(RESET);
	assert_true(reset_fd >= 0);
}

/* Whoever writes to it resets the function. */
static void take_resets(void)
{
	char text[64];

	if (read(reset_fd, text, sizeof(text)) <= 0)
		return;
	fake_nvme->resets++;
	for (unsigned int i = 0; i < 2; i++)
		fake_nvme->primary[i] = fake_nvme->pending[i];
}

bool fake_nvme_as_before(void)
{
	take_resets();
	for (unsigned int i = 0; i < FAKE_NVME_SECONDARIES; i++) {
		const struct fake_secondary *secondary = &fake_nvme->secondaries[i];

		if (secondary->nr[0] || secondary->nr[1] || secondary->online)
			return false;
	}
	return !memcmp(fake_nvme->primary, fresh.primary, sizeof(fresh.primary)) &&
	       !memcmp(fake_nvme->pending, fresh.pending, sizeof(fresh.pending));
}

static unsigned int given(unsigned int resource)
{
	unsigned int sum = 0;

	for (unsigned int i = 0; i < FAKE_NVME_SECONDARIES; i++)
		sum += fake_nvme->secondaries[i].nr[resource];
	return sum;
}

static void put16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
}

static void identify_primary(uint8_t *data)
{
	put16(data, FAKE_NVME_PRIMARY);
	data[4] = 3;
	for (unsigned int i = 0; i < 2; i++) {
		uint8_t *at = data + 32 + (size_t)i * 32;

		put16(at, fake_nvme->total[i]);
		put16(at + 4, given(i));
		put16(at + 8, fake_nvme->primary[i]);
		put16(at + 10, fake_nvme->own[i]);
		put16(at + 12, fake_nvme->most[i]);
		put16(at + 14, fake_nvme->granularity[i]);
	}
}

static void identify_secondaries(uint8_t *data, unsigned int first)
{
	for (unsigned int i = first ? first - 1 : 0; i < FAKE_NVME_SECONDARIES; i++) {
		const struct fake_secondary *secondary = &fake_nvme->secondaries[i];
		uint8_t *at = data + (size_t)++data[0] * 32;

		put16(at, i + 1);
		put16(at + 2, FAKE_NVME_PRIMARY);
		at[4] = secondary->online;
		put16(at + 8, i + 1);
		put16(at + 10, secondary->nr[0]);
		put16(at + 12, secondary->nr[1]);
	}
}

static int identify(const struct nvme_admin_cmd *cmd)
{
	uint8_t *data = (uint8_t *)(uintptr_t)cmd->addr; /* NOLINT(performance-no-int-to-ptr) */

	if (fake_nvme->unknown)
		return 0x4002; /* with "do not retry" */
	memset(data, 0, cmd->data_len);
	if ((cmd->cdw10 & 0xff) == 0x14)
		identify_primary(data);
	else
		identify_secondaries(data, cmd->cdw10 >> 16);
	return 0;
}

static int assign(struct fake_secondary *secondary, unsigned int resource, unsigned int nr)
{
	unsigned int others = given(resource) - secondary->nr[resource];

	if (secondary->online)
		return 0x4120;
	if (nr > fake_nvme->most[resource])
		return 0x4121;
	if (others + fake_nvme->primary[resource] + nr > fake_nvme->total[resource])
		return 0x4122;
	secondary->nr[resource] = (uint16_t)nr;
	return 0;
}

static int set_online(struct fake_secondary *secondary)
{
	if (secondary->nr[0] < 2 || !secondary->nr[1])
		return 0x4120;
	secondary->online = true;
	return 0;
}

static int manage(const struct nvme_admin_cmd *cmd)
{
	unsigned int id = cmd->cdw10 >> 16, resource = cmd->cdw10 >> 8 & 7;
	struct fake_secondary *secondary;

	fake_nvme->commands++;
	if (fake_nvme->refused)
		return fake_nvme->refused;
	if ((cmd->cdw10 & 0xf) == 1) {
		if (id != FAKE_NVME_PRIMARY)
			return 0x411f;
		if (given(resource) + cmd->cdw11 > fake_nvme->total[resource])
			return 0x4122;
		fake_nvme->pending[resource] = (uint16_t)cmd->cdw11;
		return 0;
	}
	if (!id || id > FAKE_NVME_SECONDARIES)
		return 0x411f;
	secondary = &fake_nvme->secondaries[id - 1];
	switch (cmd->cdw10 & 0xf) {
	case 7:
		*secondary = (struct fake_secondary){ 0 };
		return 0;
	case 8:
		return assign(secondary, resource, cmd->cdw11);
	default:
		return set_online(secondary);
	}
}

int fake_nvme_ioctl(unsigned long request, void *arg)
{
	const struct nvme_admin_cmd *cmd = arg;

	if (request != NVME_IOCTL_ADMIN_CMD) {
		errno = ENOTTY;
		return -1;
	}
	take_resets();
	return cmd->opcode == 0x06 ? identify(cmd) : manage(cmd);
}
