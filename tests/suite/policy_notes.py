#!/usr/bin/env python3
"""usage: tests/suite/policy_notes.py HEADGATE REFERENCE   failures and usage notes of policies against the scripts.

  notes     each line of policy_notes.txt names a test that is there, in a script whose documents use the policy, or a unit test
  failures  the reason of each row of errors.def is expected by a script, or by a test here
  places    where each policy may stand, and how often, as the vendor's reference has it: `headgate check --strict` on a folder whose
            documents hold every policy twice in every section says so of each that is misplaced, and of no other
  no address   what ip-filter does with a caller who has none: one that comes through a socket of the file system
  gone         a client that goes away leaves limit-concurrency

Prints what is missing, a line each, and ends with "N passed, N failed".
"""
import json
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading

HEADGATE, REFERENCE = sys.argv[1], sys.argv[2]
from rig import Rig, must  # noqa: E402 (reads the same arguments)

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPTS = os.path.join(HERE, "..", "gateway")

# What other suites ask: their servers or clients can do what a script cannot.
ASKED_ELSEWHERE = {"FailedToParseCallerIP", "ClientConnectionFailure"}
# No policy's own: calls that wait for a connection, asked by unit tests of http/; APIs that did not load, asked by the master's suite.
OF_OTHERS = {"BackendUnavailable", "ConfigurationNotLoaded"}

SECTIONS = {"in": "inbound", "be": "backend", "out": "outbound", "err": "on-error"}
# sections, scopes (G global, P product, A API, O operation) where not all, "once" in a section. From the reference; a place that it
# grants only by "seen in documents" is granted.
PLACES = {
    "authentication-basic": "in once", "authentication-certificate": "in", "authentication-managed-identity": "in out",
    "cache-lookup": "in once", "cache-lookup-value": "in be out err", "cache-remove-value": "in be out err", "cache-store": "out once",
    "cache-store-value": "in be out err", "check-header": "in", "choose": "in be out err", "cors": "in once", "cross-domain": "in G",
    "emit-metric": "in be out err", "find-and-replace": "in be out err", "forward-request": "be",
    "get-authorization-context": "in be out", "include-fragment": "in be out err", "ip-filter": "in", "json-to-xml": "in be out err",
    "jsonp": "out once", "limit-concurrency": "in be out err", "log-to-eventhub": "in be out err", "mock-response": "in out err",
    "proxy": "in", "quota": "in P once", "quota-by-key": "in", "rate-limit": "in PAO once", "rate-limit-by-key": "in",
    "redirect-content-urls": "in out once", "retry": "in be out err", "return-response": "in be out err", "rewrite-uri": "in",
    "send-one-way-request": "in be out err", "send-request": "in be out err", "send-service-bus-message": "in out err",
    "set-backend-service": "in be", "set-body": "in be out err", "set-header": "in be out err", "set-method": "in be err", "set-query-parameter": "in be",
    "set-status": "in be out err", "set-variable": "in be out err", "trace": "in be out err", "validate-azure-ad-token": "in",
    "validate-client-certificate": "in", "validate-content": "in out err", "validate-headers": "out err once", "validate-jwt": "in",
    "validate-odata-request": "in GPA", "validate-parameters": "in once", "validate-status-code": "out err once", "wait": "in be out",
    "xml-to-json": "in out err", "xsl-transform": "in out once",
}
NOT_IN_FRAGMENTS = {"cache-lookup", "cache-lookup-value"}


def read_notes():
    """(subject, note, script, test); a subject is a policy, or what policies have in common"""
    subject = ""
    with open(os.path.join(HERE, "policy_notes.txt"), encoding="utf-8") as file:
        for line in file:
            if re.match("[a-z]", line):
                subject = line.strip()
            elif m := re.fullmatch(r"  (.+) => (\S+): (.+)\n", line):
                yield (subject, *m.groups())
            else:
                assert not line.strip() or line.startswith("#"), f"expected NOTE => SCRIPT: TEST, found {line}"


def read_texts(folder, ending):
    for root, _, names in os.walk(folder):
        for name in names:
            if name.endswith(ending):
                path = os.path.join(root, name)
                with open(path, encoding="utf-8", errors="replace") as file:
                    yield os.path.relpath(path, folder), file.read()


def notes(scripts, policies):
    """(found, what) of each note; none stands twice."""
    units, seen = dict(read_texts(os.path.join(HERE, "..", "unit"), ".c")), set()
    for subject, note, script, test in read_notes():
        if script.startswith("unit/"):
            found = f"TEST({test})" in units.get(script[5:], "")
        else:
            text = scripts.get(script, "")
            found = (subject not in policies or f"<{subject}" in text) and re.search(rf"^test {re.escape(test)}$", text, re.M)
        yield found and (subject, note) not in seen, f"{subject}: {note}: no test '{test}' in {script}, or the note stands twice"
        seen.add((subject, note))


