#!/usr/bin/python3
"""run.py BUILD_DIR: hostile and good HTTP/1 messages through a real gateway, in both directions, held against a second reading
of the same bytes (oracle.py). For each connection: as many answers as it has requests that can be read in one way, the first
other one refused and the connection closed, the backend reached by exactly those requests and by nothing it would object to.
For each answer of a backend: passed on as it was, or an error, or a transfer broken off. The last line is "N passed, N failed".
SPDX-License-Identifier: Apache-2.0"""
import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "h2"))
import cases
import oracle
from gate import api, end_process, free_ports, wait_for, write

AT_ONCE = 48
PATIENCE = 60  # seconds after which silence is a failure; no verdict hangs on less


class Origin:
    """A backend that reads strictly and says of every whole request what it was."""

    def __init__(self):
        self.seen, self.complaints, self.answers = {}, [], {}

    async def start(self):
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0, limit=1 << 20, backlog=512)
        return server.sockets[0].getsockname()[1]

    async def serve(self, reader, writer):
        data = b""
        try:
            while True:
                r = oracle.request(data, 0) if data else oracle.MORE
                if r == oracle.BAD:
                    self.complaints.append(data)
                    break
                if r != oracle.MORE:
                    data = data[r[1]:]
                    if not self.answer(r[0], writer):
                        break
                    await writer.drain()
                    continue
                more = await reader.read(65536)
                if not more:
                    break
                data += more
        except OSError:
            pass
        writer.close()

    def answer(self, m, writer):
        """False: the connection ends with it."""
        method, target = m.line
        parts = target.split(b"/", 3)
        self.judge(m)
        if parts[1] == b"r":
            writer.write(self.answers[int(parts[2])])
            return False
        self.seen.setdefault(parts[2], []).append((method, target, m.body))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + (b"" if method == b"HEAD" else b"ok"))
        return True

    def judge(self, m):
        """Legal bytes that some backend misreads are not ours to send either."""
        for name, value in m.fields:
            if name.lower() == b"content-length" and str(int(value)).encode() != value:
                self.complaints.append((name, value))
            if name.lower() in (b"te", b"keep-alive", b"proxy-connection", b"upgrade"):
                self.complaints.append((name, value))


class Answers:
    """Reads the answers on one connection."""

    def __init__(self, reader):
        self.reader, self.data = reader, b""

    async def fill(self):
        more = await asyncio.wait_for(self.reader.read(65536), PATIENCE)
        self.data += more
        return bool(more)

    async def next(self, method):
        """(status, body), "broken", or None when the connection has ended."""
        while True:
            while b"\r\n\r\n" not in self.data:
                if not await self.fill():
                    return "broken" if self.data else None
            head, self.data = self.data.split(b"\r\n\r\n", 1)
            status = int(head[9:12])
            if status >= 200:
                break
        if method == b"HEAD" or status in (204, 304):
            return status, b""
        length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.I)
        if length:
            while len(self.data) < int(length[1]):
                if not await self.fill():
                    return "broken"
            body, self.data = self.data[:int(length[1])], self.data[int(length[1]):]
            return status, body
        is_chunked = re.search(rb"\r\ntransfer-encoding: *chunked", head, re.I)
        while True:
            r = oracle.chunked(self.data, 0) if is_chunked else oracle.MORE
            if not isinstance(r, str):
                self.data = self.data[r[1]:]
                return status, r[0]
            if not await self.fill():
                body, self.data = self.data, b""
                return "broken" if is_chunked else (status, body)


async def connect(port):
    while True:
        try:
            return await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        except ConnectionResetError:
            pass


async def ask(port, data, expected, end):
    """Sends it all; the answers that came, and whether the connection ended where it had to."""
    reader, writer = await connect(port)
    answers, got = Answers(reader), []
    try:
        try:
            writer.write(data)
            await writer.drain()
        except OSError:
            pass
        for method in expected:
            got.append(await answers.next(method))
        if end == oracle.BAD:
            got.append(await answers.next(b"GET"))
        if end == oracle.MORE:
            writer.write_eof()
        # A half message is answered or not; what matters is that it reaches nobody and that the connection ends.
        rest = None
        while end != "open" and (rest := await answers.next(b"GET")) and end == oracle.MORE:
            pass
        return got, rest
    except ConnectionResetError:
        return got, None
    finally:
        writer.close()


def is_refusal(answer):
    return isinstance(answer, tuple) and 400 <= answer[0] < 600


