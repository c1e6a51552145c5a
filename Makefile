# The front door.
#
#   make                            release build: shared and static library, command
#   make demo                       the main job on real input: a broker in C, then three of ActiveMQ in one process
#   make check                      the fast part of it, for work in progress: format, clippy, rules, core in Rust
#   make test                       everything that must hold; needs nothing beside this folder
#   make test-data BTLS_DATA=       the cases of other projects, read from this folder; CONTRIBUTING.md lists them
#   make test-openssl4             the tests of the second engine with OpenSSL 4 on one or both sides
#   make test-asan                  the same with the address sanitizer
#   make test-convert JDKS=         converted keystores read by more programs: each JDK of this list of folders [default:
#                                   those in /usr/lib/jvm], OpenSSL 4, go-pkcs12 and Bouncy Castle
#   make bench BENCH= SIDES=        this library beside others, on this machine; then a list of a million revoked
#                                   certificates beside OpenSSL
#   make bench-page                 the same figures without the list, into docs/performance.md with plots
#   make bench-guard                what a call of the C API costs that does little, on this machine
#   make bench-legacy               handshakes of old and PSK clients beside OpenSSL called directly, and modern clients at a
#                                   context with the second engine beside one without
#   make bench-idle                 what an idle connection takes, in memory (512,000 of them) and over sockets, beside
#                                   OpenSSL 4; also `make bench-echo` (an epoll server: throughput, latency, processor
#                                   time), `make bench-storm` (20,000 clients come back at once) and `make bench-scaling`
#                                   (handshakes on two processors)
#   make bench-java                 the JVM side beside the JDK's own, Conscrypt and netty-tcnative, on this machine
#   make bench-java-page            the same figures, into docs/performance.md with a plot
#   make bench-ffm                  the call of a record by JNI beside one by the foreign function interface, on the JDK 25
#                                   of /usr/lib/jvm (another one of 22 or later with JVM_25=FILE); also `make
#                                   bench-ffm-page`, into docs/performance.md
#   make peers                      what other stacks and clients print for each refusal, into docs/peers.md
#   make install PREFIX= DESTDIR=   headers, libraries, pkg-config file, CMake package, command, manual pages, licences;
#                                   the debug information of the shared library in LIBDIR/.debug, where debuggers look
#                                   for it; beside the libraries that of the second engine, which alone needs OpenSSL
#   make java                       the jars: java/target/brokertls-VERSION.jar has the classes, and the one that users
#                                   add, brokertls-VERSION-PLATFORM.jar, the classes and the native libraries for the
#                                   platform of Rust's host, such as linux-x86_64 or linux-aarch64-musl
#   make natives PLATFORMS=         the same jar for other platforms too [default: linux-x86_64, linux-aarch64, and both
#                                   with -musl], with zig and the standard libraries of Rust for them: `rustup target
#                                   add`, or packaging/rust.sh on Debian
#   make java-modules               the jars beside it: java/kafka/target has the engine factory of Kafka, java/jetty/target
#                                   HTTP/2 of Jetty, java/activemq/target the sslContext of ActiveMQ
#   make java-release SOURCE_URL=   all of them for publishing: sources, Javadoc and a complete pom beside each jar; the
#                                   argument is the address of the public source, which the poms name
#   make test-stacks STACKS= JDKS=  other servers, brokers and clients of the JVM on the provider: those named by their
#                                   folders in tests/stacks [default: all], on each JDK of a list of folders
#   make install-rustls-ffi         the library for C programs written for rustls-ffi: libbrokertls_rustls, its headers and
#                                   pkg-config file; PREFIX= and DESTDIR= as above
#   make install-java               all of them into the local Maven repository; where PREFIX or DESTDIR is given, the one that
#                                   users add into $(DESTDIR)$(PREFIX)/share/java as brokertls.jar too
#   make install-natives PLATFORMS= those and the jars of the other platforms into the local Maven repository
#
# Also: `make test-c`, `make test-java`, `make test-jars` and `make test-activemq` (the C programs, the Java tests, the
# content of the published jars, the embedded brokers alone), `make test-java-25` (the Java tests that need a JDK 25), `make demo-java` (the demo's part with ActiveMQ), `make soak-java` (a million engines and 100,000 sockets), `make
# soak-records` (a million records each way against rustls), `make bless` (rewrite the generated headers), `make deny`
# (licences and advisories of the dependencies; installs cargo-deny, which takes minutes), `make test-natives` (the jars of
# other platforms, each by an emulator or a loader that tests/natives/run.sh is given).

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := build

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
PKGCONFIGDIR ?= $(LIBDIR)/pkgconfig
DOCDIR ?= $(PREFIX)/share/doc
MANDIR ?= $(PREFIX)/share/man
DESTDIR ?=

