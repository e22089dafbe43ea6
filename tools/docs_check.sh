#!/bin/sh
# usage: tools/docs_check.sh   fails when docs/reference is not what the tables say (`make docs` mends it).
cd "$(dirname "$0")/.." || exit 2
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
build/release/headgate docs "$new" && diff -ru docs/reference "$new" && echo "1 passed, 0 failed" && exit 0
echo "docs/reference is out of date: run make docs"
exit 1
