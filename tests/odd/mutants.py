"""The cases of tests/expr with a few tokens exchanged, lost, doubled or moved.
SPDX-License-Identifier: Apache-2.0
"""
import glob
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))
TOKEN = re.compile(r'@?\$?"(?:[^"\\]|\\.)*"|\'[^\']*\'|[A-Za-z_]\w*|\d+\.?\d*[a-zA-Z]*|=>|\?\.|\?\?|==|!=|<=|>=|&&|\|\||<<|>>|\+\+|--|[-+*/%&|^]=|\s+|.',
                   re.S)
NUMBERS = """0 1 -1 2 3 7 31 32 63 64 255 256 1000 65535 2147483647 int.MaxValue int.MinValue 9223372036854775807 long.MinValue 0.5 1e308
double.NaN 1m 0L (byte)3 'x' 4294967295 -5 10 20 50""".split()
STRINGS = ['""', '"a"', '"\u00e9\u20ac\U0001d11e"', '"\\ud83d"', '"%"', '"{0}"', '"{"', '"}"', '"("', '"["', '"*"', '"0"', '"-"', "null",
           '"' + "a" * 80 + '"', '"yyyy"', '"{0,-10:N5}"', '"a,b,,c"', '"<a/>"', '"{}"', '"[]"', '"$..*"', '"\\0"', '"1e400"',
           '"2024-02-29T23:59:59.9999999Z"', '"99999999999999999999"']


def cases():
    for path in sorted(glob.glob(os.path.join(HERE, "..", "expr", "*.txt"))):
        with open(path, encoding="utf-8") as f:
            for line in f:
                text, mark, _ = line.partition("// expect:")
                text = text.strip()
                if mark and not text.startswith("#"):
                    yield text if text.startswith("@") else f"@{text}" if text.startswith("{") else f"@({text})"


class Maker:
    def __init__(self, rand):
        self.rand = rand
        self.cases = [TOKEN.findall(case) for case in cases()]
        self.pool = [token for case in self.cases for token in case if not token.isspace()]
        self.names = [token for token in self.pool if token[0].isalpha()]

    def exchange_values(self, tokens):
        """Literals for others of their kind, members for others: most of what comes of it compiles."""
        literals = [i for i, t in enumerate(tokens) if t[0].isdigit() or t.endswith('"')]
        names = [i for i, t in enumerate(tokens) if i and tokens[i - 1] == "." and t[0].isalpha()]
        for _ in range(self.rand.choice([1, 1, 2, 3])):
            if literals and (not names or self.rand.random() < .75):
                i = self.rand.choice(literals)
                tokens[i] = self.rand.choice(NUMBERS if tokens[i][0].isdigit() else STRINGS)
            elif names:
                tokens[self.rand.choice(names)] = self.rand.choice(self.names)

    def exchange_tokens(self, tokens):
        for _ in range(self.rand.choice([1, 1, 1, 2, 3])):
            i = self.rand.randrange(len(tokens))
            j = min(len(tokens), i + self.rand.randrange(1, 8))
            which = self.rand.randrange(6)
            if which == 0 and j - i < len(tokens):
                del tokens[i:j]
            elif which == 1:
                tokens[i] = self.rand.choice(self.pool)
            elif which == 2:
                tokens.insert(i, self.rand.choice(self.pool))
            elif which == 3:
                k = self.rand.randrange(len(tokens))
                tokens[i], tokens[k] = tokens[k], tokens[i]
            elif which == 4:
                other = self.rand.choice(self.cases)
                k = self.rand.randrange(len(other))
                tokens[i:i] = other[k:k + self.rand.randrange(1, 12)]
            else:
                tokens[i:i] = tokens[i:j]

    def program(self):
        tokens = list(self.rand.choice(self.cases))
        self.rand.choice([self.exchange_values, self.exchange_tokens])(tokens)
        return "".join(tokens).replace("\t", " ").replace("\n", " ")
