"""What is said of the host, and what is not: never its name."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from mmiocost.evidence.probe import abi, host
from mmiocost.evidence.probe.abi import ProbeUnavailable, open_kvm
from mmiocost.evidence.probe.statistics import descriptors, differences


@pytest.mark.parametrize(
    ("vendor", "family", "model", "flags", "name"),
    [
        ("AuthenticAMD", 26, 2, [], "Zen 5"),
        ("AuthenticAMD", 23, 49, [], "Zen 2"),
        ("GenuineIntel", 6, 85, [], "Skylake"),
        ("GenuineIntel", 6, 143, ["amx_tile"], "Sapphire Rapids"),
        # A hypervisor that shows a Rocket Lake with AMX: the model number can't be.
        ("GenuineIntel", 6, 167, ["amx_tile"], "Sapphire Rapids or later"),
        ("GenuineIntel", 6, 9999, [], ""),
        ("HygonGenuine", 24, 1, [], ""),
    ],
)
def test_microarchitectures(vendor: str, family: int, model: int, flags: list[str], name: str) -> None:
    assert host.microarchitecture(vendor, family, model, flags) == name


def test_the_cpu_is_read_from_the_first_processor() -> None:
    text = (
        "vendor_id\t: AuthenticAMD\ncpu family\t: 26\nmodel\t\t: 2\nmodel name\t: AMD EPYC\nflags\t\t: fpu hypervisor\n"
    )
    found = host.cpu_facts(f"{text}\nvendor_id\t: Other\n")
    assert (found["vendor"], found["cpu_model"], found["is_guest"]) == ("AuthenticAMD", "AMD EPYC", True)
    assert found["microarchitecture"] == "Zen 5"


def test_paging_comes_from_the_modules(tmp_path: Path) -> None:
    for module, name, value in (("kvm", "mmio_caching", "Y"), ("kvm_intel", "ept", "Y")):
        (tmp_path / module / "parameters").mkdir(parents=True)
        (tmp_path / module / "parameters" / name).write_text(f"{value}\n")
    found = host.paging(host.module_parameters(tmp_path))
    assert found == {"tdp": True, "isa": "vmx", "mmio_caching": True}
    assert host.paging({"kvm": {}, "kvm_pvm": {}}) == {"tdp": False}


def test_facts_do_not_name_the_host() -> None:
    text = json.dumps(host.facts())
    assert platform.node() not in text or len(platform.node()) < 3


def test_a_missing_device_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if platform.system() != "Linux" or platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("the refusal of the platform comes first here")
    plain = tmp_path / "plain"
    plain.write_text("")
    for device, said in ((tmp_path / "kvm", "no such device"), (plain, "is no KVM device")):
        with pytest.raises(ProbeUnavailable, match=said) as caught:
            open_kvm(str(device))
        assert "\n" not in str(caught.value)
    monkeypatch.setattr(abi.os, "open", lambda *_: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
    with pytest.raises(ProbeUnavailable, match="join the group"):
        open_kvm()


@pytest.mark.parametrize(
    ("system", "machine", "said"), [("Darwin", "arm64", "needs Linux"), ("Linux", "aarch64", "x86-64 guest only")]
)
def test_another_platform_is_one_line(monkeypatch: pytest.MonkeyPatch, system: str, machine: str, said: str) -> None:
    monkeypatch.setattr(abi.platform, "system", lambda: system)
    monkeypatch.setattr(abi.platform, "machine", lambda: machine)
    with pytest.raises(ProbeUnavailable, match=said):
        open_kvm()


def test_statistics_descriptors_are_read_and_histograms_left_out() -> None:
    """struct kvm_stats_desc: flags, exponent, size, offset, bucket size, name of the header's length."""
    import struct

    raw = b"".join(
        struct.pack("IhHII", 0, 0, size, offset, 0) + name.ljust(48, b"\0")
        for name, size, offset in ((b"exits", 1, 0), (b"halt_wait_hist", 32, 8), (b"pf_taken", 1, 264))
    )
    assert descriptors(raw, 48) == {"exits": 0, "pf_taken": 264}
    assert differences({"exits": 3, "pf_taken": 5}, {"exits": 4, "pf_taken": 5}) == {"exits": 1}


def test_other_systems_lack_modules_and_get_one_line() -> None:
    """Windows has neither fcntl nor resource: packaged runs are read there, and the probe says why it can't run."""
    program = (
        "import sys\nsys.modules.update(fcntl=None, resource=None)\nimport platform\n"
        "platform.system = lambda: 'Windows'\n"
        "from mmiocost.errors import MmioCostError\n"
        "from mmiocost.evidence.probe import campaign, measuring, microbenchmarks, runs\n"
        "assert len(runs.packaged()) == 2 and microbenchmarks.involuntary_switches() == 0\n"
        "try:\n    campaign.first_look()\nexcept MmioCostError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "the live probe needs Linux with KVM, this is Windows"
