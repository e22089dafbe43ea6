#!/bin/bash
# usage: bench/run.sh [SCENARIO...]     idle pass policies hit-1k hit-100k tls h2 redis latency memory apis; all of them without a word,
#                                       and then the report becomes bench/RESULTS.md
# Headgate beside nginx, HAProxy and Varnish, in rotation: the server under test alone on core 0 with one worker, load and
# backend on core 1. The first figure is the server's own CPU time a request (run time of all its threads over the
# requests answered): it stays meaningful when the generator is the limit. Ratios are taken within a round, medians over
# rounds. But for that report nothing outside a temporary folder is written; servers are ended by pid.
# Environment: DUR seconds a sample (4), ROUNDS (5), CONNS (64), IDLE connections (10000), BASE port (19100), ONLY (a
# pattern of servers; no report then), NO_BUILD.
set -u
cd "$(dirname "$0")/.."
DUR=${DUR:-4} ROUNDS=${ROUNDS:-5} CONNS=${CONNS:-64} IDLE=${IDLE:-10000} BASE=${BASE:-19100}
DIR=$(mktemp -d /tmp/headgate-bench-XXXXXX)
ON0="taskset -c 0" ON1="taskset -c 1" BIN=build/release/bench
ulimit -n "$(ulimit -Hn)"
declare -A PORT PID
i=0
for name in BACKEND HEADGATE HEADGATE_TLS NGINX_HIT NGINX_SENDFILE NGINX_PASS NGINX_TLS HAPROXY_HIT HAPROXY_PASS \
            HAPROXY_TLS HAPROXY_POLICIES NGINX_POLICIES VARNISH CEILING CEILING_PASS APIS_10 APIS_10000 REDIS HEADGATE_REDIS; do
    PORT[$name]=$((BASE + i)); i=$((i + 1))
done

