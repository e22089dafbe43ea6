#!/bin/sh
# usage: tests/suite/model-redis.sh BUILD [SEED [MINUTES]]   three nodes and a Redis under random failures, compared with a model.
build=$1
shift
exec /usr/bin/python3 "$(dirname "$0")/model_test.py" "$build/headgate" "$@"
