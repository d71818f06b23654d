/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The journal of host changes. Each change is written here and flushed to the disk before it
 * is made, and undone in reverse order after a normal end, on a signal, at the next start
 * after a crash, and by `iommubench restore`.
 */
#ifndef HARNESS_JOURNAL_H
#define HARNESS_JOURNAL_H

struct journal;
struct strlist;

/*
 * Opens the journal in a directory (made if missing), takes its lock, so that two harnesses never
 * change the same host, and undoes what a crashed one left. -EBUSY: another one is running
 * (its pid and command are in the logged message), even after wait_s seconds (0: it is not waited
 * for); -EINTR: the user has interrupted the wait. A journal from before a reboot is dropped: what
 * it changed is gone with the reboot. If something could not be undone, the error names it and how
 * to mend it by hand, the entry is kept, and -EIO is returned.
 */
int journal_open(const char *dir, double wait_s, struct journal **out);

/*
 * Writes value to a sysfs or procfs attribute after journalling what it holds now. The
 * previous value is written back on undo; of attributes that show a choice in brackets
 * ("always [madvise] never") the chosen word. 0 or -errno.
 */
int journal_write(struct journal *journal, const char *path, const char *value);

/*
 * Binds a PCI device to a driver (driver_override, unbind, probe) after journalling the driver
 * and override it has now. Already bound there: nothing is done. Undo restores both. 0 or
 * -errno with a logged reason.
 */
int journal_bind(struct journal *journal, const char *bdf, const char *driver);

/*
 * The same with several devices: all of them, or none. If one cannot be bound, which is logged with
 * its address, those before it go back at once. 0 or the first -errno.
 */
int journal_bind_all(struct journal *journal, const struct strlist *bdfs, const char *driver);

/*
 * Makes a directory (a tracefs instance, a cgroup) that undo removes with rmdir. If it exists
 * already: -EEXIST.
 */
int journal_mkdir(struct journal *journal, const char *path);

/*
 * Lets the host swap to a block device that has a swap signature; if it does already, nothing
 * is done. Undo stops it. 0 or -errno with "reason: remedy" in *why (to free).
 */
int journal_swap(struct journal *journal, const char *path, char **why);

/*
 * Sends interrupt number irq of a PCI device to these CPUs ("0-3,7"), unless it goes there already.
 * Undo sends it back if it is still that device's. 0 or -errno, not logged: not every interrupt
 * can be sent elsewhere.
 */
int journal_interrupt(struct journal *journal, const char *bdf, const char *irq, const char *cpus);

/* A port whose interface a network namespace gets. */
struct netns_port {
	const char *bdf;       /* of this host; NULL: the remote host's */
	const char *remote;    /* "user@host", or NULL */
	const char *interface; /* the remote one's; ignored with bdf */
	const char *alias;     /* its name in the namespace; NULL: as it is */
};

/*
 * Makes a network namespace of that name and moves the port's interface into it, on this host
 * or the remote one. Done already in this run: nothing is done. *interface gets its name, to
 * free. Undo kills what runs in it and gives the interface back as it was. 0 or -errno with
 * "reason: remedy" in *why (to free).
 */
int journal_netns(struct journal *journal, const char *name, const struct netns_port *port,
		  char **interface, char **why);

/*
 * Undoes now what was changed of one attribute (its path), or of one PCI device's driver,
 * group type and interface, newest first; nothing was: success. 0 or -errno, logged; what could not
 * be undone stays recorded.
 */
int journal_put_back(struct journal *journal, const char *what);

/* Undoes everything now, in reverse order; what fails is logged, the rest still undone. 0 or -EIO.
 */
int journal_undo(struct journal *journal);

/* Undoes what is left and releases the lock. 0 or -EIO. NULL is fine. */
int journal_close(struct journal *journal);

#endif
