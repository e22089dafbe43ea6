"""ports.py: ports for servers that tests start. They lie below those that the kernel gives to outgoing connections: a port from among
these may be taken by one before the server gets to listen."""
import random
import socket

given = set()


def free_port(also=0):
    """A port of 127.0.0.1 that nobody listens at; with `also`, the one that far above it is free, too."""
    while True:
        port = random.randrange(14000, 22000)
        if port in given:
            continue
        try:
            for p in {port, port + also}:
                with socket.socket() as s:
                    s.bind(("127.0.0.1", p))
        except OSError:
            continue
        given.add(port)
        return port
