#!/bin/sh
# usage: tests/suite/kafka.sh BUILD [TEST...]   log-to-eventhub through a running gateway to librdkafka's mock cluster.
build=$1
shift
exec /usr/bin/python3 "$(dirname "$0")/kafka_test.py" "$build/headgate" "$@"
