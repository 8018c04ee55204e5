"""One VM with one vCPU: built, loaded with a loop, run and timed, its memory slots changed.

A run is timed from outside (the clock around KVM_RUN) and from inside (the guest's TSC), and says whether the host
took the CPU away meanwhile: such a run is kept and marked, since its time is not the operation's alone.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import mmap
import os
import struct
import time
from collections.abc import Callable
from typing import Any

from . import abi, registers
from . import guest_code as layout
from .abi import GuestError, ProbeUnavailable
from .guest_tables import ACCESSED, DIRTY, LEAF, PRESENT, SMALL_PAGE, USER, WRITABLE, GuestTables
from .host import involuntary_switches
from .operations import VALUE, EventFd, Operation, Shape
from .statistics import Statistics, differences


class Machine:
    """A VM of a given shape, built at once. Raises ProbeUnavailable where this KVM does not run it."""

    def __init__(self, shape: Shape, device: str = abi.DEVICE) -> None:
        self.shape, self.slots = shape, 0
        self._closing: list[Callable[[], None]] = []
        self._relabelled = self._moved = False
        try:
            self._build(device)
        except BaseException:
            self.close()
            raise

    def _build(self, device: str) -> None:
        self.kvm = self._kept(abi.open_kvm(device))
        self.vm = self._kept(self._create())
        self.max_slots = abi.capability(self.kvm, abi.CAP_NR_MEMSLOTS)
        fcntl.ioctl(self.vm, abi.SET_IDENTITY_MAP_ADDR, struct.pack("Q", layout.IDENTITY_MAP))
        fcntl.ioctl(self.vm, abi.SET_TSS_ADDR, layout.TSS_ADDRESS)
        if self.shape.irqchip:
            fcntl.ioctl(self.vm, abi.CREATE_IRQCHIP, 0)
        self.ram = self._memory(layout.LOW_RAM)
        self._add_slot(0, self.ram)
        self._spare = self._memory(SMALL_PAGE)
        if self.shape.touch_pages:
            self._touch = self._memory(max(self.shape.touch_pages * SMALL_PAGE, self.shape.page))
            self._add_slot(layout.TOUCH, self._touch)
        self.vcpu = self._kept(fcntl.ioctl(self.vm, abi.CREATE_VCPU, 0))
        self._map_run_page()
        self._set_cpuid()
        self._set_registers()
        self.tsc_khz = fcntl.ioctl(self.vcpu, abi.GET_TSC_KHZ, 0)
        self.statistics = self._open_statistics()
        for eventfd in self.shape.eventfds:
            self._add_eventfd(eventfd)
        self.resize(self.shape.slots)

    def _kept(self, descriptor: int) -> int:
        self._closing.append(lambda: os.close(descriptor))
        return descriptor

    def _create(self) -> int:
        try:
            return fcntl.ioctl(self.kvm, abi.CREATE_VM, 0)
        except OSError as error:
            raise ProbeUnavailable(f"KVM_CREATE_VM: {error.strerror}") from None

    def _memory(self, size: int) -> mmap.mmap:
        memory = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        if not self.shape.large:
            with contextlib.suppress(OSError):  # a kernel without transparent huge pages
                memory.madvise(mmap.MADV_NOHUGEPAGE)
        for page in range(0, size, SMALL_PAGE):  # the host's pages are there before the guest starts
            memory[page] = 0
        return memory

    def _map_run_page(self) -> None:
        size = fcntl.ioctl(self.kvm, abi.GET_VCPU_MMAP_SIZE, 0)
        page = mmap.mmap(self.vcpu, size, mmap.MAP_SHARED)
        view = memoryview(page)
        self._word = view[:64].cast("I")
        self._closing.extend((page.close, view.release, self._word.release))  # taken from the end

    def _set_cpuid(self) -> None:
        entries = bytearray(8 + abi.CPUID_ENTRY_BYTES * abi.CPUID_ENTRIES)
        struct.pack_into("I", entries, 0, abi.CPUID_ENTRIES)
        fcntl.ioctl(self.kvm, abi.GET_SUPPORTED_CPUID, entries)
        fcntl.ioctl(self.vcpu, abi.SET_CPUID2, entries)

    def _set_registers(self) -> None:
        sregs = bytearray(312)
        fcntl.ioctl(self.vcpu, abi.GET_SREGS, sregs)
        shape = self.shape
        if shape.mode == "real":
            registers.real_mode(sregs)
        else:
            root = self._tables() if shape.levels else 0
            registers.protected_mode(sregs, self.ram, shape.mode, shape.cpl, root, shape.levels > 0)
        fcntl.ioctl(self.vcpu, abi.SET_SREGS, sregs)
        fcntl.ioctl(self.vcpu, abi.GET_SREGS, sregs)
        if shape.levels and not registers.paging_is_on(sregs):
            raise ProbeUnavailable(f"this KVM does not run guest paging mode {shape.mode} (CR0.PG did not stick)")

    def _tables(self) -> int:
        shape = self.shape
        tables = GuestTables(self.ram, shape.mode, shape.large)
        tables.map(0, layout.LOW_RAM, LEAF)
        tables.map(layout.MMIO, shape.mmio_pages * SMALL_PAGE, LEAF)
        if shape.irqchip:
            tables.map(layout.IOAPIC, SMALL_PAGE, LEAF)
        if shape.touch_pages:
            bits = (ACCESSED if shape.accessed else 0) | (DIRTY if shape.dirty else 0)
            tables.map(layout.TOUCH, len(self._touch), PRESENT | WRITABLE | USER | bits)
        tables.map(layout.ABSENT, SMALL_PAGE, 0)
        return tables.root

    def _open_statistics(self) -> tuple[Statistics, ...]:
        if not abi.capability(self.kvm, abi.CAP_STATS_FD):
            return ()
        found = (Statistics(self.vm), Statistics(self.vcpu))
        self._closing.extend(item.close for item in found)
        return found

    def _add_eventfd(self, wanted: EventFd) -> None:
        if wanted.length == 0 and not abi.capability(self.kvm, abi.CAP_IOEVENTFD_ANY_LENGTH):
            return
        descriptor = self._kept(os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC))
        flags = (0 if wanted.match is None else abi.DATAMATCH) | (abi.PIO if wanted.port else 0)
        at = wanted.place if wanted.port else self._mmio_base() + wanted.place * SMALL_PAGE
        request = struct.pack(abi.IOEVENTFD_FORMAT, wanted.match or 0, at, wanted.length, descriptor, flags)
        fcntl.ioctl(self.vm, abi.IOEVENTFD, request)

    def _mmio_base(self) -> int:
        return layout.REAL_MMIO if self.shape.mode == "real" else layout.MMIO

    def _set_slot(self, number: int, address: int, size: int, memory: mmap.mmap, flags: int = 0) -> None:
        user = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        fcntl.ioctl(
            self.vm, abi.SET_USER_MEMORY_REGION, struct.pack(abi.MEMORY_REGION, number, flags, address, size, user)
        )

    def _add_slot(self, address: int, memory: mmap.mmap) -> None:
        self._set_slot(self.slots, address, len(memory), memory)
        self.slots += 1

    def resize(self, total: int) -> None:
        """Have ``total`` memory slots: one-page slots above 4 GiB, far apart, come or go at the end."""
        while self.slots < total:
            self._set_slot(self.slots, layout.EXTRA + self.slots * 2 * SMALL_PAGE, SMALL_PAGE, self._spare)
            self.slots += 1
        while self.slots > max(1, total):
            self.slots -= 1
            self._set_slot(self.slots, layout.EXTRA + self.slots * 2 * SMALL_PAGE, 0, self._spare)

    def bump(self, how: str) -> None:
        """Raise the memslot generation by one of operations.BUMPS, on the newest slot but for ``create``."""
        newest = self.slots - 1
        address = layout.EXTRA + newest * 2 * SMALL_PAGE
        if how == "create":
            self.resize(self.slots + 1)
        elif how == "flags":
            self._relabelled = not self._relabelled
            self._set_slot(newest, address, SMALL_PAGE, self._spare, int(self._relabelled))
        elif how == "move":
            self._moved = not self._moved
            self._set_slot(newest, address + SMALL_PAGE * self._moved, SMALL_PAGE, self._spare)
        elif how == "delete":
            self._set_slot(newest, address, 0, self._spare)
            self._set_slot(newest, address, SMALL_PAGE, self._spare)

    def load(self, body: str, stride: int = 0, span: int = 0) -> None:
        """Put the loop over a guest operation in place; see :func:`guest_code.program`."""
        text = layout.program(body, self.shape.mode == "real", stride, span)
        self.ram[layout.CODE : layout.CODE + len(text)] = text
        general = [0] * 18
        general[5] = layout.DATA  # RDI
        general[6] = layout.STACK3 if self.shape.cpl else layout.STACK0  # RSP
        general[16], general[17] = layout.CODE, 0x3002  # RIP; RFLAGS with IOPL 3 and interrupts off
        fcntl.ioctl(self.vcpu, abi.SET_REGS, struct.pack("18Q", *general))

    def address(self, operation: Operation) -> int:
        """Where the guest's pointer goes for an operation; in real mode relative to ES."""
        if operation.address is not None:
            return operation.address
        base = 0 if self.shape.mode == "real" else layout.MMIO
        return base + operation.page * SMALL_PAGE

    def run(self, turns: int, address: int, port: int) -> dict[str, Any]:
        """Run the loop: times in ns, exits to user space by kind, and whether the CPU was taken away.

        Raises GuestError where the guest leaves its loop otherwise.
        """
        layout.PARAMETERS.pack_into(self.ram, layout.DATA + 16, turns, address, VALUE, port)
        switched = involuntary_switches()
        exits, retries, outside = self._until_done()
        before, after = layout.TIMES.unpack_from(self.ram, layout.DATA)
        inside = (after - before) * 1e6 / self.tsc_khz
        taken_away = involuntary_switches() != switched
        return {"outside": outside, "inside": inside, **exits, "retries": retries, "preempted": taken_away}

    def _until_done(self) -> tuple[dict[str, int], int, int]:
        vcpu, word, ioctl = self.vcpu, self._word, fcntl.ioctl
        mmio = ports = retries = 0
        start = time.perf_counter_ns()
        while True:
            try:
                ioctl(vcpu, abi.RUN, 0)
            except InterruptedError:
                retries += 1
                continue
            reason = word[2]
            if reason == abi.EXIT_MMIO:
                mmio += 1
                continue
            if reason != abi.EXIT_IO:
                raise GuestError(f"exit {abi.EXIT_NAMES.get(reason, reason)}, detail {word[8]:#x}")
            port = word[8] >> 16
            if port == layout.DONE_PORT:
                return {"mmio": mmio, "io": ports}, retries, time.perf_counter_ns() - start
            if port == layout.BAD_PORT:
                raise GuestError("unexpected exception in the guest")
            ports += 1

    def counters(self) -> dict[str, int]:
        """All counters of the VM and its vCPU; empty without KVM_CAP_STATS_FD."""
        return {name: value for item in self.statistics for name, value in item.read().items()}

    def counted(self, turns: int, address: int, port: int) -> dict[str, Any]:
        """:meth:`run`, with what the counters moved by, the run's own last exit included."""
        before = self.counters()
        found = self.run(turns, address, port)
        return {**found, "counters": differences(before, self.counters())}

    def close(self) -> None:
        """Give all of it back; KVM takes the VM down with its last descriptor."""
        while self._closing:
            self._closing.pop()()
