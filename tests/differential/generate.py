"""Writes typed random expressions and method bodies from rules.txt; the same seed writes the same text.

A rule is a type and a pattern whose holes name types, so that nearly all that comes out compiles: `{T}` an expression of type T,
`{=T}` a literal or a local of it, `{'T}` raw text of it, `{\\A,B:T}` a lambda, `#x1` a name of its own. Literals are the leaves. SPDX-License-Identifier: Apache-2.0
"""
import os
import random
import re

TOKEN = re.compile(r"\{\{|\}\}|\{[^{}]+\}|#[a-z]\d\b")
CSHARP = {"seq": "IEnumerable<int>", "strs": "IEnumerable<string>", "list": "List<int>", "strarr": "string[]", "date": "DateTime",
          "off": "DateTimeOffset", "span": "TimeSpan", "guid": "Guid", "bytes": "byte[]", "json": "JToken", "jobj": "JObject",
          "jarr": "JArray", "uri": "Uri", "dict": "Dictionary<string, int>", "tuple": "(int n, string s)", "match": "Match",
          "xml": "XElement", "dbls": "IEnumerable<double>", "sb": "StringBuilder", "queue": "Queue<int>", "stack": "Stack<int>",
          "hset": "HashSet<int>", "grid": "int[,]", "jag": "int[][]", "objs": "IEnumerable<object>", "date?": "DateTime?"}
ATOM = re.compile(r'(?:"[^"\\]*"|[A-Za-z_][\w.]*)$')   # may stand before a member access or behind a sign as it is
# What a result can be, as often as it stands here; all of them print by value.
RESULTS = ("string " * 10 + "int int int long bool bool double decimal decimal char ulong uint byte date span off guid json int? bool?").split()
LOCALS = "decimal? long? date? sb queue stack hset grid jag objs bytes int int string string bool long decimal double list seq strs dict jobj jarr json date span int? char int[] strarr tuple xml".split()
CHANGES = {
    "int": ["{v} += {int};", "{v}++;", "{v} = {int};", "{v} -= {int};", "{v} <<= 1;", "checked {{ {v} *= {int}; }}"],
    "long": ["{v} += {int};", "{v} = {long};", "{v} ^= {long};"],
    "string": ["{v} += {string};", "{v} = {string};", "{v} += {int};", "{v} = {v} + {char};"],
    "bool": ["{v} = {bool};", "{v} |= {bool};", "{v} ^= {bool};"],
    "decimal": ["{v} += {decimal};", "{v} = {decimal};", "{v} /= {int};"],
    "double": ["{v} += {short};", "{v} = {double};"],
    "list": ["{v}.Add({int});", "{v}.AddRange({int[]});", "{v}.RemoveAt({=small});", "{v}.Sort();", "{v}.Insert({=small}, {int});",
             "{v}.Reverse();", "{v}.RemoveAll({\\int:bool});", "{v}.Remove({int});", "{v}[{=small}] += {int};"],
    "dict": ["{v}[{string}] = {int};", "{v}.Remove({string});", "{v}.Add({string}, {int});", "{v}.Clear();"],
    "jobj": ["{v}[{=key}] = {json};", "{v}.Remove({=key});", "{v}.Add({=key}, {json});", "{v}.Add(new JProperty({=key}, {int}));",
             "{v}.Merge({jobj});", "{v}[{=key}]?.Replace({json});", "{v}.Property({=key})?.Remove();",
             "{v}.Merge({jobj}, new JsonMergeSettings {{ MergeArrayHandling = MergeArrayHandling.Union }});"],
    "jarr": ["{v}.Add({json});", "{v}.RemoveAt({=small});", "{v}.Insert({=small}, {int});", "{v}[{=small}] = {string};", "{v}.First?.Remove();"],
    "int?": ["{v} += (int?){int};", "{v} -= {=int};", "{v} = null;", "{v} = {int};"],
    "int[]": ["{v}[{=small}] = {int};", "{v}[{=small}]++;", "Array.Sort({v});", "Array.Reverse({v});"],
    "strarr": ["{v}[{=small}] = {string};", "{v}[{=small}] += {char};"],
    "tuple": ["{v}.n = {int};", "{v}.s += {string};", "{v} = ({int}, {string});"],
    "xml": ["{v}.Add({xml});", "{v}.SetAttributeValue(\"n\", {int});", "{v}.SetElementValue(\"b\", {string});",
            "{v}.Elements(\"a\").Remove();"],
    "decimal?": ["{v} += (decimal?){decimal};", "{v} -= {=decimal};", "{v} *= (decimal?){int?};", "{v} = null;", "{v} = {decimal?};"],
    "long?": ["{v} += (long?){int};", "{v} |= {=long};", "{v} <<= 1;", "{v} = {long?};", "{v}++;"],
    "sb": ["{v}.Append({string});", "{v}.Append({char}).Insert(0, {int});", "{v}.Length = {=small};", "{v}.Replace({=string}, {=string});"],
    "queue": ["{v}.Enqueue({int});", "{v}.Dequeue();", "{v}.Clear();"],
    "stack": ["{v}.Push({int});", "{v}.Pop();"],
    "hset": ["{v}.Add({int});", "{v}.UnionWith({seq});", "{v}.ExceptWith({seq});", "{v}.SymmetricExceptWith({seq});", "{v}.RemoveWhere({\\int:bool});"],
    "grid": ["{v}[1, {=small} % 3] = {int};", "{v}[{=small} % 2, 2] *= {int};"],
    "jag": ["{v}[{=small} % 2] = {int[]};", "{v}[0][{=small}] = {int};"],
    "date": ["{v} = {v}.AddDays({=small});", "{v} += {span};"],
}
LOOPS = ["foreach (var {n} in {list}.Where({\\int:bool}).Take(4))", "for (int {n} = 0; {n} < {=small}; {n}++)", "foreach (var {n} in {seq}.Take(5))", "foreach (int {n} in {list}.ToArray())",
         "for (var {n} = 4; {n} > 0; {n} -= 2)"]