CARGO ?= cargo
VERSION := $(shell sed -n 's/^version = "\(.*\)"$$/\1/p' Cargo.toml | head -n 1)
# The number in the SONAME; build.rs has the same, and tests/symbols.rs compares them.
ABI := 0
DEBUG_FILE := libbrokertls.so.$(VERSION).debug

# The messages of panics name source files. These flags name them without the folders of the machine that builds, and are
# the same for every release build, for cargo builds all anew when they change. A RUSTFLAGS of the caller's takes their
# place.
comma := ,
remapped = "--remap-path-prefix=$(1)=$(2)"
RUST_HOST := $(shell rustc -vV 2> /dev/null | sed -n 's/^host: //p')
RELEASE = --release --config 'build.rustflags=[$(call remapped,$(CURDIR),/brokertls)$(comma)$(call \
    remapped,$(or $(CARGO_HOME),$(HOME)/.cargo),/cargo)$(comma)$(call \
    remapped,$(shell rustc --print sysroot)/lib/rustlib/src/rust,/rustc)$(DYNAMIC)]'
# Where Rust of rustup runs on musl, it makes static programs alone by default.
DYNAMIC = $(if $(filter %-musl,$(RUST_HOST)),$(comma)"-Ctarget-feature=-crt-static")

# Libraries that are given to other machines ask for no symbol of a glibc later than this, if the linker for that can be
# had (tests/tools.sh). In a recipe, the arguments of rustc that name it.
GLIBC := 2.17
export GLIBC
# The symbols of musl have no versions.
OLDER = $(if $(filter %-musl,$(RUST_HOST)),,$$(PYTHONPATH=target/python python3 -c 'import ziglang' 2> /dev/null && \
    echo '-C linker=$(CURDIR)/packaging/linker.sh'))

SOURCES := Cargo.toml Cargo.lock build.rs $(shell find src bindings/legacy/abi -type f)
LEGACY_SOURCES := Cargo.toml Cargo.lock bindings/legacy/Cargo.toml \
    $(shell find bindings/legacy/abi bindings/legacy/src -type f)
