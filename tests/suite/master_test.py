"""master_test.py HEADGATE: what the master process promises, seen from outside.

Each test starts its own gateway on free ports with an empty folder of APIs; the answer asked for is the service's own
/status-0123456789abcdef, so that nothing but process handling is under test. Prints "N passed, N failed".
"""
import base64
import hashlib
import http.client
import json
import os
import re
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.request

import h2.config
import h2.connection
import h2.events

from ports import free_port
from processes import end_process

HEADGATE = os.path.abspath(sys.argv[1])
STATUS = "/status-0123456789abcdef"
SLOW = 5 if "asan" in HEADGATE or "tsan" in HEADGATE else 1


def wait_until(condition, seconds=10):
    end = time.monotonic() + seconds * SLOW
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


class Connection:
    """One HTTP/1.1 connection, byte for byte."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=10 * SLOW)
        self.rest = b""
        self.is_last = False

    def get(self, path=STATUS):
        self.sock.sendall(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
        while b"\r\n\r\n" not in self.rest:
            more = self.sock.recv(65536)
            if not more:
                raise ConnectionError("closed before an answer")
            self.rest += more
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        length = int(re.search(rb"content-length: *(\d+)", head, re.I).group(1))
        while len(self.rest) < length:
            more = self.sock.recv(65536)
            if not more:
                raise ConnectionError("closed inside an answer")
            self.rest += more
        self.rest = self.rest[length:]
        self.is_last = re.search(rb"\r\nconnection: *close", head, re.I) is not None
        return int(head.split(b" ", 2)[1])

    def close(self):
        self.sock.close()


def get(port, path=STATUS):
    c = Connection(port)
    try:
        return c.get(path)
    finally:
        c.close()


def answers(port, path=STATUS, status=200):
    try:
        return get(port, path) == status
    except OSError:
        return False


class Http2Load:
    """Streams over HTTP/2 with prior knowledge, several at a time; GOAWAY means a new connection, nothing else does."""

    def __init__(self, port, at_once=10):
        self.port, self.at_once = port, at_once
        self.answered, self.failures, self.connections = 0, [], 0
        self.is_ending = False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.is_ending and len(self.failures) < 20:
            try:
                self.connections += 1
                self.one_connection()
            except OSError as e:
                self.failures.append(repr(e))

    @staticmethod
    def events(conn, data):
        """Frame by frame: the library takes no frame after a GOAWAY, though what was promised still comes."""
        events = []
        while len(data) >= 9 and len(data) >= 9 + int.from_bytes(data[:3], "big"):
            size = 9 + int.from_bytes(data[:3], "big")
            events += conn.receive_data(data[:size])
            conn.state_machine.state = h2.connection.ConnectionState.CLIENT_OPEN
            data = data[size:]
        return events, data

    def one_connection(self):
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=10 * SLOW)
        conn = h2.connection.H2Connection()
        conn.initiate_connection()
        waiting, may_open, rest = set(), True, b""
        while True:
            while may_open and not self.is_ending and len(waiting) < self.at_once:
                stream = conn.get_next_available_stream_id()
                conn.send_headers(stream, [(":method", "GET"), (":scheme", "http"), (":authority", "test"),
                                           (":path", STATUS)], end_stream=True)
                waiting.add(stream)
            sock.sendall(conn.data_to_send())
            if not waiting:
                break
            data = sock.recv(65536)
            if not data:
                raise ConnectionError(f"closed with {len(waiting)} streams open")
            events, rest = self.events(conn, rest + data)
            for event in events:
                if isinstance(event, h2.events.StreamEnded):
                    waiting.discard(event.stream_id)
                    self.answered += 1
                elif isinstance(event, h2.events.DataReceived) and event.flow_controlled_length:
                    conn.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamReset):
                    waiting.discard(event.stream_id)
                    self.failures.append(f"stream reset {event.error_code}")
                elif isinstance(event, h2.events.ConnectionTerminated):
                    may_open = False
                    if event.last_stream_id < max(waiting, default=0):
                        self.failures.append("a stream opened before GOAWAY was not taken")
        sock.close()

    def end(self):
        self.is_ending = True
        self.thread.join()


class EchoBackend:
    """Answers a WebSocket handshake and sends back every byte."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        head = b""
        while b"\r\n\r\n" not in head:
            head += sock.recv(65536)
        key = re.search(rb"sec-websocket-key: *(\S+)", head, re.I).group(1)
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        while True:
            data = sock.recv(65536)
            if not data:
                sock.close()
                return
            sock.sendall(data)

    def end(self):
        self.listener.close()


