"""The suite itself: no test, and no process that a test starts, reaches another machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest
from offline import NetworkRefusedError

OUTSIDE = ("192.0.2.1", 9)  # an address that is kept for documentation


def test_a_connection_to_another_machine_is_refused() -> None:
    with socket.socket() as stream, pytest.raises(NetworkRefusedError):
        stream.connect(OUTSIDE)


def test_a_datagram_to_another_machine_is_refused() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as datagrams, pytest.raises(NetworkRefusedError):
        datagrams.sendto(b"", OUTSIDE)


def test_a_name_of_another_machine_is_not_looked_up() -> None:
    with pytest.raises(NetworkRefusedError):
        socket.getaddrinfo("example.org", 80)


def test_a_process_that_a_test_starts_is_refused_too() -> None:
    code = f"import socket; socket.create_connection({OUTSIDE!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert "NetworkRefusedError" in done.stderr


def test_sockets_of_this_machine_work() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(("localhost", server.getsockname()[1])).close()


def test_the_cache_of_the_user_is_left_alone() -> None:
    assert "mmiocost-tests-" in os.environ["MMIOCOST_CACHE"]
