"""testing_test.py: what `headgate test` tells its caller. Scripts are written to a temporary folder and run one by one."""
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml

HEADGATE = os.path.abspath(sys.argv[1])
SHOP = "origin shop\n    body ok\n\napi shop at /shop to shop\n"


def run(script, *options, name="t.hgt"):
    """(status, standard output, standard error) of a script, a text or bytes, with the folder's name left out."""
    with tempfile.TemporaryDirectory() as folder:
        if script is not None:
            with open(os.path.join(folder, name), "wb") as file:
                file.write(script if isinstance(script, bytes) else script.encode())
        arguments = [name if script is not None else "."]
        done = subprocess.run([HEADGATE, "test", *options, *arguments], cwd=folder, capture_output=True, timeout=120)
        report = os.path.join(folder, "junit.xml")
        tree = xml.parse(report).getroot() if os.path.exists(report) else None
        return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"), tree


def statuses():
    assert run(SHOP + "test a\nrequest GET /shop\nexpect status 200\n")[0] == 0
    assert run(SHOP + "test a\nrequest GET /shop\nexpect status 201\n")[0] == 1
    assert run(SHOP + "tset a\n")[0] == 1
    status, _, err, _ = run(None)
    assert status == 2 and "no test script (.hgt)" in err, err
    status, _, err, _ = run(SHOP + "test a\nrequest GET /shop\n", "--only", "b")
    assert status == 2 and "no test has 'b' in its name" in err, err


def indented_steps_are_run():
    status, out, _, _ = run(SHOP + "test a\n    request GET /shop\n    expect status 500\n")
    assert status == 1 and 't.hgt:7: a: expect status 500\n    status should be "500"\n      found "200"\n' in out, out


def times_may_be_variables():
    script = SHOP + 'test a\nset wait = "30"\nadvance ${wait}s\nclock back ${wait}s\nadvance ${wait}x\nclock forward ${none}s\n'
    status, out, _, _ = run(script)
    assert status == 1 and "t.hgt:9: a: advance 30x\n    expected a duration such as 31s, found '30x'\n" in out, out
    assert "t.hgt:10: a:" in out and "found '${none}s'" in out and ":7:" not in out and ":8:" not in out, out


def a_test_sees_its_own_answers():
    script = SHOP + "test a\nrequest GET /shop\nexpect status 200\ntest b\nexpect status 200\n"
    status, out, _, _ = run(script)
    assert status == 1 and "t.hgt:9: b: expect status 200\n    no request was sent before this\n" in out, out


def mistakes_in_policies_have_a_line_of_the_script():
    policy = "        <policies>\n          <inbound>\n            <base />\n            <set-heder />\n          </inbound>\n        </policies>\n"
    status, out, _, _ = run(SHOP + "    policy\n" + policy + "test a\nrequest GET /shop\n")
    assert status == 1 and "t.hgt:9:13: error: there is no policy 'set-heder'; did you mean 'set-header'?" in out, out
    deeper = "    operation a GET /a\n        policy\n" + policy.replace("        <", "            <", 1).replace("\n  ", "\n      ")
    status, out, _, _ = run(SHOP + deeper + "test a\nrequest GET /shop\n")
    assert status == 1 and "t.hgt:10:17: error: there is no policy 'set-heder'" in out, out
    script = "file policy.xml\n" + policy.replace("            <set", "\t    \t    <set") + SHOP + "test a\nrequest GET /shop\n"
    status, out, _, _ = run(script.replace("\n", "\r\n"))
    assert status == 1 and "t.hgt:5:" in out and "'set-heder'" in out, out
    status, out, _, _ = run("yaml\n    workers: 1\n    wrokers: 1\n" + SHOP + "test a\nrequest GET /shop\n")
    assert status == 1 and "t.hgt:3:5: error:" in out, out
    script = SHOP + "test a\nfile apis/shop/policy.xml\n    <policies><inbound><set-heder /></inbound></policies>\npublish\n"
    status, out, _, _ = run(script)
    assert status == 1 and "t.hgt:7:24: error: there is no policy 'set-heder'" in out and "/tmp/" not in out, out