RUSTLS_FFI_SOURCES := $(shell find bindings/rustls-ffi -type f)
HEADERS := $(wildcard include/*.h)
TARGET := $(or $(CARGO_TARGET_DIR),target)/release
OUT := build/release
# The second engine, which alone needs OpenSSL. With LEGACY=no it is neither built nor installed.
LEGACY ?= yes
LEGACY_LIBRARY := $(if $(filter no,$(LEGACY)),,$(OUT)/libbrokertls_legacy.so)
# Where the tests and the demo install to; the same files that `make install` puts in place.
STAGE := build/stage

# The platform of the native library inside the jar that `make java` builds: that of the programs that rustc makes, as
# the loader names it. Each other one has a jar of its own. The name of a host has the maker of the system inside.
JAVA_PROCESSOR := $(firstword $(subst -, ,$(RUST_HOST)))
JAVA_PLATFORM := $(if $(filter x86_64 aarch64,$(JAVA_PROCESSOR)),$(if \
    $(filter %-linux-gnu,$(RUST_HOST)),linux-$(JAVA_PROCESSOR),$(if \
    $(filter %-linux-musl,$(RUST_HOST)),linux-$(JAVA_PROCESSOR)-musl)))
JAVA_PLATFORM := $(or $(JAVA_PLATFORM),$(RUST_HOST))
JAVA_PLATFORMS := linux-x86_64 linux-aarch64 linux-x86_64-musl linux-aarch64-musl
PLATFORMS ?= $(JAVA_PLATFORMS)
JAVA_NATIVE := build/java/native
JAVA_LIBRARY := $(JAVA_NATIVE)/META-INF/native/$(JAVA_PLATFORM)/libbrokertls_jni.so
JAVA_LEGACY := $(if $(LEGACY_LIBRARY),$(JAVA_NATIVE)/META-INF/native/$(JAVA_PLATFORM)/libbrokertls_legacy.so)
JAVA_NOTICES := $(JAVA_NATIVE)/META-INF/THIRD-PARTY.txt
JAVA_JAR := java/target/brokertls-$(VERSION)-$(JAVA_PLATFORM).jar
JAVADIR ?= $(PREFIX)/share/java
MVN ?= mvn
MAVEN := $(MVN) -q -B -f java -Dnative.directory=$(CURDIR)/$(JAVA_NATIVE) -Dnative.platform=$(JAVA_PLATFORM)
JAVA_MODULES = $(MAVEN:java=java/modules.xml)
# Runs a goal for the jar of each other platform.
FOR_OTHERS = for platform in $(filter-out $(JAVA_PLATFORM),$(PLATFORMS)); do \
    $(MVN) -q -B -f java -Dnative.directory=$(CURDIR)/build/natives/$$platform -Dnative.platform=$$platform \
        -Dmaven.test.skip=true $(1); done

.PHONY: rustls-ffi install-rustls-ffi test-rustls-ffi build demo demo-java check test test-data test-openssl4 test-convert test-c bench bench-page bench-programs install stage \
    tools bless deny clean java test-java test-java-25 test-activemq install-java bench-java bench-java-page soak-java soak-records peers

build: $(OUT)/brokertls $(OUT)/libbrokertls.so $(OUT)/libbrokertls.a $(LEGACY_LIBRARY) $(OUT)/THIRD-PARTY.txt

# Cargo cannot apply LTO to a library that is also an rlib, so the C library is built by a command of its own. Copies under
# build/ keep `make install`, which may run as root, from starting a compiler.
$(OUT)/brokertls: $(SOURCES)
	$(CARGO) build --locked $(RELEASE) --bin brokertls
	@mkdir -p $(OUT)
	strip -g -o $@.new $(TARGET)/brokertls
	mv $@.new $@

# rustc's static library shows every function of Rust's runtime and of aws-lc, and would clash with another library
# written in Rust. What is put in place is one object that shows the functions of the header and holds nothing else; its
# section groups are dissolved, for a linker drops another library's group of the same name.
#
# Of the names that only dropped sections asked for, none is left: another library's weak ones would become necessary.
#
# The shared library is made of the same object, for rustc gives symbols no version. It is never unloaded: its threads
# have destructors (build.rs says more). Debug information goes into a file beside it, which the library names.
#
# $(1) is the name of the library, $(2) its sources, $(3) what cargo is to build, and $(4) the names that it shows, as
# awk knows them.
define c_library
$$(OUT)/$(1).whole.a $$(OUT)/$(1).libs &: $(2) | $$(OUT)/brokertls
	@mkdir -p $$(OUT)
	$$(CARGO) rustc --locked $$(RELEASE) $(3) --crate-type staticlib -- \
	    --print native-static-libs=$$(CURDIR)/$$(OUT)/$(1).libs
	cp $$(TARGET)/lib$(1).a $$(OUT)/$(1).whole.a

$$(OUT)/$(1).o $$(OUT)/$(1).symbols &: $$(OUT)/$(1).whole.a
	nm -g --defined-only $$< 2> /dev/null | awk '$$$$3 ~ /$(4)/ { print $$$$3 }' | LC_ALL=C sort -u > $$(OUT)/$(1).symbols
	ld -r --gc-sections --force-group-allocation $$$$(sed 's/^/-u /' $$(OUT)/$(1).symbols) -o $$(OUT)/$(1).whole.o \
	    --whole-archive $$<
	objcopy --keep-global-symbols=$$(OUT)/$(1).symbols -R .llvmbc -R .llvmcmd -R .llvm_addrsig $$(OUT)/$(1).whole.o \
	    $$(OUT)/$(1).o
	rm -f $$(OUT)/$(1).whole.o

$$(OUT)/lib$(1).a: $$(OUT)/$(1).o
	objcopy --strip-unneeded $$< $$(OUT)/$(1).stripped.o
	rm -f $$@
	ar rcsD $$@ $$(OUT)/$(1).stripped.o
	rm -f $$(OUT)/$(1).stripped.o

$$(OUT)/lib$(1).so $$(OUT)/lib$(1).so.$$(VERSION).debug &: $$(OUT)/$(1).o
	{ echo 'BROKERTLS_$$(ABI) {'; echo 'global:'; sed 's/$$$$/;/' $$(OUT)/$(1).symbols; echo 'local: *;'; echo '};'; } \
	    > $$(OUT)/$(1).map
	$$(CC) -shared -o $$(OUT)/$(1).whole.so $$< -Wl,--version-script=$$(OUT)/$(1).map \
	    -Wl,-soname,lib$(1).so.$$(ABI) -Wl,-z,nodelete -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,defs \
	    -Wl,--gc-sections -Wl,--build-id $$$$(cat $$(OUT)/$(1).libs)
	objcopy --only-keep-debug $$(OUT)/$(1).whole.so $$(OUT)/lib$(1).so.$$(VERSION).debug
	cd $$(OUT) && objcopy --strip-all --add-gnu-debuglink=lib$(1).so.$$(VERSION).debug $(1).whole.so lib$(1).so
	rm -f $$(OUT)/$(1).whole.so
endef

$(eval $(call c_library,brokertls,$$(SOURCES),--lib,^btls_))
$(eval $(call c_library,brokertls_rustls,$$(SOURCES) $$(RUSTLS_FFI_SOURCES),-p brokertls-rustls-ffi --lib,^(btls|rustls|RUSTLS)_))

# A library that the others load when a context asks for the second engine.
$(OUT)/libbrokertls_legacy.so: $(LEGACY_SOURCES)
	@tests/tools.sh build
	@tests/tools.sh linker
	$(CARGO) rustc --locked $(RELEASE) -p brokertls-legacy --lib -- $(OLDER) \
	    -C link-arg=-L$$(pkg-config --variable=libdir openssl) -C link-arg=-Wl,--allow-shlib-undefined
	@mkdir -p $(OUT)
	strip -o $@.new $(TARGET)/libbrokertls_legacy.so
	@packaging/glibc.sh $@.new $(OLDER)
	mv $@.new $@

# The licences of what the libraries and the command link. $(1) is the file, and $(2) the packages.
NOTICES := packaging/notices.py LICENSE-APACHE Cargo.lock $(wildcard Cargo.toml bindings/*/Cargo.toml)
notices = packaging/notices.py $(1) $(2:%=--package %) --target $(RUST_HOST) --local
$(OUT)/THIRD-PARTY.txt: $(NOTICES)
	@tests/tools.sh python3:python3
	$(call notices,$@,brokertls $(if $(LEGACY_LIBRARY),brokertls-legacy))

