#!/bin/bash
# usage: tools/run_example.sh   the gateway on 127.0.0.1:8080 with examples/catalog, and the sample backend it needs.
set -u
cd "$(dirname "$0")/.."
started=()
stop() {
    trap - EXIT INT TERM
    for pid in "${started[@]}"; do kill "$pid" 2>/dev/null; done
    wait
}
trap stop EXIT
trap 'stop; exit 0' INT TERM
build/release/headgate origin examples/catalog/origin.hgt >/dev/null &
started+=($!)
sleep 0.3
kill -0 "${started[0]}" 2>/dev/null || { echo "the sample backend did not start: is its port taken?" >&2; exit 1; }
export CATALOG_KEY=${CATALOG_KEY:-catalog-demo-key}
build/release/headgate run --config examples/catalog/headgate.yaml &
started+=($!)
sleep 0.5
cat <<'TEXT'

  Headgate serves examples/catalog on http://127.0.0.1:8080. Try, in another terminal:

    curl -i http://127.0.0.1:8080/catalog/products -H 'Ocp-Apim-Subscription-Key: catalog-demo-key'
    curl -i http://127.0.0.1:8080/catalog/products/7 -H 'Ocp-Apim-Subscription-Key: catalog-demo-key'
    curl -i http://127.0.0.1:8080/catalog/products        # without a key: 401, as APIM answers it

  The second time an answer comes from the cache. Change a policy under examples/catalog/apis and ask again.
  Ctrl-C ends it.

TEXT
wait "${started[1]}"
