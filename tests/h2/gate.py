"""gate.py: what starts a gateway for the suites of this folder and of tests/hostile.
SPDX-License-Identifier: Apache-2.0"""
import json
import os
import socket
import sys
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../suite"))
from ports import free_port
from processes import end_process


def free_ports(n):
    return [free_port() for _ in range(n)]


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)


def api(folder, name, path, backend, kind="http", policy=None):
    scheme = "ws" if kind == "websocket" else "http"
    write(f"{folder}/artifacts/apis/{name}/apiInformation.json", json.dumps({"properties": {
        "displayName": name, "path": path, "type": kind, "protocols": [scheme, scheme + "s"], "subscriptionRequired": False,
        "serviceUrl": f"{scheme}://127.0.0.1:{backend}"}}))
    if policy:
        write(f"{folder}/artifacts/apis/{name}/policy.xml", f"<policies>{policy}</policies>")


def wait_for(port, process):
    for _ in range(200):
        if process.poll() is not None:
            return False
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True
        except OSError:
            time.sleep(0.05)
    return False


def serving(process):
    """The pid that answers: the child of the master process, or the process itself."""
    try:
        children = open(f"/proc/{process.pid}/task/{process.pid}/children").read().split()
    except OSError:
        children = []
    return int(children[0]) if children else process.pid
