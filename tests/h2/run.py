#!/usr/bin/python3
"""run.py BUILD_DIR [-v]: HTTP/2 through a real gateway: other people's clients, conformance and floods in front of a
strict HTTP/1 backend, WebSockets, and gRPC with its own client and server; plain and over TLS. The last line is "N passed, N failed".
SPDX-License-Identifier: Apache-2.0"""
import json
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import clients
import floods
import origin
import sockets
from gate import api, end_process, free_ports, wait_for, write
from h2raw import Conn

try:
    import grpc_trip
except ImportError:
    grpc_trip = None
    print("no python3-grpcio: gRPC is left out")

HERE = os.path.dirname(os.path.abspath(__file__))


def configure(folder, ports, backends):
    plain, tls, admin = ports
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", f"{folder}/key.pem",
                    "-out", f"{folder}/cert.pem"], check=True, stderr=subprocess.DEVNULL)
    http1, echo, grpc = backends
    over_http2 = '<backend><forward-request http-version="2" /></backend>'
    api(folder, "echo", "e", http1)
    api(folder, "sockets", "ws", echo, "websocket")
    api(folder, "calls", "t.S", f"{grpc}/t.S", "grpc", over_http2)
    api(folder, "old", "old", http1, "grpc", '<backend><forward-request http-version="1" /></backend>')
    api(folder, "denied", "denied", grpc, "grpc", '<inbound><return-response><set-status code="403" reason="Forbidden" />'
        "</return-response></inbound>")
    os.mkdir(f"{folder}/state")
    write(f"{folder}/headgate.yaml", f"""
listeners:
  - {{address: 127.0.0.1, port: {plain}}}
  - address: 127.0.0.1
    port: {tls}
    tls: {{certificates: [{{certificate: {folder}/cert.pem, key: {folder}/key.pem}}]}}
admin: {{port: {admin}}}
state: {folder}/state
""")


def conformance(port, tls):
    out = subprocess.run([f"{HERE}/conformance.py", "127.0.0.1", str(port), "--path", "/e/x", "--post", "/e/p", "--slow",
                          "/e/slow"] + (["--tls"] if tls else []), capture_output=True, text=True).stdout
    m = re.search(r"(\d+) passed, (\d+) failed\s*$", out)
    if not m or m[2] != "0":
        print(f"conformance, {'TLS' if tls else 'plain'}:\n{out}")
    return (int(m[1]), int(m[2])) if m else (0, 1)


def blames_clients(log):
    """Clients reset streams in the middle of answers (clients.py, floods.py); no backend breaks off here."""
    reasons = {row.get("LastErrorReason") for row in map(json.loads, (x for x in open(log) if x.startswith("{")))
               if row.get("LastErrorSource") == "transfer-response"}
    if reasons != {"ClientConnectionFailure"}:
        print("rows of answers that broke off:", reasons)
    return reasons == {"ClientConnectionFailure"}


def main():
    build, verbose = sys.argv[1], "-v" in sys.argv
    slack = 20 if re.search("asan|tsan", build) else 4   # CPU time of a machine that is busy otherwise; `make robustness` has the targets
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        ports = free_ports(3)
        grpc_server, grpc_port, service = grpc_trip.start() if grpc_trip else (None, 1, None)
        configure(folder, ports, (origin.start(), sockets.start(), grpc_port))
        with open(f"{folder}/log", "w") as log:
            gate = subprocess.Popen([f"{build}/headgate", "run", "--config", f"{folder}/headgate.yaml", "--artifacts",
                                     f"{folder}/artifacts", "--workers", "1"], stdout=log, stderr=log)
        try:
            if not wait_for(ports[1], gate):
                print(open(f"{folder}/log").read())
                raise SystemExit("the gateway did not start")
            certificate = open(f"{folder}/cert.pem", "rb").read()
            results = [sockets.run(ports[0], ports[1]), clients.run(ports[0], ports[1]), conformance(ports[0], False), conformance(ports[1], True)]
            if grpc_trip:
                results += [grpc_trip.run(f"127.0.0.1:{ports[0]}", service),
                            grpc_trip.run(f"127.0.0.1:{ports[1]}", service, certificate)]
            for port, tls in ((ports[0], False), (ports[1], True)):
                def connect():
                    return Conn("127.0.0.1", port, tls, "/e/x")
                results.append(floods.run(connect, gate.pid, "TLS" if tls else "plain", slack, verbose))
            ok = floods.zero_windows(lambda: Conn("127.0.0.1", ports[0], False, "/e/x"), gate.pid, slack)
            results.append((ok, not ok))
            alive = Conn("127.0.0.1", ports[0], False, "/e/x")
            alive.request(1)
            ok = alive.outcome(1) == "200" and not origin.complaints and gate.poll() is None
            if not ok:
                print("after all of it:", origin.complaints[:5], gate.poll())
            results.append((ok, not ok))
            passed, failed = (sum(int(r[i]) for r in results) for i in (0, 1))
        finally:
            if grpc_server:
                grpc_server.stop(0)
            end_process(gate, 15)
        ok = blames_clients(f"{folder}/log")
        passed, failed = passed + ok, failed + (not ok)
        if failed or gate.returncode not in (0, -15):
            print("".join(x for x in open(f"{folder}/log") if not x.startswith("{"))[-6000:])
            print(f"exit {gate.returncode}")
    print(f"{passed} passed, {failed} failed")
    return failed > 0


sys.exit(main())
