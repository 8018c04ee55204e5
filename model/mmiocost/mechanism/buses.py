"""I/O buses: devices registered at addresses, and the search for the one that an access is meant for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from .counter import Counter


@dataclass(frozen=True, eq=False)
class IoBus:
    """Devices on a bus, none overlapping another.

    ``addresses`` are in the order that the kernel keeps: of registration up to 3.1, ascending from 3.2 on. A
    ``range`` will do. ``ioeventfds`` are the addresses among them at which an ioeventfd answers.
    """

    order: Literal["linear", "sorted"]
    addresses: Sequence[int]
    ioeventfds: Collection[int] = ()

    def access(self, address: int, count: Counter, write: bool = True, event: str = "io_bus_compare") -> bool:
        """kvm_io_bus_write, kvm_io_bus_read: True if a device has answered. Each device tested is an ``event``.

        An ioeventfd answers stores only.
        """
        answers = write or address not in self.ioeventfds
        search = self._scan if self.order == "linear" else self._bsearch
        answered = search(address, count, event, answers)
        if answered and address in self.ioeventfds:
            count("ioeventfd_signal", "ioeventfd_write")
        return answered

    def _scan(self, address: int, count: Counter, event: str, answers: bool) -> bool:
        """Up to 3.1: for (i = 0; i < bus->dev_count; i++), until a device takes the access."""
        found = answers and address in self.addresses
        tested = self.addresses.index(address) + 1 if found else len(self.addresses)
        count(event, "kvm_io_bus_write", "devices in order of registration", tested)
        return found

    def _bsearch(self, address: int, count: Counter, event: str, answers: bool) -> bool:
        """From 3.2: kvm_io_bus_get_first_dev, a bisection and one step back; then the loop over equal ranges."""
        start, end = 0, len(self.addresses)
        while start < end:
            middle = start + (end - start) // 2
            count(event, "kvm_io_bus_get_first_dev", "bsearch")
            if address == self.addresses[middle]:
                if middle > 0:
                    count(event, "kvm_io_bus_get_first_dev", "the device before may have the same address")
                count(event, "kvm_io_bus_write", "the device at this address")
                return answers
            start, end = (start, middle) if address < self.addresses[middle] else (middle + 1, end)
        return False
