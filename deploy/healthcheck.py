"""Whether the API of this container is up: the image's health check.

A process of its own every ten seconds, so it imports next to nothing; and it asks this machine, past any proxy.
"""

import os
import socket
import sys

host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(name := os.environ.get("STORELENS_HOST", ""), name)
port = os.environ.get("STORELENS_PORT") or "8000"
try:
    with socket.create_connection((host, int(port)), timeout=2) as connection:
        connection.sendall(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
        status = connection.recv(64).split(b" ")[1:2]
except (OSError, ValueError) as error:
    sys.exit(f"the API does not answer at {host}, port {port}: {error}")
sys.exit(status != [b"200"])
