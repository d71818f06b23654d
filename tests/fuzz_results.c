// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzing of what reads results (libFuzzer). An input is a list of edits of a good run's manifest
 * and samples: bytes and whole parts are put in, taken out, and doubled. All commands must agree
 * on whether the run can be read, and what they write of one that can must be whole.
 */
#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <string.h>

#include "harness/compare.h"
#include "harness/export.h"
#include "harness/report.h"
#include "harness/run.h"
#include "harness/util.h"
#include "tests/fuzz_check.h"

#define MAX_TEXT 16384
#define BOOTS 6

/* What an edit may put in: what the files are made of, and what they must not have. */
static const char *const parts[] = {
	"static.nvme.fio",
	"static",
	"coiommu",
	"nvme",
	"fio",
	"boot",
	"cells",
	"status",
	"invalid",
	"failed",
	"skipped",
	"ok",
	"null",
	"true",
	"-1",
	"0",
	"1e308",
	"5e-324",
	"nan",
	"inf",
	"99999999999999999999",
	"{",
	"}",
	"[",
	"]",
	"[[[[[[[[[[[[[[[[",
	",",
	"\"",
	"\\u0000",
	"\\n",
	"\n",
	"\r\n",
	"\xff",
	"\xef\xbf\xbf",
	"<b>&",
	"../x",
	"read_iops",
	"lat_p99_s",
	"ops/s",
	"s",
	"count",
	"higher",
	"lower",
	"none",
	"{\"boot\": 0, \"status\": \"ok\"},",
	"static.nvme.fio,static,nvme,fio,,0,read_iops,ops/s,higher,7\n",
	"static.nvme.fio,static,nvme,fio,,5,a-b,count,none,-7\n",
	"static.nvme.fio,static,nvme,fio,,5,a_b,count,none,0.1\n",
	"\"environment\": {\"fingerprint\": \"00ff\"},",
	"\"finished\": \"2026-01-31T23:59:59Z\",",
};

struct text {
	char data[MAX_TEXT];
	size_t len;
};

static struct text manifest, samples; /* of the good run */
/* In memory: nothing is to wait for a disk. */
static char folder[] = "/dev/shm/iommubench-fuzz-XXXXXX";
static char *base_dir, *run_dir;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	text->len += (size_t)vsnprintf(text->data + text->len, MAX_TEXT - text->len, fmt, ap);
	va_end(ap);
	CHECK(text->len < MAX_TEXT);
}

static void put(const char *dir, const char *name, const struct text *text)
{
	autofree char *path = xasprintf("%s/%s", dir, name);
	FILE *file = fopen(path, "we");

	CHECK(file);
	CHECK(fwrite(text->data, 1, text->len, file) == text->len);
	fclose(file);
}

static void remove_folder(void)
{
	remove_all(folder);
	free(base_dir);
	free(run_dir);
}

static void make_good_run(void)
{
	CHECK(mkdtemp(folder));
	base_dir = xasprintf("%s/base", folder);
	run_dir = xasprintf("%s/run", folder);
	CHECK(!mkdir_all(base_dir) && !mkdir_all(run_dir));
	atexit(remove_folder);
	setenv("PATH", "/nonexistent", 1); /* no gnuplot: it is not what is tested */
	add(&manifest,
	    "{\"schema\": 1, \"run_id\": \"r\", \"name\": \"n\", \"status\": \"complete\", "
	    "\"where\": \"host\", \"environment\": {\"fingerprint\": \"00ff\"}, \"config\": {}, "
	    "\"cells\": [{\"id\": \"static.nvme.fio\", \"mode\": \"static\", \"device\": \"nvme\", "
	    "\"workload\": \"fio\", \"variant\": \"\", \"status\": \"ok\", \"boots\": [");
	add(&samples, "cell,mode,device,workload,variant,boot,metric,unit,direction,value\n");
	for (int b = 0; b < BOOTS; b++) {
		add(&manifest, "%s{\"boot\": %d, \"status\": \"ok\"}", b ? "," : "", b);
		add(&samples,
		    "static.nvme.fio,static,nvme,fio,,%d,read_iops,ops/s,higher,100%d\n"
		    "static.nvme.fio,static,nvme,fio,,%d,lat_p99_s,s,lower,0.00%d\n",
		    b, b, b, b + 1);
	}
	add(&manifest, "]}]}");
	put(base_dir, "manifest.json", &manifest);
	put(base_dir, "samples.csv", &samples);
}

