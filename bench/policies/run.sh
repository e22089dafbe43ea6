#!/bin/bash
# usage: bench/policies/run.sh [ROUNDS [POLICY]]     what each policy adds to a request, in nanoseconds of processor time; see policies.c
# beside this file. Exit status 1 when a goal is missed.
set -u
cd "$(dirname "$0")/../.."
make -s release
cmake --build build/release --target bench_policies >/dev/null || exit 1
exec taskset -c 0 build/release/bench/policies "$@"
