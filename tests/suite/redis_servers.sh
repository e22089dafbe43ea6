#!/bin/sh
# usage: tests/suite/redis_servers.sh BUILD [TEST...]   the shared cache against servers that change: promoted, busy, full, clusters over RESP2.
build=$1
shift
exec /usr/bin/python3 "$(dirname "$0")/redis_servers_test.py" "$build/headgate" "$@"
