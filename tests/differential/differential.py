#!/usr/bin/env python3
"""Runs random expressions through `headgate eval --batch` and through C# (oracle.py), and compares the results.

usage: differential.py HEADGATE [--seed N] [--count N] [--minutes M] [--batch N] [--verbose]

Batch k of a run is generate.py's with the seed N + k; a difference is printed with its seed, so that it can be had again alone.
Where C# as mono has it is not .NET's, and why, stands in mono_is_wrong.txt. SPDX-License-Identifier: Apache-2.0
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import generate
import oracle

HERE = os.path.dirname(os.path.abspath(__file__))
# Digits beyond the fifteenth: .NET Framework and mono round there, .NET Core prints the shortest text that reads back.
LONG_NUMBER = re.compile(r"-?\d+\.\d{10,}(?:[eE][-+]?\d+)?|-?\d(?:\.\d+)?[eE][-+]\d+")


def escape(text):
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def read_known():
    """mono_is_wrong.txt: what the expression matches, what one of the two results matches, why."""
    with open(os.path.join(HERE, "mono_is_wrong.txt"), encoding="utf-8") as f:
        rows = [line.rstrip("\n").split("\t") for line in f if line.strip() and not line.startswith("#")]
    return [(re.compile(e, re.S), re.compile(r, re.S), why) for e, r, why in rows]


def shorten(text):
    return LONG_NUMBER.sub(lambda m: "%.12g" % float(m.group(0)), text)


def evaluate(program, texts, folder):
    path = folder + "/batch.tsv"
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(escape(t) + "\n" for t in texts)
    r = subprocess.run([program, "eval", "--batch", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ, TZ="UTC"))
    lines = r.stdout.decode("utf-8", "replace").split("\n")[:-1]
    if len(lines) != len(texts):
        sys.exit("headgate eval: %d results for %d expressions, exit %d\n%s" % (len(lines), len(texts), r.returncode, r.stderr[-2000:].decode()))
    return lines


def is_same(ours, theirs):
    theirs = theirs.split("\t")[0] if theirs.startswith("!compile") else theirs
    return ours == theirs or ours.startswith("!compile") and theirs.startswith("!compile") or shorten(ours) == shorten(theirs)


def run(csharp, texts, ours):
    """Apart those that we refuse: each round of the compiler ends at what it refuses, and one round should do for the rest."""
    theirs = [None] * len(texts)
    for is_refused in (False, True):
        mine = [i for i, line in enumerate(ours) if line.startswith("!compile") == is_refused]
        for i, line in zip(mine, csharp.run([texts[i] for i in mine])):
            theirs[i] = line
    return theirs


def main():
    p = argparse.ArgumentParser()
    p.add_argument("program")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--count", type=int, default=500)
    p.add_argument("--minutes", type=float)
    p.add_argument("--batch", type=int, default=500)
    p.add_argument("--verbose", action="store_true", help="also what C# could not run")
    o = p.parse_args()
    rules, known = generate.read_rules(), read_known()
    counts = {"same": 0, "differ": 0, "known": 0, "not run": 0, "!compile": 0}
    started, seed, left = time.time(), o.seed, o.count
    while (time.time() - started < o.minutes * 60) if o.minutes else left > 0:
        folder = tempfile.mkdtemp(prefix="differential.")
        try:
            g = generate.Generator(seed, rules)
            texts = [g.write() for _ in range(o.batch if o.minutes else min(o.batch, left))]
            ours = evaluate(o.program, texts, folder)
            theirs = run(oracle.Oracle(folder), texts, ours)
        finally:
            shutil.rmtree(folder)
        for text, a, b in zip(texts, ours, theirs):
            counts["!compile"] += a.startswith("!compile")
            if b.startswith("?"):                      # the compiler or the run of C# failed, not the expression
                counts["not run"] += 1
                if o.verbose:
                    print("not run: %s\n    %s" % (escape(text), b))
            elif is_same(a, b):
                counts["same"] += 1
            elif any(e.search(text) and (r.search(a) or r.search(b)) for e, r, _ in known):
                counts["known"] += 1
            else:
                counts["differ"] += 1
                print("seed %d: %s\n    headgate %s\n    C#       %s" % (seed, escape(text), a, b), flush=True)
        seed, left = seed + 1, left - len(texts)
    print("%d expressions that neither compiles; %d where C#'s own run failed; %d where mono is known to be wrong" %
          (counts["!compile"], counts["not run"], counts["known"]))
    print("%d passed, %d failed" % (counts["same"] + counts["known"], counts["differ"]))
    sys.exit(counts["differ"] > 0)


if __name__ == "__main__":
    main()
