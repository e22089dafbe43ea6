#!/bin/sh
# usage: tests/suite/h2.sh BUILD_DIR   HTTP/2 frame by frame: conformance and floods through a real gateway.
cd "$(dirname "$0")/../.." && exec tests/h2/run.py "$1"
