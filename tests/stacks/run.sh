#!/usr/bin/env bash
# Runs the checks of other stacks on the provider in the jar $1: each stack in a process of its own, on each JDK of the
# list JDKS. STACKS selects some by the names of their folders. A stack that does not run on later JDKs has the number of
# its last one in the file last-jdk. The closing line is one that tests/run.sh counts.
set -euo pipefail
jar=$(realpath "$1")
cd "$(dirname "$0")"
unset JAVA_TOOL_OPTIONS

stacks=$(echo ${STACKS:-$(sed -n 's:.*<module>\(.*\)</module>.*:\1:p' pom.xml | grep -vx shared)})
jdks=${JDKS:-$(dirname "$(dirname "$(realpath "$(command -v java)")")")}
if [[ " $stacks" == *browser* ]]; then
    # What the page runs, as its lock file has it; nothing is fetched again while that is the same.
    if [[ ! browser/node_modules/.package-lock.json -nt browser/package-lock.json ]]; then
        NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt} \
            npm --prefix browser ci --no-audit --no-fund --loglevel=error
    fi
fi
mvn -q -B -ntp -f pom.xml -pl "$(echo shared $stacks | tr ' ' ,)" -Dbrokertls.jar="$jar" compile

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/pki"
(cd "$work/pki" && "$OLDPWD/pki.sh") || { cat "$work/pki/pki.log"; exit 1; }

passed=0 failed=0
for stack in $stacks; do
    for jdk in $jdks; do
        echo "$stack, $("$jdk/bin/java" -version 2>&1 | head -n 1)"
        release=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$jdk/release")
        if [[ -f $stack/last-jdk ]] && ((release > $(cat "$stack/last-jdk"))); then
            echo "  does not run there: its last JDK is $(cat "$stack/last-jdk")"
            continue
        fi
        main=$(cd "$stack" && cat main)
        options=(-Dstacks.pki="$work/pki" -Djava.io.tmpdir="$work" -Djava.util.logging.config.file=logging.properties)
        # shellcheck disable=SC2207
        [[ ! -f $stack/options ]] || options+=($(cat "$stack/options"))
        status=0
        timeout 900 "$jdk/bin/java" "${options[@]}" -cp "$stack/target/classes:$(cat "$stack/target/class-path")" io.brokertls.stacks.Run "$main" \
            > "$work/out" 2> "$work/log" || status=$?
        # The logs of some stacks are written to the same stream.
        grep -E '^  (ok|FAILED)  ' "$work/out" || true
        counted=$(sed -n 's/^counted: \(.*\) passed; \(.*\) failed$/\1 \2/p' "$work/out")
        read -r some others <<< "${counted:-0 1}"
        if [[ -z $counted || $status != 0 ]]; then
            echo "  the process of $stack ended with $status; the end of what it said:"
            tail -n 40 "$work/log"
        fi
        ((passed += some, failed += others)) || true
    done
done
echo "test result: stacks: $passed passed; $failed failed"
((failed == 0 && passed > 0))
