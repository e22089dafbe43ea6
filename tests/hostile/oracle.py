"""oracle.py: a second, independent and unhurried reading of HTTP/1 (RFC 9112 with what robustness rows A1..A17 and B1..B4
refuse), against which the gateway's is held. It knows nothing of the gateway's code.
SPDX-License-Identifier: Apache-2.0"""
import re

TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
FIELD = re.compile(rb"(" + TOKEN + rb"):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*\Z")
REQUEST_LINE = re.compile(rb"(" + TOKEN + rb") ([\x21-\x22\x24-\x7e]+) HTTP/1\.([01])\Z")
STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9][0-9])(?: ([^\x00-\x08\x0a-\x1f\x7f]*))?\Z")
HOST = re.compile(rb"([A-Za-z0-9._~!$&'()*+;=%-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{0,5})?\Z")
SPOOFED = {b"content-length", b"transfer-encoding", b"x-forwarded-for", b"proxy-connection"}

EXTENSIONS_MAX = 4096
MORE, BAD = "more", "bad"


class Message:
    """One message that can be read in one way only."""

    def __init__(self, line, version, fields):
        self.line, self.version, self.fields = line, version, fields
        self.body, self.is_open, self.keeps = b"", False, False

    def all(self, name):
        return [v for n, v in self.fields if n.lower() == name]


def lines_of(data, at):
    """The lines of a head from `at` on, without their ends, and where it ends; MORE or BAD."""
    lines = []
    while True:
        end = data.find(b"\n", at)
        part = data[at:end] if end >= 0 else data[at:]
        if b"\r" in part[:-1] or (end >= 0 and not part.endswith(b"\r")):
            return BAD, 0
        if end < 0:
            return (MORE, 0)
        at = end + 1
        if part == b"\r":
            return lines, at
        lines.append(part[:-1])


def fields_of(lines, refused=()):
    fields = []
    for line in lines:
        m = FIELD.match(line)
        if not m or b"_" in m[1] and m[1].lower().replace(b"_", b"-") in refused:
            return BAD
        fields.append((m[1], m[2]))
    return fields


def chunked(data, at):
    """(body, end), or MORE, or BAD."""
    body, extensions = b"", 0
    while True:
        end = data.find(b"\r\n", at)
        line = data[at:end] if end >= 0 else data[at:]
        m = re.match(rb"([0-9A-Fa-f]{1,16})(;[^\x00-\x08\x0a-\x1f\x7f]*)?\Z", line)
        if end >= 0 and not m:
            return BAD
        if end < 0:
            return MORE if re.match(rb"([0-9A-Fa-f]{0,16}|[0-9A-Fa-f]{1,16};[^\x00-\x08\x0a-\x1f\x7f]*)\r?\Z", line) else BAD
        size, at = int(m[1], 16), end + 2
        extensions += len(m[2] or b"")
        if extensions > EXTENSIONS_MAX:
            return BAD
        if size == 0:
            break
        body += data[at:at + size]
        at += size
        if not b"\r\n".startswith(data[at:at + 2]):
            return BAD
        if at + 2 > len(data):
            return MORE
        at += 2
    lines, at = lines_of(data, at)
    if lines in (BAD, MORE):
        return lines
    for line in lines:
        if not FIELD.match(line):
            return BAD
    return body, at


def framing(m):
    """("chunked",), ("length", n), () or BAD."""
    lengths, codings = m.all(b"content-length"), m.all(b"transfer-encoding")
    if len(lengths) + len(codings) > 1 or (codings and (codings[0].lower() != b"chunked" or not m.version)):
        return BAD
    if codings:
        return ("chunked",)
    if not lengths:
        return ()
    if not re.fullmatch(rb"[0-9]{1,19}", lengths[0]) or int(lengths[0]) >= 1 << 63:
        return BAD
    return ("length", int(lengths[0]))


def keeps(m):
    words = [w.strip(b" \t").lower() for v in m.all(b"connection") for w in v.split(b",")]
    return b"close" not in words and (m.version == 1 or b"keep-alive" in words)


def body_of(m, how, data, at):
    if how == BAD:
        return BAD
    if how == ("chunked",):
        return chunked(data, at)
    n = how[1] if how else 0
    return (data[at:at + n], at + n) if at + n <= len(data) else MORE


def request(data, at):
    """(Message, end), MORE or BAD. MORE is said only when nothing is wrong so far."""
    lines, after = lines_of(data, at)
    if lines == BAD:
        return BAD
    if lines == MORE:
        part = data[at:].split(b"\r\n")
        return BAD if len(part) > 1 and (not REQUEST_LINE.match(part[0]) or fields_of(part[1:-1], SPOOFED) == BAD) else MORE
    line = REQUEST_LINE.match(lines[0]) if lines else None
    fields = fields_of(lines[1:], SPOOFED) if line else BAD
    if fields == BAD:
        return BAD
    m = Message((line[1], line[2]), int(line[3]), fields)
    hosts = m.all(b"host")
    if len(hosts) > 1 or (not hosts and m.version) or (hosts and not HOST.match(hosts[0])):
        return BAD
    body = body_of(m, framing(m), data, after)
    if isinstance(body, str):
        return body
    m.body, m.keeps = body[0], keeps(m)
    return m, body[1]


def requests(data):
    """What one connection asks for, in order, and how it ends: "open", "close", MORE or BAD."""
    found, at = [], 0
    while at < len(data):
        r = request(data, at)
        if isinstance(r, str):
            return found, r
        found.append(r[0])
        at = r[1]
        if not r[0].keeps:
            return found, "close"
    return found, "open"


def response(data):
    """What a GET gets when this is all that the backend sends before it closes: (status, body), "broken" (a good head, a
    body that is not whole) or BAD."""
    at = 0
    for _ in range(9):
        lines, after = lines_of(data, at)
        if lines in (BAD, MORE):
            return BAD
        line = STATUS_LINE.match(lines[0]) if lines else None
        fields = fields_of(lines[1:]) if line else BAD
        if fields == BAD:
            return BAD
        m = Message(line[2], int(line[1]), fields)
        how, status = framing(m), int(line[2])
        if how == BAD or status == 101:
            return BAD
        if status >= 200:
            break
        if m.all(b"content-length") not in ([], [b"0"]) or m.all(b"transfer-encoding"):
            return BAD
        at = after
    else:
        return BAD
    if status in (204, 304):
        return status, b""
    if not how:
        return status, data[after:]
    body = body_of(m, how, data, after)
    return "broken" if isinstance(body, str) else (status, body[0])
