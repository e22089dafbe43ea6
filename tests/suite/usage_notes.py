#!/usr/bin/env python3
"""usage: tests/suite/usage_notes.py HEADGATE   what the reference says of policies beside their attributes, against the tests.

  notes    each line of usage_notes.txt names a test that is there
  places   in which sections and at which scopes a policy may stand: `headgate check --strict` refuses every other one, and no right one
  once     a policy that may stand once in a section: a second one beside it is refused
  lenient  the same documents without --strict: a warning, and no error, for the place
  refusals what refusals.txt says of documents, and that no refusal in src/policy is missing there and everywhere else

Prints what is missing, a line each, and ends with "N passed, N failed".
"""
import os
import re
import subprocess
import sys
import tempfile

HEADGATE = sys.argv[1]
SECTIONS = ("inbound", "backend", "outbound", "on-error")
SCOPES = {"global": "policy.xml", "product": "products/p/policy.xml", "api": "apis/a/policy.xml", "operation": "apis/a/operations/o/policy.xml"}

# By the pages of the policies and, where it is wider, Azure's policy toolkit; not by our tables.
ALL = "inbound backend outbound on-error"
IN = "inbound"
PLACES = {
    ALL: "base cache-lookup-value cache-remove-value cache-store-value cache-value choose emit-metric find-and-replace include-fragment "
         "json-to-xml limit-concurrency log-to-eventhub retry return-response send-one-way-request send-request set-header set-status "
         "set-variable trace",
    IN: "authentication-basic authentication-certificate cache-lookup check-header cors cross-domain "
        "ip-filter proxy quota quota-by-key rate-limit rate-limit-by-key rewrite-uri validate-azure-ad-token "
        "validate-client-certificate validate-jwt validate-parameters azure-openai-emit-token-metric azure-openai-semantic-cache-lookup "
        "azure-openai-token-limit llm-emit-token-metric llm-semantic-cache-lookup llm-token-limit publish-to-dapr "
        "validate-graphql-request validate-odata-request",
    "backend": "forward-request",
    "outbound": "azure-openai-semantic-cache-store cache-store jsonp llm-semantic-cache-store",
    "inbound backend": "set-backend-service set-query-parameter",
    "inbound outbound": "authentication-managed-identity llm-content-safety redirect-content-urls xsl-transform",
    "inbound on-error": "set-method",
    "outbound on-error": "validate-headers validate-status-code",
    "inbound backend outbound": "get-authorization-context set-body wait",
    "inbound outbound on-error": "invoke-dapr-binding mock-response send-service-bus-message validate-content xml-to-json",
}
NOT_EVERYWHERE = {"quota": "product", "rate-limit": "product api operation", "cross-domain": "global",
                  "llm-content-safety": "global product api", "validate-graphql-request": "global product api",
                  "validate-odata-request": "global product api"}
ONCE = ("authentication-basic cache-lookup cache-store cors jsonp quota rate-limit redirect-content-urls validate-headers validate-parameters "
        "validate-status-code xsl-transform").split()
RESOLVERS = {"cosmosdb-data-source", "http-data-source", "publish-event", "sql-data-source", "invoke-request"}


def known_policies():
    with open("src/policy/policies.def", encoding="utf-8") as file:
        text = file.read()
    names = [n.replace("_", "-") for n in re.findall(r"^POLICY\((\w+)\)", text, re.M)] + re.findall(r'^LATER\("([\w-]+)"', text, re.M)
    return [n for n in names if n not in RESOLVERS]


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


# ---- places -------------------------------------------------------------------------------------------------------------------

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


def check_sections():
    rows = [(name, section, section in sections.split()) for sections, names in PLACES.items() for name in names.split()
            for section in SECTIONS]
    documents = [f"<policies><{section}><{name} /></{section}></policies>" for name, section, _ in rows]
    for level, options in (("error", ["--strict"]), ("warning", [])):
        for (name, section, is_right), said in zip(rows, said_by_check(documents, *options)):
            found = f"{level}: Azure does not allow {name} in {section}" in said
            yield found != is_right, f"{name} in {section}: {'refused' if found else 'not told'} ({level})"
    told = {name for names in PLACES.values() for name in names.split()}
    for name in known_policies():
        yield name in told, f"{name}: usage_notes.py does not know where it may stand"


def check_once():
    documents = []
    for name in ONCE:
        section = next(s.split()[0] for s, names in PLACES.items() if name in names.split())
        documents += [f"<policies><{section}><{name} /><{name} /></{section}></policies>", f"<policies><{section}><{name} /></{section}></policies>"]
    for level, options in (("error", ["--strict"]), ("warning", [])):
        said = said_by_check(documents, *options)
        for i, name in enumerate(ONCE):
            line = f"{level}: Azure allows {name} once in a section"
            yield line in said[2 * i] and line not in said[2 * i + 1], f"{name} twice: {said[2 * i]}"
    wanted = [("<fragment><base /></fragment>", "Azure does not allow base in fragments"),
              ("<fragment><cache-lookup /></fragment>", "Azure does not support cache-lookup in fragments"),
              ('<fragment><cache-lookup-value key="a" variable-name="b" /></fragment>', "Azure does not support cache-lookup-value in fragments"),
              ('<retry condition="@(true)" count="1" interval="0"><wait /></retry>', "Azure does not allow wait in retry"),
              ('<wait><set-variable name="a" value="b" /></wait>', "Azure takes send-request, cache-lookup-value and choose in wait"),
              ("<choose><otherwise /></choose>", "Azure needs a <when> in <choose>"),
              ('<retry condition="@(true)" count="1" />', "Azure needs the attribute interval")]
    for (text, line), said in zip(wanted, said_by_check([text for text, _ in wanted])):
        yield f"warning: {line}" in said, f"{text}: {said} should hold: {line}"


# ---- refusals -----------------------------------------------------------------------------------------------------------------

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


def check_scopes():
    """One folder for each scope."""
    names = [n for names in PLACES.values() for n in names.split() if n not in ("base", "include-fragment")]
    document = "<policies><inbound>" + "".join(f"\n<{n} />" for n in names) + "\n</inbound></policies>"
    files = {"products/p/apis/a/productApiInformation.json": "{}",
             "products/p/productInformation.json": '{"properties": {"displayName": "p", "state": "published"}}',
             "apis/a/apiInformation.json": '{"properties": {"displayName": "a", "path": "a"}}',
             "apis/a/specification.json": '{"openapi": "3.0.1", "info": {"title": "a", "version": "1"}, "paths": {"/o": {"get": '
                                          '{"operationId": "o", "responses": {"200": {"description": ""}}}}}}'}
    for scope, place in SCOPES.items():
        with tempfile.TemporaryDirectory() as folder:
            for path, text in (files | {place: document}).items():
                os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
                with open(os.path.join(folder, path), "w", encoding="utf-8") as file:
                    file.write(text)
            out = subprocess.run([HEADGATE, "check", "--strict", folder], capture_output=True, text=True).stdout
        for name in names:
            is_right = scope in NOT_EVERYWHERE.get(name, " ".join(SCOPES)).split()
            found = f"error: Azure does not allow {name} at {scope} scope" in out
            yield found != is_right, f"{name} at {scope} scope: {'refused' if found else 'not told'}"


def main():
    counts, failed = {}, 0
    for name, check in (("notes", check_notes), ("sections", check_sections), ("once", check_once), ("scopes", check_scopes),
                        ("refusals", check_refusals)):
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
