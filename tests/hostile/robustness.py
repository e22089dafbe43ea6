#!/usr/bin/python3
"""robustness.py BUILD_DIR [floods] [slow] [changes] [readers]: targets T4 to T6 measured on one release gateway with default limits, each beside
what it must be. The first three parts without a word; `make robustness` runs them. No part of `make test`: figures need a quiet machine.

    floods    each HTTP/2 flood, plain and over TLS: bytes taken until it is dropped, the gateway's CPU time and memory, and how much
              later an ordinary client is answered while it goes on without a pause
    slow      10,000 connections that send a head, or a body, byte by byte: when they are closed, and how much later an ordinary client
              is answered while they are there. What it is compared with is the same client while as large a crowd sends to a socket
              that nobody reads: crowd and client are on one core and in each other's way, whatever the gateway does. p99 is that
              of a second, and of the seconds the median: a second in which the machine was elsewhere is one of many then. nginx,
              with the same timeouts, and a bare responder stand in the same rotation and say what the machine makes of a crowd.
              And 2,000 that ask for 10 MiB each and take it byte by byte, which is a matter of memory and of who else is
              served: not of p99
    readers   the last of these alone
    changes   100 configurations published and 10 binary upgrades under load: requests that failed or had no answer

The gateway has core 0 for itself where there are two, and one worker; ordinary clients and crowds are programs of bench/src. The
ordinary client is open-loop: a late answer counts from when its request was due. Amid crowds, clients, servers and backends run
before all else (SCHED_FIFO, where that is allowed), since how a crowd and they share a core is the scheduler's affair. The last line is "N passed, N failed".
SPDX-License-Identifier: Apache-2.0"""
import os
import re
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "h2")]
import floods
from gate import api, end_process, free_ports, serving, wait_for, write
from h2raw import Conn

BUILD = sys.argv[1]
BENCH = f"{BUILD}/bench"
CROWDS = int(os.environ.get("CROWDS", 9))  # of each kind, one after the other
CROWD = int(os.environ.get("CROWD", 10000))
RATE = 2000                # requests a second of the ordinary client
P99_MS, P99_RATIO, CLOSED_S = 5.0, 1.10, 15.0
OPENS = 5000               # slow connections opened a second
READERS = min(CROWD, 2000)  # twice a backend's connections: the backend here cannot fill the buffers of more in time
READER_KIB = 160           # memory of the gateway for one that takes nothing of its answer
DRIP_S = 3                 # between two bytes of one
SECONDS = {"head": 4, "body": 2}  # of an ordinary client amid a crowd, each with a p99: less than what that is given
VERSION = ('<inbound><base /><return-response><set-status code="200" reason="OK" /><set-body>version {:06}</set-body></return-response>'
           "</inbound>")
rows = []


def may(command):
    r = subprocess.run(command + ["true"], capture_output=True)
    return not r.returncode and not r.stderr


FAVOURED = ["nice", "-n", "-10"] if may(["nice", "-n", "-10"]) else []
FIRST = ["chrt", "-f", "10"] if may(["chrt", "-f", "10"]) else FAVOURED


def pinned(core, command, before=FAVOURED):
    """On that core, when there are two; before whoever attacks, and others on the machine, when that is allowed."""
    return before + (["taskset", "-c", str(core)] if os.cpu_count() > 1 else []) + command


def put_first(pids, is_first):
    """All threads of running processes, or as they were."""
    for task in (t for pid in pids for t in os.listdir(f"/proc/{pid}/task") if FIRST != FAVOURED):
        os.sched_setscheduler(int(task), os.SCHED_FIFO if is_first else os.SCHED_OTHER, os.sched_param(10 if is_first else 0))


def row(what, target, figure, ok):
    rows.append((what, target, figure, ok))
    print(f"| {what} | {target} | {figure} | {'held' if ok else 'MISSED'} |", flush=True)


NGINX = """user root; worker_processes 1; worker_rlimit_nofile {files}; daemon off; master_process off; error_log {folder}/nginx.log;
pid {folder}/nginx.pid; events {{ worker_connections {files}; multi_accept on; }}
http {{
  access_log off; client_header_timeout 10s; client_body_timeout 5s; proxy_http_version 1.1; proxy_set_header Connection "";
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  upstream be {{ server 127.0.0.1:{backend}; keepalive 256; keepalive_requests 1000000000; }}
  server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ proxy_pass http://be; }} }}
}}
"""


