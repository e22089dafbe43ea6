#!/usr/bin/env python3
"""Gives `headgate eval` programs that nobody would write, and fails when one of them ends the process.

usage: odd.py HEADGATE [--seed N] [--seconds N] [--batch N]

Half of them call a member of the library with odd values of its parameters' types (members.py); the others are cases of tests/expr with
a few tokens exchanged (mutants.py). What they give does not matter: an answer, an exception, a message of the compiler. A batch that
crashed is halved until one program is left, and that is printed. Under a sanitizer its report is a crash as well.
SPDX-License-Identifier: Apache-2.0
"""
import argparse
import os
import random
import subprocess
import sys
import tempfile
import time

import members
import mutants

sys.dont_write_bytecode = True


class Runner:
    def __init__(self, headgate, folder):
        self.headgate, self.path = headgate, os.path.join(folder, "batch.tsv")
        self.answers = self.compiled = 0

    def run(self, programs):
        """What ended the process, or None."""
        with open(self.path, "w", encoding="utf-8") as f:
            f.writelines(line + "\n" for line in programs)
        try:
            done = subprocess.run([self.headgate, "eval", "--batch", self.path], capture_output=True, timeout=300)
        except subprocess.TimeoutExpired:
            return "no end after 300 s"
        lines = done.stdout.splitlines()
        self.answers += len(lines)
        self.compiled += sum(not line.startswith(b"!compile") for line in lines)
        if done.returncode < 0 or done.returncode > 2 or b"runtime error" in done.stderr:
            report = done.stderr[-2000:].decode("utf-8", "replace") if b"Sanitizer" in done.stderr or b"runtime error" in done.stderr else ""
            return f"exit {done.returncode} {report}"
        return None

    def crashes(self, programs):
        """The programs that crash on their own, with what they say."""
        reason = self.run(programs)
        if not reason:
            return []
        if len(programs) == 1:
            return [(programs[0], reason)]
        middle = len(programs) // 2
        return self.crashes(programs[:middle]) + self.crashes(programs[middle:])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("headgate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0, help="go on for so long; without it one batch of each kind")
    parser.add_argument("--batch", type=int, default=2000)
    options = parser.parse_args()
    rand = random.Random(options.seed)
    makers = [members.Maker(options.headgate, rand), mutants.Maker(rand)]
    end, programs, found = time.monotonic() + options.seconds, 0, []
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(os.path.abspath(options.headgate), folder)
        while True:
            for maker in makers:
                batch = [maker.program() for _ in range(options.batch)]
                programs += len(batch)
                for program, reason in runner.crashes(batch):
                    print(f"FAILED {program[:400]}\n  {reason}", flush=True)
                    found.append(program)
            if time.monotonic() >= end:
                break
    print(f"{programs} odd programs, {runner.compiled} of {runner.answers} answers not from the compiler")
    print(f"{programs - len(found)} passed, {len(found)} failed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
