// SPDX-License-Identifier: GPL-2.0-only
/*
 * A display program in the guest on the assigned GPU (bench/load/kms.c): buffers of a display's
 * size, mapped for long, drawn by the processor and flipped. At the end a picture of what the
 * display shows is compared with what was drawn, pixel by pixel.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "bench/pattern.h"
#include "bench/picture.h"
#include "bench/workload.h"
#include "harness/boot.h"
#include "harness/proc.h"
#include "harness/tool.h"
#include "harness/util.h"

#define READY_S 60
#define CAPTURE_S 30
#define SHOWN_S 10 /* flips may still be on their way to the display */
#define PICTURE "display.png"

static const struct setting settings_table[] = {
	{ "mode", SETTING_TEXT, "1024x768", NULL, 0, 0, "the display's, WIDTHxHEIGHT" },
	{ "buffers", SETTING_COUNT, "2", NULL, 2, 64, "of that size, shown in turn" },
	{ "fill", SETTING_COUNT, "100", NULL, 0, 100,
	  "percentage of each frame that the processor draws anew" },
	{ "churn", SETTING_COUNT, "0", NULL, 0, 1000000000,
	  "every so many frames a buffer is destroyed and created; 0: never" },
	{ "runtime", SETTING_TIME, "5s", NULL, 1, 3600, "measured time" },
	{ "ramp", SETTING_TIME, "1s", NULL, 0, 600, "time under load before it, thrown away" },
	{ 0 },
};

enum { FRAMES, LAT_P50, LAT_P99, LAT_P999, LAT_MAX, BUFFERS, CHANGES, CHANGE_P50, PICTURES };
static const struct metric_desc metrics[] = {
	[FRAMES] = { "frames_per_s", "frames/s", DIRECTION_HIGHER, "frames drawn and shown" },
	[LAT_P50] = { "lat_p50_s", "s", DIRECTION_LOWER,
		      "median time from a page flip's call to its event" },
	[LAT_P99] = { "lat_p99_s", "s", DIRECTION_LOWER, "99th percentile of it" },
	[LAT_P999] = { "lat_p999_s", "s", DIRECTION_LOWER, "99.9th percentile of it" },
	[LAT_MAX] = { "lat_max_s", "s", DIRECTION_LOWER, "longest of them" },
	[BUFFERS] = { "gpu_buffer_bytes", "bytes", DIRECTION_NONE,
		      "the display program's buffers, mapped all the time" },
	[CHANGES] = { "gpu_buffers_created", "count", DIRECTION_NONE,
		      "buffers destroyed and created in the window" },
	[CHANGE_P50] = { "gpu_buffer_change_p50_s", "s", DIRECTION_LOWER,
			 "median time to destroy a buffer, create one and draw it whole" },
	[PICTURES] = { "gpu_pictures", "count", DIRECTION_NONE,
		       "pictures of the display that were compared with what was drawn" },
	{ 0 },
};

/* "1024x768". 0 or -EINVAL. */
static int parse_mode(const struct settings *settings, unsigned int *width, unsigned int *height)
{
	const char *text = settings_text(settings, "mode");
	unsigned long w, h;
	char *end;

	w = isdigit((unsigned char)*text) ? strtoul(text, &end, 10) : 0;
	if (!w || *end != 'x' || !isdigit((unsigned char)end[1]))
		return -EINVAL;
	h = strtoul(end + 1, &end, 10);
	if (*end || w < PATTERN_MIN_WIDTH || h < PATTERN_MIN_HEIGHT || w > 16384 || h > 16384)
		return -EINVAL;
	*width = (unsigned int)w;
	*height = (unsigned int)h;
	return 0;
}

static int validate(const struct settings *settings, char **why)
{
	unsigned int width, height;

	if (!parse_mode(settings, &width, &height))
		return 0;
	*why = xasprintf("mode '%.40s' is no WIDTHxHEIGHT from %ux%u to 16384x16384, as 1024x768",
			 settings_text(settings, "mode"), PATTERN_MIN_WIDTH, PATTERN_MIN_HEIGHT);
	return -EINVAL;
}

static double estimate_s(const struct settings *settings)
{
	return 5 + settings_time(settings, "ramp") + settings_time(settings, "runtime");
}

static int start(struct cell_run *run, struct tool **kms)
{
	static const char *const counts[] = { "buffers", "fill", "churn" };
	const struct settings *settings = run->cell->workload_settings;
	struct strlist argv = { 0 };
	unsigned int width = 0, height = 0;
	int ret;

	parse_mode(settings, &width, &height);
	strlist_add(&argv, "kms");
	strlist_add(&argv, "--device=" BOOT_DEVICE_BDF);
	strlist_addf(&argv, "--width=%u", width);
	strlist_addf(&argv, "--height=%u", height);
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		strlist_addf(&argv, "--%s=%llu", counts[i],
			     (unsigned long long)settings_count(settings, counts[i]));
	strlist_addf(&argv, "--limit=%.0f", 300 + 2 * estimate_s(settings));
	strlist_add(&argv, "--hold");
	ret = tool_start_guest(run, "kms", argv.items, kms);
	strlist_free(&argv);
	return ret ? ret : tool_await(*kms, "ready", READY_S, NULL);
}