class Peer:
    """Another server before the rig's backend, or in its place, for the gateway's core and the same clients."""

    def __init__(self, name, rig):
        self.name = name
        self.port, = free_ports(1)
        write(f"{rig.folder}/nginx.conf", NGINX.format(folder=rig.folder, files=resource.getrlimit(resource.RLIMIT_NOFILE)[1],
                                                       backend=rig.backend_port, port=self.port))
        command = {"nginx": ["nginx", "-c", f"{rig.folder}/nginx.conf"],
                   "a bare epoll responder": [f"{BENCH}/ceil_epoll", str(self.port), "1024"]}[name]
        self.process = subprocess.Popen(pinned(0, command, FIRST))
        if not wait_for(self.port, self.process):
            raise SystemExit(f"{name} did not start")

    def end(self):
        end_process(self.process, 10)


class Rig:
    """A backend and a gateway in a folder."""

    def __init__(self, folder):
        self.folder = folder
        self.backend_port, self.other_port, self.port, self.tls_port, self.admin = free_ports(5)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                        "/CN=localhost", "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"], check=True, stderr=subprocess.DEVNULL)
        api(folder, "e", "e", self.backend_port)
        api(folder, "o", "o", self.other_port)
        api(folder, "v", "v", self.backend_port, policy=VERSION.format(0))
        os.mkdir(f"{folder}/state")
        write(f"{folder}/headgate.yaml", f"""workers: 1
listeners:
  - {{address: 127.0.0.1, port: {self.port}}}
  - address: 127.0.0.1
    port: {self.tls_port}
    tls: {{certificates: [{{certificate: {folder}/cert.pem, key: {folder}/key.pem}}]}}
admin: {{port: {self.admin}}}
state: {folder}/state
artifacts: {folder}/artifacts
gateway-log: {{sinks: [{{kind: file, path: /dev/null}}]}}
""")
        self.backend, self.other = (subprocess.Popen(pinned(1, [f"{BENCH}/backend", str(p)])) for p in (self.backend_port, self.other_port))
        self.log = open(f"{folder}/log", "w")
        self.process = subprocess.Popen(pinned(0, [f"{BUILD}/headgate", "run", "--config", f"{folder}/headgate.yaml"]), stdout=self.log,
                                        stderr=self.log)
        if not wait_for(self.backend_port, self.backend) or not wait_for(self.tls_port, self.process):
            raise SystemExit(open(f"{folder}/log").read() + "the gateway or its backend did not start")
        Load(self.port, "/e/1k", 64, 1, 0).end()

    def end(self):
        status = end_process(self.process, 60)
        for backend in (self.backend, self.other):
            end_process(backend, 60)
        self.log.close()
        return status

    def publish(self, n):
        path = f"{self.folder}/artifacts/apis/v/policy.xml"
        write(path + ".new", f"<policies>{VERSION.format(n)}</policies>")
        os.rename(path + ".new", path)

    def asked(self, path):
        return subprocess.run(["curl", "-sf", f"http://127.0.0.1:{self.port}{path}"], capture_output=True, text=True).stdout


class Load:
    """bench/src/gen.c for so long; RATE 0: as fast as it is answered."""

    def __init__(self, port, path, connections, seconds, rate, before=FAVOURED):
        self.process = subprocess.Popen(pinned(1, [f"{BENCH}/gen", str(port), path, str(connections), str(seconds), str(rate)], before),
                                        stdout=subprocess.PIPE, text=True)

    def end(self):
        """{requests, p50, p99 (ms), errors}."""
        out = self.process.communicate()[0]
        m = re.search(r"reqs (\d+) .*p50 ([\d.]+) .*p99 ([\d.]+) .*errors (\d+)", out)
        if not m:
            raise SystemExit(f"the load did not run: {out}")
        return {"requests": int(m[1]), "p50": float(m[2]) / 1000, "p99": float(m[3]) / 1000, "errors": int(m[4])}


# ---- T4 ----