# In Libs.private, libgcc_s is left out: a C compiler's driver adds what it needs of it, and naming it breaks `-static`.
install: build
	install -d '$(DESTDIR)$(BINDIR)' '$(DESTDIR)$(LIBDIR)' '$(DESTDIR)$(INCLUDEDIR)' '$(DESTDIR)$(PKGCONFIGDIR)'
	install -m 755 $(OUT)/brokertls '$(DESTDIR)$(BINDIR)/brokertls'
	install -m 644 $(HEADERS) '$(DESTDIR)$(INCLUDEDIR)'
	install -m 755 $(OUT)/libbrokertls.so '$(DESTDIR)$(LIBDIR)/libbrokertls.so.$(VERSION)'
	ln -sf libbrokertls.so.$(VERSION) '$(DESTDIR)$(LIBDIR)/libbrokertls.so.$(ABI)'
	ln -sf libbrokertls.so.$(ABI) '$(DESTDIR)$(LIBDIR)/libbrokertls.so'
	$(if $(LEGACY_LIBRARY),install -m 755 $(LEGACY_LIBRARY) '$(DESTDIR)$(LIBDIR)/libbrokertls_legacy.so')
	install -m 644 $(OUT)/libbrokertls.a '$(DESTDIR)$(LIBDIR)/libbrokertls.a'
	install -d '$(DESTDIR)$(LIBDIR)/.debug' '$(DESTDIR)$(LIBDIR)/cmake/brokertls'
	install -m 644 $(OUT)/$(DEBUG_FILE) '$(DESTDIR)$(LIBDIR)/.debug/$(DEBUG_FILE)'
	sed -e 's|@BELOW@|$(LIBDIR:$(PREFIX)/%=/%)|' -e 's|@VERSION@|$(VERSION)|' \
	    -e 's|@INCLUDEDIR@|$(INCLUDEDIR:$(PREFIX)/%=$${brokertls_prefix}/%)|' \
	    -e "s|@LIBS_PRIVATE@|$$(sed 's/-lgcc_s *//; s/^ *//; s/ *$$//; s/  */;/g' $(OUT)/brokertls.libs)|" \
	    brokertls-config.cmake.in > '$(DESTDIR)$(LIBDIR)/cmake/brokertls/brokertlsConfig.cmake'
	sed -e 's|@VERSION@|$(VERSION)|g' brokertls-config-version.cmake.in \
	    > '$(DESTDIR)$(LIBDIR)/cmake/brokertls/brokertlsConfigVersion.cmake'
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' \
	    -e 's|@LIBDIR@|$(LIBDIR:$(PREFIX)/%=$${prefix}/%)|' \
	    -e 's|@INCLUDEDIR@|$(INCLUDEDIR:$(PREFIX)/%=$${prefix}/%)|' \
	    -e "s|@LIBS_PRIVATE@|$$(sed 's/-lgcc_s *//' $(OUT)/brokertls.libs)|" \
	    brokertls.pc.in > '$(DESTDIR)$(PKGCONFIGDIR)/brokertls.pc'
	install -d '$(DESTDIR)$(DOCDIR)/brokertls'
	install -m 644 LICENSE-APACHE LICENSE-MIT $(OUT)/THIRD-PARTY.txt '$(DESTDIR)$(DOCDIR)/brokertls'
	install -d '$(DESTDIR)$(MANDIR)/man1' '$(DESTDIR)$(MANDIR)/man3'
	install -m 644 docs/man/*.1 '$(DESTDIR)$(MANDIR)/man1'
	install -m 644 docs/man/*.3 '$(DESTDIR)$(MANDIR)/man3'
	for page in docs/man/*.3; do \
	    for name in $$(sed -n '/^.Sh NAME/,/^.Nd/s/^.Nm \([a-z0-9_]*\).*/\1/p' $$page); do \
	        [ $$name.3 = $${page##*/} ] || echo ".so man3/$${page##*/}" > '$(DESTDIR)$(MANDIR)'/man3/$$name.3; \
	    done; \
	done

