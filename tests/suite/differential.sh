#!/bin/bash
# usage: tests/suite/differential.sh BUILD_DIR [OPTION...]    random expressions, ours against C#: see tests/differential/differential.py
# The same thousand each time, so that it passes or fails by what was changed; `make differential MINUTES=60` goes on to others.
set -u
cd "$(dirname "$0")/../.."
build=$1
shift
command -v mcs >/dev/null && command -v mono >/dev/null || { echo "no mono here, nothing to compare with"; exit 0; }
case $build in *asan*) count=300 ;; *) count=1000 ;; esac
[ $# -gt 0 ] || set -- --seed 7 --count "$count"
exec python3 tests/differential/differential.py "$build/headgate" "$@"
