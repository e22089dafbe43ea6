#!/bin/sh
# usage: tests/suite/tls.sh BUILD_DIR   names, sessions and versions on a TLS listener, over HTTP/1 and HTTP/2 (robustness D2, D3, H5).
cd "$(dirname "$0")/../.." && exec tests/hostile/tls.py "$1"
