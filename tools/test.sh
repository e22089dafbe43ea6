#!/bin/bash
# usage: tools/test.sh [BUILD...]   everything that must pass; the last line is "N passed, N failed".
# Builds: release, asan, and tsan for what threads share. Each suite prints a closing line of
# that form; the sums are ours. A suite without one, or with a non-zero exit, counts as one failure. While the suites
# of one build run, the next is built behind them at the lowest priority.
set -u
cd "$(dirname "$0")/.."
builds=${*:-release asan tsan}
passed=0 failed=0
builder='' log=$(mktemp -d)
trap '[ -z "$builder" ] || kill "$builder" 2>/dev/null; rm -rf "$log"' EXIT
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=0:abort_on_error=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}

# suite NAME COMMAND...
suite() {
    local name=$1 out=$log/out line p f rc start
    shift
    start=$(date +%s)
    timeout -k 10 "${SUITE_SECONDS:-600}" "$@" >"$out" 2>&1 </dev/null
    rc=$?
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$out" | tail -n 1)
    p=${line%% passed*} f=${line#*passed, } f=${f%% failed*}
    [ -n "$line" ] || { p=0 f=0; [ $rc -ne 0 ] || p=1; }
    [ $rc -eq 0 ] || [ "$f" -gt 0 ] || f=1
    passed=$((passed + p)) failed=$((failed + f))
    if [ $rc -ne 0 ] || [ "$f" -gt 0 ]; then
        echo "FAILED $name (exit $rc)"
        tail -n 60 "$out" | sed 's/^/    /'
    else
        echo "ok     $name: $p ($(($(date +%s) - start)) s)"
        grep -hE '^ *(corpus|policies): |: skipped, ' "$out"
        sed -n 's/^\([0-9]* documents executed end to end\)$/       corpus: \1/p' "$out"
    fi
}

# start_build [BUILD]: behind what goes on; finish_build BUILD waits for it, says what it said and whether it went well.
start_build() {
    [ -n "${1:-}" ] || return 0
    nice -n 19 make -s "$1" >"$log/build" 2>&1 </dev/null &
    builder=$!
}
finish_build() {
    local rc
    wait "$builder"
    rc=$? builder=''
    cat "$log/build"
    [ $rc -eq 0 ] || { echo "FAILED build $1"; failed=$((failed + 1)); }
    return $rc
}

# suites_of BUILD: the scripts that take its folder.
suites_of() {
    case $1 in
    tsan) echo tests/suite/threads.sh ;;
    release) ls tests/suite/*.sh | grep -vE '/(threads|model-redis).sh' ;;  # the model finds wrong order, whatever the build
    *) ls tests/suite/*.sh | grep -vE '/(threads|epoll).sh' ;;
    esac
}

suite layers tools/layers.sh
set -- $builds
start_build "$1"
while [ $# -gt 0 ]; do
    build=$1
    shift
    finish_build "$build"
    rc=$?
    start_build "${1:-}"
    [ $rc -eq 0 ] || continue
    for program in build/$build/unit/unit_*; do
        [ -x "$program" ] && [ -f "$program" ] && suite "$build $(basename "$program")" "$program"
    done
    for program in build/$build/fuzz/fuzz_*; do
        [ -x "$program" ] && [ -f "$program" ] || continue
        name=$(basename "$program")
        suite "$build replay $name" "$program" "tests/fuzz/corpus/${name#fuzz_}"
    done
    for script in $(suites_of "$build"); do
        [ -x "$script" ] && suite "$build $(basename "$script")" "$script" "build/$build"
    done
done
[ "$failed" -gt 0 ] || echo "all suites passed"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
