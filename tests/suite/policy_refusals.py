#!/usr/bin/env python3
"""usage: tests/suite/policy_refusals.py HEADGATE   what documents are told: each line of refusals.txt, and that no message of src/policy
is missing there and everywhere else. Prints what is missing, a line each, and ends with "N passed, N failed".
"""
import os
import re
import subprocess
import sys
import tempfile

HEADGATE = sys.argv[1]


def said_by_check(documents, *options):
    """Lines of `headgate check` about each document."""
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for i, text in enumerate(documents):
            names.append(os.path.join(folder, f"{i}.xml"))
            with open(names[-1], "w", encoding="utf-8") as file:
                file.write(text)
        out = subprocess.run([HEADGATE, "check", *options, *names], capture_output=True, text=True).stdout
    said = [[] for _ in documents]
    for line in out.splitlines():
        if m := re.match(r".*/(\d+)\.xml:\d+:\d+: (.*)", line):
            said[int(m.group(1))].append(m.group(2))
    return said


# Seen in no document that is fit for a test: sizes, and what needs a whole folder and its certificates.
UNSEEN = {"the section is too large with its fragments", "the document needs too much memory", "the template needs too much memory",
          "no memory left for keys", "Azure takes policy fragments of at most",
          "issuer-certificate-id stands without issuer-subject and issuer-thumbprint"}


def read_refusals():
    with open("tests/suite/refusals.txt", encoding="utf-8") as file:
        for line in file:
            if " <= " in line and not line.startswith("#"):
                yield line.rstrip("\n").split(" <= ", 1)


def messages_of(text):
    """The literals of compile_error() and its kin, without what is filled in: the longest part of each."""
    call = r'compile_(?:error|strict|warning)\((?:[^()"]|\([^()]*\))*?((?:"(?:[^"\\]|\\.)*"(?:\s*PRIu\d+)?\s*)+)'
    for m in re.finditer(call, text):
        whole = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', m.group(1))).replace('\\"', '"')
        yield max(re.split(r"%(?:\.\*)?[a-z]*", whole), key=len).strip(" '`:")


def check_refusals():
    rows = list(read_refusals())
    documents = [e if e.startswith(("<policies", "<fragment")) else f"<policies><inbound>{e}</inbound></policies>" for _, e in rows]
    for (wanted, element), said, strictly in zip(rows, said_by_check(documents), said_by_check(documents, "--strict")):
        yield wanted in said + strictly, f"{element}: {said} should hold: {wanted}"
    seen = "\n".join(wanted for wanted, _ in rows)
    for root in ("tests/gateway", "tests/unit/policy", "tests/suite"):
        for folder, _, names in os.walk(root):
            for name in names:
                if name.endswith((".hgt", ".c", "attributes.py", "notes.py")):
                    with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                        seen += file.read().replace('\\"', '"')
    for name in sorted(os.listdir("src/policy")):
        if name.endswith(".c"):
            with open(os.path.join("src/policy", name), encoding="utf-8") as file:
                for message in messages_of(file.read()):
                    is_seen = message in seen or any(u in message for u in UNSEEN)
                    yield is_seen, f"src/policy/{name}: no test has a document that is told: {message}"


def main():
    passed = failed = 0
    for ok, what in check_refusals():
        passed, failed = passed + ok, failed + (not ok)
        if not ok:
            print(what)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
