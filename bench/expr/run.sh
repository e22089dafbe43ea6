#!/bin/bash
# usage: bench/expr/run.sh     what expressions cost: the figures of expr.c, then the JSON work beside nginx with Lua
# The second part loads nginx and Headgate, each as a plain proxy and with the same work on a 500-byte body (read it, parse it,
# change a field, write it, set a header made of two others, pass it on): in turn, the server alone on core 0, load and
# backend on core 1. What the work costs is the difference in the server's own CPU time a request, within a round; the median over
# rounds is printed. Nothing outside a temporary folder is written; servers are ended by pid.
# Environment: DUR seconds a sample (1), ROUNDS (15), CONNS (32), BASE port (19180), PART (figures, servers or both).
set -u
cd "$(dirname "$0")/../.."
DUR=${DUR:-1} ROUNDS=${ROUNDS:-15} CONNS=${CONNS:-32} BASE=${BASE:-19180} PART=${PART:-both}
DIR=$(mktemp -d /tmp/headgate-bench-XXXXXX)
BIN=build/release/bench
BACKEND=$BASE NGINX=$((BASE + 1)) HEADGATE=$((BASE + 2))
declare -A PID

finish() { # asks, and after 3 s ends what has not gone; only what start() started
    local p n
    for p in "${PID[@]}"; do kill "$p" 2>/dev/null; done
    for n in $(seq 30); do
        for p in "${PID[@]}"; do kill -0 "$p" 2>/dev/null && { sleep 0.1; continue 2; }; done
        break
    done
    for p in "${PID[@]}"; do kill -9 "$p" 2>/dev/null; done
    rm -rf "$DIR"
}
trap finish EXIT

fill() { sed "s|@DIR@|$DIR|g; s|@BACKEND@|$BACKEND|g; s|@NGINX@|$NGINX|g; s|@HEADGATE@|$HEADGATE|g" "$1" >"$2"; }
start() { # NAME PORT COMMAND...
    local name=$1 port=$2 n
    shift 2
    "$@" >"$DIR/$name.log" 2>&1 &
    PID[$name]=$!
    for n in $(seq 100); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return; sleep 0.1; done
    echo "nothing answers on port $port:" >&2; tail -n 5 "$DIR/$name.log" >&2; exit 1
}
tree() { local c; echo "$1"; for c in $(cat /proc/"$1"/task/*/children 2>/dev/null); do tree "$c"; done; }
cpu_ns() { local p; for p in $(tree "$1"); do cat /proc/"$p"/task/*/schedstat 2>/dev/null; done | awk '{s += $1} END {printf "%.0f", s}'; }

# sample SERVER PORT PATH: CPU microseconds a request
sample() {
    local before after
    before=$(cpu_ns "${PID[$1]}")
    taskset -c 1 wrk -t1 -c"$CONNS" -d"$DUR"s -s bench/expr/post.lua "http://127.0.0.1:$2$3" >"$DIR/out" 2>&1
    after=$(cpu_ns "${PID[$1]}")
    awk -v ns=$((after - before)) -v what="$1 $3" '/requests in/ {n = $1} /Non-2xx|Socket errors/ {bad = $0}
        END {if (!n || bad) {print what ": " (bad ? bad : "no requests") > "/dev/stderr"; exit 1} printf "%.3f", ns / 1e3 / n}' "$DIR/out"
}

make -s release
cmake --build build/release --target bench_expr bench_backend >/dev/null || exit 1
[ "$PART" = servers ] || taskset -c 0 $BIN/expr
[ "$PART" != figures ] || exit 0

mkdir -p "$DIR/nginx" "$DIR/apis/plain" "$DIR/apis/json"
for f in nginx.conf headgate.yaml; do fill "bench/expr/$f" "$DIR/$f"; done
for name in plain json; do
    printf '{"properties":{"displayName":"%s","path":"%s","serviceUrl":"http://127.0.0.1:%s","protocols":["http"],"subscriptionRequired":false,"apiRevision":"1","isCurrent":true}}\n' \
        $name $name $BACKEND >"$DIR/apis/$name/apiInformation.json"
done
cp bench/expr/policy.xml "$DIR/apis/json/policy.xml"
start backend $BACKEND taskset -c 1 $BIN/backend $BACKEND
start nginx $NGINX taskset -c 0 nginx -p "$DIR/nginx" -c "$DIR/nginx.conf"
start headgate $HEADGATE taskset -c 0 build/release/headgate run --config "$DIR/headgate.yaml" --artifacts "$DIR"
for r in $(seq "$ROUNDS"); do
    for server in nginx headgate; do
        port=$NGINX; [ $server = nginx ] || port=$HEADGATE
        plain=$(sample $server "$port" /plain/x) && json=$(sample $server "$port" /json/x) || exit 1
        echo "$server $plain $json" >>"$DIR/samples"
    done
done
awk 'function median(a, n,  i, j, t) { for (i = 2; i <= n; i++) { t = a[i]; for (j = i - 1; j > 0 && a[j] > t; j--) a[j + 1] = a[j]; a[j + 1] = t }
                                       return n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2 }
     {k = ++n[$1]; plain[$1, k] = $2; json[$1, k] = $3; added[$1, k] = $3 - $2}
     END {
         print "| server | proxy, CPU us a request | with the JSON work | the work alone |"
         print "|---|---|---|---|"
         for (x = 1; x <= 2; x++) {
             s = x == 1 ? "nginx" : "headgate"
             for (k = 1; k <= n[s]; k++) {a[k] = plain[s, k]; b[k] = json[s, k]; c[k] = added[s, k]}
             printf "| %s | %.2f | %.2f | %.2f |\n", s (x == 1 ? " + LuaJIT + cjson" : ""), median(a, n[s]), median(b, n[s]), median(c, n[s])
         }
     }' "$DIR/samples"
