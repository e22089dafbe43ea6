#!/usr/bin/env python3
"""usage: tests/suite/policy_attributes.py HEADGATE REFERENCE   every attribute and element of every policy against the scripts.

What there is comes from the generated reference, which is drawn from the policies' own tables. What is tested is read from the
documents inside the scripts under tests/gateway:

  used      the attribute, element or text stands in a document
  fails     where an expression may stand: one that throws does. By convention that is a named value called boom...
            (or a name that ends so), as in failing-expressions.hgt

and what follows from a table alone is tried here, with `headgate check` on a document made for each row:

  refused   a literal that is no number, truth or choice is an error that names the attribute
  required  a missing attribute or element is an error
  no effect an attribute that does nothing here is a warning
  unknown   an attribute or an element that nobody knows is not skipped silently

Prints what is missing, a line each, and ends with "N passed, N failed".
"""
import os
import re
import subprocess
import sys
import tempfile

HEADGATE, REFERENCE = sys.argv[1], sys.argv[2]

# What is inside is no part of a table: policies, or a text with its markup.
OPAQUE = {"base", "choose", "include-fragment", "set-body/value", "cache-value/value", "cross-domain/cross-domain-policy",
          "xsl-transform/xsl:stylesheet", "xsl-transform/xsl:transform"}


