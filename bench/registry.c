// SPDX-License-Identifier: GPL-2.0-only
/* Every plug-in there is. To add one: its file, its declaration and its line here. */
#include "bench/registry.h"

#include <stddef.h>
#include <string.h>

extern const struct mode_ops mode_native_identity, mode_native_lazy, mode_native_strict,
	mode_emulated, mode_virtio, mode_static, mode_static_thp, mode_static_hugetlb,
	mode_viommu_strict, mode_viommu_lazy, mode_viommu_pt, mode_viommu_nested, mode_virtio_iommu,
	mode_bounce, mode_coiommu, mode_coiommu_viommu;
extern const struct device_ops device_nvme, device_nic, device_gpu, device_edu, device_nvme_rogue;
extern const struct workload_ops workload_boot, workload_fio, workload_dmamap, workload_tracking,
	workload_tcp, workload_memcached, workload_dpdk, workload_gpu, workload_gpu_command,
	workload_isolation, workload_overcommit;
extern const struct metric_ops metric_stages, metric_pinned, metric_cpu, metric_exits,
	metric_iommu_map, metric_faults, metric_coiommu, metric_instructions;

const struct mode_ops *const registry_modes[] = {
	&mode_native_identity,
	&mode_native_lazy,
	&mode_native_strict,
	&mode_emulated,
	&mode_virtio,
	&mode_static,
	&mode_static_thp,
	&mode_static_hugetlb,
	&mode_viommu_strict,
	&mode_viommu_lazy,
	&mode_viommu_pt,
	&mode_viommu_nested,
	&mode_virtio_iommu,
	&mode_bounce,
	&mode_coiommu,
	&mode_coiommu_viommu,
	NULL,
};

const struct device_ops *const registry_devices[] = { &device_nvme, &device_nic,	&device_gpu,
						      &device_edu,  &device_nvme_rogue, NULL };

const struct workload_ops *const registry_workloads[] = {
	&workload_boot,	       &workload_fio,	    &workload_dmamap,	  &workload_tracking,
	&workload_tcp,	       &workload_memcached, &workload_dpdk,	  &workload_gpu,
	&workload_gpu_command, &workload_isolation, &workload_overcommit, NULL
};

/* A window is bracketed in this order and closed in reverse: the most exact counters last. */
const struct metric_ops *const registry_metrics[] = {
	&metric_stages,	 &metric_iommu_map,    &metric_faults,
	&metric_coiommu, &metric_pinned,       &metric_cpu,
	&metric_exits,	 &metric_instructions, NULL,
};

const struct mode_ops *registry_mode(const char *name)
{
	for (size_t i = 0; registry_modes[i]; i++)
		if (!strcmp(registry_modes[i]->name, name))
			return registry_modes[i];
	return NULL;
}

const struct device_ops *registry_device(const char *name)
{
	for (size_t i = 0; registry_devices[i]; i++)
		if (!strcmp(registry_devices[i]->name, name))
			return registry_devices[i];
	return NULL;
}

const struct workload_ops *registry_workload(const char *name)
{
	for (size_t i = 0; registry_workloads[i]; i++)
		if (!strcmp(registry_workloads[i]->name, name))
			return registry_workloads[i];
	return NULL;
}