def reasons(path):
    with open(path, encoding="utf-8") as file:
        return {r for r in re.findall(r'^ERROR\(\w+, "[^"]*", "([^"]*)"', file.read(), re.M) if "{" not in r}


# ---- places -----------------------------------------------------------------------------------------------------------------

def document():
    elements = "\n".join(f"<{p} />\n<{p} />" for p in sorted(PLACES))
    return "<policies>\n" + "".join(f"<{s}>\n{elements}\n</{s}>\n" for s in SECTIONS.values()) + "</policies>\n"


def write(folder, path, text):
    path = os.path.join(folder, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def check_folder(folder):
    """(level, message) of all that --strict says about misplaced policies."""
    levels = {"G": "policy.xml", "P": "products/p/policy.xml", "A": "apis/a/policy.xml", "O": "apis/a/operations/o/policy.xml"}
    write(folder, "products/p/productInformation.json", json.dumps({"properties": {"displayName": "p", "state": "published"}}))
    write(folder, "products/p/apis/a/productApiInformation.json", "{}")
    write(folder, "apis/a/apiInformation.json", json.dumps({"properties": {"displayName": "a", "path": "a", "serviceUrl": "http://a.example"}}))
    write(folder, "apis/a/specification.json", json.dumps({"openapi": "3.0.1", "info": {"title": "a", "version": "1"}, "paths": {
        "/o": {"get": {"operationId": "o", "responses": {"200": {"description": "ok"}}}}}}))
    said = set()
    for level, path in levels.items():   # one at a time: a check tells a bounded number of things
        write(folder, path, document())
        out = subprocess.run([HEADGATE, "check", "--strict", folder], capture_output=True, text=True).stdout
        said |= {(level, m) for m in re.findall(r": error: (Azure (?:does not allow|allows) .*)$", out, re.M)}
        os.remove(os.path.join(folder, path))
    return said


def places():
    """(found, what) of each policy, section and scope."""
    with tempfile.TemporaryDirectory() as folder:
        said = check_folder(folder)
    scope_names = {"G": "global", "P": "product", "A": "api", "O": "operation"}
    for policy, text in PLACES.items():
        words = text.split()
        scopes = next((w for w in words if w.isupper()), "GPAO")
        for short, section in SECTIONS.items():
            refused = ("O", f"Azure does not allow {policy} in {section}") in said
            yield refused != (short in words), f"{policy} in {section}: {'refused' if refused else 'taken'}"
        for level, name in scope_names.items():
            refused = (level, f"Azure does not allow {policy} at {name} scope") in said
            yield refused != (level in scopes), f"{policy} at {name} scope: {'refused' if refused else 'taken'}"
        once = ("O", f"Azure allows {policy} once in a section") in said
        yield once == ("once" in words), f"{policy} twice in a section: {'refused' if once else 'taken'}"


def fragments():
    with tempfile.TemporaryDirectory() as folder:
        write(folder, "policy fragments/f/policy.xml", "<fragment>" + "".join(f"<{p} />" for p in sorted(PLACES)) + "</fragment>")
        write(folder, "policy.xml", '<policies><inbound><include-fragment fragment-id="f" /></inbound></policies>')
        out = subprocess.run([HEADGATE, "check", folder], capture_output=True, text=True).stdout
    for policy in PLACES:
        warned = f"Azure does not support {policy} in fragments" in out
        yield warned == (policy in NOT_IN_FRAGMENTS), f"{policy} in a fragment: {'a warning' if warned else 'taken'}"


# What --strict alone says: published documents have it.
STRICT = {"<cache-lookup />": "Azure needs vary-by-developer and vary-by-developer-groups"}


def strict():
    with tempfile.TemporaryDirectory() as folder:
        for element, wanted in STRICT.items():
            path = os.path.join(folder, "policy.xml")
            write(folder, "policy.xml", f"<policies><inbound>{element}</inbound></policies>")
            said = [subprocess.run([HEADGATE, "check", *more, path], capture_output=True, text=True).stdout for more in ([], ["--strict"])]
            yield wanted not in said[0] and f"error: {wanted}" in said[1], f"{element}: {said}"


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
    scripts = dict(read_texts(SCRIPTS, ".hgt"))
    expectations = "\n".join(line for text in scripts.values() for line in text.splitlines() if line.lstrip().startswith("expect "))
    with open(REFERENCE, encoding="utf-8") as file:
        policies = set(re.findall(r"^## ([a-z-]+)$", file.read(), re.M))
    results = list(notes(scripts, policies))
    results += [(r in expectations or r in ASKED_ELSEWHERE or r in OF_OTHERS, f"no script expects the reason {r}")
                for r in sorted(reasons(os.path.join(HERE, "../../src/exchange/errors.def")))]
    results += [(p in PLACES or p in ("base", "cache-value"), f"{p}: its places are not in this suite") for p in sorted(policies)]
    results += [*places(), *fragments(), *strict(), *no_address(), *gone()]
    for found, what in results:
        if not found:
            print(what)
    failed = sum(not found for found, _ in results)
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
