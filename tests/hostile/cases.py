"""cases.py: messages for run.py: good ones with one byte wrong at every place, tables of what has fooled proxies, and good ones.
`@@@@@@@` stands for the case's own number, so that each request is told from every other.
SPDX-License-Identifier: Apache-2.0"""
import random

BYTES = b"\0\t\n\r ,:;_-5\x7f\x80\xff"
HIDDEN = b"GET /e/@@@@@@@/hidden HTTP/1.1\r\nHost: gateway.test\r\n\r\n"
END = b"GET /e/@@@@@@@/end HTTP/1.1\r\nHost: gateway.test\r\nConnection: close\r\n\r\n"

LENGTH = (b"POST /e/@@@@@@@/a HTTP/1.1\r\nHost: gateway.test\r\nX-Test: one two\r\nContent-Length: %d\r\n\r\n" % (6 + len(HIDDEN))
          + b"hello:" + HIDDEN)
CHUNKED = (b"POST /e/@@@@@@@/a HTTP/1.1\r\nHost: gateway.test\r\nTransfer-Encoding: chunked\r\nX-Test: one\r\n\r\n"
           b"5\r\nhello\r\n%x;a=b\r\n" % len(HIDDEN) + HIDDEN + b"\r\n0\r\nX-Last: 1\r\n\r\n")
PLAIN = b"GET /e/@@@@@@@/a HTTP/1.1\r\nHost: gateway.test\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n"

ANSWER_LENGTH = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 11\r\n\r\nhello world"
ANSWER_CHUNKED = (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Test: one\r\n\r\n"
                  b"5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nX-Last: 1\r\n\r\n")
ANSWER_INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ANSWER_LENGTH


def is_free_text(message, at):
    """Inside a target or a host, where another printable byte is another name and nothing hostile."""
    host = message.find(b"gateway.test", at - 12 if at > 12 else 0)
    return message.find(b"/") <= at <= message.find(b" HTTP") or host <= at <= host + 12 and host >= 0


def mutations(message, keep=b"@"):
    """One byte put in, changed or left out, everywhere; then cut off everywhere."""
    for at in range(len(message)):
        for byte in BYTES:
            one = bytes([byte])
            if keep in message[at:at + 1] or (0x20 < byte < 0x7f and is_free_text(message, at)):
                continue
            yield message[:at] + one + message[at:]
            if one != message[at:at + 1]:
                yield message[:at] + one + message[at + 1:]
        if message[at:at + 1] != keep and not is_free_text(message, at):
            yield message[:at] + message[at + 1:]
    for at in range(1, len(message)):
        yield message[:at]


