"""cache_tools_test.py HEADGATE [TEST...]: the tools around the cache of a running gateway. Prints "N passed, N failed"."""
import json
import os
import subprocess
import sys
import time

from rig import HEADGATE, run_all

CACHED = """<policies>
  <inbound><base />
    <cache-lookup vary-by-developer="false" vary-by-developer-groups="false" allow-private-response-caching="true">PARTS</cache-lookup>
  </inbound>
  <outbound><cache-store duration="600" /><base /></outbound>
</policies>"""

APIS = {
    "shop": ("shop", CACHED.replace("PARTS", "")),
    "agents": ("agents", CACHED.replace("PARTS", "<vary-by-header>User-Agent</vary-by-header><vary-by-header>Accept</vary-by-header>")),
    "listed": ("listed", CACHED.replace("PARTS", "")),
}
SPECIFICATION = {"openapi": "3.0.0", "info": {"title": "listed", "version": "1"}, "paths": {
    "/v/first": {"get": {"operationId": "first", "responses": {"200": {"description": "ok"}}}},
    "/v/second": {"get": {"operationId": "second", "responses": {"200": {"description": "ok"}}}},
    "/v/{id}": {"get": {"operationId": "one", "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                        "responses": {"200": {"description": "ok"}}},
                "post": {"operationId": "make", "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                         "responses": {"200": {"description": "ok"}}}}}}


def tool(gateway, *words):
    config = os.path.join(gateway.folder, "headgate.yaml")
    done = subprocess.run([HEADGATE, "cache", words[0], "--config", config, *words[1:]], capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout, done.stderr


def test_advise_names_the_field_that_explodes(rig):
    g = rig.gateway(rig.origin(), APIS)
    code, out, _ = tool(g, "advise")
    assert (code, out) == (0, "nothing to mend\n"), out
    for i in range(120):
        g.get("/agents/v/a", {"User-Agent": f"agent/{i}", "Accept": "text/plain"})
    for i in range(120):
        g.get(f"/shop/v/{i}?page={i % 3}&_={i}")
    assert g.metric("headgate_cache_exploding_fields") == 2
    code, out, _ = tool(g, "advise")
    assert code == 1
    assert "too many keys agents: header User-Agent: " in out and " in 120 misses\n" in out, out
    assert "too many keys shop: query _: " in out and "vary-by-query-parameter" in out, out
    assert "Accept" not in out and "page" not in out, out
    code, out, _ = tool(g, "advise", "--json", "--all")
    fields = {(f["api"], f["name"]): f for f in json.loads(out)["fields"]}
    assert 108 <= fields["agents", "User-Agent"]["values"] <= 120, fields
    assert fields["agents", "Accept"]["values"] == 1 and fields["shop", "page"]["values"] == 3, fields


def test_advise_forgets_names_that_are_made_up(rig):
    g = rig.gateway(rig.origin(), APIS)
    for i in range(200):
        g.get(f"/shop/v/a?made-up-{i}=1")
    _, out, _ = tool(g, "advise", "--json")
    answer = json.loads(out)
    assert len(answer["fields"]) == 32 and answer["fields_dropped"] == 168, answer


def test_the_leak_guard_writes_one_line(rig):
    g = rig.gateway(rig.origin(), APIS)
    for i in range(5):
        assert g.get(f"/shop/v/{i}", {"Authorization": f"Bearer secret-{i}"}).status == 200
    assert g.metric("headgate_cache_leak_warnings_total") == 5
    lines = [line for line in g.log().splitlines() if "leak guard: API shop" in line]
    assert len(lines) == 1 and "Authorization" in lines[0] and "secret" not in lines[0], lines
    code, out, _ = tool(g, "advise")
    assert code == 1 and "leak guard: API shop" in out and "(5 times)" in out, out


def test_advise_needs_the_token(rig):
    g = rig.gateway(rig.origin(), APIS)
    with open(os.path.join(g.folder, "state", "admin-token"), "w") as f:
        f.write("not-the-token-that-the-gateway-has")
    code, out, err = tool(g, "advise")
    assert code == 2 and "401" in err, err


def test_warm_from_a_file(rig):
    origin = rig.origin()
    g = rig.gateway(origin, APIS)
    with open(rig.path("urls"), "w") as f:
        f.write("# what people ask for first\n/shop/v/1\nGET /shop/v/2?a=b\n\nhttp://api.example/shop/v/3\r\n/shop/v/1\n")
    before = time.monotonic()
    code, _, err = tool(g, "warm", "--rate", "20", "--at-once", "1", rig.path("urls"))
    assert code == 0, err
    assert "4 of 4, 1 from the cache already, 0 failed" in err, err
    assert time.monotonic() - before >= 0.15, "four requests at twenty a second"
    for key in ("1", "2", "3"):
        assert origin.count(f"/v/{key}") == 1
    assert g.get("/shop/v/2?a=b").getheader("Age") is not None


def test_warm_an_api(rig):
    origin = rig.origin()
    g = rig.gateway(origin, APIS)
    with open(os.path.join(g.folder, "apis", "listed", "specification.json"), "w") as f:
        json.dump(SPECIFICATION, f)
    g.close()
    g.start()
    code, _, err = tool(g, "warm", "--rate", "1000", "listed")
    assert code == 0 and "2 of 2" in err and "1 operations have parameters" in err, err
    assert origin.count("/v/first") == 1 and origin.count("/v/second") == 1
    assert g.get("/listed/v/first").getheader("Age") is not None


def test_warm_says_what_failed(rig):
    g = rig.gateway(rig.origin(), APIS)
    with open(rig.path("urls"), "w") as f:
        f.write("/nowhere/a\n/shop/v/1\n")
    code, _, err = tool(g, "warm", rig.path("urls"))
    assert code == 1 and "/nowhere/a: status 404" in err and "2 of 2, 0 from the cache already, 1 failed" in err, err
    with open(rig.path("urls"), "w") as f:
        f.write("/shop/v/1\nshop v\n")
    code, _, err = tool(g, "warm", rig.path("urls"))
    assert code == 2 and ":2: expected a path or URL" in err, err
    code, _, err = tool(g, "warm", "no-such-api")
    assert code == 2 and "neither a file nor an API" in err, err


SNAPSHOT = "cache: {snapshot: cache.snapshot}\n"


def test_a_restart_finds_what_was_cached(rig):
    origin = rig.origin()
    g = rig.gateway(origin, APIS, SNAPSHOT)
    file = os.path.join(g.folder, "cache.snapshot")
    for i in range(20):
        g.get(f"/shop/v/{i}")
    assert not os.path.exists(file), "written at the stop only"
    assert g.close() == 0 and os.path.exists(file)
    g.start()
    assert "cache snapshot: 20 entries read, 0 left out" in g.log()
    assert not os.path.exists(file), "it serves one start"
    for i in range(20):
        r = g.get(f"/shop/v/{i}")
        assert (r.status, r.text) == (200, "0") and r.getheader("Age") is not None
        assert origin.count(f"/v/{i}") == 1
    g.kill()
    g.start()
    assert g.get("/shop/v/1").getheader("Age") is None, "after a crash nothing comes back that a purge may have ended"


def test_a_damaged_snapshot_is_a_clean_start(rig):
    origin = rig.origin()
    g = rig.gateway(origin, APIS, SNAPSHOT)
    file = os.path.join(g.folder, "cache.snapshot")
    g.get("/shop/v/1")
    g.close()
    with open(file, "r+b") as f:
        f.seek(100)
        f.write(b"\xff\xff")
    g.start()
    assert g.get("/shop/v/1").getheader("Age") is None
    assert "starting with an empty cache" in g.log()
    assert origin.count("/v/1") == 2


if __name__ == "__main__":
    found = [f for name, f in list(globals().items()) if name.startswith("test_")]
    sys.exit(1 if run_all(found, sys.argv[2:]) else 0)
