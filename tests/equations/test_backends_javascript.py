"""The JavaScript form in node, against exact substitution and, beside counts, against the Python form."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from points import ALL_PATHS, edges, exact, wide_scenarios
from scenarios import paths

from mmiocost.equations import javascript
from mmiocost.equations.lowering import Form, kernel, kernel_names
from mmiocost.vocabulary import COLD_COMPARE, MIX_SYMBOLS, resolve

COLD = {"cold_search_fraction": 0}
#: One answer a line: what the script says to each [kernel, scenarios], or the error that it throws. What JSON can't
#: say is text: infinity, and the negative zero that a page would show as -0.
DRIVER = """
"use strict";
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const [name, scenarios] = JSON.parse(line);
  let answer;
  try {
    answer = scenarios.map((scenario) => mmiocostEquations.evaluate(name, scenario));
  } catch (error) {
    answer = error.name + ": " + error.message;
  }
  const said = (value) => Object.is(value, -0) ? "-0" : Math.abs(value) === Infinity ? String(value) : value;
  process.stdout.write(JSON.stringify(answer, (key, value) => said(value)) + "\\n");
});
"""


class Node:
    """A node process that has loaded a script."""

    def __init__(self, folder: Path, script: str) -> None:
        place = folder / "script.js"
        place.write_text(script + DRIVER)
        self.process = subprocess.Popen(
            [str(shutil.which("node")), str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, name: str, scenarios: list[dict[str, Any]]) -> Any:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps([name, [{**COLD, **each} for each in scenarios]]) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def counts(self, name: str, scenarios: list[dict[str, Any]]) -> list[dict[str, int]]:
        found: list[dict[str, int]] = self.ask(name, scenarios)
        for each in found:
            each.pop(COLD_COMPARE, None)
        return found

    def close(self) -> None:
        self.process.communicate(timeout=60)
        assert self.process.returncode == 0


def started(folder: Path, script: str) -> Iterator[Node]:
    if shutil.which("node") is None:
        pytest.skip("node is missing; install it with: sudo apt-get install nodejs")
    running = Node(folder, script)
    yield running
    running.close()


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """One process for all tests, with all kernels."""
    yield from started(tmp_path_factory.mktemp("node"), javascript.source())


@pytest.mark.parametrize("path", ALL_PATHS)
def test_counts_on_the_edges(node: Node, path: str) -> None:
    assert node.counts(path, edges(path)) == [exact(path, point) for point in edges(path)]


@given(path=paths(), data=st.data())
@settings(max_examples=200)
def test_counts_on_any_points(node: Node, path: str, data: st.DataObject) -> None:
    points = data.draw(st.lists(wide_scenarios(path), min_size=1, max_size=4))
    assert node.counts(path, points) == [exact(path, point) for point in points]


@pytest.mark.parametrize(
    ("sound", "fault"),
    [("g >= first", "g > first"), ("t === middle", "t === middle + 1"), ("places = n + 1", "places = n")],
)
def test_a_fault_in_a_search_is_noticed(tmp_path: Path, sound: str, fault: str) -> None:
    script = javascript.source(["v517.slot.miss", "v517.slot.hit"])
    assert script.count(sound) == 1
    for faulty in started(tmp_path, script.replace(sound, fault)):
        assert any(
            faulty.counts(path, edges(path)) != [exact(path, point) for point in edges(path)]
            for path in ("v517.slot.miss", "v517.slot.hit")
        )


RATES = st.fixed_dictionaries({item.name: st.floats(0.001, 8) for item in MIX_SYMBOLS})


@given(name=st.sampled_from(kernel_names()), rates=RATES, slots=st.integers(1, 600))
@settings(max_examples=200)
def test_every_kernel_gives_what_its_python_form_gives(
    node: Node, name: str, rates: dict[str, float], slots: int
) -> None:
    """Rates and shares are floats: equal but for the last digits."""
    values = {**resolve("v31.shadow.mmio_hit", {"slots": slots}), **rates}
    given = {argument: values.get(argument, 7.5) for argument in kernel(name).arguments}  # D_hit, D_first
    (found,) = node.ask(name, [given])
    assert found == pytest.approx(kernel(name)(given), rel=1e-12, abs=1e-9)


def test_what_no_float_can_hold_is_infinite(node: Node) -> None:
    (found,) = node.ask("expected_retries", [{"unlink_rate": 1e9, "unlink_hit_fraction": 1, "build_window": 1}])
    assert found == {"value": "Infinity"}


def test_what_is_missing_is_named(node: Node) -> None:
    point = resolve("v31.ept.mmio_hit", {})
    del point["slots"], point["ram_slot"]
    assert node.ask("v31.ept.mmio_hit", [point]) == "RangeError: missing: ram_slot"
    assert node.ask("v99.ept.mmio", [point]) == "RangeError: unknown kernel: v99.ept.mmio"
    assert node.ask("toString", [point]) == "RangeError: unknown kernel: toString"


# --- the text ----------------------------------------------------------------------------------------------------


def test_the_script_is_classic_and_strict_and_evaluates_no_text() -> None:
    text = javascript.source()
    assert text.count('"use strict";') == 1
    assert re.findall(r"^(?:var|let|const|function) \w+", text.split("(function")[0], re.MULTILINE) == [
        "var mmiocostEquations"
    ]
    assert not re.search(r"\b(?:eval|Function|import|export|require|fetch|document|window)\b", text)


def test_some_kernels_make_a_small_script() -> None:
    names = ["v517.ept.mmio_first", "v30.ept.mmio"]
    some = javascript.source(names)
    assert re.findall(r'^"(.+)":\[f\d', some, re.MULTILINE) == sorted(names)
    assert some == javascript.source(set(names)) == javascript.source(tuple(reversed(names)))
    assert len(some) < len(javascript.source()) / 10
    assert re.findall(r'^"(.+)":\[f\d', javascript.source(), re.MULTILINE) == list(kernel_names())


def test_an_unknown_name_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="v99"):
        javascript.source(["v30.ept.mmio", "v99.ept.mmio"])


X, Y = sp.symbols("x y", integer=True)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (sp.Rational(1, 3) * X, "(a/3)"),
        (sp.Rational(-2, 3) * X * Y, "((-2*a*c)/3)"),
        (sp.Mul(sp.Rational(1, 2), X + Y, evaluate=False), "((a+c)/2)"),
        (sp.Mul(sp.Rational(3, 2), X + Y, evaluate=False), "((3*a+3*c)/2)"),
        (sp.Max(0, X), "Math.max(0,a)"),
        (sp.exp(X) - 1, "Math.exp(a)-1"),
        (X / (X + Y), "a/(a+c)"),
    ],
    ids=str,
)
def test_fractions_are_one_division_at_the_end(value: Any, text: str) -> None:
    printed = javascript._function(Form(("x", "y"), ("count",), [], [value]))
    assert printed == f"(a,c){{return[{text}]}}"


def test_two_signs_stay_apart() -> None:
    assert javascript._tight("a - -c + d*e") == "a - -c+d*e"
