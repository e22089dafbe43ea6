#!/bin/sh
# usage: tests/suite/cache_tools.sh BUILD [TEST...]   the tools around the cache: advice, leak warnings, warming, snapshots for restarts.
build=$1
shift
exec /usr/bin/python3 "$(dirname "$0")/cache_tools_test.py" "$build/headgate" "$@"
