"""Sweeps: every point is the prediction of its scenario, on grids and in samples; the file; what is refused."""

from __future__ import annotations

import tracemalloc
import warnings
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mmiocost.errors import InvalidInput
from mmiocost.fitting.store import current_fit
from mmiocost.vocabulary import MIX_SYMBOLS, PATHS, SYMBOLS, resolve
from mmiocost.whatif import order_statistics, points, sweep_file
from mmiocost.whatif.axes import Over, Span, checked_axes, read_over
from mmiocost.whatif.cases import cases
from mmiocost.whatif.order_statistics import quantiles
from mmiocost.whatif.predict import Predictor
from mmiocost.whatif.sampling import unit_blocks
from mmiocost.whatif.scenario import Scenario
from mmiocost.whatif.sweep import Sample, Sweep, sweep

SAVING, SPEEDUP, REGRESSION = "saving:fast_mmio", "speedup:fast_mmio", "regression:bypass_guest_pf"
MIX = {item.name for item in MIX_SYMBOLS}
COUNTS = {item.name for item in SYMBOLS}


def scenario_of(found: Sweep, row: dict[str, Any]) -> Scenario:
    """The scenario of one point, set up by hand."""
    at = {axis.name: row[axis.name] for axis in found.axes}
    base = found.scenario
    return replace(
        base,
        counts={**base.counts, **{name: int(value) for name, value in at.items() if name in COUNTS}},
        mix={**base.mix, **{name: float(value) for name, value in at.items() if name in MIX}},
        mode=at.get("mode", base.mode),
        after=at.get("after", base.after),
    )


def held_against_predict(found: Sweep, several: int = 12) -> None:
    """Some of the points, the first and the last among them, against predictions; and their number."""
    frame = found.frame()
    assert len(frame) == found.rows
    predict = Predictor()
    for place in np.unique(np.linspace(0, len(frame) - 1, several).astype(int)):
        row = frame.iloc[place].to_dict()
        expected = predict(found.quantity, scenario_of(found, row))
        assert [row[name] for name in ("value", "low", "high")] == pytest.approx(
            [expected.value, expected.low, expected.high], rel=1e-9, abs=1e-9
        )
        assert row["extrapolates"] == expected.extrapolates


AXES: dict[str, st.SearchStrategy[Any]] = {
    "slots": st.lists(st.integers(5, 3000), min_size=9, max_size=20, unique=True),
    "ram_slot": st.lists(st.integers(1, 5), min_size=1, max_size=3, unique=True),
    "mmio_gap": st.lists(st.integers(0, 5), min_size=1, max_size=3, unique=True),
    "guest_levels": st.lists(st.sampled_from([0, 2, 3, 4]), min_size=1, max_size=3, unique=True),
    "is_write": st.just([0, 1]),
    "slot_cache_warm": st.just([1, 0]),
    "generation_rate": st.lists(st.floats(0, 1e4), min_size=1, max_size=9, unique=True),
    "mmio_rate": st.builds(Span, st.floats(1, 1e3), st.floats(2e3, 1e6), st.integers(2, 12), st.booleans()),
    "mmio_pages": st.builds(Span, st.just(1.0), st.floats(2, 64), st.integers(2, 9)),
    "cold_search_fraction": st.lists(st.floats(0, 1), min_size=1, max_size=9, unique=True),
    "userspace_fraction": st.lists(st.floats(0, 1), min_size=1, max_size=3, unique=True),
    "after": st.lists(
        st.sampled_from(["v31", "v36", "v311", "v40", "v56", "v517"]), min_size=1, max_size=2, unique=True
    ),
}


