#!/bin/bash
# usage: bench/soak.sh [MINUTES]   mixed load (hits, pass-through, POST, malformed requests, connections that come and go) against
# one gateway for so long (10), its memory every half minute; fails when the second half grew by more than 1 MiB.
set -u
cd "$(dirname "$0")/.."
minutes=${1:-10} port=${BASE:-19400} backend=$((${BASE:-19400} + 1))
bin=${BIN:-build/release}
dir=$(mktemp -d /tmp/headgate-soak-XXXXXX)
pids=()
trap 'for p in "${pids[@]}"; do kill "$p" 2>/dev/null; done; wait 2>/dev/null; rm -rf "$dir"' EXIT
for name in hit pass; do
    mkdir -p "$dir/apis/$name"
    printf '{"properties":{"displayName":"%s","path":"%s","serviceUrl":"http://127.0.0.1:%s","protocols":["http"],"subscriptionRequired":false,"apiRevision":"1","isCurrent":true}}\n' \
        $name $name $backend >"$dir/apis/$name/apiInformation.json"
done
cat >"$dir/apis/hit/policy.xml" <<'XML'
<policies>
  <inbound><base /><cache-lookup vary-by-developer="false" vary-by-developer-groups="false" />
    <set-variable name="who" value="@(context.Request.Headers.GetValueOrDefault("User-Agent","none") + context.RequestId)" /></inbound>
  <outbound><cache-store duration="5" /><base />
    <set-header name="X-Who" exists-action="override"><value>@((string)context.Variables["who"])</value></set-header></outbound>
</policies>
XML
printf 'listeners:\n  - address: 127.0.0.1\n    port: %s\nadmin:\n  enabled: false\ngateway-log:\n  enabled: false\ncache:\n  memory: 16MiB\n' "$port" >"$dir/headgate.yaml"
$bin/bench/backend "$backend" & pids+=($!)
$bin/headgate run --config "$dir/headgate.yaml" --artifacts "$dir" 2>"$dir/log" & master=$!; pids+=("$master")
sleep 1.5
server=$(cat /proc/"$master"/task/*/children | awk '{print $1; exit}')
server=${server:-$master}
url=http://127.0.0.1:$port
load() { # one round of some seconds
    wrk -t1 -c32 -d4s "$url/hit/1k?n=$RANDOM" >/dev/null
    wrk -t1 -c32 -d4s "$url/pass/1k" >/dev/null
    wrk -t1 -c16 -d2s -H 'Connection: close' "$url/pass/100k" >/dev/null
    local i
    for i in $(seq 50); do
        printf 'GET /hit/1k HTTP/1.1\r\nHost : x\r\n\r\n' | timeout 2 curl -s -m 2 "telnet://127.0.0.1:$port" >/dev/null
        curl -s -m 5 -d "$(printf '%01000d' 0)" "$url/pass/1k" -o /dev/null
    done
}
rss() { awk '/^Pss:/ {print $2}' /proc/"$server"/smaps_rollup; }
end=$(($(date +%s) + minutes * 60)) half=$(($(date +%s) + minutes * 30)) middle=
while [ "$(date +%s)" -lt "$end" ]; do
    load
    kill -0 "$server" 2>/dev/null || { echo "the gateway died:"; tail -n 20 "$dir/log"; exit 1; }
    [ -n "$middle" ] || [ "$(date +%s)" -lt "$half" ] || middle=$(rss)
    echo "$(date +%T) $(rss) KiB"
done
grown=$(($(rss) - ${middle:-$(rss)}))
echo "second half: $grown KiB"
[ "$grown" -le 1024 ] && echo "1 passed, 0 failed"
