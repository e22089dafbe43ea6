"""Calls of members of the library, with odd values of the types that their parameters have.

The signatures come from the reference that the program writes itself (`headgate docs`), the values from values.txt; what stands in
neither is made with a constructor, a static member, or left null.
SPDX-License-Identifier: Apache-2.0
"""
import os
import re
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TYPE_ARGUMENTS = ["int", "string", "object", "JToken", "XElement", "char", "double", "KeyValuePair<string,int>", "DateTime", "JObject"]
SEQUENCES = {"IEnumerable", "IList", "ICollection", "IReadOnlyList", "IReadOnlyCollection", "IOrderedEnumerable"}
TYPE_PARAMETER = re.compile(r"\b([TUKVR]|T[A-Z]\w*|T\d)\b")
TAILS = [""] * 4 + [".ToString()", ".ToList()", ".Count()", ".Equals(null)", ".GetHashCode()", ".GetType().Name", ".First()", ".Last()"]
# A dictionary, and whatever else is made of two types.
GENERIC = re.compile(r"^(\w+)<(.*)>$")


def split(text):
    """At the commas outside of brackets."""
    parts, depth, part = [], 0, ""
    for c in text:
        depth += (c in "<([") - (c in ">)]")
        if c == "," and depth == 0:
            parts.append(part.strip())
            part = ""
        else:
            part += c
    return parts + [part.strip()] if part.strip() else parts


def read_values():
    values = {}
    with open(os.path.join(HERE, "values.txt"), encoding="utf-8") as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                kind, *texts = line.rstrip("\n").split("\t")
                values[kind] = texts
    return values


def read_reference(headgate):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([headgate, "docs", folder], check=True, stdout=subprocess.DEVNULL)
        with open(os.path.join(folder, "expressions.md"), encoding="utf-8") as f:
            return f.read().splitlines()