@given(data=st.data())
@settings(max_examples=6)
def test_a_grid_of_any_axes_is_predict_point_by_point(data: st.DataObject) -> None:
    """Also where tiles, hoisted axes and halved blocks are as small as they get."""
    names = data.draw(st.lists(st.sampled_from(sorted(AXES)), min_size=1, max_size=4, unique=True))
    over = {name: data.draw(AXES[name], name) for name in names}
    sizes = data.draw(st.sampled_from([(2**16, 64, 30_000, 16), (7, 3, 1, 2)]), "sizes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(points, "TILE", sizes[0])
        patch.setattr(points, "_LONG", sizes[1])
        patch.setattr(order_statistics, "_HALVE", sizes[2])
        patch.setattr(order_statistics, "_FEW", sizes[3])
        held_against_predict(sweep(SAVING, over, Scenario(after="v311", counts={"slots": 5})), 6)


@pytest.mark.parametrize(
    ("quantity", "over", "base"),
    [
        (REGRESSION, {"fault_rate": Span(0, 1e5, 7), "hit_fraction": Span(0, 1, 5), "mmio_faults_on": [0, 0.5, 1]}, {}),
        (REGRESSION, {"guest_levels": [2, 3, 4], "zapping_rate": Span(0, 10, 80)}, {}),
        (SAVING, {"mode": ["shadow", "ept"], "slots": Span(1, 509, 70)}, {"machine": "skylake-8160"}),
        ("cost:v517.ept.mmio_first", {"slots": Span(20, 512, 90), "ram_slot": Span(1, 20, 20)}, {}),
        ("cost:unified.shadow.access", {"unlink_rate": Span(0, 1e5, 12), "build_window": [0, 1e-6, 1e-4]}, {}),
        ("cost:v31.any.hypercall", {"exit_mitigated": [0, 1]}, {"machine": "skylake-8160/a-6.8-off-host"}),
        ("overhead:generation_wrap", {"generation_rate": [1.0, 1e3], "after": ["v311", "v517"]}, {}),
        (SPEEDUP, {"cycles_per_transaction": Span(4e5, 1e6, 9), "slots": Span(1, 60, 60)}, {}),
    ],
)
def test_every_quantity_is_predict_point_by_point(quantity: str, over: Over, base: dict[str, Any]) -> None:
    held_against_predict(sweep(quantity, over, Scenario(**base)), 5)


@pytest.mark.parametrize("kind", ["lhs", "sobol"])
def test_a_sample_is_predict_point_by_point_and_the_same_each_time(kind: str) -> None:
    over = {
        "slots": Span(8, 512), "generation_rate": Span(1e-3, 1e3, log=True), "guest_levels": Span(2, 4),
        "after": ["v311", "v56"],
    }  # fmt: skip
    found = sweep(SAVING, over, sample=Sample(kind, 300))
    held_against_predict(found, 8)
    assert found.frame().equals(sweep(SAVING, over, sample=Sample(kind, 300)).frame())
    shares = found.frame()[["guest_levels", "after"]].value_counts()
    assert len(shares) == 6 and shares.min() > 30


@given(path=st.sampled_from([path.name for path in PATHS]), data=st.data())
@settings(max_examples=40)
def test_counts_that_follow_a_long_axis_are_those_of_the_vocabulary(path: str, data: st.DataObject) -> None:
    names = ("slots", "bus_devices", "fast_bus_devices", "retries", "shadow_pages")
    long = data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
    axes = checked_axes({name: Span(1, 900, 40) for name in long}, Scenario())
    (case,) = cases(f"cost:{path}", Scenario(), axes, current_fit())
    at = {axis.name: int(data.draw(st.sampled_from(axis.values.tolist()))) for axis in axes}
    _, full = case.full({name: np.array([value]) for name, value in at.items()})
    expected = resolve(path, at)
    assert {name: int(np.ravel(full[name])[0]) for name in expected} == expected


# --- Intervals ---------------------------------------------------------------------------------------------------


@given(data=st.data(), count=st.integers(1, 40), draws=st.integers(2, 60), halve=st.sampled_from([1, 500, 30_000]))
@settings(max_examples=50)
def test_quantiles_are_those_of_numpy(data: st.DataObject, count: int, draws: int, halve: int) -> None:
    """For all features, whether blocks are halved, bounded or sorted; ties and constant draws included."""
    numbers = st.integers(-3, 3).map(float) | st.floats(-1e6, 1e6)
    features = data.draw(arrays(float, (count, 3), elements=numbers))
    costs = data.draw(arrays(float, (3, draws), elements=numbers))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order_statistics, "_HALVE", halve)
        found = quantiles(features, costs)
    expected = np.percentile(features @ costs, [2.5, 50, 97.5], axis=1).T
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9 * (1 + np.abs(features).max() * np.abs(costs).max()))


def test_a_transaction_that_is_saved_whole_has_no_value() -> None:
    """Twenty accesses of 117 slots save some 40 000 cycles: there predict refuses, and the sweep leaves a gap."""
    found = sweep(SPEEDUP, {"cycles_per_transaction": [3e4, 3e6]}, Scenario(counts={"slots": 117}))
    frame = found.frame()
    assert frame.value.isna().tolist() == [True, False]
    assert found.values()[0] != found.values()[0] and found.values()[1] == pytest.approx(frame.value[1], rel=0.01)
    with pytest.raises(InvalidInput, match="must be more than"):
        Predictor()(SPEEDUP, scenario_of(found, frame.iloc[0].to_dict()))


