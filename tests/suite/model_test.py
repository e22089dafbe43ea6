"""model_test.py HEADGATE [SEED [MINUTES]]: three nodes and a Redis, checked against a model.

Random reads, stores, purges and expiries run beside one another, while links are cut, stalled and healed, Redis is killed, emptied,
paused, made read-only or given an old copy of its data, and nodes are killed. Each answer is compared with what the model allows:

    M1  a reader never sees a version older than a purge that was acknowledged to it. An acknowledgement binds
          - the node that gave it, at once
          - every other node at once, when the receipt counts nobody as outstanding (its figures stood still)
          - a node that was outstanding, as soon as it is seen to be connected again
          - when Redis has not got the purge yet, the others once it has been passed on
    M2  nothing is served after its duration
    M3  no request fails because of the cache

The sequence of steps comes from the seed; how they meet does not, as nodes and Redis are real. Without MINUTES the number of steps
is fixed. Prints "N passed, N failed"; a failure prints the seed, the last events about the key, and the logs.
"""
import collections
import concurrent.futures
import http.client
import os
import random
import re
import sys
import threading
import time
import traceback

from rig import SLOW, RespClient, Rig, must, wait_until

POLICY = """<policies>
  <inbound><base />
    <cache-lookup vary-by-developer="false" vary-by-developer-groups="false" caching-type="TYPE" />
  </inbound>
  <outbound><cache-store duration="SECONDS" /><base /></outbound>
</policies>"""

VALUES = """<policies>
  <inbound><base />
    <set-variable name="k" value="@(context.Request.Url.Query.GetValueOrDefault(&quot;k&quot;))" />
    <choose>
      <when condition="@(context.Request.Method == &quot;POST&quot;)">
        <cache-store-value key="@((string)context.Variables[&quot;k&quot;])"
            value="@(context.Request.Body.As&lt;string&gt;())" duration="600" />
        <return-response><set-status code="204" /></return-response>
      </when>
      <when condition="@(context.Request.Method == &quot;DELETE&quot;)">
        <cache-remove-value key="@((string)context.Variables[&quot;k&quot;])" />
        <return-response><set-status code="204" /></return-response>
      </when>
      <otherwise>
        <cache-lookup-value key="@((string)context.Variables[&quot;k&quot;])" variable-name="v" default-value="none" />
        <return-response><set-body>@((string)context.Variables["v"])</set-body></return-response>
      </otherwise>
    </choose>
  </inbound>
</policies>"""

PURGING = """<policies><inbound><base />
  <cache-remove-value key="@(&quot;response-cache:&quot; + context.Request.Url.Query.GetValueOrDefault(&quot;path&quot;))" />
  <return-response><set-status code="204" /></return-response>
</inbound></policies>"""

SHORT_S = 2
APIS = {
    "hot": ("hot", POLICY.replace("TYPE", "prefer-external").replace("SECONDS", "600")),
    "shared": ("shared", POLICY.replace("TYPE", "external").replace("SECONDS", "600")),
    "short": ("short", POLICY.replace("TYPE", "prefer-external").replace("SECONDS", str(SHORT_S))),
    "values": ("values", VALUES),
    "purge": ("purge", PURGING),
}
PATHS = [f"/{api}/v/{api}{i}" for api in ("hot", "shared", "short") for i in range(3)]
NAMES = ["a", "b", "c"]
N_NODES = 3
EXPIRY_SLACK_S = 0.1 * SLOW      # clocks are read once a turn of the loop
OPERATION_MS = 100 * SLOW
PATIENCE_S = 120                # a busy machine, where operations take longer than that, decides nothing
STEPS = 60
OPS = 24                         # of one step
SENTINEL = "/none/sentinel"

CONFIG = """caches:
  - {{connection: 'redis://127.0.0.1:{port}', timeout: {timeout}ms}}
"""


class Violation(Exception):
    pass


