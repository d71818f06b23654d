/* SPDX-License-Identifier: GPL-2.0-only */
/* Tracepoints of the coiommu module. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM coiommu

#if !defined(COIOMMU_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define COIOMMU_TRACE_H

#include <linux/device.h>
#include <linux/tracepoint.h>

#include "coiommu_stats.h"

/* more: the same call goes on with this task's next event. */
DECLARE_EVENT_CLASS(coiommu_pages,
	TP_PROTO(struct device *dev, u64 pfn, u64 nr, u32 more),
	TP_ARGS(dev, pfn, nr, more),
	TP_STRUCT__entry(
		__string(dev, dev_name(dev))
		__field(u64, pfn)
		__field(u64, nr)
		__field(u32, more)
	),
	TP_fast_assign(
		__assign_str(dev, dev_name(dev));
		__entry->pfn = pfn;
		__entry->nr = nr;
		__entry->more = more;
	),
	TP_printk("%s pfn=%#llx nr=%llu more=%u", __get_str(dev), __entry->pfn, __entry->nr,
		  __entry->more)
);

DEFINE_EVENT(coiommu_pages, coiommu_map,
	TP_PROTO(struct device *dev, u64 pfn, u64 nr, u32 more),
	TP_ARGS(dev, pfn, nr, more)
);

DEFINE_EVENT(coiommu_pages, coiommu_unmap,
	TP_PROTO(struct device *dev, u64 pfn, u64 nr, u32 more),
	TP_ARGS(dev, pfn, nr, more)
);

/* What a map before counted is undone: its call failed. */
DEFINE_EVENT(coiommu_pages, coiommu_undo,
	TP_PROTO(struct device *dev, u64 pfn, u64 nr, u32 more),
	TP_ARGS(dev, pfn, nr, more)
);

/* The driver's counts; with reset set, from now on counted from 0. */
TRACE_EVENT(coiommu_stats,
	TP_PROTO(const struct coiommu_stats *s, u32 reset),
	TP_ARGS(s, reset),
	TP_STRUCT__entry(
		__field(u64, maps)
		__field(u64, unmaps)
		__field(u64, requests)
		__field(u64, refused)
		__field(u64, request_ns)
		__field(u32, reset)
	),
	TP_fast_assign(
		__entry->maps = s->maps;
		__entry->unmaps = s->unmaps;
		__entry->requests = s->requests;
		__entry->refused = s->refused;
		__entry->request_ns = s->request_ns;
		__entry->reset = reset;
	),
	TP_printk("maps=%llu unmaps=%llu requests=%llu refused=%llu request_ns=%llu reset=%u",
		  __entry->maps, __entry->unmaps, __entry->requests, __entry->refused,
		  __entry->request_ns, __entry->reset)
);

TRACE_EVENT(coiommu_request,
	TP_PROTO(u32 entries, u32 pages, u32 status, u64 ns),
	TP_ARGS(entries, pages, status, ns),
	TP_STRUCT__entry(
		__field(u32, entries)
		__field(u32, pages)
		__field(u32, status)
		__field(u64, ns)
	),
	TP_fast_assign(
		__entry->entries = entries;
		__entry->pages = pages;
		__entry->status = status;
		__entry->ns = ns;
	),
	TP_printk("entries=%u pages=%u status=%u ns=%llu", __entry->entries, __entry->pages,
		  __entry->status, __entry->ns)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE coiommu_trace
#include <trace/define_trace.h>
