"""Kernels as linear forms in what varies: coefficients times features are the kernel's own counts, compiled too."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from points import wide_scenarios
from scenarios import paths

from mmiocost.cache import cache_dir
from mmiocost.equations.compiled import compiled_features
from mmiocost.equations.linear_form import LinearForm, linear_form
from mmiocost.equations.lowering import kernel

MIX = {"hit_fraction": 0.3, "cold_search_fraction": 0.7}


def counts(form: LinearForm, scenario: dict[str, Any]) -> dict[str, Any]:
    """Counts as the form has them."""
    features = form.evaluate(scenario)
    found = dict.fromkeys(form.parameters, 0.0)
    for feature, terms in zip(features, form.terms(scenario), strict=True):
        for name, coefficient in terms.items():
            found[name] += coefficient * feature
    return found


@given(path=paths(), data=st.data())
@settings(max_examples=25)
def test_a_path_has_the_same_counts_whatever_varies(path: str, data: st.DataObject) -> None:
    arguments = kernel(path).arguments
    # A path may depend on nothing: v30.shadow.guest_fault_bypassed.
    varying = data.draw(st.sets(st.sampled_from(arguments), max_size=4) if arguments else st.just(set()))
    scenario = {**data.draw(wide_scenarios(path)), **MIX}
    form = linear_form(path, tuple(sorted(varying)))
    assert not set(form.arguments) & varying
    assert counts(form, scenario) == pytest.approx(kernel(path)(scenario), rel=1e-12)


@pytest.mark.parametrize("name", ["saving:ept:v517", "saving:shadow:v31", "regression"])
def test_what_varies_may_be_arrays_and_so_may_what_does_not(name: str) -> None:
    rng = np.random.default_rng(1)
    arguments = kernel(name).arguments
    scenario = {item: rng.integers(1, 9, 20) for item in arguments}
    form = linear_form(name, arguments[::2])
    expected = kernel(name)(scenario)
    found = counts(form, scenario)
    for item in expected:
        assert np.broadcast_to(found[item], 20) == pytest.approx(np.broadcast_to(expected[item], 20), rel=1e-12)


def test_a_form_in_nothing_is_its_coefficients() -> None:
    form = linear_form("v30.slot.miss", ())
    assert (form.length, form.evaluate({})) == (1, (1.0,))
    assert form.terms({"slots": 35, "cold_search_fraction": 0})[0]["slot_compare"] == 35


def test_compiled_features_are_the_features() -> None:
    rng = np.random.default_rng(2)
    slots = rng.integers(1, 500, 300)
    scenario = {"hit_fraction": rng.uniform(size=300), "slots": slots, "mmio_gap": slots // 3, "ram_slot": 1}
    form = linear_form("saving:ept:v517", ("hit_fraction", "mmio_gap", "slots"))
    found = np.ones((form.length, 300))
    fill = compiled_features(form, frozenset({"hit_fraction", "mmio_gap", "slots"}))
    fill(found, *(scenario[name] for name in form.feature_arguments))
    for row, expected in zip(found, form.evaluate(scenario), strict=True):
        assert np.array_equal(row, np.broadcast_to(expected, 300))


def filled(form: LinearForm) -> str:
    """The feature of ``v30.slot.miss`` at three numbers of slots, built anew."""
    out = np.ones((2, 3))
    compiled_features.__wrapped__(form, frozenset({"slots"}))(out, np.array([5, 6, 7]))
    return str(out[1])


BUILD = """
import sys
import numpy as np
from mmiocost.cache import cache_dir
from mmiocost.equations.compiled import compiled_features
from mmiocost.equations.linear_form import linear_form
form = linear_form("v30.slot.miss", ("slots",))
fill = compiled_features(form, frozenset({"slots"}))
out = np.ones((2, 3))
fill(out, np.array([5, 6, 7]))
print(out[1], sum(fill.stats.cache_hits.values()), "sympy" in sys.modules)
"""


@pytest.fixture
def printed(tmp_path: Path) -> Path:
    """A cache that holds the text of the form, and nothing built from it."""
    linear_form("v30.slot.miss", ("slots",))
    for kept in cache_dir().glob("form-*.bin"):
        shutil.copy(kept, tmp_path)
    return tmp_path


def test_two_processes_build_at_once_and_the_next_one_finds_what_they_built(printed: Path) -> None:
    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", BUILD], env=os.environ | {"MMIOCOST_CACHE": str(printed)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    both = [start() for _ in range(2)]
    answers = [process.communicate(timeout=600) for process in both]
    assert [(out[:10], err) for out, err in answers] == [("[5. 6. 7.]", "")] * 2
    assert start().communicate(timeout=600) == ("[5. 6. 7.] 1 False\n", "")


def test_a_module_that_somebody_changed_is_not_run(printed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMIOCOST_CACHE", str(printed))
    form = linear_form("v30.slot.miss", ("slots",))
    assert filled(form) == "[5. 6. 7.]"
    (module,) = printed.glob("compiled-*/module.py")
    text = module.read_text()
    module.write_text("raise SystemExit\n")
    assert filled(form) == "[5. 6. 7.]"
    assert module.read_text() == text


def test_without_a_place_to_keep_it_code_is_built_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("MMIOCOST_CACHE", str(blocked / "cache"))
    assert filled(linear_form("v30.slot.miss", ("slots",))) == "[5. 6. 7.]"
