# SPDX-License-Identifier: MIT OR Apache-2.0
VERSION := 0.1.0
PREFIX ?= /usr/local
DESTDIR ?=
# systemd looks for units below /usr/local/lib too.
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
BUILD := build
CC ?= cc
CLANG ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/local/sbin/bpftool) bpftool)
INSTALL ?= install

OPTIMISE ?= -O2 -g
WARNINGS := -Wall -Wextra -Werror
CPPFLAGS += -I. -Iuserspace -I$(BUILD) -D_GNU_SOURCE -DQUERYTAP_VERSION='"$(VERSION)"'
CFLAGS += -std=gnu11 $(OPTIMISE) $(WARNINGS) $(SANITIZE)
LDFLAGS += $(SANITIZE)
LDLIBS := -lbpf -lelf -lZydis -ljansson -lprotobuf-c -liberty -lz -lm -lpthread -lncursesw -ltinfo

ROOMS := util samples compiler unwind collect serve mmprofdata analysis render cmd
SOURCES := $(foreach room,$(ROOMS),$(wildcard userspace/$(room)/*.c))
# What protoc-c makes of the description of pprof's format.
PPROF := $(BUILD)/profile.pb-c
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o) $(PPROF).o
MAIN := $(BUILD)/userspace/main.o
# maps comes first: bpftool 7.1 misplaces references to maps that it has not seen yet.
BPF_OBJECTS := $(patsubst %,$(BUILD)/bpf/%.bpf.o,maps pair guard recover lifecycle switch files sample threads measure)
SKELETON := $(BUILD)/bpf/querytap.skel.h
# The files that pages are made of, which become part of the program.
PAGES := $(sort $(foreach kind,html css js,$(wildcard userspace/render/page/*.$(kind))))
PAGE_LIST := $(BUILD)/page_list.h
PAGE_HASHES := $(BUILD)/page_hashes.h
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all demo check test bench fuzz install format lint clean setup

all: bin/querytap bin/querytap-rustc

setup:
	@scripts/setup

demo: setup
	@$(MAKE) --no-print-directory all
	@scripts/demo

check: setup
	@scripts/setup --browser
	@$(MAKE) --no-print-directory all test

bin/querytap: $(MAIN) $(OBJECTS)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# Linked statically where the C library can be, with which it starts in 0.4 ms instead of 0.5.
bin/querytap-rustc: STATIC := $(if $(SANITIZE),,$(if $(filter /%,$(shell $(CC) -print-file-name=libc.a)),-static))
bin/querytap-rustc: $(BUILD)/shim/querytap-rustc.o
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) $(STATIC) -o $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The skeleton is made, so it has to be there before the files that include it are read.
$(filter $(BUILD)/userspace/collect/%,$(OBJECTS)): $(SKELETON)

# Names the files that page_write.c includes; made anew when one is added or removed.
$(PAGE_LIST): userspace/render/page Makefile
	@mkdir -p $(@D)
	@printf 'PAGE(%s, "%s")\n' $(foreach file,$(notdir $(PAGES)),page_$(subst -,_,$(subst .,_,$(file))) $(file)) > $@

$(BUILD)/userspace/render/page_write.o: $(PAGE_LIST) $(PAGES)

# What a Content-Security-Policy calls scripts and style sheets by: base64 of their SHA-256.
$(PAGE_HASHES): userspace/render/page $(PAGES) Makefile
	@mkdir -p $(@D)
	@for file in $(filter-out %.html,$(PAGES)); do \
		printf 'HASH("%s", "sha256-%s")\n' $${file##*/} \
			"$$(sha256sum < $$file | head -c 64 | tr a-f A-F | basenc --base16 --decode | base64)"; \
	done > $@

$(BUILD)/userspace/render/data.o: $(PAGE_HASHES)

$(PPROF).c $(PPROF).h &: userspace/render/profile.proto
	@mkdir -p $(@D)
	protoc-c --proto_path=$(<D) --c_out=$(@D) $<

$(PPROF).o: $(PPROF).c
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/userspace/render/export_pprof.o $(BUILD)/tests/unit/test_export.o: $(PPROF).h

$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c
	@mkdir -p $(@D)
	$(CLANG) -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_x86 -Wall -Werror -I. -MMD -MP -c -o $@ $<

$(BUILD)/bpf/querytap.o: $(BPF_OBJECTS) Makefile
	$(BPFTOOL) gen object $@ $(BPF_OBJECTS)

$(SKELETON): $(BUILD)/bpf/querytap.o
	$(BPFTOOL) gen skeleton $< name querytap_bpf > $@

$(BUILD)/tests/%: $(BUILD)/tests/unit/%.o $(OBJECTS)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ -lcmocka $(LDLIBS)

# The objects' own path below the build folder.
$(BUILD)/tests/unit/%.o: tests/unit/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The BPF programs as ordinary C: a stand-in for libbpf's headers comes first.
$(patsubst %,$(BUILD)/tests/unit/test_%.o,pair guards clock absence): CPPFLAGS := -Itests/unit/shim $(CPPFLAGS)

$(BUILD)/tests/test_unwind_libdw: LDLIBS += -ldw

# Small programs that tests and benchmarks use.
FIXTURE_TOOLS := $(patsubst %,$(BUILD)/fixtures/%,same-json make-profile make-recording measure kinds fake-daemon talk)

$(BUILD)/fixtures/same-json: $(BUILD)/tests/fixtures/tools/same_json.o
$(BUILD)/fixtures/measure: $(BUILD)/tests/fixtures/tools/measure.o
$(BUILD)/fixtures/make-profile: $(BUILD)/tests/fixtures/tools/make_profile.o $(filter $(BUILD)/userspace/mmprofdata/%,$(OBJECTS))
$(BUILD)/fixtures/make-recording: $(BUILD)/tests/fixtures/tools/make_recording.o $(OBJECTS)
$(BUILD)/fixtures/fake-daemon: $(BUILD)/tests/fixtures/tools/fake_daemon.o
$(BUILD)/fixtures/talk: $(BUILD)/tests/fixtures/tools/talk.o
$(BUILD)/fixtures/kinds: $(BUILD)/tests/fixtures/tools/kinds.o $(OBJECTS)
$(FIXTURE_TOOLS):
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/tests/fixtures/tools/%.o: tests/fixtures/tools/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

include tests/fixtures/standin/standin.mk
include userspace/mmprofdata/library.mk
include tests/fuzz/fuzz.mk

test: $(UNIT_TESTS) all $(STANDIN_RUSTC) $(FOLD) $(FIXTURE_TOOLS)
	@tests/run $(UNIT_TESTS)

bench: all $(FIXTURE_TOOLS)
	@scripts/bench --bpftrace --json=$(BUILD)/bench.json
	@scripts/bench-read

install: all install-lib
	$(INSTALL) -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/doc/querytap
	$(INSTALL) -m 755 bin/querytap bin/querytap-rustc scripts/cargo-querytap scripts/collect-summarize $(DESTDIR)$(PREFIX)/bin
	bin/querytap --generate man > $(DESTDIR)$(PREFIX)/share/man/man1/querytap.1
	bin/querytap --generate bash-completion > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/querytap
	$(INSTALL) -m 644 README.md LICENSE-MIT LICENSE-APACHE $(DESTDIR)$(PREFIX)/share/doc/querytap
	$(INSTALL) -d $(DESTDIR)$(UNITDIR) $(DESTDIR)$(SYSUSERSDIR)
	sed 's#@bindir@#$(PREFIX)/bin#' systemd/querytap.service.in > $(BUILD)/querytap.service
	$(INSTALL) -m 644 $(BUILD)/querytap.service $(DESTDIR)$(UNITDIR)
	$(INSTALL) -m 644 systemd/querytap.socket $(DESTDIR)$(UNITDIR)
	$(INSTALL) -m 644 systemd/sysusers.conf $(DESTDIR)$(SYSUSERSDIR)/querytap.conf

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

lint:
	clang-format --dry-run -Werror $$(git ls-files '*.c' '*.h')
	clang-tidy --quiet $(MAIN:$(BUILD)/%.o=%.c) $(SOURCES) shim/querytap-rustc.c -- -std=gnu11 $(CPPFLAGS)

clean:
	rm -rf $(BUILD) bin

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