def flood_for(seconds, connect, flood):
    """One flood after the other, each until it is dropped."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        c, i = connect(), 0
        c.settle()
        while not c.closed and time.monotonic() < end:
            c.send(flood(c, i))
            i += 1
            c.read(0)
        c.close()


def one_flood(rig, label, connect, name, flood):
    costs = [floods.run_one(connect, rig.process.pid, flood, reads) for reads in (True, False) for _ in range(3)]
    sent, cpu, memory = max(c[0] for c in costs), statistics.median(c[1] for c in costs), max(c[2] for c in costs)
    rises, errors = [], 0
    for _ in range(3):
        quiet = Load(rig.port, "/e/1k", 8, 1, RATE).end()
        load = Load(rig.port, "/e/1k", 8, 1, RATE)
        flood_for(1, connect, flood)
        during = load.end()
        rises.append(during["p99"] - quiet["p99"])
        errors += quiet["errors"] + during["errors"]
    rise = statistics.median(rises)
    dropped = all(c[3] != "not dropped" for c in costs)
    ok = dropped and sent <= floods.BYTES and cpu <= floods.CPU_S and memory <= floods.MEMORY and rise < P99_MS and not errors
    row(f"{name}, {label}", "0.25 MB, 50 ms, 1 MB, p99 + 5 ms",
        f"{sent / 1e6:.3f} MB{'' if dropped else ', NOT DROPPED'}, {cpu * 1000:.1f} ms, {max(memory, 0) / 1e6:.2f} MB, p99 {rise:+.2f} ms"
        + (f", {errors} ERRORS" if errors else ""), ok)


def t4(rig):
    for label, port, tls in (("plain", rig.port, False), ("TLS", rig.tls_port, True)):
        def connect():
            return Conn("127.0.0.1", port, tls, "/e/x")
        floods.warm_up(connect)
        for name, flood in floods.FLOODS:
            one_flood(rig, label, connect, name, flood)


# ---- T5 ----

class Crowd:
    """bench/src/slow.c: 10,000 connections that send a byte now and then."""

    def __init__(self, port, kind, patience_s=CLOSED_S + 1, size=CROWD):
        self.process = subprocess.Popen(["taskset", "-c", str(os.cpu_count() - 1), f"{BENCH}/slow", str(port), str(size), kind, str(OPENS),
                                         str(DRIP_S), str(patience_s)], stdout=subprocess.PIPE, text=True)

    def wait(self):
        """Until all have come."""
        if self.process.stdout.readline() != "ready\n":
            raise SystemExit("the crowd did not come")

    def drop(self):
        """Goes away."""
        end_process(self.process, 10)
        self.process.stdout.close()

    def end(self):
        """(closed by the server, told 408, seconds of the slowest)."""
        m = re.search(r"closed (\d+) told_408 (\d+) mean_s [\d.]+ slowest_s ([\d.]+)", self.process.communicate()[0])
        return int(m[1]), int(m[2]), float(m[3])


def deaf_listeners():
    """Sockets of one port that take connections and bytes, as far as the kernel does that alone."""
    listeners, port = [], 0
    for _ in range(CROWD // 4096 + 2):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        s.bind(("127.0.0.1", port))
        s.listen(4096)
        port = s.getsockname()[1]
        listeners.append(s)
    return listeners


def ordinary(port, kind):
    """One figure a second, and the sum of what failed."""
    seconds = [Load(port, "/e/1k", 8, 1, RATE, FIRST).end() for _ in range(SECONDS[kind])]
    return {"p50": [s["p50"] for s in seconds], "p99": [s["p99"] for s in seconds], "errors": sum(s["errors"] for s in seconds)}


def beside_deaf(port, kind):
    """The ordinary client of a port beside a crowd that is none of its server's business."""
    listeners = deaf_listeners()
    crowd = Crowd(listeners[0].getsockname()[1], kind)
    crowd.wait()
    load = ordinary(port, kind)
    crowd.drop()
    for s in listeners:
        s.close()
    return load


def peer_crowded(peer, kind):
    """A peer's ordinary client beside a deaf socket's crowd, and amid its own."""
    beside = beside_deaf(peer.port, kind)
    crowd = Crowd(peer.port, kind)
    crowd.wait()
    amid = ordinary(peer.port, kind)
    crowd.drop()
    return beside, amid