/* --- what the display shows --- */

/* What the picture is, or why there is none, for the report. */
static int note(struct cell_run *run, const char *text, double pictures)
{
	sample_add(&run->samples, &metrics[PICTURES], pictures);
	return cell_save(run, PICTURE ".txt", text, strlen(text));
}

static int capture(struct cell_run *run, const char *command, const char *path)
{
	autofree char *script = xasprintf("%s \"$0\"", command), *output = NULL;
	char *const argv[] = { (char *)"sh", (char *)"-c", script, (char *)path, NULL };
	int ret = proc_run(argv, CAPTURE_S, &output);

	if (!ret || ret == -EINTR)
		return ret;
	return boot_fail(run->boot, -EREMOTEIO, "the host file's capture command failed: %s: %s",
			 strerror(-ret), output && *output ? output : "it printed nothing");
}

static int capture_frame(struct cell_run *run, const char *command,
			 const struct picture_frame *frame)
{
	autofree char *path = xasprintf("%s/" PICTURE, run->dir), *why = NULL, *text = NULL;
	uint64_t deadline = deadline_in(SHOWN_S);
	int ret, shown;

	for (;;) {
		ret = capture(run, command, path);
		if (ret)
			return ret;
		shown = picture_check(path, frame, &why);
		if (!shown || now_ns() > deadline)
			break;
		free(why);
		why = NULL;
		ret = wait_seconds(&run->boot->vm->waiter, 0.3);
		if (ret)
			return ret;
	}
	if (shown)
		cell_invalid(run, "%s", why);
	text = shown ? xstrdup(why)
		     : xasprintf("frame %u, every pixel as it was drawn", frame->number);
	return note(run, text, 1);
}

static int take_picture(struct cell_run *run, uint32_t number)
{
	const struct settings *settings = run->cell->workload_settings;
	const char *command = host_device(run->boot->host, device_kind(run->cell->device))->capture;
	struct picture_frame frame = { .fill = (unsigned int)settings_count(settings, "fill"),
				       .number = number };

	if (!command)
		return note(run, "no picture: the host file has no capture command for this GPU",
			    0);
	parse_mode(settings, &frame.width, &frame.height);
	return capture_frame(run, command, &frame);
}

/* --- the run --- */

static int add_samples(struct cell_run *run, struct tool *kms, const struct tool_result *result)
{
	static const struct {
		int metric;
		const char *key;
	} always[] = { { FRAMES, "frames_per_s" },    { LAT_P50, "lat_p50_s" },
		       { LAT_P99, "lat_p99_s" },      { LAT_P999, "lat_p999_s" },
		       { LAT_MAX, "lat_max_s" },      { BUFFERS, "buffer_bytes" },
		       { CHANGES, "buffers_created" } };
	double changes = 0;
	int ret = tool_ops(kms, result, "frames");

	for (size_t i = 0; i < ARRAY_SIZE(always) && !ret; i++)
		ret = tool_sample(kms, result, always[i].key, &metrics[always[i].metric]);
	if (!ret)
		ret = tool_number(kms, result, "buffers_created", &changes);
	if (!ret && changes > 0)
		ret = tool_sample(kms, result, "change_p50_s", &metrics[CHANGE_P50]);
	return ret;
}

static int measure(struct cell_run *run, struct tool *kms, struct tool_result *result)
{
	const struct settings *settings = run->cell->workload_settings;
	double number = 0;
	int ret = wait_seconds(&run->boot->vm->waiter, settings_time(settings, "ramp"));

	if (!ret)
		ret = tool_measure(&kms, 1, settings_time(settings, "runtime"), result);
	if (!ret)
		ret = add_samples(run, kms, result);
	if (!ret)
		ret = tool_number(kms, result, "frame", &number);
	if (!ret)
		ret = take_picture(run, (uint32_t)number);
	if (!ret)
		ret = tool_say(kms, "end");
	return ret;
}

static int run_gpu(struct cell_run *run)
{
	struct tool_result result = { 0 };
	struct tool *kms = NULL;
	int ret = start(run, &kms);

	if (!ret)
		ret = measure(run, kms, &result);
	json_decref(result.fields);
	tool_end(kms);
	return ret;
}

const struct workload_ops workload_gpu = {
	.name = "gpu",
	.help = "a display program on the GPU: buffers drawn, flipped, destroyed; what the display "
		"shows is checked",
	.needs = DEVICE_GPU,
	.except = ATTACH_NO_VM,
	.settings = settings_table,
	.metrics = metrics,
	.picture = PICTURE,
	.validate = validate,
	.estimate_s = estimate_s,
	.run = run_gpu,
};