class Bound:
    """A purge that binds some nodes only: what they must not serve below, as soon as they have heard of it."""

    def __init__(self, key, version, node, number, open_nodes):
        self.key, self.version, self.node = key, version, node
        self.number = number           # of the stream's last entry when it was acknowledged; None: Redis has not got it
        self.open = set(open_nodes)
        self.acked = time.monotonic()


class Model:
    """What was written, purged and acknowledged. One lock for all of it."""

    def __init__(self, origin):
        self.lock = threading.Lock()
        self.origin = origin
        self.version = collections.Counter()           # by key: the newest that was written
        self.floor = [collections.Counter() for _ in range(N_NODES)]
        self.partial = []                              # Bounds
        self.events = collections.deque(maxlen=4000)
        self.flights = collections.defaultdict(set)    # by path: reads under way
        self.until = {}                                # (path, version): it may be served to reads that begin before
        self.began = time.monotonic()
        self.counts = collections.Counter()

    def note(self, key, text):
        self.events.append((time.monotonic() - self.began, key, text))

    def bind(self, node, key, version, why):
        if self.floor[node][key] < version:
            self.floor[node][key] = version
            self.note(key, f"node{node} bound to {version}: {why}")

    def on_answer(self, path, version):
        """The origin answers: whoever reads this path now may be the one who fetches."""
        with self.lock:
            for read in self.flights[path]:
                read.fetched.add(version)
            self.note(path, f"origin answers {version}")


class Read:
    def __init__(self, node):
        self.node = node
        self.start = time.monotonic()
        self.fetched = set()


