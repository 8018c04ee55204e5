"""The part of KVM's interface that the probe uses: request numbers, structures, and opening the device.

Numbers and layouts are those of Linux's include/uapi/linux/kvm.h and arch/x86/include/uapi/asm/kvm.h.
"""

from __future__ import annotations

import errno
import os
import platform

from ...errors import MmioCostError

DEVICE = "/dev/kvm"
_API_VERSION = 12
_READ, _WRITE = 2, 1


class ProbeUnavailable(MmioCostError):
    """Why something can't be probed on this host, in one line."""


class GuestError(MmioCostError):
    """The guest left its loop in a way that makes the run no sample."""


def _request(number: int, size: int = 0, direction: int = 0) -> int:
    value = direction << 30 | size << 16 | 0xAE << 8 | number
    return value - (1 << 32) if value >> 31 else value  # fcntl.ioctl takes a signed 32-bit number


GET_API_VERSION, CREATE_VM, CHECK_EXTENSION = _request(0x00), _request(0x01), _request(0x03)
GET_VCPU_MMAP_SIZE, GET_SUPPORTED_CPUID = _request(0x04), _request(0x05, 8, _READ | _WRITE)
CREATE_VCPU, SET_USER_MEMORY_REGION = _request(0x41), _request(0x46, 32, _WRITE)
SET_TSS_ADDR, SET_IDENTITY_MAP_ADDR = _request(0x47), _request(0x48, 8, _WRITE)
CREATE_IRQCHIP, IOEVENTFD = _request(0x60), _request(0x79, 64, _WRITE)
RUN, SET_REGS = _request(0x80), _request(0x82, 144, _WRITE)
GET_SREGS, SET_SREGS = _request(0x83, 312, _READ), _request(0x84, 312, _WRITE)
SET_CPUID2, GET_TSC_KHZ, GET_STATS_FD = _request(0x90, 8, _WRITE), _request(0xA3), _request(0xCE)

CAP_NR_MEMSLOTS, CAP_IOEVENTFD, CAP_IOEVENTFD_ANY_LENGTH, CAP_STATS_FD = 10, 36, 122, 203
CAPABILITIES = {
    "KVM_CAP_NR_MEMSLOTS": CAP_NR_MEMSLOTS,
    "KVM_CAP_IOEVENTFD": CAP_IOEVENTFD,
    "KVM_CAP_IOEVENTFD_ANY_LENGTH": CAP_IOEVENTFD_ANY_LENGTH,
    "KVM_CAP_STATS_FD": CAP_STATS_FD,
}
DATAMATCH, PIO = 1, 2  # flags of struct kvm_ioeventfd
EXIT_IO, EXIT_MMIO = 2, 6
EXIT_NAMES = {0: "unknown", 1: "exception", 2: "io", 5: "hlt", 6: "mmio", 7: "irq window open", 8: "shutdown",
              9: "fail entry", 10: "intr", 17: "internal error"}  # fmt: skip

MEMORY_REGION = "IIQQQ"  # slot, flags, guest physical address, size, user address
IOEVENTFD_FORMAT = "QQIiI36x"  # datamatch, address, length, file descriptor, flags
CPUID_ENTRIES, CPUID_ENTRY_BYTES = 256, 40

_WHY = {
    errno.ENOENT: "no such device: the kvm module isn't loaded, or this is a container without the device",
    errno.EACCES: "permission denied: join the group of the device (usually kvm)",
    errno.EPERM: "not permitted here (device cgroup or sandbox)",
    errno.ENXIO: "no device behind the node: the kvm module isn't loaded",
    errno.ENODEV: "no device behind the node: the kvm module isn't loaded",
}


def check_platform() -> None:
    """Raise ProbeUnavailable where the guest's code can't run: it is x86-64's, and KVM is Linux's."""
    if platform.system() != "Linux":
        raise ProbeUnavailable(f"the live probe needs Linux with KVM, this is {platform.system()}")
    if platform.machine() not in ("x86_64", "AMD64"):
        raise ProbeUnavailable(f"the live probe has an x86-64 guest only, this machine is {platform.machine()}")


def open_kvm(device: str = DEVICE) -> int:
    """A file descriptor of the KVM device. Raises ProbeUnavailable with the reason in one line."""
    check_platform()
    import fcntl  # not there on every platform

    try:
        found = os.open(device, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise ProbeUnavailable(f"{device}: {_WHY.get(error.errno or 0, error.strerror)}") from None
    try:
        version = fcntl.ioctl(found, GET_API_VERSION, 0)
    except OSError as error:
        os.close(found)
        raise ProbeUnavailable(f"{device}: is no KVM device ({error.strerror})") from None
    if version != _API_VERSION:
        os.close(found)
        raise ProbeUnavailable(f"{device}: speaks KVM API {version}, the probe needs {_API_VERSION}")
    return found


def capability(kvm: int, number: int) -> int:
    """What KVM_CHECK_EXTENSION says of a capability; 0 where it is missing."""
    import fcntl

    return fcntl.ioctl(kvm, CHECK_EXTENSION, number)