def crowded(rig, kind):
    """The ordinary client alone, beside a deaf socket's crowd, and amid the gateway's; what became of that; CPU seconds a second."""
    alone, beside = ordinary(rig.port, kind), beside_deaf(rig.port, kind)
    pid = serving(rig.process)
    crowd = Crowd(rig.port, kind)
    crowd.wait()
    cpu, began = floods.usage(pid)[0], time.monotonic()
    amid = ordinary(rig.port, kind)
    cpu = (floods.usage(pid)[0] - cpu) / (time.monotonic() - began)
    return alone, beside, amid, crowd.end(), cpu


def come_and_go(rig, kind):
    """The ordinary client from a crowd's first opening to its last closing."""
    load = Load(rig.port, "/e/1k", 8, CROWD / OPENS + (5.5 if kind == "body" else 10.5), RATE, FIRST)
    crowd = Crowd(rig.port, kind)
    crowd.wait()
    end = crowd.end()
    return load.end(), end


def usual(loads, figure):
    return statistics.median(second for load in loads for second in load[figure])


def risen(pairs):
    """p99 amid a crowd to p99 beside one elsewhere, as text, and as a number: of all seconds, and the quartiles of the rounds."""
    ratio = usual([amid for _, amid in pairs], "p99") / usual([beside for beside, _ in pairs], "p99")
    rounds = [usual([amid], "p99") / usual([beside], "p99") for beside, amid in pairs]
    low, _, high = statistics.quantiles(rounds, n=4) if len(rounds) > 1 else rounds * 3
    return f"x {ratio:.2f} (quartiles of {CROWDS} rounds {low:.2f} and {high:.2f})", ratio


def slow_rows(rig, peers, kind, kinds):
    samples, theirs, gateway = [], [[] for _ in peers], (serving(rig.process),)
    for _ in range(CROWDS):
        put_first(gateway, True)
        samples.append(crowded(rig, kind))
        put_first(gateway, False)  # what it tidies up afterwards is to be in nobody's way
        for peer, pairs in zip(peers, theirs):
            pairs.append(peer_crowded(peer, kind))
    put_first(gateway, True)
    whole, end = come_and_go(rig, kind)
    ends = [s[3] for s in samples] + [end]
    closed, told, slowest = min(e[0] for e in ends), min(e[1] for e in ends), max(e[2] for e in ends)
    p99, p50 = ([usual([s[i] for s in samples], p) for i in range(3)] for p in ("p99", "p50"))
    text, ratio = risen([s[1:3] for s in samples])
    errors = sum(s[i]["errors"] for s in samples for i in range(3)) + whole["errors"]
    row(f"{CROWD} slow {kinds}: closed", f"all within {CLOSED_S:.0f} s", f"{closed} closed ({told} told 408), slowest after {slowest:.1f} s",
        closed == CROWD and slowest <= CLOSED_S)
    row(f"{CROWD} slow {kinds}: p99 of an ordinary client amid them, to that beside a crowd elsewhere", f"x {P99_RATIO:.2f}",
        f"{text}; alone {p99[0]:.3f}, beside {p99[1]:.3f}, amid {p99[2]:.3f} ms, p50 {p50[0]:.3f}, {p50[1]:.3f}, {p50[2]:.3f} ms, "
        f"{errors} errors", ratio < P99_RATIO and not errors)
    for peer, pairs in zip(peers, theirs):
        row(f"{CROWD} slow {kinds}: the same of {peer.name}, in rotation", "none", risen(pairs)[0], True)
    row(f"{CROWD} slow {kinds}: the gateway's CPU amid them and {RATE} requests a second", "none",
        f"{100 * statistics.median(s[4] for s in samples):.1f} %", True)
    row(f"{CROWD} slow {kinds}: ordinary client while {OPENS} a second come and go", "none",
        f"p99 {whole['p99']:.3f} ms, p50 {whole['p50']:.3f} ms", True)


