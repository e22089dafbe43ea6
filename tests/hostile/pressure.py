#!/usr/bin/python3
"""pressure.py BUILD_DIR: a gateway under pressure keeps serving: 10,000 connections opened and abandoned, 10,000 heads that never
end, a log on a full disk, a backend that dies inside its answers, a hundred configurations published under load. All the while one
ordinary client is answered. The last line is "N passed, N failed".
SPDX-License-Identifier: Apache-2.0"""
import http.client
import os
import re
import resource
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "h2")]
from gate import api, end_process, free_ports, serving, wait_for, write

BUILD = sys.argv[1]
SLOW = 5 if re.search("asan|tsan", BUILD) else 1
CROWD = 10000
PATIENCE = 60 * SLOW      # seconds; no verdict hangs on less
GROWTH = 8 << 20          # bytes that a crowd may leave behind the second time
HEAD = b"GET /a/x HTTP/1.1\r\nHost: gateway.test\r\n"
DYING = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 50000
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Backend:
    """Answers /x, dies in the middle of the answer to /dies."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            sock, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        data = b""
        try:
            while True:
                while b"\r\n\r\n" not in data:
                    more = sock.recv(65536)
                    if not more:
                        return
                    data += more
                head, data = data.split(b"\r\n\r\n", 1)
                if b"/dies" in head.split(b"\r\n")[0]:
                    sock.sendall(DYING)
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
                sock.sendall(WHOLE)
        except OSError:
            pass
        finally:
            sock.close()


class Gateway:
    def __init__(self, folder, backend):
        self.folder = folder
        self.port, self.admin = free_ports(2)
        api(folder, "a", "a", str(backend))
        api(folder, "v", "v", str(backend), policy=self.version(0))
        os.makedirs(f"{folder}/state")
        write(f"{folder}/headgate.yaml", f"""
