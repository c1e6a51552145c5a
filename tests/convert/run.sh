#!/usr/bin/env bash
# Converts stores with the program `brokertls` given as $1 and reads them back with programs of others: each entry, alias,
# chain and form of a password. With `--some` as $2, the readers are those that `make test` installs; else also each JDK
# in JDKS, OpenSSL 4, go-pkcs12 and Bouncy Castle, which are downloaded. The lines are those of `cargo test`.
set -euo pipefail
home=$(cd "$(dirname "$0")" && pwd)
brokertls=$(realpath "$1")
export LC_ALL=C.UTF-8 PATH="$PATH:/usr/local/go/bin"
unset NODE_OPTIONS JAVA_TOOL_OPTIONS
bouncy_castle_version=1.87

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# --- keys and certificates ---

openssl req -x509 -newkey rsa:2048 -nodes -keyout root.key -subj /O=Example/CN=root -days 3650 -out root.crt 2>> log
echo 'basicConstraints=critical,CA:TRUE' > ext
issue() {
    openssl req -new -newkey "${@:3}" -nodes -keyout "$1.key" -subj "/O=Example/CN=$1" 2>> log |
        openssl x509 -req -CA "$2.crt" -CAkey "$2.key" -CAcreateserial -extfile ext -days 3650 -out "$1.crt" 2> /dev/null
}
issue mid root rsa:2048
issue ca root rsa:2048
echo 'subjectAltName=DNS:localhost' > ext
issue leaf mid rsa:2048
issue device ca ec -pkeyopt ec_paramgen_curve:P-256
cat leaf.crt mid.crt root.crt > chain.pem
cat device.crt ca.crt root.crt > device.pem
print() { openssl x509 -in "$1.crt" -outform DER | sha256sum | cut -c 1-16; }
leaf=$(print leaf) mid=$(print mid) root=$(print root) device=$(print device) ca=$(print ca)

# --- stores ---

# The names of passwords, the passwords, and the aliases beside them.
names=(empty ascii latin astral)
passwords=('' 'secret 1' 'pässwörd' $'pä\U1f511')
aliases=(broker Bröker-ä брокер $'b\U1f511')

: > stores
for i in "${!names[@]}"; do
    for strength in new old; do
        settings=(--out-password "pass:${passwords[i]}" --name "${aliases[i]}")
        [[ $strength == new ]] || settings+=(--legacy-encryption)
        for kind in identity trust; do
            file=$kind-${names[i]}-$strength.p12
            from=(chain.pem "$file" --key leaf.key)
            [[ $kind == identity ]] || from=(root.crt "$file")
            "$brokertls" convert "${from[@]}" "${settings[@]}" > /dev/null 2>> log
            printf '%s\tPKCS12\t%s\n' "$file" "${passwords[i]}" >> stores
        done
    done
done

# A store of Java's with two keys and two trusted certificates, to PKCS#12 and by keytool back to JKS.
keytool=(keytool -J-XX:TieredStopAtLevel=1 -J-XX:+UseSerialGC)
for name in leaf device; do
    chain=$name.pem
    [[ $name == device ]] || chain=chain.pem
    openssl pkcs12 -export -inkey $name.key -in $chain -name "Ein-$name" -out one.p12 -passout pass:secret
    "${keytool[@]}" -importkeystore -srckeystore one.p12 -srcstorepass secret -destkeystore before.jks \
        -deststoretype JKS -deststorepass secret 2>> log
done
for name in root ca; do
    "${keytool[@]}" -importcert -noprompt -alias "Vertraut-$name" -file $name.crt -keystore before.jks -storepass secret \
        2>> log
done
"$brokertls" convert before.jks many.p12 --password pass:secret --out-password pass:secret > /dev/null
"${keytool[@]}" -importkeystore -srckeystore many.p12 -srcstorepass secret -destkeystore after.jks -deststoretype JKS \
    -deststorepass secret 2>> log
printf '%s\t%s\tsecret\n' before.jks JKS many.p12 PKCS12 after.jks JKS > many
grep many.p12 many > many12

# --- what each reader shows ---

# expect READER: the lines for the common stores. What a program refuses is exact: if a later version opens it, the page
# docs/convert.md changes too.
expect() {
    local i strength alias trusted chain opens
    for i in "${!names[@]}"; do
        for strength in new old; do
            alias=${aliases[i]} chain=$leaf,$mid,$root opens=yes trusted=yes
            case $1 in
                java*)
                    alias=${alias,,}
                    # Java 17 takes ASCII alone; Java 25 derives another key from such a password for the old form.
                    [[ ${names[i]} == empty || ${names[i]} == ascii || ${1#java} -ge 25 && $strength == new ]] || opens=no
                    ;;
                bc) [[ ${names[i]}-$strength != empty-new ]] || opens=no ;;
                # OpenSSL gives no name that has a character beyond the basic plane.
                openssl* | python) [[ ${names[i]} != astral ]] || alias=- ;;
                node) alias=- chain=$leaf,$mid trusted=no ;;
                go)
                    alias=-
                    # Its passwords have no character beyond the basic plane.
                    [[ ${names[i]} != astral ]] || opens=no
                    ;;
                nss) chain=$leaf ;;
            esac
            if [[ $opens == no ]]; then
                printf '%s: refused\n' "identity-${names[i]}-$strength.p12" "trust-${names[i]}-$strength.p12"
                continue
            fi
            echo "identity-${names[i]}-$strength.p12: key $alias $chain"
            [[ $trusted == yes ]] && trusted="trusted $alias $root" || trusted=refused
            echo "trust-${names[i]}-$strength.p12: $trusted"
        done
    done
}