# The library for programs that are written for rustls-ffi. Its own header is installed beside that of rustls-ffi, which
# comes with that package.
rustls-ffi: $(OUT)/libbrokertls_rustls.so $(OUT)/libbrokertls_rustls.a $(OUT)/rustls-ffi/THIRD-PARTY.txt

$(OUT)/rustls-ffi/THIRD-PARTY.txt: $(NOTICES)
	@tests/tools.sh python3:python3
	$(call notices,$@,brokertls-rustls-ffi)

RUSTLS_INCLUDEDIR = $(INCLUDEDIR)/brokertls-rustls
install-rustls-ffi: rustls-ffi
	install -d '$(DESTDIR)$(LIBDIR)/.debug' '$(DESTDIR)$(RUSTLS_INCLUDEDIR)' '$(DESTDIR)$(PKGCONFIGDIR)'
	install -m 644 $(HEADERS) bindings/rustls-ffi/include/brokertls_rustls.h '$(DESTDIR)$(RUSTLS_INCLUDEDIR)'
	install -m 644 "$$(ls -t $(TARGET)/build/rustls-ffi-*/out/include/rustls.h | head -n 1)" \
	    '$(DESTDIR)$(RUSTLS_INCLUDEDIR)'
	install -m 755 $(OUT)/libbrokertls_rustls.so '$(DESTDIR)$(LIBDIR)/libbrokertls_rustls.so.$(VERSION)'
	ln -sf libbrokertls_rustls.so.$(VERSION) '$(DESTDIR)$(LIBDIR)/libbrokertls_rustls.so.$(ABI)'
	ln -sf libbrokertls_rustls.so.$(ABI) '$(DESTDIR)$(LIBDIR)/libbrokertls_rustls.so'
	install -m 644 $(OUT)/libbrokertls_rustls.a '$(DESTDIR)$(LIBDIR)/libbrokertls_rustls.a'
	install -m 644 $(OUT)/libbrokertls_rustls.so.$(VERSION).debug '$(DESTDIR)$(LIBDIR)/.debug'
	install -d '$(DESTDIR)$(DOCDIR)/brokertls-rustls'
	install -m 644 LICENSE-APACHE LICENSE-MIT $(OUT)/rustls-ffi/THIRD-PARTY.txt '$(DESTDIR)$(DOCDIR)/brokertls-rustls'
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' \
	    -e 's|@LIBDIR@|$(LIBDIR:$(PREFIX)/%=$${prefix}/%)|' \
	    -e 's|@INCLUDEDIR@|$(RUSTLS_INCLUDEDIR:$(PREFIX)/%=$${prefix}/%)|' \
	    -e "s|@LIBS_PRIVATE@|$$(sed 's/-lgcc_s *//' $(OUT)/brokertls_rustls.libs)|" \
	    bindings/rustls-ffi/brokertls-rustls.pc.in > '$(DESTDIR)$(PKGCONFIGDIR)/brokertls-rustls.pc'

