"""rig.py: what the suites with real servers share: an origin, a Redis, a relay that delays and cuts, gateways, clients.

Everything binds to 127.0.0.1 on free ports, lives in a temporary folder and ends by its own pid.
"""
import concurrent.futures
import http.client
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

from ports import free_port
from processes import end_process

HEADGATE = os.path.abspath(sys.argv[1])
SLOW = 5 if "asan" in HEADGATE or "tsan" in HEADGATE else 1


def wait_until(condition, seconds=10):
    end = time.monotonic() + seconds * SLOW
    while True:
        if condition():
            return True
        if time.monotonic() >= end:
            return False
        time.sleep(0.01)


def must(condition, what, seconds=10):
    assert wait_until(condition, seconds), f"in vain: {what}"


class Origin:
    """Answers GET /v/KEY with the key's version, and counts. A handler may be put in for a path's first segment."""

    def __init__(self):
        self.lock = threading.Lock()
        self.versions = {}
        self.requests = {}
        self.headers = {}
        self.bodies = {}
        self.delay = 0
        self.on_answer = None     # called with path and body when an answer has been decided on
        origin = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                path = self.path.split("?")[0]
                with origin.lock:
                    origin.requests[path] = origin.requests.get(path, 0) + 1
                    body = origin.bodies.get(path)
                    if body is None:
                        body = str(origin.versions.get(path, 0)).encode()
                    headers = dict(origin.headers.get(path, {}))
                    delay = origin.delay
                if origin.on_answer:
                    origin.on_answer(path, body)
                for name, value in list(headers.items()):
                    if callable(value):
                        headers[name] = value(self.headers)
                if delay:
                    time.sleep(delay)
                if "X-Echo" in self.headers:
                    body = self.headers["X-Echo"].encode()
                self.send_response(200)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.do_GET()

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 1024

            def handle_error(self, *_):
                pass              # who asked has gone

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def count(self, path):
        with self.lock:
            return self.requests.get(path, 0)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class RespClient:
    """A connection to a Redis: one command after another, replies as Python values."""

    def __init__(self, address):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.sock = socket.socket(family)
        self.sock.settimeout(10 * SLOW)
        self.sock.connect(address)
        self.file = self.sock.makefile("rb")

    def __call__(self, *words):
        data = b"*%d\r\n" % len(words)
        for w in words:
            w = w if isinstance(w, bytes) else str(w).encode()
            data += b"$%d\r\n%s\r\n" % (len(w), w)
        self.sock.sendall(data)
        return self.reply()

    def reply(self):
        line = self.file.readline()
        if not line:
            raise ConnectionError("closed")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return Exception(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            n = int(rest)
            return None if n < 0 else self.file.read(n + 2)[:-2]
        if kind == b"*":
            n = int(rest)
            return None if n < 0 else [self.reply() for _ in range(n)]
        raise ValueError(line)

    def close(self):
        self.sock.close()


class Redis:
    """A redis-server of its own, on a port of 127.0.0.1."""

    def __init__(self, folder, *options, port=None):
        self.folder = folder
        self.options = list(options)
        self.port = port or free_port()
        self.process = None
        os.makedirs(folder, exist_ok=True)
        self.start()

    def start(self, *more):
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
             "--dir", self.folder, "--dbfilename", "dump.rdb", "--daemonize", "no", *self.options, *more],
            stdout=open(os.path.join(self.folder, "log"), "ab"), stderr=subprocess.STDOUT)
        must(self.answers, "redis-server answers")

    def answers(self):
        try:
            c = RespClient(("127.0.0.1", self.port))
        except OSError:
            return False
        try:
            return c("PING") == "PONG" or True
        finally:
            c.close()

    def client(self):
        return RespClient(("127.0.0.1", self.port))

    def __call__(self, *words):
        c = self.client()
        try:
            return c(*words)
        finally:
            c.close()

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def close(self):
        if self.process:
            self.process.send_signal(signal.SIGCONT)
        self.kill()


class Relay:
    """Between a gateway and a server: passes bytes on, late if told so, or not at all, or breaks what passes."""

    def __init__(self, port):
        self.target = port
        self.delay = 0
        self.is_stalled = False
        self.is_down = False
        self.tamper = None        # what becomes of bytes that come from the server; None at its end: the connection breaks
        self.pairs = set()
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            if self.is_down:
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self.target), timeout=5)
                far.settimeout(None)
            except OSError:
                near.close()
                continue
            for s in (near, far):
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.pairs.add((near, far))
            threading.Thread(target=self.pass_on, args=(near, far, (near, far)), daemon=True).start()
            threading.Thread(target=self.pass_on, args=(far, near, (near, far)), daemon=True).start()

    def pass_on(self, source, to, pair):
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                if self.delay:
                    time.sleep(self.delay)
                if self.tamper and source is pair[1]:
                    data = self.tamper(data)
                    if data is None:
                        break
                while self.is_stalled:
                    time.sleep(0.005)
                    if pair not in self.pairs:
                        raise OSError
                to.sendall(data)
        except OSError:
            pass
        self.drop(pair)

    def drop(self, pair):
        with self.lock:
            self.pairs.discard(pair)
        for s in pair:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()

    def cut(self):
        """Nothing passes, what is connected breaks."""
        self.is_down = True
        for pair in list(self.pairs):
            self.drop(pair)

    def heal(self):
        self.is_down = False
        self.is_stalled = False

    def close(self):
        self.listener.close()
        self.cut()