async def one_request(gate, origin, number, template):
    data = template.replace(b"@@@@@@@", b"%07d" % number)
    expected, end = oracle.requests(data)
    got, rest = await ask(gate, data, [m.line[0] for m in expected], end)
    wanted = [(m.line[0], re.sub(rb"^https?://[^/]*", b"", m.line[1]), m.body) for m in expected]
    seen = origin.seen.get(b"%07d" % number, [])
    n = len(expected)
    ok = [a if isinstance(a, str) or a is None else a[0] for a in got[:n]] == [200] * n and seen == wanted
    ok = ok and (end != oracle.BAD or (is_refusal(got[n]) if len(got) > n else False))
    ok = ok and (end == oracle.MORE or rest is None)
    return ok, f"{data!r}\n    expected {[m.line for m in expected]} {end}, got {got} then {rest}, the backend saw {seen}"


async def one_answer(gate, origin, number, template):
    origin.answers[number] = template
    wanted = oracle.response(template)
    (got,), _ = await ask(gate, b"GET /r/%d HTTP/1.1\r\nHost: gateway.test\r\n\r\n" % number, [b"GET"], "open")
    if wanted == oracle.BAD:
        ok = isinstance(got, tuple) and got[0] == 500 or got == "broken"
    else:
        ok = got == wanted or (wanted == "broken" and isinstance(got, tuple) and got[0] == 500)
    return ok, f"{template!r}\n    expected {wanted}, got {got}"


async def many(name, one, gate, origin, messages, first):
    """(passed, failed) of all of them, a few dozen at a time."""
    results, numbered = [], enumerate(messages, first)

    async def take():
        for number, message in numbered:
            try:
                results.append(await one(gate, origin, number, message))
            except Exception as e:  # a case that cannot be carried out has failed
                results.append((False, f"{message!r}\n    {e!r}"))

    begun = time.monotonic()
    await asyncio.gather(*(take() for _ in range(AT_ONCE)))
    failures = [why for ok, why in results if not ok]
    for why in failures[:10]:
        print(f"FAILED {name}: {why[:2000]}")
    print(f"{name}: {len(results)} messages, {len(failures)} failed, {time.monotonic() - begun:.1f} s")
    return len(results) - len(failures), len(failures)


async def pipelines(gate, origin, messages, first, per=10):
    """Good messages, several on a connection: no answer may be anything but 200, in order."""
    streams = []
    for i, message in enumerate(messages):
        if i % per == 0:
            streams.append(b"")
        streams[-1] += message
    return await many(f"good requests, {per} on a connection", one_request, gate, origin, streams, first)


async def own_addresses(port):
    """Nobody reaches the operators' listener through ours, and a gateway that is its own backend is a loop with an end."""
    results = []
    for path, status in ((b"/admin/metrics", 500), (b"/admin/", 500), (b"/loop/a", 508)):
        (got,), _ = await ask(port, b"GET %s HTTP/1.1\r\nHost: gateway.test\r\n\r\n" % path, [b"GET"], "open")
        ok = isinstance(got, tuple) and got[0] == status and b"headgate_" not in got[1]
        if not ok:
            print(f"FAILED {path}: expected {status}, got {got}")
        results.append(ok)
    return sum(results), len(results) - sum(results)


async def drive(folder, build):
    origin = Origin()
    backend = await origin.start()
    port, admin = free_ports(2)
    for name in ("e", "r"):
        api(folder, name, name, f"{backend}/{name}")
    api(folder, "admin", "admin", f"{admin}")
    api(folder, "loop", "loop", f"{port}/loop")
    os.mkdir(f"{folder}/state")
    write(f"{folder}/headgate.yaml", f"listeners: [{{address: 127.0.0.1, port: {port}}}]\nadmin: {{port: {admin}}}\n"
          f"state: {folder}/state\ngateway-log: {{enabled: false}}\n")
    with open(f"{folder}/log", "w") as log:
        gate = subprocess.Popen([f"{build}/headgate", "run", "--config", f"{folder}/headgate.yaml", "--artifacts",
                                 f"{folder}/artifacts", "--workers", "2"], stdout=log, stderr=log)
    try:
        if not wait_for(port, gate):
            raise SystemExit(open(f"{folder}/log").read() + "the gateway did not start")
        results = [await many("hostile requests", one_request, port, origin, cases.hostile_requests(), 0),
                   await many("hostile answers", one_answer, port, origin, cases.hostile_answers(), 1000000),
                   await own_addresses(port),
                   await pipelines(port, origin, cases.good_requests(10000), 2000000)]
        ok = not origin.complaints and gate.poll() is None
        if not ok:
            print("the backend complains:", origin.complaints[:5], "exit", gate.poll())
        results.append((ok, not ok))
    finally:
        end_process(gate, 20)
    if gate.returncode not in (0, -15):
        print("".join(open(f"{folder}/log"))[-6000:], f"exit {gate.returncode}")
        results.append((0, 1))
    return [sum(int(r[i]) for r in results) for i in (0, 1)]


def main():
    with tempfile.TemporaryDirectory() as folder:
        passed, failed = asyncio.run(drive(folder, sys.argv[1]))
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