# Built by itself: together with the C library it would be given the features, and the symbols, of that.
$(JAVA_LIBRARY): $(SOURCES) bindings/jni/Cargo.toml bindings/jni/build.rs $(wildcard bindings/jni/src/*.rs)
	$(if $(filter $(JAVA_PLATFORM),$(JAVA_PLATFORMS)),,$(error the jar has no platform for programs of $(RUST_HOST); \
	    it has $(JAVA_PLATFORMS)))
	@tests/tools.sh linker
	$(CARGO) rustc --locked $(RELEASE) -p brokertls-jni -- $(OLDER)
	@mkdir -p $(@D)
	strip -o $@.new $(TARGET)/libbrokertls_jni.so
	@packaging/glibc.sh $@.new $(OLDER)
	mv $@.new $@

# Beside it in the jar: the loader of Java unpacks it for a context that asks for it.
ifneq ($(JAVA_LEGACY),)
$(JAVA_LEGACY): $(LEGACY_LIBRARY)
	@mkdir -p $(@D)
	cp $< $@.new
	mv $@.new $@
endif

# The licences of what the native libraries link go into the jar with them.
JAVA_TARGETS := x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu x86_64-unknown-linux-musl aarch64-unknown-linux-musl
$(JAVA_NOTICES): $(NOTICES)
	@tests/tools.sh python3:python3
	packaging/notices.py $@ --package brokertls-jni $(if $(JAVA_LEGACY),--package brokertls-legacy) \
	    $(JAVA_TARGETS:%=--target %)

java: $(JAVA_LIBRARY) $(JAVA_LEGACY) $(JAVA_NOTICES)
	@tests/tools.sh mvn:maven javac:default-jdk-headless strip:binutils
	$(MAVEN) -DskipTests package

.PHONY: natives install-natives
natives: java
	@tests/tools.sh linker
	for platform in $(filter-out $(JAVA_PLATFORM),$(PLATFORMS)); do \
	    CARGO='$(CARGO)' LEGACY='$(LEGACY)' packaging/native.sh $$platform $(RELEASE); \
	    cp $(JAVA_NOTICES) build/natives/$$platform/META-INF; \
	done
	$(call FOR_OTHERS,package)

# On the platforms that variables give a program for: tests/natives/run.sh names them.
.PHONY: test-natives
test-natives: natives
	@tests/natives/run.sh java/target

install-natives: natives install-java
	$(call FOR_OTHERS,install)

.PHONY: java-modules java-release test-jars test-stacks
java-modules: $(JAVA_LIBRARY) $(JAVA_LEGACY) $(JAVA_NOTICES)
	@tests/tools.sh mvn:maven javac:default-jdk-headless
	$(JAVA_MODULES) -DskipTests package

# What an earlier build has left would change the bytes.
JAVA_TARGET_FOLDERS := $(foreach module,. kafka jetty activemq,java/$(module)/target)
java-release: $(JAVA_LIBRARY) $(JAVA_LEGACY) $(JAVA_NOTICES)
	@test -n '$(SOURCE_URL)' || { echo 'name the address of the public source with SOURCE_URL=' >&2; exit 1; }
	@tests/tools.sh mvn:maven javac:default-jdk-headless javadoc:default-jdk-headless
	rm -rf $(JAVA_TARGET_FOLDERS)
	$(JAVA_MODULES) -Prelease -Dsource.url='$(SOURCE_URL)' -DskipTests package

test-jars: $(JAVA_LIBRARY) $(JAVA_LEGACY) $(JAVA_NOTICES)
	@tests/tools.sh mvn:maven javac:default-jdk-headless javadoc:default-jdk-headless readelf:binutils python3:python3
	@tests/jars/run.sh $(VERSION) $(JAVA_PLATFORM)

test-stacks: java-modules
	@tests/tools.sh openssl:openssl keytool:default-jdk-headless npm:npm chromium:chromium pk12util:libnss3-tools
	@STACKS='$(STACKS)' JDKS='$(JDKS)' tests/stacks/run.sh $(JAVA_JAR)

# Not quiet: tests/run.sh counts what surefire reports.
test-java: $(JAVA_LIBRARY) $(JAVA_LEGACY)
	@tests/tools.sh mvn:maven javac:default-jdk-headless openssl:openssl softhsm2-util:softhsm2
	$(filter-out -q,$(MAVEN)) test

# The tests of what Java 25 has and Java 17 has not.
TEST_25 := ParametersTest,LaterParametersCases,JsseMethodsTest,Ed448KeyTest,KeyAfterTrustTest,VirtualThreadsCases,NativeAccessCases
JVM_25 ?= $(firstword $(wildcard /usr/lib/jvm/*-25-*/bin/java))

test-java-25: $(JAVA_LIBRARY) $(JAVA_LEGACY)
	@tests/tools.sh mvn:maven javac:default-jdk-headless openssl:openssl
	@test -x '$(JVM_25)' || { echo 'no JDK 25 in /usr/lib/jvm; name its java with JVM_25=FILE' >&2; exit 1; }
	$(filter-out -q,$(MAVEN)) -Djvm='$(JVM_25)' -Dtest='$(TEST_25)' test

# On the classes that `test-java` tests, compiled here for whoever runs this alone; one of the clients is in C.
test-activemq: tools stage $(JAVA_LIBRARY) $(JAVA_LEGACY)
	$(JAVA_MODULES) -pl activemq -am compile
	@tests/activemq/run.sh

install-java: java
	$(JAVA_MODULES) -DskipTests install
