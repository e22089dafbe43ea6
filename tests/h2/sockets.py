"""sockets.py: WebSocket upgrades from HTTP/1 and HTTP/2 (RFC 8441) to an HTTP/1 backend that echoes.
SPDX-License-Identifier: Apache-2.0"""
import base64
import hashlib
import socket
import socketserver
import threading

from h2raw import *

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def accept(key):
    return base64.b64encode(hashlib.sha1(key + GUID).digest())


class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        self.rfile.readline()
        fields = {}
        while (line := self.rfile.readline().strip()):
            name, value = line.split(b":", 1)
            fields[name.lower()] = value.strip()
        if fields.get(b"upgrade") != b"websocket" or len(base64.b64decode(fields.get(b"sec-websocket-key", b""))) != 16:
            self.wfile.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            return
        self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         b"Sec-WebSocket-Accept: " + accept(fields[b"sec-websocket-key"]) + b"\r\n\r\n")
        while (data := self.request.recv(65536)):
            self.request.sendall(b"echo " + data)


def start():
    socketserver.ThreadingTCPServer.daemon_threads = True
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def upgrade1(port, path, version=b"13"):
    """(head, socket) of an HTTP/1 upgrade."""
    s = socket.create_connection(("127.0.0.1", port), timeout=5)
    s.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " + KEY +
              b"\r\nSec-WebSocket-Version: " + version + b"\r\n\r\n")
    head = b""
    while b"\r\n\r\n" not in head and (more := s.recv(4096)):
        head += more
    return head, s


def connect2(c, path):
    """The :status of an extended CONNECT, or what came instead."""
    c.settle()
    c.send(frame(HEADERS, END_HEADERS, 1, c.block([(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", c.scheme),
                                                   (":path", path), (":authority", "a"), ("sec-websocket-version", "13")])))
    while (f := c.read()):
        if f.kind == HEADERS:
            return dict(c.decoder.decode(f.payload))[":status"]
        if f.kind in (RST, GOAWAY):
            return f.code
    return "nothing"


def data(c):
    while (f := c.read()):
        if f.kind == DATA:
            return f.payload, bool(f.flags & END_STREAM)
    return None


def run(plain, tls):
    """(passed, failed)"""
    results = []

    def check(name, got, expected):
        results.append(got == expected)
        if got != expected:
            print(f"WebSocket {name}: {got!r}, expected {expected!r}")

    head, s = upgrade1(plain, b"/ws/chat")
    check("HTTP/1 status", head.split(b"\r\n")[0].split()[1], b"101")
    check("HTTP/1 accept", accept(KEY) in head, True)
    s.sendall(b"one")
    check("HTTP/1 echo", s.recv(100), b"echo one")
    s.close()
    check("wrong version", upgrade1(plain, b"/ws/chat", b"8")[0].split()[1], b"426")
    for port, is_tls in ((plain, False), (tls, True)):
        c = Conn("127.0.0.1", port, is_tls)
        check("HTTP/2 status", connect2(c, "/ws/chat"), "200")
        for text in (b"two", b"three" * 1000):
            c.send(frame(DATA, 0, 1, text))
            check("HTTP/2 echo", data(c), (b"echo " + text, False))
        c.send(frame(DATA, END_STREAM, 1, b""))
        check("HTTP/2 end", data(c), (b"", True))
        c.close()
    c = Conn("127.0.0.1", plain)
    check("CONNECT where there are no WebSockets", connect2(c, "/e/x"), "501")
    return sum(results), len(results) - sum(results)
