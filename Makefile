# SPDX-License-Identifier: GPL-2.0-only
# Everything is built below build/ (build-san/ with SAN=1: ASan and UBSan).

BUILD := build
ifdef SAN
BUILD := build-san
SANFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
endif

CC ?= gcc
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
WARNINGS := -Wall -Wextra -Wshadow -Wvla -Wundef -Wformat=2 -Wwrite-strings -Wpointer-arith \
	-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wconversion \
	-Wno-sign-conversion -Wno-unused-parameter
ifneq ($(WERROR),0)
WARNINGS += -Werror
endif
PKGS := jansson yaml-0.1 libpci hwloc numa sqlite3 libpng
CFLAGS ?= -O2 -g
REVISION := $(shell git describe --always --dirty 2>/dev/null || echo unknown)
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -I. $(WARNINGS) $(CFLAGS) $(SANFLAGS) \
	$(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LIBS = $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lm

COMMA := ,
Q := @
ifdef V
Q :=
endif

LIB_SRC := $(filter-out harness/main.c,$(wildcard harness/*.c)) \
	$(filter-out bench/load/%,$(wildcard bench/*.c bench/*/*.c))
# Replays use the very policy that the backend is built of.
REPLAY_OBJ := $(addprefix $(BUILD)/drivers/host/,memmap.o policy.o policy_pin.o policy_unpin.o \
	trace_file.o)
LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/%.o) $(REPLAY_OBJ)
TEST_SRC := $(filter-out tests/test_coiommu_%,$(wildcard tests/test_*.c))
TESTS := $(TEST_SRC:tests/%.c=$(BUILD)/tests/%)

KERNEL := $(BUILD)/kernel/version
IMAGES := $(BUILD)/images/guest.erofs
# What a mode needs whose driver the distribution's own kernel lacks.
NEWER_KERNEL := $(BUILD)/kernel-newer/version
NEWER_IMAGES := $(BUILD)/images-newer/guest.erofs

PAPER := results/paper

.PHONY: all bench check deps format help images images-newer lint paper san-check test clean
.SECONDARY:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
include drivers/drivers.mk bench/load/load.mk tests/fuzz.mk

all: $(BUILD)/iommubench $(BUILD)/agent $(BUILD)/insn_plugin.so $(BUILD)/lab_hold \
	$(BUILD)/drivers/libcoiommu.so $(LOAD_TOOLS)

help:
	@echo "make bench   set up what is missing, run configs/quick.yaml, write the report"
	@echo "make paper   the whole evaluation: configs/paper.yaml (HOST=host.yaml: on this host); called"
	@echo "             again, it goes on where it was interrupted"
	@echo "make test    every test, the experiment in the virtual lab included"
	@echo "make check   the tests that need no root and no VM (SAN=1: with sanitizers)"
	@echo "make all     build;  make images: kernel and guest images;  make deps: packages"
	@echo "make images-newer   a guest with the kernel of Debian's backports, for virtio-iommu"
	@echo "make lint    format, clang-tidy, cppcheck, shellcheck, sparse;  make format;  make clean"

# --- what users call ---

bench: deps
	$(Q)$(MAKE) -j$(JOBS) --no-print-directory all images
	$(Q)$(BUILD)/iommubench run configs/quick.yaml

paper: deps
	$(Q)$(MAKE) --no-print-directory images-newer || \
		echo "no newer kernel can be had here: virtio-iommu will be skipped"
	$(Q)$(MAKE) -j$(JOBS) --no-print-directory all images
	$(Q)$(BUILD)/iommubench run $(if $(wildcard $(PAPER)/series.json),--resume $(PAPER),\
		configs/paper.yaml --out $(PAPER)) $(if $(HOST),--host $(HOST))

check: $(TESTS) $(COIOMMU_TESTS)
	$(Q)scripts/run-tests.sh $^

test: deps
	$(Q)$(MAKE) --no-print-directory lint
	$(Q)$(MAKE) --no-print-directory images-newer || \
		echo "no newer kernel can be had here: virtio-iommu will be skipped"
	$(Q)$(MAKE) -j$(JOBS) --no-print-directory all images $(BUILD)/tests/lab/life \
		$(BUILD)/tests/lab/divide \
		$(BUILD)/load/memload $(BUILD)/load/pkt $(BUILD)/tests/load/delay \
		$(BUILD)/tests/make_trace
	$(Q)scripts/run-all-tests.sh

deps:
	$(Q)scripts/deps.sh

images: $(IMAGES)

# --- building ---

