#!/usr/bin/env bash
# Embedded ActiveMQ brokers, one project for each version, on the provider $1 (ours unless it is named). Ours needs what
# `make java` builds; what follows $1 is for Maven. The closing line is one that tests/run.sh counts.
set -euo pipefail
cd "$(dirname "$0")"
provider=${1:-BrokerTLS}
shift $(($# > 0))

# What the clients in node/ need, as its lock file has it; nothing is fetched again while that is the same. Node has
# roots of its own and gets the variables of the machine that Maven and Cargo use.
if [[ ! node/node_modules/.package-lock.json -nt node/package-lock.json ]]; then
    NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt} \
        npm --prefix node ci --no-audit --no-fund --loglevel=error
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
# The projects at the same time: most of a test is waiting.
mvn -B -ntp -T 3 --fail-at-end -f pom.xml test "-Dtls.provider=$provider" "$@" > "$log" 2>&1 || status=$?

# Maven's line for each class, not its totals, which repeat them; what failed, without the advice to users of Maven.
advice='ERROR\] *($|->|See |To see|Re-run|For more|After|\[Help|mvn )'
grep -E '^\[ERROR\]|Tests run:.* in ' "$log" | grep -vE "Skipped: [0-9]+\$|$advice" || true
awk '/Tests run:.* in / {
    gsub(",", ""); sub(/^.*Tests run: /, "")
    run += $1; failed += $3 + $5; skipped += $7
} END { printf "test result: ActiveMQ: %d passed; %d failed\n", run - failed - skipped, failed }' "$log"
exit "$status"
