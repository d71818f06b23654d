/* SPDX-License-Identifier: GPL-2.0-only */
/* The distribution's packages that a run's figures come from. */
#ifndef HARNESS_PACKAGES_H
#define HARNESS_PACKAGES_H

#include <jansson.h>

/*
 * { "qemu-system-x86": "1:7.2+dfsg-7", ... } of those that are installed: QEMU and its firmware,
 * the C library, the load tools. Null where there is no dpkg. New reference.
 */
json_t *packages_installed(void);

/* The same from dpkg-query's lines "=NAME VERSION"; others are passed over. */
json_t *packages_parse(const char *text);

#endif
