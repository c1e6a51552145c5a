# The front door.
#
#   make                            release build: shared and static library, command
#   make demo                       the main job on real input
#   make test                       everything that has to hold
#   make bench                      this library beside bare rustls and OpenSSL, on this machine
#   make install PREFIX= DESTDIR=   headers, libraries, pkg-config file, command
#
# Also: `make test-c` (the C programs alone), `make bless` (rewrite the generated headers), `make deny` (licences and
# advisories of the dependencies; installs cargo-deny, which takes minutes).

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := build

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
PKGCONFIGDIR ?= $(LIBDIR)/pkgconfig
DESTDIR ?=

CARGO ?= cargo
VERSION := $(shell sed -n 's/^version = "\(.*\)"$$/\1/p' Cargo.toml | head -n 1)
# The number in the SONAME; build.rs has the same, and tests/symbols.rs compares them.
ABI := 0

SOURCES := Cargo.toml Cargo.lock build.rs $(shell find src -type f)
HEADERS := $(wildcard include/*.h)
TARGET := $(or $(CARGO_TARGET_DIR),target)/release
OUT := build/release
# Where the tests and the demo install to; the same files that `make install` puts in place.
STAGE := build/stage

.PHONY: build demo test test-c bench install stage tools bless deny clean

build: $(OUT)/brokertls $(OUT)/libbrokertls.so $(OUT)/libbrokertls.a

# Cargo cannot apply LTO to a library that is also an rlib, so the two C libraries are built by a command of their own.
# Copies under build/ keep `make install`, which may run as root, from starting a compiler.
$(OUT)/brokertls: $(SOURCES)
	$(CARGO) build --locked --release --bin brokertls
	@mkdir -p $(OUT)
	cp $(TARGET)/brokertls $@

$(OUT)/libbrokertls.so $(OUT)/libbrokertls.a $(OUT)/native-static-libs &: $(SOURCES) | $(OUT)/brokertls
	@mkdir -p $(OUT)
	$(CARGO) rustc --locked --release --lib --crate-type cdylib,staticlib -- \
	    --print native-static-libs=$(CURDIR)/$(OUT)/native-static-libs
	cp $(TARGET)/libbrokertls.so $(TARGET)/libbrokertls.a $(OUT)/

# A C compiler's driver adds libgcc itself, and the shared half of it would break `-static`.
$(OUT)/brokertls.pc: brokertls.pc.in $(OUT)/native-static-libs FORCE
	@sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' \
	    -e 's|@VERSION@|$(VERSION)|' -e "s|@LIBS_PRIVATE@|$$(sed 's/-lgcc_s *//' $(OUT)/native-static-libs)|" \
	    brokertls.pc.in > $@
FORCE:

install: build $(OUT)/brokertls.pc
	install -d '$(DESTDIR)$(BINDIR)' '$(DESTDIR)$(LIBDIR)' '$(DESTDIR)$(INCLUDEDIR)' '$(DESTDIR)$(PKGCONFIGDIR)'
	install -m 755 $(OUT)/brokertls '$(DESTDIR)$(BINDIR)/brokertls'
	install -m 644 $(HEADERS) '$(DESTDIR)$(INCLUDEDIR)'
	install -m 755 $(OUT)/libbrokertls.so '$(DESTDIR)$(LIBDIR)/libbrokertls.so.$(VERSION)'
	ln -sf libbrokertls.so.$(VERSION) '$(DESTDIR)$(LIBDIR)/libbrokertls.so.$(ABI)'
	ln -sf libbrokertls.so.$(ABI) '$(DESTDIR)$(LIBDIR)/libbrokertls.so'
	install -m 644 $(OUT)/libbrokertls.a '$(DESTDIR)$(LIBDIR)/libbrokertls.a'
	install -m 644 $(OUT)/brokertls.pc '$(DESTDIR)$(PKGCONFIGDIR)/brokertls.pc'

stage:
	@$(MAKE) --no-print-directory install PREFIX=$(CURDIR)/$(STAGE) DESTDIR= > /dev/null

tools:
	@tests/tools.sh

test: tools
	@tests/run.sh

test-c: tools stage
	@tests/c/run.sh $(STAGE)

bless:
	BTLS_BLESS=1 $(CARGO) test --locked --test generated

deny:
	command -v cargo-deny > /dev/null || $(CARGO) install --locked cargo-deny
	$(CARGO) deny --locked check

clean:
	$(CARGO) clean
	rm -rf build