def test_retries_without_end_have_no_finite_bound() -> None:
    frame = sweep("cost:unified.shadow.access", {"unlink_rate": [1e5], "build_window": [1.0]}).frame()
    assert frame.value[0] == np.inf and np.isnan([frame.low[0], frame.high[0]]).all()


def test_without_an_interval_the_value_is_that_at_the_median_costs() -> None:
    over = {"slots": Span(1, 300, 70), "generation_rate": [0.0, 5.0]}
    found = sweep(SAVING, over, Scenario(after="v311"), with_interval=False)
    frame = found.frame()
    assert list(frame) == ["slots", "generation_rate", "value_at_median_costs", "extrapolates"]
    assert np.array_equal(found.values(), frame.value_at_median_costs)
    row = frame.iloc[17].to_dict()
    one = sweep(SAVING, {"slots": [int(row["slots"])]}, replace(scenario_of(found, row)), with_interval=False)
    assert one.values()[0] == pytest.approx(row["value_at_median_costs"], rel=1e-12)
    assert frame.value_at_median_costs.to_numpy() == pytest.approx(
        sweep(SAVING, over, Scenario(after="v311")).frame().value, rel=0.1, abs=100
    )


# --- Samples -----------------------------------------------------------------------------------------------------


def test_every_stratum_of_a_latin_hypercube_holds_one_point(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmiocost.whatif.sampling.CUBE", 500)
    unit = np.concatenate(list(unit_blocks("lhs", 800, 3)))
    for cube in (unit[:500], unit[500:]):
        for column in cube.T:
            assert sorted((column * len(cube)).astype(int)) == list(range(len(cube)))


@pytest.mark.parametrize("count", [1, 2, 100, 1024, 70_000])
def test_a_sobol_sample_of_any_size_is_the_beginning_of_one_sequence(count: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        unit = np.concatenate(list(unit_blocks("sobol", count, 2)))
    longer = np.concatenate(list(unit_blocks("sobol", 2**17, 2)))
    assert np.array_equal(unit, longer[:count])


# --- What is refused ---------------------------------------------------------------------------------------------


GRID = "NAME=LOW:HIGH:COUNT[:log] on a grid"
# fmt: off
WRONG_AXES = [
    (["slot=1:5:3"], "slot: unknown name; did you mean 'slots'?"),
    (["slots"], f"slots: must have the form {GRID}, or NAME=VALUE,VALUE,..."),
    (["slots=1:5"], f"slots=1:5: must have the form {GRID}"),
    (["slots=5:1:3"], "slots=5:1: must have LOW below HIGH"),
    (["mmio_rate=5:1e3:3 ms"], f"mmio_rate=5:1e3:3 ms: must have the form {GRID}"),
    (["mmio_rate=5 ms:1e3:3"], "mmio_rate=5 ms:1e3:3: is a time, must be a rate (1/s)"),
    (["slots=1.5:9:3"], "slots=1.5:9: must be whole numbers"),
    (["slots=1:9:1"], "slots=1:9: must have a count from 2 to 10000000"),
    (["hit_fraction=0,2"], "hit_fraction=0,2: must be 0 to 1"),
    (["hit_fraction=0:1:3:log"], "hit_fraction=0:1: must lie above 0 on a logarithmic scale"),
    (["slots=1,2", "slots=3"], "slots=3: is given twice"),
    (["mode=epd"], "mode=epd: must be one of ept, shadow, nonpaging; did you mean 'ept'?"),
    ([], f"give at least one, in the form {GRID}"),
    (["hit_fraction=0,1", "generation_rate=1,2"],
     "hit_fraction, generation_rate: vary or set one of them: hit_fraction is derived unless set"),
    (["zapping_rate=1,9", "generation_rate=5,20"],
     "zapping_rate=9: must be at most generation_rate=5, of which it is a part"),
    (["slots=0:9:10", "guest_levels=1,4"],
     "slots=0: must be an integer of 1 or more on v31.ept.mmio_hit\n"
     "--over: guest_levels=1: must be one of 0, 2, 3, 4 on v31.ept.mmio_hit"),
    (["slots=2:40:30", "ram_slot=1,3"], "ram_slot=3: must be 1 to 2 on v31.ept.mmio_hit with slots=2"),
    (["mode=shadow", "after=v517"], "mode=shadow: must be one of ept with after=v517"),
    (["slots=1:99999:99999", "mmio_rate=1:2:99999", "mmio_pages=1,2,3"],
     "makes 29999400003 points; at most 10000000000 are swept at once"),
]
# fmt: on


@pytest.mark.parametrize(("texts", "message"), WRONG_AXES)
def test_each_wrong_axis_has_its_line(texts: Sequence[str], message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        sweep(SAVING, read_over(texts))
    assert str(caught.value) == f"--over: {message}"


def test_a_sample_takes_no_counts() -> None:
    with pytest.raises(
        InvalidInput, match=r"^--over: slots=1:5:3: must have the form NAME=LOW:HIGH\[:log\] in a sample$"
    ):
        read_over(["slots=1:5:3"], sampled=True)


@pytest.mark.parametrize(
    ("quantity", "over", "options", "message"),
    [
        ("saving:fast", {"slots": [1]}, {}, "did you mean 'saving:fast_mmio'"),
        (REGRESSION, {"mode": ["ept"]}, {}, "--over: mode: does not vary regression:bypass_guest_pf"),
        (SPEEDUP, {"slots": [1]}, {}, "cycles_per_transaction: must be set or varied"),
        (SAVING, {"slots": [1]}, {"scenario": Scenario(machine="nowhere")}, "unknown machine"),
        (SAVING, {"slots": [1]}, {"sample": Sample("halton", 5)}, "must be one of lhs, sobol"),
        (
            SAVING,
            {"hit_fraction": [1.0]},
            {"scenario": Scenario(mix={"generation_rate": 1.0})},
            "vary or set one of them",
        ),
    ],
)
def test_each_wrong_question_has_its_line(quantity: str, over: Over, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        sweep(quantity, over, **options)


def test_a_grid_has_the_product_of_its_axes_with_whole_numbers_where_they_count() -> None:
    frame = sweep(SAVING, {"slots": Span(1, 20, 99), "generation_rate": [2.0, 1.0]}).frame()
    expected = list(product(range(1, 21), (2.0, 1.0)))
    assert sorted(zip(frame.slots, frame.generation_rate, strict=True)) == sorted(expected)
    log = sweep(SAVING, {"mmio_rate": Span(1e-3, 1e3, 7, log=True)}).frame()
    assert log.mmio_rate.to_numpy() == pytest.approx([1e-3, 1e-2, 1e-1, 1, 10, 100, 1000])


# --- The file ----------------------------------------------------------------------------------------------------


def test_the_file_holds_the_frame_and_says_what_it_is(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import pandas as pd
    import pyarrow.parquet as pq

    monkeypatch.setattr(sweep_file, "_GROUP", 50)
    monkeypatch.setattr(points, "TILE", 20)
    found = sweep(SAVING, {"mode": ["ept", "shadow"], "slots": [1, 117], "hit_fraction": Span(0, 1, 40)})
    written = found.write(tmp_path / "new" / "a.parquet")
    assert (written.rows, written.complete) == (160, True)
    pd.testing.assert_frame_equal(pd.read_parquet(written.file), found.frame(), check_dtype=False)
    about = sweep_file.about(tmp_path / "new" / "a.parquet")
    assert (about["quantity"], about["unit"], about["interval"], about["level"]) == (
        SAVING,
        "cycle",
        "new_machine",
        0.95,
    )
    assert (about["complete"], about["points"], about["seed"], about["evidence"]) == (
        True,
        160,
        None,
        found.fit.evidence,
    )
    assert pq.ParquetFile(written.file).num_row_groups > 1
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.parquet"]


def test_memory_stays_bounded_however_many_points_there_are(tmp_path: Any) -> None:
    """Two million points in four columns of 8 bytes would be 64 MB."""
    import pyarrow as pa

    over = {"slots": Span(1, 1000, 1000), "generation_rate": Span(0, 1e3, 1000), "is_write": [0, 1]}
    found = sweep(SAVING, over, Scenario(after="v311"), with_interval=False)
    tracemalloc.start()
    try:
        written = found.write(tmp_path / "a.parquet")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert written.rows == 2_000_000
    assert peak < 20e6
    assert pa.default_memory_pool().max_memory() < 60e6


def test_an_open_side_is_a_null(tmp_path: Any) -> None:
    import pyarrow.parquet as pq

    found = sweep("cost:unified.shadow.access", {"unlink_rate": [1e5], "build_window": [1.0]})
    table = pq.read_table(found.write(tmp_path / "a.parquet").file)
    assert (table["low"].to_pylist(), table["value"].to_pylist()) == ([None], [np.inf])