def declarations_are_checked():
    status, out, _, _ = run("api shop at /shop to nobody\ntest a\nrequest GET /shop\n")
    assert status == 1 and "t.hgt:1:1: error: no origin above this line is called 'nobody', nor is it a URL" in out, out
    status, out, _, _ = run(SHOP + "api shop at /shop2 to shop\ntest a\nrequest GET /shop\n")
    assert status == 1 and "t.hgt:5:1: error: api shop is declared twice" in out, out


def junit_is_xml_whatever_names_hold():
    odd = b"odd <>&\"' \xc3\xbc \xf0\x9f\x98\x80 \x01\x1b\xff\xfe\xef\xbf\xbf ]]>"
    script = SHOP.encode() + b"test " + odd + b"\nrequest GET /shop\nexpect body = \"\\x01<&>\\xff]]>\"\n"
    status, _, _, tree = run(script, "--junit", "junit.xml", name="o<d&d'.hgt")
    assert status == 1
    case = tree.find("testsuite/testcase")
    assert case.get("classname") == "o<d&d'.hgt"
    assert case.get("name").startswith("odd <>&\"' \u00fc \U0001f600 \ufffd"), case.get("name")
    assert "body should be" in case.find("failure").text
    assert tree.find("testsuite").get("failures") == "1"


def junit_lists_what_could_not_be_run():
    status, _, _, tree = run(SHOP + "tests a\n", "--junit", "junit.xml")
    suite = tree.find("testsuite")
    assert status == 1 and (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("1", "0", "1"), suite.attrib
    assert "did you mean `test`?" in suite.find("testcase/error").text


def only_runs_what_is_asked_for():
    script = SHOP + "test one\nrequest GET /shop\nexpect status 200\ntest two\nrequest GET /shop\nexpect status 500\n"
    status, out, _, tree = run(script, "--only", "one", "--junit", "junit.xml")
    assert status == 0 and "1 tests, 1 passed, 0 failed\n" in out, out
    assert [case.get("name") for case in tree.iter("testcase")] == ["one"]


def coverage_names_the_lines_of_branches():
    policy = """    policy
        <policies>
          <inbound>
            <choose>
              <when condition="@(context.Request.Url.Path == "/a")">
                <set-variable name="a" value="1" />
              </when>
              <otherwise>
                <set-variable name="b" value="1" />
              </otherwise>
            </choose>
          </inbound>
          <backend>
            <retry condition="@(false)" count="1" interval="1">
              <forward-request />
            </retry>
          </backend>
          <on-error>
            <set-header name="E"><value>e</value></set-header>
          </on-error>
        </policies>
"""
    status, out, _, _ = run(SHOP + policy + "test a\nrequest GET /shop/a\nexpect status 200\n", "--coverage")
    missed = re.findall(r"never ran: (.*)", out)
    assert status == 0 and missed == ["t.hgt:13 choose[1]\\otherwise\\set-variable", "t.hgt:23 set-header"], out
    assert "t.hgt: 4 of 6 policies ran\n" in out, out


def a_script_does_not_see_the_environment_of_another():
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("a.hgt", "env HEADGATE_TEST_ONLY a\n"), ("b.hgt", "")):
            named = "file named values/n/namedValueInformation.json\n"
            named += "    {\"properties\":{\"displayName\":\"n\",\"secret\":true,\"value\":\"env:HEADGATE_TEST_ONLY\"}}\n"
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text + named + SHOP + "test t\nrequest GET /shop\nexpect status 200\n")
        done = subprocess.run([HEADGATE, "test", folder], capture_output=True, text=True, timeout=60)
        assert done.returncode == 1 and "b.hgt: could not be run" in done.stdout and "a.hgt: could" not in done.stdout, done.stdout


