"""cache_test.py HEADGATE [TEST...]: `headgate cache` against running gateways. Prints "N tests, N passed, N failed"."""
import json
import os
import subprocess
import sys

from rig import HEADGATE, SLOW, free_port, must, run_all

PLAIN = "<policies><inbound><base /></inbound></policies>"
RFC = "apis: {shop: {cache: {mode: rfc9111}}}\n"


def cache(gateway, *words, status=0, more=()):
    """Runs `headgate cache WORDS` against this gateway; what it printed."""
    done = subprocess.run([HEADGATE, "cache", words[0], "--config", os.path.join(gateway.folder, "headgate.yaml"), *more, *words[1:]],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60 * SLOW,
                          env={**os.environ, "USER": "anna"})
    assert done.returncode == status, (words, done.returncode, done.stdout, done.stderr)
    return done.stdout if status == 0 else done.stderr


def shop(rig, name="node", config="", origin=None):
    origin = origin or rig.origin()
    origin.headers["/a"] = {"Cache-Control": "max-age=600", "Surrogate-Key": "shoes"}
    origin.headers["/a/b"] = {"Cache-Control": "max-age=600", "Vary": "Accept-Language"}
    origin.headers["/c"] = {"Cache-Control": "no-store"}
    return origin, rig.gateway(origin, {"shop": ("shop", PLAIN)}, RFC + config, name=name)


def test_purge(rig):
    origin, g = shop(rig)
    origin.headers["/d"] = {"Cache-Control": "max-age=600"}
    for path in ("/shop/a", "/shop/a?x=1", "/shop/a/b", "/shop/d?x=1"):
        g.get(path)
    out = cache(g, "purge", "--dry-run", "--tag", "shoes")
    assert "would drop 2 entries" in out and "tag shoes" in out, out
    out = cache(g, "purge", "/shop/d?x=1")
    assert "dropped 1 entry" in out and "1 node reached" in out, out
    g.get("/shop/a")
    assert origin.count("/a") == 2
    assert "made stale: 2 entries" in cache(g, "purge", "--soft", "http://gateway.test/shop/a")
    g.get("/shop/a")
    assert origin.count("/a") == 3
    assert "dropped 3 entries" in cache(g, "purge", "/shop/a*")
    assert "dropped 0 entries" in cache(g, "purge", "--all"), "the dead count no more"
    assert json.loads(cache(g, "purge", "--all", "--json"))["what"] == "everything"
    assert "by anna, admin at 127.0.0.1" in g.log()
    out = cache(g, "purges")
    assert "hard  everything  by anna, admin at 127.0.0.1" in out and "5 purges" in out, out


def test_looking(rig):
    origin, g = shop(rig)
    g.get("/shop/a")
    g.get("/shop/a/b", {"Accept-Language": "de"})
    g.get("/shop/c")
    out = cache(g, "ls")
    assert "2 of 2 entries" in out and f"shop http://127.0.0.1:{origin.port}/a" in out and "Accept-Language=de" in out, out
    out = cache(g, "ls", "--tag", "shoes")
    assert "1 of 1 entries" in out, out
    out = cache(g, "show", "/shop/a")
    assert "Surrogate-Key: shoes" in out and "status     200" in out, out
    out = cache(g, "stats")
    assert "stores       2" in out and "refused: no-store" in out, out
    assert "0 fetches under way" in cache(g, "flights")
    assert g.metric('headgate_cache_refusals_total{reason="no-store"}') == 1


def test_what_goes_wrong_is_said(rig):
    origin, g = shop(rig)
    out = cache(g, "purge", status=2)
    assert "nothing is named" in out and "usage: headgate cache purge" in out, out
    assert "it takes no names" in cache(g, "stats", "/shop/a", status=2)
    assert "there is no 'nonsense'" in cache(g, "nonsense", status=2)
    assert "begins with '/'" in cache(g, "purge", "--prefix", "items", status=1)
    wrong = rig.path("token")
    with open(wrong, "w") as f:
        f.write("not the token of this gateway")
    assert "401" in cache(g, "purge", "--all", status=1, more=("--token-file", wrong))
    assert "no gateway answers" in cache(g, "stats", status=1, more=("--admin", f"127.0.0.1:{free_port()}"))
    assert "token" in cache(g, "stats", status=2, more=("--state", rig.path("nothing")))


