"""The page "What if" in a real browser: it computes what NumPy makes of the same draws, and what predict says."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sites
import yaml
from browsing import wait_until

from mmiocost.equations.lowering import kernel
from mmiocost.fitting.fit import POPULATION
from mmiocost.fitting.intervals import interval
from mmiocost.fitting.store import current_fit
from mmiocost.reporting.reference_pages import reference_pages
from mmiocost.reporting.site import build_site
from mmiocost.whatif.predict import Predictor
from mmiocost.whatif.scenario import Scenario, scenario_of
from mmiocost.whatif.terms import REGRESSION, SAVING, by_parameter, design_terms, indicators, quantity_kernel

pytestmark = pytest.mark.browser

POINTS = 1000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    made = [page for page in reference_pages([], None, "x") if page.href == "what-if.html"]
    context = sites.context(folder)
    return build_site([], folder / "out", answers=[sites.ANSWER], context=context, made=made).parent


@pytest.fixture
def opened(browser: Any, site: Path) -> Any:
    page = browser.new_context(viewport={"width": 360, "height": 800}).new_page()
    page.complaints = []
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("request", lambda request: page.complaints.extend([] if request.url.startswith("file:") else [request.url]))
    page.goto((site / "what-if.html").as_uri())
    yield page
    assert page.complaints == []
    page.context.close()


def points() -> list[dict[str, Any]]:
    chance, machines = random.Random(8), _machines()
    return [
        {
            "machine": chance.choice(machines), "mode": chance.choice(["ept", "shadow"]),
            "after": chance.choice(["v31", "v36", "v311"]), "guest_levels": str(chance.choice([2, 3, 4])),
            "slots": chance.randint(1, 512), "mmio_rate": float(chance.randint(100, 200000)),
            "hits": chance.choice(["derived", "set"]), "hit_fraction": chance.random(),
            "generation_rate": chance.uniform(0, 1000), "true_fault_fraction": chance.random(),
            "fill_rate": chance.uniform(0, 20000),
        }
        for _ in range(POINTS)
    ]  # fmt: skip


def _machines() -> list[str]:
    fit = current_fit([])
    return [POPULATION, *fit.machines(), *("/".join(item) for item in fit.states)]


def scenario(point: dict[str, Any]) -> Scenario:
    rate = "generation_rate" if point["hits"] == "derived" else "hit_fraction"
    mix = {name: point[name] for name in ("mmio_rate", "true_fault_fraction", "fill_rate", rate)}
    counts = {"slots": point["slots"], "guest_levels": int(point["guest_levels"])}
    return Scenario(machine=point["machine"], mode=point["mode"], after=point["after"], counts=counts, mix=mix)


def test_a_thousand_points_are_what_numpy_says(opened: Any) -> None:
    fit, asked, costs = current_fit([]), points(), {}
    found = opened.evaluate("(points) => points.map(mmiocostWhatIf.evaluate)", asked)
    for point, answer in zip(asked, found, strict=True):
        case = scenario(point)
        place = fit.locate(case.machine)
        on = indicators(case, fit)
        name, full = quantity_kernel(REGRESSION, case, **on)
        terms = {"before": design_terms("before", case, **on)[0], "after": design_terms("after", case, **on)[0],
                 "saving": quantity_kernel(SAVING, case, **on), "regression": kernel(name)(full)}  # fmt: skip
        terms["saving"] = kernel(terms["saving"][0])(terms["saving"][1])
        for kind, counted in terms.items():
            total, size = np.zeros(len(fit.effects)), 0.0
            for parameter, count in by_parameter(counted, case, fit).items():
                key = (*place, parameter)
                if key not in costs:
                    logs = fit.log_costs([parameter], *place)[:, 0].astype("<f4")
                    costs[key] = np.exp(logs.astype(float))
                total += count * costs[key]
                size += abs(float(count)) * float(costs[key].max())
            expected = interval(total)
            if kind == "saving":
                size = max(answer["before"]["value"], answer["after"]["value"])
            for part in ("value", "low", "high"):
                assert abs(answer[kind][part] - getattr(expected, part)) <= 1e-12 * size, (kind, part, point)


def test_the_answers_are_those_of_predict(opened: Any) -> None:
    ask, asked = Predictor(), points()[:40]
    found = opened.evaluate("(points) => points.map(mmiocostWhatIf.evaluate)", asked)
    for point, answer in zip(asked, found, strict=True):
        for kind, quantity in (("saving", SAVING), ("regression", REGRESSION)):
            said = ask(quantity, scenario(point))
            size = answer["before"]["high"] if kind == "saving" else max(abs(said.low or 0), abs(said.high or 0))
            for part in ("value", "low", "high"):
                assert answer[kind][part] == pytest.approx(getattr(said, part), abs=2e-6 * size), (kind, point)


def test_the_address_holds_the_scenario_and_nothing_strange_comes_in(opened: Any, site: Path) -> None:
    opened.focus("#w-slots")
    opened.keyboard.press("ArrowRight")
    assert "slots=33" in opened.evaluate("location.hash")
    assert "--set slots=33" in opened.inner_text("#what-if-command")
    assert "  slots: 33" in opened.inner_text("#what-if-yaml")
    opened.evaluate("location.hash = 'slots=1e99&mode=%3Cscript%3E&machine=__proto__&mmio_rate=NaN&after=v311&slots=%'")
    wait_until(opened, "mmiocostWhatIf.read().after === 'v311'")
    read = opened.evaluate("mmiocostWhatIf.read()")
    kept = scenario_of(yaml.safe_load(opened.inner_text("#what-if-yaml")))
    assert (kept.after, kept.mode, kept.machine, kept.counts["slots"]) == ("v311", "ept", POPULATION, 33)
    assert (read["slots"], read["mode"], read["machine"]) == (33, "ept", POPULATION)
    assert opened.evaluate("document.documentElement.scrollWidth") <= 360