def a_difference_far_inside_is_shown():
    script = "origin shop\n    body " + "x" * 1000 + "OLD tail\n\napi shop at /shop to shop\ntest a\nrequest GET /shop\n"
    status, out, _, _ = run(script + "expect body = " + "x" * 1000 + "NEW tail\n")
    wanted = ': expected ..."' + "x" * 30 + 'NEW tail"...\n' + ' ' * 8 + 'found ..."' + "x" * 30 + 'OLD tail"...\n'
    assert status == 1 and "first difference at byte 1000" + wanted in out, out


def a_body_that_is_no_json_is_called_so():
    status, out, _, _ = run(SHOP + "test a\nrequest GET /shop\nexpect json a = 1\n")
    assert status == 1 and '    json a should be "1"\n      found nothing: the body is no JSON\n' in out, out


def no_answer_has_a_reason():
    status, out, _, _ = run(SHOP + "test a\nraw later\n    \\\nadvance 1h\nanswer\nexpect status 200\n")
    assert status == 1 and 'found "none"\n      no answer came: the connection was closed\n' in out, out


def a_stop_and_go_on_loses_no_answer():
    """A blocking call with a time limit ends when the process is stopped and goes on, TLS or not (signal(7))."""
    script = "origin shop\n    delay 200ms\n    body ok\n\napi shop at /shop to shop\ntest a\n"
    script += "".join(f"request GET /shop{how}\nexpect status 200\n" for how in ("", " tls", " http/2", " tls http/2") * 2)
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "t.hgt"), "w") as file:
            file.write(script)
        process = subprocess.Popen([HEADGATE, "test", folder], stdout=subprocess.PIPE, text=True)
        while process.poll() is None:
            process.send_signal(signal.SIGSTOP)
            process.send_signal(signal.SIGCONT)
            time.sleep(0.02)
        out = process.stdout.read()
    assert process.returncode == 0 and out.endswith("8 passed, 0 failed\n"), out


def numbers_compare_as_numbers():
    script = "origin shop\n    body {\"price\": 12.50, \"big\": 9007199254740993, \"text\": \"1.0\"}\n\napi shop at /shop to shop\n"
    script += "test a\nrequest GET /shop\nexpect json price = 12.5\nexpect json price > 12.4\nexpect json price < 12.6\n"
    script += "expect json price not < 12\nexpect json big not = 9007199254740992\n"
    assert run(script)[0] == 0
    status, out, _, _ = run(script + "expect json text < x\nexpect json text not < x\nexpect json nothing not > 3\n")
    assert status == 1 and out.endswith("5 passed, 3 failed\n"), out


def headers_are_told_by_their_names():
    script = SHOP + "test a\nrequest POST /shop\n    header x-content-length: 1\n    header host: a.example\n    body abc\n"
    assert run(script + "expect status 200\nexpect origin shop body = abc\n")[0] == 0


TESTS = [statuses, indented_steps_are_run, times_may_be_variables, a_test_sees_its_own_answers,
         mistakes_in_policies_have_a_line_of_the_script, declarations_are_checked, junit_is_xml_whatever_names_hold,
         junit_lists_what_could_not_be_run, only_runs_what_is_asked_for, a_body_that_is_no_json_is_called_so,
         a_difference_far_inside_is_shown, no_answer_has_a_reason, a_stop_and_go_on_loses_no_answer,
         a_script_does_not_see_the_environment_of_another, coverage_names_the_lines_of_branches, numbers_compare_as_numbers,
         headers_are_told_by_their_names]
failed = 0
for test in TESTS:
    try:
        test()
    except (AssertionError, AttributeError, xml.ParseError) as error:
        failed += 1
        print(f"FAILED {test.__name__}: {error}")
print(f"{len(TESTS) - failed} passed, {failed} failed")
sys.exit(failed != 0)
