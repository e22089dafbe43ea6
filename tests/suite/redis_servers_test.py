"""redis_servers_test.py HEADGATE [TEST...]: servers of the shared cache that change: promoted, busy, full, without room for connections,
clusters over RESP2, one of several. Prints "N tests, N passed, N failed".
"""
import sys
import threading

from redis_test import APIS, OUTSTANDING, TIMEOUT, cluster, is_connected, nodes, swallow, warm
from rig import must, run_all


def test_a_worker_without_connection_leaves_the_pulse_to_another(rig):
    """A node that may still serve copies, as one of its workers has a lease, is waited for by purges, and hears of them."""
    redis = rig.redis()
    origin, a, b = nodes(rig, 2, redis.port)
    c = redis.client()
    first = [line for line in c("CLIENT", "LIST").decode().splitlines() if "name=node1/" in line and " sub=1 " in line]
    assert len(first) == 1, first
    c("CONFIG", "SET", "maxclients", "4")       # a's, b's other one and ours: who leaves does not come back
    c("CLIENT", "KILL", "ID", first[0].split()[0][len("id="):])

    def says():
        return [text for text in c("HVALS", "{headgate}:nodes") if text.endswith(first[0].split("name=")[1].split()[0].encode())]

    last = says()
    must(lambda: says() != last, "the other worker says that the node lives", 20)
    for _ in range(8):                          # each worker has its copy, or none
        b.get("/products/v/1")
    origin.versions["/v/1"] = 1
    a.request("POST", "/purge/x?path=/products/v/1")
    assert a.metric(OUTSTANDING) == 0, "b has said that it has applied the purge"
    for _ in range(8):
        assert b.get("/products/v/1").text == "1"
    c.close()


def test_a_redis_that_is_busy_is_away(rig):
    redis = rig.redis("--lua-time-limit", "50")
    origin, a = nodes(rig, 1, redis.port)
    warm(origin, [a], "/v/1", redis)
    script = threading.Thread(target=swallow, args=(redis, "EVAL", "while true do end", "0"))
    script.start()
    must(lambda: "is away (BUSY" in a.log(), "a notices", 20)
    for _ in range(3):
        assert a.get("/products/v/2").text == "0"
    assert origin.count("/v/2") == 1, "memory serves alone"
    assert redis("SCRIPT", "KILL") == "OK"
    script.join()
    must(lambda: is_connected(a), "it is back", 20)


