#!/usr/bin/python3
"""conformance.py HOST PORT [--tls] [--path PATH] [--post PATH]: RFC 9113 and RFC 7541, rule by rule, on raw frames. PATH
answers GET with 200 and a body of at least 16 bytes, the other takes a POST. A stream error may be answered by more than
it asks for (GOAWAY), a connection error by GOAWAY with its code or a closed connection.
SPDX-License-Identifier: Apache-2.0"""
import argparse
import struct
import sys

from h2raw import *

CASES = []


def case(name, *expected, **how):
    def add(fn):
        CASES.append((name, expected, fn, how))
        return fn
    return add


def connection_error(*codes):
    return [f"GOAWAY {c}" for c in codes] + ["closed"]


def stream_error(*codes):
    return [f"RST {c}" for c in codes] + connection_error(*codes)


def closed_by(name, codes, payload):
    """A connection error after these bytes."""
    CASES.append((name, connection_error(*codes), lambda c: (c.send(payload(c) if callable(payload) else payload),
                                                             c.outcome(0))[1], {}))


# ---- 3.4 preface, 4.1 frames ----
@case("3.4 a wrong preface ends the connection", "closed", "GOAWAY PROTOCOL_ERROR", raw=True)
def _(c):
    c.send(b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n" + frame(SETTINGS, 0, 0))
    r = c.outcome(1)
    return "closed" if r == "nothing" else r


@case("3.4 first frame must be SETTINGS", *connection_error("PROTOCOL_ERROR"), raw=True)
def _(c):
    c.send(PREFACE + frame(PING, 0, 0, b"12345678"))
    return c.outcome(1)


@case("3.4 the server's first frame is SETTINGS", "4", raw=True)
def _(c):
    c.send(PREFACE + frame(SETTINGS, 0, 0))
    return str(c.read().kind)


@case("4.1 a frame of unknown type is ignored", "200")
def _(c):
    c.send(frame(0x16, 0, 0, b"unknown!"))
    c.request(1)
    return c.outcome(1)


@case("4.1 undefined flags are ignored", "200")
def _(c):
    c.send(frame(PING, 0x16, 0, b"12345678"))
    c.request(1)
    return c.outcome(1)


@case("4.1 the reserved bit is ignored", "200")
def _(c):
    c.send(frame(PING, 0, 0x80000000, b"12345678"))
    c.request(1)
    return c.outcome(1)


@case("4.2 DATA of the largest size is taken", "200")
def _(c):
    c.request(1, "POST", c.post, end=False)
    c.send(frame(DATA, END_STREAM, 1, b"d" * 16384))
    return c.outcome(1)


@case("4.2 DATA above the largest size", *stream_error("FRAME_SIZE_ERROR"))
def _(c):
    c.request(1, "POST", c.post, end=False)
    c.send(frame(DATA, END_STREAM, 1, b"d" * 16385))
    return c.outcome(1)


closed_by("4.2 HEADERS above the largest size", ["FRAME_SIZE_ERROR"],
          lambda c: frame(HEADERS, 5, 1, c.block(c.head()) + b"\0" * 16400))
closed_by("4.3 a block that does not decode", ["COMPRESSION_ERROR"], frame(HEADERS, 5, 1, b"\xff\xff\xff\xff\xff"))


@case("4.3 another stream's frame inside a block", *connection_error("PROTOCOL_ERROR"))
def _(c):
    c.send(frame(HEADERS, END_STREAM, 1, c.block(c.head())) + frame(PRIORITY, 0, 1, b"\0\0\0\0\0"))
    return c.outcome(1)


@case("4.3 a second HEADERS inside a block", *connection_error("PROTOCOL_ERROR"))
def _(c):
    c.send(frame(HEADERS, END_STREAM, 1, c.block(c.head())) + frame(HEADERS, 5, 3, c.block(c.head())))
    return c.outcome(1)


# ---- 5.1 stream states ----
closed_by("5.1 idle: DATA", ["PROTOCOL_ERROR"], frame(DATA, END_STREAM, 1, b"x"))
closed_by("5.1 idle: RST_STREAM", ["PROTOCOL_ERROR"], frame(RST, 0, 1, b"\0\0\0\x08"))
closed_by("5.1 idle: WINDOW_UPDATE", ["PROTOCOL_ERROR"], frame(WINDOW, 0, 1, b"\0\0\0\x64"))
closed_by("5.1 idle: CONTINUATION", ["PROTOCOL_ERROR"], lambda c: frame(CONT, 4, 1, c.block(c.head())))


@case("5.1 half-closed: DATA", *stream_error("STREAM_CLOSED"))
def _(c):
    c.request(1, path=c.slow)
    c.send(frame(DATA, END_STREAM, 1, b"late"))
    return c.outcome(1)


@case("5.1 half-closed: HEADERS", *stream_error("STREAM_CLOSED"))
def _(c):
    c.request(1, path=c.slow)
    c.request(1)
    return c.outcome(1)


@case("5.1 half-closed: CONTINUATION", *stream_error("STREAM_CLOSED", "PROTOCOL_ERROR"))
def _(c):
    c.request(1, path=c.slow)
    c.send(frame(CONT, 4, 1, c.block(c.head())))
    return c.outcome(1)


@case("5.1 closed by RST_STREAM: DATA", *stream_error("STREAM_CLOSED"))
def _(c):
    c.request(1, "POST", c.post, end=False)
    c.send(frame(RST, 0, 1, b"\0\0\0\x08") + frame(DATA, END_STREAM, 1, b"late"))
    return c.outcome(1)


@case("5.1 closed by RST_STREAM: HEADERS", *stream_error("STREAM_CLOSED"))
def _(c):
    c.request(1, "POST", c.post, end=False)
    c.send(frame(RST, 0, 1, b"\0\0\0\x08"))
    c.request(1)
    return c.outcome(1)


@case("5.1 closed by RST_STREAM: CONTINUATION", *stream_error("STREAM_CLOSED", "PROTOCOL_ERROR"))
def _(c):
    c.request(1, "POST", c.post, end=False)
    c.send(frame(RST, 0, 1, b"\0\0\0\x08") + frame(CONT, 4, 1, c.block(c.head())))
    return c.outcome(1)


@case("5.1 closed by END_STREAM: DATA", *stream_error("STREAM_CLOSED"))
def _(c):
    c.request(1)
    c.response(1)
    c.send(frame(DATA, END_STREAM, 1, b"late"))
    return c.outcome(1)


@case("5.1 closed by END_STREAM: HEADERS", *connection_error("STREAM_CLOSED"))
def _(c):
    c.request(1)
    c.response(1)
    c.request(1)
    return c.outcome(1)


@case("5.1 closed by END_STREAM: CONTINUATION", *connection_error("STREAM_CLOSED", "PROTOCOL_ERROR"))
def _(c):
    c.request(1)
    c.response(1)
    c.send(frame(CONT, 4, 1, c.block(c.head())))
    return c.outcome(1)


@case("5.1 closed: WINDOW_UPDATE, RST_STREAM and PRIORITY are let be", "alive")
def _(c):
    c.request(1)
    c.response(1)
    c.send(frame(WINDOW, 0, 1, b"\0\0\0\x64") + frame(RST, 0, 1, b"\0\0\0\x08") + frame(PRIORITY, 0, 1, b"\0\0\0\0\x10"))
    return "alive" if c.is_alive() else "dead"


@case("5.1.1 even stream numbers", *connection_error("PROTOCOL_ERROR"))
def _(c):
    c.request(2)
    return c.outcome(2)


@case("5.1.1 a stream number below the last", *connection_error("PROTOCOL_ERROR", "STREAM_CLOSED"))
def _(c):
    c.request(5)
    c.response(5)
    c.request(3)
    return c.outcome(3)


@case("5.1.2 more streams than SETTINGS allow", *stream_error("PROTOCOL_ERROR", "REFUSED_STREAM"))
def _(c):
    for i in range(c.streams + 1):
        c.request(1 + 2 * i, path=c.slow)
    return c.outcome(1 + 2 * c.streams)


@case("5.3.1 HEADERS that depend on themselves", *stream_error("PROTOCOL_ERROR"))
def _(c):
    c.send(frame(HEADERS, 5 | PRIO, 1, b"\0\0\0\x01\xff" + c.block(c.head())))
    return c.outcome(1)


@case("5.3.1 PRIORITY that depends on itself", *stream_error("PROTOCOL_ERROR"))
def _(c):
    c.send(frame(PRIORITY, 0, 1, b"\0\0\0\x01\xff"))
    return c.outcome(1)


@case("5.4.1 after a connection error: GOAWAY, then the end", "GOAWAY then closed")
def _(c):
    c.send(frame(PING, 0, 0, b"short"))
    r = c.outcome(0)
    while not c.closed and c.read():
        pass
    return r.split()[0] + (" then closed" if c.closed else "")


closed_by("5.5 an unknown frame inside a block", ["PROTOCOL_ERROR"],
          lambda c: frame(HEADERS, END_STREAM, 1, c.block(c.head())) + frame(0x16, 0, 0, b"x"))

# ---- 6 frame definitions ----
closed_by("6.1 DATA on stream 0", ["PROTOCOL_ERROR"], frame(DATA, 0, 0, b"x"))
closed_by("6.1 DATA with too much padding", ["PROTOCOL_ERROR"],
          lambda c: frame(HEADERS, 4, 1, c.block(c.head("POST", c.post))) + frame(DATA, PADDED | 1, 1, b"\xffabc"))


@case("6.1 padded DATA is taken", "200")
def _(c):
    c.request(1, "POST", c.post, end=False)
    c.send(frame(DATA, PADDED | 1, 1, b"\x03abc\0\0\0"))
    return c.outcome(1)


closed_by("6.2 HEADERS on stream 0", ["PROTOCOL_ERROR"], lambda c: frame(HEADERS, 5, 0, c.block(c.head())))
closed_by("6.2 HEADERS with too much padding", ["PROTOCOL_ERROR"],
          lambda c: frame(HEADERS, 5 | PADDED, 1, b"\xff" + c.block(c.head())))


@case("6.2 padding and priority in HEADERS", "200")
def _(c):
    c.send(frame(HEADERS, 5 | PADDED | PRIO, 1, b"\x02" + b"\0\0\0\0\x10" + c.block(c.head()) + b"\0\0"))
    return c.outcome(1)


closed_by("6.3 PRIORITY on stream 0", ["PROTOCOL_ERROR"], frame(PRIORITY, 0, 0, b"\0\0\0\x01\x10"))


@case("6.3 PRIORITY of the wrong size", *stream_error("FRAME_SIZE_ERROR"))
def _(c):
    c.request(1, path=c.slow)
    c.send(frame(PRIORITY, 0, 1, b"\0\0\0\0"))
    return c.outcome(1)


closed_by("6.4 RST_STREAM on stream 0", ["PROTOCOL_ERROR"], frame(RST, 0, 0, b"\0\0\0\x08"))
closed_by("6.4 RST_STREAM of the wrong size", ["FRAME_SIZE_ERROR"],
          lambda c: frame(HEADERS, 4, 1, c.block(c.head("POST", c.post))) + frame(RST, 0, 1, b"\0\0\x08"))
closed_by("6.5 SETTINGS ACK with a payload", ["FRAME_SIZE_ERROR"], frame(SETTINGS, ACK, 0, b"\0\x03\0\0\0\x01"))
closed_by("6.5 SETTINGS on a stream", ["PROTOCOL_ERROR"], frame(SETTINGS, 0, 1, b"\0\x03\0\0\0\x01"))
closed_by("6.5 SETTINGS of the wrong size", ["FRAME_SIZE_ERROR"], frame(SETTINGS, 0, 0, b"\0\x03\0"))
closed_by("6.5.2 ENABLE_PUSH other than 0 or 1", ["PROTOCOL_ERROR"], frame(SETTINGS, 0, 0, b"\0\x02\0\0\0\x02"))
closed_by("6.5.2 INITIAL_WINDOW_SIZE too large", ["FLOW_CONTROL_ERROR"], frame(SETTINGS, 0, 0, b"\0\x04\x80\0\0\0"))
closed_by("6.5.2 MAX_FRAME_SIZE too small", ["PROTOCOL_ERROR"], frame(SETTINGS, 0, 0, b"\0\x05\0\0\x3f\xff"))
closed_by("6.5.2 MAX_FRAME_SIZE too large", ["PROTOCOL_ERROR"], frame(SETTINGS, 0, 0, b"\0\x05\x01\0\0\0"))


@case("6.5.2 an unknown setting is ignored", "alive")
def _(c):
    c.send(frame(SETTINGS, 0, 0, b"\0\xff\0\0\0\x01"))
    return "alive" if c.is_alive() else "dead"


@case("6.5.3 the last of two values counts", "1 byte")
def _(c):
    c.send(frame(SETTINGS, 0, 0, b"\0\x04\0\0\0\x64" + b"\0\x04\0\0\0\x01"))
    c.request(1)
    while True:
        f = c.read()
        if f is None or f.kind == DATA:
            return f"{len(f.payload)} byte" if f else "nothing"


@case("6.5.3 SETTINGS are acknowledged", "ack")
def _(c):
    c.send(frame(SETTINGS, 0, 0, b""))
    while True:
        f = c.read()
        if f is None:
            return "nothing"
        if f.kind == SETTINGS and f.flags & ACK:
            return "ack"


closed_by("6.6 PUSH_PROMISE from a client", ["PROTOCOL_ERROR"],
          lambda c: frame(HEADERS, 4, 1, c.block(c.head("POST", c.post))) +
          frame(PUSH, 4, 1, b"\0\0\0\x02" + c.block(c.head())))


@case("6.7 PING comes back with its bytes", "abcdefgh")
def _(c):
    c.send(frame(PING, 0, 0, b"abcdefgh"))
    while True:
        f = c.read()
        if f is None or f.kind == PING:
            return f.payload.decode() if f else "nothing"


@case("6.7 PING ACK is not answered", "abcdefgh")
def _(c):
    c.send(frame(PING, ACK, 0, b"unasked!") + frame(PING, 0, 0, b"abcdefgh"))
    while True:
        f = c.read()
        if f is None or f.kind == PING:
            return f.payload.decode() if f else "nothing"


closed_by("6.7 PING on a stream", ["PROTOCOL_ERROR"], frame(PING, 0, 1, b"12345678"))
closed_by("6.7 PING of the wrong size", ["FRAME_SIZE_ERROR"], frame(PING, 0, 0, b"123456"))
closed_by("6.8 GOAWAY on a stream", ["PROTOCOL_ERROR"], frame(GOAWAY, 0, 1, b"\0" * 8))


@case("6.8 GOAWAY lets what was begun finish", "200")
def _(c):
    c.request(1, path=c.slow)
    c.send(frame(GOAWAY, 0, 0, b"\0" * 8))
    return c.outcome(1)


closed_by("6.9 WINDOW_UPDATE of 0 on the connection", ["PROTOCOL_ERROR"], frame(WINDOW, 0, 0, b"\0\0\0\0"))


@case("6.9 WINDOW_UPDATE of 0 on a stream", *stream_error("PROTOCOL_ERROR"))
def _(c):
    c.request(1, "POST", c.post, end=False)
    c.send(frame(WINDOW, 0, 1, b"\0\0\0\0"))
    return c.outcome(1)


closed_by("6.9 WINDOW_UPDATE of the wrong size", ["FRAME_SIZE_ERROR"], frame(WINDOW, 0, 0, b"\0\0\x01"))


@case("6.9.1 nothing is sent beyond the window", "1 1")
def _(c):
    c.send(frame(SETTINGS, 0, 0, b"\0\x04\0\0\0\x01"))
    c.request(1)
    sizes = []
    while True:
        f = c.read(0.5)
        if f is None:
            return " ".join(sizes)
        if f.kind == DATA:
            sizes.append(str(len(f.payload)))
            if len(sizes) == 1:
                c.send(frame(WINDOW, 0, 1, b"\0\0\0\x01"))


closed_by("6.9.1 the connection's window overflows", ["FLOW_CONTROL_ERROR"],
          frame(WINDOW, 0, 0, b"\x7f\xff\xff\xff") * 2)


@case("6.9.1 a stream's window overflows", *stream_error("FLOW_CONTROL_ERROR"))
def _(c):
    c.request(1, "POST", c.post, end=False)
    c.send(frame(WINDOW, 0, 1, b"\x7f\xff\xff\xff") * 2)
    return c.outcome(1)


@case("6.9.2 a window that grows by SETTINGS", "1")
def _(c):
    c.send(frame(SETTINGS, 0, 0, b"\0\x04\0\0\0\0"))
    c.request(1)
    c.read(0.3)
    c.send(frame(SETTINGS, 0, 0, b"\0\x04\0\0\0\x01"))
    while True:
        f = c.read()
        if f is None or f.kind == DATA:
            return str(len(f.payload)) if f else "nothing"


@case("6.9.2 a window below zero", "1")
def _(c):
    c.send(frame(SETTINGS, 0, 0, b"\0\x04\0\0\0\x03"))
    c.request(1)
    while (f := c.read()) and f.kind != DATA:
        pass
    c.send(frame(SETTINGS, 0, 0, b"\0\x04\0\0\0\x02") + frame(WINDOW, 0, 1, b"\0\0\0\x02"))
    while (f := c.read()) and f.kind != DATA:
        pass
    return str(len(f.payload)) if f else "nothing"


@case("6.10 a block in two frames", "200")
def _(c):
    b = c.block(c.head(extra=[("x-long", "v" * 200)]))
    c.send(frame(HEADERS, END_STREAM, 1, b[:5]) + frame(CONT, 0, 1, b[5:50]) + frame(CONT, 4, 1, b[50:]))
    return c.outcome(1)


closed_by("6.10 CONTINUATION on stream 0", ["PROTOCOL_ERROR"],
          lambda c: frame(HEADERS, END_STREAM, 1, c.block(c.head())) + frame(CONT, 4, 0, b""))
closed_by("6.10 CONTINUATION on another stream", ["PROTOCOL_ERROR"],
          lambda c: frame(HEADERS, END_STREAM, 1, c.block(c.head())) + frame(CONT, 4, 3, b""))
closed_by("6.10 CONTINUATION behind END_HEADERS", ["PROTOCOL_ERROR"],
          lambda c: frame(HEADERS, END_HEADERS, 1, c.block(c.head("POST", c.post))) + frame(CONT, 4, 1, b""))
closed_by("6.10 CONTINUATION behind DATA", ["PROTOCOL_ERROR"],
          lambda c: frame(HEADERS, END_HEADERS, 1, c.block(c.head("POST", c.post))) + frame(DATA, 0, 1, b"x") +
          frame(CONT, 4, 1, b""))


@case("7 an unknown error code is taken", "alive")
def _(c):
    c.request(1, "POST", c.post, end=False)
    c.send(frame(RST, 0, 1, b"\0\0\0\xff"))
    return "alive" if c.is_alive() else "dead"


# ---- 8 messages ----
def malformed(name, **head):
    extra, drop, method, path = head.get("extra", ()), head.get("drop", ()), head.get("method", "GET"), head.get("path")

    @case("8 " + name, *stream_error("PROTOCOL_ERROR"), *head.get("also", ()))
    def _(c):
        c.send(frame(HEADERS, 5, 1, c.block(c.head(method, path, extra, drop))))
        return c.outcome(1)


malformed("upper case in a name", extra=[("X-Test", "1")])
malformed("an unknown pseudo-field", extra=[(":test", "1")])
malformed("a pseudo-field of answers", extra=[(":status", "200")])
malformed("a pseudo-field behind a field", extra=[("x", "1"), (":path", "/")], drop=[":path"])
malformed("Connection", extra=[("connection", "keep-alive")])
malformed("TE other than trailers", extra=[("te", "trailers, deflate")])
malformed("an empty :path", path="")
malformed("no :method", drop=[":method"])
malformed("no :scheme", drop=[":scheme"])
malformed("no :path", drop=[":path"])
malformed("two :method", extra=[(":method", "GET")])
malformed("two :scheme", extra=[(":scheme", "http")])
malformed("two :path", extra=[(":path", "/")])
malformed("two :authority", extra=[(":authority", "a")])
for field in ("connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"):
    malformed(f"{field} on HTTP/2", extra=[(field, "close")])
for label, text in (("CR LF", "a\r\nx: y"), ("LF", "a\nb"), ("CR", "a\rb"), ("NUL", "a\0b")):
    malformed(f"{label} in a value", extra=[("x", text)])
    malformed(f"{label} in :path", path="/" + text)
    malformed(f"{label} in :method", method="GET" + text)
malformed("a blank in a name", extra=[("x y", "1")])
malformed("a colon in a name", extra=[("x:y", "1")])
malformed("a blank in :path", path="/ HTTP/1.1")
malformed("a value that begins with a blank", extra=[("x", " 1")])
malformed("content-length on a request without DATA", extra=[("content-length", "1")])
malformed(":authority and Host differ", extra=[("host", "other.example")], also=["400"])
malformed("userinfo in Host", extra=[("host", "u@h")], drop=[":authority"], also=["400"])
malformed(":path without a slash", path="index", also=["400"])


@case("8.1 a second HEADERS without END_STREAM", *stream_error("PROTOCOL_ERROR"))
def _(c):
    c.request(1, "POST", c.post, end=False)
    c.send(frame(DATA, 0, 1, b"x"))
    c.send(frame(HEADERS, END_HEADERS, 1, c.block([("x-test", "ok")])))
    return c.outcome(1)


@case("8.1 trailers are taken", "200")
def _(c):
    c.request(1, "POST", c.post, end=False)
    c.send(frame(DATA, 0, 1, b"x") + frame(HEADERS, 5, 1, c.block([("x-test", "ok")])))
    return c.outcome(1)


@case("8.1 a pseudo-field in trailers", *stream_error("PROTOCOL_ERROR"))
def _(c):
    c.request(1, "POST", c.post, end=False)
    c.send(frame(DATA, 0, 1, b"x") + frame(HEADERS, 5, 1, c.block([(":method", "GET")])))
    return c.outcome(1)


@case("8.1.1 content-length other than DATA", *stream_error("PROTOCOL_ERROR"))
def _(c):
    c.request(1, "POST", c.post, [("content-length", "1")], end=False)
    c.send(frame(DATA, END_STREAM, 1, b"four"))
    return c.outcome(1)


@case("8.1.1 content-length other than the sum of two DATA", *stream_error("PROTOCOL_ERROR"))
def _(c):
    c.request(1, "POST", c.post, [("content-length", "1")], end=False)
    c.send(frame(DATA, 0, 1, b"te") + frame(DATA, END_STREAM, 1, b"st"))
    return c.outcome(1)


for method in ("GET", "HEAD", "POST", "OPTIONS"):
    @case(f"generic: {method} is answered", "200")
    def _(c, method=method):
        c.request(1, method, c.post if method == "POST" else None)
        return c.outcome(1)

# ---- RFC 7541 ----
closed_by("hpack 2.3.3 an index beyond the table", ["COMPRESSION_ERROR"], lambda c: frame(HEADERS, 5, 1, b"\xc6"))
closed_by("hpack 4.2 a table size update at the end of a block", ["COMPRESSION_ERROR"],
          lambda c: frame(HEADERS, 5, 1, c.block(c.head()) + b"\x21"))
closed_by("hpack 5.2 padding longer than 7 bits", ["COMPRESSION_ERROR"],
          lambda c: frame(HEADERS, 5, 1, c.block(c.head()) + b"\x00\x85\xf2\xb2\x4a\x84\xff\x84\x49\x50\x9f\xff"))
closed_by("hpack 5.2 padding that is not EOS", ["COMPRESSION_ERROR"],
          lambda c: frame(HEADERS, 5, 1, c.block(c.head()) + b"\x00\x85\xf2\xb2\x4a\x87\xff\x83\x49\x50\x90"))
closed_by("hpack 5.2 EOS in a string", ["COMPRESSION_ERROR"],
          lambda c: frame(HEADERS, 5, 1, c.block(c.head()) +
                          b"\x00\x85\xf2\xb2\x4a\x84\xff\x87\x49\x51\xff\xff\xff\xfa\x7f"))
closed_by("hpack 6.1 index 0", ["COMPRESSION_ERROR"], lambda c: frame(HEADERS, 5, 1, c.block(c.head()) + b"\x80"))
closed_by("hpack 6.3 a table larger than SETTINGS", ["COMPRESSION_ERROR"],
          lambda c: frame(HEADERS, 5, 1, b"\x3f\xe2\xff\xff\xff\x01" + c.block(c.head())))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("host")
    p.add_argument("port", type=int)
    p.add_argument("--tls", action="store_true")
    p.add_argument("--path", default="/")
    p.add_argument("--post", default="/")
    p.add_argument("--slow", default=None, help="a path that answers after some tenths of a second")
    p.add_argument("--streams", type=int, default=100)
    p.add_argument("--only", default="")
    a = p.parse_args()
    passed = failed = 0
    for name, expected, fn, how in CASES:
        if a.only not in name:
            continue
        c = Conn(a.host, a.port, a.tls, a.path, hello=not how.get("raw"))
        c.post, c.slow, c.streams = a.post, a.slow or a.path, a.streams
        if not how.get("raw"):
            c.settle()
        try:
            got = fn(c)
        except Exception as e:  # a case that cannot even be carried out has failed
            got = repr(e)
        c.close()
        if got in expected:
            passed += 1
        else:
            failed += 1
            print(f"{name}: {got}, expected {' or '.join(expected)}")
    print(f"{passed} passed, {failed} failed")
    return failed > 0


sys.exit(main())