def t5(rig):
    peers = [Peer(name, rig) for name in ("nginx", "a bare epoll responder")]
    ours = (serving(rig.process), rig.backend.pid)
    put_first(ours, True)
    try:
        for kind, kinds in (("head", "heads"), ("body", "bodies")):
            slow_rows(rig, peers, kind, kinds)
    finally:
        put_first(ours, False)
        for peer in peers:
            peer.end()
    readers(rig)


class Peak:
    """The gateway's memory and the connections it has to the backend, looked at ten times a second while a process runs."""

    def __init__(self, rig):
        self.rig, self.pid, self.memory = rig, serving(rig.process), 0
        self.before = floods.usage(self.pid)[1]

    def watch(self, process):
        while process.poll() is None:
            self.memory = max(self.memory, floods.usage(self.pid)[1] - self.before)
            time.sleep(0.1)


def readers(rig):
    """Answers that nobody takes: the crowd asks one backend, ordinary clients another one and the same."""
    peak = Peak(rig)
    seconds = READERS / OPENS + 2 * CLOSED_S
    others = [Load(rig.port, path, 8, seconds, 200) for path in ("/o/1k", "/e/1k")]
    crowd = Crowd(rig.port, "reader", 3 * CLOSED_S, READERS)
    peak.watch(crowd.process)
    closed, _, slowest = crowd.end()
    elsewhere, same = (o.end() for o in others)
    late = Load(rig.port, "/e/1k", 8, 1, 200).end()
    each = peak.memory / READERS / 1024
    row(f"{READERS} clients that read slowly: closed", "all", f"{closed} closed, slowest after {slowest:.1f} s", closed == READERS)
    row(f"{READERS} clients that read slowly: memory", f"{READER_KIB} KiB each", f"{peak.memory / 1e6:.0f} MB, {each:.0f} KiB each",
        each <= READER_KIB)
    row(f"{READERS} clients that read slowly: errors of ordinary clients of another backend", "0", f"{elsewhere['errors']} of "
        f"{elsewhere['requests']}, p99 {elsewhere['p99']:.1f} ms", not elsewhere["errors"])
    row(f"{READERS} clients that read slowly: ordinary clients of the same backend", "served, amid them and after", f"{same['requests']} "
        f"answered, {same['errors']} refused; afterwards {late['errors']} errors", same["requests"] > same["errors"] and not late["errors"])


# ---- T6 ----

def while_loaded(rig, path, change, n):
    """change(i) n times under a closed loop of 16 clients; requests and errors of these."""
    requests = errors = i = 0
    while i < n:
        load = Load(rig.port, path, 16, 10, 0)
        while i < n and load.process.poll() is None:
            i += 1
            change(i)
        r = load.end()
        requests, errors = requests + r["requests"], errors + r["errors"]
    return requests, errors


def published(rig, i):
    rig.publish(i)
    end = time.monotonic() + 30
    while rig.asked("/v/x") != f"version {i:06}":
        if time.monotonic() > end:
            raise SystemExit(f"version {i} was not published")
        time.sleep(0.01)


def upgraded(rig, _):
    old = serving(rig.process)
    r = subprocess.run([f"{BUILD}/headgate", "upgrade", "--config", f"{rig.folder}/headgate.yaml"], capture_output=True, text=True)
    if r.returncode:
        raise SystemExit(f"an upgrade failed: {r.stderr}")
    end = time.monotonic() + 60
    while os.path.exists(f"/proc/{old}") and time.monotonic() < end:
        time.sleep(0.05)


def t6(rig):
    for what, path, change, n in (("publishes", "/v/x", published, 100), ("binary upgrades", "/e/1k", upgraded, 10)):
        requests, errors = while_loaded(rig, path, lambda i: change(rig, i), n)
        row(f"{n} {what} under load", "0 failed or unanswered", f"{errors} of {requests} requests", not errors and requests)


def main():
    parts = {"floods": t4, "slow": t5, "changes": t6, "readers": readers}
    wanted = sys.argv[2:] or ["floods", "slow", "changes"]
    print("| what | target | figure | |\n|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        rig = Rig(folder)
        try:
            for part in wanted:
                parts[part](rig)
        finally:
            status = rig.end()
        row("the gateway", "ends well", f"exit {status}", status in (0, -15))
    failed = sum(not r[3] for r in rows)
    print(f"{len(rows) - failed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
