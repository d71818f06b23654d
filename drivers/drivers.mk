# SPDX-License-Identifier: GPL-2.0-only
# coIOMMU: backend library, user-space tests, guest modules. Included by the top Makefile, or
# alone: make -f drivers/drivers.mk coiommu coiommu-check coiommu-module
#
#   coiommu         $(BUILD)/drivers/libcoiommu.so
#   coiommu-module  $(BUILD)/guest/guest/{coiommu,dmamap}.ko, against the kernel headers in KDIR
#   coiommu-check   the tests; with TSan those that have threads
#   coiommu-lint    sparse on the modules, checkpatch if CHECKPATCH names it

BUILD ?= build
CC ?= gcc
CFLAGS ?= -O2 -g
Q ?= @
KDIR ?= $(lastword $(sort $(wildcard /usr/src/linux-headers-6.1.0-*-amd64)))
ifndef WARNINGS
WARNINGS := -Wall -Wextra -Wshadow -Wvla -Wundef -Wformat=2 -Wwrite-strings -Wpointer-arith \
	-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wconversion \
	-Wno-sign-conversion -Wno-unused-parameter -Werror
endif

# Hidden: the library lives in QEMU's process and must not replace any of its functions.
COIOMMU_CFLAGS = -std=gnu11 -D_GNU_SOURCE -Idrivers/include -Idrivers/host -pthread -fPIC \
	-fvisibility=hidden $(WARNINGS) $(CFLAGS)
COIOMMU_SRC := $(filter-out drivers/host/interpose.c,$(wildcard drivers/host/*.c))
COIOMMU_OBJ := $(COIOMMU_SRC:%.c=$(BUILD)/%.o)
COIOMMU_TESTS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/test_coiommu_*.c))
COIOMMU_TSAN := $(BUILD)/tsan/test_coiommu_stress
COIOMMU_GUEST := $(wildcard drivers/guest/* drivers/include/*)

.PHONY: coiommu coiommu-check coiommu-module coiommu-lint

coiommu: $(BUILD)/drivers/libcoiommu.so

$(BUILD)/drivers/libcoiommu.so: $(COIOMMU_OBJ) $(BUILD)/drivers/host/interpose.o
	@echo "  LD    $@"
	$(Q)$(CC) -shared -pthread -Wl,-z,defs -o $@ $^

$(BUILD)/drivers/host/%.o: drivers/host/%.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(COIOMMU_CFLAGS) $(SANFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/tests/test_coiommu_%.o: tests/test_coiommu_%.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(COIOMMU_CFLAGS) $(SANFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/tests/test_coiommu_%: $(BUILD)/tests/test_coiommu_%.o $(COIOMMU_OBJ)
	@echo "  LD    $@"
	$(Q)$(CC) $(SANFLAGS) -pthread -o $@ $^ -lcmocka

$(BUILD)/tsan/test_coiommu_%: tests/test_coiommu_%.c $(COIOMMU_SRC) $(wildcard drivers/*/*.h)
	@mkdir -p $(@D)
	@echo "  TSAN  $@"
	$(Q)$(CC) $(COIOMMU_CFLAGS) -fsanitize=thread -o $@ $(filter %.c,$^) -lcmocka

coiommu-check: $(COIOMMU_TESTS) $(COIOMMU_TSAN)
	$(Q)for t in $^; do echo "  TEST  $$t"; $$t || exit 1; done

# Kbuild builds beside its sources, so it gets a copy of them.
coiommu-module: $(BUILD)/guest/guest/coiommu.ko

$(BUILD)/guest/guest/coiommu.ko: $(COIOMMU_GUEST)
	$(Q)test -f "$(KDIR)/Makefile" || { echo "KDIR: no kernel headers in '$(KDIR)'"; exit 1; }
	@mkdir -p $(BUILD)/guest
	$(Q)cp -ru drivers/guest drivers/include $(BUILD)/guest/
	$(Q)$(MAKE) -C $(KDIR) M=$(abspath $(BUILD)/guest/guest) W=1 $(KFLAGS) modules
	@touch $@

coiommu-lint:
	$(Q)touch drivers/guest/Kbuild
	$(Q)$(MAKE) -f drivers/drivers.mk coiommu-module KFLAGS="C=2 CF=-D__CHECK_ENDIAN__"
ifdef CHECKPATCH
	$(Q)$(CHECKPATCH) --no-tree --strict --terse -f drivers/guest/*.c
endif
ifndef LIB_OBJ # else the top Makefile includes the dependencies
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
endif