def test_two_nodes_behind_one_redis(rig):
    redis = rig.redis()
    config = f"caches:\n  - {{connection: '127.0.0.1:{redis.port}', timeout: {SLOW}s}}\n"
    origin, one = shop(rig, "one", config)
    two = rig.gateway(origin, {"shop": ("shop", PLAIN)}, RFC + config, name="two")
    one.get("/shop/a")
    two.get("/shop/a")
    must(lambda: one.metric("headgate_external_cache_nodes") == 2 and two.metric("headgate_external_cache_nodes") == 2, "both know both")
    out = cache(one, "purge", "--tag", "shoes")
    assert "2 nodes reached, the external cache knows" in out, out
    assert "dropped 1 entry of this node" in out and "dropped 1 entry of two" in out, out
    answer = json.loads(cache(two, "purge", "--tag", "shoes", "--json"))
    assert answer["entries"] == 0 and [n["entries"] for n in answer["nodes"]["dropped"]] == [0], answer
    before = origin.count("/a")
    two.get("/shop/a")
    assert origin.count("/a") == before + 1
    out = cache(two, "purges")
    assert "tag shoes  by anna, admin at 127.0.0.1, node one" in out, out
    # What explains a miss lies in copies of the external store here.
    explain(one, "/shop/a/b", "-H", "Accept-Language: de")
    said = explain(one, "/shop/a/b", "-H", "Accept-Language: fr")
    assert "vary differs: Accept-Language: stored de, asked fr" in said["why"], said


VARYING = """<policies><inbound><base />
  <cache-lookup vary-by-developer="true" vary-by-developer-groups="false"><vary-by-header>Accept</vary-by-header>
    <vary-by-custom>@(context.Request.Method + "!")</vary-by-custom></cache-lookup></inbound>
  <outbound><base /><cache-store duration="60" /></outbound></policies>"""


def explain(g, path, *words):
    """What is said of a request, as a dictionary."""
    out = cache(g, "explain", *words, f"http://127.0.0.1:{g.port}{path}")
    return dict(line.split(None, 1) for line in out.splitlines()[1:])


KEEPS = PLAIN.replace("<inbound>", """<inbound>
    <cache-store-value key="token" value="t" duration="600" />""")


def test_a_value_is_purged_on_all_nodes_with_a_receipt(rig):
    redis = rig.redis()
    shared = f"caches:\n  - {{connection: 'redis://127.0.0.1:{redis.port}', timeout: 1s}}\n"
    origin = rig.origin()
    one, two = (rig.gateway(origin, {"shop": ("shop", KEEPS)}, shared, name=name) for name in ("one", "two"))
    for g in (one, two):
        must(lambda: g.metric("headgate_external_cache_nodes") == 2, "the nodes know each other")
    one.get("/shop/a")
    must(lambda: redis("EXISTS", "apim:-:v:token") == 1, "it is stored")
    out = cache(one, "purge", "--key", "token")
    assert "dropped 1 entry of this node: key token" in out and "2 nodes reached, the external cache knows" in out, out
    assert redis("EXISTS", "apim:-:v:token") == 0
    for g in (one, two):
        must(lambda: "key token  by anna, admin at 127.0.0.1" in cache(g, "purges"), "both know who it was")


def test_a_value_is_purged_without_a_shared_cache(rig):
    g = rig.gateway(rig.origin(), {"shop": ("shop", KEEPS)})
    g.get("/shop/a")
    out = cache(g, "purge", "--key", "token")
    assert "dropped 1 entry of this node: key token" in out and "1 node reached\n" in out, out
    assert "key token  by anna, admin at 127.0.0.1" in cache(g, "purges")
    assert "dropped 0 entries" in cache(g, "purge", "--key", "token")


