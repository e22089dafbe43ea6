"""clients.py: nghttp and python3-h2 as clients, held to account for every frame: what nghttp's log says was received, in order,
and what python3-h2's state machine, which raises on anything that RFC 9113 does not allow, makes of it.
SPDX-License-Identifier: Apache-2.0"""
import re
import shutil
import socket
import ssl
import subprocess

import h2.config
import h2.connection
import h2.events
import h2.settings

SECONDS = 20


# ---- nghttp ----
def frames(out):
    """[(stream, kind, END_STREAM)] as received, SETTINGS and WINDOW_UPDATE of the connection kept apart."""
    got = re.findall(r"recv (?:\(stream_id=\d+\) )?([A-Z_]+) frame <length=(\d+), flags=0x([0-9a-f]{2}), stream_id=(\d+)>", out)
    return [(int(s), kind, int(flags, 16), int(length)) for kind, length, flags, s in got]


def nghttp(url, *options):
    r = subprocess.run(["nghttp", "-nvs", "--no-verify-peer", "-t", str(SECONDS), *options, *([url] if isinstance(url, str) else url)],
                       capture_output=True, text=True, timeout=2 * SECONDS)
    return frames(re.sub(r"\x1b\[[0-9;]*m", "", r.stdout)), r.stdout + r.stderr


def shape(got, stream):
    """The frames of one stream as letters: H, D, R (reset); a full stop where END_STREAM stands. Runs of D are one."""
    letters = {"HEADERS": "H", "DATA": "D", "RST_STREAM": "R"}
    word = "".join(letters.get(kind, "") + ("." if kind in ("HEADERS", "DATA") and flags & 1 else "")
                   for s, kind, flags, _ in got if s == stream)
    return re.sub("D+", "D", word)


def by_nghttp(base, add):
    """Each call must be answered by SETTINGS first, its acknowledgement once, whole streams, and no GOAWAY but with NO_ERROR."""
    upload = ["-d", __file__]
    calls = [
        ("GET", "x", [], "HD."), ("HEAD", "x", ["-H", ":method: HEAD"], "H."), ("1 MB", "big", [], "HD."),
        ("1 MB, small windows", "big", ["-w", "10", "-W", "12"], "HD."), ("POST", "p", upload, "HD."),
        ("POST with a trailer", "p", upload + ["--trailer", "x-t: 1"], "HD."), ("padding", "x", ["-b", "200"], "HD."),
        ("padding on a POST", "p", upload + ["-b", "255"], "HD."), ("CONTINUATION", "x", ["--continuation"], "HD."),
        ("no header table", "x", ["-c", "0"], "HD."), ("a large header table", "x", ["-c", "65536"], "HD."),
        ("no priorities", "x", ["--no-dep"], "HD."), ("a weight", "x", ["-p", "256"], "HD."),
        ("100-continue", "p", upload + ["--expect-continue"], "HHD."), ("not found", "../nothing", [], "HD."),
    ]
    for name, path, options, expected in calls:
        got, text = nghttp(base + path, *options)
        streams = sorted({s for s, kind, _, _ in got if s and kind == "HEADERS"})
        settings = [(kind, flags & 1) for s, kind, flags, _ in got if kind == "SETTINGS"]
        ok = bool(got) and got[0][1] == "SETTINGS" and got[0][2] == 0 and sorted(settings) == [("SETTINGS", 0), ("SETTINGS", 1)]
        ok = ok and len(streams) == 1 and shape(got, streams[0]) == expected
        ok = ok and not [f for f in got if f[1] in ("GOAWAY", "RST_STREAM", "PUSH_PROMISE")] and max(f[3] for f in got) <= 16384
        add(f"nghttp: {name}", ok, f"{got}\n{text[-1500:]}")
    got, text = nghttp([base + "x?%d" % i for i in range(50)] + [base + "big"], "-m", "2")
    streams = sorted({s for s, kind, _, _ in got if s and kind == "HEADERS"})
    ok = len(streams) == 102 and all(shape(got, s) == "HD." for s in streams)
    add("nghttp: 102 streams", ok, f"{len(streams)} streams {[shape(got, s) for s in streams]}\n{text[-500:]}")


