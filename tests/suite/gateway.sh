#!/bin/sh
# usage: tests/suite/gateway.sh BUILD_DIR   every script under tests/gateway and every example's own.
cd "$(dirname "$0")/../.." && exec "$1/headgate" test tests/gateway examples
