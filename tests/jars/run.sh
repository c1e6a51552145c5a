#!/usr/bin/env bash
# Builds the jars of version $1 as they are published, with the native libraries of platform $2, and looks into all of
# them: entries, modules, bundles, licences, libraries, sources, Javadoc and poms. A copy of the project in another folder gives
# the same bytes. The lines are those of `cargo test`.
set -euo pipefail
cd "$(dirname "$0")/../.."
version=$1 platform=$2 source=https://source.example/brokertls
export LC_ALL=C.UTF-8
unset JAVA_TOOL_OPTIONS

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

# compare NAME FOUND: the expected lines are standard input.
compare() {
    if diff - "$2" > "$work/difference"; then
        echo "test $1 ... ok"
        passed=$((passed + 1))
    else
        echo "test $1 ... FAILED"
        cat "$work/difference"
        failed=$((failed + 1))
    fi
}

artifact() { # MODULE: its name, which is that of its jars
    [[ $1 == . ]] && echo brokertls || echo "brokertls-$1"
}

entries() { jar --list --file "$1" | grep -v '/$' | sort; }

make -s --no-print-directory java-release SOURCE_URL="$source"

# --- entries ---

# What is in each jar beside its classes.
declare -A resources=(
    [.]="META-INF/services/java.security.Provider module-info.class"
    [kafka]="" [activemq]=""
    [jetty]="META-INF/services/org.eclipse.jetty.io.ssl.ALPNProcessor\$Client
        META-INF/services/org.eclipse.jetty.io.ssl.ALPNProcessor\$Server"
)

# The files that a module has in its jar, one a line; what follows the module is added.
expected_of() {
    local name
    name=$(artifact "$1")
    printf '%s\n' META-INF/MANIFEST.MF META-INF/LICENSE-{APACHE,MIT} ${resources[$1]} "${@:2}" \
        "META-INF/maven/io.brokertls/$name/pom."{properties,xml}
    (cd "java/$1/src/main/java" && find io -name '*.java' ! -name package-info.java)
}

# The entries of a jar, with a source in place of the classes that it is compiled to.
contents() {
    entries "$1" | sed -E '/^io\/.*\/package-info\.class$/d; /^io\//s/(\$[^/]*)?\.class$/.java/' | sort -u
}

natives=(META-INF/THIRD-PARTY.txt "META-INF/native/$platform/libbrokertls_"{jni,legacy}.so)
for module in . kafka jetty activemq; do
    name=$(artifact $module)
    jar=java/$module/target/$name-$version
    contents "$jar.jar" > "$work/found"
    expected_of $module | sort | compare "jar_of_${name}_has_its_classes_licences_and_nothing_else" "$work/found"
    entries "$jar-sources.jar" | grep -v '^META-INF/' > "$work/found"
    (cd "java/$module/src/main/java" && find . -name '*.java' | cut -c 3-) | sort |
        compare "sources_of_${name}_are_those_of_the_project" "$work/found"
    entries "$jar-javadoc.jar" | grep -E '^(io\..*/)?io/brokertls/(internal|jsse)/|^index.html$' > "$work/found"
    compare "javadoc_of_${name}_shows_no_internal_class" "$work/found" <<< index.html
done
contents "java/target/brokertls-$version-$platform.jar" > "$work/found"
expected_of . "${natives[@]}" | sort | compare jar_with_native_libraries_has_their_notices_too "$work/found"

# --- licences ---

mkdir "$work/jar"
(cd "$work/jar" && jar --extract --file "$OLDPWD/java/target/brokertls-$version-$platform.jar")
cat "$work/jar/META-INF/LICENSE-"{APACHE,MIT} > "$work/found"
compare licences_in_the_jar_are_those_of_the_project "$work/found" < <(cat LICENSE-{APACHE,MIT})

notices=$work/jar/META-INF/THIRD-PARTY.txt
# The crates of the list at the top, and those that stand between two rules above a text. Texts have rules of their own.
awk '/^=+$/ { exit } NR > 2 && NF && !/^Rust standard/ { print $1, $2 }' "$notices" | sort > "$work/listed"
awk '/^=+$/ && length($0) == 80 { above = !above; next } above' "$notices" | sort -u | comm -12 - "$work/listed" \
    > "$work/found"