# ---- python3-h2 ----
class Client:
    def __init__(self, port, tls, settings=None):
        sock = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        if tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.set_alpn_protocols(["h2"])
            sock = context.wrap_socket(sock, server_hostname="localhost")
        self.sock, self.scheme = sock, "https" if tls else "http"
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(validate_inbound_headers=True))
        if settings:
            self.h2.local_settings = h2.settings.Settings(client=True, initial_values=settings)
        self.h2.initiate_connection()
        self.events, self.bodies, self.heads, self.trailers, self.ended = [], {}, {}, {}, set()
        self.takes = True

    def send(self):
        self.sock.sendall(self.h2.data_to_send())

    def open(self, path, method="GET", body=None, extra=(), trailers=None):
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, [(":method", method), (":scheme", self.scheme), (":authority", "localhost"), (":path", path),
                                      *extra], end_stream=body is None)
        if body is not None:
            self.h2.send_data(stream, body, end_stream=trailers is None)
            if trailers is not None:
                self.h2.send_headers(stream, trailers, end_stream=True)
        self.send()
        return stream

    def until(self, condition):
        """Reads until it holds; False when the connection ends first. The library raises on whatever is not allowed."""
        while not condition():
            data = self.sock.recv(65536)
            if not data:
                return False
            for e in self.h2.receive_data(data):
                self.take(e)
            self.send()
        return True

    def take(self, e):
        self.events.append(e)
        if isinstance(e, h2.events.ResponseReceived):
            self.heads[e.stream_id] = dict(e.headers)
        elif isinstance(e, h2.events.TrailersReceived):
            self.trailers[e.stream_id] = dict(e.headers)
        elif isinstance(e, h2.events.DataReceived):
            self.bodies[e.stream_id] = self.bodies.get(e.stream_id, 0) + len(e.data)
            if self.takes and e.flow_controlled_length:
                self.h2.acknowledge_received_data(e.flow_controlled_length, e.stream_id)
        elif isinstance(e, h2.events.StreamEnded):
            self.ended.add(e.stream_id)

    def has(self, kind):
        return any(isinstance(e, kind) for e in self.events)

    def status(self, stream):
        head = self.heads.get(stream, {})
        return int(head.get(b":status", head.get(":status", 0)))


def get(c, **how):
    s = c.open("/e/x", **how)
    return c.until(lambda: s in c.ended) and c.status(s) == 200


def plain_get(c):
    return get(c) and list(c.bodies.values()) == [1024]


def many_at_once(c):
    streams = [c.open("/e/x") for _ in range(90)]
    return c.until(lambda: c.ended >= set(streams)) and all(c.status(s) == 200 and c.bodies[s] == 1024 for s in streams)


def large_body(c):
    s = c.open("/e/big")
    return c.until(lambda: s in c.ended) and c.bodies[s] == 1000000


def upload(c):
    s = c.open("/e/p", "POST", b"x" * 16000, trailers=[("x-t", "1")])
    return c.until(lambda: s in c.ended) and c.status(s) == 200


def shut_window(c):
    """Nothing is taken, so no more than the window comes; what is granted then arrives, to the byte."""
    c.takes = False
    s = c.open("/e/big")
    if not c.until(lambda: c.bodies.get(s, 0) == 65535):
        return False
    c.h2.increment_flow_control_window(1000, s)
    c.h2.increment_flow_control_window(1000)
    c.h2.ping(b"12345678")
    c.send()
    return c.until(lambda: c.has(h2.events.PingAckReceived)) and c.until(lambda: c.bodies[s] == 66535)


def cancelled(c):
    s = c.open("/e/big")
    c.until(lambda: s in c.heads)
    c.h2.reset_stream(s, 8)
    return get(c)


def settings_twice(c):
    if not get(c):
        return False
    c.h2.update_settings({h2.settings.SettingCodes.HEADER_TABLE_SIZE: 0, h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 100,
                          h2.settings.SettingCodes.MAX_FRAME_SIZE: 65536})
    c.send()
    return c.until(lambda: c.has(h2.events.SettingsAcknowledged)) and get(c) and large_body(c)


def head(c):
    s = c.open("/e/x", "HEAD")
    return c.until(lambda: s in c.ended) and c.status(s) == 200 and s not in c.bodies


def goodbye(c):
    """A client that says GOAWAY gets what it asked for, and then the end."""
    s = c.open("/e/x")
    c.h2.close_connection()
    c.send()
    data = b""
    while (more := c.sock.recv(65536)):
        data += more
    return s == 1 and b"x" * 1024 in data


def by_h2(port, tls, add):
    small = {h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 7, h2.settings.SettingCodes.HEADER_TABLE_SIZE: 0}
    for name, run, settings in (("GET", plain_get, None), ("HEAD", head, None), ("90 at once", many_at_once, None), ("1 MB", large_body, None),
                                ("windows of 7 bytes", plain_get, small), ("POST with a trailer", upload, None),
                                ("a window that stays shut", shut_window, None), ("cancelled, then another", cancelled, None),
                                ("new settings, twice", settings_twice, None), ("GOAWAY of the client", goodbye, None)):
        try:
            ok, why = run(Client(port, tls, settings)), ""
        except Exception as e:  # the library's word for what is wrong, or silence
            ok, why = False, repr(e)
        add(f"python3-h2: {name}", ok, why)


def run(plain, tls):
    """(passed, failed)."""
    counts = [0, 0]

    def add(name, ok, why):
        counts[not ok] += 1
        if not ok:
            print(f"FAILED {label} {name}: {why}")

    for label, port, is_tls in (("plain", plain, False), ("TLS", tls, True)):
        if shutil.which("nghttp"):
            by_nghttp(f"{'https' if is_tls else 'http'}://127.0.0.1:{port}/e/", add)
        else:
            print("no nghttp2-client: nghttp is left out")
        by_h2(port, is_tls, add)
    return counts
