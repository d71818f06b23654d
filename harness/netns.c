// SPDX-License-Identifier: GPL-2.0-only
/* The host change "netns": a network namespace that gets a port, here or on a remote host. */
#include <errno.h>
#include <string.h>

#include "harness/journal.h"
#include "harness/journal_record.h"
#include "harness/netdev.h"
#include "harness/shell.h"
#include "harness/util.h"

#define COMMAND_S 30

static const char *text_of(const json_t *record, const char *field)
{
	const char *text = json_string_value(json_object_get(record, field));

	return text ? text : "";
}

static bool same_port(const json_t *record, const struct netns_port *port)
{
	if (strcmp(text_of(record, "kind"), "netns") != 0)
		return false;
	if (port->bdf)
		return !strcmp(text_of(record, "bdf"), port->bdf);
	return !strcmp(text_of(record, "remote"), port->remote) &&
	       !strcmp(text_of(record, "interface"), port->interface);
}

/* "MTU STATE" of the interface as it is now. */
static int read_state(const char *remote, const char *interface, unsigned int *mtu,
		      const char **state, char **why)
{
	autofree char *quoted = shell_quoted(interface);
	autofree char *script = xasprintf("cd /sys/class/net/%s && cat mtu flags", quoted);
	autofree char *output = NULL;
	unsigned long flags = 0;
	char *mtu_end, *flags_end;
	int ret = shell_run(remote, script, COMMAND_S, &output);

	if (!ret) {
		*mtu = (unsigned int)strtoul(output, &mtu_end, 10);
		flags = strtoul(mtu_end, &flags_end, 16);
		if (mtu_end == output || flags_end == mtu_end)
			ret = -EIO;
	}
	if (ret) {
		*why = xasprintf("cannot read the state of %s%s%s: %s", interface,
				 remote ? " on " : "", remote ? remote : "",
				 output && *output ? output : strerror(-ret));
		return ret;
	}
	*state = flags & 1 ? "up" : "down"; /* IFF_UP */
	return 0;
}

/* Before anything is recorded: undoing would take somebody else's. */
static int check_name(const char *remote, const char *name, char **why)
{
	autofree char *script = xasprintf("test ! -e /run/netns/%s", name);
	int ret = shell_run(remote, script, COMMAND_S, NULL);

	if (ret)
		*why = xasprintf(
			"there is a network namespace %s%s%s already: is another iommubench "
			"using this peer? If not: ip netns del %s",
			name, remote ? " on " : "", remote ? remote : "", name);
	return ret ? -EEXIST : 0;
}

static int make(struct journal *journal, const char *name, const struct netns_port *port,
		const char *interface, char **why)
{
	autofree char *quoted = shell_quoted(interface), *output = NULL;
	autofree char *script = xasprintf("ip netns add %s && ip link set %s netns %s && "
					  "ip -n %s link set lo up",
					  name, quoted, name, name);
	autofree char *old_mtu = NULL, *rename = NULL;
	const char *state;
	unsigned int mtu;
	int ret = read_state(port->remote, interface, &mtu, &state, why);

	if (!ret)
		ret = check_name(port->remote, name, why);
	if (ret)
		return ret;
	old_mtu = xasprintf("%u", mtu);
	if (port->alias)
		rename = xasprintf("%s && ip -n %s link set %s down name %s", script, name, quoted,
				   port->alias);
	ret = journal_add_record(journal, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s?, s:s?}",
						    "kind", "netns", "name", name, "interface",
						    interface, "mtu", old_mtu, "state", state,
						    "remote", port->remote ? port->remote : "",
						    "bdf", port->bdf, "alias", port->alias));
	if (!ret)
		ret = shell_run(port->remote, rename ? rename : script, COMMAND_S, &output);
	if (!ret)
		return 0;
	*why = xasprintf("cannot make the network namespace %s for %s: %s", name, interface,
			 output && *output ? output : strerror(-ret));
	journal_roll_back(journal, false);
	return ret;
}

int journal_netns(struct journal *journal, const char *name, const struct netns_port *port,
		  char **interface, char **why)
{
	const json_t *record = journal_find(journal, same_port, port);
	autofree char *found = NULL;
	int ret = 0;

	if (record) {
		*interface = xstrdup(text_of(record, "interface"));
		return 0;
	}
	if (port->bdf)
		ret = netdev_free(port->bdf, &found, why);
	else
		ret = netdev_free_remote(port->remote, port->interface, why);
	if (!ret && !found)
		found = xstrdup(port->interface);
	if (!ret)
		ret = make(journal, name, port, found, why);
	if (ret)
		return ret;
	*interface = found;
	found = NULL;
	return 0;
}