# What no table tells: an element, and what must be said of it.
SAID = [
    ('<set-header name="Content-Length"><value>3</value></set-header>', "warning: this set-header has no effect: Content-Length belongs to the gateway"),
    ('<set-header name="Server" exists-action="delete" />', "warning: this set-header has no effect: Server belongs to the gateway"),
    ('<set-header name="A" exists-action="delete"><value>a</value></set-header>', "warning: values have no effect with exists-action"),
    ('<set-header name="A" exists-action="override" />', "warning: there is no <value>: override removes the header"),
    ('<set-query-parameter name="a" exists-action="delete"><value>a</value></set-query-parameter>', "warning: values have no effect"),
    ('<set-query-parameter name="a" />', "warning: there is no <value>: override removes the parameter"),
    ('<set-variable name=" " value="a" />', "warning: name of <set-variable> is empty"),
    ('<ip-filter action="allow"><address-range from="10.0.0.9" to="10.0.0.1" /></ip-filter>', "error: the range from 10.0.0.9 to 10.0.0.1 holds no address"),
    ('<ip-filter action="allow"><address-range from="10.0.0.9" to="::1" /></ip-filter>', "error: the range from 10.0.0.9 to ::1 holds no address"),
    ('<cors><allowed-origins><origin>example</origin></allowed-origins></cors>', "warning: 'example' is no origin"),
    ('<cors><allowed-origins><origin>*</origin></allowed-origins></cors>', "warning: without <allowed-headers> a preflight"),
    ('<validate-jwt header-name="A" require-scheme="Bearer" />', "warning: require-scheme has no effect"),
    ('<validate-jwt header-name="A" failed-validation-httpcode="99" />', "error: failed-validation-httpcode: '99' is below 200"),
    ('<check-header name="A" failed-check-httpcode="1000" />', "error: failed-check-httpcode: '1000' is above 999"),
    ('<check-header name="A B" failed-check-httpcode="400" />', "warning: name: 'A B' is not a header name"),
    ('<rate-limit calls="1" renewal-period="1" remaining-calls-header-name="A:" />', "warning: remaining-calls-header-name: 'A:' is not a header name"),
    ('<rate-limit calls="1" renewal-period="1" retry-after-header-name="" />', "warning: retry-after-header-name: '' is not a header name"),
    ('<cache-lookup><vary-by-header>A;B</vary-by-header></cache-lookup>', "warning: the text: 'A;B' is not a header name"),
    ('<cors><allowed-origins><origin>*</origin></allowed-origins><allowed-headers><header>a, b</header></allowed-headers></cors>',
     "warning: the text: 'a, b' is not a header name"),
    ('<rate-limit calls="1" renewal-period="1"><api id="a" calls="1" renewal-period="1" /><api id="A" calls="2" renewal-period="1" /></rate-limit>',
     "warning: there are two <api> with the id 'A'"),
    ('<validate-parameters specified-parameter-action="ignore" unspecified-parameter-action="ignore"><query><parameter name="a" action="ignore" />'
     '<parameter name="A" action="detect" /></query></validate-parameters>', "warning: there are two <parameter> with the name 'A'"),
    ('<validate-status-code unspecified-status-code-action="ignore"><status-code code="404" action="ignore" />'
     '<status-code code="404" action="detect" /></validate-status-code>', "warning: there are two <status-code> with the code '404'"),
    ('<send-request><set-url>/relative</set-url></send-request>', "warning: set-url:"),
    ('<retry condition="@(true)" count="1" interval="-1" />', "error: interval: '-1' is below 0"),
    ('<retry condition="@(true)" count="1" interval="1" max-interval="9" />', "warning: max-interval has no effect without delta"),
    ('<retry condition="@(true)" count="1" interval="nan" />', "error: interval: expected a number"),
    ('<find-and-replace from="" to="a" />', "warning: find-and-replace has no effect with an empty from"),
    ('<set-body parse-date="false">a</set-body>', "warning: xsi-nil and parse-date have no effect without template"),
    ('<forward-request buffer-response="true" />', 'warning: buffer-response="true" has no effect'),
    ('<forward-request timeout="1" timeout-ms="1" />', "warning: timeout and timeout-ms exclude each other"),
    ('<authentication-certificate certificate-id="a" password="b" />', "warning: password belongs to body"),
    ('<choose><when condition="@(true)" nobody="1">words</when><otherwise nobody="1" /></choose>', "warning: <when> has no attribute 'nobody'"),
    ('<choose><when condition="@(true)">words</when></choose>', "warning: the text inside <when> is ignored"),
    ('<choose><when condition="@(true)" /><otherwise nobody="1" /></choose>', "warning: <otherwise> has no attribute 'nobody'"),
    ('<include-fragment fragment-id="a" nobody="1" />', "warning: <include-fragment> has no attribute 'nobody'"),
    ('<include-fragment fragment-id="a">words</include-fragment>', "warning: what is inside <include-fragment> is ignored"),
    ('<cache-value key="a" variable-name="b"><value nobody="1"><base /></value></cache-value>', "warning: <value> has no attribute 'nobody'"),
    ('<set-variable name="a" value="Bearer @(1)" />', "warning: value: this stays as it is written; an expression is the whole of a value"),
    ('<set-body>@(1) tail</set-body>', "warning: the text: the expression ends before this, so that all of it stays as it is written; an expression is the whole of a value"),
    ('<trace source="a"><message>b</message><message>c</message></trace>', "warning: <trace> takes one <message>"),
    ('<check-header name="A" />', "warning: Azure needs failed-check-httpcode and failed-check-error-message"),
    ('<ip-filter action="allow"><address>10.0.0.0/8</address></ip-filter>', "warning: Azure takes single addresses, not networks"),
    ('<ip-filter action="allow"><address>10.0.0</address></ip-filter>', "error: '10.0.0' is not an IP address"),
    ('<quota-by-key calls="1" renewal-period="299" counter-key="a" />', "warning: Azure's shortest renewal-period is 300"),
    ('<quota-by-key calls="1" renewal-period="300" counter-key="a" first-period-start="2020-13-01T00:00:00Z" />',
     "error: first-period-start: expected yyyy-MM-ddTHH:mm:ssZ, found '2020-13-01T00:00:00Z'"),
    ('<validate-content unspecified-content-type-action="ignore" max-size="4194305" size-exceeded-action="ignore" />',
     "warning: Azure takes no max-size above 4194304"),
    ('<cache-lookup><vary-by-query-parameter>@("a")</vary-by-query-parameter></cache-lookup>',
     "error: vary-by-query-parameter takes names, not an expression"),
    ("<cache-lookup><vary-by-custom>a</vary-by-custom></cache-lookup>", "warning: Azure has no <vary-by-custom> in <cache-lookup>"),
    ("<cache-lookup /><base />", "warning: on a hit what stands behind it does not run: <base />, with the checks and limits it brings"),
    ('<cache-value key="a" variable-name="b" />', "error: <cache-value> needs a <value> with the policies that set the variable"),
    ('<cache-value key="a" variable-name="b"><value><base /></value><value><base /></value></cache-value>',
     "error: <cache-value> takes one <value>"),
    ('<validate-jwt header-name="A" />', "warning: neither <issuer-signing-keys> nor <openid-config>"),
    ('<validate-jwt header-name="A"><issuer-signing-keys><key>YWJjZGVmZ2hpamtsbW5vcA==</key></issuer-signing-keys></validate-jwt>',
     "warning: a key of 16 bytes is easier to guess"),
    ('<validate-jwt header-name="A"><issuer-signing-keys><key>!</key></issuer-signing-keys></validate-jwt>', "error: a key must be Base64"),
    ('<validate-jwt header-name="A" query-parameter-name="b"><issuer-signing-keys><key>MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=</key></issuer-signing-keys></validate-jwt>',
     "error: <validate-jwt> takes one of header-name, query-parameter-name and token-value"),
    ('<validate-azure-ad-token tenant-id="t" />', "warning: neither client-application-ids, backend-application-ids nor audiences"),
    ('<validate-azure-ad-token tenant-id="https://a.example/" />', "error: tenant-id: '' names no tenant"),
    ("<authentication-certificate />", "error: <authentication-certificate> takes one of thumbprint, certificate-id and body"),
    ('<get-authorization-context provider-id="a" authorization-id="b" context-variable-name="c" identity-type="jwt" />',
     "error: identity-type jwt needs identity"),
    ("<choose />", "warning: Azure needs a <when> in <choose>"),
    ('<choose><otherwise /><when condition="@(true)" /></choose>', "error: <otherwise> is the last branch of <choose>"),
    ("<choose><when /></choose>", "error: <when> needs the attribute condition"),
    ('<emit-metric name="a" />', "warning: Azure needs a <dimension>"),
    ('<emit-metric name="a"><dimension name="Mine" /></emit-metric>',
     "warning: the dimension `Mine` needs a value; without one it is empty"),
    ('<send-request mode="new" response-variable-name="a" />', "error: <send-request> with mode new needs a <set-url>"),
    ('<set-header name="A">a</set-header>', "warning: Azure takes the value of set-header in <value>"),
    ('<set-header name="A B" exists-action="delete" />', "warning: 'A B' is not a header name; requests that come here fail"),
    ('<wait><set-variable name="a" value="b" /></wait>', "warning: Azure takes send-request, cache-lookup-value and choose in wait"),
    ('<log-to-eventhub logger-id="a" partition-id="1" partition-key="b">c</log-to-eventhub>',
     "error: <log-to-eventhub> takes either partition-id or partition-key"),
    ("<set-backend-service />", "error: <set-backend-service> takes either base-url or backend-id"),
    ('<send-service-bus-message namespace="a"><payload>b</payload></send-service-bus-message>',
     "error: <send-service-bus-message> takes either queue-name or topic-name"),
    ('<retry condition="@(true)" count="1"><base /></retry>', "warning: Azure needs the attribute interval"),
    ('<base nobody="1" />', "warning: <base> has no attribute 'nobody'"),
    ('</inbound><outbound nobody="1">words</outbound><inbound>', "warning: <outbound> has no attribute 'nobody'"),
    ('</inbound><outbound>words</outbound><inbound>', "warning: the text inside <outbound> is ignored"),
]


