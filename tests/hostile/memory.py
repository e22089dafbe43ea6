#!/usr/bin/python3
"""memory.py BUILD_DIR: a gateway that may take a little more memory than it needs, and clients whose bodies take the rest (robustness
H3). First connections are not kept, then new requests are refused, then the costliest exchanges are broken off; the status probe and the
operators' listener answer throughout, the latter to operators only (D7); and when the clients have gone everything is as before. The last line is "N passed, N failed".
SPDX-License-Identifier: Apache-2.0"""
import os
import re
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "h2")]
from gate import api, end_process, free_ports, wait_for, write

BUILD = sys.argv[1]
IS_SANITIZED = bool(re.search("asan|tsan", BUILD))   # keeps what is freed: nothing goes back
PATIENCE = 60 * (5 if IS_SANITIZED else 1)
MIB = 1 << 20
BODY = 12 * MIB
READS = """<inbound><base /><set-variable name="n" value="@(context.Request.Body.As<string>(preserveContent: true).Length)" />
<return-response><set-status code="200" reason="OK" /></return-response></inbound>"""
ANSWERS = """<inbound><base /><return-response><set-status code="200" reason="OK" /></return-response></inbound>"""


class Gateway:
    def __init__(self, folder, memory):
        self.folder = folder
        self.port, self.admin = free_ports(2)
        api(folder, "reads", "reads", 1, policy=READS)
        api(folder, "own", "own", self.admin)
        api(folder, "answers", "answers", 1, policy=ANSWERS)
        os.mkdir(f"{folder}/state")
        write(f"{folder}/headgate.yaml", f"""
workers: 2
listeners: [{{address: 127.0.0.1, port: {self.port}}}]
admin: {{port: {self.admin}}}
state: {folder}/state
artifacts: {folder}/artifacts
limits: {{memory: {memory}}}
timeouts: {{body-grace: 300s, body-idle: 300s}}
""")
        self.log = open(f"{folder}/log", "w")
        self.process = subprocess.Popen([f"{BUILD}/headgate", "run", "--config", f"{folder}/headgate.yaml"], stdout=self.log, stderr=self.log)
        if not wait_for(self.port, self.process) or not wait_for(self.admin, self.process):
            raise SystemExit(open(f"{folder}/log").read() + "the gateway did not start")

    def metric(self, name):
        return float(re.search(rf"^headgate_{name} (\S+)$", ask(self.admin, "/metrics")[2], re.M)[1])

    def end(self):
        status = end_process(self.process, PATIENCE)
        self.log.close()
        return status


def ask(port, path):
    """(status, head, body) of one answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as s:
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        data = b""
        while b"\r\n\r\n" not in data:
            more = s.recv(65536)
            if not more:
                return 0, "", ""
            data += more
        head, body = data.split(b"\r\n\r\n", 1)
        length = int(re.search(rb"\ncontent-length: *(\d+)", head, re.I)[1])
        while len(body) < length:
            body += s.recv(65536)
        return int(head.split(b" ", 2)[1]), head.decode(), body.decode()


def until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class Holder:
    """A request whose body is read by a policy and never ends."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.sock.sendall(f"POST /reads/x HTTP/1.1\r\nHost: a\r\nContent-Length: {BODY}\r\n\r\n".encode())
        self.left = BODY - 1

    def send(self, n):
        """False when it was broken off."""
        try:
            n = min(n, self.left)
            self.sock.sendall(b"x" * n)
            self.left -= n
            return True
        except OSError:
            return False


def grow(gate, holders, level, step):
    """step() by step(), each waited for until it is seen, up to that level."""
    while gate.metric("memory_level") < level:
        before = gate.metric("memory_bytes")
        if not step():
            return False
        until(lambda: gate.metric("memory_bytes") > before or gate.metric("memory_level") >= level)
    return True


def open_another(gate, holders):
    holders.append(Holder(gate.port))
    return holders[-1].send(MIB)


def feed(holders):
    for h in holders:
        if h.left >= MIB and h.send(MIB):
            return True
    return False


def checks(gate):
    """(what, whether it is so)."""
    holders = []
    yield "there is enough at first", gate.metric("memory_level") == 0
    status, head, _ = ask(gate.port, "/answers/x")
    yield "a connection is kept", status == 200 and "onnection: close" not in head
    yield "operators' listener is nobody's backend (D7)", ask(gate.port, "/own/metrics")[0] == 500
    yield "level 1 is reached", grow(gate, holders, 1, lambda: open_another(gate, holders))
    status, head, _ = ask(gate.port, "/answers/x")
    yield "an answer is the last of its connection", "onnection: close" in head
    yield "level 2 is reached", grow(gate, holders, 2, lambda: feed(holders))
    status, head, body = ask(gate.port, "/answers/x")
    yield "a new request is refused", status == 503 and re.search(r"\nretry-after: \d", head, re.I) and "short of memory" in body
    yield "the status probe answers", ask(gate.port, "/status-0123456789abcdef")[0] == 200
    yield "operators are served", ask(gate.admin, "/livez")[0] == 200 and gate.metric("memory_refused_total") > 0
    yield "level 3 is reached", grow(gate, holders, 3, lambda: feed(holders)) or gate.metric("memory_broken_off_total") > 0
    yield "an exchange is broken off", until(lambda: gate.metric("memory_broken_off_total") > 0)
    yield "the process lives", gate.process.poll() is None and ask(gate.admin, "/livez")[0] == 200
    for h in holders:
        h.sock.close()
    if IS_SANITIZED:
        return
    yield "all comes back", until(lambda: gate.metric("memory_level") == 0)
    status, head, _ = ask(gate.port, "/answers/x")
    yield "and is as before", status == 200 and "onnection: close" not in head


def main():
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        gate = Gateway(folder, 0)
        try:
            until(lambda: gate.metric("memory_bytes") > 0)
            ask(gate.port, "/answers/x")
            need = int(gate.metric("memory_bytes"))
        finally:
            gate.end()
    with tempfile.TemporaryDirectory() as folder:
        gate = Gateway(folder, max(need * 13 // 10, need + 40 * MIB))
        try:
            until(lambda: gate.metric("memory_bytes") > 0)
            for what, ok in checks(gate):
                passed, failed = passed + bool(ok), failed + (not ok)
                if not ok:
                    print(f"FAILED {what}: level {gate.metric('memory_level')}, {gate.metric('memory_bytes') / MIB:.0f} MiB of "
                          f"{gate.metric('memory_limit_bytes') / MIB:.0f}")
        finally:
            status = gate.end()
        ok = status in (0, -15)
        passed, failed = passed + ok, failed + (not ok)
        if failed:
            print("".join(x for x in open(f"{folder}/log") if not x.startswith("{"))[-3000:], f"exit {status}")
    print(f"{passed} passed, {failed} failed")
    return failed > 0


sys.exit(main())
