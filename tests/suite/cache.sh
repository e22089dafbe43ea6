#!/bin/sh
# usage: tests/suite/cache.sh BUILD [TEST...]   `headgate cache` against a running gateway: purge, ls, show, stats, purges, writes, explain.
build=$1
shift
exec /usr/bin/python3 "$(dirname "$0")/cache_test.py" "$build/headgate" "$@"