class WebSocket:
    def __init__(self, port, path):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=10 * SLOW)
        self.sock.sendall(f"GET {path} HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            more = self.sock.recv(1)
            assert more, head
            head += more
        assert head.startswith(b"HTTP/1.1 101 "), head

    def echo(self, text):
        frame = bytes([0x81, 0x80 | len(text)]) + b"\0\0\0\0" + text
        self.sock.sendall(frame)
        got = b""
        while len(got) < len(frame):
            more = self.sock.recv(len(frame) - len(got))
            assert more, "the tunnel was closed"
            got += more
        assert got == frame, (got, frame)

    def close(self):
        self.sock.close()


class Gateway:
    def __init__(self, extra="", **more):
        self.make(extra, **more)

    def make(self, extra="", wait=True, apis=None, log=None, files=None, listeners=(), folders=()):
        self.folder = tempfile.mkdtemp(prefix="headgate-test-")
        self.state = os.path.join(self.folder, "state")
        self.port, self.admin = free_port(), free_port()
        for name in ("artifacts", *folders):
            os.mkdir(os.path.join(self.folder, name))
        for name, url in (apis or {}).items():
            api = os.path.join(self.folder, "artifacts", "apis", name)
            os.makedirs(api)
            with open(os.path.join(api, "apiInformation.json"), "w") as f:
                kind = {"type": "websocket", "protocols": ["ws"]} if url.startswith("ws:") else {"protocols": ["http"]}
                json.dump({"properties": {"displayName": name, "path": name, "serviceUrl": url, "subscriptionRequired": False,
                                          "apiRevision": "1", "isCurrent": True, **kind}}, f)
        self.listeners = "".join(f"  - {l}\n" for l in listeners)
        self.write_config(extra)
        self.log = open(os.path.join(self.folder, "log"), "a+") if log is None else os.fdopen(log, "w")
        told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        told.bind(os.path.join(self.folder, "notify"))
        limit = [] if files is None else ["prlimit", f"--nofile={files}", "--"]
        self.process = subprocess.Popen([*limit, HEADGATE, "run", "--config", self.config],
                                        stdout=self.log, stderr=self.log, cwd=self.folder,
                                        env={**os.environ, "NOTIFY_SOCKET": os.path.join(self.folder, "notify")})
        if wait:                               # for the master to know that it serves, as systemd does
            told.settimeout(20 * SLOW)
            assert told.recv(100) == b"READY=1", self.said()
            assert answers(self.port), self.said()
        told.close()

    def write_config(self, extra):
        self.config = os.path.join(self.folder, "headgate.yaml")
        with open(self.config, "w") as f:
            f.write(f"artifacts: artifacts\nstate: {self.state}\nworkers: 2\n"
                    f"listeners:\n  - address: 127.0.0.1\n    port: {self.port}\n{self.listeners}"
                    f"admin:\n  address: 127.0.0.1\n  port: {self.admin}\n{extra}")

    def children(self):
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        return [int(p) for p in open(path).read().split()]

    def serving(self):
        """The serving process; None between a death and the restart."""
        return next(iter(self.children()), None)

    def said(self):
        self.log.flush()
        return open(self.log.name).read()

    def upgrade(self):
        return subprocess.run([HEADGATE, "upgrade", "--config", self.config], capture_output=True, text=True,
                              timeout=100)

    def end(self):
        end_process(self.process, 20 * SLOW)
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Load:
    """Clients on kept-alive connections that ask without pause; every request must be answered."""

    def __init__(self, port, n=8, pause=0.0):
        self.port, self.pause = port, pause
        self.answered, self.failures = 0, []
        self.is_ending = False
        self.threads = [threading.Thread(target=self.run) for _ in range(n)]
        for t in self.threads:
            t.start()

    def run(self):
        connection = None
        while not self.is_ending:
            try:
                if connection is None:
                    connection = Connection(self.port)
                status = connection.get()
                if status != 200:
                    self.failures.append(status)
                self.answered += 1
                if connection.is_last:
                    connection.close()
                    connection = None
                time.sleep(self.pause)
            except OSError as e:
                self.failures.append(repr(e))
                connection = None
        if connection:
            connection.close()

    def end(self):
        self.is_ending = True
        for t in self.threads:
            t.join()


def test_a_killed_process_is_started_again_at_once():
    """Each time without a refused connection; within 100 ms, though not always where others use the machine, too."""
    g = Gateway()
    took = []
    try:
        while len(took) < 2 or (min(took) >= 0.1 * SLOW and len(took) < 5):
            old = g.serving()
            os.kill(old, signal.SIGKILL)
            begin = time.monotonic()
            assert wait_until(lambda: g.serving() not in (None, old))
            took.append(time.monotonic() - begin)
            assert get(g.port) == 200          # waits in the listening socket, is not refused
            time.sleep(5.2)                    # an old process is not in a crash loop
        assert min(took) < 0.1 * SLOW, f"restarts took {took}"
    finally:
        g.end()


def test_a_process_that_keeps_dying_is_started_ever_later():
    g = Gateway()
    try:
        gaps = []
        for _ in range(4):
            old = g.serving()
            os.kill(old, signal.SIGKILL)
            begin = time.monotonic()
            assert wait_until(lambda: g.serving() not in (None, old))
            gaps.append(time.monotonic() - begin)
            assert wait_until(lambda: answers(g.port))
        assert gaps[-1] > 0.2, gaps
        assert answers(g.port)
    finally:
        g.end()


def test_upgrades_under_load_lose_nothing():
    g = Gateway("drain:\n  quiet: 300ms\n")
    load = Load(g.port)
    try:
        for _ in range(3):
            old = g.serving()
            result = g.upgrade()
            assert result.returncode == 0, result.stderr
            assert result.stdout.startswith("ok"), result.stdout
            assert wait_until(lambda: old not in g.children(), 15), "the old process stays"
            assert len(g.children()) == 1
        load.end()
        assert load.failures == [], (load.failures[:5], len(load.failures), load.answered)
        assert load.answered > 100
        assert answers(g.admin, "/readyz")
    finally:
        load.end()
        g.end()


def test_upgrades_keep_http2_streams_and_websockets():
    backend = EchoBackend()
    g = Gateway("drain:\n  quiet: 300ms\n  limit: 30s\n", apis={"echo": f"ws://127.0.0.1:{backend.port}"})
    load = Http2Load(g.port)
    tunnels = []
    try:
        tunnels = [WebSocket(g.port, "/echo/any") for _ in range(4)]
        old = g.serving()
        result = g.upgrade()
        assert result.returncode == 0, result.stderr
        for i in range(40):                    # two seconds through the old process
            for t in tunnels:
                t.echo(b"message %d" % i)
            time.sleep(0.05)
        assert old in g.children(), "the old process left its tunnels"
        fresh = WebSocket(g.port, "/echo/any")
        fresh.echo(b"through the new process")
        for t in tunnels:
            t.close()
        assert wait_until(lambda: old not in g.children(), 10), "the old process stays"
        fresh.echo(b"still there")
        fresh.close()
        load.end()
        assert load.failures == [], (load.failures[:5], len(load.failures))
        assert load.answered > 100 and load.connections >= 2, (load.answered, load.connections)
    finally:
        load.end()
        g.end()
        backend.end()


def test_an_upgrade_that_cannot_start_changes_nothing():
    g = Gateway()
    try:
        old = g.serving()
        g.write_config("no-such-key: 1\n")
        result = subprocess.run([HEADGATE, "upgrade", "--state", g.state], capture_output=True, text=True, timeout=100)
        assert result.returncode == 1
        assert "before it was ready" in result.stderr, result.stderr
        assert g.children() == [old]
        assert answers(g.port)
    finally:
        g.end()


def test_a_stop_announces_drains_and_ends_well():
    g = Gateway("drain:\n  announce: 700ms\n  quiet: 100ms\n")
    try:
        kept = Connection(g.port)
        assert kept.get() == 200
        g.process.send_signal(signal.SIGTERM)
        assert wait_until(lambda: answers(g.admin, "/readyz", 503)), "readiness did not fail"
        assert answers(g.port), "new connections are taken while the end is announced"
        assert kept.get() == 200
        assert g.process.wait(10 * SLOW) == 0, g.said()
        kept.close()
    finally:
        g.end()


def test_a_wrong_configuration_ends_the_start():
    g = Gateway("no-such-key: 1\n", wait=False)
    try:
        assert g.process.wait(10 * SLOW) == 1
        assert "no-such-key" in g.said()
        assert g.said().count("no-such-key") < 4, "it was tried again"
    finally:
        g.end()


def test_a_port_of_another_gateway_is_not_joined():
    first = Gateway()
    try:
        for words in ([], ["--no-master"]):
            result = subprocess.run([HEADGATE, "run", "--artifacts", os.path.join(first.folder, "artifacts"), *words, "--config",
                                     write_second(first)], capture_output=True, text=True, timeout=60)
            assert result.returncode == 1 and "Address already in use" in result.stderr, result
        assert first.upgrade().returncode == 0 and answers(first.port), "its own sockets are no hindrance"
    finally:
        first.end()


def test_any_free_port_is_one_for_all_workers():
    g = Gateway()
    try:
        path = os.path.join(g.folder, "any.yaml")
        with open(path, "w") as f:
            f.write(f"artifacts: artifacts\nworkers: 3\nlisteners: [{{port: 0}}, {{port: 0}}]\nadmin: {{port: {free_port()}}}\n")
        said = os.path.join(g.folder, "said")
        with open(said, "w") as log:
            process = subprocess.Popen([HEADGATE, "run", "--config", path], stdout=log, stderr=log)
        try:
            assert wait_until(lambda: "admin on" in open(said).read() or process.poll() is not None)
            ports = re.findall(r"serving on http://127.0.0.1:(\d+)", open(said).read())
            assert len(set(ports)) == 2, open(said).read()
            assert all(answers(int(p)) for p in ports * 8)
        finally:
            end_process(process, 20 * SLOW)
    finally:
        g.end()


def write_second(first):
    """A configuration that has the first one's port for itself."""
    path = os.path.join(first.folder, "second.yaml")
    with open(path, "w") as f:
        f.write(f"listeners: [{{port: {first.port}}}]\nadmin: {{port: {free_port()}}}\n")
    return path


def test_without_its_master_the_process_drains_and_goes():
    g = Gateway("drain:\n  quiet: 100ms\n")
    try:
        serving = g.serving()
        g.process.kill()
        g.process.wait()
        assert wait_until(lambda: not os.path.exists(f"/proc/{serving}") or
                          open(f"/proc/{serving}/stat").read().split(")")[1].split()[0] == "Z", 15)
    finally:
        g.end()


def test_the_state_folder_is_ours_alone_and_has_a_version():
    g = Gateway()
    try:
        assert os.stat(g.state).st_mode & 0o777 == 0o700
        assert open(os.path.join(g.state, "format")).read() == "headgate-state 1\n"
        g.process.send_signal(signal.SIGTERM)
        assert g.process.wait(20 * SLOW) == 0
        with open(os.path.join(g.state, "format"), "w") as f:
            f.write("headgate-state 99\n")
        result = subprocess.run([HEADGATE, "run", "--config", g.config], capture_output=True, text=True, cwd=g.folder,
                                timeout=30 * SLOW)
        assert result.returncode == 1
        assert "format 99" in result.stderr, result.stderr
    finally:
        g.end()


def test_privileges_are_dropped_after_binding():
    if os.geteuid() != 0:
        return
    g = Gateway("user: nobody\n", wait=False)
    try:
        os.chmod(g.folder, 0o755)
        assert wait_until(lambda: answers(g.port)), g.said()
        status = open(f"/proc/{g.serving()}/status").read()
        uids = re.search(r"Uid:\s+(.*)", status).group(1).split()
        assert "0" not in uids, uids
        assert re.search(r"NoNewPrivs:\s+1", status)
        assert os.stat(g.state).st_uid == int(uids[0])
    finally:
        g.end()


def status_of(port, method, path, authorization):
    """As a page of another site would ask, too: with its Origin."""
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20 * SLOW)
    try:
        c.request(method, path, headers={"Origin": "https://elsewhere.example"} | ({"Authorization": authorization} if authorization is not None
                                                                                   else {}))
        return c.getresponse().status
    except OSError:
        return 0
    finally:
        c.close()