class World:
    """The nodes, their links, the Redis, and what was done to them."""

    def __init__(self, rig, seed):
        self.rig = rig
        self.rng = random.Random(seed)
        self.redis = rig.redis()
        self.origin = rig.origin()
        self.model = Model(self.origin)
        self.origin.on_answer = lambda path, body: self.on_answer(path, body)
        self.relays = [rig.relay(self.redis.port) for _ in range(N_NODES)]
        self.gateways = [rig.gateway(self.origin, APIS, CONFIG.format(port=r.port, timeout=OPERATION_MS), name=f"node{i}")
                         for i, r in enumerate(self.relays)]
        self.life = [0] * N_NODES                      # how often each was killed
        self.dead = [False] * N_NODES
        self.trouble = None                            # what ends the present trouble
        self.settle()

    def on_answer(self, path, body):
        api = re.match(r"/v/([a-z]+)", path).group(1)
        self.model.on_answer(f"/{api}{path}", int(body))

    # --- operations -------------------------------------------------------------------------------------------------

    def ask(self, node, *request, **more):
        """None when the node was killed meanwhile; any other failure is one (M3)."""
        life = self.life[node]
        try:
            return self.gateways[node].request(*request, **more)
        except (OSError, http.client.HTTPException) as e:
            if self.dead[node] or self.life[node] != life:
                return None
            raise Violation(f"M3: node{node} {request}: {e!r}")

    def read(self, node, key):
        m = self.model
        with m.lock:
            read, floor = Read(node), m.floor[node][key]
            m.flights[key].add(read)
        is_value = not key.startswith("/")
        try:
            r = self.ask(node, "GET", f"/values/x?k={key}" if is_value else key)
        finally:
            with m.lock:
                m.flights[key].discard(read)
                for version in read.fetched if r else ():
                    m.until[key, version] = max(m.until.get((key, version), 0), time.monotonic() + SHORT_S)
        if not r:
            return
        if r.status != 200:
            raise Violation(f"M3: node{node} answers {r.status} to {key}")
        if r.text == "none":
            return
        version = int(r.text)
        with m.lock:
            m.counts["reads"] += 1
            m.note(key, f"node{node} read {version}, asked at {read.start - m.began:.4f}")
            if version < floor:
                raise Violation(f"M1: node{node} serves {version} of {key}; {floor} was acknowledged")
            if key.startswith("/short/"):
                self.check_expiry(read, key, version)

    def check_expiry(self, read, key, version):
        """Under the model's lock."""
        m = self.model
        if version in read.fetched or any(version in other.fetched for other in m.flights[key]):
            return
        late = read.start - m.until.get((key, version), 0)
        if late > EXPIRY_SLACK_S:
            raise Violation(f"M2: node{read.node} serves {version} of {key} {late:.3f} s after its end")

    def figures(self, node):
        try:
            f = self.gateways[node].metrics()
        except (OSError, http.client.HTTPException):
            return None
        return (f.get("headgate_external_cache_purges_alone_total"), f.get("headgate_external_cache_purges_outstanding_total"))

    def last_number(self):
        """Of the stream, and what the nodes say that they have applied; None when Redis cannot say."""
        try:
            c = RespClient(("127.0.0.1", self.redis.port))
            c.sock.settimeout(1)
            try:
                last = c("XREVRANGE", "{headgate}:purges", "+", "-", "COUNT", "1")
                said = c("HGETALL", "{headgate}:nodes")
            finally:
                c.close()
            if isinstance(last, Exception) or isinstance(said, Exception) or not last:
                return None
        except (OSError, ValueError):
            return None
        ms, _, sequence = last[0][0].decode().partition("-")
        return (int(ms) << 20) + int(sequence), dict(zip(said[::2], said[1::2]))

    def purge(self, node, key):
        """A new version, then a purge; what the acknowledgement binds."""
        m = self.model
        is_value = not key.startswith("/")
        with m.lock:
            if not is_value:
                m.version[key] += 1
                self.origin.versions[key[key.index("/v/"):]] = m.version[key]
            version = m.version[key] + is_value        # of a value: none that was stored before
            m.note(key, f"node{node} purge of what is below {version} begins")
        life, before = self.life[node], self.figures(node)
        r = self.ask(node, *(("DELETE", f"/values/x?k={key}") if is_value else ("POST", f"/purge/x?path={key}")))
        if not r:
            return
        if r.status != 204:
            raise Violation(f"M3: node{node} answers {r.status} to a purge")
        with m.lock:
            m.counts["purges"] += 1
            m.bind(node, key, version, "it gave the receipt")
        after = self.figures(node)
        if life != self.life[node] or not before or not after:
            return
        if before == after:
            with m.lock:
                m.counts["full receipts"] += 1
                for i in range(N_NODES):
                    m.bind(i, key, version, f"all were reached by node{node}")
            return
        found = self.last_number() if before[0] == after[0] else None
        with m.lock:
            m.partial.append(Bound(key, version, node, found[0] if found else None, set(range(N_NODES)) - {node}))
            m.note(key, f"node{node} purge to {version}: {'some are outstanding' if found else 'not passed on yet'}")

    def store(self, node, key):
        m = self.model
        with m.lock:
            version = m.version[key, "begun"] = m.version[key, "begun"] + 1
            m.note(key, f"node{node} stores {version}")
        r = self.ask(node, "POST", f"/values/x?k={key}", body=str(version))
        if not r:
            return
        if r.status != 204:
            raise Violation(f"M3: node{node} answers {r.status} to a store")
        with m.lock:
            m.counts["stores"] += 1
            m.version[key] = max(m.version[key], version)

    # --- what binds later -------------------------------------------------------------------------------------------

    def look(self):
        """Binds nodes that were outstanding and have heard of the purge since."""
        m = self.model
        with m.lock:
            waiting = [p for p in m.partial if p.number is not None]
        if not waiting:
            return
        connected = {i for i in range(N_NODES) if not self.dead[i] and self.is_connected(i)}
        with m.lock:
            for p in waiting:
                for i in sorted(p.open & connected):
                    m.bind(i, p.key, p.version, "it is connected again")
                    p.open.discard(i)
            m.partial = [p for p in m.partial if p.open]

    def is_connected(self, i):
        try:
            return self.gateways[i].metric("headgate_external_cache_connections") >= 2
        except (OSError, http.client.HTTPException):
            return False

    def wait_for(self, condition, what):
        """In vain it says what there is, so that load can be told from a fault: late operations count as time-outs."""
        if wait_until(condition, PATIENCE_S):
            return
        names = [f"headgate_external_cache_{n}" for n in ("connections", "connects_total", "timeouts_total", "purges_total",
                                                          "purges_alone_total", "purges_outstanding_total")]
        found = [{n: g.metrics().get(n) for n in names} for g in self.gateways]
        raise AssertionError(f"in vain: {what}; nodes: {found}; stream and nodes: {self.last_number()}")

    def settle(self):
        """No trouble any more; everything that was ever acknowledged holds everywhere."""
        if self.trouble:
            self.trouble()
            self.trouble = None
        for i in range(N_NODES):
            self.wait_for(lambda: self.is_connected(i), f"node{i} is connected")
        for i in range(N_NODES):
            for _ in range(2):                         # the first one passes on what waited
                self.wait_for(lambda: self.sentinel(i), f"node{i} reaches all nodes")
        with self.model.lock:
            for p in self.model.partial:
                for i in p.open:
                    self.model.bind(i, p.key, p.version, "all has settled")
            self.model.partial = []

    def sentinel(self, i):
        """A purge, and whether all nodes that live have applied it then."""
        before = self.figures(i)
        assert self.gateways[i].request("POST", f"/purge/x?path={SENTINEL}").status == 204
        after = self.figures(i)
        if not before or not after or before[0] != after[0]:
            return False
        found = self.last_number()
        return before == after or found is not None and self.all_applied(*found)

    def all_applied(self, number, said):
        alive = [g.name for g in self.gateways]
        newest = {}
        for text in said.values():
            applied, _, name = text.decode().split(" ", 2)
            for n in alive:
                if name.startswith(n):
                    newest[n] = max(newest.get(n, 0), int(applied))
        return len(newest) == N_NODES and min(newest.values()) >= number

    def sweep(self, pool):
        """Every node reads every key."""
        self.wait([pool.submit(self.read, i, key) for key in PATHS + NAMES for i in range(N_NODES)])

    # --- troubles ---------------------------------------------------------------------------------------------------

    def cut(self, i):
        self.relays[i].cut()
        return self.relays[i].heal

    def stall(self, i):
        self.relays[i].is_stalled = True
        return self.relays[i].heal

    def slow(self, i):
        self.relays[i].delay = self.rng.choice([0.002, 0.02, 0.2])

        def end():
            self.relays[i].delay = 0
        return end

    def flap(self, i):
        """Cut with what is on its way, and there again at once."""
        self.relays[i].cut()
        self.relays[i].heal()

    def kill_node(self, i):
        self.dead[i] = True
        self.life[i] += 1
        self.gateways[i].kill()
        with self.model.lock:                          # what it had not passed on is lost: its receipt said so
            self.model.partial = [p for p in self.model.partial if p.number is not None or p.node != i]

        def end():
            self.gateways[i].start()
            self.dead[i] = False
        return end

    def empty_redis(self, i):
        self.redis.kill()
        try:
            os.unlink(os.path.join(self.redis.folder, "dump.rdb"))
        except FileNotFoundError:
            pass
        return self.redis.start

    def old_redis(self, i):
        """An old copy of its data; some purges later than it."""
        if self.redis("SAVE") != "OK":
            return None
        for key in self.rng.sample(PATHS + NAMES, 4):
            self.purge(self.rng.randrange(N_NODES), key)
        self.settle()
        self.redis.kill()

        def end():                                     # a node that is new now must not be the first one to speak to it
            self.redis.start()
            for n in range(N_NODES):
                must(lambda: self.is_connected(n), f"node{n} is connected", PATIENCE_S)
        return end

    def pause_redis(self, i):
        self.redis.pause()
        return self.redis.resume

    def read_only_redis(self, i):
        self.redis("REPLICAOF", "127.0.0.1", "1")
        return lambda: self.redis("REPLICAOF", "NO", "ONE")

    def flush_redis(self, i):
        self.redis("FLUSHALL")

    def delete_keys(self, i):
        self.redis("EVAL", "local keys = redis.call('keys', ARGV[1]) for i=1,#keys do redis.call('del', keys[i]) end return #keys",
                   "0", "apim:*")

    def break_connections(self, i):
        self.redis("CLIENT", "KILL", "TYPE", "normal")

    def slow_origin(self, i):
        self.origin.delay = self.rng.choice([0.005, 0.05])

        def end():
            self.origin.delay = 0
        return end

    # --- steps ------------------------------------------------------------------------------------------------------

    def wait(self, futures):
        for f in concurrent.futures.as_completed(futures):
            f.result()

    def operations(self, pool):
        rng, futures = self.rng, []
        for _ in range(OPS):
            node = rng.choice([i for i in range(N_NODES) if not self.dead[i]])
            dice = rng.random()
            if dice < 0.62:
                futures.append(pool.submit(self.read, node, rng.choice(PATHS + NAMES)))
            elif dice < 0.8:
                futures.append(pool.submit(self.store, node, rng.choice(NAMES)))
            else:
                futures.append(pool.submit(self.purge, node, rng.choice(PATHS + NAMES)))
        return futures

    def step(self, pool):
        rng = self.rng
        futures = self.operations(pool)
        if self.trouble and rng.random() < 0.5:
            self.trouble()
            self.trouble = None
        elif not self.trouble and rng.random() < 0.5:
            trouble = rng.choice([self.cut, self.cut, self.stall, self.slow, self.flap, self.flap, self.kill_node, self.empty_redis,
                                  self.old_redis, self.pause_redis, self.read_only_redis, self.flush_redis, self.delete_keys,
                                  self.break_connections, self.slow_origin, self.slow_origin])
            if trouble == self.kill_node and rng.random() < 0.7:
                trouble = self.flap                    # a dead node is missed in receipts for a minute: not too often
            node = rng.randrange(N_NODES)
            self.model.note(None, f"{trouble.__name__} {node}")
            if trouble == self.old_redis:
                self.wait(futures)
            self.trouble = trouble(node)
        self.wait(futures)
        self.look()
        if rng.random() < 0.15:
            self.settle()
            self.sweep(pool)


