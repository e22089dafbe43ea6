#!/usr/bin/env python3
"""usage: tests/suite/policy_notes.py HEADGATE   failures and usage notes of policies against the scripts.

  notes     each line of policy_notes.txt names a test that is there, in a script whose documents use the policy
  failures  the reason of each row of errors.def is expected by a script, or by a test here
  no address   what ip-filter does with a caller who has none: one that comes through a socket of the file system
  gone         a client that goes away leaves limit-concurrency

Prints what is missing, a line each, and ends with "N passed, N failed".
"""
import os
import re
import socket
import struct
import sys
import threading

from rig import Rig, must

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPTS = os.path.join(HERE, "..", "gateway")

# What other suites ask: their servers or clients can do what a script cannot.
ASKED_ELSEWHERE = {"FailedToParseCallerIP", "ClientConnectionFailure"}
# No policy's own: calls that wait for a connection, asked by unit tests of http/.
OF_OTHERS = {"BackendUnavailable"}


def read_notes():
    """(policy, note, script, test)"""
    policy = ""
    with open(os.path.join(HERE, "policy_notes.txt"), encoding="utf-8") as file:
        for line in file:
            if re.match("[a-z]", line):
                policy = line.strip()
            elif m := re.fullmatch(r"  (.+) => (\S+): (.+)\n", line):
                yield (policy, *m.groups())
            else:
                assert not line.strip() or line.startswith("#"), f"expected NOTE => SCRIPT: TEST, found {line}"


def read_scripts():
    for root, _, names in os.walk(SCRIPTS):
        for name in names:
            if name.endswith(".hgt"):
                path = os.path.join(root, name)
                with open(path, encoding="utf-8", errors="replace") as file:
                    yield os.path.relpath(path, SCRIPTS), file.read()


def note_is_asked(scripts, policy, script, test):
    text = scripts.get(script, "")
    return f"<{policy}" in text and re.search(rf"^test {re.escape(test)}$", text, re.M)


def reasons(path):
    with open(path, encoding="utf-8") as file:
        return {r for r in re.findall(r'^ERROR\(\w+, "[^"]*", "([^"]*)"', file.read(), re.M) if "{" not in r}


# ---- callers without an address ----------------------------------------------------------------------------------------------

def get(path, target):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(30)
        s.connect(path)
        s.sendall(f"GET {target} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while part := s.recv(65536):
            answer += part
    return answer.decode()


def no_address():
    policy = ('<policies><inbound><ip-filter action="{}"><address>10.0.0.1</address></ip-filter>'
              "<return-response><set-body>in</set-body></return-response></inbound><on-error><set-header name=\"X-Error\"><value>"
              '@(context.LastError.Source + "|" + context.LastError.Reason + "|" + context.LastError.Message)</value></set-header></on-error>'
              "</policies>")
    rig = Rig()
    try:
        path = rig.path("socket")
        gateway = rig.gateway(rig.origin(), {"allow": ("allow", policy.format("allow")), "forbid": ("forbid", policy.format("forbid"))},
                              listeners=f"  - {{address: 'unix:{path}'}}")
        must(lambda: os.path.exists(path), "the socket is there")
        refused, passed = get(path, "/allow/x"), get(path, "/forbid/x")
        yield refused.startswith("HTTP/1.1 403 Forbidden"), f"allow refuses who has no address: {refused[:40]}"
        yield ("X-Error: ip-filter|FailedToParseCallerIP|Failed to establish IP address for the caller. Access denied." in refused and
               refused.endswith('{ "statusCode": 403, "message": "Forbidden" }')), f"what allow says: {refused}"
        yield passed.endswith("in"), f"forbid lets in who has no address: {passed}"
    finally:
        rig.close()


# ---- clients that go away ------------------------------------------------------------------------------------------------------

def gone():
    policy = ('<policies><backend><limit-concurrency key="k" max-count="1"><forward-request /></limit-concurrency></backend></policies>')
    rig, leave = Rig(), threading.Event()
    try:
        origin = rig.origin()
        origin.on_answer = lambda path, _: path == "/held" and leave.wait(120)
        gateway = rig.gateway(origin, {"narrow": ("narrow", policy)})
        with socket.create_connection(("127.0.0.1", gateway.port)) as s:
            s.sendall(b"GET /narrow/held HTTP/1.1\r\nHost: a.example\r\n\r\n")
            must(lambda: origin.count("/held") == 1, "the first is inside")
            status = gateway.get("/narrow/free").status
            yield status == 429, f"while the first is inside: {status}"
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))   # one that only ends its sending may still read
        must(lambda: gateway.get("/narrow/free").status == 200, "the place is free when its client has gone", 60)
        yield True, ""
        must(lambda: '"LastErrorReason":"ClientConnectionFailure"' in gateway.log(), "the log says why", 60)
        yield True, ""
    finally:
        leave.set()
        rig.close()


def main():
    scripts = dict(read_scripts())
    expectations = "\n".join(line for text in scripts.values() for line in text.splitlines() if line.lstrip().startswith("expect "))
    results = [(note_is_asked(scripts, policy, script, test), f"{policy}: {note}: no test '{test}' in {script}")
               for policy, note, script, test in read_notes()]
    results += [(r in expectations or r in ASKED_ELSEWHERE or r in OF_OTHERS, f"no script expects the reason {r}")
                for r in sorted(reasons(os.path.join(HERE, "../../src/exchange/errors.def")))]
    results += [*no_address(), *gone()]
    for found, what in results:
        if not found:
            print(what)
    failed = sum(not found for found, _ in results)
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
