"""floods.py: what a hostile client may cost (robustness C1-C6, T4): for each flood the bytes it could send before the
connection was dropped, and the CPU time and memory the gateway spent on it.
SPDX-License-Identifier: Apache-2.0"""
import glob
import time

from h2raw import *

BYTES, CPU_S, MEMORY = 256 << 10, 0.05, 1 << 20
CHUNK = 8 << 10


def processes(pid):
    """pid and what it has started."""
    found = [pid]
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            fields = open(path).read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) in found:
            found.append(int(path.split("/")[2]))
    return found


def usage(pid):
    """Seconds of CPU and bytes resident, of all its threads and children."""
    cpu = rss = 0
    for p in processes(pid):
        for path in glob.glob(f"/proc/{p}/task/*/schedstat"):
            try:
                cpu += int(open(path).read().split()[0])
            except OSError:
                pass
        try:
            rss += int(open(f"/proc/{p}/statm").read().split()[1]) * 4096
        except OSError:
            pass
    return cpu / 1e9, rss


def rapid_reset(c, i):
    block = c.block(c.head())
    return b"".join(frame(HEADERS, 5, 1 + 2 * (i * 64 + k), block) + frame(RST, 0, 1 + 2 * (i * 64 + k), b"\0\0\0\x08")
                    for k in range(64))


def provoked(make):
    """Streams that make the server reset them (CVE-2025-8671)."""
    def flood(c, i):
        block = c.block(c.head("POST"))
        ids = [1 + 2 * (i * 64 + k) for k in range(64)]
        return b"".join(frame(HEADERS, 4, n, block) + make(n) for n in ids)
    return flood


