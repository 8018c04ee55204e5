"""The state of one VM with one vCPU, on one kernel generation. Handlers change it and count what they do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..vocabulary import Generation
from .buses import IoBus
from .counter import Counter
from .guest_tables import GuestPaging
from .shadow_tables import ShadowTables
from .slots import Memslot, Memslots


@dataclass(frozen=True)
class Host:
    """What the processor and the host's kernel are like; all of it stays as it is."""

    decode_assist: bool = False
    spte_accessed_bit: bool = True
    hypervisor: bool = False
    fast_pio_in: bool = False
    mmio_caching: bool = True
    exit_mitigated: bool = False
    userspace_mitigated: bool = False
    emulation_mitigated: bool = False


class MmioCache(NamedTuple):
    """The vCPU's one-entry cache: which page was MMIO last. A gva of None matches nothing."""

    gva_page: int | None = None
    gfn: int | None = None
    generation: int | None = None


@dataclass
class Unlinker:
    """Another thread that takes the lowest ``levels`` pages of a chain away, ``times`` times, between two fetches."""

    times: int = 0
    levels: int = 1


@dataclass
class World:
    """A VM. ``mode`` is ept, shadow or nonpaging, ``design`` the name of a design that never was a release.

    ``remembered`` holds runs in the state ``remembered_in`` (see ``memory``).
    """

    kernel: Generation
    mode: str
    memslots: Memslots
    paging: GuestPaging
    mmu: ShadowTables
    mmio_bus: IoBus
    fast_bus: IoBus
    port_bus: IoBus
    code_gva: int
    design: str = ""
    nested: GuestPaging | None = None
    host: Host = Host()
    cache: MmioCache = MmioCache()  # noqa: RUF009 - immutable
    in_step: bool = True
    unlinker: Unlinker = field(default_factory=Unlinker)
    address_spaces: int = 1
    count: Counter = field(default_factory=Counter)
    remembered: dict[Any, Any] = field(default_factory=dict, repr=False)
    remembered_in: tuple[Any, ...] = ()

    @property
    def direct(self) -> bool:
        """Whether entries follow from the guest physical address: two-dimensional paging, or guest paging off."""
        return self.mode != "shadow"

    def since(self, generation: str) -> bool:
        """Whether the kernel is of that generation or a later one."""
        return self.kernel.since(generation)

    def find_slot(self, gfn: int, function: str, note: str = "") -> Memslot | None:
        """gfn_to_memslot, kvm_vcpu_gfn_to_memslot: one search on behalf of a kernel function."""
        self.count("slot_search", function, note)
        return self.memslots.search(gfn, self.count)

    def exit(self, reason: str, function: str) -> None:
        """One exit to KVM and the entry that follows."""
        self.count(f"vm_exit_{reason}", function)
        if self.host.exit_mitigated:
            self.count("exit_mitigation", function)

    def exit_to_userspace(self) -> None:
        """KVM_RUN returns, and is called again."""
        self.count("userspace_exit", "kvm_arch_vcpu_ioctl_run")
        if self.host.userspace_mitigated:
            self.count("userspace_mitigation", "kvm_arch_vcpu_ioctl_run")
