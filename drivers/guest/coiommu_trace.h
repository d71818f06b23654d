/* SPDX-License-Identifier: GPL-2.0-only */
/* Tracepoints of the coiommu module. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM coiommu

#if !defined(COIOMMU_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define COIOMMU_TRACE_H

#include <linux/device.h>
#include <linux/tracepoint.h>

DECLARE_EVENT_CLASS(coiommu_pages,
	TP_PROTO(struct device *dev, u64 pfn, u64 nr),
	TP_ARGS(dev, pfn, nr),
	TP_STRUCT__entry(
		__string(dev, dev_name(dev))
		__field(u64, pfn)
		__field(u64, nr)
	),
	TP_fast_assign(
		__assign_str(dev, dev_name(dev));
		__entry->pfn = pfn;
		__entry->nr = nr;
	),
	TP_printk("%s pfn=%#llx nr=%llu", __get_str(dev), __entry->pfn, __entry->nr)
);

DEFINE_EVENT(coiommu_pages, coiommu_map,
	TP_PROTO(struct device *dev, u64 pfn, u64 nr),
	TP_ARGS(dev, pfn, nr)
);

DEFINE_EVENT(coiommu_pages, coiommu_unmap,
	TP_PROTO(struct device *dev, u64 pfn, u64 nr),
	TP_ARGS(dev, pfn, nr)
);

DEFINE_EVENT(coiommu_pages, coiommu_refused,
	TP_PROTO(struct device *dev, u64 pfn, u64 nr),
	TP_ARGS(dev, pfn, nr)
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
