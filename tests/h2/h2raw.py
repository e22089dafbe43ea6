"""h2raw.py: HTTP/2 by hand: raw frames out, parsed frames in, for the scripts beside this file.
SPDX-License-Identifier: Apache-2.0"""
import socket
import ssl
import struct
import time

import hpack

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONT = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, PRIO = 1, 1, 4, 8, 32
CODES = ["NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
         "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
         "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED"]


def frame(kind, flags, stream, payload=b""):
    return struct.pack("!I", len(payload))[1:] + bytes([kind, flags]) + struct.pack("!I", stream) + payload


def code_name(code):
    return CODES[code] if code < len(CODES) else str(code)


class Frame:
    def __init__(self, kind, flags, stream, payload):
        self.kind, self.flags, self.stream, self.payload = kind, flags, stream, payload

    @property
    def code(self):
        at = 4 if self.kind == GOAWAY else 0
        return code_name(struct.unpack("!I", self.payload[at:at + 4])[0])


class Conn:
    """One connection; `path` and `authority` are what request() asks for."""

    def __init__(self, host, port, tls=False, path="/", authority=None, settings=b"", hello=True):
        sock = socket.create_connection((host, port), timeout=5)
        if tls:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            context.set_alpn_protocols(["h2"])
            sock = context.wrap_socket(sock, server_hostname="localhost")
            assert sock.selected_alpn_protocol() == "h2", "no h2 by ALPN"
        self.begin(sock, tls, path, authority or f"{host}:{port}", settings, hello)

    @classmethod
    def over(cls, sock, path, authority):
        """One over a connection that is there."""
        c = cls.__new__(cls)
        c.begin(sock, True, path, authority, b"", True)
        return c

    def begin(self, sock, tls, path, authority, settings, hello):
        self.sock = sock
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.path, self.authority = path, authority
        self.scheme = "https" if tls else "http"
        self.buffer, self.closed, self.sent = b"", False, 0
        if hello:
            self.send(PREFACE + frame(SETTINGS, 0, 0, settings))

    def send(self, data):
        try:
            self.sock.sendall(data)
            self.sent += len(data)
        except (OSError, ssl.SSLError):
            self.closed = True

    def head(self, method="GET", path=None, extra=(), drop=()):
        fields = [(":method", method), (":scheme", self.scheme), (":path", self.path if path is None else path),
                  (":authority", self.authority)]
        return [f for f in fields if f[0] not in drop] + list(extra)

    def block(self, fields):
        return self.encoder.encode(fields)

    def request(self, stream, method="GET", path=None, extra=(), end=True):
        flags = END_HEADERS | (END_STREAM if end else 0)
        self.send(frame(HEADERS, flags, stream, self.block(self.head(method, path, extra))))

    def read(self, seconds=2.0):
        """The next frame, or None when the time is over or the connection has ended (self.closed)."""
        end = time.monotonic() + seconds
        while True:
            if len(self.buffer) >= 9:
                size = int.from_bytes(self.buffer[:3], "big")
                if len(self.buffer) >= 9 + size:
                    head, payload = self.buffer[:9], self.buffer[9:9 + size]
                    self.buffer = self.buffer[9 + size:]
                    return Frame(head[3], head[4], struct.unpack("!I", head[5:9])[0] & 0x7fffffff, payload)
            left = end - time.monotonic()
            if left <= 0 or self.closed:
                return None
            self.sock.settimeout(left)
            try:
                more = self.sock.recv(65536)
            except (socket.timeout, ssl.SSLWantReadError):
                return None
            except (OSError, ssl.SSLError):
                more = b""
            if not more:
                self.closed = True
            self.buffer += more

    def settle(self):
        """Exchanges SETTINGS and waits until the server has acknowledged ours."""
        while True:
            f = self.read()
            if f is None:
                return
            if f.kind == SETTINGS and f.flags & ACK:
                return
            if f.kind == SETTINGS:
                self.send(frame(SETTINGS, ACK, 0))

    def response(self, stream, seconds=3.0):
        """(status, headers, body, trailers), or what came instead: a word."""
        status, headers, body, trailers = None, [], b"", None
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            f = self.read(end - time.monotonic())
            if f is None:
                return "closed" if self.closed else "nothing"
            if f.kind == SETTINGS and not f.flags & ACK:
                self.send(frame(SETTINGS, ACK, 0))
            if f.kind == GOAWAY and f.code != "NO_ERROR":
                return "GOAWAY " + f.code
            if f.stream != stream:
                continue
            if f.kind == RST:
                return "RST " + f.code
            if f.kind == HEADERS:
                fields = self.decoder.decode(f.payload)
                if status is None or status[0] == "1":
                    headers = fields
                    status = dict(fields)[":status"]
                else:
                    trailers = fields
            if f.kind == DATA:
                body += f.payload
            if f.kind in (DATA, HEADERS) and f.flags & END_STREAM and status[0] != "1":
                return status, headers, body, trailers
        return "nothing"

    def outcome(self, stream=1, seconds=2.0):
        """What became of it: a status, "RST CODE", "GOAWAY CODE", "closed", "PING", "nothing"."""
        r = self.response(stream, seconds)
        return r if isinstance(r, str) else r[0]

    def is_alive(self):
        """Does it answer a PING?"""
        self.send(frame(PING, 0, 0, b"are you?"))
        while True:
            f = self.read()
            if f is None:
                return False
            if f.kind == GOAWAY and f.code != "NO_ERROR":
                return False
            if f.kind == PING and f.flags & ACK:
                return True

    def close(self):
        try:
            self.sock.close()
        except OSError:
            pass
