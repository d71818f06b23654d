// SPDX-License-Identifier: GPL-2.0-only
/* The page's last part: how its figures come about, and where the raw data is. */
#include "harness/report_html.h"
#include "harness/report_page.h"

static void add_ratios(struct strbuf *sb, const struct report *report)
{
	strbuf_addf(
		sb,
		"<h3>Ratios and their intervals</h3>\n<ul>\n"
		"<li>A ratio divides the median of a mode's boots by that of the baseline, in the "
		"same workload with the same settings.</li>\n"
		"<li>Its interval is the exact one of the Hodges-Lehmann shift between the "
		"logarithms of the two sets of boots (in R: <code>exp(wilcox.test(log(mode), "
		"log(baseline), exact = TRUE, conf.int = TRUE)$conf.int)</code>). It assumes no "
		"shape of distribution and uses no random numbers. With 3 boots on each side its "
		"confidence is 90 %%, with 4 or more 95 %%; with fewer than %d, or "
		"more than %d, there is none.</li>\n"
		"<li>Over several workloads the ratio is their geometric mean, of those that both "
		"modes have. Its interval puts the distances to the ends of the workloads' own "
		"intervals together, on the scale of logarithms: %s (Zou and Donner, "
		"<cite>Statistics in Medicine</cite> 27, 2008).</li>\n"
		"<li>An interval tells how far boots of this run scatter. Whether another run is "
		"better or worse is what <code>iommubench compare</code> tests.</li>\n</ul>\n",
		REPORT_MIN_BOOTS, REPORT_MAX_BOOTS,
		report_shares_vm(report)
			? "their plain sum, as the workloads shared a VM and depend on each other"
			: "the root of the sum of their squares");
}

static void add_lab(struct strbuf *sb, const struct report *report)
{
	strbuf_addf(sb, "<h3>What figures of the virtual lab mean</h3>\n<ul>\n"
			"<li>The virtual lab emulates the host: figures compare modes with one "
			"another; they are not hardware figures.</li>\n");
	if (report_is_emulated(report))
		strbuf_addf(
			sb,
			"<li>Its CPUs are emulated, so times and rates are the emulator's, and "
			"whatever else the machine does changes them. Emulated instructions "
			"per operation (guest, host kernel and QEMU together, counted by the "
			"emulator) are what a busy machine changes least. Counts (exits, faults, "
			"mappings) and bytes are what they would be on a host with such "
			"devices.</li>\n");
	strbuf_addf(sb, "</ul>\n");
}

static void add_raw_data(struct strbuf *sb)
{
	strbuf_addf(
		sb,
		"<section id=\"raw-data\">\n<h2>Raw data</h2>\n<p>Beside this page:</p>\n<ul>\n"
		"<li><a href=\"samples.csv\">samples.csv</a>: every value of every boot</li>\n"
		"<li><a href=\"manifest.json\">manifest.json</a>: what was run, where and how, and "
		"how each boot went</li>\n"
		"<li><a href=\"plots/\">plots/</a>: the plots as SVG and PNG, and their data</li>\n"
		"<li><a href=\"cells/\">cells/</a>: of each boot QEMU's command line, the consoles, "
		"the tools' own output, pinned memory over time</li>\n</ul>\n"
		"<p>A figure on this page is a <code>&lt;data&gt;</code> element, whose value has "
		"all its digits.</p>\n</section>\n");
}

void report_html_method(struct strbuf *sb, const struct report *report)
{
	strbuf_addf(
		sb,
		"<section id=\"method\">\n<h2>Method</h2>\n<ul>\n"
		"<li>A <em>cell</em> is a mode with a device and a workload. A <em>boot</em> is one "
		"life of its VM, and the unit of every statistic: figures are medians over boots, "
		"never averages over operations of different boots.</li>\n"
		"<li>Only boots that ended well, and whose mode was proven to be active, count. All "
		"others are listed with their reason.</li>\n"
		"<li>Throughput is what a workload gets done in a second: of one that reads and "
		"writes, the sum of both.</li>\n"
		"<li>A figure of a mode without × (memory, times) is the median of its cells' "
		"medians, of those under load if they have it.</li>\n"
		"<li>In plots of cells a line spans the boots from lowest to highest, each a "
		"circle. A mode has the same colour in every report.</li>\n</ul>\n");
	if (report_metric(report, "mapped_mean_bytes") != NO_METRIC)
		strbuf_addf(
			sb,
			"<p>What is <em>really mapped</em> are the pinned pages that the guest "
			"holds mapped for DMA, as its driver counts them in the table that it "
			"shares with the host; they are counted five times a second. The rest of "
			"what is pinned waits to be unpinned, or is pinned along with its "
			"neighbours.</p>\n");
	add_ratios(sb, report);
	if (report_is_lab(report))
		add_lab(sb, report);
	strbuf_addf(sb, "</section>\n");
	add_raw_data(sb);
}