ifneq ($(filter command% environment%,$(origin PREFIX) $(origin DESTDIR)),)
	install -d '$(DESTDIR)$(JAVADIR)'
	install -m 644 $(JAVA_JAR) '$(DESTDIR)$(JAVADIR)/brokertls-$(VERSION).jar'
	ln -sf brokertls-$(VERSION).jar '$(DESTDIR)$(JAVADIR)/brokertls.jar'
endif

stage:
	@$(MAKE) --no-print-directory install PREFIX=$(CURDIR)/$(STAGE) DESTDIR= > /dev/null

test-rustls-ffi: tools
	@$(MAKE) --no-print-directory install-rustls-ffi PREFIX=$(CURDIR)/$(STAGE) DESTDIR= > /dev/null
	@bindings/rustls-ffi/tests/run.sh $(STAGE)

tools:
	@tests/tools.sh

demo:
	@tests/tools.sh gcc:gcc pkg-config:pkg-config nm:binutils openssl:openssl keytool:default-jdk-headless mvn:maven \
	    mosquitto_pub:mosquitto-clients
	@$(MAKE) -s --no-print-directory stage java
	@bindings/c/demo/run.sh $(STAGE)
	@$(MAKE) -s --no-print-directory demo-java

# A Maven project of its own, because nothing else shows ActiveMQ.
demo-java: stage java
	@$(MVN) -q -B -f java/demo -Dbrokertls.jar=$(CURDIR)/$(JAVA_JAR) package
	@java/demo/run.sh $(STAGE) $(JAVA_JAR)

check:
	@tests/tools.sh gcc:gcc openssl:openssl keytool:default-jdk-headless javac:default-jdk-headless \
	    /usr/include/wolfssl/ssl.h:libwolfssl-dev /usr/include/openssl/ssl.h:libssl-dev pkg-config:pkg-config \
	    mosquitto_pub:mosquitto-clients node:nodejs erl:erlang-ssl
	@tests/run.sh check

test: tools
	@tests/run.sh

test-data:
	@tests/data/look.sh '$(BTLS_DATA)'
	@tests/tools.sh openssl:openssl mosquitto:mosquitto mosquitto_pub:mosquitto-clients tar:tar xz:xz-utils
	@BTLS_DATA="$$(realpath '$(BTLS_DATA)')" tests/run.sh data

test-openssl4: tools
	@tests/openssl4.sh

.PHONY: test-asan
test-asan: tools
	@tests/asan.sh

# What `make test` does with fewer readers.
test-convert: tools $(OUT)/brokertls
	@tests/tools.sh go:golang-go
	@JDKS='$(JDKS)' tests/convert/run.sh $(OUT)/brokertls

test-c: tools stage
	@tests/c/run.sh $(STAGE)

# The benchmark is a workspace of its own, because it builds the compared libraries; nothing else does. BENCH= runs the
# rows with this text in their name. SIDES= names the libraries to build and to run.
bench: bench-programs
	$(BENCH_OUT)/brokertls-bench --sides '$(SIDES)' '$(BENCH)'
	$(if $(BENCH),,$(BENCH_OUT)/revocation)

bench-page: bench-programs
	$(BENCH_OUT)/brokertls-bench --sides '$(SIDES)' --page docs/performance.md

SIDES ?= brokertls rustls openssl4 boringssl s2n rustls-ffi raw
# One build for each, so that a choice of libraries changes no features of their dependencies, and builds nothing anew.
BENCH_PACKAGES = $(filter openssl4 boringssl s2n rustls-ffi,$(subst $(comma), ,$(SIDES)))
BENCH_OUT := $(or $(CARGO_TARGET_DIR),tests/bench/target)/release
bench-programs: stage
	@tests/tools.sh gcc:gcc g++:g++ perl:perl cmake:cmake clang:clang
	for package in brokertls-bench $(BENCH_PACKAGES:%=brokertls-bench-%); do \
	    $(CARGO) build --locked --release --quiet --manifest-path tests/bench/Cargo.toml --package $$package; \
	done

.PHONY: bench-guard
bench-guard: stage
	@tests/tools.sh gcc:gcc pkg-config:pkg-config openssl:openssl
	@tests/bench/guard.sh $(STAGE)

.PHONY: bench-legacy
bench-legacy: stage
	@tests/tools.sh gcc:gcc pkg-config:pkg-config openssl:openssl /usr/include/openssl/ssl.h:libssl-dev
	@tests/bench/legacy.sh $(STAGE)

# The first run builds OpenSSL 4. Each prints its table, and with `-page` after its name writes it into docs/performance.md
# with plots; BENCH_IDLE= is another number of connections in memory.
LOADS := bench-idle bench-echo bench-storm bench-scaling
.PHONY: $(LOADS) $(LOADS:%=%-page)
$(LOADS) $(LOADS:%=%-page): stage
	@tests/tools.sh gcc:gcc perl:perl
	@$(CARGO) run --locked --release --quiet --manifest-path tests/bench/load/Cargo.toml -- \
	    $(patsubst bench-%,%,$(@:%-page=%)) $(if $(filter %-page,$@),--page docs/performance.md)

