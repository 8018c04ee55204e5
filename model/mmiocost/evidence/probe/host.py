"""What the host is: CPU, caches, kernel, KVM's modules with their parameters, mitigations. Never a host's name."""

from __future__ import annotations

import os
import platform
import re
import time
from pathlib import Path
from typing import Any

from . import abi

_CPU_FIELDS = {"vendor_id": "vendor", "cpu family": "family", "model": "model", "stepping": "stepping",
               "microcode": "microcode", "model name": "cpu_model"}  # fmt: skip
# Linux, arch/x86/include/asm/intel-family.h and arch/x86/kernel/cpu/amd.c: servers and what clouds rent out.
# fmt: off
_INTEL = {
    45: "Sandy Bridge", 62: "Ivy Bridge", 63: "Haswell", 79: "Broadwell", 86: "Broadwell", 60: "Haswell",
    61: "Broadwell", 85: "Skylake", 94: "Skylake", 142: "Kaby Lake", 158: "Coffee Lake", 106: "Ice Lake",
    108: "Ice Lake", 125: "Ice Lake", 140: "Tiger Lake", 143: "Sapphire Rapids", 151: "Alder Lake", 154: "Alder Lake",
    167: "Rocket Lake",
    173: "Granite Rapids", 174: "Granite Rapids", 175: "Sierra Forest", 183: "Raptor Lake", 207: "Emerald Rapids",
}
_AMD = (
    (23, 0x00, 0x2F, "Zen"), (23, 0x30, 0xFF, "Zen 2"), (25, 0x00, 0x0F, "Zen 3"), (25, 0x10, 0x1F, "Zen 4"),
    (25, 0x20, 0x5F, "Zen 3"), (25, 0x60, 0xAF, "Zen 4"), (26, 0x00, 0xFF, "Zen 5"),
)
# fmt: on
#: Features with the first server microarchitecture that has each and the models that do, the newest feature first: a
#: hypervisor may show a model number that can't be.
_FEATURES = (
    ("amx_fp16", "Granite Rapids", (173, 174)),
    ("amx_tile", "Sapphire Rapids", (143, 207, 173, 174)),
)
MITIGATIONS = Path("/sys/devices/system/cpu/vulnerabilities")
MODULES = Path("/sys/module")


def facts() -> dict[str, Any]:
    """The host without its KVM device, as the importers name facts; what can't be read is left out."""
    cpu = cpu_facts(_text(Path("/proc/cpuinfo")))
    modules = module_parameters(MODULES)
    found = {
        **cpu, "release": platform.release(), "logical_cpus": os.cpu_count(), "python": platform.python_version(),
        "caches": _caches(), "kvm_modules": modules, "mitigations": _texts(MITIGATIONS),
        "transparent_hugepage": _text(Path("/sys/kernel/mm/transparent_hugepage/enabled")).strip(),
        **paging(modules),
    }  # fmt: skip
    return {name: value for name, value in found.items() if value not in ("", None, {})}


def cpu_facts(cpuinfo: str) -> dict[str, Any]:
    """CPU of the first processor in the text of /proc/cpuinfo."""
    lines = (line.partition(":") for line in cpuinfo.partition("\n\n")[0].splitlines())
    said = {name.strip(): value.strip() for name, _, value in lines}
    flags = said.get("flags", "").split()
    found: dict[str, Any] = {key: said[name] for name, key in _CPU_FIELDS.items() if name in said}
    found["microarchitecture"] = microarchitecture(
        found.get("vendor", ""), _number(found.get("family")), _number(found.get("model")), flags
    )
    found["is_guest"] = "hypervisor" in flags
    return found


def microarchitecture(vendor: str, family: int, model: int, flags: list[str]) -> str:
    """Name by vendor, family, model and features; empty where it isn't known.

    A feature wins over a model number that can't have it, as a hypervisor may show one.
    """
    if vendor == "GenuineIntel" and family == 6:
        needed = next(((first, models) for feature, first, models in _FEATURES if feature in flags), None)
        if needed is not None and model not in needed[1]:
            return f"{needed[0]} or later"
        return _INTEL.get(model, "")
    if vendor == "AuthenticAMD":
        return next((name for at, low, high, name in _AMD if at == family and low <= model <= high), "")
    return ""


def module_parameters(modules: Path) -> dict[str, dict[str, str]]:
    """KVM's modules and what they are set to."""
    return {place.name: _texts(place / "parameters") for place in sorted(modules.glob("kvm*"))}


def paging(modules: dict[str, dict[str, str]]) -> dict[str, Any]:
    """What the modules say of the way memory is virtualised: ``isa``, ``tdp`` (EPT or NPT) and ``mmio_caching``."""
    intel, amd, kvm = (modules.get(name) for name in ("kvm_intel", "kvm_amd", "kvm"))
    found: dict[str, Any] = {"tdp": _is_on((intel or {}).get("ept")) or _is_on((amd or {}).get("npt"))}
    if intel is not None or amd is not None:
        found["isa"] = "vmx" if intel is not None else "svm"
    if kvm and "mmio_caching" in kvm:
        found["mmio_caching"] = _is_on(kvm["mmio_caching"])
    return found


def kvm_facts(device: str, calls: int) -> dict[str, Any]:
    """Capabilities of the KVM device, and what one ioctl from Python costs that does nothing, in ns."""
    import fcntl

    kvm = abi.open_kvm(device)
    try:
        found = {name: abi.capability(kvm, number) for name, number in abi.CAPABILITIES.items()}
        start = time.perf_counter_ns()
        for _ in range(calls):
            fcntl.ioctl(kvm, abi.CHECK_EXTENSION, abi.CAP_NR_MEMSLOTS)
        return {"capabilities": found, "ioctl_floor_ns": (time.perf_counter_ns() - start) / calls}
    finally:
        os.close(kvm)


def steal_ticks() -> int:
    """Ticks that the hypervisor kept from all CPUs so far, by /proc/stat; 0 where it doesn't say."""
    cells = _text(Path("/proc/stat")).partition("\n")[0].split()
    return int(cells[8]) if len(cells) > 8 and cells[8].isdigit() else 0


def involuntary_switches() -> int:
    """How often the CPU was taken away from this process so far; 0 where the system doesn't say."""
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw


def _caches() -> dict[str, str]:
    found = {}
    for place in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = (_text(place / name).strip() for name in ("level", "type", "size"))
        found[f"L{level} {kind.lower()}"] = size
    return found


def _texts(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.glob("*")) if path.is_file())
    return {path.name: text for path in files if (text := _text(path).strip())}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _is_on(text: str | None) -> bool:
    return text in ("Y", "1")


def _number(text: str | None) -> int:
    return int(text) if text and re.fullmatch("[0-9]+", text) else -1
