#!/bin/bash
# usage: tools/coverage.sh [SECONDS]     which lines of the policies the scripts run: a line a file of src/policy/p_*.c, those that never ran, the total
# Builds the policies with --coverage into build/coverage, runs tests/gateway, examples and the guide's scripts, each SECONDS long at most
# (600), and asks gcov. Exit status 1 when less than 90 lines in a hundred ran.
set -u
cd "$(dirname "$0")/.."
build=build/coverage seconds=${1:-600}
cmake --preset coverage >/dev/null && cmake --build $build --target headgate -- --quiet || exit 1
find $build -name '*.gcda' -delete
for suite in gateway guide; do
    timeout "$seconds" tests/suite/$suite.sh $build >$build/$suite.log 2>&1 </dev/null || echo "tests/suite/$suite.sh failed: $build/$suite.log"
done
ln -sfn ../../src $build/src # sources are named from there, or from the top, as the compiler cache has it
for source in src/policy/p_*.c; do
    (cd $build && gcov -t -o "CMakeFiles/core.dir/$source.gcda" "$source" 2>/dev/null) |
        awk -F: -v file="$source" '
            function missed_to(end) { if (from) missed = missed " " (from == end ? from : from "-" end); from = 0 }
            $0 ~ /^ *-: *0:Source:/ { own = index($0, file) > 0 }
            !own { next }
            { count = $1; gsub(/[ *]/, "", count); line = $2 + 0 }
            count ~ /^[0-9]/ { lines++; ran++; missed_to(last) }
            count ~ /^[#=]/ { lines++; if (!from) from = line; last = line }
            END { missed_to(last); printf "%5.1f %4d %4d %s%s\n", lines ? 100 * ran / lines : 0, ran, lines, file, missed ? "  never ran:" missed : "" }'
done | tee $build/policies.txt | awk '{ print; ran += $2; lines += $3 }
    END { printf "%5.1f %4d %4d total of src/policy/p_*.c\n", 100 * ran / lines, ran, lines; exit ran < 0.9 * lines }'
