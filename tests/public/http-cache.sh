#!/bin/sh
# usage: tests/public/http-cache.sh BUILD_DIR   runs the public HTTP cache suite (npm: http-cache-tests) against the RFC 9111 mode.
# Not part of `make test`: it needs npm and the network, and takes about half a minute. Prints what failed, then the counts.
# SUITE=DIR runs a checkout of the suite's repository instead (its packages installed); EXTRA adds keys to the API's cache.
set -eu
cd "$(dirname "$0")/../.."
build=$(cd "$1" && pwd)
version=0.4.5
home=$build/http-cache-tests
work=$(mktemp -d)
pids=
trap 'for p in $pids; do kill "$p" 2>/dev/null || :; done; rm -rf "$work"' EXIT
if [ -z "${SUITE:-}" ] && [ ! -d "$home/node_modules/http-cache-tests" ]; then
    npm install --silent --no-audit --no-fund --prefix "$home" "http-cache-tests@$version"
fi
suite=${SUITE:-$home/node_modules/http-cache-tests}
engine=.
[ ! -d "$suite/test-engine" ] || engine=test-engine

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
origin=$(free_port) gate=$(free_port)
mkdir -p "$work/apis/suite"
cat >"$work/apis/suite/apiInformation.json" <<EOF
{"properties": {"path": "", "serviceUrl": "http://127.0.0.1:$origin", "subscriptionRequired": false, "protocols": ["http"]}}
EOF
cat >"$work/headgate.yaml" <<EOF
artifacts: $work
listeners: [{address: 127.0.0.1, port: $gate}]
admin: {enabled: false}
watch: {enabled: false}
gateway-log: {enabled: false}
apis: {suite: {cache: {mode: rfc9111${EXTRA:+, $EXTRA}}}}
EOF
(cd "$suite" && exec env npm_package_config_port=$origin npm_config_port=$origin npm_package_config_protocol=http npm_package_config_pidfile="$work/pid" \
    node --no-warnings $engine/server/server.mjs >"$work/origin.log" 2>&1) &
pids="$!"
"$build/headgate" run --config "$work/headgate.yaml" >"$work/gateway.log" 2>&1 &
pids="$pids $!"
i=0
until python3 -c "import socket; [socket.create_connection(('127.0.0.1', p)).close() for p in ($origin, $gate)]" 2>/dev/null; do
    i=$((i + 1)); [ $i -lt 100 ] || { cat "$work"/*.log; exit 1; }
    sleep 0.1
done
(cd "$suite" && npm_config_base="http://127.0.0.1:$gate" npm_config_id= npm_package_config_id= \
    node --no-warnings $engine/cli.mjs >"$work/results.json" 2>"$work/cli.log") || { cat "$work/cli.log"; exit 1; }
cat >"$work/count.mjs" <<EOF
import fs from 'fs'
import tests from '$suite/tests/index.mjs'
const text = fs.readFileSync('$work/results.json', 'utf8')
const results = JSON.parse(text.slice(text.indexOf('{')))
const count = {}
for (const suite of tests) for (const test of suite.tests) {
  if (test.browser_only || !(test.id in results)) continue
  const kind = test.kind || 'required', c = count[kind] = count[kind] || {passed: 0, all: 0, setup: 0}
  c.all++
  if (results[test.id] === true) c.passed++
  else {
    if (results[test.id][0] === 'Setup') c.setup++
    if (kind !== 'check') console.log(kind, test.id, [].concat(results[test.id]).join(': '))
  }
}
for (const kind in count) console.log(kind, count[kind].passed, 'of', count[kind].all, 'set-up failures:', count[kind].setup)
EOF
node --no-warnings "$work/count.mjs"
