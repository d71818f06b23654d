/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a measured guest is made of, where an experiment names other files than the ones that the
 * build made and the system has: other builds of QEMU, the guest's kernel or coIOMMU's two halves
 * can so be measured against one another (run --ab).
 */
#ifndef HARNESS_GUEST_FILES_H
#define HARNESS_GUEST_FILES_H

#include <jansson.h>

struct yaml_node;

/* Their names in the configuration's guest: map, by the enum's values. */
enum guest_file { GUEST_QEMU, GUEST_KERNEL, GUEST_INITRD, GUEST_ROOT, GUEST_BACKEND };
#define GUEST_FILE_KEYS "qemu", "kernel", "initrd", "root", "backend"
#define NR_GUEST_FILES 5

struct guest_files {
	char *paths[NR_GUEST_FILES]; /* NULL: as built or installed */
};

/*
 * Reads them from the guest: map (NULL: there is none). Each must be the absolute path of a file
 * that is there and can be read, QEMU be executed. 0, or -EINVAL, logged with its place.
 */
int guest_files_read(const struct yaml_node *map, struct guest_files *files);
/*
 * The absolute path, to free, of a file that QEMU or the loader is to be given, accessible as
 * access() understands mode. 0, or -EINVAL, logged with its place, where it is called by its key.
 */
int guest_file_read(const struct yaml_node *node, const char *key, int mode, char **path);
void guest_files_free(struct guest_files *files);

/* New references: { "qemu": PATH } of those that are named; the same with a hash of each file. */
json_t *guest_files_json(const struct guest_files *files);
json_t *guest_files_identity(const struct guest_files *files);

/* The version in the header of an x86 kernel image, to free; NULL if it is none. */
char *guest_files_kernel_version(const char *path);

#endif
