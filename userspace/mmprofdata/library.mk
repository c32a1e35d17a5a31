# SPDX-License-Identifier: MIT OR Apache-2.0
# libmmprofdata, static and shared: the room mmprofdata/ alone, with nothing exported but what its header declares.

LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
# Counts up when a program that was linked to the library before would no longer run with it.
LIB_ABI := 0
LIB := $(BUILD)/lib
LIB_OBJECTS := $(patsubst userspace/mmprofdata/%.c,$(LIB)/objects/%.o,$(wildcard userspace/mmprofdata/*.c))
LIB_FILES := $(LIB)/libmmprofdata.a $(LIB)/libmmprofdata.so.$(LIB_ABI) $(LIB)/libmmprofdata.so

.PHONY: lib install-lib
lib: $(LIB_FILES)
all test: lib

$(LIB)/objects/%.o: userspace/mmprofdata/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -fvisibility=hidden -MMD -MP -c -o $@ $<

$(LIB)/libmmprofdata.a: $(LIB_OBJECTS)
	rm -f $@
	$(AR) rcs $@ $^

$(LIB)/libmmprofdata.so.$(LIB_ABI): $(LIB_OBJECTS)
	$(CC) $(LDFLAGS) -shared -Wl,-soname,$(@F) -Wl,--no-undefined -Wl,--as-needed -o $@ $^ -ljansson -lpthread

$(LIB)/libmmprofdata.so: $(LIB)/libmmprofdata.so.$(LIB_ABI)
	ln -sf $(<F) $@

install-lib: lib
	$(INSTALL) -d $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(INCLUDEDIR) $(DESTDIR)$(MANDIR)/man3
	$(INSTALL) -m 644 $(LIB)/libmmprofdata.a $(DESTDIR)$(LIBDIR)
	$(INSTALL) -m 755 $(LIB)/libmmprofdata.so.$(LIB_ABI) $(DESTDIR)$(LIBDIR)
	ln -sf libmmprofdata.so.$(LIB_ABI) $(DESTDIR)$(LIBDIR)/libmmprofdata.so
	$(INSTALL) -m 644 userspace/mmprofdata/mmprofdata.h $(DESTDIR)$(INCLUDEDIR)
	sed -e 's|@prefix@|$(PREFIX)|' -e 's|@libdir@|$(LIBDIR)|' -e 's|@includedir@|$(INCLUDEDIR)|' \
		-e 's|@version@|$(VERSION)|' userspace/mmprofdata/mmprofdata.pc.in \
		> $(DESTDIR)$(LIBDIR)/pkgconfig/mmprofdata.pc
	$(INSTALL) -m 644 docs/mmprofdata.3 $(DESTDIR)$(MANDIR)/man3
