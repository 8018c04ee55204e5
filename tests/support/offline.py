"""Refuse the network in the process that imports this module.

Sockets of this machine stay open: kernels talk through them.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
from typing import Any


class NetworkRefusedError(RuntimeError):
    """Something tried to reach another machine. No OSError, which callers may take for a missing network."""


def is_local(host: object) -> bool:
    """Whether a host name or address stands for this machine."""
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost", "0.0.0.0", "::", socket.gethostname()):
        return True
    try:
        return ipaddress.ip_address(str(name)).is_loopback
    except ValueError:
        return False


def refuse_network(event: str, args: tuple[Any, ...]) -> None:
    """Audit hook: raise when a socket leaves this machine or a name of another one is looked up."""
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = args[1]
        local = not isinstance(address, tuple) or args[0].family == socket.AF_NETLINK or is_local(address[0])
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        address = args[0]
        local = is_local(address)
    else:
        return
    if not local:
        raise NetworkRefusedError(f"tests run offline, but {event} asked for {address!r}")


sys.addaudithook(refuse_network)
