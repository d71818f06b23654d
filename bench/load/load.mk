# SPDX-License-Identifier: GPL-2.0-only
# The load tools: programs of their own, run on the guest or on its peer.

LOAD_COMMON := $(BUILD)/bench/load/control.o $(BUILD)/bench/load/histogram.o

# $(BUILD)/load/NAME is made from bench/load/NAME.c and the other files of its name.
$(BUILD)/load/memload: $(patsubst %.c,$(BUILD)/%.o,$(wildcard bench/load/memload*.c))
$(BUILD)/load/rr: $(BUILD)/bench/load/rr.o
$(BUILD)/load/pkt: $(patsubst %.c,$(BUILD)/%.o,$(wildcard bench/load/pkt*.c))

LOAD_TOOLS := $(BUILD)/load/memload $(BUILD)/load/rr $(BUILD)/load/pkt
$(BUILD)/bench/load/pkt%.o: ALL_CFLAGS += $(shell pkg-config --cflags libdpdk 2>/dev/null)
$(BUILD)/load/pkt: LOAD_LIBS := $(shell pkg-config --libs libdpdk 2>/dev/null)

$(LOAD_TOOLS): $(LOAD_COMMON)
	@mkdir -p $(@D)
	@echo "  LD    $@"
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ $(LIBS) $(LOAD_LIBS) -pthread

# Tests link the library's objects, which the load tools are no part of.
$(BUILD)/tests/test_histogram: $(BUILD)/bench/load/histogram.o
$(BUILD)/tests/test_memload: $(patsubst %,$(BUILD)/bench/load/memload_%.o,\
	data protocol random util)

$(BUILD)/tests/load/delay: $(BUILD)/tests/load/delay.o
	@echo "  LD    $@"
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^
