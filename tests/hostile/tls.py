#!/usr/bin/python3
"""tls.py BUILD_DIR: what a TLS listener lets through (robustness D2, D3, H5): three names, one of which wants a client certificate and one
of which has its own authority for them, asked for in every combination of handshake and request; sessions carried from one to the
other; old versions, renegotiation, early data. The last line is "N passed, N failed".
SPDX-License-Identifier: Apache-2.0"""
import os
import re
import socket
import ssl
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "h2")]
from gate import api, end_process, free_ports, wait_for, write
from h2raw import Conn

PATH = "/e/x"
NAMES = {"open.test": "open", "also.test": "open", "locked.test": "locked", "other.test": "other"}  # what each asks of clients


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def certificate(folder, name, alt, ca=None, kind=("ec", "-pkeyopt", "ec_paramgen_curve:P-256")):
    key = ["req", "-x509", "-newkey", *kind, "-nodes", "-days", "2", "-subj", f"/CN={name}",
           "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem"]
    if alt:
        key += ["-addext", "subjectAltName=" + ",".join(f"DNS:{a}" for a in alt)]
    if ca:
        key += ["-CA", f"{folder}/{ca}.pem", "-CAkey", f"{folder}/{ca}.key", "-addext", "basicConstraints=critical,CA:false"]
    openssl(*key)


class Gate:
    def __init__(self, folder, build):
        self.folder = folder
        self.port, self.admin = free_ports(2)
        for ca in ("ca", "ca2"):
            certificate(folder, ca, None)
        certificate(folder, "open", ["open.test", "also.test"])
        certificate(folder, "locked", ["locked.test"])
        certificate(folder, "other", ["other.test"])
        certificate(folder, "open-rsa", ["open.test", "*.wild.test"], kind=("rsa:2048",))
        api(folder, "e", "e", 1, policy='<inbound><return-response /></inbound>')
        os.mkdir(f"{folder}/state")

        def shown(name, extra=""):
            return f"{{certificate: {folder}/{name}.pem, key: {folder}/{name}.key{extra}}}"
        write(f"{folder}/headgate.yaml", f"""
listeners:
  - address: 127.0.0.1
    port: {self.port}
    tls:
      certificates:
        - {shown("open")}
        - {shown("locked", ", client-certificates: require")}
        - {shown("other", f", client-certificates: ask, client-ca: {folder}/ca2.pem")}
        - {shown("open-rsa")}
      client-ca: {folder}/ca.pem
admin: {{port: {self.admin}}}
state: {folder}/state
artifacts: {folder}/artifacts
""")
        self.log = open(f"{folder}/log", "w")
        self.process = subprocess.Popen([f"{build}/headgate", "run", "--config", f"{folder}/headgate.yaml", "--workers", "1"],
                                        stdout=self.log, stderr=self.log)
        if not wait_for(self.port, self.process):
            raise SystemExit(open(f"{folder}/log").read() + "the gateway did not start")

    def context(self, shows=None, version=None, alpn="http/1.1"):
        c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        c.check_hostname = False
        c.verify_mode = ssl.CERT_NONE
        c.set_alpn_protocols([alpn])
        if version:
            c.minimum_version = c.maximum_version = version
        if shows:
            c.load_cert_chain(f"{self.folder}/{shows}.pem", f"{self.folder}/{shows}.key")
        return c

    def connect(self, context, name, session=None):
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        return context.wrap_socket(raw, server_hostname=name, session=session)

    def end(self):
        status = end_process(self.process, 30)
        self.log.close()
        return status


