#!/usr/bin/env python3
"""usage: tests/suite/usage_notes.py HEADGATE   what the reference says of policies beside their attributes, against the tests: documents,
pipeline, flow, transformation, routing, integration. Access, limits, validation and caching: policy_notes.py, which also has the places.

  notes     each line of usage_notes.txt names a test that is there
  refusals  what refusals.txt says of documents, and that no refusal in src/policy is missing there and everywhere else

Prints what is missing, a line each, and ends with "N passed, N failed".
"""
import os
import re
import subprocess
import sys
import tempfile

HEADGATE = sys.argv[1]


# ---- notes --------------------------------------------------------------------------------------------------------------------

def tests_of(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        return set()
    return set(re.findall(r"^TEST\((\w+)\)" if path.endswith(".c") else r"^test (.*)$", text, re.M))


def check_notes():
    known, seen, subject = {}, set(), ""
    with open("tests/suite/usage_notes.txt", encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.rstrip("\n")
            if not line or line.startswith("#"):
                continue
            if not line.startswith(" "):
                subject = line
                continue
            m = re.fullmatch(r"  (.+) => (\S+): (.+)", line)
            if not m:
                yield False, f"usage_notes.txt:{number}: expected `  NOTE => SCRIPT: TEST`"
                continue
            note, path, test = m.groups()
            path = f"tests/{path}" if path.startswith("unit/") else f"tests/gateway/{path}"
            known.setdefault(path, tests_of(path))
            yield test in known[path] and (subject, note) not in seen, f"{subject}: {note}: {path} has no test '{test}', or the note stands twice"
            seen.add((subject, note))


# ---- refusals -----------------------------------------------------------------------------------------------------------------

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
          "no memory left for keys", "issuer-certificate-id stands without issuer-subject and issuer-thumbprint"}


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
    counts, failed = {}, 0
    for name, check in (("notes", check_notes), ("refusals", check_refusals)):
        for ok, what in check():
            counts[name] = counts.get(name, 0) + ok
            failed += not ok
            if not ok:
                print(what)
    print("usage notes: " + ", ".join(f"{n} {name}" for name, n in counts.items()))
    print(f"{sum(counts.values())} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