end_servers() { # asks, and after 3 s ends what has not gone; only what start() started
    local p n
    for p in "${PID[@]}"; do kill "$p" 2>/dev/null; done
    for n in $(seq 30); do
        for p in "${PID[@]}"; do kill -0 "$p" 2>/dev/null && { sleep 0.1; continue 2; }; done
        break
    done
    for p in "${PID[@]}"; do kill -9 "$p" 2>/dev/null; done
}
finish() {
    end_servers
    mountpoint -q "$DIR/shm" && umount -l "$DIR/shm"   # a server may have it open for a moment more
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
    for n in $(seq 600); do (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return; sleep 0.1; done
    echo "nothing answers on port $1:" >&2; tail -n 5 "$2" >&2; exit 1
}
answers() { # URL: until it does
    local n
    for n in $(seq 1200); do curl -ksf -m 5 -o /dev/null "$1" && return; sleep 0.1; done
    echo "no answer from $1" >&2; exit 1
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
    cmake --build build/release --target bench_gen bench_backend bench_idle bench_ceil_epoll bench_ceil_proxy \
        bench_make_apis bench_cache_memory >/dev/null || exit 1
    mkdir -p "$DIR/nginx" "$DIR/shm" "$DIR/apis/hit" "$DIR/apis/pass" "$DIR/apis/policies"
    [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=1g tmpfs "$DIR/shm" 2>/dev/null
    mkdir -p "$DIR/shm/nginx" "$DIR/shm/varnish"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=127.0.0.1 \
        -keyout "$DIR/key.pem" -out "$DIR/cert.pem" 2>/dev/null
    cat "$DIR/cert.pem" "$DIR/key.pem" >"$DIR/both.pem"
    for name in hit pass policies; do
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
    cp bench/conf/policies.xml "$DIR/apis/policies/policy.xml"
    for f in haproxy.cfg nginx.conf varnish.vcl headgate.yaml; do fill "bench/conf/$f" "$DIR/$f"; done
}
begin() { # SERVER: one of the three that scenario idle begins anew
    wanted "$1" || return
    case $1 in
    headgate)
        start headgate "${PORT[HEADGATE]}" $ON0 build/release/headgate run --config "$DIR/headgate.yaml" --artifacts "$DIR"
        answers "$H:${PORT[HEADGATE]}/hit/1k" ;;
    nginx) start nginx "${PORT[NGINX_HIT]}" $ON0 nginx -p "$DIR/nginx" -c "$DIR/nginx.conf" ;;
    haproxy) start haproxy "${PORT[HAPROXY_HIT]}" $ON0 haproxy -db -f "$DIR/haproxy.cfg" ;;
    esac
}
servers() {
    start backend "${PORT[BACKEND]}" $ON1 $BIN/backend "${PORT[BACKEND]}"
    begin headgate; begin nginx; begin haproxy
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
    timeout -k 5 $((DUR * 2 + 60)) $ON1 "$@" >"$DIR/out" 2>&1
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
# verdict WHAT BASE MUST GOAL: headgate's CPU a request as a share of the base's, from the samples at hand
verdict() {
    wanted headgate && wanted "${2%-*}" || return
    awk -v what="$1" -v base="$2" -v must="$3" -v goal="$4" '
        {k = ++n[$1]; cpu[$1, k] = $2}
        function median(a, m,  i, j, t) { for (i = 2; i <= m; i++) { t = a[i]; for (j = i - 1; j > 0 && a[j] > t; j--) a[j + 1] = a[j]; a[j + 1] = t }
                                           return m % 2 ? a[(m + 1) / 2] : (a[m / 2] + a[m / 2 + 1]) / 2 }
        END {for (k = 1; k <= n["headgate"]; k++) { own[k] = cpu["headgate", k]; its[k] = cpu[base, k]
                                                  if (its[k]) ratio[++m] = own[k] / its[k] }
             if (!m) exit
             r = median(ratio, m)
             printf "| %s | %.2f us | %s %.2f us | %.2f | %s / %s | %s |\n", what, median(own, n["headgate"]), base, median(its, n[base]),
                    r, must, goal, r <= goal ? "goal" : r <= must ? "must" : "missed"}' "$DIR/samples" >>"$DIR/summary"
}
H=http://127.0.0.1 T=https://127.0.0.1
wrk_load() { echo wrk -t1 -c"$CONNS" -d"${DUR}s" --latency "$1"; }
gen_load() { echo $BIN/gen "$1" "$2" "$CONNS" "$DUR" 0; }
h2_load() { echo h2load -t1 -c16 -m16 -D"$DUR" "$1"; }
apis_load() { echo wrk -t1 -c"$CONNS" -d"${DUR}s" --latency -s bench/src/apis.lua "$1" -- "$2"; }

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
    verdict "pass-through, 1 KiB" haproxy 0.95 0.85
}
# Five header rules and a condition, in everybody's own words (conf/policies.xml).
policies() {
    rotate "pass-through with policies, 1 KiB, $CONNS connections" "haproxy nginx" \
        "headgate headgate wrk $H:${PORT[HEADGATE]}/policies/1k" "haproxy haproxy wrk $H:${PORT[HAPROXY_POLICIES]}/1k" \
        "nginx nginx wrk $H:${PORT[NGINX_POLICIES]}/1k"
    verdict "pass-through with policies, 1 KiB" haproxy 0.95 0.85
}
hit-1k() {
    rotate "cache hit, 1 KiB, $CONNS connections" "haproxy nginx varnish" "headgate headgate wrk $H:${PORT[HEADGATE]}/hit/1k" \
        "haproxy haproxy wrk $H:${PORT[HAPROXY_HIT]}/1k" "nginx nginx wrk $H:${PORT[NGINX_HIT]}/1k" \
        "varnish varnish wrk $H:${PORT[VARNISH]}/1k" "ceiling bare-responder wrk $H:${PORT[CEILING]}/1k"
    verdict "cache hit, 1 KiB" haproxy 0.90 0.80
}
hit-100k() {
    rotate "cache hit, 100 KiB, $CONNS connections, bodies discarded uncopied" "nginx-sendfile haproxy varnish" \
        "headgate headgate gen ${PORT[HEADGATE]} /hit/100k" "nginx nginx-sendfile gen ${PORT[NGINX_SENDFILE]} /100k" \
        "nginx nginx gen ${PORT[NGINX_HIT]} /100k" "haproxy haproxy gen ${PORT[HAPROXY_HIT]} /100k" \
        "varnish varnish gen ${PORT[VARNISH]} /100k"
    verdict "cache hit, 100 KiB" nginx-sendfile 0.95 0.80
}
tls() {
    rotate "TLS 1.3 keep-alive, HTTP/1.1, cache hit 1 KiB" "haproxy nginx" "headgate headgate wrk $T:${PORT[HEADGATE_TLS]}/hit/1k" \
        "haproxy haproxy wrk $T:${PORT[HAPROXY_TLS]}/1k" "nginx nginx wrk $T:${PORT[NGINX_TLS]}/1k"
    verdict "TLS 1.3, HTTP/1.1, hit 1 KiB" haproxy 0.95 0.80
}
h2() {
    rotate "HTTP/2 over TLS 1.3, cache hit 1 KiB, 16 connections of 16 streams" "haproxy nginx" \
        "headgate headgate h2 $T:${PORT[HEADGATE_TLS]}/hit/1k" "haproxy haproxy h2 $T:${PORT[HAPROXY_TLS]}/1k" \
        "nginx nginx h2 $T:${PORT[NGINX_TLS]}/1k"
    verdict "TLS 1.3, HTTP/2, hit 1 KiB" haproxy 0.70 0.45
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
# A gateway with 10 APIs of 10 operations beside one with 10,000: the same requests to both, and requests to all of them.
apis() {
    local n from
    wanted headgate || return
    for n in 10 10000; do
        $BIN/make_apis "$DIR/apis-$n" $n 10 http://127.0.0.1:9
        cp bench/conf/apis.xml "$DIR/apis-$n/policy.xml"
        sed "s|@PORT@|${PORT[APIS_$n]}|" bench/conf/apis.yaml >"$DIR/apis-$n.yaml"
        from=$(date +%s%N)
        start "apis-$n" "${PORT[APIS_$n]}" $ON0 build/release/headgate run --config "$DIR/apis-$n.yaml" --artifacts "$DIR/apis-$n"
        answers "$H:${PORT[APIS_$n]}/api-0/things-0/1"
        awk -v n=$n -v ns=$(($(date +%s%N) - from)) 'BEGIN {printf "%d APIs of 10 operations: first answer %.1f s after the start\n", n, ns / 1e9}' >>"$DIR/loaded"
    done
    rotate "few and many APIs of 10 operations, answered by a policy, $CONNS connections" "ten-of-10" \
        "apis-10 ten-of-10 apis $H:${PORT[APIS_10]}/ 10" "apis-10000 ten-of-10000 apis $H:${PORT[APIS_10000]}/ 10" \
        "apis-10000 all-of-10000 apis $H:${PORT[APIS_10000]}/ 10000"
    echo; cat "$DIR/loaded"
    for n in 10 10000; do kill "${PID[apis-$n]}"; wait "${PID[apis-$n]}" 2>/dev/null; unset "PID[apis-$n]"; done
}
# Memory of idle keep-alive connections, one request done on each. Each figure is a process's own: what earlier connections have
# left free in its heap would not be seen to be taken.
idle() {
    local entry server port path mode n before after
    printf '\n## memory of idle keep-alive connections, one request done on each\n\n| server | connections | KiB a connection (Pss) |\n|---|---|---|\n'
    for entry in "headgate HEADGATE_TLS /hit/1k tls" "haproxy HAPROXY_TLS /1k tls" "nginx NGINX_TLS /1k tls" "headgate HEADGATE /hit/1k" \
                 "haproxy HAPROXY_HIT /1k" "nginx NGINX_HIT /1k"; do
        read -r server port path mode <<<"$entry"
        wanted "$server" || continue
        n=$IDLE; [ "${mode:-}" = tls ] && n=$((IDLE / 5))
        kill "${PID[$server]}"; wait "${PID[$server]}" 2>/dev/null
        begin "$server"
        timeout 60 $ON1 $BIN/gen "${PORT[${port/_TLS/_HIT}]:-${PORT[${port%_TLS}]}}" "$path" 64 1 0 >/dev/null 2>&1
        timeout 60 $ON1 $BIN/idle "${PORT[$port]}" 8 "$path" ${mode:-} </dev/null >/dev/null 2>&1
        before=$(rss_kib "${PID[$server]}")
        coproc HOLD { exec $ON1 $BIN/idle "${PORT[$port]}" "$n" "$path" ${mode:-}; }
        local hold=$HOLD_PID ok=failed
        read -r -t 120 ok <&"${HOLD[0]}"
        sleep 2
        after=$(rss_kib "${PID[$server]}")
        kill "$hold" 2>/dev/null; wait "$hold" 2>/dev/null
        awk -v s="$server ${mode:-plain}" -v n="$n" -v d=$((after - before)) -v ok="$ok" 'BEGIN {printf "| %s | %d (%s) | %.2f |\n", s, n, ok, d / n}'
        [ "$server" != headgate ] || [ "$ok" != ready ] ||
            awk -v mode="${mode:-plain}" -v v=$((after - before)) -v n="$n" -v must=$([ "${mode:-}" = tls ] && echo 14 || echo 2) \
                -v goal=$([ "${mode:-}" = tls ] && echo 10 || echo 1) 'BEGIN {v /= n
                printf "| idle connection, %s | %.2f KiB | | | %s / %s KiB | %s |\n", mode, v, must, goal, v <= goal ? "goal" : v <= must ? "must" : "missed"}' >>"$DIR/summary"
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
            max=$(timeout 60 $ON1 $BIN/gen "${PORT[$port]}" "$path" "$CONNS" 1 0 | awk '{print int($4 / 2)}')
            sample "$server" "$server" $BIN/gen "${PORT[$port]}" "$path" "$CONNS" "$DUR" "$max" 1 spin
        done
    done
    printf '\n## latency at half of the maximum, cache hit 1 KiB, open loop\n\n'
    report haproxy
}

