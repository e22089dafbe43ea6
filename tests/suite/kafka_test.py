"""kafka_test.py HEADGATE [TEST...]: log-to-eventhub through a whole gateway to a Kafka: librdkafka's mock cluster in a process of its own
(tests/tools/kafka_mock.c), whose consumer tells what arrived. Prints "N passed, N failed".
"""
import os
import subprocess
import sys
import threading

from rig import HEADGATE, must, run_all

MOCK = os.path.join(os.path.dirname(HEADGATE), "tools", "kafka_mock")
PARTITIONS = 4

KEYED = """<policies><inbound><base /></inbound><outbound><base />
  <log-to-eventhub logger-id="hub" partition-key="@(context.Request.Headers.GetValueOrDefault(&quot;X-Key&quot;))">@{
    return context.Request.Headers.GetValueOrDefault("X-Text", "") + " " + context.Response.StatusCode;
  }</log-to-eventhub></outbound></policies>"""
THIRD = """<policies><inbound><base /><log-to-eventhub logger-id="hub" partition-id="3">to the third</log-to-eventhub></inbound></policies>"""
NULLS = """<policies><inbound><base />
  <log-to-eventhub logger-id="hub" partition-key="@((string)null)">@((string)null)</log-to-eventhub></inbound></policies>"""
LARGE = """<policies><inbound><base /><log-to-eventhub logger-id="hub">@(new string('x', 300000))</log-to-eventhub></inbound></policies>"""
FAILING = """<policies><outbound><base /></outbound><on-error><base />
  <log-to-eventhub logger-id="hub">@(context.LastError.Source + ": " + context.LastError.Reason)</log-to-eventhub></on-error>
  <inbound><base /><check-header name="X-None" failed-check-httpcode="400" failed-check-error-message="m" ignore-case="true" /></inbound>
  </policies>"""

APIS = {"keyed": ("keyed", KEYED), "third": ("third", THIRD), "nulls": ("nulls", NULLS), "large": ("large", LARGE),
        "failing": ("failing", FAILING)}


