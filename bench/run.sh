#!/bin/bash
# usage: bench/run.sh [SCENARIO...]     pass hit-1k hit-100k tls h2 redis idle latency; all of them without a word
# Headgate beside nginx, HAProxy and Varnish, in rotation: the server under test alone on core 0 with one worker, load and
# backend on core 1. The first figure is the server's own CPU time a request (run time of all its threads over the
# requests answered): it stays meaningful when the generator is the limit. Ratios are taken within a round, medians over
# rounds. Nothing outside a temporary folder is written; servers are ended by pid.
# Environment: DUR seconds a sample (4), ROUNDS (5), CONNS (64), IDLE connections (10000), BASE port (19100), ONLY (a
# pattern of servers).
set -u
cd "$(dirname "$0")/.."
DUR=${DUR:-4} ROUNDS=${ROUNDS:-5} CONNS=${CONNS:-64} IDLE=${IDLE:-10000} BASE=${BASE:-19100}
DIR=$(mktemp -d /tmp/headgate-bench-XXXXXX)
ON0="taskset -c 0" ON1="taskset -c 1" BIN=build/release/bench
ulimit -n "$(ulimit -Hn)"
declare -A PORT PID
i=0
for name in BACKEND HEADGATE HEADGATE_TLS NGINX_HIT NGINX_SENDFILE NGINX_PASS NGINX_TLS HAPROXY_HIT HAPROXY_PASS \
            HAPROXY_TLS VARNISH CEILING CEILING_PASS REDIS HEADGATE_REDIS; do
    PORT[$name]=$((BASE + i)); i=$((i + 1))
done

finish() { # asks, and after 3 s ends what has not gone; only what start() started
    local p n
    for p in "${PID[@]}"; do kill "$p" 2>/dev/null; done
    for n in $(seq 30); do
        for p in "${PID[@]}"; do kill -0 "$p" 2>/dev/null && { sleep 0.1; continue 2; }; done
        break
    done
    for p in "${PID[@]}"; do kill -9 "$p" 2>/dev/null; done
    mountpoint -q "$DIR/shm" && umount "$DIR/shm"
    rm -rf "$DIR"
}
trap finish EXIT