# Other JVMs to measure beside the one of PATH: their homes. Debian's packages put them here.
BENCH_JVMS ?= $(patsubst %/bin/java,%,$(wildcard /usr/lib/jvm/*-25-*/bin/java))

# A Maven project of its own, because nothing else needs netty and Conscrypt. BENCH= is a part of the names of the rows
# to measure, such as `unwrap, direct`. Table and plot go into build/bench; of bench-java-page into the manual too.
bench-java bench-java-page: java
	$(MVN) -q -B -f java/bench package
	java $(if $(filter %-page,$@),-Dio.brokertls.bench.page=docs/performance.md) \
	    -cp 'java/bench/target/classes:java/bench/target/lib/*:$(JAVA_JAR)' \
	    io.brokertls.bench.Report build/bench '$(BENCH)' $(BENCH_JVMS)

# Classes of their own in two packages of the library, so everything is on the class path.
FFM_PATH := java/bench/target/classes:java/bench/target/lib/*:$(JAVA_JAR)

.PHONY: bench-ffm bench-ffm-page
bench-ffm bench-ffm-page: java
	@test -x '$(JVM_25)' || { echo 'no JDK 25 in /usr/lib/jvm; name its java with JVM_25=FILE' >&2; exit 1; }
	$(MVN) -q -B -f java/bench package
	'$(JVM_25)c' -Xlint:all -d build/bench/ffm -cp '$(FFM_PATH)' $$(find java/bench-ffm -name '*.java')
	'$(JVM_25)' --enable-native-access=ALL-UNNAMED -Xms512m -Xmx512m -cp 'build/bench/ffm:$(FFM_PATH)' \
	    io.brokertls.bench.FfmReport build/bench/ffm.md $(if $(filter %-page,$@),docs/performance.md)

# Engines and sockets that are cut, refused, shared by threads and dropped, in each of these JVMs (their homes).
ENGINES ?= 1000000
SOCKETS ?= 100000
JVMS ?= $(patsubst %/bin/java,%,$(firstword $(wildcard /usr/lib/jvm/*-17-*/bin/java)) $(JVM_25))
empty :=
space := $(empty) $(empty)

soak-java: java
	@test -x '$(JVM_25)' || test '$(origin JVMS)' != file || \
	    { echo 'no JDK 25 in /usr/lib/jvm; name the homes with JVMS="HOME ..."' >&2; exit 1; }
	$(filter-out -q,$(MAVEN)) -Dtest=LongLifeTest -Dtest.timeout='24 h' -Dio.brokertls.soak.engines=$(ENGINES) \
	    -Dio.brokertls.soak.sockets=$(SOCKETS) -Dio.brokertls.soak.jvms='$(subst $(space),:,$(strip $(JVMS)))' test

# A million records each way against rustls, the OpenSSL of the system and OpenSSL 4, every size for each suite, keys of
# AES-GCM beyond their limit, and 200,000 batches of any records.
soak-records:
	@tests/tools.sh gcc:gcc perl:perl /usr/include/openssl/ssl.h:libssl-dev
	BTLS_RECORDS=1000000 BTLS_RECORDS_OF_ONE_KEY=17000000 \
	    $(CARGO) test --locked --release --test api -- records::differential records::library
	root=$$($(CARGO) run --locked --release --quiet --manifest-path tests/bench/Cargo.toml \
	    --package brokertls-bench-openssl4-build); \
	    BTLS_RECORDS=1000000 BTLS_OPENSSL=$$root $(CARGO) test --locked --release --test api -- records::library
	BTLS_BATCHES=200000 $(CARGO) test --locked --release --test fuzz -- records

# Rewrites the marked tables of the page.
peers: $(OUT)/brokertls
	@tests/tools.sh openssl:openssl mosquitto:mosquitto mosquitto_pub:mosquitto-clients node:nodejs npm:npm \
	    javac:default-jdk-headless python3:python3 pip3:python3-pip curl:curl gnutls-cli:gnutls-bin go:golang-go \
	    escript:erlang-ssl
	@tests/peers/run.sh $(OUT)/brokertls --write

bless:
	BTLS_BLESS=1 $(CARGO) test --locked --test generated

deny:
	command -v cargo-deny > /dev/null || $(CARGO) install --locked cargo-deny
	$(CARGO) deny --locked check

clean:
	$(CARGO) clean
	rm -rf build