compare every_crate_in_the_notices_has_a_text_of_its_licence "$work/found" < "$work/listed"
for package in brokertls-jni brokertls-legacy; do
    cargo tree --locked --package $package --edges normal,no-proc-macro --prefix none --format '{p}'
done | awk 'NF == 2 || $NF == "(*)" && NF == 3 { print $1, substr($2, 2) }' | sort -u > "$work/linked"
comm -13 "$work/listed" "$work/linked" > "$work/found"
compare notices_leave_out_no_crate_that_is_linked_here "$work/found" < /dev/null
grep -cE '^(aws-lc-sys|rustls|openssl-sys) [0-9.]+ \(|^Rust standard library [0-9.]+ \(|OUT OF OR IN CONNECTION|PURPOSE ARE DISCLAIMED' \
    "$notices" | awk '{ print ($1 >= 6) }' > "$work/found"
compare notices_hold_texts_of_licences "$work/found" <<< 1

# A crate of others with licence $1 and no text of it, in a workspace of its own.
silent() {
    local folder=$work/silent
    rm -rf "$folder"
    mkdir -p "$folder/"{src,.cargo,vendor/silent/src}
    touch "$folder/src/lib.rs" "$folder/vendor/silent/src/lib.rs"
    echo '{"files":{}}' > "$folder/vendor/silent/.cargo-checksum.json"
    printf '[package]\nname = "silent"\nversion = "1.2.3"\nedition = "2021"\nlicense = "%s"\n' "$1" \
        > "$folder/vendor/silent/Cargo.toml"
    printf '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\nsilent = "1"\n[workspace]\n' \
        > "$folder/Cargo.toml"
    printf '[source.crates-io]\nreplace-with = "vendored"\n[source.vendored]\ndirectory = "vendor"\n' \
        > "$folder/.cargo/config.toml"
    (cd "$folder" && cargo generate-lockfile --quiet --offline)
    packaging/notices.py "$folder/notices" --package app --target x86_64-unknown-linux-gnu --workspace "$folder" 2>&1 ||
        true
}
silent MIT > "$work/found"
compare crate_without_a_text_of_its_licence_is_refused "$work/found" \
    <<< 'no text of a licence in the sources of silent 1.2.3 (MIT)'
silent 'MIT OR Apache-2.0' > "$work/found"
awk '/^=+$/ { exit } NR > 2 && /silent/' "$work/silent/notices" >> "$work/found"
grep -c 'Grant of Patent License' "$work/silent/notices" | awk '{ print ($1 >= 1) }' >> "$work/found"
compare crate_without_a_text_is_used_under_apache_if_it_can "$work/found" \
    < <(printf 'silent 1.2.3 (MIT OR Apache-2.0)\n1\n')

# --- native libraries and modules ---

for library in "$work/jar/META-INF/native/$platform/"*.so; do
    readelf --sections --wide "$library" | grep -oE '\.(symtab|debug_[a-z]+)' || true
done > "$work/found"
compare native_libraries_are_stripped "$work/found" < /dev/null

# The path of the jar, packages that are not exported, and services of others are left out.
described() { jar --describe-module --file "$1" | sed -E 's/ jar:file:.*//; /^(contains|provides org|$)/d'; }

described "java/target/brokertls-$version-$platform.jar" > "$work/found"
compare jar_is_a_real_module "$work/found" << END
io.brokertls@$version
exports io.brokertls
requires java.base mandated
requires java.management static
requires jdk.jfr static
requires org.jspecify static transitive
provides java.security.Provider with io.brokertls.BrokerTlsProvider
END
for module in kafka jetty activemq; do
    described "java/$module/target/brokertls-$module-$version.jar" > "$work/found"
    compare "brokertls_${module}_is_a_module_by_its_manifest" "$work/found" << END
No module descriptor found. Derived automatic module.
io.brokertls.$module@$version automatic
requires java.base mandated
END
done