class Gateway:
    """One node, its folder of APIs written by `apis`."""

    def __init__(self, folder, origin_port, apis, config="", workers=2, name="node", listeners=""):
        self.folder = folder
        self.port = free_port()
        self.admin = free_port()
        self.name = name
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        for api, (path, policy) in apis.items():
            base = os.path.join(folder, "apis", api)
            os.makedirs(base)
            with open(os.path.join(base, "apiInformation.json"), "w") as f:
                json.dump({"properties": {"displayName": api, "path": path, "protocols": ["http"], "subscriptionRequired": False,
                                          "serviceUrl": f"http://127.0.0.1:{origin_port}"}}, f)
            with open(os.path.join(base, "policy.xml"), "w") as f:
                f.write(policy)
        with open(os.path.join(folder, "headgate.yaml"), "w") as f:
            f.write(f"""artifacts: .
workers: {workers}
state: {os.path.join(folder, "state")}
listeners:
  - {{address: 127.0.0.1, port: {self.port}}}
{listeners}
admin: {{port: {self.admin}}}
drain: {{announce: 0s, quiet: 0s}}
watch: {{enabled: false}}
deployment: {{region: test, gateway-id: {name}}}
{config}
""")
        self.start()

    def start(self):
        self.log_path = os.path.join(self.folder, "log")
        self.process = subprocess.Popen([HEADGATE, "run", "--config", os.path.join(self.folder, "headgate.yaml")],
                                        stdout=open(self.log_path, "ab"), stderr=subprocess.STDOUT, start_new_session=True)
        must(self.is_ready, "the gateway is ready")

    def is_ready(self):
        assert self.process.poll() is None, f"the gateway has ended: {self.log()[-2000:]}"
        try:
            return self.get("/status-0123456789abcdef").status == 200 and bool(self.metrics())
        except OSError:
            return False

    def request(self, method, path, headers=None, body=None, timeout=10):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout * SLOW)
        try:
            c.request(method, path, body=body, headers=headers or {})
            r = c.getresponse()
            r.text = r.read().decode("utf-8", "replace")
            return r
        finally:
            c.close()

    def get(self, path, headers=None, **more):
        return self.request("GET", path, headers, **more)

    def log(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    def metrics(self):
        c = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=10 * SLOW)
        c.request("GET", "/metrics")
        text = c.getresponse().read().decode()
        c.close()
        found = {}
        for line in text.splitlines():
            if not line.startswith("#") and " " in line:
                name, value = line.rsplit(" ", 1)
                found[name] = float(value)
        return found

    def metric(self, name):
        return self.metrics().get(name, 0)

    def close(self):
        was_running = self.process.poll() is None
        status = end_process(self.process, 20 * SLOW)
        assert not was_running or status != -signal.SIGKILL, "the gateway did not end"
        return status

    def kill(self):
        """The serving process and its master at once, as a power cut would."""
        self.process.send_signal(signal.SIGSTOP)      # or it would start another one
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as f:
            serving = [int(pid) for pid in f.read().split()]
        for pid in serving + [self.process.pid]:
            os.kill(pid, signal.SIGKILL)
        self.process.wait()


class Rig:
    """What a test has started; everything ends with it."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="headgate-")
        self.things = []

    def add(self, thing):
        self.things.append(thing)
        return thing

    def path(self, name):
        return os.path.join(self.folder, name)

    def origin(self):
        return self.add(Origin())

    def redis(self, *options, name="redis", **more):
        return self.add(Redis(self.path(name), *options, **more))

    def relay(self, port):
        return self.add(Relay(port))

    def gateway(self, origin, apis, config="", name="node", **more):
        return self.add(Gateway(self.path(name), origin.port, apis, config, name=name, **more))

    def close(self):
        errors = []
        for thing in reversed(self.things):
            try:
                thing.close()
            except AssertionError as e:
                errors.append(str(e))
        shutil.rmtree(self.folder, ignore_errors=True)
        assert not errors, errors


def run_one(test):
    """Its report, and whether it passed."""
    rig = Rig()
    try:
        try:
            test(rig)
        except BaseException:
            report = "".join(f"--- log of {g.name}\n{g.log()[-3000:]}\n" for g in rig.things if isinstance(g, Gateway))
            return f"{report}FAIL {test.__name__}\n{traceback.format_exc()}", False
        finally:
            rig.close()
    except BaseException:
        return f"FAIL {test.__name__}\n{traceback.format_exc()}", False
    return f"ok   {test.__name__}", True


def run_all(tests, only, at_once=3):
    """They mostly wait, so some run beside one another. The count of failures."""
    chosen = [t for t in tests if not only or any(o in t.__name__ for o in only)]
    passed = 0
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        for report, ok in pool.map(run_one, chosen):
            print(report, flush=True)
            passed += ok
    print(f"{passed} passed, {len(chosen) - passed} failed")
    return len(chosen) - passed
