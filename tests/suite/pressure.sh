#!/bin/sh
# usage: tests/suite/pressure.sh BUILD_DIR   crowds, a full disk, a dying backend, a hundred publishes: the gateway keeps serving.
cd "$(dirname "$0")/../.." && exec tests/hostile/pressure.py "$1"
