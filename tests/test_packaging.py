"""What is handed out: the wheel works without its checkout, the lock fits the project, versions agree."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import offline
import pytest
import yaml
from house import ROOT
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import mmiocost

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def _run(*command: object, **more: object) -> str:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, **more)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built offline with what the environment holds."""
    target = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", target, ROOT)
    (built,) = target.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Run ``mmiocost`` from the installed wheel, in an empty folder outside the checkout."""
    site, elsewhere = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("elsewhere")
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(site), str(Path(offline.__file__).parent)])}
    _run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", site, wheel)

    def run(*args: str) -> str:
        return _run(sys.executable, site / "bin" / "mmiocost", *args, cwd=elsewhere, env=env)

    return run


def test_the_wheel_carries_all_that_the_checkout_reads(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    shipped = {name.removeprefix("mmiocost/_shipped/") for name in names if name.startswith("mmiocost/_shipped/")}
    expected = {
        str(path.relative_to(ROOT))
        for folder in ("data", "notebooks")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and not any(part.startswith((".", "__")) for part in path.relative_to(ROOT).parts)
    }
    assert "data/datapackage.json" in expected
    assert any(name.endswith(".ipynb") for name in expected)
    assert expected | {"model/mechanism.md", "model/statistics.md"} <= shipped


def test_the_wheel_carries_every_file_of_the_package(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    package = ROOT / "model" / "mmiocost"
    expected = {
        f"mmiocost/{path.relative_to(package)}"
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert any(name.endswith(".j2") for name in expected), "the template of the report"
    assert expected <= names


def test_the_wheel_puts_the_kernels_where_jupyter_looks(wheel: Path) -> None:
    """They are those of the package, and start with whichever interpreter Jupyter runs in."""
    with zipfile.ZipFile(wheel) as archive:
        for name in ("mmiocost", "mmiocost-warm"):
            (path,) = [
                path for path in archive.namelist() if path.endswith(f"share/jupyter/kernels/{name}/kernel.json")
            ]
            assert path.startswith(f"mmiocost-{mmiocost.__version__}.data/data/")
            kept = ROOT / "model" / "mmiocost" / "execution" / "jupyter" / "kernels" / name / "kernel.json"
            assert archive.read(path) == kept.read_bytes()
            assert json.loads(kept.read_bytes())["argv"][0] == "python"


def test_the_wheel_names_its_licence_and_version(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read(f"mmiocost-{mmiocost.__version__}.dist-info/METADATA").decode()
    assert "\nLicense-Expression: Apache-2.0\n" in metadata
    assert f"\nVersion: {mmiocost.__version__}\n" in metadata


def test_the_installed_wheel_tells_its_version(installed: Callable[..., str]) -> None:
    assert mmiocost.__version__ in installed("--version")


def test_the_installed_wheel_lists_the_paths(installed: Callable[..., str]) -> None:
    paths = json.loads(installed("paths", "--json"))
    assert all({"path", "generation", "mode", "summary"} <= set(path) for path in _rows(paths))
    assert _rows(paths)


def _rows(document: object) -> list[dict[str, object]]:
    """The list in a document, which may stand beside ``version`` and ``evidence``."""
    if isinstance(document, list):
        return document
    assert isinstance(document, dict)
    (rows,) = [value for value in document.values() if isinstance(value, list)]
    return rows


def test_the_installed_wheel_verifies_its_evidence(installed: Callable[..., str]) -> None:
    installed("evidence", "verify")


def _locked(name: str) -> list[tuple[Requirement, str]]:
    """Each requirement of a locked file with its whole text."""
    text = re.sub(r"\\\n\s*", "", (ROOT / name).read_text())
    return [(Requirement(line.split("--hash")[0]), line) for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("name", ["requirements.lock", ".ci/uv.txt"])
def test_every_locked_package_is_pinned_and_hashed(name: str) -> None:
    locked = _locked(name)
    assert locked
    for requirement, text in locked:
        assert re.fullmatch(r"==[^,*]+", str(requirement.specifier)), text[:80]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", text), requirement.name
        assert "://" not in text


def test_the_lock_satisfies_the_project() -> None:
    pins: dict[str, list[str]] = {}
    for requirement, _ in _locked("requirements.lock"):
        version = str(requirement.specifier).removeprefix("==")
        pins.setdefault(canonicalize_name(requirement.name), []).append(version)
    named = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
    for wanted in map(Requirement, named):
        found = pins.get(canonicalize_name(wanted.name), [])
        assert found, f"{wanted.name} is not in requirements.lock: run `make lock`"
        assert all(wanted.specifier.contains(pin) for pin in found), f"{wanted} but locked {found}: run `make lock`"


def test_the_citation_names_this_version_and_licence() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["version"] == mmiocost.__version__
    assert citation["license"] == PROJECT["license"]
    assert [author["name"] for author in citation["authors"]] == [author["name"] for author in PROJECT["authors"]]


def test_the_changelog_has_a_section_for_this_version_or_what_comes_next() -> None:
    sections = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert sections[0] in ("Unreleased", mmiocost.__version__)
