#!/bin/bash
# usage: tests/suite/threads.sh BUILD_DIR   what workers and threads share, with a build that finds data races: scripts (a gateway of
# two workers each) and the model of three nodes and a Redis. A race is a failure, whatever the answers were.
# The client library of log-to-eventhub starts its threads in a way that this sanitizer of gcc 12 does not know; 01-collapse has a
# thousand clients, too many for it.
set -u
cd "$(dirname "$0")/../.." || exit 2
found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT
export TSAN_OPTIONS="log_path=$found/race exitcode=66"
passed=0 failed=0
run() { # COMMAND...: adds what its last line says
    local line rc
    "$@" >"$found/out"
    rc=$?
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$found/out" | tail -n 1)
    [ $rc -eq 0 ] || cat "$found/out"
    set -- $line
    [ $rc -eq 0 ] || [ "${3:-0}" -gt 0 ] || set -- "${1:-0}" passed, 1
    passed=$((passed + ${1:-0})) failed=$((failed + ${3:-0}))
}

run "$1/headgate" test $(ls -d tests/gateway/cache/*.hgt | grep -v collapse) tests/gateway/config tests/gateway/front \
    tests/gateway/policies/{limit-attributes,caching,retry}.hgt
run tests/suite/model-redis.sh "$1" 7 0.2
for race in "$found"/race.*; do
    [ -e "$race" ] || continue
    failed=$((failed + 1))
    cat "$race"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
