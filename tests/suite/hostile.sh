#!/bin/sh
# usage: tests/suite/hostile.sh BUILD_DIR   hostile and good HTTP/1 messages through a real gateway, both directions.
cd "$(dirname "$0")/../.." && exec tests/hostile/run.py "$1"