def every_byte():
    """Every byte before, inside and after the words that decide where a message ends."""
    for message, words in ((LENGTH, (b"Content-Length", b": 5", b"POST", b"HTTP/1.1", b"X-Test")),
                           (CHUNKED, (b"Transfer-Encoding", b"chunked", b"5\r\n", b";a=b", b"0\r\nX", b"X-Last"))):
        for word in words:
            start = message.find(word)
            for at in (start, start + (len(word) + 1) // 2, start + len(word)):
                for byte in range(256):
                    if byte not in BYTES:
                        yield message[:at] + bytes([byte]) + message[at:]


def head(*fields):
    return b"POST /e/@@@@@@@/a HTTP/1.1\r\nHost: gateway.test\r\n" + b"".join(f + b"\r\n" for f in fields) + b"\r\n"


def framings():
    """Two framings, disguised codings, lengths that are read in two ways: each before a request that hides in the body."""
    chunks = b"0\r\n\r\n" + HIDDEN
    codings = [b"chunked", b" chunked", b"chunked ", b"\tchunked", b"Chunked", b"xchunked", b"chunked,", b",chunked", b"chunked;q=1",
               b'"chunked"', b"chunked\x0b", b"\x0bchunked", b"chunked, chunked", b"identity, chunked", b"chunked, identity",
               b"gzip, chunked", b"gzip", b"identity", b"", b"chun ked", b"chunked\x80", b"\xa0chunked", b"chunk", b"'chunked'",
               b"chunked\0", b"x, chunked", b"chunked,,", b"deflate", b"chunked\r\n\t", b"\r\n chunked", b"chunked\n", b"tchunked"]
    names = [b"Transfer-Encoding", b"transfer-encoding", b"TRANSFER-ENCODING", b"Transfer_Encoding", b"Transfer-Encoding ",
             b" Transfer-Encoding", b"\tTransfer-Encoding", b"Transfer-Encoding\t", b"Transfer-Encoding\0", b"Transfer Encoding",
             b"X: y\nTransfer-Encoding", b"X: y\rTransfer-Encoding", b":Transfer-Encoding", b"Transfer-Encoding\x80"]
    lengths = [b"4", b"0", b"%d" % len(chunks), b"+4", b"-4", b"0x4", b"4_0", b"4 ", b"4,4", b"4, 4", b"", b"4.0", b"4e0", b"\x0b4",
               b"18446744073709551620", b"9223372036854775808", b"99999999999999999999", b"0" * 30 + b"4", b"four", b"4;4", b"4\0"]
    for name in names:
        for coding in codings:
            yield head(name + b":" + coding) + chunks
            yield head(b"Content-Length: 4", name + b":" + coding) + chunks
            yield head(name + b":" + coding, b"Content-Length: %d" % len(chunks)) + chunks
    for name in (b"Content-Length", b"content-length", b"Content_Length", b"Content-Length ", b" Content-Length", b"Content-Length\t"):
        for length in lengths:
            yield head(name + b": " + length) + chunks
            yield head(b"Content-Length: 4", name + b": " + length) + chunks
            yield head(name + b": " + length, b"Transfer-Encoding: chunked") + chunks
    for size in (b"5", b"05", b"0" * 15 + b"5", b"0" * 16 + b"5", b"+5", b"-5", b"0x5", b" 5", b"5 ", b"5\t", b"", b"g", b"5,5", b"5_", b"5\0",
                 b"8000000000000005", b"FFFFFFFFFFFFFFFF", b"10000000000000005", b"5;" + b"a" * 5000, b"5;\n", b"5\r", b"5;\r", b"5;a\x0b"):
        yield head(b"Transfer-Encoding: chunked") + size + b"\r\nhello\r\n0\r\n\r\n" + HIDDEN
        yield head(b"Transfer-Encoding: chunked") + b"5\r\nhello\r\n" + size.replace(b"5", b"0") + b"\r\n\r\n" + HIDDEN
    for end in (b"\n", b"\r", b"", b"\r\r\n", b"xx", b"\n\r", b"\0\0"):
        yield head(b"Transfer-Encoding: chunked") + b"5\r\nhello" + end + b"0\r\n\r\n" + HIDDEN
        yield head(b"Transfer-Encoding: chunked") + b"5" + end + b"hello\r\n0\r\n\r\n" + HIDDEN
        yield head(b"Transfer-Encoding: chunked") + b"5\r\nhello\r\n0" + end + b"\r\n" + HIDDEN


def hostile_requests():
    for message in (LENGTH, CHUNKED, PLAIN):
        for m in mutations(message):
            yield m + END
    for m in every_byte():
        yield m + END
    for m in framings():
        yield m + END


def hostile_answers():
    for message in (ANSWER_LENGTH, ANSWER_CHUNKED, ANSWER_INTERIM):
        yield from mutations(message)
    extra = [b"HTTP/1.1 200 OK\r\n\r\nhello", b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
             b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello",
             b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", b"HTTP/2 200 OK\r\n\r\n", b"hello", b"\r\n",
             b"HTTP/1.1 2000 OK\r\n\r\n", b"HTTP/1.1 20 OK\r\n\r\n", b"HTTP/1.1 099 OK\r\n\r\n", b"ICY 200 OK\r\n\r\n",
             b"HTTP/1.1 100 Continue\r\nContent-Length: 3\r\n\r\nabc" + ANSWER_LENGTH,
             b"HTTP/1.1 103 Early Hints\r\n\r\n" * 8 + ANSWER_LENGTH, b"HTTP/1.1 103 Early Hints\r\n\r\n" * 9 + ANSWER_LENGTH]
    yield from extra
    for both in (b"Content-Length: 5\r\nContent-Length: 5", b"Content-Length: 5, 5", b"Content-Length: +5", b"Content-Length: 5\r\nTransfer-Encoding: "
                 b"chunked", b"Transfer-Encoding: chunked\r\nContent-Length: 5", b"Transfer-Encoding: xchunked", b"Transfer-Encoding: gzip, "
                 b"chunked", b"Transfer-Encoding: identity", b"Transfer-Encoding:", b"Content-Length:", b"Content-Length: 99999999999999999999"):
        yield b"HTTP/1.1 200 OK\r\n" + both + b"\r\n\r\nhello"
    # What stands behind a whole answer must never be anybody's.
    for message in (ANSWER_LENGTH, ANSWER_CHUNKED):
        yield message + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
        yield message + b"\r\n"


TOKENS = b"!#$%&'*+-.^`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
VALUES = bytes(b for b in range(0x20, 256) if b != 0x7f) + b"\t"


def good_requests(n, seed=1):
    """Requests that RFC 9110 and 9112 allow; how many go on one connection is for the sender to say."""
    r = random.Random(seed)

    def some(chars, low, high):
        return bytes(r.choice(chars) for _ in range(r.randint(low, high)))

    def cased(word):
        return bytes(c ^ 0x20 if 65 <= c & ~0x20 <= 90 and r.random() < 0.3 else c for c in word)

    for i in range(n):
        fields = [b"X-%s:%s%s%s" % (some(TOKENS, 1, 20), r.choice((b"", b" ", b"\t ")), some(VALUES, 0, 40).strip(b" \t"),
                                    r.choice((b"", b" ", b"\t"))) for _ in range(r.randint(0, 8))]
        fields.append(cased(b"host:") + r.choice((b" gateway.test", b"gateway.test:8080", b"  [::1]", b"192.0.2.1 ", b" A.b-C.")))
        method = r.choice((b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"PATCH", b"OPTIONS", b"PROPFIND", b"M-SEARCH"))
        body = some(VALUES, 0, 200) if method in (b"POST", b"PUT", b"PATCH", b"DELETE") or r.random() < 0.1 else b""
        if body and r.random() < 0.5:
            fields.append(cased(b"transfer-encoding:") + r.choice((b" ", b"")) + cased(b"chunked"))
            wire, rest = b"", body
            while rest:
                size = r.randint(1, len(rest))
                wire += (b"%s%x%s\r\n" % (b"0" * r.randint(0, 3), size, r.choice((b"", b";a", b';a="b c"', b";n=v;m")))
                         + rest[:size] + b"\r\n")
                rest = rest[size:]
            wire += b"0\r\n" + r.choice((b"", b"X-Trailer: 1\r\n")) + b"\r\n"
        else:
            if body or method in (b"POST", b"PUT"):
                fields.append(cased(b"content-length:") + r.choice((b" ", b"")) + b"%d" % len(body))
            wire = body
        if r.random() < 0.2:
            fields.append(cased(b"connection: ") + r.choice((b"keep-alive", b"X-A, keep-alive", b"TE, Upgrade")))
        r.shuffle(fields)
        query = r.choice((b"", b"?", b"?a=1&b=%20", b"?q=/?", b"?%C3%A4"))
        path = b"/e/@@@@@@@/" + r.choice((b"a", b"a/b", b"a%20b", b"%E2%82%AC", b"a;x=1", b"a:b@c", b"a+b,c", b"~a", b"a%2Cb", b"!$&'()*"))
        target = r.choice((b"", b"", b"", b"http://gateway.test")) + path + query
        yield method + b" " + target + b" HTTP/1.1\r\n" + b"".join(f + b"\r\n" for f in fields) + b"\r\n" + wire