cat > "$work/Use.java" << 'END'
class Use {
    public static void main(String[] arguments) throws Exception {
        Class<?> type = io.brokertls.BrokerTlsProvider.class;
        var context = javax.net.ssl.SSLContext.getInstance("TLS", new io.brokertls.BrokerTlsProvider());
        context.init(null, null, null);
        System.out.println(type.getModule().getName() + " " + context.createSSLEngine().getSupportedProtocols().length);
    }
}
END
java --module-path "java/target/brokertls-$version-$platform.jar" --add-modules io.brokertls "$work/Use.java" > "$work/found"
compare jar_on_the_module_path_loads_its_library "$work/found" <<< 'io.brokertls 2'

# --- bundles ---

# Packages of the JDK that each image has are imported by all, and the others only if they are there.
needs() { printf 'requires osgi.ee (&(osgi.ee=JavaSE)(version=%s))\n' "$1"; }
registrar='requires osgi.extender (osgi.extender=osgi.serviceloader.registrar) optional'
tests/jars/bundle.py "java/target/brokertls-$version.jar" > "$work/found"
compare headers_of_the_bundle_are_what_its_classes_need "$work/found" << END
bundle io.brokertls $version
exports io.brokertls $version
imports javax.crypto
imports javax.crypto.spec
imports javax.management optional
imports javax.net.ssl
imports javax.security.auth.x500
imports javax.security.cert optional
imports jdk.jfr optional
provides java.security.Provider io.brokertls.BrokerTlsProvider
$(needs 11)
$registrar
END
mkdir "$work/plain"
(cd "$work/plain" && jar --extract --file "$OLDPWD/java/target/brokertls-$version.jar" META-INF/MANIFEST.MF)
compare bundle_with_native_libraries_has_the_same_headers "$work/jar/META-INF/MANIFEST.MF" \
    < "$work/plain/META-INF/MANIFEST.MF"
# Until 1.0, the API may change with each minor version.
tests/jars/bundle.py "java/kafka/target/brokertls-kafka-$version.jar" > "$work/found"
compare headers_of_the_bundle_for_kafka_are_what_its_classes_need "$work/found" << END
bundle io.brokertls.kafka $version
exports io.brokertls.kafka $version
imports io.brokertls [0.1,0.2)
imports javax.net.ssl
imports org.apache.kafka.common.config [3,5)
imports org.apache.kafka.common.config.types [3,5)
imports org.apache.kafka.common.errors [3,5)
imports org.apache.kafka.common.security.auth [3,5)
$(needs 11)
END
tests/jars/bundle.py "java/jetty/target/brokertls-jetty-$version.jar" > "$work/found"
compare headers_of_the_bundle_for_jetty_are_what_its_classes_need "$work/found" << END
bundle io.brokertls.jetty $version
exports io.brokertls.jetty $version
imports javax.net.ssl
imports org.eclipse.jetty.alpn.client [12,13) optional
imports org.eclipse.jetty.alpn.server [12,13) optional
imports org.eclipse.jetty.io [12,13)
imports org.eclipse.jetty.io.ssl [12,13)
provides org.eclipse.jetty.io.ssl.ALPNProcessor\$Client io.brokertls.jetty.ClientAlpn
provides org.eclipse.jetty.io.ssl.ALPNProcessor\$Server io.brokertls.jetty.ServerAlpn
$(needs 17)
$registrar
END
tests/jars/bundle.py "java/activemq/target/brokertls-activemq-$version.jar" > "$work/found"
compare headers_of_the_bundle_for_activemq_are_what_its_classes_need "$work/found" << END
bundle io.brokertls.activemq $version
exports io.brokertls.activemq $version
imports io.brokertls [0.1,0.2)
imports javax.net.ssl
imports org.apache.activemq.broker [5.19,7)
imports org.apache.activemq.spring [5.19,7)
imports org.apache.activemq.transport [5.19,7)
imports org.apache.activemq.wireformat [5.19,7)
imports org.springframework.beans.factory [5.3,8)
imports org.springframework.core.io [5.3,8)
$(needs 11)
END
for module in . kafka jetty activemq; do
    name=$(artifact $module)
    tests/jars/bundle.py "java/$module/target/$name-$version.jar" | sed -n 's/^exports \([^ ]*\) .*/\1/p' > "$work/found"
    # An automatic module exports all that it has.
    jar --describe-module --file "java/$module/target/$name-$version.jar" |
        sed -nE "s/^$([[ $module == . ]] && echo exports || echo contains) //p" |
        compare "bundle_of_${name}_exports_what_its_module_exports" "$work/found"