def test_explain(rig):
    origin, g = shop(rig)
    said = explain(g, "/shop/a?x=1")
    assert said["cache"] == "miss" and said["stored"] == "yes" and said["why"] == "absent", said
    assert said["key"].startswith(f"api shop, http://127.0.0.1:{origin.port}/a?x=1"), said
    said = explain(g, "/shop/a?x=1")
    assert said["cache"] == "hit" and said["tier"] == "memory" and 590 <= int(said["ttl"]) <= 600 and "why" not in said, said
    assert said["status"].startswith("Headgate; hit"), said
    explain(g, "/shop/a/b", "-H", "Accept-Language: de")
    said = explain(g, "/shop/a/b", "-H", "Accept-Language: fr")
    assert "vary differs: Accept-Language: stored de, asked fr" in said["why"], said
    cache(g, "purge", "/shop/a*")
    said = explain(g, "/shop/a?x=1")
    assert said["cache"] == "miss" and "purged" in said["why"] and "prefix /shop/a*, by anna, admin at 127.0.0.1" in said["why"], said
    cache(g, "purge", "--tag", "shoes")
    must(lambda: g.metric("headgate_cache_entries") == 0, "the sweep gives the memory back")
    said = explain(g, "/shop/a?x=1")
    assert said["why"].startswith("absent; purged") and "tag shoes, by anna, admin at 127.0.0.1" in said["why"], said
    assert "no-store" not in explain(g, "/shop/c")["why"]
    said = explain(g, "/shop/c")
    assert "the last answer was not stored: the answer, or the request, says that it must not be stored" in said["why"], said
    assert said["not-stored"].startswith("the answer"), said
    assert explain(g, "/shop/a?x=1", "-X", "POST")["why"].startswith("only GET and HEAD")


def test_explain_a_key_of_policies(rig):
    origin = rig.origin()
    g = rig.gateway(origin, {"shop": ("shop", VARYING)})
    said = explain(g, "/shop/a", "-H", "Accept: text/plain")
    assert said["key"].endswith("/a, developer (nobody), custom GET!, header Accept=text/plain"), said
    assert explain(g, "/shop/a", "-H", "Accept: text/plain")["cache"] == "hit"
    said = explain(g, "/shop/a", "-H", "Authorization: Bearer x", "-H", "Accept: text/plain")
    assert said["cache"] in ("hit", "bypass"), said


def test_a_pass_is_for_its_gateway_alone(rig):
    origin, one = shop(rig, "one")
    two = rig.gateway(origin, {"shop": ("shop", PLAIN)}, RFC, name="two")
    own = cache(one, "explain", "--pass").strip()
    assert one.get("/shop/a", {"Headgate-Explain": own}).getheader("Headgate-Cache")
    assert not two.get("/shop/a", {"Headgate-Explain": own}).getheader("Headgate-Cache")
    until, mac = own.split(".")
    assert not one.get("/shop/a", {"Headgate-Explain": f"{int(until) + 1}.{mac}"}).getheader("Headgate-Cache")
    assert not one.get("/shop/a").getheader("Headgate-Cache")


SPECIFICATION = {
    "openapi": "3.0.1", "info": {"title": "shop", "version": "1"},
    "paths": {"/items": {"get": {"operationId": "list", "responses": {}}, "post": {"operationId": "create", "responses": {}}},
              "/items/{id}": {"get": {"operationId": "get", "responses": {}}, "delete": {"operationId": "remove", "responses": {}}},
              "/items/{id}/ship": {"post": {"operationId": "ship", "responses": {}}},
              "/jobs": {"post": {"operationId": "job", "responses": {}}}}}


def test_writes(rig):
    folder = rig.path("artifacts")
    os.makedirs(os.path.join(folder, "apis", "shop"))
    with open(os.path.join(folder, "apis", "shop", "apiInformation.json"), "w") as f:
        json.dump({"properties": {"displayName": "shop", "path": "shop", "serviceUrl": "http://127.0.0.1:1"}}, f)
    with open(os.path.join(folder, "apis", "shop", "specification.json"), "w") as f:
        json.dump(SPECIFICATION, f)
    with open(rig.path("headgate.yaml"), "w") as f:
        f.write("artifacts: artifacts\napis: {shop: {cache: {drop-on-write: true, writes: {job: '/items*', gone: none}}}}\n")
    done = subprocess.run([HEADGATE, "cache", "writes", "--config", rig.path("headgate.yaml"), "shop"], stdout=subprocess.PIPE, text=True,
                          timeout=60 * SLOW)
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert done.returncode == 0 and lines[0] == "shop: drop-on-write is on", done.stdout
    for line in ("POST /items /shop/items", "DELETE /items/{id} /shop/items/{id}*, /shop/items",
                 "POST /items/{id}/ship /shop/items/{id}, /shop/items", "POST /jobs /shop/items* (as configured)",
                 "writes: there is no operation 'gone'"):
        assert line in lines, (line, done.stdout)


if __name__ == "__main__":
    tests = [f for name, f in sorted(globals().items(), key=lambda i: getattr(i[1], "__code__", None) and
                                     i[1].__code__.co_firstlineno or 0) if name.startswith("test_")]
    sys.exit(1 if run_all(tests, sys.argv[2:]) else 0)
