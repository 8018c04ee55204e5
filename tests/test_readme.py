"""The README's commands give what the README shows, and its reference names every command."""

import re
import shlex
from pathlib import Path

import pytest

from mmiocost.cli.main import parser

README = Path(__file__).parents[1] / "README.md"
TEXT = README.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```console\n\$ mmiocost (.*)\n([\s\S]*?)```", TEXT)
NUMBER = r"-?\d+(?:\.\d+)?"


def _numbers(text: str) -> list[float]:
    return [float(found) for found in re.findall(NUMBER, text)]


@pytest.mark.parametrize(("command", "shown"), EXAMPLES, ids=[command for command, _ in EXAMPLES])
def test_an_example_prints_what_is_shown(cli_here, command, shown):
    """Words agree exactly; numbers to 10 %, as draws may differ in the last digit between processors."""
    ran = cli_here(*shlex.split(command))
    assert ran.status == 0, ran.err
    expected = shown.rstrip().removesuffix("...").rstrip().splitlines()
    for told, line in zip(expected, ran.out.splitlines(), strict=False):
        assert re.sub(NUMBER, "#", told) == re.sub(NUMBER, "#", line)
        assert _numbers(line) == pytest.approx(_numbers(told), rel=0.1, abs=3)


def test_the_reference_names_every_command():
    """A command that the README does not list fails here."""
    commands = set(re.findall(r"^    (\w+)", parser().format_help().split("COMMAND\n")[-1], re.MULTILINE))
    assert commands == set(re.findall(r"^\| `mmiocost (\w+)", TEXT, re.MULTILINE))


def test_a_number_that_is_off_is_noticed():
    """The comparison rejects: a tenth more is more than the processors differ."""
    assert _numbers("570 [-10, 1130] cycles") == [570, -10, 1130]
    assert _numbers("570") != pytest.approx(_numbers("640"), rel=0.1, abs=3)


def test_linked_files_exist():
    """Every relative link of the README leads to a file."""
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", TEXT) if "://" not in link]
    assert links
    assert [link for link in links if not (README.parent / link).exists()] == []