class Attribute:
    def __init__(self, name, required, has_expressions, kind, has_effect):
        self.name, self.required, self.has_expressions, self.kind, self.has_effect = name, required, has_expressions, kind, has_effect


class Element:
    def __init__(self, name, required=False):
        self.name, self.required = name, required
        self.attributes, self.children = {}, {}


def attribute_of(label, required, expressions, kind, about):
    name = label.strip("`") if label.startswith("`") else ""
    return Attribute(name, required, expressions, kind, "*No effect here:*" not in about)


def read_reference(path):
    """Policies by name."""
    policies, stack = {}, []
    with open(path, encoding="utf-8") as file:
        for line in file:
            line = line.rstrip("\n")
            if line.startswith("## "):
                stack = [Element(line[3:])] if line[3:].islower() else []
                policies.update((e.name, e) for e in stack)
            elif stack and re.match(r"\| (`|text)", line):
                label, required, _, expressions, kind, about = [c.strip() for c in re.split(r"(?<!\\)\|", line)[1:7]]
                a = attribute_of(label, required == "yes", expressions == "yes", kind, about)
                stack[0].attributes[a.name] = a
            elif stack and re.match(r" *- (`|its text)", line):
                add_row_of_element(line, stack)
    return policies


def add_row_of_element(line, stack):
    """    - `<name>`, required: ...   or   - `name`, required, TYPE, no expressions: ... of the element above it."""
    depth = (len(line) - len(line.lstrip())) // 2
    label, facts, about = re.match(r" *- (`[^`]*`|its text)((?:, [^:]*)?): (.*)", line).groups()
    if label.startswith("`<"):
        e = Element(label[2:-2], ", required" in facts)
        del stack[depth + 1:]
        stack[depth].children[e.name] = e
        stack.append(e)
    else:
        name = label.strip("`") if label.startswith("`") else ""
        kind = facts.replace(", required", "").replace(", no expressions", "")[2:]
        a = Attribute(name, ", required" in facts, "no expressions" not in facts, kind, "*No effect here:*" not in about)
        stack[depth].attributes[name] = a


