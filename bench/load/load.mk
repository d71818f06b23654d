# SPDX-License-Identifier: GPL-2.0-only
# The load tools: programs of their own, run on the guest or on its peer.

LOAD_COMMON := $(BUILD)/bench/load/control.o $(BUILD)/bench/load/histogram.o

# $(BUILD)/load/NAME is made from bench/load/NAME.c and the other files of its name.
$(BUILD)/load/memload: $(patsubst %.c,$(BUILD)/%.o,$(wildcard bench/load/memload*.c))
$(BUILD)/load/rr: $(BUILD)/bench/load/rr.o
PKT_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard bench/load/pkt*.c))
$(BUILD)/load/pkt: $(PKT_OBJ)
KMS_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard bench/load/kms*.c))
$(BUILD)/load/kms: $(KMS_OBJ) $(BUILD)/bench/pattern.o

LOAD_TOOLS := $(BUILD)/load/memload $(BUILD)/load/rr $(BUILD)/load/pkt $(BUILD)/load/kms
# What the guest needs of them.
GUEST_TOOLS := $(BUILD)/load/rr $(BUILD)/load/pkt $(BUILD)/load/kms

# libdrm's headers are the kernel's own; its libraries are not needed.
DRM_CFLAGS := $(patsubst -I%,-isystem%,$(shell pkg-config --cflags libdrm 2>/dev/null))
$(KMS_OBJ) $(BUILD)/tests/test_kms.o: ALL_CFLAGS += $(DRM_CFLAGS)

# DPDK's headers are not as clean as ours. Linked statically, with the drivers of Intel's NICs,
# pkt has neither plug-ins nor DPDK's libraries to look for in a guest. libgcc_s is named
# because the EAL cancels threads, for which libc would load it unseen by who copies libraries.
DPDK_CFLAGS := $(patsubst -I%,-isystem%,$(shell pkg-config --cflags libdpdk 2>/dev/null))
DPDK_ARCHIVES := net_e1000 net_igc net_ixgbe net_i40e net_ice net_af_packet common_iavf \
	security cryptodev hash rcu bus_pci bus_vdev mempool_ring mempool ethdev net mbuf \
	meter ring pci telemetry kvargs eal
$(PKT_OBJ): ALL_CFLAGS += $(DPDK_CFLAGS)
$(BUILD)/load/pkt: LOAD_LIBS := -Wl,--whole-archive $(DPDK_ARCHIVES:%=-l:librte_%.a) \
	-Wl,--no-whole-archive -l:libbsd.a -l:libmd.a -l:libnuma.a -lm \
	-Wl,--no-as-needed -lgcc_s

$(LOAD_TOOLS): $(LOAD_COMMON)
	@mkdir -p $(@D)
	@echo "  LD    $@"
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ -Wl,--as-needed $(LIBS) $(LOAD_LIBS) -pthread

# Tests link the library's objects, which the load tools are no part of.
$(BUILD)/tests/test_histogram: $(BUILD)/bench/load/histogram.o
$(BUILD)/tests/test_kms: $(BUILD)/bench/load/kms_options.o
$(BUILD)/tests/test_memload: $(BUILD)/bench/load/histogram.o \
	$(patsubst %,$(BUILD)/bench/load/memload_%.o,\
	conn data protocol random source util worker)

$(BUILD)/tests/load/delay: $(BUILD)/tests/load/delay.o
	@echo "  LD    $@"
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^
