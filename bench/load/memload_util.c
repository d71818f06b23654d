// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/load/memload.h"

void die(const char *format, ...)
{
	static atomic_flag failed = ATOMIC_FLAG_INIT;
	char text[1024];
	va_list args;

	while (atomic_flag_test_and_set(&failed)) /* another thread is already ending it */
		pause();
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(stderr, "memload: %s\n", text);
	_exit(1);
}

void *allocate(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		die("out of memory: use fewer --keys, fewer --connections or a smaller --depth");
	return memory;
}