/* Replaces nr bytes at a place. */
static void splice(struct text *text, size_t at, size_t nr, const void *by, size_t len)
{
	nr = nr < text->len - at ? nr : text->len - at;
	if (text->len - nr + len > MAX_TEXT)
		return;
	memmove(text->data + at + len, text->data + at + nr, text->len - at - nr);
	memcpy(text->data + at, by, len);
	text->len += len - nr;
}

/* Four bytes: which file and what, where (two), and with what. */
static void edit(struct text *text, const uint8_t *e)
{
	size_t at = (size_t)(e[1] | e[2] << 8) % (text->len + 1);
	const char *part = parts[e[3] % ARRAY_SIZE(parts)];
	char copy[256];
	size_t nr = e[3] < text->len - at ? e[3] : text->len - at;

	memcpy(copy, text->data + at, nr);
	switch (e[0] >> 1 & 7) {
	case 0:
		splice(text, at, 1, &e[3], 1);
		break;
	case 1:
		splice(text, at, e[3], "", 0);
		break;
	case 2:
		splice(text, at, 0, copy, nr); /* twice */
		break;
	case 3:
		text->len = at; /* cut */
		break;
	case 4:
		splice(text, at, strcspn(part, "\n"), part, strlen(part));
		break;
	default:
		splice(text, at, 0, part, strlen(part));
	}
}

static bool can_export(const char *format, char **text, size_t *len)
{
	const struct export_options options = { .run = run_dir, .format = format };
	FILE *out = open_memstream(text, len);
	int status = export_command(&options, out);

	fclose(out);
	CHECK(status == EXIT_OK || (status == EXIT_USAGE && !*len));
	return status == EXIT_OK;
}

static void check_exports(bool readable)
{
	autofree char *csv = NULL, *json = NULL, *junit = NULL, *metrics = NULL;
	size_t len;
	json_t *parsed;

	CHECK(can_export("csv", &csv, &len) == readable);
	if (!readable) /* the others read it in the same way */
		return;
	CHECK(can_export("json", &json, &len));
	CHECK(can_export("junit", &junit, &len));
	if (can_export("openmetrics", &metrics, &len))
		CHECK(len > 6 && !strcmp(metrics + len - 6, "# EOF\n"));
	parsed = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
	CHECK(parsed);
	json_decref(parsed);
	CHECK(strstr(junit, "</testsuites>\n"));
}

/* The page takes a process, for gnuplot, so it is not made of all inputs. */
static bool can_report(bool with_page)
{
	autofree char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int ret = report_print_table(run_dir, out);

	fclose(out);
	CHECK(!with_page || (report_write(run_dir, "scripts") == 0) == (ret == 0));
	return ret == 0;
}

static bool can_compare(void)
{
	const struct compare_options options = {
		.base = base_dir, .value = run_dir, .seed = 1, .force = true
	};
	autofree char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int status = compare_command(&options, out);

	fclose(out);
	return status != EXIT_USAGE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct text m, s;
	uint64_t hash = fnv1a(FNV1A_INIT, data, size);
	bool readable;

	if (!base_dir)
		make_good_run();
	m = manifest;
	s = samples;
	for (; size >= 4; data += 4, size -= 4)
		edit(data[0] & 1 ? &s : &m, data);
	put(run_dir, "manifest.json", &m);
	put(run_dir, "samples.csv", &s);
	readable = can_report(hash % 64 == 0);
	check_exports(readable);
	CHECK(!can_compare() || readable);
	return 0;
}