$(BUILD)/iommubench: $(BUILD)/harness/main.o $(LIB_OBJ)
	@echo "  LD    $@"
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(BUILD)/tests/tree.o $(LIB_OBJ)
	@echo "  LD    $@"
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ $(LIBS) -lcmocka

# Replays are compared with the backend itself.
$(BUILD)/tests/test_replay_backend: $(filter-out $(REPLAY_OBJ),$(COIOMMU_OBJ))

$(BUILD)/tests/test_agent $(BUILD)/tests/test_gpu_command: | $(BUILD)/agent

$(BUILD)/tests/test_journal $(BUILD)/tests/test_bind $(BUILD)/tests/test_tuning \
	$(BUILD)/tests/test_crash $(BUILD)/tests/test_sriov $(BUILD)/tests/test_nvme_functions: \
	$(BUILD)/tests/fake_host.o $(BUILD)/tests/fake_kernel.o
# The drive behind the fake host's ioctl().
NVME_TESTS := $(BUILD)/tests/test_nvme_functions $(BUILD)/tests/test_crash
$(NVME_TESTS): $(BUILD)/tests/fake_nvme.o
$(NVME_TESTS): LIBS += -Wl,--wrap=ioctl
# Each of these calls may be the one at which the harness dies, or that fails.
$(BUILD)/tests/test_crash: LIBS += $(addprefix -Wl$(COMMA)--wrap=,write fsync mkdir rmdir rename \
	unlink ftruncate)
$(BUILD)/tests/test_pciconf $(BUILD)/tests/test_isolation $(BUILD)/tests/test_groups \
	$(BUILD)/tests/test_quirk: $(BUILD)/tests/fake_pci.o

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

REPLAY_USERS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard bench/replay/*.c bench/record/*.c tests/test_replay*.c \
	tests/make_trace.c))
$(REPLAY_USERS): ALL_CFLAGS += -Idrivers/include -Idrivers/host

# The revision is recorded with each run; only this file is built anew when it changes.
$(BUILD)/harness/manifest.o: ALL_CFLAGS += -DGIT_REVISION='"$(REVISION)"'
$(BUILD)/harness/manifest.o: $(BUILD)/revision-$(REVISION)
$(BUILD)/revision-$(REVISION):
	@mkdir -p $(@D)
	@rm -f $(BUILD)/revision-*
	@touch $@

# Runs as init in VMs, without libraries.
$(BUILD)/agent: harness/agent/agent.c harness/agent_proto.h
	@mkdir -p $(@D)
	@echo "  LD    $@"
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -I. $(WARNINGS) -O2 -static -s -o $@ $<

$(BUILD)/insn_plugin.so: scripts/insn_plugin.c
	@mkdir -p $(@D)
	@echo "  LD    $@"
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -O2 -shared -fPIC -o $@ $<

$(BUILD)/lab_hold: scripts/lab_hold.c
	@mkdir -p $(@D)
	@echo "  LD    $@"
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -O2 -o $@ $<

$(KERNEL): scripts/kernel.sh
	$(Q)scripts/kernel.sh $(BUILD)/kernel

$(IMAGES): $(KERNEL) $(BUILD)/agent scripts/images.sh $(COIOMMU_MODULES) $(GUEST_TOOLS) \
		$(wildcard /usr/bin/fio)
	@echo "  IMAGE $(BUILD)/images"
	$(Q)scripts/images.sh $(BUILD)/kernel $(BUILD)/agent $(BUILD)/images $(COIOMMU_MODULES) \
		$(GUEST_TOOLS)

images-newer: $(NEWER_IMAGES)

$(NEWER_KERNEL): scripts/kernel.sh
	$(Q)scripts/kernel.sh $(BUILD)/kernel-newer newer

$(NEWER_IMAGES): $(NEWER_KERNEL) $(BUILD)/agent scripts/images.sh $(NEWER_MODULES) $(GUEST_TOOLS)
	@echo "  IMAGE $(BUILD)/images-newer"
	$(Q)scripts/images.sh $(BUILD)/kernel-newer $(BUILD)/agent $(BUILD)/images-newer \
		$(NEWER_MODULES) $(GUEST_TOOLS)

# --- quality ---

lint: $(KERNEL)
	$(Q)LINT_CFLAGS='$(ALL_CFLAGS) $(DPDK_CFLAGS) $(DRM_CFLAGS) -Idrivers/include -Idrivers/host' \
		LINT_KDIR=$(KDIR) LINT_DIR=$(BUILD)/lint scripts/lint.sh

format:
	$(Q)clang-format -i $$(git ls-files '*.c' '*.h' ':!drivers/guest')

clean:
	rm -rf build build-san

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