def repeated(one, first=b""):
    return lambda c, i: (first(c) if callable(first) and i == 0 else b"") + one * (CHUNK // len(one))


def open_post(c):
    return frame(HEADERS, 4, 1, c.block(c.head("POST")))


def bomb(c, i):
    """One table entry of nearly 4 KB, named over and over."""
    if i == 0:
        entry = b"\x40\x01a\x7f\xa1\x1e" + b"v" * 4000
        return frame(HEADERS, 0, 1, c.block(c.head()) + entry)
    return frame(CONT, 0 if i < 4 else 4, 1, b"\xbe" * 16000)


def dribble(c, i):
    """An answer taken byte by byte (CVE-2019-9511)."""
    first = b""
    if i == 0:
        first = frame(SETTINGS, 0, 0, b"\0\x04\0\0\0\0") + frame(HEADERS, 5, 1, c.block(c.head(path=beside(c, "big"))))
    return first + frame(WINDOW, 0, 1, b"\0\0\0\x01") * 600


def beside(c, name):
    return c.path.rsplit("/", 1)[0] + "/" + name


def reset_again(c, i):
    """One stream, reset over and over."""
    rst = frame(RST, 0, 1, b"\0\0\0\x08")
    return (open_post(c) if i == 0 else b"") + rst * 600


def too_many(c, i):
    """Requests that never end, far more than may be open at a time."""
    block = c.block(c.head("POST"))
    return b"".join(frame(HEADERS, 4, 1 + 2 * (i * 64 + k), block) for k in range(64))


def one_block(field):
    """Requests whose blocks are made of one thing."""
    def flood(c, i):
        lead = b"" if field == b"\x20" else c.block(c.head())
        return frame(HEADERS, 5, 1 + 2 * i, lead + field * (CHUNK // len(field)))
    return flood


FLOODS = [
    ("rapid reset", rapid_reset),
    ("reset by WINDOW_UPDATE of 0", provoked(lambda n: frame(WINDOW, 0, n, b"\0\0\0\0"))),
    ("reset by window overflow", provoked(lambda n: frame(WINDOW, 0, n, b"\x7f\xff\xff\xff"))),
    ("reset by DATA after the end", provoked(lambda n: frame(DATA, 1, n, b"x") + frame(DATA, 1, n, b"x"))),
    ("reset by self-dependency", provoked(lambda n: frame(PRIORITY, 0, n, struct.pack("!IB", n, 1)))),
    ("reset by PRIORITY of 4 bytes", provoked(lambda n: frame(PRIORITY, 0, n, b"\0\0\0\0"))),
    ("CONTINUATION without end", lambda c, i: frame(HEADERS, 1, 1, c.block(c.head())) if i == 0
     else frame(CONT, 0, 1, b"\x00\x01a\x01b" * 1600)),
    ("CONTINUATION of one byte", lambda c, i: frame(HEADERS, 1, 1, b"\x82") if i == 0 else frame(CONT, 0, 1, b"\x84") * 800),
    ("empty CONTINUATION", lambda c, i: frame(HEADERS, 1, 1, b"") if i == 0 else frame(CONT, 0, 1) * 900),
    ("SETTINGS", repeated(frame(SETTINGS, 0, 0))),
    ("SETTINGS with values", repeated(frame(SETTINGS, 0, 0, b"\0\x04\0\0\xff\xff" * 6))),
    ("PING", repeated(frame(PING, 0, 0, b"12345678"))),
    ("PRIORITY", repeated(frame(PRIORITY, 0, 1, b"\0\0\0\x03\x10"), open_post)),
    ("WINDOW_UPDATE", repeated(frame(WINDOW, 0, 0, b"\0\0\0\x01"))),
    ("WINDOW_UPDATE on a stream", repeated(frame(WINDOW, 0, 1, b"\0\0\0\x01"), open_post)),
    ("empty DATA", repeated(frame(DATA, 0, 1), open_post)),
    ("padding only", repeated(frame(DATA, PADDED, 1, b"\x00"), open_post)),
    ("unknown frames", repeated(frame(0x77, 0, 0))),
    ("HPACK bomb", bomb),
    ("answer taken byte by byte", dribble),
    ("acknowledgements of SETTINGS", repeated(frame(SETTINGS, 1, 0))),
    ("acknowledgements of PING", repeated(frame(PING, 1, 0, b"12345678"))),
    ("GOAWAY", repeated(frame(GOAWAY, 0, 0, b"\0" * 8))),
    ("one stream reset again and again", reset_again),
    ("streams above the limit", too_many),
    ("fields without name and value", one_block(b"\x10\0\0")),
    ("fields without value", one_block(b"\x10\x01a\0")),
    ("cookie crumbs", one_block(b"\x0f\x11\x01a")),
    ("updates of the table's size", one_block(b"\x20")),
]


def warm_up(connect, n=90):
    """So many requests at a time, as an ordinary client may have them: what is measured afterwards is the flood's."""
    c = connect()
    c.settle()
    ids = [1 + 2 * i for i in range(n)]
    for i in ids:
        c.request(i, "POST", end=False)
    for i in ids:
        c.send(frame(DATA, END_STREAM, i, b"x"))
    answered = 0
    while answered < n and (f := c.read(10)):
        answered += f.kind in (DATA, HEADERS) and bool(f.flags & END_STREAM)
    c.close()


def unread(sock):
    """Bytes that lie in the kernel for the process on the other side."""
    try:
        ends = f":{sock.getpeername()[1]:04X}", f":{sock.getsockname()[1]:04X}"
    except OSError:
        return 0
    for path in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(path) as f:
            for fields in map(str.split, f):
                if fields[1].endswith(ends[0]) and fields[2].endswith(ends[1]):
                    return int(fields[4].split(":")[1], 16)
    return 0


def let_it_read(c):
    """What a kernel takes while the gateway has no CPU is nothing that the gateway has taken."""
    end = time.monotonic() + 2
    while unread(c.sock) and time.monotonic() < end:
        time.sleep(0.002)


def run_one(connect, pid, flood, reads):
    """bytes sent, CPU seconds, bytes of memory, how it ended."""
    c = connect()
    c.settle()
    cpu, rss = usage(pid)
    c.sent, i, end, looked = 0, 0, "not dropped", 0
    begun = time.monotonic()
    while c.sent < 4 * BYTES and time.monotonic() - begun < 5:
        c.send(flood(c, i))
        i += 1
        if c.sent - looked > CHUNK:
            let_it_read(c)
            looked = c.sent
        time.sleep(0.001)
        while reads and not c.closed and (f := c.read(0.0005)):
            if f.kind == GOAWAY:
                end = "GOAWAY " + f.code
        if c.closed:
            break
    sent = c.sent
    if not reads:  # what it said at the end
        while (f := c.read(0.3)):
            if f.kind == GOAWAY:
                end = "GOAWAY " + f.code
    end = "closed" if c.closed and end == "not dropped" else end
    c.close()
    time.sleep(0.05)
    cpu_after, rss_after = usage(pid)
    return sent, cpu_after - cpu, rss_after - rss, end


def run(connect, pid, label, slack=1, verbose=False):
    """(passed, failed). slack: a sanitizer build is slower and larger."""
    passed = failed = 0
    warm_up(connect)
    for name, flood in FLOODS:
        for reads in (True, False):
            sent, cpu, memory, end = run_one(connect, pid, flood, reads)
            ok = end != "not dropped" and sent <= BYTES and cpu <= CPU_S * slack and memory <= MEMORY * slack
            passed += ok
            failed += not ok
            if verbose or not ok:
                print(f"{'ok' if ok else 'FAILED'} {label} {name}{'' if reads else ', not reading'}: {sent / 1024:.0f} KiB, "
                      f"{cpu * 1000:.1f} ms, {memory / 1024:.0f} KiB memory, {end}")
    return passed, failed


def zero_windows(connect, pid, slack=1):
    """100 answers of 1 MB that nobody takes: memory stays bounded (C6)."""
    c = connect()
    c.settle()
    c.send(frame(SETTINGS, 0, 0, b"\0\x04\0\0\0\0"))
    _, rss = usage(pid)
    for i in range(100):
        c.request(1 + 2 * i, path=c.path.rsplit("/", 1)[0] + "/big")
    time.sleep(1.5)
    _, after = usage(pid)
    c.close()
    ok = after - rss < (24 << 20) * slack
    print(f"{'ok' if ok else 'FAILED'} 100 answers of 1 MB, no window: {(after - rss) / 1024:.0f} KiB")
    return ok