def test_a_password_that_changes_is_told_of(rig):
    """First the connections are lost, then each new one is refused: only that says what there is to mend."""
    redis = rig.redis()
    origin, a = nodes(rig, 1, redis.port)
    warm(origin, [a], "/v/1", redis)
    c = redis.client()
    assert c("CONFIG", "SET", "requirepass", "changed") == "OK"
    c("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    c("CLIENT", "KILL", "TYPE", "pubsub")
    must(lambda: "is there, and refuses us (" in a.log() and "NOAUTH" in a.log(), "the reason is told", 20)
    origin.versions["/v/1"] = 1
    assert a.request("POST", "/purge/x?path=/products/v/1").status == 204
    assert a.get("/products/v/1").text == "1", "memory serves alone"
    assert a.log().count("refuses us") == 1, "once an absence"
    assert c("CONFIG", "SET", "requirepass", "") == "OK"
    must(lambda: is_connected(a), "it is back", 20)
    assert a.get("/products/v/1").text == "1"
    c.close()


def test_a_redis_that_refuses_to_store_is_told_of(rig):
    """What is refused is kept in memory, and no older value stays in its place."""
    redis = rig.redis()
    _, a, b = nodes(rig, 2, redis.port)
    a.request("POST", "/values/x?k=name", body="old")
    assert b.get("/values/x?k=name").text == "old"
    assert redis("CONFIG", "SET", "maxmemory", "1") == "OK"
    a.request("POST", "/values/x?k=name", body="new")
    must(lambda: "refuses to store an entry (OOM" in a.log(), "it is in the log")
    must(lambda: redis("EXISTS", "apim:-:v:name") == 0, "the old one is removed")
    must(lambda: b.get("/values/x?k=name").text == "none", "b is told")
    assert a.log().count("refuses to store") == 1
    assert redis("CONFIG", "SET", "maxmemory", "0") == "OK"
    a.request("POST", "/values/x?k=name", body="newer")
    assert b.get("/values/x?k=name").text == "newer"


def promote(rig, options):
    """Of several names of one primary the primary is taken, and the other one once the roles have changed, though both go on."""
    one, two = (rig.redis("--repl-diskless-sync-delay", "0", name=name) for name in ("one", "two"))
    assert two("REPLICAOF", "127.0.0.1", str(one.port)) == "OK"
    origin = rig.origin()
    both = f"caches:\n  - {{connection: '127.0.0.1:{two.port},127.0.0.1:{one.port}{options}', timeout: {TIMEOUT}}}\n"
    a, b = (rig.gateway(origin, APIS, both, name=f"node{i}") for i in range(2))
    for g in (a, b):
        must(lambda: is_connected(g), "the gateway finds the primary")
    warm(origin, [a, b], "/v/1", one)
    must(lambda: two("KEYS", "apim:products:r:*"), "the replica follows")
    assert two("REPLICAOF", "NO", "ONE") == "OK" and one("REPLICAOF", "127.0.0.1", str(two.port)) == "OK"
    for g in (a, b):
        must(lambda: f"127.0.0.1:{two.port} is back" in g.log() and is_connected(g), "it has gone over", 20)
    origin.versions["/v/1"] = 1
    a.request("POST", "/purge/x?path=/products/v/1")
    assert a.metric("headgate_external_cache_purges_alone_total") == 0 and a.metric(OUTSTANDING) == 0
    assert [g.get("/products/v/1").text for g in (a, b)] == ["1", "1"]
    assert two("XLEN", "{headgate}:purges") >= 1


def test_a_replica_is_promoted(rig):
    promote(rig, "")


def test_a_replica_is_promoted_resp2(rig):
    promote(rig, ",protocol=resp2")


def test_a_cluster_resp2(rig):
    members = cluster(rig)
    origin = rig.origin()
    more = f"caches:\n  - {{connection: '127.0.0.1:{members[1].port},protocol=resp2', timeout: {TIMEOUT}}}\n"
    a, b = (rig.gateway(origin, APIS, more, name=f"node{i}") for i in range(2))
    for g in (a, b):
        must(lambda: g.metric("headgate_external_cache_connections") >= 8, "the gateway knows all members")
    for i in range(6):
        for g in (a, b):
            g.request("POST", f"/values/x?k=k{i}", body=f"v{i}")
            assert a.get(f"/values/x?k=k{i}").text == b.get(f"/values/x?k=k{i}").text == f"v{i}"
    assert all(m("DBSIZE") >= 1 for m in members)
    assert a.metric("headgate_external_cache_odd_total") == 0 and a.metric("headgate_external_cache_store_errors_total") == 0


def test_a_cache_is_chosen_by_region(rig):
    near, far = rig.redis(name="near"), rig.redis(name="far")
    origin = rig.origin()

    def caches(*regions):
        return "caches:\n" + "".join(f"  - {{id: c{i}, connection: '127.0.0.1:{r.port}', use-from: {region}}}\n"
                                     for i, (r, region) in enumerate(zip((near, far), regions)))

    for config_text, chosen in ((caches("T est", "default"), near), (caches("default", "TEST"), far), (caches("default", "default"), near)):
        g = rig.gateway(origin, APIS, config_text, name="node")
        must(lambda: f"connected to 127.0.0.1:{chosen.port}" in g.log(), "the gateway reaches its Redis")
        g.close()
    g = rig.gateway(origin, APIS, caches("north", "south"), name="node")
    assert "none of them is used from the region 'test'" in g.log(), g.log()


if __name__ == "__main__":
    tests = [f for name, f in list(globals().items()) if name.startswith("test_")]
    sys.exit(1 if run_all(tests, sys.argv[2:]) else 0)
