"""Left-out rows told back from the kept result, and what own evidence says in words."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pandas as pd
import pytest

from mmiocost.evidence import load
from mmiocost.fitting.conflict import Conflict
from mmiocost.fitting.left_out import SCHEMES, Prediction
from mmiocost.fitting.rows import fit_rows
from mmiocost.fitting.score import Scored
from mmiocost.fitting.validation_result import HeldOut, Validation, read_validation
from mmiocost.reporting import chart_parts as parts
from mmiocost.reporting import charts
from mmiocost.reporting.conflicts import conflict_sentences
from mmiocost.reporting.context import SiteContext
from mmiocost.reporting.held_out import left_out_rows
from mmiocost.reporting.index import index_body


def kept(*predictions: Prediction) -> Validation:
    held = HeldOut(SCHEMES[0], ("there",), (), (), 0.0, (), predictions)
    return Validation("", "", "", "", {}, {}, {}, (), (held,), (), ())


@pytest.mark.parametrize("factor", [0.4, 0.999, 1.3, 6.0])
def test_predicted_value_and_width_come_back_from_distance_and_error(factor: float) -> None:
    """A row predicted at ``factor`` times its value, with half an interval of 68 % of 0.7 in log."""
    row = fit_rows(load())[0]
    away = -math.log(factor)
    item = Prediction(row.id, row.source, "there", 0.3, away / 0.7, abs(math.expm1(-away)))
    (found,) = left_out_rows(kept(item))
    assert found.factor == pytest.approx(factor)
    assert found.predicted == pytest.approx(factor * math.exp(row.log_value))
    assert found.half == pytest.approx(0.7, rel=1e-3)
    assert found.inside


def test_a_row_that_is_no_longer_there_is_left_out_and_no_distance_gives_no_width() -> None:
    row = fit_rows(load())[0]
    exact = Prediction(row.id, row.source, "there", 0.999, 0.0, 0.0)
    (found,) = left_out_rows(kept(exact, replace(exact, row="gone-001")))
    assert (found.factor, found.half, found.inside) == (1.0, None, False)


def test_every_fitted_row_of_the_kept_result_is_told() -> None:
    found = left_out_rows(read_validation())
    assert {item.row.id for item in found} == {row.id for row in fit_rows(load())}


def test_contradictions_are_said_first_with_the_farthest_row() -> None:
    inside = Scored(
        "a", "exit.hypercall", "cost", "s", "new machine", 1000, 1100, 500, 2000, "cycle", True, "new_measurement"
    )
    near = replace(inside, measured=3000.0, inside=False)
    far = replace(inside, quantity="pio.write_kernel", measured=100.0, inside=False, machine="m/s")
    said = conflict_sentences([Conflict("mine/1", (inside,)), Conflict("other/2", (inside, near, far))], plain=True)
    assert said == (
        "Your host other/2 lies outside what the packaged fit predicts in 2 of 3 rows; farthest pio.write_kernel,"
        " measured 100 cycles, predicted 1100 [500, 2000] cycles for m/s.",
        "Your host mine/1 agrees with the packaged fit: 1 of 1 rows inside their 95 % interval.",
    )


def test_remarks_stand_before_the_answers_as_text() -> None:
    body = index_body((), (), SiteContext("1", "0123", "2026-01-01", remarks=("Your host <b>x</b> lies outside.",)))
    assert body.index("Your host &lt;b&gt;x&lt;/b&gt; lies outside.") < body.index('id="pages"')


def test_a_chart_of_predictions_says_predicted_throughout() -> None:
    columns = {"label": ["a"], "source": ["s"], "measured": [10.0], "predicted": [12.0], "low": [8.0], "high": [15.0]}
    frame = pd.DataFrame({**columns, "ratio": [10 / 12]})
    chart = charts.measured_against_fitted(frame, unit="cycles", group="source", fitted="predicted").to_dict()
    text = json.dumps(chart)
    assert "Predicted (cycles)" in text and "Measured / predicted" in text and "itted" not in text


def test_no_two_of_seven_classes_share_colour_and_shape() -> None:
    data = pd.DataFrame({"source": [f"s{number}" for number in range(7)]})
    scales = [getattr(parts, name)(data, "source").to_dict()["scale"]["range"] for name in ("color", "shape")]
    assert len(set(zip(*scales, strict=True))) == 7