# ---- documents in scripts --------------------------------------------------------------------------------------------------

def end_of_code(text, at):
    """Behind the bracket that closes the one at `at`, by C#'s rules for strings and comments."""
    depth = 0
    token = re.compile(r'[$]?@[$]?"(?:[^"]|"")*"|[$]?"(?:\\.|[^"\\\n])*"|&quot;.*?&quot;|\'(?:\\.|[^\'\\])\'|//[^\n]*|/\*.*?\*/|[({\[]|[)}\]]', re.S)
    while m := token.search(text, at):
        at = m.end()
        if m.group() in "({[":
            depth += 1
        elif m.group() in ")}]":
            depth -= 1
            if depth == 0:
                return at
    return len(text)


def read_value(text, at):
    """An attribute's value at its quote: the value and where it ends."""
    quote = text[at]
    code = re.compile(r"\s*@[({]").match(text, at + 1)
    end = end_of_code(text, code.end() - 1) if code else at + 1
    while end < len(text):      # a quote that ends it is followed by another attribute or the end of the tag
        end = text.find(quote, end)
        if end < 0 or re.compile(r"\s*/?>|\s+[A-Za-z:-]+\s*=").match(text, end + 1):
            break
        end += 1
    return text[at + 1:end], max(end, at) + 1


def elements_of(text):
    """(path of names, attributes, text up to the next tag) of all that looks like an element."""
    stack = []
    tag = re.compile(r"<(/?)([a-z][a-z0-9:-]*)(?=[\s/>])")
    at = 0
    while m := tag.search(text, at):
        at = m.end()
        if m.group(1):
            if m.group(2) in stack:
                while stack.pop() != m.group(2):
                    pass
            continue
        attributes = {}
        while a := re.compile(r"""\s+([A-Za-z:-]+)\s*=\s*(?=["'])""").match(text, at):
            attributes[a.group(1)], at = read_value(text, a.end())
        close = re.compile(r"\s*(/?)>").match(text, at)
        if not close:
            continue
        at = close.end()
        stack.append(m.group(2))
        content = ""
        if not close.group(1):
            code = re.compile(r"\s*@[({]").match(text, at)
            end = end_of_code(text, code.end() - 1) if code else text.find("<", at)
            content = text[at:end]
            at = end if code else at
        yield tuple(stack), attributes, content
        if close.group(1):
            stack.pop()


def scripts():
    for folder in ("tests/gateway", "examples"):
        for root, _, names in os.walk(folder):
            for name in sorted(names):
                if name.endswith((".hgt", ".xml")):
                    with open(os.path.join(root, name), encoding="utf-8", errors="replace") as file:
                        yield file.read()


def place(policies, path):
    """The element that a path ends in, by the names from its policy on; None outside of policies."""
    element, chain = None, ()
    for name in path:
        if element and name in element.children:
            element, chain = element.children[name], chain + (name,)
            if name in policies:
                yield chain, element
                element, chain = policies[name], (name,)
        elif name in policies:
            element, chain = policies[name], (name,)
        else:
            element, chain = None, ()
    if element:
        yield chain, element


def is_failing(value):
    return "boom" in value.lower()


def read_uses(policies):
    used, failing = set(), set()
    for text in scripts():
        for path, attributes, content in elements_of(text):
            for chain, _ in place(policies, path):
                used.add(chain)
                for name, value in list(attributes.items()) + ([("", content)] if content.strip() else []):
                    used.add(chain + ("@" + name,))
                    if is_failing(value):
                        failing.add(chain + ("@" + name,))
    return used, failing


