#!/usr/bin/env python3
"""Says what C# makes of expressions: compiles them with mono's mcs and runs them, many at once.

usage: oracle.py FILE.tsv      the first column of every line, escaped as in tests/expr; prints a result a line, in the notation of
                               `headgate eval`: =TEXT, null, !Full.Exception.Name, or !compile TAB the compiler's message

Every expression becomes a source file with one class, so that a syntax error stays with its expression. Those that mcs
refuses are left out and the rest compiled again, as it checks flow (CS0165, CS0161) only when everything binds.
Runs in the invariant culture and in UTC. SPDX-License-Identifier: Apache-2.0
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

NEWTONSOFT = "/usr/lib/mono/gac/Newtonsoft.Json"
USINGS = """using System; using System.Collections.Generic; using System.IO; using System.Linq; using System.Net;
using System.Security.Cryptography; using System.Security.Cryptography.X509Certificates; using System.Text;
using System.Text.RegularExpressions; using System.Xml.Linq; using Newtonsoft.Json; using Newtonsoft.Json.Linq;
"""
RUNNER = """
static class Runner {
    static string Escape(string s) {
        var b = new System.Text.StringBuilder();
        foreach (char c in s)
            if (c == '\\\\') b.Append("\\\\\\\\"); else if (c == '\\t') b.Append("\\\\t"); else if (c == '\\n') b.Append("\\\\n");
            else if (c == '\\r') b.Append("\\\\r"); else b.Append(c);
        return b.ToString();
    }
    static string One(System.Func<object> f) {
        string text = null;
        var t = new System.Threading.Thread(() => text = Result(f), 16 << 20);
        t.CurrentCulture = System.Globalization.CultureInfo.InvariantCulture;
        t.IsBackground = true;
        t.Start();
        if (!t.Join(3000)) { t.Abort(); return "?hang"; }
        return text;
    }
    static string Result(System.Func<object> f) {
        try {
            object v = f();
            return v == null ? "null" : "=" + Escape(System.Convert.ToString(v, System.Globalization.CultureInfo.InvariantCulture));
        } catch (System.Exception e) { return "!" + e.GetType().FullName; }
    }
    static void Main() {
        var o = new System.IO.StreamWriter(System.Console.OpenStandardOutput(), new System.Text.UTF8Encoding(false));
        %s
        o.Flush();
    }
}
"""


def unescape(text):
    return re.sub(r"\\(.)", lambda m: {"t": "\t", "n": "\n", "r": "\r"}.get(m.group(1), m.group(1)), text)


def source(i, text):
    """The expression as the body of a method; `#line` keeps messages apart from what stands around it."""
    text = text.strip()
    if text.startswith("@(") and text.endswith(")"):
        text = text[2:-1]
    if text.startswith("@{"):
        body = text[1:]
    elif text.startswith("{"):
        body = text
    else:
        body = "{ return (object)(" + text + "\n); }"
    return USINGS + "static class E%d { public static object Run()\n%s\n}\n" % (i, body)


def newtonsoft():
    for folder, _, files in os.walk(NEWTONSOFT):
        if "Newtonsoft.Json.dll" in files:
            return os.path.join(folder, "Newtonsoft.Json.dll")
    sys.exit("libnewtonsoft-json5.0-cil is not installed")


class Oracle:
    def __init__(self, folder):
        self.folder = folder
        self.assembly = newtonsoft()
        if not os.path.exists(os.path.join(folder, "Newtonsoft.Json.dll")):
            os.symlink(self.assembly, os.path.join(folder, "Newtonsoft.Json.dll"))

    def compile(self, numbers):
        """Exit status and the messages: {number: text}; number -1 for what belongs to no expression."""
        names = ["%s/e%d.cs" % (self.folder, i) for i in numbers]
        with open(self.folder + "/runner.cs", "w") as f:
            f.write(RUNNER % "\n        ".join("o.WriteLine(One(E%d.Run));" % i for i in numbers))
        with open(self.folder + "/args", "w") as f:
            f.write("\n".join(["-nologo", "-langversion:experimental", "-warn:0", "-nostdlib-", "-out:%s/run.exe" % self.folder,
                               "-r:System.Xml.dll", "-r:System.Xml.Linq.dll", "-r:System.Core.dll",
                               "-r:" + self.assembly, self.folder + "/runner.cs"] + names))
        r = subprocess.run(["mcs", "@" + self.folder + "/args"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        wrong = {}
        for line in r.stdout.decode("utf-8", "replace").splitlines():
            m = re.match(r".*/e(\d+)\.cs\(\d+,\d+\+?\): error (CS\d+: .*)", line)
            if m:
                wrong.setdefault(int(m.group(1)), m.group(2))
            elif "error" in line and "runner.cs" not in line and not wrong:
                wrong.setdefault(-1, line)
        return r.returncode, wrong, r.stdout

    def run(self, texts):
        result = [None] * len(texts)
        for i, text in enumerate(texts):
            with open("%s/e%d.cs" % (self.folder, i), "w", encoding="utf-8", errors="surrogatepass") as f:
                f.write(source(i, text))
        self.settle(list(range(len(texts))), result)
        return result

    def settle(self, numbers, result):
        while numbers:
            status, wrong, output = self.compile(numbers)
            if status == 0:
                break
            mine = {i for i in wrong if i in set(numbers)}
            if not mine:              # the compiler itself failed: halve until the culprit stands alone
                if len(numbers) == 1:
                    result[numbers[0]] = "?mcs\t" + output.decode("utf-8", "replace").strip().replace("\n", " ")[:200]
                    return
                half = len(numbers) // 2
                self.settle(numbers[:half], result)
                self.settle(numbers[half:], result)
                return
            for i in mine:
                result[i] = "!compile\t" + wrong[i].replace("\t", " ")
            numbers = [i for i in numbers if i not in mine]
        if not numbers:
            return
        env = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8", MONO_PATH=self.folder)
        try:
            r = subprocess.run(["mono", self.folder + "/run.exe"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, timeout=300)
            lines = r.stdout.decode("utf-8", "surrogatepass").splitlines()
        except subprocess.TimeoutExpired:
            r, lines = None, []
        if len(lines) == len(numbers):
            for i, line in zip(numbers, lines):
                result[i] = line
        elif len(numbers) == 1:
            result[numbers[0]] = "?mono\t" + (r.stderr.decode("utf-8", "replace").strip().replace("\n", " ")[:200] if r else "no end")
        else:
            half = len(numbers) // 2
            self.settle(numbers[:half], result)
            self.settle(numbers[half:], result)


def main():
    folder = tempfile.mkdtemp(prefix="oracle.")
    try:
        with open(sys.argv[1], encoding="utf-8") as f:
            texts = [unescape(line.rstrip("\n").split("\t")[0]) for line in f]
        for line in Oracle(folder).run(texts):
            print(line)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
