// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs inside of the virtual lab: divides an NVMe drive's queues and interrupts among its
 * controllers, so that a test may begin with a physical function that has all of them.
 * Usage: divide ADDRESS DIVISION (as harness/nvme_functions.c has it)
 */
#include <stdio.h>

#include "harness/nvme_admin.h"
#include "harness/nvme_functions.h"
#include "harness/util.h"

int main(int argc, char **argv)
{
	autofree char *serial = argc == 3 ? nvme_serial(argv[1]) : NULL;

	if (!serial) {
		fprintf(stderr, "usage: divide ADDRESS DIVISION, of an NVMe drive\n");
		return 2;
	}
	return nvme_divide(argv[1], serial, argv[2], -1) ? 1 : 0;
}
