"""KVM's own counters of a VM or a vCPU, read from its binary statistics file descriptor (Linux 5.14 on)."""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Mapping

from . import abi

_HEADER = "6I"  # flags, name size, number of descriptors, offsets of id, descriptors and data
_DESCRIPTOR = "IhHII"  # flags, exponent, size, offset, bucket size; the name follows
_U64 = struct.Struct("Q")


class Statistics:
    """Counters of one VM or vCPU by name; histograms are left out."""

    def __init__(self, owner: int) -> None:
        self.fd = fcntl.ioctl(owner, abi.GET_STATS_FD, 0)
        _, name_size, number, _, at, self._data = struct.unpack(_HEADER, os.pread(self.fd, 24, 0))
        self._offsets = descriptors(os.pread(self.fd, (16 + name_size) * number, at), name_size)
        self._length = max(self._offsets.values()) + _U64.size

    def read(self) -> dict[str, int]:
        """All counters at this moment."""
        raw = os.pread(self.fd, self._length, self._data)
        return {name: _U64.unpack_from(raw, offset)[0] for name, offset in self._offsets.items()}

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self.fd)


def descriptors(raw: bytes, name_size: int) -> dict[str, int]:
    """Offset of each single-valued counter in the data block, from the descriptors as the kernel writes them."""
    found = {}
    for start in range(0, len(raw), 16 + name_size):
        _, _, size, offset, _ = struct.unpack_from(_DESCRIPTOR, raw, start)
        if size == 1:
            name = raw[start + 16 : start + 16 + name_size].split(b"\0")[0]
            found[name.decode("ascii", "replace")] = offset
    return found


def differences(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """What moved between two readings."""
    return {name: value - before[name] for name, value in after.items() if value != before[name]}
