#!/usr/bin/env bash
# Looks for each file of the outside data in the folder given, and fails with the name of each that is missing.
set -euo pipefail
data=${1-}
if [[ -z $data ]]; then
    echo "BTLS_DATA is not set: run make test-data BTLS_DATA=FOLDER; CONTRIBUTING.md lists the data" >&2
    exit 1
fi
missing=0
while read -r file; do
    [[ -f $data/$file ]] && continue
    echo "missing: $data/$file" >&2
    missing=$((missing + 1))
done < "${0%/*}/files.txt"
((missing == 0)) || { echo "BTLS_DATA=$data is incomplete: $missing files are missing" >&2; exit 1; }
