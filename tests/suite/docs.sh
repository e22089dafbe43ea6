#!/bin/sh
# usage: tests/suite/docs.sh BUILD_DIR   the reference manual is what the tables say; `make docs` mends it.
cd "$(dirname "$0")/../.." || exit 2
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
"$1/headgate" docs "$new" || exit 1
if diff -ru docs/reference "$new"; then echo "1 passed, 0 failed"; else echo "0 passed, 1 failed"; exit 1; fi
