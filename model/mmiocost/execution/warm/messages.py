"""Messages between a client, the nursery and its kernels: one line of JSON each, with open files beside it."""

from __future__ import annotations

import json
import socket
from typing import Any

_LONGEST = 1 << 24  # bytes
_MOST_FILES = 3


def send(connection: socket.socket, message: dict[str, Any], files: tuple[int, ...] = ()) -> None:
    """Send one message, and copies of ``files`` with it."""
    line = json.dumps(message).encode() + b"\n"
    sent = socket.send_fds(connection, [line], files)
    connection.sendall(line[sent:])


def receive(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Receive one message and the files that came with it. Raises ValueError at the end or for what is no message."""
    data, files, _, _ = socket.recv_fds(connection, 1 << 16, _MOST_FILES)
    while data and not data.endswith(b"\n") and len(data) < _LONGEST:
        more = connection.recv(1 << 16)
        if not more:
            break
        data += more
    message = json.loads(data)
    if not isinstance(message, dict):
        raise ValueError("not a message")
    return message, files
