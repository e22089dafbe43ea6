#!/usr/bin/python3
"""soak.py BUILD_DIR MINUTES: everything at once for so long, then quiet: good and hostile messages both ways, cached answers,
bodies read by policies, HTTP/2 streams and floods, connections abandoned, configurations published. Prints the
memory at the start, every minute, after the warm-up (a fifth of the time) and at the end. Fails when at the end, with nobody connected,
1 MiB more is needed than at rest after the warm-up, when a good request failed, when a backend saw something odd, or when a process died.
SPDX-License-Identifier: Apache-2.0"""
import asyncio
import itertools
import os
import random
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "h2")]
import cases
import floods
import run
from gate import api, end_process, free_ports, serving, wait_for, write
from h2raw import Conn

GROWTH = 1 << 20
REST_S = 35                # memory goes back when it is quiet, at most twice a minute (gateway/memory.h)
CACHED = """<inbound><base /><cache-lookup vary-by-developer="false" vary-by-developer-groups="false" /></inbound>
<outbound><base /><cache-store duration="5" /></outbound>"""
READS = """<inbound><base /><set-variable name="n" value="@(context.Request.Body.As<string>(preserveContent: true).Length)" /></inbound>
<outbound><base /><set-header name="X-Read" exists-action="override"><value>@(context.Variables["n"].ToString())</value></set-header>
<set-body>@(context.Response.Body.As<string>() + "!")</set-body></outbound>"""
VERSION = """<inbound><base /><return-response><set-status code="200" reason="OK" /><set-body>{}</set-body></return-response></inbound>"""


