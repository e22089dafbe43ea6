#!/usr/bin/env python3
"""usage: huge_expressions.py FOLDER    writes scripts in which a gateway that serves is given a document with a huge expression.

It is refused with the message that says why, and the API goes on to serve what it served; or it runs. Beside NAME.hgt lies the document
alone, NAME.xml, with what `headgate check` must say of it in NAME.says. SPDX-License-Identifier: Apache-2.0
"""
import sys

N = 10000                  # brackets, operators, statements
BIG = 8 << 20              # bytes of one literal
FITS = 3 << 20             # of one that a document has room for
DEEP, OPEN, LARGE = "the expression is nested too deeply", "more than 256 brackets are open at once", "larger than 4194304 bytes"
CASES = [
    ("brackets", "@(" + "(" * N + "1" + ")" * N + ")", OPEN),
    ("index brackets", "@(x" + "[x" * N + "]" * N + ")", OPEN),
    ("blocks", "@{ " + "{ " * N + "} " * N + "return 1; }", OPEN),
    ("calls", "@(" + "Math.Abs(" * N + "1" + ")" * N + ")", OPEN),
    ("unclosed", "@(" + "(" * N, OPEN),
    ("interpolations", "@(" + '$"{' * N + "1" + '}"' * N + ")", "more than 16 interpolated strings"),
    ("negations", "@(" + "!" * N + "true)", DEEP),
    ("conditions", "@{ " + "if (true) " * N + "return 1; return 2; }", DEEP),
    ("choices", "@(" + "true ? 1 : " * N + "2)", DEEP),
    ("types", "@(new " + "List<" * N + "int" + ">" * N + "())", DEEP),
    ("members", '@("x"' + ".Trim()" * N + ")", DEEP),
    ("sums", '@("a"' + ' + "b" + DateTime.Now.Year' * N + ")", DEEP),
    ("literal of 8 MB", '@("' + "x" * BIG + '".Length.ToString())', LARGE),
    ("verbatim literal of 8 MB", '@(@"' + "x" * BIG + '".Length.ToString())', LARGE),
    ("comment of 8 MB", '@("c" /*' + "*" * BIG + "*/)", LARGE),
    ("name", "@(" + "x" * FITS + ")", "the name `xxxxxxxx"),
    ("digits", "@(" + "1" * FITS + ")", "integral constant is too large (CS1021)"),
    ("unclosed literal", '@("' + "x" * FITS + ")", "this string is not closed"),
    ("literal", '@("' + "x" * FITS + '".Length.ToString())', None, str(FITS)),
    ("comment", '@("c" /*' + "*" * FITS + "*/)", None, "c"),
    ("sum", "@((1" + " + 1" * 1000 + ").ToString())", None, "1001"),
]


def main():
    for name, text, error, *answer in CASES:
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        document = "<policies><inbound><return-response><set-body>%s</set-body></return-response></inbound></policies>" % text
        stem = sys.argv[1] + "/" + name.replace(" ", "-")
        with open(stem + ".hgt", "w") as to:
            to.write("origin shop\n    on GET *\n        body served\n\nfile apis/shop/apiInformation.json\n    "
                     '{"properties": {"path": "shop", "subscriptionRequired": false, "serviceUrl": "${origin.shop}"}}\n')
            to.write("\ntest %s\nfile apis/shop/policy.xml\n    <policies />\npublish\nfile apis/shop/policy.xml\n    %s\n" % (name, document))
            to.write("publish fails %s\nrequest GET /shop/x\nexpect body served\n" % error if error else
                     "publish\nrequest GET /shop/x\nexpect body %s\n" % answer[0])
        with open(stem + ".xml", "w") as to:
            to.write(document)
        with open(stem + ".says", "w") as to:
            to.write(error or "0 errors")


if __name__ == "__main__":
    main()
