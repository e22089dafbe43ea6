#!/usr/bin/env python3
"""usage: repl_keys.py HEADGATE    what Tab, arrows and history do in `headgate repl`, typed on a terminal of its own.

Prints a line for each key sequence, WHAT TAB RESULT, for expressions.sh to compare. SPDX-License-Identifier: Apache-2.0
"""
import os
import pty
import select
import sys
import time

UP, LEFT = "\x1b[A", "\x1b[D"
TYPED = [
    ("Tab ends a member's name", '"ab".Lengt\t'),
    ("Tab goes as far as the names agree", '"ab".ToUpperI\t() + "ab".ToU\t()'),
    ("Tab behind brackets", "(1 + 2).GetHash\t() * 0"),
    ("Tab behind a call", '"ab".Substring(1).Trim().Leng\t'),
    ("Tab knows static members", "Math.Sqr\t(9)"),
    ("Tab knows names of types", "StringCompariso\t.Ordinal"),
    ("Tab in the middle of the line", '"abc".Leng + 1' + LEFT * 4 + "\t"),
    ("Tab where nothing fits changes nothing", '"ab".Nothing\t' + "\x7f" * 7 + "Length"),
    ("Up brings the last line back", UP + " + 40"),
]


def read_prompt(fd, seen):
    """Until the next prompt stands alone, that is, until a result has been printed."""
    end = time.monotonic() + 60
    while not seen.endswith("\r\x1b[K> ") and time.monotonic() < end:
        if select.select([fd], [], [], 1)[0]:
            seen += os.read(fd, 65536).decode("utf-8", "replace")
    return seen


def main():
    pid, fd = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm"
        os.execv(sys.argv[1], [sys.argv[1], "repl"])
    read_prompt(fd, "")
    for what, keys in TYPED:
        os.write(fd, (keys + "\r").encode())
        seen = read_prompt(fd, "")
        lines = [line.strip() for line in seen.split("\n") if line.strip() and "\x1b[K" not in line]
        print("%s\t%s" % (what, lines[-1] if lines else "nothing"))
    os.write(fd, b"\x04")
    os.close(fd)
    os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