class Maker:
    def __init__(self, headgate, rand):
        self.rand, self.values = rand, read_values()
        self.rows, self.enums, self.constructors, self.givers = [], {}, {}, {}
        owner = None
        for line in read_reference(headgate):
            row = re.match(r"^- `(.*)`$", line)
            if line.startswith("## "):
                owner = line[3:].strip().rpartition(".")[2] if "<" not in line else re.sub(r"^(\w+\.)+", "", line[3:].strip())
            elif owner and line.startswith("enum"):
                self.enums[owner] = []
            elif owner and row:
                self.add(owner, re.sub(r" where .*", "", row[1]))

    def add(self, owner, row):
        if owner in self.enums:
            self.enums[owner].append(f"{owner}.{re.match(r'[@A-Za-z0-9_]+', row)[0]}")
            return
        self.rows.append((owner, row))
        made = re.match(r"^new\((.*)\)$", row)
        given = re.match(r"^static (\S+) (\w+)(?:\((.*)\)| \{ get.*)$", row)
        if made:
            self.constructors.setdefault(owner, []).append(split(made[1]))
        elif given and "<" not in owner:
            self.givers.setdefault(given[1], []).append((f"{owner}.{given[2]}", None if given[3] is None else split(given[3])))

    # --- values

    def some(self, kind, most, depth):
        return ", ".join(self.value(kind, depth + 1) for _ in range(self.rand.randrange(most + 1)))

    def sequence(self, kind, depth):
        return self.rand.choice([f"new List<{kind}> {{ {self.some(kind, 3, depth)} }}", f"new {kind}[] {{ {self.some(kind, 3, depth)} }}",
                                 f"new {kind}[0]", f"Enumerable.Empty<{kind}>()"])

    def function(self, name, kinds, depth):
        parameters = [f"p{i}" for i in range(len(kinds) - (name == "Func"))]
        if name == "Func":
            result = self.rand.choice([self.value(kinds[-1], depth + 1)] + parameters[:1])
        else:
            result = {"Predicate": self.rand.choice(["true", "false", "p0.Equals(p0)"]), "Comparison": self.rand.choice(["0", "1", "-1"])}.get(name, "{ }")
            parameters = ["p0", "p1"] if name == "Comparison" else parameters
        return f"({', '.join(parameters)}) => {result}"

    def value(self, kind, depth=0):
        kind = kind.strip()
        generic = GENERIC.match(kind)
        if self.rand.random() < .05 or depth > 4:
            return "null"
        if kind in self.values:
            return self.rand.choice(self.values[kind])
        if kind.endswith("?"):
            return self.rand.choice(["null", f"({kind}){self.value(kind[:-1], depth)}"])
        if kind.endswith("[]"):
            return f"new {kind} {{ {self.some(kind[:-2], 2, depth)} }}"
        if generic and generic[1] in SEQUENCES:
            return self.sequence(generic[2], depth) + (".OrderBy(q => 1)" if generic[1] == "IOrderedEnumerable" else "")
        if generic and generic[1] in ("List", "HashSet", "Queue", "Stack"):
            return f"new {kind}({self.sequence(generic[2], depth)})"
        if generic and generic[1] in ("Dictionary", "IDictionary"):
            return f"new Dictionary<{generic[2]}> {{ {{ {', '.join(self.value(k, depth + 1) for k in split(generic[2]))} }} }}"
        if generic and generic[1] in ("Func", "Action", "Predicate", "Comparison"):
            return self.function(generic[1], split(generic[2]), depth)
        if self.enums.get(kind):
            return self.rand.choice(self.enums[kind])
        if kind in self.constructors:
            return f"new {kind}({self.arguments(self.rand.choice(self.constructors[kind]), depth + 1)})"
        if kind in self.givers:
            name, parameters = self.rand.choice(self.givers[kind])
            return name if parameters is None else f"{name}({self.arguments(parameters, depth + 1)})"
        return f"default({kind})"

    def arguments(self, parameters, depth=0):
        texts = []
        for parameter in parameters:
            words = re.match(r"^(this |params |out |ref )?(.*\S)\s+@?\w+$", parameter.partition("=")[0].strip())
            if not words or ("=" in parameter and self.rand.random() < .5):
                break
            if words[1] == "out ":
                texts.append(f"out var o{len(texts)}")
            elif words[1] == "params ":
                texts += [self.value(words[2][:-2], depth) for _ in range(self.rand.randrange(4))]
            else:
                texts.append(self.value(words[2], depth))
        return ", ".join(texts)

    # --- programs

    def call(self):
        owner, row = self.rand.choice(self.rows)
        kinds = {name: self.rand.choice(TYPE_ARGUMENTS) for name in set(TYPE_PARAMETER.findall(f"{owner} {row}"))}
        owner, row = (TYPE_PARAMETER.sub(lambda m: kinds[m[0]], text) for text in (owner, row))
        is_static = row.startswith("static ")
        row = row[7:] if is_static else row
        receiver = owner if is_static else f"({self.value(owner)})"
        if m := re.match(r"^new\((.*)\)$", row):
            return f"new {owner}({self.arguments(split(m[1]))})"
        if m := re.match(r"^.+? this\[(.*)\] \{", row):
            return f"{receiver}[{self.arguments(split(m[1]))}]"
        if m := re.match(r"^.+? operator (\S+)\((.*)\)$", row):
            sides = [self.arguments([side]) for side in split(m[2])]
            return f"({sides[0]}) {m[1]} ({sides[1]})" if len(sides) == 2 else f"{m[1]}({', '.join(sides)})"
        if m := re.match(r"^.+? (\w+) \{", row):
            return f"{receiver}.{m[1]}"
        if m := re.match(r"^.+? (\w+)(<[^>]*>)?\((.*)\)$", row):
            parameters, given = split(m[3]), m[2] if m[2] and self.rand.random() < .3 else ""
            if parameters and parameters[0].startswith("this "):
                receiver = f"({self.arguments(parameters[:1])})"
                parameters = parameters[1:]
            return f"{receiver}.{m[1]}{given}({self.arguments(parameters)})"
        return "0"

    def program(self):
        call, tail = self.call(), self.rand.choice(TAILS)
        if self.rand.random() < .3:
            return f"@{{ var r = {call}; return JsonConvert.SerializeObject(r) + r; }}"
        return f"@(({call}){tail})" if tail else f"@({call})"
