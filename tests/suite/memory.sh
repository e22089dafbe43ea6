#!/bin/sh
# usage: tests/suite/memory.sh BUILD_DIR   a gateway that is short of memory: what it refuses, breaks off and goes on serving (H3).
cd "$(dirname "$0")/../.." && exec tests/hostile/memory.py "$1"