done

# A jar with headers that are wrong in each way.
mkdir "$work/wrong"
(cd "$work/wrong" && jar --extract --file "$OLDPWD/java/jetty/target/brokertls-jetty-$version.jar")
sed -i -E '/^(Import|Export)-Package: /,/^[A-Z]/{/^(Import|Export)-Package: |^ /d}' "$work/wrong/META-INF/MANIFEST.MF"
sed -i -E '/^\s*$/d' "$work/wrong/META-INF/MANIFEST.MF"
printf 'Import-Package: javax.net.ssl,org.example\nExport-Package: io.brokertls.other\n' >> "$work/wrong/META-INF/MANIFEST.MF"
rm "$work/wrong/META-INF/services/"*Client
jar --create --file "$work/wrong.jar" --manifest "$work/wrong/META-INF/MANIFEST.MF" -C "$work/wrong" META-INF/services \
    -C "$work/wrong" io
tests/jars/bundle.py "$work/wrong.jar" | sed -n '/, and not\|alone/p' > "$work/found"
compare headers_of_a_jar_that_do_not_fit_its_classes_are_found "$work/found" << 'END'
imported, and not used: org.example
used, and not imported: org.eclipse.jetty.alpn.client
used, and not imported: org.eclipse.jetty.alpn.server
used, and not imported: org.eclipse.jetty.io
used, and not imported: org.eclipse.jetty.io.ssl
exported, and not there: io.brokertls.other
provided or in META-INF/services alone: ('org.eclipse.jetty.io.ssl.ALPNProcessor$Client', 'io.brokertls.jetty.ClientAlpn')
END

# --- poms ---

cat > "$work/pom.py" << 'END'
import sys
import xml.etree.ElementTree as tree

space = "{http://maven.apache.org/POM/4.0.0}"
for file in sys.argv[1:]:
    text = open(file, encoding="utf-8").read()
    pom = tree.fromstring(text)
    said = lambda *path: pom.findtext("/".join(space + name for name in path)) or "-"
    print(said("groupId"), said("artifactId"), said("version"), said("packaging"), len(said("description")) > 20)
    print(said("name") == said("artifactId"), said("url"), said("scm", "url"), said("scm", "connection"))
    licences = pom.findall("/".join(space + name for name in ("licenses", "license")))
    print([each.findtext(space + "name") for each in licences], said("developers", "developer", "name"))
    print(said("organization", "name"), "parent" if pom.find(space + "parent") is not None else "no parent", "${" in text)
END
for module in . kafka jetty activemq; do
    name=$(artifact $module)
    python3 "$work/pom.py" "java/$module/target/.flattened-pom.xml" > "$work/found"
    compare "pom_of_${name}_is_complete_and_has_no_parent" "$work/found" << END
io.brokertls $name $version - True
True $source $source scm:git:$source
['Apache-2.0', 'MIT'] The brokertls contributors
The brokertls contributors no parent False
END
done

# --- the same bytes again ---

jars() { (cd "$1" && sha256sum java/target/*.jar java/{kafka,jetty,activemq}/target/brokertls-*.jar | sort -k 2); }
copy=$work/copy
mkdir "$copy"
cp LICENSE-APACHE LICENSE-MIT "$copy"
git ls-files -z java | grep -zvE '^java/(bench|demo)/|/src/test/' | xargs -0 cp --parents --target-directory "$copy"
jars . > "$work/first"
mvn -q -B -f "$copy/java/modules.xml" -Prelease -Dsource.url="$source" -Dmaven.test.skip -Dnative.platform="$platform" \
    -Dnative.directory="$PWD/build/java/native" package
jars "$copy" > "$work/found"
compare jars_of_a_copy_in_another_folder_have_the_same_bytes "$work/found" < "$work/first"

echo "test result: jars: $passed passed; $failed failed"
((failed == 0))