class Kafka:
    """The cluster, and all that has arrived: (partition, key, value), in the order of each partition."""

    def __init__(self, topic="orders"):
        self.process = subprocess.Popen([MOCK, topic, str(PARTITIONS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.servers = self.process.stdout.readline().split()[1]
        self.messages = []
        self.done = 0
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            if line == "done\n":
                self.done += 1
                continue
            partition, offset, key, value = line.split()
            assert int(offset) == sum(m[0] == int(partition) for m in self.messages), "offsets follow each other"
            self.messages.append((int(partition), self.text(key), self.text(value)))

    @staticmethod
    def text(hexadecimal):
        return None if hexadecimal == "-" else bytes.fromhex(hexadecimal).decode()

    def __call__(self, command):
        wanted = self.done + 1
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        must(lambda: self.done == wanted, f"{command} is done")

    def values(self, partition=None):
        return [value for p, _, value in list(self.messages) if partition in (None, p)]

    def close(self):
        self.process.stdin.close()
        self.process.wait(20)


def start(rig, config="", **more):
    kafka = rig.add(Kafka())
    gateway = rig.gateway(rig.origin(), APIS, f"""loggers:
  - {{id: hub, to: kafka, servers: "{kafka.servers}", topic: orders, tls: false{config}}}
""", **more)
    return kafka, gateway


def tell(gateway, text, key="k", status=200):
    r = gateway.get("/keyed/v/a", {"X-Key": key, "X-Text": text})
    assert r.status == status, r.status


def settled(gateway):
    m = gateway.metrics()
    return m["headgate_logger_waiting"] == 0 and m["headgate_logger_events_total"] == sum(
        m[f"headgate_logger_{what}_total"] for what in ("delivered", "failed", "dropped"))


def test_messages_arrive_in_order_and_in_their_partition(rig):
    kafka, gateway = start(rig, workers=1)
    for i in range(60):
        tell(gateway, f"message {i}", f"key {i % 3}")
    must(lambda: len(kafka.messages) == 60, "60 messages arrive")
    for key in range(3):
        mine = [m for m in kafka.messages if m[1] == f"key {key}"]
        assert len({m[0] for m in mine}) == 1, "a key has one partition"
        assert [m[2] for m in mine] == [f"message {i} 200" for i in range(60) if i % 3 == key], mine
    must(lambda: gateway.metric("headgate_logger_delivered_total") == 60, "all are reported")
    assert gateway.metric("headgate_logger_events_total") == 60
    assert gateway.metric("headgate_logger_waiting") == 0


def test_a_partition_by_number_nulls_errors_and_what_is_too_long(rig):
    kafka, gateway = start(rig)
    assert gateway.get("/third/v/a").status == 200
    must(lambda: kafka.values(3) == ["to the third"], "it is in partition 3")
    assert gateway.get("/failing/v/a").status == 400
    must(lambda: "check-header: HeaderNotFound" in kafka.values(), "on-error tells, too")
    assert gateway.get("/large/v/a").status == 200
    must(lambda: "x" * 204800 in kafka.values(), "200 KB of it arrive")
    assert gateway.metric("headgate_logger_truncated_total") == 1
    assert gateway.get("/nulls/v/a").status == 200
    must(lambda: any(m[1] is None and m[2] is None for m in kafka.messages), "a message of nothing arrives")
    must(lambda: settled(gateway), "all are reported")
    assert gateway.metric("headgate_logger_delivered_total") == 4


def test_a_broker_that_is_away_costs_what_the_queue_cannot_hold(rig):
    kafka, gateway = start(rig, ", queue: 64KiB", workers=1)
    tell(gateway, "first")
    must(lambda: len(kafka.messages) == 1, "the first arrives")
    kafka("down")
    for i in range(120):                      # a KiB each: about half has no room; no request waits or fails
        tell(gateway, f"{i} " + "x" * 1000)
    m = gateway.metrics()
    waiting, dropped = m["headgate_logger_waiting"], m["headgate_logger_dropped_total"]
    assert waiting + dropped == 120 and 30 <= waiting <= 66, m
    assert "is dropped" in gateway.log(), "the log's rows tell of it"
    kafka("up")
    must(lambda: len(kafka.messages) == 1 + waiting, "what waited arrives", 60)
    assert [int(v.split()[0]) for v in kafka.values()[1:]] == list(range(int(waiting))), "in its order"
    must(lambda: settled(gateway), "all are reported")
    tell(gateway, "last")
    must(lambda: kafka.values()[-1] == "last 200", "and what comes then", 60)


def test_a_slow_broker_and_one_that_denies_hold_up_no_request(rig):
    kafka, gateway = start(rig, workers=1)
    tell(gateway, "first")
    must(lambda: len(kafka.messages) == 1, "the first arrives")
    kafka("delay 1000")
    for i in range(20):
        tell(gateway, f"slow {i}")
    must(lambda: len(kafka.messages) == 21, "late, they arrive", 60)
    kafka("delay 0")
    kafka("deny 3")
    for i in range(20):
        tell(gateway, f"denied {i}")
    must(lambda: len(kafka.messages) == 41, "tried again, they arrive", 60)
    assert kafka.values()[1:] == [f"slow {i} 200" for i in range(20)] + [f"denied {i} 200" for i in range(20)], kafka.values()
    must(lambda: gateway.metric("headgate_logger_delivered_total") == 41, "all are reported")


def test_what_waits_goes_out_before_the_gateway_ends(rig):
    kafka, gateway = start(rig, workers=1)
    kafka("delay 300")
    for i in range(10):
        tell(gateway, f"message {i}")
    assert gateway.close() == 0
    must(lambda: kafka.values() == [f"message {i} 200" for i in range(10)], "all ten")


if __name__ == "__main__":
    tests = [f for name, f in sorted(globals().items(), key=lambda i: getattr(i[1], "__code__", None) and
                                     i[1].__code__.co_firstlineno or 0) if name.startswith("test_")]
    sys.exit(1 if run_all(tests, sys.argv[2:]) else 0)