fill() { # TEMPLATE TARGET
    local s="s|@DIR@|$DIR|g" name
    for name in "${!PORT[@]}"; do s="$s;s|@$name@|${PORT[$name]}|g"; done
    sed "$s" "$1" >"$2"
}
up() { # PORT LOG
    local n
    for n in $(seq 100); do (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return; sleep 0.1; done
    echo "nothing answers on port $1:" >&2; tail -n 5 "$2" >&2; exit 1
}
start() { # NAME PORT COMMAND...
    local name=$1 port=$2
    shift 2
    "$@" >"$DIR/$name.log" 2>&1 &
    PID[$name]=$!
    up "$port" "$DIR/$name.log"
}
wanted() { [[ $1 =~ ^(${ONLY:-.*})$ ]]; }

prepare() {
    [ -n "${NO_BUILD:-}" ] || make -s release
    cmake --build build/release --target bench_gen bench_backend bench_idle bench_ceil_epoll bench_ceil_proxy >/dev/null || exit 1
    mkdir -p "$DIR/nginx" "$DIR/shm" "$DIR/apis/hit" "$DIR/apis/pass"
    [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=1g tmpfs "$DIR/shm" 2>/dev/null
    mkdir -p "$DIR/shm/nginx" "$DIR/shm/varnish"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=127.0.0.1 \
        -keyout "$DIR/key.pem" -out "$DIR/cert.pem" 2>/dev/null
    cat "$DIR/cert.pem" "$DIR/key.pem" >"$DIR/both.pem"
    for name in hit pass; do
        printf '{"properties":{"displayName":"%s","path":"%s","serviceUrl":"http://127.0.0.1:%s","protocols":["http","https"],"subscriptionRequired":false,"apiRevision":"1","isCurrent":true}}\n' \
            $name $name "${PORT[BACKEND]}" >"$DIR/apis/$name/apiInformation.json"
    done
    cat >"$DIR/apis/hit/policy.xml" <<'XML'
<policies>
  <inbound>
    <base />
    <cache-lookup vary-by-developer="false" vary-by-developer-groups="false" downstream-caching-type="public" />
  </inbound>
  <backend><base /></backend>
  <outbound>
    <cache-store duration="36000" />
    <base />
  </outbound>
  <on-error><base /></on-error>
</policies>
XML
    for f in haproxy.cfg nginx.conf varnish.vcl headgate.yaml; do fill "bench/conf/$f" "$DIR/$f"; done
}
servers() {
    start backend "${PORT[BACKEND]}" $ON1 $BIN/backend "${PORT[BACKEND]}"
    wanted headgate && start headgate "${PORT[HEADGATE]}" $ON0 build/release/headgate run --config "$DIR/headgate.yaml" --artifacts "$DIR"
    wanted nginx && start nginx "${PORT[NGINX_HIT]}" $ON0 nginx -p "$DIR/nginx" -c "$DIR/nginx.conf"
    wanted haproxy && start haproxy "${PORT[HAPROXY_HIT]}" $ON0 haproxy -db -f "$DIR/haproxy.cfg"
    wanted varnish && start varnish "${PORT[VARNISH]}" $ON0 varnishd -F -j none -n "$DIR/shm/varnish" -a "127.0.0.1:${PORT[VARNISH]}" \
        -T none -S none -f "$DIR/varnish.vcl" -s malloc,256m -p thread_pools=1 -p thread_pool_min=100 -p thread_pool_max=1000 -p timeout_idle=600
    wanted ceiling && start ceiling "${PORT[CEILING]}" $ON0 $BIN/ceil_epoll "${PORT[CEILING]}" 1024
    wanted ceiling && start ceiling-pass "${PORT[CEILING_PASS]}" $ON0 $BIN/ceil_proxy "${PORT[CEILING_PASS]}" "${PORT[BACKEND]}"
    true
}

tree() { local c; echo "$1"; for c in $(cat /proc/"$1"/task/*/children 2>/dev/null); do tree "$c"; done; }
cpu_ns() { local p; for p in $(tree "$1"); do cat /proc/"$p"/task/*/schedstat 2>/dev/null; done | awk '{s += $1} END {printf "%.0f", s}'; }
rss_kib() { local p; for p in $(tree "$1"); do cat /proc/"$p"/smaps_rollup 2>/dev/null; done | awk '/^Pss:/ {p += $2} END {print p + 0}'; }

# sample SERVER LABEL COMMAND...: one timed load; a line "LABEL us/request requests/s p50 p99" in $DIR/samples
sample() {
    local server=$1 label=$2 before after
    shift 2
    before=$(cpu_ns "${PID[$server]}")
    $ON1 "$@" >"$DIR/out" 2>&1
    after=$(cpu_ns "${PID[$server]}")
    awk -v label="$label" -v ns=$((after - before)) '
        function us(x) { return x ~ /us$/ ? x + 0 : x ~ /ms$/ ? x * 1000 : x * 1e6 }
        /^reqs /{n = $2; rps = $4; p50 = $6; p99 = $10; bad = $NF}
        /requests in/ && !/finished/{n = $1} /^Requests\/sec/{rps = $2} $1 == "50%"{p50 = us($2)} $1 == "99%"{p99 = us($2)}
        /Non-2xx|Socket errors/{bad = $0}
        /^finished in/{rps = $4} /^requests:/{n = $8; if ($10 + $12) bad = $0} /^time for request/{p50 = us($6)}
        END {if (!n) {print label ": no requests" > "/dev/stderr"; exit} if (bad && bad != "0") print label ": " bad > "/dev/stderr"
             printf "%s %.3f %.0f %.0f %.0f\n", label, ns / 1e3 / n, rps, p50, p99}' "$DIR/out" >>"$DIR/samples"
}
# report BASE...: medians, and ratios to each base within a round
report() {
    awk -v bases="$*" '
        function median(a, n,  i, j, t) { for (i = 2; i <= n; i++) { t = a[i]; for (j = i - 1; j > 0 && a[j] > t; j--) a[j + 1] = a[j]; a[j + 1] = t }
                                           return n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2 }
        {if (!($1 in n)) name[++m] = $1; k = ++n[$1]; cpu[$1, k] = $2; rps[$1, k] = $3; p50[$1, k] = $4; p99[$1, k] = $5}
        END {
            nb = split(bases, base, " ")
            printf "| server | CPU us a request | min..max |"; for (b = 1; b <= nb; b++) printf " x %s |", base[b]
            print " requests/s | p50 us | p99 us |"
            printf "|---|---|---|"; for (b = 1; b <= nb; b++) printf "---|"; print "---|---|---|"
            for (x = 1; x <= m; x++) {
                s = name[x]; low = 1e18; high = 0
                for (k = 1; k <= n[s]; k++) { c[k] = cpu[s, k]; r[k] = rps[s, k]; q[k] = p50[s, k]; z[k] = p99[s, k]
                                              if (c[k] < low) low = c[k]; if (c[k] > high) high = c[k] }
                count = n[s]
                printf "| %s | %.2f | %.2f..%.2f |", s, median(c, count), low, high
                for (b = 1; b <= nb; b++) {
                    t = 0
                    for (k = 1; k <= count; k++) if ((base[b], k) in cpu) ratio[++t] = cpu[s, k] / cpu[base[b], k]
                    if (t) printf " %.2f |", median(ratio, t); else printf " - |"
                }
                printf " %.0f | %.0f | %.0f |\n", median(r, count), median(q, count), median(z, count)
            }
        }' "$DIR/samples"
}
H=http://127.0.0.1 T=https://127.0.0.1
wrk_load() { echo wrk -t1 -c"$CONNS" -d"${DUR}s" --latency "$1"; }
gen_load() { echo $BIN/gen "$1" "$2" "$CONNS" "$DUR" 0; }
h2_load() { echo h2load -t1 -c16 -m16 -D"$DUR" "$1"; }

# rotate TITLE BASES ENTRY...: each entry "SERVER LABEL LOAD URL|PORT [PATH]", all in turn, ROUNDS times after a warm-up
rotate() {
    local title=$1 bases=$2 round entry
    shift 2
    : >"$DIR/samples"
    for round in 0 $(seq "$ROUNDS"); do
        for entry in "$@"; do
            read -r server label load where path <<<"$entry"
            wanted "$server" || continue
            if [ "$round" = 0 ]; then DUR=1 sample "$server" "$label" $(${load}_load "$where" ${path:-}); else
                sample "$server" "$label" $(${load}_load "$where" ${path:-}); fi
        done
        [ "$round" = 0 ] && : >"$DIR/samples"
    done
    printf '\n## %s\n\n' "$title"
    report $bases
}

pass() {
    rotate "pass-through, 1 KiB, $CONNS connections" "haproxy nginx" "headgate headgate wrk $H:${PORT[HEADGATE]}/pass/1k" \
        "haproxy haproxy wrk $H:${PORT[HAPROXY_PASS]}/1k" "nginx nginx wrk $H:${PORT[NGINX_PASS]}/1k" \
        "varnish varnish wrk $H:${PORT[VARNISH]}/pass" "ceiling-pass bare-proxy wrk $H:${PORT[CEILING_PASS]}/1k"
}
hit-1k() {
    rotate "cache hit, 1 KiB, $CONNS connections" "haproxy nginx varnish" "headgate headgate wrk $H:${PORT[HEADGATE]}/hit/1k" \
        "haproxy haproxy wrk $H:${PORT[HAPROXY_HIT]}/1k" "nginx nginx wrk $H:${PORT[NGINX_HIT]}/1k" \
        "varnish varnish wrk $H:${PORT[VARNISH]}/1k" "ceiling bare-responder wrk $H:${PORT[CEILING]}/1k"
}
hit-100k() {
    rotate "cache hit, 100 KiB, $CONNS connections, bodies discarded uncopied" "nginx-sendfile haproxy varnish" \
        "headgate headgate gen ${PORT[HEADGATE]} /hit/100k" "nginx nginx-sendfile gen ${PORT[NGINX_SENDFILE]} /100k" \
        "nginx nginx gen ${PORT[NGINX_HIT]} /100k" "haproxy haproxy gen ${PORT[HAPROXY_HIT]} /100k" \
        "varnish varnish gen ${PORT[VARNISH]} /100k"
}
tls() {
    rotate "TLS 1.3 keep-alive, HTTP/1.1, cache hit 1 KiB" "haproxy nginx" "headgate headgate wrk $T:${PORT[HEADGATE_TLS]}/hit/1k" \
        "haproxy haproxy wrk $T:${PORT[HAPROXY_TLS]}/1k" "nginx nginx wrk $T:${PORT[NGINX_TLS]}/1k"
}
h2() {
    rotate "HTTP/2 over TLS 1.3, cache hit 1 KiB, 16 connections of 16 streams" "haproxy nginx" \
        "headgate headgate h2 $T:${PORT[HEADGATE_TLS]}/hit/1k" "haproxy haproxy h2 $T:${PORT[HAPROXY_TLS]}/1k" \
        "nginx nginx h2 $T:${PORT[NGINX_TLS]}/1k"
}
# Hits in memory, in both tiers and in Redis alone, by one gateway of its own; the Redis stands beside the load.
redis() {
    local api type
    for type in internal prefer-external external; do
        api=$DIR/redis/apis/$type
        mkdir -p "$api"
        sed "s/\"hit\"/\"$type\"/g" "$DIR/apis/hit/apiInformation.json" >"$api/apiInformation.json"
        sed "s/<cache-lookup /&caching-type=\"$type\" /" "$DIR/apis/hit/policy.xml" >"$api/policy.xml"
    done
    fill bench/conf/headgate-redis.yaml "$DIR/headgate-redis.yaml"
    start redis "${PORT[REDIS]}" $ON1 redis-server --port "${PORT[REDIS]}" --bind 127.0.0.1 --save '' --appendonly no --dir "$DIR"
    start headgate-redis "${PORT[HEADGATE_REDIS]}" $ON0 build/release/headgate run --config "$DIR/headgate-redis.yaml" --artifacts "$DIR/redis"
    ONLY='' rotate "cache hit, 1 KiB, $CONNS connections, by tier" "memory" \
        "headgate-redis memory wrk $H:${PORT[HEADGATE_REDIS]}/internal/1k" \
        "headgate-redis two-tier wrk $H:${PORT[HEADGATE_REDIS]}/prefer-external/1k" \
        "headgate-redis redis-only wrk $H:${PORT[HEADGATE_REDIS]}/external/1k"
}
# Memory of idle keep-alive connections, one request done on each.
idle() {
    local entry server port path mode n before after
    printf '\n## memory of idle keep-alive connections, one request done on each\n\n| server | connections | KiB a connection (Pss) |\n|---|---|---|\n'
    for entry in "headgate HEADGATE /hit/1k" "haproxy HAPROXY_HIT /1k" "nginx NGINX_HIT /1k" "headgate HEADGATE_TLS /hit/1k tls" \
                 "haproxy HAPROXY_TLS /1k tls" "nginx NGINX_TLS /1k tls"; do
        read -r server port path mode <<<"$entry"
        wanted "$server" || continue
        n=$IDLE; [ "${mode:-}" = tls ] && n=$((IDLE / 5))
        $ON1 $BIN/gen "${PORT[${port%_TLS}${mode:+}]:-${PORT[$port]}}" "$path" 8 1 0 >/dev/null 2>&1
        before=$(rss_kib "${PID[$server]}")
        coproc HOLD { exec $ON1 $BIN/idle "${PORT[$port]}" "$n" "$path" ${mode:-}; }
        local hold=$HOLD_PID ok=failed
        read -r -t 120 ok <&"${HOLD[0]}"
        sleep 2
        after=$(rss_kib "${PID[$server]}")
        kill "$hold" 2>/dev/null; wait "$hold" 2>/dev/null
        awk -v s="$server ${mode:-plain}" -v n="$n" -v d=$((after - before)) -v ok="$ok" 'BEGIN {printf "| %s | %d (%s) | %.2f |\n", s, n, ok, d / n}'
        sleep 1
    done
}
# Latency from the moment a request was due, at half of each server's own maximum.
latency() {
    local entry server port path max
    : >"$DIR/samples"
    for round in $(seq "$ROUNDS"); do
        for entry in "headgate HEADGATE /hit/1k" "haproxy HAPROXY_HIT /1k" "nginx NGINX_HIT /1k" "varnish VARNISH /1k"; do
            read -r server port path <<<"$entry"
            wanted "$server" || continue
            max=$($ON1 $BIN/gen "${PORT[$port]}" "$path" "$CONNS" 1 0 | awk '{print int($4 / 2)}')
            sample "$server" "$server" $BIN/gen "${PORT[$port]}" "$path" "$CONNS" "$DUR" "$max" 1 spin
        done
    done
    printf '\n## latency at half of the maximum, cache hit 1 KiB, open loop\n\n'
    report haproxy
}

prepare
servers
echo "# $(date -u +%F), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), kernel $(uname -r)"
echo "headgate $(build/release/headgate version | head -n 1 | cut -d' ' -f2), $(nginx -v 2>&1 | cut -d' ' -f3), haproxy $(haproxy -v | awk 'NR == 1 {print $3}'), $(varnishd -V 2>&1 | awk 'NR == 1 {print $2}' | tr -d '('); $ROUNDS rounds of $DUR s"
for scenario in ${*:-pass hit-1k hit-100k tls h2 redis latency idle}; do $scenario; done