# many_entries READER: what a program makes of a store with two keys and two trusted certificates.
many_entries() {
    local trusted=("trusted vertraut-ca $ca" "trusted vertraut-root $root")
    case $1 in
        java* | bc) printf '%s\n' "key ein-device $device,$ca,$root" "key ein-leaf $leaf,$mid,$root" "${trusted[@]}" ;;
        nss) printf '%s\n' "key ein-device $device" "key ein-leaf $leaf" "${trusted[@]}" ;;
        # They take the first key, and show all other certificates beside its own.
        openssl* | python) printf '%s\n' "key ein-device $device,$mid" "other ein-leaf $leaf" "${trusted[@]/trusted/other}" ;;
        node) echo "key - $device,$ca" ;;
        go) echo refused ;;
    esac
}

# Reads with pk12util: imports each store into a new database, and shows the entries by their nicknames.
read_nss() {
    local file password nickname kind
    while IFS=$'\t' read -r file _ password; do
        rm -rf nss
        mkdir nss
        certutil -N -d sql:nss --empty-password
        if ! pk12util -i "$file" -d sql:nss -W "$password" > nss.log 2>&1; then
            echo "$file: refused"
            continue
        fi
        certutil -L -d sql:nss | sed -nE 's/^(.*[^ ]) +(u,u,u|,,) *$/\2 \1/p' | while read -r kind nickname; do
            # A certificate without a nickname gets one of its subject.
            [[ $nickname != *" - Example" ]] || continue
            [[ $kind == u,u,u ]] && kind=key || kind=trusted
            printf '%s: %s %s %s\n' "$file" "$kind" "$nickname" \
                "$(certutil -L -d sql:nss -n "$nickname" -r | sha256sum | cut -c 1-16)"
        done
    done
}

passed=0 failed=0

# compare NAME EXPECTED FOUND
compare() {
    local expected found line ok=yes
    mapfile -t expected < "$2"
    mapfile -t found < "$3"
    ((${#expected[@]} == ${#found[@]})) || ok=no
    for line in "${!expected[@]}"; do
        [[ ${found[line]-} == "${expected[line]}" ]] || ok=no
    done
    if [[ $ok == yes ]]; then
        passed=$((passed + 1))
        echo "test convert::$1 ... ok"
    else
        failed=$((failed + 1))
        echo "test convert::$1 ... FAILED"
        diff "$2" "$3" | head -n 40 || true
    fi
}

# reads READER COMMAND...: its view of the common stores.
reads() {
    expect "$1" > expected
    "${@:2}" < stores > found
    compare "${1}_reads_each_entry_alias_chain_and_password" expected found
}

# reads_many READER COMMAND...: its view of the store with several entries, and Java's of its own before and after.
reads_many() {
    local files=(many.p12)
    [[ $1 != java* ]] || files=(before.jks many.p12 after.jks)
    if [[ $1 == java* ]]; then "${@:2}" < many > all; else "${@:2}" < many12 > all; fi
    for file in "${files[@]}"; do
        sed -n "s/^$file: //p" all | tr '[:upper:]' '[:lower:]' | sort > found
        many_entries "$1" > expected
        compare "${1}_finds_the_same_entries_in_${file%.*}" expected found
    done
}

javac -d classes "$home/Read.java"
version_of() { "$1" -version 2>&1 | sed -n '1s/[^"]*"\([0-9]*\).*/\1/p'; }
version=$(version_of java)
both() { reads "$@" && reads_many "$@"; }
both "java$version" java -cp classes Read
both node node "$home/read.js"
both python /usr/bin/python3 "$home/read.py"
both nss read_nss
read -ra openssl <<< "$(pkg-config --cflags --libs libcrypto)"
gcc -Wall -Wextra -Werror -o openssl3 "$home/read.c" "${openssl[@]}"
both "openssl$(openssl version | cut -d ' ' -f 2)" ./openssl3

if [[ ${2-} != --some ]]; then
    for jdk in ${JDKS:-$(readlink -f /usr/lib/jvm/*/bin/java | sort -u | sed 's,/bin/java$,,')}; do
        both "java$(version_of "$jdk/bin/java")" "$jdk/bin/java" -cp classes Read
    done
    root4=$(cd "$home/../.." && cargo run --locked --quiet --release --manifest-path tests/bench/Cargo.toml \
        --package brokertls-bench-openssl4-build)
    gcc -Wall -Wextra -Werror -I "$root4/include" -o openssl4 "$home/read.c" "$root4/lib/libcrypto.a" -pthread -ldl
    both openssl4 ./openssl4
    cp "$home"/{go.mod,go.sum,read.go} .
    go build -o read-go read.go
    both go ./read-go
    mvn -q -B dependency:copy "-Dartifact=org.bouncycastle:bcprov-jdk18on:$bouncy_castle_version" -DoutputDirectory="$work" >> log
    jar=$work/bcprov-jdk18on-$bouncy_castle_version.jar
    both bc java -cp "classes:$jar" Read bc
fi

echo "test result: $([[ $failed == 0 ]] && echo ok || echo FAILED). $passed passed; $failed failed"
((failed == 0))