def report(world, seed, error):
    text = "".join(f"--- log of {g.name}\n{g.log()[-2500:]}\n" for g in world.gateways)
    key = next((k for k in PATHS + NAMES if f" {k}" in str(error)), None)
    events = [e for e in world.model.events if key is None or e[1] in (key, None)]
    lines = "".join(f"{at:9.4f}  {k or '-'}  {what}\n" for at, k, what in events[-60:])
    return f"{text}--- the last events\n{lines}seed {seed}: {error}\n"


def run(seed, minutes):
    rig, world = Rig(), None
    end = time.monotonic() + minutes * 60 if minutes else None
    steps = 0
    try:
        world = World(rig, seed)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            while time.monotonic() < end if end else steps < STEPS:
                world.step(pool)
                steps += 1
            world.settle()
            world.sweep(pool)
        counts = ", ".join(f"{n} {what}" for what, n in sorted(world.model.counts.items()))
        print(f"seed {seed}: {steps} steps, {counts}")
        return True
    except BaseException as e:
        print(report(world, seed, e) if world else "")
        if not isinstance(e, Violation):
            traceback.print_exc()
        return False
    finally:
        rig.close()


if __name__ == "__main__":
    ok = run(sys.argv[2] if len(sys.argv) > 2 else "headgate", float(sys.argv[3]) if len(sys.argv) > 3 else 0)
    print(f"{int(ok)} passed, {int(not ok)} failed")
    sys.exit(0 if ok else 1)
