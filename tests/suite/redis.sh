#!/bin/sh
# usage: tests/suite/redis.sh BUILD [TEST...]   the shared cache against Debian's redis-server: failures, purges, clusters, TLS.
build=$1
shift
exec /usr/bin/python3 "$(dirname "$0")/redis_test.py" "$build/headgate" "$@"
