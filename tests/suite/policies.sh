#!/bin/sh
# usage: tests/suite/policies.sh BUILD_DIR   every policy has its part in the generated reference, an example in the guide or in examples/
# that tests run, expectations of scripts, a use of each attribute (policy_attributes.py), and tests for usage notes and failures
# (policy_notes.py, policy_refusals.py). Prints how many there are.
cd "$(dirname "$0")/../.." || exit 2
passed=0 failed=0
examples=$(mktemp)
trap 'rm -f "$examples"' EXIT
sed -n 's/^    //p' docs/guide/*.md >"$examples" # blocks; guide.sh runs those that are scripts, and examples/ has its own
find examples -name '*.xml' -exec cat {} + >>"$examples"
check() { # WHAT COMMAND...
    what=$1
    shift
    if "$@" >/dev/null; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED $what"; fi
}
reference=$(mktemp -d)
trap 'rm -rf "$examples" "$reference"' EXIT
"$1/headgate" docs "$reference" >/dev/null || exit 2
for name in $(sed -n 's/^POLICY(\(.*\))$/\1/p' src/policy/policies.def | tr _ -); do
    check "$name: no part in docs/reference/policies.md" grep -qx "## $name" "$reference/policies.md"
    check "$name: no example in docs/guide or examples/" grep -q "<$name[ />]" "$examples"
    check "$name: no script under tests/gateway" grep -rq "<$name[ />]" tests/gateway --include=*.hgt
    case $name in # those that talk to somebody are measured by whole requests
        forward-request | send-* | log-to-eventhub | authentication-managed-identity | get-authorization-context) continue ;;
    esac
    check "$name: no row in bench/policies" grep -q "^    {\"$name\"," bench/policies/policies.c
done
headgate=$1/headgate
audit() { # WHAT SCRIPT
    out=$(/usr/bin/python3 "tests/suite/$2" "$headgate" "$reference/policies.md") || echo "$out" | sed '$d; s/^/FAILED /'
    line=$(echo "$out" | tail -n 1)
    passed=$((passed + ${line%% passed*})) failed=$((failed + $(echo "$line" | sed 's/.*passed, \([0-9]*\) failed/\1/')))
    echo "policies: $1: $line"
}
audit "attributes and elements" policy_attributes.py
audit "usage notes, failures and places" policy_notes.py
audit "what documents are told" policy_refusals.py
count=$(grep -rhc '^ *expect ' tests/gateway | awk '{n += $1} END {print n}')
echo "policies: $count expectations in scripts"
check "600 expectations of scripts" [ "$count" -ge 600 ]
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