listeners: [{{address: 127.0.0.1, port: {self.port}}}]
admin: {{port: {self.admin}}}
state: {folder}/state
artifacts: {folder}/artifacts
timeouts: {{head: 3s}}
watch: {{settle: 1ms}}
gateway-log: {{sinks: [{{kind: file, path: /dev/full}}]}}
""")
        self.log = open(f"{folder}/log", "w")
        self.process = subprocess.Popen([f"{BUILD}/headgate", "run", "--config", f"{folder}/headgate.yaml", "--workers", "2"],
                                        stdout=self.log, stderr=self.log)
        if not wait_for(self.port, self.process):
            raise SystemExit(open(f"{folder}/log").read() + "the gateway did not start")

    @staticmethod
    def version(n):
        return ("<inbound><base /><return-response><set-status code=\"200\" reason=\"OK\" />"
                f"<set-body>{n}</set-body></return-response></inbound>")

    def publish(self, n):
        path = f"{self.folder}/artifacts/apis/v/policy.xml"
        write(path + ".new", f"<policies>{self.version(n)}</policies>")
        os.rename(path + ".new", path)

    def memory(self):
        """Bytes of the serving process."""
        return int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{serving(self.process)}/status").read())[1]) * 1024

    def metric(self, name):
        c = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=PATIENCE)
        c.request("GET", "/metrics")
        text = c.getresponse().read().decode()
        c.close()
        return float(re.search(rf"^{name} (\S+)$", text, re.M)[1])

    def end(self):
        status = end_process(self.process, PATIENCE)
        self.log.close()
        return status


class Client(threading.Thread):
    """The ordinary client: one request after the other on a kept connection, each of which must be answered."""

    def __init__(self, port, path="/a/x"):
        super().__init__(daemon=True)
        self.port, self.path, self.answered, self.failures, self.is_ending = port, path, 0, [], False
        self.start()

    def run(self):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        while not self.is_ending:
            try:
                c.request("GET", self.path)
                r = c.getresponse()
                r.read()
                if r.status != 200:
                    self.failures.append(r.status)
                self.answered += 1
            except (OSError, http.client.HTTPException) as e:
                self.failures.append(repr(e))
                c.close()
            time.sleep(0.005)
        c.close()

    def end(self):
        self.is_ending = True
        self.join()
        return not self.failures and self.answered > 0


def crowd(port, n, data):
    """So many connections, each of which has sent data(i); from several addresses, so that ports do not run out."""
    socks = []
    for i in range(n):
        s = socket.socket()
        s.setsockopt(socket.SOL_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
        s.bind((f"127.0.0.{2 + i % 4}", 0))
        s.settimeout(PATIENCE)
        s.connect(("127.0.0.1", port))
        s.sendall(data(i))
        socks.append(s)
    return socks


def must(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def abandoned(gate, n):
    """A third has sent half a head, a third nothing, a third a request whose answer nobody reads; half of each is reset."""
    sizes = []
    for _ in range(3):
        socks = crowd(gate.port, n, lambda i: (HEAD, b"", HEAD + b"\r\n")[i % 3])
        for i, s in enumerate(socks):
            if i % 2:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.close()
        if not must(lambda: gate.metric("headgate_connections_open") < 10):
            return False, f"{gate.metric('headgate_connections_open')} connections are still open"
        sizes.append(gate.memory())
    return sizes[2] - sizes[1] < GROWTH * SLOW, f"{n} connections three times, memory {[s >> 10 for s in sizes]} KiB"


def slow_heads(gate, n):
    """Each is told 408 and closed; nobody waits for them."""
    before = gate.memory()
    socks = crowd(gate.port, n, lambda i: HEAD + b"X-Slow: ")
    during = gate.memory()
    begun, refused = time.monotonic(), 0
    for s in socks:
        answer = b""
        while (more := s.recv(4096)):
            answer += more
        refused += answer.startswith(b"HTTP/1.1 408 ")
        s.close()
    return refused == n, (f"{refused} of {n} refused within {time.monotonic() - begun:.1f} s, "
                          f"{(during - before) / n:.0f} bytes of memory a connection")


def dying_backend(gate, n=200):
    """Never a body that looks whole, and the next request is answered."""
    for _ in range(n):
        c = http.client.HTTPConnection("127.0.0.1", gate.port, timeout=PATIENCE)
        c.request("GET", "/a/dies")
        try:
            r = c.getresponse()
            if r.status == 200 and len(r.read()) != 100000:
                return False, "a short body that looks whole"
            if r.status == 200:
                return False, "a body that was never sent"
        except (http.client.IncompleteRead, ConnectionResetError, http.client.RemoteDisconnected):
            pass
        c.close()
    return True, f"{n} answers broken off"


def publishes(gate, n=100):
    """Every version is reached, and no request of the load fails or sees one that was not published."""
    loads = [Client(gate.port, "/v/x") for _ in range(4)]
    for i in range(1, n + 1):
        gate.publish(i)

        def is_there():
            c = http.client.HTTPConnection("127.0.0.1", gate.port, timeout=PATIENCE)
            c.request("GET", "/v/x")
            body = c.getresponse().read()
            c.close()
            return body == b"%d" % i
        if not must(is_there):
            return False, f"version {i} was not published"
    ok = all([load.end() for load in loads])
    return ok, f"{n} published, {sum(x.answered for x in loads)} requests, failures {[f for x in loads for f in x.failures][:5]}"


def full_disk(gate, _=None):
    lost = gate.metric("headgate_log_rows_dropped_total")
    return lost > 0, f"{lost:.0f} rows lost and counted"


def main():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    n = min(CROWD, hard - 1000)
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        gate = Gateway(folder, Backend().port)
        ordinary = Client(gate.port)
        for test in (lambda: dying_backend(gate), lambda: publishes(gate), lambda: abandoned(gate, n), lambda: slow_heads(gate, n),
                     lambda: full_disk(gate)):
            begun = time.monotonic()
            try:
                ok, why = test()
            except Exception as e:  # what cannot be carried out has failed
                ok, why = False, repr(e)
            name = test.__code__.co_names[0]
            print(f"{'ok' if ok else 'FAILED'} {name}: {why}, {time.monotonic() - begun:.1f} s")
            passed, failed = passed + ok, failed + (not ok)
        ok = ordinary.end()
        print(f"{'ok' if ok else 'FAILED'} ordinary client: {ordinary.answered} answered, {ordinary.failures[:5]}")
        status = gate.end()
        if status not in (0, -15):
            print(open(f"{folder}/log").read()[-6000:], f"exit {status}")
        passed, failed = passed + ok + (status in (0, -15)), failed + (not ok) + (status not in (0, -15))
    print(f"{passed} passed, {failed} failed")
    return failed > 0


sys.exit(main())