THROWN = ["FormatException", "InvalidOperationException", "ArgumentException", "OverflowException", "Exception"]


class Generator:
    def __init__(self, seed, rules):
        self.r = random.Random(seed)
        self.leaves, self.patterns = rules
        self.locals = {}
        self.names = 0

    def fresh(self, stem):
        self.names += 1
        return "%s%d" % (stem, self.names)

    def leaf(self, kind):
        mine = self.locals.get(kind)
        if mine and self.r.random() < 0.6:
            return self.r.choice(mine)
        if kind not in self.leaves:
            return self.fill(min(self.patterns[kind], key=len), 0)
        return self.fill(self.r.choice(self.leaves[kind]), 0)

    def expression(self, kind, depth):
        if depth <= 0 or kind not in self.patterns or self.r.random() < 0.12:
            return self.leaf(kind)
        return self.fill(self.r.choice(self.patterns[kind]), depth - 1)

    def fill(self, pattern, depth, **fixed):
        own = {}

        def one(m):
            t = m.group(0)
            if t == "{{" or t == "}}":
                return t[0]
            if t[0] == "#":
                return own.setdefault(t, self.fresh(t[1]))
            t = t[1:-1]
            if t in fixed:
                return fixed[t]
            if t[0] == "=":
                return self.leaf(t[1:])
            if t[0] == "'":
                return self.expression(t[1:], depth)
            if t[0] == "\\":
                return self.function(*t[1:].split(":"), depth=depth)
            return self.expression(t, depth)

        def guarded(m):
            text = one(m)
            before, after = pattern[:m.start()][-1:], pattern[m.end():][:1]
            is_hole = m.group(0)[0] == "{" and m.group(0) not in ("{{", "}}") and m.group(0)[1] not in "\\'"
            return "(" + text + ")" if is_hole and (after in tuple(".[?") or before in tuple("-~!)")) and not ATOM.match(text) else text
        return TOKEN.sub(guarded, pattern)

    def function(self, parameters, result, depth):
        kept = {k: list(v) for k, v in self.locals.items()}
        names = []
        for kind in parameters.split(","):
            names.append(self.fresh("x"))
            self.locals.setdefault(kind, []).append(names[-1])
        head = names[0] if len(names) == 1 else "(" + ", ".join(names) + ")"
        if self.r.random() < 0.15:
            text = head + " => { " + self.declaration(1) + "return " + self.expression(result, depth) + "; }"
        else:
            text = head + " => " + self.expression(result, depth)
        self.locals = kept
        return text

    def declaration(self, depth):
        kind = self.r.choice(LOCALS)
        value, name = self.expression(kind, depth), self.fresh("v")
        self.locals.setdefault(kind, []).append(name)
        return "%s %s = %s; " % (CSHARP.get(kind, kind), name, value)

    def change(self, depth):
        kinds = [k for k in CHANGES if any(n[0] == "v" for n in self.locals.get(k, ()))]
        if not kinds:
            return self.declaration(depth)
        kind = self.r.choice(kinds)
        name = self.r.choice([n for n in self.locals[kind] if n[0] == "v"])
        return self.fill(self.r.choice(CHANGES[kind]), depth, v=name) + " "

    def block(self, depth):
        kept = {k: list(v) for k, v in self.locals.items()}
        text = "{ " + "".join(self.statement(depth - 1) for _ in range(self.r.randint(1, 3))) + "} "
        self.locals = kept
        return text

    def loop(self, depth):
        name = self.fresh("l")
        kept = {k: list(v) for k, v in self.locals.items()}
        head = self.fill(self.r.choice(LOOPS), 1, n=name)
        self.locals.setdefault("int", []).append(name)
        text = head + " " + self.block(depth)
        if self.r.random() < 0.3:
            text = text[:-2] + self.fill("if ({bool}) " + self.r.choice(["break", "continue"]) + "; } ", 1)
        self.locals = kept
        return text

    def choice(self, depth):
        if self.r.random() < 0.3:
            text = "switch (" + self.expression("string", 2) + ") { case \"a\": case null: " + self.block(depth) + "break; case \"\": " + self.block(depth) + "break; "
        elif self.r.random() < 0.5:
            text = "switch (" + self.expression("int", 1) + ") { case 1: " + self.block(depth) + "break; case 7: case 10: " + self.block(depth) + "break; "
        else:
            a, b, o = self.fresh("p"), self.fresh("p"), self.fresh("o")
            return "object %s = %s; if (%s is int %s && %s > 3) %selse if (%s is string %s) %s" % (
                o, self.expression("object", 1), o, a, a, self.block(depth), o, b, self.block(depth))
        return text + ("default: " + self.block(depth) + "break; } " if self.r.random() < 0.6 else "} ")

    def attempt(self, depth):
        text = "try " + self.block(depth)
        for kind in sorted(set(self.r.sample(THROWN, self.r.randint(1, 2))), key=THROWN.index):
            name = self.fresh("e")
            text += "catch (%s %s)%s { %s} " % (kind, name, self.fill(" when ({bool})", 1) if self.r.random() < 0.2 else "",
                                               self.report(name) + self.statement(0))
        return text + ("finally " + self.block(depth) if self.r.random() < 0.4 else "")

    def report(self, name):
        mine = [n for n in self.locals.get("string", ()) if n[0] == "v"]
        return "%s += %s.GetType().Name; " % (self.r.choice(mine), name) if mine else ""

    def closures(self, depth):
        """Functions made in a loop and called after it: which variable each of them holds."""
        functions, a = self.fresh("k"), self.fresh("l")
        kept = {k: list(v) for k, v in self.locals.items()}
        head = self.fill(self.r.choice(LOOPS), 1, n=a)
        self.locals.setdefault("int", []).append(a)
        inner = self.declaration(1)
        text = "var %s = new List<Func<int>>(); %s { %s%s.Add(() => { %sreturn %s; }); %s} " % (
            functions, head, inner, functions, self.change(1), self.expression("int", 1), self.statement(0))
        self.locals = kept
        result = self.fresh("v")
        text += "int %s = %s.Sum(q => q()); " % (result, functions)
        self.locals.setdefault("int", []).append(result)
        return text

    def unwinding(self, depth):
        """What is thrown, caught, thrown again and returned, and in which order the blocks run."""
        log = next((n for n in self.locals.get("string", ()) if n[0] == "v"), None)
        if not log:
            return self.attempt(depth)
        kind, name = self.r.choice(THROWN), self.fresh("e")
        inner = self.r.choice(["throw new %s(%s); " % (kind, '"m" + ' + self.expression("int", 1)), self.statement(1),
                               "if (%s) throw new %s(); " % (self.expression("bool", 2), kind), "return %s; " % self.expression("string", 1)])
        again = self.r.choice(["", "throw; ", "throw new Exception(\"again\", %s); " % name, "%s += %s.InnerException?.Message; " % (log, name)])
        final = "%s += \"f\"; %s" % (log, self.statement(0))
        return "try { try { %s += \"t\"; if (%s) { %s} } catch (%s %s) when (%s.Message.Length > %d) { %s += %s.GetType().Name; %s} finally { %s} } %s" % (
            log, self.expression("bool", 1), inner, self.r.choice(THROWN), name, name, self.r.randint(-1, 20), log, name, again, final,
            self.r.choice(["catch { %s += \"c\"; } " % log, "finally { %s += \"g\"; } " % log,
                           "catch (Exception z) { %s += z.InnerException == null ? \"n\" : z.InnerException.GetType().Name; } " % log]))

    def order(self, depth):
        """Operands are evaluated from the left, each once."""
        ints = [n for n in self.locals.get("int", ()) if n[0] == "v"]
        if not ints:
            return self.declaration(depth)
        v, w = self.r.choice(ints), self.r.choice(ints)
        array = self.r.choice([n for n in self.locals.get("int[]", ()) if n[0] == "v"] or [None])
        forms = ["{v} = {v}++ + ++{w};", "{v} += {v}++ * 2;", "{v} = {w} = {int};", "{v} -= ({w} = {v} - 1) + {w}--;", "{v} = -{w}++ - --{v};",
                 "{v} = ({w} += 3) > {int} ? {v}++ : --{w};", "{v} ^= {w} ^= {v} ^ 5;", "{v} = {v} << {w} >> 1 | {int};", "{v} %= ({w} | 1);",
                 "if ({v}++ > {int} || {w}++ < 3 && {v}-- != 2) {v} += 100;", "{v} = {v} > {w} ? {v} & 15 : {w} == {v} ? 1 : ~{w};"]
        if array:
            forms += [array + "[{v} & 1] = {v}++ + " + array + "[{v} & 1];", array + "[({v} = 0)] += {v}++ + {w};", "{v} = " + array + "[{w}++ & 1]--;"]
        return self.fill(self.r.choice(forms), 1, v=v, w=w) + " "

    def recursion(self, depth):
        name, a = self.fresh("f"), self.fresh("x")
        kept = {k: list(v) for k, v in self.locals.items()}
        self.locals.setdefault("int", []).append(a)
        text = "Func<int, int> %s = null; %s = %s => { if (%s > 3) return %s(%s / 2); %sreturn " % (name, name, a, a, name, a, self.statement(depth - 1))
        text += self.expression("int", 1) + "; }; "
        self.locals = kept
        argument, result = self.expression("int", 1), self.fresh("v")
        self.locals.setdefault("int", []).append(result)
        return text + "int %s = %s(%s); " % (result, name, argument)

    def statement(self, depth):
        which = self.r.random()
        if depth <= 0 or which < 0.4:
            return self.change(1 if depth <= 0 else 2)
        if which < 0.55:
            return self.declaration(2)
        if which < 0.65:
            return self.fill("if ({bool}) ", 1) + self.block(depth) + ("else " + self.block(depth) if self.r.random() < 0.4 else "")
        if which < 0.78:
            return self.loop(depth)
        if which < 0.86:
            return self.attempt(depth)
        if which < 0.89:
            return self.choice(depth)
        if which < 0.92:
            return self.closures(depth)
        if which < 0.95:
            return self.unwinding(depth)
        if which < 0.98:
            return self.order(depth)
        return self.recursion(depth)

    def write(self):
        """One expression, or a body in which all that its locals hold in the end is part of the result."""
        self.locals, self.names = {}, 0
        if self.r.random() < 0.65:
            return "@(" + self.expression(self.r.choice(RESULTS), self.r.choice((1, 2, 2, 3, 3, 4))) + ")"
        text = "string v = \"\"; "
        self.locals["string"] = ["v"]
        for _ in range(self.r.randint(1, 3)):
            text += self.declaration(2)
        for _ in range(self.r.randint(2, 5)):
            text += self.fill("if ({bool}) return {string}; ", 1) if self.r.random() < 0.05 else self.statement(2)
        kept = [n for kind in ("int", "long", "bool", "decimal", "string", "jobj", "jarr", "xml", "int?", "date", "decimal?", "long?", "sb") for n in self.locals.get(kind, ())]
        kept += ["string.Join(\",\", %s)" % n for kind in ("list", "int[]", "strarr", "dict", "queue", "stack") for n in self.locals.get(kind, ())]
        return "@{ " + text + "return string.Join(\"|\", new object[] { " + ", ".join(kept) + " }); }"


def read_rules():
    leaves, patterns = {}, {}
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "rules.txt"), encoding="utf-8") as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                kind, which, pattern = line.rstrip("\n").split("\t")
                (leaves if which == "lit" else patterns).setdefault(kind, []).append(pattern)
    return leaves, patterns
