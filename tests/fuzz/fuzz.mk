# SPDX-License-Identifier: MIT OR Apache-2.0
# make fuzz: FUZZ_RUNS inputs or FUZZ_SECONDS, whichever is over first, under ASan and UBSan.

FUZZ_RUNS ?= 10000000
FUZZ_SECONDS ?= 1800
FUZZ := $(BUILD)/fuzz

$(FUZZ)/reader: tests/fuzz/reader.c tests/fuzz/read_everything.h $(wildcard userspace/mmprofdata/*.[ch])
	@mkdir -p $(@D)
	$(CLANG) $(CPPFLAGS) -std=gnu11 -O2 -g $(WARNINGS) -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		-o $@ $(filter %.c,$^) -ljansson -lpthread

# What cuts tests/fuzz/seeds/ out of tests/golden/; see tests/fuzz/make-seeds.
$(FUZZ)/seeds: tests/fuzz/seeds.c $(patsubst %.c,$(BUILD)/%.o,$(wildcard userspace/mmprofdata/*.c))
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^ -ljansson -lz -lpthread

# Clang's fuzzer is a package of its own on some systems.
.PHONY: fuzz-setup
fuzz-setup:
	@echo 'int LLVMFuzzerTestOneInput(const char *data, long size) { return 0; }' | \
		$(CLANG) -fsanitize=fuzzer,address,undefined -xc - -o /dev/null 2>/dev/null || scripts/setup libclang-rt-dev

fuzz: fuzz-setup
	@$(MAKE) --no-print-directory $(FUZZ)/reader
	@tests/fuzz/run $(FUZZ)/reader $(FUZZ_RUNS) $(FUZZ_SECONDS)
