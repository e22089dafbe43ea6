#!/bin/bash
# usage: tests/fuzz/campaign.sh [-s SECONDS] [-o DIR] NAME...   fuzzes each parser for so long (1800 s), one after the other,
# with the programs of `make fuzz`, and says what came of it. New inputs stay in DIR/NAME (build/fuzz/found), findings in
# DIR/NAME.crashes; `libFuzzer -merge=1` brings what is worth keeping into tests/fuzz/corpus/NAME.
# Without -entropic=0 libFuzzer spends three quarters of its time on its own counts where a run has 60,000 features.
set -u
cd "$(dirname "$0")/../.." || exit 2
seconds=1800 out=build/fuzz/found bad=0
while getopts s:o: option; do
    case $option in
    s) seconds=$OPTARG ;;
    o) out=$OPTARG ;;
    *) sed -n 2,4p "$0" >&2; exit 2 ;;
    esac
done
shift $((OPTIND - 1))
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=0:abort_on_error=1:allocator_may_return_null=1}
for name; do
    program=build/fuzz/fuzz/fuzz_$name log=$out/$name.log
    mkdir -p "$out/$name" "$out/$name.crashes"
    words=()
    [ ! -f "tests/fuzz/$name.dict" ] || words=(-dict="tests/fuzz/$name.dict")
    "$program" "${words[@]}" -max_total_time="$seconds" -timeout=120 -rss_limit_mb=2048 -print_final_stats=1 -entropic=0 \
        -artifact_prefix="$out/$name.crashes/" "$out/$name" "tests/fuzz/corpus/$name" >"$log" 2>&1
    status=$?
    runs=$(awk '/stat::number_of_executed_units/ {print $2}' "$log")
    cover=$(grep -oE 'cov: [0-9]+ ft: [0-9]+' "$log" | tail -n 1)
    found=$(find "$out/$name.crashes" -type f | wc -l)
    echo "$name: ${runs:-?} runs in $seconds s, $cover, $found findings, exit $status"
    [ $status = 0 ] || bad=1
done
exit $bad