def figure(admin, name):
    text = urllib.request.urlopen(f"http://127.0.0.1:{admin}/metrics", timeout=20 * SLOW).read().decode()
    return float(re.search(rf"^{name} (\S+)$", text, re.M)[1])


def test_a_full_disk_ends_nothing():
    """Robustness reference, H9: a file may not grow any more. Serving goes on, lost rows are counted, and rows are written again after."""
    g = Gateway("gateway-log: {sinks: [{kind: file, path: rows}]}\n")
    try:
        assert wait_until(lambda: answers(g.admin, "/readyz")), g.said()
        dropped = "headgate_log_rows_dropped_total"
        resource.prlimit(g.serving(), resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
        serving = g.serving()

        def asked_in_vain():
            assert answers(g.port, "/nothing", 404), g.said()
            return figure(g.admin, dropped) > 0
        assert wait_until(asked_in_vain), "no row was lost"
        assert g.serving() == serving, "the process was ended"
        resource.prlimit(serving, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        size = os.path.getsize(f"{g.folder}/rows")
        assert wait_until(lambda: answers(g.port, "/nothing", 404) and os.path.getsize(f"{g.folder}/rows") > size), "no row was written after"
        assert answers(g.port)
    finally:
        g.end()


def test_every_route_of_the_operators_needs_the_token():
    """Robustness reference, H10: by the routing table itself. The token is made at the first start, for its owner's eyes."""
    table = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../src/gateway/admin.c")).read()
    routes = re.findall(r'^    \{"([A-Z]+)", "(/[^"]*)", (true|false), \w+\},$', table, re.M)
    assert len(routes) >= 10, routes
    tokens = set()
    for open_health in ("true", "false"):
        g = Gateway(f"  open-health: {open_health}\n")
        try:
            assert wait_until(lambda: status_of(g.admin, "GET", "/no-such-route", None) == 404), g.said()
            path = os.path.join(g.state, "admin-token")
            assert os.stat(path).st_mode & 0o777 == 0o600
            token = open(path).read().strip()
            assert len(token) >= 40
            tokens.add(token)
            for method, route, is_open in routes:
                is_free = is_open == "true" and open_health == "true"
                for given in (None, "", "Bearer", "Bearer ", f"Bearer {token[:-1]}", f"Bearer {token}x", f"Basic {token}", token):
                    got = status_of(g.admin, method, route, given)
                    assert (got != 401) == is_free, (method, route, given, got)
                assert status_of(g.admin, method, route, f"Bearer {token}") not in (401, 403, 404, 405), (method, route)
                assert status_of(g.admin, "PUT", route, f"Bearer {token}") == 405
            assert status_of(g.admin, "GET", "/no-such-route", None) == 404
        finally:
            g.end()
    assert len(tokens) == 2, "two first starts made the same token"


def is_gone(pid):
    """Ended, whether its parent knows or not."""
    try:
        return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def test_a_crash_with_standard_error_that_nobody_reads():
    """Neither last words nor the master's own lines wait for a reader: the next process serves, the old one is gone."""
    reader, writer = os.pipe()
    g = Gateway(log=writer)
    try:
        os.set_blocking(writer, False)
        try:
            while True:
                os.write(writer, b"x" * 4096)
        except BlockingIOError:
            pass
        os.set_blocking(writer, True)      # full, as for any other program
        for _ in range(2):
            old = g.serving()
            os.kill(old, signal.SIGSEGV if SLOW == 1 else signal.SIGKILL)  # sanitizers have last words of their own, which wait
            assert wait_until(lambda: g.serving() not in (None, old) or len(g.children()) > 1), "not started again"
            assert get(g.port) == 200
            assert wait_until(lambda: is_gone(old)), "it waits to say its last words"
        os.kill(g.process.pid, signal.SIGHUP)
        assert get(g.port) == 200
        while not select.select([], [writer], [], 0)[1]:
            os.read(reader, 1 << 16)
        g.process.send_signal(signal.SIGTERM)
        assert g.process.wait(20 * SLOW) == 0
        assert b"were lost, as nobody read them" in os.read(reader, 1 << 16)
    finally:
        g.end()
        os.close(reader)


def stopped_upgrade(g):
    """Begins an upgrade whose new process is stopped before it gets ready. Its pid."""
    for _ in range(50):
        before = set(g.children())
        g.process.send_signal(signal.SIGUSR2)
        while not set(g.children()) - before:
            time.sleep(0.001)
        new = (set(g.children()) - before).pop()
        os.kill(new, signal.SIGSTOP)
        if answers(g.port) and "another process serves now" not in g.said():
            return new
        os.kill(new, signal.SIGCONT)
        assert wait_until(lambda: g.children() == [new], 20)
        g.log.truncate(0)
    raise AssertionError("each new process was ready at once")


def test_a_crash_during_an_upgrade_leaves_one_process_and_all_listeners():
    """While the next process starts, the current one dies and is started again; then the next one is ready."""
    g = Gateway("drain: {quiet: 100ms}\n", listeners=["address: unix:clients"])
    try:
        path = os.path.join(g.folder, "clients")
        new = stopped_upgrade(g)
        old = next(p for p in g.children() if p != new)
        os.kill(old, signal.SIGKILL)
        assert wait_until(lambda: set(g.children()) - {old, new}), "not started again beside an upgrade"
        assert answers(g.port)
        os.kill(new, signal.SIGCONT)
        assert wait_until(lambda: g.children() == [new], 20), g.children()
        assert answers(g.port) and os.path.exists(path), "a listener was taken for unclaimed"
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(path)
            s.sendall(f"GET {STATUS} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            assert s.recv(100).startswith(b"HTTP/1.1 200 ")
        assert g.upgrade().returncode == 0, "the next upgrade is taken"
        assert wait_until(lambda: len(g.children()) == 1, 20) and answers(g.port)
    finally:
        g.end()


def test_an_upgrade_outlives_the_end_of_the_old_process():
    """Dead while the next process starts, and not to be started yet: the next one takes its place alone, and the command gets its answer."""
    g = Gateway("drain: {quiet: 100ms}\n")
    try:
        for _ in range(3):                     # now a restart waits for 400 ms
            old = g.serving()
            os.kill(old, signal.SIGKILL)
            assert wait_until(lambda: g.serving() not in (None, old) and answers(g.port))
        new = stopped_upgrade(g)
        os.kill(next(p for p in g.children() if p != new), signal.SIGKILL)
        os.kill(new, signal.SIGCONT)
        assert wait_until(lambda: g.children() == [new] and answers(g.port))
        time.sleep(1)
        assert g.children() == [new], "the other one was started, too"
        assert g.upgrade().returncode == 0
    finally:
        g.end()


def test_after_a_crash_what_loads_is_served():
    """A document that was broken since the last publish costs its API, and not all of them."""
    g = Gateway(apis={"good": "http://127.0.0.1:9", "bad": "http://127.0.0.1:9"})
    try:
        policy = os.path.join(g.folder, "artifacts", "apis", "bad", "policy.xml")
        reply = "<policies><inbound><return-response><set-status code='%s' /></return-response></inbound></policies>"
        for api in ("good", "bad"):
            with open(os.path.join(g.folder, "artifacts", "apis", api, "policy.xml"), "w") as f:
                f.write(reply % 204)
        assert wait_until(lambda: answers_empty(g.port, "/bad/x", 204))
        with open(policy, "w") as f:
            f.write("<policies><inbound><no-such")
        assert wait_until(lambda: "using the one of before" in g.said())
        assert answers_empty(g.port, "/bad/x", 204)
        old = g.serving()
        os.kill(old, signal.SIGKILL)
        assert wait_until(lambda: g.serving() not in (None, old))
        assert wait_until(lambda: answers_empty(g.port, "/good/x", 204)), g.said()
        assert answers_empty(g.port, "/bad/x", 503)
        assert wait_until(lambda: '"LastErrorReason":"ConfigurationNotLoaded"' in g.said())
        with open(policy, "w") as f:
            f.write(reply % 204)
        assert wait_until(lambda: answers_empty(g.port, "/bad/x", 204)), g.said()
    finally:
        g.end()


def test_after_a_crash_the_log_may_be_missing():
    """Its folder has gone meanwhile: rows are lost and counted, requests are answered, and rows are written once it is there again."""
    g = Gateway("gateway-log: {sinks: [{kind: file, path: logs/rows}]}\n", folders=["logs"])
    try:
        assert wait_until(lambda: answers(g.port, "/nothing", 404))
        shutil.rmtree(os.path.join(g.folder, "logs"))
        old = g.serving()
        os.kill(old, signal.SIGKILL)
        assert wait_until(lambda: g.serving() not in (None, old) and answers(g.port)), g.said()
        assert answers(g.port, "/nothing", 404)
        assert wait_until(lambda: figure(g.admin, "headgate_log_rows_dropped_total") >= 1)
        os.mkdir(os.path.join(g.folder, "logs"))
        path = os.path.join(g.folder, "logs", "rows")
        assert wait_until(lambda: answers(g.port, "/nothing", 404) and os.path.exists(path) and os.path.getsize(path) > 0)
    finally:
        g.end()


def answers_empty(port, path, status):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=10 * SLOW)
    try:
        c.request("GET", path)
        return c.getresponse().status == status
    except OSError:
        return False
    finally:
        c.close()


def test_closed_standard_descriptors_are_nobody_elses():
    """Started with 0, 1 and 2 closed: no socket gets one of these numbers, and with it what is meant for people."""
    g = Gateway()
    try:
        port = free_port()
        path = os.path.join(g.folder, "closed.yaml")
        with open(path, "w") as f:
            f.write(f"artifacts: artifacts\nworkers: 2\nlisteners: [{{port: {port}}}]\nadmin: {{port: {free_port()}}}\n")
        process = subprocess.Popen(["/bin/sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-', HEADGATE, "run", "--config", path])
        try:
            assert wait_until(lambda: answers(port))
            assert answers(port, "/nothing", 404)  # a row of the log, and the process still there
            children = open(f"/proc/{process.pid}/task/{process.pid}/children").read().split()
            for pid in children + [process.pid]:
                assert {os.readlink(f"/proc/{pid}/fd/{n}") for n in range(3)} == {"/dev/null"}
        finally:
            end_process(process, 20 * SLOW)
    finally:
        g.end()


def test_clients_do_not_use_up_all_descriptors():
    """Robustness reference, H2: with 256 of them, health and figures are answered while clients hold all that they may."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    g = Gateway(files=256)
    held = []
    try:
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == before
        for _ in range(400):
            held.append(socket.create_connection(("127.0.0.1", g.port), timeout=10 * SLOW))
        assert wait_until(lambda: figure(g.admin, "headgate_connections_refused_total") > 200)
        assert answers(g.admin, "/readyz") and answers(g.admin, "/livez")
        assert figure(g.admin, "headgate_accept_pauses_total") == 0
        for s in held:
            s.close()
        assert wait_until(lambda: answers(g.port))
    finally:
        for s in held:
            s.close()
        g.end()


def main():
    passed = failed = 0
    for name, test in list(globals().items()):
        if not name.startswith("test_") or (len(sys.argv) > 2 and name not in sys.argv[2:]):
            continue
        try:
            test()
            passed += 1
        except Exception as e:  # each failure is told, the next test goes on
            failed += 1
            where = traceback.extract_tb(e.__traceback__)[-1]
            print(f"FAILED {name}, line {where.lineno}: {type(e).__name__}: {e}")
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


main()
