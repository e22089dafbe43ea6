"""commands_test.py: what the commands make of their words, and `headgate check` of files, folders and standard input."""
import os
import re
import subprocess
import sys
import tempfile

HEADGATE = os.path.abspath(sys.argv[1])
DEFINITIONS = os.path.join(os.path.dirname(__file__), "../../src/cli/commands.def")
COMMANDS = re.findall(r'^COMMAND\(\w+, "(\w+)"', open(DEFINITIONS, encoding="utf-8").read(), re.M)
WRONG = "<policies><inbound><set-heder /></inbound></policies>"


def run(*words, text="", cwd=None):
    done = subprocess.run([HEADGATE, *words], input=text, capture_output=True, text=True, timeout=60, cwd=cwd)
    return done.returncode, done.stdout, done.stderr


def every_command_helps():
    assert len(COMMANDS) > 8
    for command in COMMANDS:
        status, out, err = run(command, "--help")
        assert status == 0 and out.startswith(f"usage: headgate {command}") and not err, (command, out, err)
        assert run("help", command) == (0, out, "")


def words_that_are_off():
    for words in [[], ["bogus"], ["version", "x"], ["repl", "x"], ["docs"], ["docs", "--x"], ["explain"], ["eval"], ["eval", "1", "2"],
                  ["check"], ["check", "--x"], ["test"], ["run", "--x"], ["upgrade", "--x"], ["origin"], ["cache"], ["cache", "x"]]:
        status, out, err = run(*words)
        assert status == 2 and not out and "usage:" in err, (words, status, out, err)


def an_expression_may_begin_with_a_sign():
    assert run("eval", "-1") == (0, "=-1\n", "")
    assert run("eval", "-1 + 2") == (0, "=1\n", "")
    assert run("eval", "--", "-1") == (0, "=-1\n", "")
    assert run("eval", "1 +")[0] == 1


def a_document_from_standard_input():
    status, out, _ = run("check", "-", text=WRONG)
    assert status == 1 and out.startswith("standard input:1:20: error: there is no policy 'set-heder'"), out
    assert run("check", "-", text='<set-method>GET</set-method>')[0] == 0


def columns_do_not_count_a_byte_order_mark():
    status, out, _ = run("check", "-", text="\ufeff" + WRONG)
    assert out.split("\n")[:3] == ["standard input:1:20: error: there is no policy 'set-heder'; did you mean 'set-header'?",
                                   "     1 | " + WRONG, " " * 7 + "|" + " " * 20 + "^~~~~~~~~~"], out


def more_problems_than_are_kept():
    status, out, _ = run("check", "-", text="<policies><inbound>" + "<nope />" * 1500 + "</inbound></policies>")
    assert status == 1 and out.count(": error:") == 1000 and "\n... and 500 more\n" in out
    assert out.endswith("1 document checked: 1500 errors, 0 warnings, 0 notes\n"), out[-200:]


def folders_and_links():
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(os.path.join(folder, "some/below"))
        os.symlink(".", os.path.join(folder, "some/loop"))
        os.symlink("nowhere", os.path.join(folder, "some/broken.xml"))
        status, out, _ = run("check", "some", cwd=folder)
        assert status == 1 and out.startswith("some: error: no policy document (.xml) in this folder\n"), out
        for name in ("some/a.xml", "some/below/b.xml"):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write("<inbound><base /></inbound>")
        status, out, _ = run("check", "some", cwd=folder)
        assert (status, out) == (0, "2 documents checked: 0 errors, 0 warnings, 0 notes\n"), out


def what_only_proxies_say_is_noted():
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(os.path.join(folder, "art/apis/a"))
        with open(os.path.join(folder, "art/apis/a/apiInformation.json"), "w", encoding="utf-8") as file:
            file.write('{"properties": {"path": "a"}}')
        with open(os.path.join(folder, "art/apis/a/policy.xml"), "w", encoding="utf-8") as file:
            file.write('<policies><inbound><base /><set-header name="X-Forwarded-Host"><value>'
                       '@(context.Request.Headers.GetValueOrDefault("X-Forwarded-For", "X-Real"))</value></set-header></inbound></policies>')
        with open(os.path.join(folder, "headgate.yaml"), "w", encoding="utf-8") as file:
            file.write("forwarding: {trusted-proxies: [10.0.0.0/8]}")
        status, out, _ = run("check", "art", cwd=folder)
        assert status == 0 and out.startswith("art/apis/a/policy.xml:1:116: note: X-Forwarded-For is taken off requests, as no proxy is trusted"), out
        assert out.endswith(": 0 errors, 0 warnings, 1 note\n"), out
        status, out, _ = run("check", "--config", "headgate.yaml", "art", cwd=folder)
        assert status == 0 and out.endswith(": 0 errors, 0 warnings, 0 notes\n"), out


TESTS = [every_command_helps, words_that_are_off, an_expression_may_begin_with_a_sign, a_document_from_standard_input,
         columns_do_not_count_a_byte_order_mark, more_problems_than_are_kept, folders_and_links,
         what_only_proxies_say_is_noted]
failed = 0
for test in TESTS:
    try:
        test()
    except AssertionError as error:
        failed += 1
        print(f"FAILED {test.__name__}: {error}")
print(f"{len(TESTS) - failed} passed, {failed} failed")
sys.exit(failed != 0)
