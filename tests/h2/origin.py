"""origin.py: a strict and quiet HTTP/1 backend. GET answers 1 KiB, /big 1 MB, /slow after 0.4 s; POST says how many bytes came
in `X-Body`. Whatever does not look like one well-formed request is kept in `complaints`.
SPDX-License-Identifier: Apache-2.0"""
import re
import socketserver
import threading
import time

complaints = []
requests = []


class Handler(socketserver.StreamRequestHandler):
    def complain(self, what):
        complaints.append(what)
        raise ConnectionError

    def head(self):
        line = self.rfile.readline(65537)
        if not line:
            return None
        if not re.fullmatch(rb"[A-Z]+ /[!-~]* HTTP/1\.1\r\n", line):
            self.complain(line)
        fields = []
        while (f := self.rfile.readline(65537)) != b"\r\n":
            m = re.fullmatch(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([^\x00-\x08\x0a-\x1f\x7f]*)\r\n", f)
            if not m:
                self.complain(f)
            fields.append((m[1].lower(), m[2]))
        return line, fields

    def body(self, fields):
        lengths = [v for n, v in fields if n == b"content-length"]
        codings = [v for n, v in fields if n == b"transfer-encoding"]
        if len(lengths) + len(codings) > 1 or (codings and codings != [b"chunked"]):
            self.complain(fields)
        total = 0
        if codings:
            while True:
                size = int(self.rfile.readline(100), 16)
                if not size:
                    break
                total += len(self.rfile.read(size))
                if self.rfile.read(2) != b"\r\n":
                    raise ConnectionError
            while self.rfile.readline(65537).strip():
                pass
        if lengths:
            total = len(self.rfile.read(int(lengths[0])))
        return total

    def handle(self):
        try:
            while (h := self.head()):
                line, fields = h
                method, target, _ = line.split()
                requests.append(line)
                total = self.body(fields)
                if b"slow" in target:
                    time.sleep(0.4)
                data = b"y" * 1000000 if b"big" in target else b"x" * 1024
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Body: %d\r\nContent-Length: %d\r\n\r\n%s"
                                 % (total, len(data), b"" if method == b"HEAD" else data))
        except (OSError, ValueError):
            pass


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 256


def start():
    """The port it listens on; it serves until the process ends."""
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]
