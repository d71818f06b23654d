# SPDX-License-Identifier: GPL-2.0-only
# coIOMMU: backend library, user-space tests, guest modules. Included by the top Makefile.

# Hidden: the library lives in QEMU's process and must not replace any of its functions.
COIOMMU_CFLAGS = -std=gnu11 -D_GNU_SOURCE -Idrivers/include -Idrivers/host -pthread -fPIC \
	-fvisibility=hidden $(WARNINGS) $(CFLAGS)
COIOMMU_SRC := $(filter-out drivers/host/interpose.c,$(wildcard drivers/host/*.c))
COIOMMU_OBJ := $(COIOMMU_SRC:%.c=$(BUILD)/%.o)
COIOMMU_TESTS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/test_coiommu_*.c))
COIOMMU_TSAN := $(BUILD)/tsan/test_coiommu_stress
COIOMMU_GUEST := $(wildcard drivers/guest/* drivers/include/*)
COIOMMU_MODULES := $(addprefix $(BUILD)/guest/guest/,coiommu.ko dmamap.ko rogue.ko)
KDIR ?= $(abspath $(BUILD)/kernel/headers/build)
# coiommu.ko is for the stock kernel only; modes with the newer one do without it.
NEWER_MODULES := $(addprefix $(BUILD)/guest-newer/guest/,dmamap.ko rogue.ko)
NEWER_KDIR := $(abspath $(BUILD)/kernel-newer/headers/build)

FUZZ_SECONDS ?= 20
FUZZ_CFLAGS = $(COIOMMU_CFLAGS) -fno-omit-frame-pointer -fno-sanitize-recover=all

.PHONY: coiommu-fuzz coiommu-tsan

$(BUILD)/drivers/libcoiommu.so: $(COIOMMU_OBJ) $(BUILD)/drivers/host/interpose.o
	@echo "  LD    $@"
	$(Q)$(CC) -shared -pthread $(if $(SANFLAGS),$(SANFLAGS),-Wl,-z,defs) -o $@ $^

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

# Threads need a sanitizer of their own.
coiommu-tsan: $(COIOMMU_TSAN)
	$(Q)scripts/run-tests.sh $^

# Only the backend guides the fuzzer. Tracing of comparisons costs most of the speed, and the
# inputs are made so that none is hard to pass.
$(BUILD)/fuzz/coiommu_%: tests/fuzz_coiommu_%.c $(COIOMMU_SRC) $(wildcard drivers/*/*.h tests/*.h)
	@mkdir -p $(@D)
	@echo "  FUZZ  $@"
	$(Q)clang $(FUZZ_CFLAGS) -fsanitize=address,undefined -c -o $@.o $<
	$(Q)clang $(FUZZ_CFLAGS) -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-coverage=trace-cmp -o $@ $@.o $(COIOMMU_SRC) -lcmocka

coiommu-fuzz: $(BUILD)/fuzz/coiommu_request
	$(Q)scripts/run-fuzz.sh $< $(FUZZ_SECONDS) $(BUILD)/fuzz

# Kbuild builds beside its sources, so it gets a copy of them: FOLDER, KDIR, FLAGS.
kbuild = mkdir -p $(1) && cp -ru drivers/guest drivers/include $(1)/ && \
	$(MAKE) -s -C $(2) M=$(abspath $(1)/guest) W=1 $(3) modules

$(COIOMMU_MODULES) &: $(COIOMMU_GUEST) $(KERNEL)
	@echo "  KBUILD $(COIOMMU_MODULES)"
	+$(Q)$(call kbuild,$(BUILD)/guest,$(KDIR),$(KFLAGS))
	@touch $(COIOMMU_MODULES)

# Without the types' description, whose tool the kernel's headers need not bring.
$(NEWER_MODULES) &: $(COIOMMU_GUEST) $(NEWER_KERNEL)
	@echo "  KBUILD $(NEWER_MODULES)"
	+$(Q)$(call kbuild,$(BUILD)/guest-newer,$(NEWER_KDIR),CONFIG_DEBUG_INFO_BTF_MODULES= \
		GUEST_MODULES="$(basename $(notdir $(NEWER_MODULES)))")
	@touch $(NEWER_MODULES)
