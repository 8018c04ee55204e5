"""The threat model of SECURITY.md: every test that it names is there, and attacks that no room tests by itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from samples import HOSTILE, code, write_notebook

from mmiocost.cache import write_atomically

ROOT = Path(__file__).parents[1]
_NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def named_tests(text: str) -> list[tuple[str, str]]:
    """File and function of each test that a text names."""
    return _NAMED.findall(text)


def missing(named: list[tuple[str, str]]) -> list[str]:
    """Those of them that do not exist."""
    return [f"{file}::{name}" for file, name in named if not (ROOT / file).is_file() or name not in _tests(ROOT / file)]


def _tests(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_threat_has_its_tests() -> None:
    rows = [line for line in (ROOT / "SECURITY.md").read_text(encoding="utf-8").splitlines() if line.startswith("| T")]
    assert len(rows) >= 10
    assert [row for row in rows if not named_tests(row)] == []
    assert missing(named_tests("\n".join(rows))) == []


def test_a_test_that_does_not_exist_is_noticed() -> None:
    assert missing(named_tests("`tests/test_threats.py::test_nobody_wrote` `tests/no_file.py::test_x`")) == [
        "tests/test_threats.py::test_nobody_wrote",
        "tests/no_file.py::test_x",
    ]


def refused(ran: Any, *words: str) -> None:
    """Exit status 2, one line for each problem, and no traceback."""
    assert ran.status == 2, (ran.out, ran.err)
    assert "Traceback" not in ran.err
    assert all(word in ran.err for word in words), ran.err


@pytest.mark.parametrize("value", [".nan", ".inf", "-.inf", "1e400", "-1e400", "'nan'", "1" * 400, "1e400/s"])
@pytest.mark.parametrize("name", ["slots", "mmio_rate"])
def test_a_number_that_is_none_or_too_large_is_refused(
    cli_here: Callable[..., Any], tmp_path: Path, name: str, value: str
) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text(f"set: {{{name}: {value}}}\n")
    refused(cli_here("predict", "saving:fast_mmio", "--scenario", file), name)
    refused(cli_here("predict", "saving:fast_mmio", "--set", f"{name}={value.strip(chr(39)).lstrip('.')}"), name)


@pytest.mark.parametrize("where", ["base", "over", "scenarios"])
def test_a_grid_that_unfolds_into_billions_of_values_is_refused(
    cli_here: Callable[..., Any], tmp_path: Path, where: str
) -> None:
    lines = ["a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    (tmp_path / "grid.yaml").write_text("\n".join([*lines, f"{where}: *a11"]) + "\n")
    refused(cli_here("batch", tmp_path / "grid.yaml", "--out", tmp_path / "out"), "grid.yaml")
    assert not (tmp_path / "out").exists()


ESCAPES = f'"\\e]0;title\\a\\e[2J{HOSTILE}"'  # as YAML writes them: set the title, clear the screen


def test_a_name_is_not_told_to_the_terminal(cli_here: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(f"name: {ESCAPES}\n")
    ran = cli_here("predict", "saving:fast_mmio", "--scenario", tmp_path / "s.yaml")
    assert ran.status == 0 and not {"\x1b", "\x07"} & set(ran.out + ran.err)


@pytest.mark.parametrize("line", [f"machine: {ESCAPES}", f"mode: {ESCAPES}", f"set: {{{ESCAPES}: 1}}"])
def test_no_escape_sequence_of_a_scenario_reaches_the_terminal(
    cli_here: Callable[..., Any], tmp_path: Path, line: str
) -> None:
    (tmp_path / "s.yaml").write_text(line + "\n")
    ran = cli_here("predict", "saving:fast_mmio", "--scenario", tmp_path / "s.yaml")
    refused(ran)
    assert not {"\x1b", "\x07"} & set(ran.out + ran.err)


def test_a_shell_command_in_a_name_is_a_name(cli_here: Callable[..., Any], tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    for text in (f"$(touch {mark})", f"`touch {mark}`", f"x; touch {mark}", f"| touch {mark}"):
        refused(cli_here("predict", "saving:fast_mmio", "--machine", text))
        refused(cli_here("import", text, "--to", tmp_path / "evidence"))
        refused(cli_here("count", text))
    assert not mark.exists()


def test_a_parameter_of_a_grid_cannot_be_code(cli_here: Callable[..., Any], tmp_path: Path) -> None:
    """What would be an expression in Python is refused as a value before any kernel starts."""
    notebook = write_notebook(tmp_path / "n.ipynb", code("scenario = {}", parameters=True), code("1"))
    mark = tmp_path / "ran"
    grid = tmp_path / "grid.yaml"
    grid.write_text(f"notebooks: [{notebook.name}]\nover: {{slots: [\"__import__('os').mkdir('{mark}')\"]}}\n")
    refused(cli_here("batch", grid, "--out", tmp_path / "out"), "slots")
    assert not mark.exists() and not (tmp_path / "out").exists()


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    """All results are written in this way."""
    victim, link = tmp_path / "victim", tmp_path / "index.html"
    victim.write_text("mine")
    link.symlink_to(victim)
    write_atomically(link, "result")
    assert victim.read_text() == "mine"
    assert link.read_text() == "result" and not link.is_symlink()
