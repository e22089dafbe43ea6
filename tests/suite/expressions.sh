#!/bin/bash
# usage: tests/suite/expressions.sh BUILD_DIR    eval, explain and repl: the examples of docs/guide/expressions.md, and lines from a pipe
# SPDX-License-Identifier: Apache-2.0
set -u
cd "$(dirname "$0")/../.." || exit 2
headgate=$(realpath "$1")/headgate page=docs/guide/expressions.md passed=0 failed=0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

check() { # WHAT EXPECTED FOUND
    if [ "$2" = "$3" ]; then passed=$((passed + 1)); return; fi
    failed=$((failed + 1))
    printf 'FAILED %s\n  expected %s\n  found    %s\n' "$1" "$2" "$3"
}

awk '/^    {$/, /^    }$/' "$page" >"$folder/context.json"
mapfile -t lines < <(grep -A1 '^    \$ headgate eval' "$page" | sed 's/^    //' | grep -v '^--')
for ((i = 0; i + 1 < ${#lines[@]}; i += 2)); do
    command=${lines[i]#\$ headgate }
    found=$(cd "$folder" && eval "\"$headgate\" $command" 2>&1) # the examples are our own page's
    check "$command" "${lines[i + 1]}" "$found"
done
check "examples of the page" 4 $((${#lines[@]} / 2))
check "repl" $'=2\n!System.FormatException\n=4\nnull' \
    "$(printf '1 + 1\n\nint.Parse("x")\n{ var x = 2; return x * x; }\n(string)null\n' | "$headgate" repl)"
check "repl goes on after a mistake" $'!compile\n=3' "$(printf '"a".Foo\n1 + 2\n' | "$headgate" repl | grep -E '^[!=]')"
check "explain names the type" "type: System.Int32" "$("$headgate" explain '"ab".Length + 1' | head -n 1)"
"$headgate" eval --context "$folder/none.json" 1 2>"$folder/err"
check "a context that is not there" 2 $?
printf '{"request": {"metod": "PUT"}}' >"$folder/typo.json"
check "a context with a key that nobody reads" "headgate eval: $folder/typo.json: request: no key \`metod\` here; did you mean \`method\`?" \
    "$("$headgate" eval --context "$folder/typo.json" 1 2>&1)"
printf '{"response": {"statusCode": "404"}}' >"$folder/kind.json"
check "a context with a value of another kind" "headgate eval: $folder/kind.json: response.statusCode: expected a number, found text" \
    "$("$headgate" eval --context "$folder/kind.json" 1 2>&1)"

# The keys of the editor, on a terminal of its own.
keys=$(python3 tests/suite/repl_keys.py "$headgate")
check "keys of the repl" "$(printf '%s\t%s\n' "Tab ends a member's name" =2 "Tab goes as far as the names agree" =ABAB \
    "Tab behind brackets" =0 "Tab behind a call" =1 "Tab knows static members" =3 "Tab knows names of types" =Ordinal \
    "Tab in the middle of the line" =4 "Tab where nothing fits changes nothing" =2 "Up brings the last line back" =42)" "$keys"

# Documents with huge expressions, for a gateway that serves and for check.
mkdir "$folder/huge" && python3 tests/suite/huge_expressions.py "$folder/huge"
check "huge expressions, published" 0 "$("$headgate" test "$folder/huge" >"$folder/huge.log" 2>&1 || cut -c1-200 "$folder/huge.log"; grep -c FAILED "$folder/huge.log")"
for document in "$folder"/huge/*.xml; do
    says=$(cat "${document%.xml}.says")
    found=$("$headgate" check "$document" 2>&1 | cut -c1-400)
    check "check of $(basename "$document")" "$says" "$(grep -oF -m1 -- "$says" <<<"$found" | head -n 1)"
done

# Programs that nobody would write; `make odd MINUTES=10` goes on with others.
case $1 in *asan*) count=1000 ;; *) count=4000 ;; esac
odd=$(python3 tests/odd/odd.py "$headgate" --seed 7 --batch "$count")
check "odd programs" "$((2 * count)) passed, 0 failed" "$(tail -n 1 <<<"$odd")"
grep -A3 '^FAILED' <<<"$odd"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
