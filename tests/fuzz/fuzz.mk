# SPDX-License-Identifier: MIT OR Apache-2.0
# make fuzz: FUZZ_RUNS inputs or FUZZ_SECONDS, whichever is over first, under ASan and UBSan.

FUZZ_RUNS ?= 10000000
FUZZ_SECONDS ?= 1800
FUZZ := $(BUILD)/fuzz

FUZZ_OBJECTS := $(patsubst %.c,$(FUZZ)/objects/%.o,tests/fuzz/reader.c $(wildcard userspace/mmprofdata/*.c))

$(FUZZ)/reader: $(FUZZ_OBJECTS)
	$(CLANG) -fsanitize=fuzzer,address,undefined -o $@ $^ -ljansson -lpthread

$(FUZZ)/objects/%.o: %.c
	@mkdir -p $(@D)
	$(CLANG) $(CPPFLAGS) -std=gnu11 -O2 -g $(WARNINGS) -fsanitize=address,undefined -fno-sanitize-recover=all \
		$(FUZZ_COVERAGE) -MMD -MP -c -o $@ $<

FUZZ_COVERAGE := -fsanitize=fuzzer-no-link
# These look at each byte of a text, and would pass most of the time in telling the fuzzer what they compare it with.
$(FUZZ)/objects/userspace/mmprofdata/text.o $(FUZZ)/objects/userspace/mmprofdata/strings.o: \
		FUZZ_COVERAGE := -fsanitize-coverage=inline-8bit-counters,pc-table

# What cuts tests/fuzz/seeds/ out of tests/golden/; see tests/fuzz/make-seeds.
$(FUZZ)/seeds: tests/fuzz/seeds.c $(patsubst %.c,$(BUILD)/%.o,$(wildcard userspace/mmprofdata/*.c))
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^ -ljansson -lz -lpthread

# Clang's fuzzer is a package of its own on some systems.
.PHONY: fuzz-setup fuzz-unwind fuzz-samples
fuzz-setup:
	@echo 'int LLVMFuzzerTestOneInput(const char *data, long size) { return 0; }' | \
		$(CLANG) -fsanitize=fuzzer,address,undefined -xc - -o /dev/null 2>/dev/null || scripts/setup libclang-rt-dev

fuzz: fuzz-setup
	@$(MAKE) --no-print-directory $(FUZZ)/reader
	@tests/fuzz/run $(FUZZ)/reader $(FUZZ_RUNS) $(FUZZ_SECONDS)

UNWIND_FUZZ_OBJECTS := $(patsubst %.c,$(FUZZ)/objects/%.o,tests/fuzz/unwind.c userspace/compiler/elf.c \
	$(addprefix userspace/util/,error.c identity.c path.c) $(wildcard userspace/unwind/*.c))

$(FUZZ)/unwind: $(UNWIND_FUZZ_OBJECTS)
	$(CLANG) -fsanitize=fuzzer,address,undefined -o $@ $^ -lelf -lz

# A whole object behind a 1, and its call frame information behind a 0; see tests/fuzz/unwind.c.
$(FUZZ)/unwind-seeds: tests/fuzz/unwind_seed.S
	@mkdir -p $@
	$(CC) -shared -nostdlib -Wl,--section-start=.text=0x1000,--section-start=.eh_frame=0x2000,--section-start=.eh_frame_hdr=0x3000 -o $(FUZZ)/unwind-seed.so $<
	objcopy -O binary -j .eh_frame $(FUZZ)/unwind-seed.so $(FUZZ)/unwind-seed.frame
	(printf '\1'; cat $(FUZZ)/unwind-seed.so) > $@/object
	(printf '\0'; cat $(FUZZ)/unwind-seed.frame) > $@/frame

# What is found is left in $(FUZZ)/unwind-findings/.
fuzz-unwind: fuzz-setup
	@$(MAKE) --no-print-directory $(FUZZ)/unwind $(FUZZ)/unwind-seeds
	@mkdir -p $(FUZZ)/unwind-corpus $(FUZZ)/unwind-findings
	nice -n 19 $(FUZZ)/unwind -max_len=65536 -timeout=5 -rss_limit_mb=1024 -runs=$(FUZZ_RUNS) \
		-max_total_time=$(FUZZ_SECONDS) -artifact_prefix=$(FUZZ)/unwind-findings/ -print_final_stats=1 \
		$(FUZZ)/unwind-corpus $(FUZZ)/unwind-seeds

SAMPLES_FUZZ_OBJECTS := $(patsubst %.c,$(FUZZ)/objects/%.o,tests/fuzz/samples.c \
	$(addprefix userspace/util/,error.c identity.c path.c intern.c trie.c) $(wildcard userspace/samples/*.c) \
	$(addprefix userspace/analysis/,sample_fold.c sampling.c fold.c labels.c nesting.c order.c) \
	$(wildcard userspace/mmprofdata/*.c))

$(FUZZ)/samples: $(SAMPLES_FUZZ_OBJECTS)
	$(CLANG) -fsanitize=fuzzer,address,undefined -o $@ $^ -ljansson -lz -lm -lpthread

# The contents that docs/samples.md shows, and others with more of everything, behind a 0.
$(FUZZ)/samples-seeds:
	@mkdir -p $@
	printf '\0\1\7\5\200\2\345\7\3\2\2\7\3\1f\0\2ab\3\4\1\1\0\1\4\3\2\1\0\5\5\1\7\10\2\2\6\5\1\11\0\1\3\7\6\1\11\4\0\1\2' > $@/contents
	printf '\0\1\22\200\200\220\273\272\326\255\360\15\200\224\353\334\3\345\7\0\1\2\51\10\0\5rustc\5opt a\2ld\6typeck\4main\4walk\6lib.so\3\15\4\0\5\7\1\4\0\0\6\7\2\2\0\4\21\11\1\1\1\4\3\5\3\2\1\3\0\3\1\3\3\1\5\17\3\1\1\1\1\1\2\1\2\254\2\254\2\3\3\6\72\14\166\7\25\362\1\312\1\273\1\375\1\232\1\245\2\253\2\217\1\225\2\2\2\1\2\2\0\0\1\1\0\2\2\2\1\0\6\7\0\4\10\10\5\2\1\3\1\2\3\1\1\3\3\3\0\2\1\7\1\0' > $@/more

# What is found is left in $(FUZZ)/samples-findings/.
fuzz-samples: fuzz-setup
	@$(MAKE) --no-print-directory $(FUZZ)/samples $(FUZZ)/samples-seeds
	@mkdir -p $(FUZZ)/samples-corpus $(FUZZ)/samples-findings
	nice -n 19 $(FUZZ)/samples -max_len=65536 -timeout=5 -rss_limit_mb=1024 -runs=$(FUZZ_RUNS) \
		-max_total_time=$(FUZZ_SECONDS) -artifact_prefix=$(FUZZ)/samples-findings/ -print_final_stats=1 \
		$(FUZZ)/samples-corpus $(FUZZ)/samples-seeds
