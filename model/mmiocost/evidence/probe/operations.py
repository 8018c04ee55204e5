"""What a guest repeats, where it goes and who serves it; and which VM it needs.

The first four MMIO pages and three ports of every VM are served in four ways: by an ioeventfd that takes any value,
by one that compares it, by one of length 0, and (page and port without any) by user space.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from . import guest_code as layout
from .guest_tables import LARGE_PAGE, LEVELS, SMALL_PAGE

SERVED_PAGES = 4
PORT_ANY, PORT_MATCH, PORT_USER = 0x510, 0x514, 0x518
#: Memslot updates between runs; ``none`` is the control.
BUMPS = ("none", "create", "flags", "move", "delete")
VALUE = 1  # what stores and OUT write, and what datamatch compares


@dataclass(frozen=True)
class EventFd:
    """One ioeventfd: MMIO page (or port), length in bytes, and the value that it compares, if any."""

    place: int
    length: int
    match: int | None = None
    port: bool = False


EVENTFDS = (
    EventFd(0, 4), EventFd(1, 4, VALUE), EventFd(2, 0), EventFd(PORT_ANY, 4, port=True),
    EventFd(PORT_MATCH, 4, VALUE, port=True),
)  # fmt: skip


@dataclass(frozen=True)
class Operation:
    """One guest operation. ``page``: MMIO page of the VM; ``address``: a fixed guest address instead."""

    name: str
    body: str
    served: str
    page: int = 0
    address: int | None = None
    port: int = PORT_ANY
    needs: tuple[str, ...] = ()


OPERATIONS = {
    operation.name: operation
    for operation in (
        Operation("loop", "nop", "guest"),
        Operation("cpuid", "cpuid", "kernel"),
        Operation("mmio_store_any", "store", "ioeventfd any value", page=0),
        Operation("mmio_store_match", "store", "ioeventfd datamatch", page=1),
        Operation("mmio_store_len0", "store", "ioeventfd any length", page=2, needs=("any_length",)),
        Operation("mmio_store_user", "store", "userspace", page=3),
        Operation("mmio_load_user", "load", "userspace", page=3),
        Operation("mmio_load_ioapic", "load", "kernel device", address=layout.IOAPIC, needs=("irqchip", "high")),
        Operation("pio_out_any", "out", "ioeventfd any value", port=PORT_ANY),
        Operation("pio_out_match", "out", "ioeventfd datamatch", port=PORT_MATCH),
        Operation("pio_out_user", "out", "userspace", port=PORT_USER),
        Operation("pio_in_user", "in", "userspace", port=PORT_USER),
        Operation("guest_pf", "store", "guest handler", address=layout.ABSENT, needs=("paging",)),
    )
}


@dataclass(frozen=True)
class Shape:
    """A VM: guest mode, privilege of the loop, size of its pages, what it has.

    ``all_served``: every MMIO page has an ioeventfd that takes any value. ``accessed`` and ``dirty``: whether the
    guest's entries of the RAM to touch have these bits set beforehand.
    """

    mode: str = "long"
    cpl: int = 3
    large: bool = False
    irqchip: bool = False
    slots: int = 1
    mmio_pages: int = SERVED_PAGES
    all_served: bool = False
    touch_pages: int = 0
    accessed: bool = False
    dirty: bool = False

    @property
    def levels(self) -> int:
        """Levels of the guest's page table."""
        return LEVELS[self.mode]

    @property
    def page(self) -> int:
        """Bytes of a guest page."""
        return LARGE_PAGE[self.mode] if self.large else SMALL_PAGE

    @property
    def eventfds(self) -> tuple[EventFd, ...]:
        """The ioeventfds of this VM."""
        return tuple(EventFd(page, 4) for page in range(self.mmio_pages)) if self.all_served else EVENTFDS

    def document(self) -> dict[str, Any]:
        """The shape as plain values."""
        return asdict(self)

    def can(self, operation: Operation) -> bool:
        """Whether this VM has what the operation needs; a VM with an irqchip is there for its IOAPIC alone."""
        if self.irqchip:
            return operation.name == "mmio_load_ioapic"
        has = {"irqchip": False, "paging": self.levels > 0, "high": self.mode != "real", "any_length": True}
        return all(has[need] for need in operation.needs)