# What a million cached answers of 1 KiB take.
memory() {
    wanted headgate || return
    printf '\n## memory of a million cached answers of 1 KiB\n\n'
    $ON0 $BIN/cache_memory
}

run() {
    local scenario
    : >"$DIR/summary"
    for scenario in "$@"; do $scenario; done
    [ -s "$DIR/summary" ] || return
    printf '\n## summary\n\n| what | headgate | beside it | ratio | must / goal | |\n|---|---|---|---|---|---|\n'
    cat "$DIR/summary"
}
head_line() {
    echo "# $(date -u +%F), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores, kernel $(uname -r), $(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release)"
    echo
    echo "headgate $(build/release/headgate version | head -n 1 | cut -d' ' -f2), $(nginx -v 2>&1 | cut -d' ' -f3), haproxy $(haproxy -v | awk 'NR == 1 {print $3}'), $(varnishd -V 2>&1 | awk 'NR == 1 {print $2}' | tr -d '('), wrk, h2load $(h2load --version | awk '{print $NF}'); $ROUNDS rounds of $DUR s, medians, ratios within a round. Load average at the start: $(cut -d' ' -f1 /proc/loadavg)."
}

prepare
servers
if [ $# -gt 0 ] || [ -n "${ONLY:-}" ]; then
    head_line
    run ${*:-idle pass policies hit-1k hit-100k tls h2 redis latency memory apis}
    exit
fi
# In a pipe another shell starts servers, of which this one's finish knows nothing.
{ trap end_servers EXIT; head_line; run idle pass policies hit-1k hit-100k tls h2 redis latency memory apis; } | tee "$DIR/report"
{ cat bench/conf/about.md; cat "$DIR/report"; } >bench/RESULTS.md
echo; echo "written to bench/RESULTS.md"
