"""redis_test.py HEADGATE [TEST...]: the shared cache with a real redis-server: killed, slow, cut, emptied, read-only, a cluster,
TLS; nodes that purge each other's entries. Prints "N tests, N passed, N failed".
"""
import sys
import threading
import time

from rig import SLOW, Gateway, Redis, RespClient, Rig, must, run_all, wait_until

CACHED = """<policies>
  <inbound><base />
    <cache-lookup vary-by-developer="false" vary-by-developer-groups="false" caching-type="TYPE" />
  </inbound>
  <outbound><cache-store duration="600" /><base /></outbound>
</policies>"""

VALUES = """<policies>
  <inbound><base />
    <choose>
      <when condition="@(context.Request.Method == &quot;POST&quot;)">
        <cache-store-value key="@(context.Request.Url.Query.GetValueOrDefault(&quot;k&quot;))"
            value="@(context.Request.Body.As&lt;string&gt;())" duration="600" caching-type="TYPE" />
        <return-response><set-status code="204" /></return-response>
      </when>
      <when condition="@(context.Request.Method == &quot;DELETE&quot;)">
        <cache-remove-value key="@(context.Request.Url.Query.GetValueOrDefault(&quot;k&quot;))" caching-type="TYPE" />
        <return-response><set-status code="204" /></return-response>
      </when>
      <otherwise>
        <cache-lookup-value key="@(context.Request.Url.Query.GetValueOrDefault(&quot;k&quot;))" variable-name="v"
            default-value="none" caching-type="TYPE" />
        <return-response><set-body>@((string)context.Variables["v"])</set-body></return-response>
      </otherwise>
    </choose>
  </inbound>
</policies>"""

APIS = {
    "products": ("products", CACHED.replace("TYPE", "prefer-external")),
    "only": ("only", CACHED.replace("TYPE", "external")),
    "inside": ("inside", CACHED.replace("TYPE", "internal")),
    "values": ("values", VALUES.replace("TYPE", "prefer-external")),
    "shared-values": ("shared-values", VALUES.replace("TYPE", "external")),
}
TIMEOUT = f"{1 * SLOW}s"    # of one operation: long, so that a busy machine decides nothing


def config(port, timeout=TIMEOUT, more=""):
    return f"caches:\n  - {{connection: 'redis://127.0.0.1:{port}', timeout: {timeout}{more}}}\n"


def is_connected(gateway):
    return "cache: connected to" in gateway.log()


def nodes(rig, n, port, **more):
    origin = rig.origin()
    found = [rig.gateway(origin, APIS, config(port, **more), name=f"node{i}") for i in range(n)]
    for g in found:
        must(lambda: is_connected(g), "the gateway reaches its Redis")
    return [origin] + found


def test_two_nodes_share_responses_and_values(rig):
    redis = rig.redis()
    origin, a, b = nodes(rig, 2, redis.port)
    assert a.get("/products/v/1").text == "0"
    must(lambda: redis("KEYS", "apim:products:r:*"), "the answer is stored")
    assert b.get("/products/v/1").text == "0"
    assert origin.count("/v/1") == 1
    a.request("POST", "/values/x?k=name", body="Ada")
    assert redis("KEYS", "apim:-:v:*") == [b"apim:-:v:name"]
    assert b.get("/values/x?k=name").text == "Ada"
    assert b.get("/shared-values/x?k=name").text == "Ada"
    assert b.get("/values/x?k=other").text == "none"


if __name__ == "__main__":
    tests = [f for name, f in sorted(globals().items(), key=lambda i: getattr(i[1], "__code__", None) and
                                     i[1].__code__.co_firstlineno or 0) if name.startswith("test_")]
    sys.exit(run_all(tests, sys.argv[2:]))