def ask(sock, host):
    """The status of one request, or what came instead."""
    try:
        sock.sendall(f"GET {PATH} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        data = b""
        while b"\r\n\r\n" not in data:
            more = sock.recv(65536)
            if not more:
                return "closed"
            data += more
        return int(data.split(b" ", 2)[1])
    except (OSError, ssl.SSLError) as e:
        return type(e).__name__


def misdirection(gate):
    """D2: 421 exactly where the two names do not ask the same of clients; whatever the spelling of the name."""
    for shaken, rules in NAMES.items():
        for asked, other in list(NAMES.items()) + [("nobody.test", "open")]:
            for spelling in (asked, asked.upper() + "."):
                with gate.connect(gate.context("ca"), shaken) as s:
                    yield f"{shaken} asked for {spelling}", ask(s, spelling), 200 if rules == other else 421
    for shaken, asked, status in (("open.test", "also.test", "200"), ("open.test", "locked.test", "421"), (None, "other.test", "421"),
                                  ("locked.test", "locked.test:%d" % gate.port, "200")):
        c = Conn.over(gate.connect(gate.context("ca", alpn="h2"), shaken), PATH, asked)
        c.request(1)
        got = c.outcome(1, 30)
        yield f"HTTP/2, {shaken} asked for {asked}", got, status
        c.close()


def sessions(gate):
    """D3: a session of one name, with or without a certificate, opens no other."""
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = gate.context("ca", version)
        with gate.connect(context, "open.test") as s:
            yield f"{version.name}: first", ask(s, "open.test"), 200
            session = s.session
        with gate.connect(context, "open.test", session) as s:
            yield f"{version.name}: again", (ask(s, "open.test"), s.session_reused), (200, True)
        bare = gate.context(None, version)
        with gate.connect(bare, "open.test") as s:
            ask(s, "open.test")
            session = s.session
        try:
            with gate.connect(bare, "locked.test", session) as s:
                got = ask(s, "locked.test"), s.session_reused
        except ssl.SSLError as e:
            got = type(e).__name__, False
        yield f"{version.name}: another name's session", got[0] != 200 and not got[1], True


def handshakes(gate):
    """H5: nothing below 1.2, no renegotiation, no early data, no compression."""
    def client(*args, said=b""):
        r = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{gate.port}", "-servername", "open.test", *args], input=said,
                           capture_output=True, timeout=60)
        return (r.stdout + r.stderr).decode(errors="replace")
    for old in ("-tls1", "-tls1_1"):
        out = client(old, "-cipher", "ALL:@SECLEVEL=0")
        yield f"openssl {old}", "Cipher is (NONE)" in out or "alert" in out, True
    out = client("-tls1_2", said=b"R\n")
    yield "renegotiation asked for by the client", "alert" in out or "RENEGOTIATING" in out and "error" in out.lower(), True
    out = client("-tls1_2", said=b"Q\n")
    yield "no compression", re.search(r"Compression: (\S+)", out)[1], "NONE"
    yield "forward secrecy and AEAD in TLS 1.2", bool(re.search(r"Cipher is ECDHE-\S+-(GCM|CHACHA20)", out)), True
    out = client("-tls1_3", said=b"Q\n")
    yield "no early data", "Max Early Data: 0" in out or "Max Early Data" not in out, True


def kinds_of_keys(gate):
    """Two certificates of one name: each client gets the one that it can verify; of names that one has alone, that one."""
    rsa = (["-tls1_3", "-sigalgs", "RSA-PSS+SHA256"], ["-tls1_2", "-sigalgs", "RSA-PSS+SHA256:RSA+SHA256"],
           ["-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"])
    for name, of_rsa, of_any in (("open.test", "open-rsa", "open"), ("also.test", None, "open"), ("x.wild.test", "open-rsa", "open-rsa"),
                                 ("nobody.test", "open-rsa", "open"), ("locked.test", None, "locked")):
        for args in (*rsa, ["-tls1_3"], ["-tls1_2"]):
            r = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{gate.port}", "-servername", name, *args], input=b"",
                               capture_output=True, timeout=60)
            got = re.search(rb"subject=CN = (\S+)", r.stdout)
            yield f"{name} {' '.join(args)}", got and got[1].decode(), of_rsa if args in rsa else of_any


def main():
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        gate = Gate(folder, sys.argv[1])
        try:
            for part in (misdirection, sessions, handshakes, kinds_of_keys):
                for what, got, wanted in part(gate):
                    passed, failed = passed + (got == wanted), failed + (got != wanted)
                    if got != wanted:
                        print(f"FAILED {what}: {got}, expected {wanted}")
        finally:
            status = gate.end()
        if status not in (0, -15):
            failed += 1
            print(open(f"{folder}/log").read()[-4000:], f"exit {status}")
    print(f"{passed} passed, {failed} failed")
    return failed > 0


sys.exit(main())
