# SPDX-License-Identifier: GPL-2.0-only
# Fuzzing of what reads results. Included by the top Makefile.

RESULTS_SRC := $(wildcard $(addprefix harness/,export*.c report*.c compare*.c samples*.c)) \
	$(addprefix harness/,bootstrap.c floors.c gate.c log.c proc.c ranktest.c stats.c util.c wait.c)
RESULTS_OBJ := $(RESULTS_SRC:%.c=$(BUILD)/fuzz/%.o)
RESULTS_CFLAGS = $(filter-out $(SANFLAGS),$(ALL_CFLAGS)) -fno-omit-frame-pointer \
	-fno-sanitize-recover=all -fsanitize=address,undefined

.PHONY: results-fuzz

$(BUILD)/fuzz/harness/%.o: harness/%.c
	@mkdir -p $(@D)
	@echo "  FUZZ  $<"
	$(Q)clang $(RESULTS_CFLAGS) -fsanitize=fuzzer-no-link -fno-sanitize-coverage=trace-cmp \
		-MMD -MP -c -o $@ $<

# What these need besides is linked as it is.
RESULTS_REST = $(filter-out $(RESULTS_SRC:%.c=$(BUILD)/%.o),$(LIB_OBJ))

$(BUILD)/fuzz/results: tests/fuzz_results.c $(RESULTS_OBJ) $(LIB_OBJ)
	@echo "  FUZZ  $@"
	$(Q)clang $(RESULTS_CFLAGS) -c -o $@.o $<
	$(Q)clang $(RESULTS_CFLAGS) -fsanitize=fuzzer -o $@ $@.o $(RESULTS_OBJ) $(RESULTS_REST) \
		$(LIBS)

# Each input is a run of all the commands: a few hundred a second, fewer on a busy machine.
results-fuzz: $(BUILD)/fuzz/results
	$(Q)scripts/run-fuzz.sh $< $(FUZZ_SECONDS) $(BUILD)/fuzz/results-found 20