class Soak:
    """origin serves the good requests; wild breaks off its connections, so that they are its own affair."""

    def __init__(self, folder, build, origin, backend, wild, wild_backend):
        self.folder, self.origin, self.wild, self.failures, self.counts = folder, origin, wild, [], {}
        self.port, self.admin = free_ports(2)
        self.number, self.is_on, self.most = itertools.count(), False, 0
        api(folder, "e", "e", f"{backend}/e")
        api(folder, "r", "r", f"{wild_backend}/r")
        api(folder, "cached", "cached", f"{backend}/e", policy=CACHED)
        api(folder, "reads", "reads", f"{backend}/e", policy=READS)
        api(folder, "version", "version", f"{backend}", policy=VERSION.format(0))
        os.mkdir(f"{folder}/state")
        write(f"{folder}/headgate.yaml", f"listeners: [{{address: 127.0.0.1, port: {self.port}}}]\nadmin: {{port: {self.admin}}}\n"
              f"state: {folder}/state\nartifacts: {folder}/artifacts\ntimeouts: {{keep-alive: 3s, head: 3s}}\n"
              f"upstream: {{keep-alive: 2s}}\nlimits: {{body: 2MiB}}\n"
              f"gateway-log: {{sinks: [{{kind: file, path: {folder}/rows}}]}}\n")
        self.log = open(f"{folder}/log", "w")
        self.process = subprocess.Popen([f"{build}/headgate", "run", "--config", f"{folder}/headgate.yaml", "--workers", "2"],
                                        stdout=self.log, stderr=self.log)
        if not wait_for(self.port, self.process):
            raise SystemExit(open(f"{folder}/log").read() + "the gateway did not start")
        self.pid = serving(self.process)

    def memory(self):
        return floods.usage(self.process.pid)[1]

    def note(self, kind, ok, why):
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if not ok and len(self.failures) < 20:
            self.failures.append(f"{kind}: {why[:1000]}")

    # ---- kinds of load: each is one step, repeated while the load is on ----
    async def good(self):
        n = next(self.number)
        self.note("good", *await run.one_request(self.port, self.origin, n, next(GOOD)))
        self.origin.seen.pop(b"%07d" % n, None)

    async def hostile(self):
        n = next(self.number)
        self.note("hostile", *await run.one_request(self.port, self.origin, n, next(HOSTILE)))
        self.origin.seen.pop(b"%07d" % n, None)

    async def answers(self):
        n = next(self.number)
        self.note("answers", *await run.one_answer(self.port, self.wild, n, next(ANSWERS)))
        self.wild.answers.pop(n, None)

    async def plain(self, data, kind, wanted):
        (got,), _ = await run.ask(self.port, data, [b"GET"], "open")
        self.note(kind, isinstance(got, tuple) and got[0] == 200 and wanted in got[1], repr(got))

    async def cached(self):
        await self.plain(b"GET /cached/%d/k HTTP/1.1\r\nHost: a\r\n\r\n" % random.randrange(300), "cached", b"ok")

    async def reads(self):
        size = random.choice((10, 1000, 100000, 1000000))
        await self.plain(b"POST /reads/1/b HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size, "reads", b"ok!")

    async def abandoned(self):
        writers = [(await run.connect(self.port))[1] for _ in range(50)]
        for i, w in enumerate(writers):
            w.write((b"GET /e/1/x HTTP/1.1\r\nHost: a\r\n", b"", b"GET /e/1/x HTTP/1.1\r\nHost: a\r\n\r\n")[i % 3])
            (w.transport.abort if i % 2 else w.close)()
        self.note("abandoned", True, "")
        await asyncio.sleep(1)

    async def streams(self):
        def work():
            c = Conn("127.0.0.1", self.port, False, "/e/1/x")
            c.settle()
            c.request(1)
            status = c.outcome(1, 30)
            c.close()
            return status
        status = await asyncio.to_thread(work)
        self.note("streams", status == "200", status)

    async def floods(self):
        name, flood = random.choice(floods.FLOODS)
        sent, _, _, end = await asyncio.to_thread(floods.run_one, lambda: Conn("127.0.0.1", self.port, False, "/e/1/x"), self.process.pid,
                                                  flood, random.random() < 0.5)
        self.note("floods", end != "not dropped", f"{name}: {end} after {sent} bytes")
        await asyncio.sleep(1)

    async def publishes(self):
        path, n = f"{self.folder}/artifacts/apis/version/policy.xml", self.counts.get("publishes", 0)
        write(path + ".new", f"<policies>{VERSION.format(n)}</policies>")
        os.rename(path + ".new", path)
        self.note("publishes", True, "")
        await asyncio.sleep(5)

    async def repeat(self, step):
        while self.is_on:
            try:
                await step()
            except Exception as e:  # a step that cannot be carried out has failed
                self.note(step.__name__, False, repr(e))
                await asyncio.sleep(1)

    async def load(self, seconds):
        """So long, then until nobody is connected and what is freed late has gone back."""
        self.is_on = True
        kinds = [self.good, self.hostile, self.cached] * 4 + [self.answers, self.reads] * 2
        kinds += [self.abandoned, self.streams, self.floods, self.publishes]
        tasks = [asyncio.create_task(self.repeat(k)) for k in kinds]
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            await asyncio.sleep(min(60, max(0.1, end - time.monotonic())))
            self.most = max(self.most, self.memory())
            print(f"    under load: {self.memory() >> 10} KiB, {sum(self.counts.values())} steps", flush=True)
        self.is_on = False
        await asyncio.gather(*tasks)
        await asyncio.sleep(REST_S)

    def end(self):
        same = serving(self.process) == self.pid
        status = end_process(self.process, 30)
        self.log.close()
        return same and status == 0


GOOD = itertools.cycle(list(cases.good_requests(2000)))
HOSTILE, ANSWERS = (itertools.cycle(random.sample(list(m), 4000)) for m in (cases.hostile_requests(), cases.hostile_answers()))


async def drive(folder, build, minutes):
    origin, wild = run.Origin(), run.Origin()
    soak = Soak(folder, build, origin, await origin.start(), wild, await wild.start())
    print(f"start: {soak.memory() >> 10} KiB", flush=True)
    await soak.load(minutes * 60 * 0.2)
    warm = soak.memory()
    print(f"at rest after the warm-up: {warm >> 10} KiB, at most {soak.most >> 10} KiB", flush=True)
    await soak.load(minutes * 60 * 0.8)
    growth = soak.memory() - warm
    print(f"at rest at the end: {soak.memory() >> 10} KiB, at most {soak.most >> 10} KiB, steps {soak.counts}", flush=True)
    lived = soak.end()
    for f in soak.failures:
        print("FAILED", f)
    checks = (not soak.failures, not origin.complaints + wild.complaints, lived, growth <= GROWTH)
    print(f"good and hostile steps as they should be: {checks[0]}, backend without complaints: {checks[1]}, "
          f"one process that ended well: {checks[2]}, growth {growth >> 10} KiB")
    return sum(checks), len(checks) - sum(checks)


def main():
    with tempfile.TemporaryDirectory() as folder:
        passed, failed = asyncio.run(drive(folder, sys.argv[1], float(sys.argv[2])))
    print(f"{passed} passed, {failed} failed")
    return failed > 0


sys.exit(main())
