"""grpc_trip.py: gRPC's own client and server with the gateway in between: the four kinds of call, errors, metadata, a
deadline, a cancel, and a refusal of the gateway's. Messages are plain bytes; what they say is not the gateway's business.
SPDX-License-Identifier: Apache-2.0"""
import threading
from concurrent import futures

import grpc


class Service(grpc.GenericRpcHandler):
    def __init__(self):
        self.cancelled = threading.Event()

    def service(self, details):
        name = details.method.rsplit("/", 1)[1]
        make = {"One": grpc.unary_unary_rpc_method_handler, "Fail": grpc.unary_unary_rpc_method_handler,
                "Wait": grpc.unary_unary_rpc_method_handler, "Down": grpc.unary_stream_rpc_method_handler,
                "Up": grpc.stream_unary_rpc_method_handler, "Both": grpc.stream_stream_rpc_method_handler}.get(name)
        return make(getattr(self, name.lower())) if make else None

    def one(self, message, context):
        context.send_initial_metadata((("x-initial", "i"),))
        context.set_trailing_metadata((("x-trailing", dict(context.invocation_metadata()).get("x-ask", "-")),))
        return message[::-1]

    def fail(self, message, context):
        context.abort(grpc.StatusCode.NOT_FOUND, "no such thing: \u00e4")

    def wait(self, message, context):
        context.add_callback(self.cancelled.set)
        self.cancelled.wait(10)
        return b""

    def down(self, message, context):
        for i in range(500):
            yield b"%d" % i

    def up(self, messages, context):
        return b"%d" % sum(len(m) for m in messages)

    def both(self, messages, context):
        for m in messages:
            yield m


def start():
    """(server, port); stop it with server.stop(0)."""
    server = grpc.server(futures.ThreadPoolExecutor(8))
    service = Service()
    server.add_generic_rpc_handlers((service,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port, service


def checks(channel, service):
    """(name, what came, what should have come)"""
    response, call = channel.unary_unary("/t.S/One").with_call(b"abc", metadata=(("x-ask", "m"),), timeout=10)
    yield "unary", response, b"cba"
    yield "initial metadata", dict(call.initial_metadata()).get("x-initial"), "i"
    yield "trailing metadata", dict(call.trailing_metadata()).get("x-trailing"), "m"
    yield "1 MB message", len(channel.unary_unary("/t.S/One")(b"x" * 1000000, timeout=10)), 1000000
    yield "server stream", sum(1 for _ in channel.unary_stream("/t.S/Down")(b"", timeout=10)), 500
    yield "client stream", channel.stream_unary("/t.S/Up")((b"x" * 1000 for _ in range(300)), timeout=10), b"300000"
    answers = list(channel.stream_stream("/t.S/Both")((b"%d" % i for i in range(100)), timeout=10))
    yield "both ways", answers, [b"%d" % i for i in range(100)]
    for name, method, code in (("error of the server", "/t.S/Fail", grpc.StatusCode.NOT_FOUND),
                               ("unknown method", "/t.S/Nothing", grpc.StatusCode.UNIMPLEMENTED),
                               ("refusal of the gateway", "/denied/One", grpc.StatusCode.PERMISSION_DENIED),
                               ("backend that speaks HTTP/1", "/old/One", None)):
        try:
            channel.unary_unary(method)(b"", timeout=10)
            yield name, "no error", code
        except grpc.RpcError as e:
            yield name, e.code() if code else e.code() != grpc.StatusCode.OK, code or True
            if method == "/t.S/Fail":
                yield "its words", e.details(), "no such thing: \u00e4"
    service.cancelled.clear()
    try:
        channel.unary_unary("/t.S/Wait")(b"", timeout=0.3)
        yield "deadline", "no error", ""
    except grpc.RpcError as e:
        yield "deadline", e.code(), grpc.StatusCode.DEADLINE_EXCEEDED
    yield "the server hears of it", service.cancelled.wait(3), True


def run(target, service, certificate=None):
    """(passed, failed)"""
    passed = failed = 0
    options = (("grpc.ssl_target_name_override", "localhost"), ("grpc.enable_http_proxy", 0))
    channel = (grpc.secure_channel(target, grpc.ssl_channel_credentials(certificate), options) if certificate
               else grpc.insecure_channel(target, options))
    with channel:
        for name, got, expected in checks(channel, service):
            if got == expected:
                passed += 1
            else:
                failed += 1
                print(f"gRPC {'TLS' if certificate else 'plain'}, {name}: {got!r}, expected {expected!r}")
    return passed, failed