def rows(policies):
    """(chain, element) of every element that a policy's part of the reference holds."""
    def walk(chain, element):
        yield chain, element
        for child in element.children.values():
            if child.name not in policies:
                yield from walk(chain + (child.name,), child)
            else:
                yield chain + (child.name,), child
    for name, policy in policies.items():
        yield from walk((name,), policy)


# ---- documents made from the tables -----------------------------------------------------------------------------------------

def wanted_messages(element, how):
    """What `headgate check` must say about an element that is written in the way `how`."""
    typed = [a for a in element.attributes.values() if a.kind != "text" and a.kind != "any value"]
    if how == "bad":
        return [f"error: {a.name or 'the text'}: expected" for a in typed if a.has_effect]
    if how == "bare":
        return ([f"<{element.name}> needs the attribute {a.name}" if a.name else f"<{element.name}> needs a text"
                 for a in element.attributes.values() if a.required] +
                [f"<{element.name}> needs a <{c.name}>" for c in element.children.values() if c.required])
    if how == "no effect":
        return [f"warning: {a.name} of <{element.name}> has no effect" for a in element.attributes.values() if not a.has_effect]
    return [f"<{element.name}> has no attribute 'nobody'", "<nobody>' 'nobody'", *(
        [] if "" in element.attributes else [f"the text inside <{element.name}> is ignored"])]


def write_element(element, how):
    attributes, text = "", ""
    for a in element.attributes.values():
        if how == "bad" and a.kind not in ("text", "any value") or how == "no effect" and not a.has_effect:
            value = "b a d" if how == "bad" else "true"
            if a.name:
                attributes += f' {a.name}="{value}"'
            else:
                text = value
    if how == "unknown":
        attributes, text = ' nobody="1"', "words" if "" not in element.attributes else ""
        text += "<nobody />"
    return f"<{element.name}{attributes}>{text}</{element.name}>"


def checked(policies):
    """(what, said): for each row of the tables what `headgate check` must say, and all that it said about that document."""
    documents = []
    for chain, element in rows(policies):
        if len(chain) > 1 and chain[-1] in policies or {chain[0], "/".join(chain)} & OPAQUE:
            continue
        for how in ("bad", "bare", "no effect", "unknown"):
            if wanted := wanted_messages(element, how):
                inner = write_element(element, how)
                for name in reversed(chain[:-1]):
                    inner = f"<{name}>{inner}</{name}>"
                documents.append((f"{'/'.join(chain)}, {how}", wanted, f"<policies><inbound>{inner}</inbound></policies>"))
    documents += [("said", [wanted], f"<policies><inbound>{element}</inbound></policies>".replace("<inbound></inbound>", ""))
                  for element, wanted in SAID]
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for i, (_, _, text) in enumerate(documents):
            names.append(os.path.join(folder, f"{i}.xml"))
            with open(names[-1], "w", encoding="utf-8") as file:
                file.write(text)
        out = subprocess.run([HEADGATE, "check", *names], capture_output=True, text=True).stdout
    said = {}
    for line in out.splitlines():
        if m := re.match(r".*/(\d+)\.xml:\d+:\d+: (.*)", line):
            said.setdefault(int(m.group(1)), []).append(m.group(2))
    for i, (what, wanted, text) in enumerate(documents):
        for message in wanted:
            parts = message.split("' '") if "' '" in message else [message]
            found = any(p.strip("'") in line for p in parts for line in said.get(i, []))
            yield found, f"{what}: {text} should say: {message}"


def main():
    policies = read_reference(REFERENCE)
    used, failing = read_uses(policies)
    missing, passed = [], 0
    for chain, element in rows(policies):
        label = "/".join(chain)
        if chain in used:
            passed += 1
        else:
            missing.append(f"{label}: in no script")
        for a in element.attributes.values():
            key = chain + ("@" + a.name,)
            what = f"{label} {a.name or 'text'}"
            if key in used:
                passed += 1
            else:
                missing.append(f"{what}: in no script")
            if a.has_expressions and a.has_effect:
                if key in failing:
                    passed += 1
                else:
                    missing.append(f"{what}: no script with an expression that fails")
    for found, what in checked(policies):
        passed += found
        missing += [] if found else [what]
    for line in missing:
        print(line)
    print(f"{passed} passed, {len(missing)} failed")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
