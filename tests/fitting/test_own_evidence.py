"""A user's own machine: recovered from simulated rows alone and with the packaged evidence, and held against it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mmiocost.evidence import ALONE, load
from mmiocost.fitting.conflict import conflicts
from mmiocost.fitting.fit import Fit, fit_evidence
from mmiocost.fitting.prediction import weighted_costs
from mmiocost.fitting.rows import fit_rows
from mmiocost.fitting.store import current_fit, current_summary

COMMON = {"machine": "mine", "state": "6.8", "generation": "v517", "kernel": "6.8.0"}
TRUTH = {"vm_exit_instruction": 1234.0, "pio_dispatch": 210.0, "userspace_exit": 4321.0, "device_model": 350.0}
SD = 0.01  # of each simulated row
Widths = dict[str, float]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three rows of one host, drawn around the sums of known costs: VMCALL, and OUT served by kernel and user space."""
    rng = np.random.default_rng(5)
    sums = {
        "exit.hypercall": 1234.0,
        "pio.write_kernel": 1234.0 + 210.0 + 15.0,  # one device on the bus is compared, at 15 cycles
        "pio.write_userspace": 1234.0 + 210.0 + 15.0 + 4321.0 + 350.0,
    }
    lines = ["id,quantity,value,unit,source_id,machine,state,generation,kernel,spread,spread_kind"]
    for number, (quantity, cycles) in enumerate(sums.items()):
        value = cycles * np.exp(SD * rng.standard_normal())
        lines.append(f"m-{number},{quantity},{value:.4f},cycle,mine,mine,6.8,v517,6.8.0,{100 * SD},rel_sem_percent")
    place = tmp_path_factory.mktemp("own") / "mine"
    place.mkdir()
    (place / "observations.csv").write_text("\n".join(lines) + "\n")
    return place


@pytest.fixture(scope="module")
def fits(folder: Path) -> dict[str, Fit]:
    return {"alone": fit_evidence(load([folder, ALONE]), 400)[0], "both": fit_evidence(load([folder]), 400)[0]}


def covers(fit: Fit, counts: dict[str, float], truth: float) -> bool:
    low, high = np.percentile(weighted_costs(fit, counts, "mine", "6.8"), (2.5, 97.5))
    return bool(low <= truth <= high)


@pytest.mark.parametrize("which", ["alone", "both"])
def test_known_costs_are_recovered(fits: dict[str, Fit], which: str) -> None:
    """The exit by its row, the way to user space with its device by a difference of two, to about 1 %."""
    fit = fits[which]
    assert covers(fit, {"vm_exit_instruction": 1}, 1234.0)
    assert covers(fit, {"userspace_exit": 1, "device_model": 1}, 4321.0 + 350.0)
    there = weighted_costs(fit, {"userspace_exit": 1, "device_model": 1}, "mine", "6.8")
    assert np.std(np.log(there)) < 3 * SD
    assert covers(fit, {"pio_dispatch": 1}, 210.0)


def test_with_the_packaged_evidence_intervals_are_narrower(fits: dict[str, Fit]) -> None:
    """Where own rows leave a cost open on the own machine, the other machines narrow it."""
    for name in ("emulate_instruction", "guest_pte_read"):
        wide, narrow = (np.std(fits[which].log_costs([name], "mine", "6.8")) for which in ("alone", "both"))
        assert narrow < wide
    median = [np.std(fits[which].log_costs(["vm_exit_instruction"], "median machine")) for which in ("alone", "both")]
    assert median[1] < 0.75 * median[0]


def test_alone_no_packaged_row_is_fitted_nor_cited(fits: dict[str, Fit], folder: Path) -> None:
    fit = fits["alone"]
    assert fit.machines() == ("mine",)
    assert {source for sources in fit.sources.values() for source in sources} == {"mine"}
    assert fit.evidence != fits["both"].evidence
    names = list(fit.priors)
    assert set(fits["both"].prior_bounded(names)) < set(fit.prior_bounded(names))
    assert len(fit_rows(load([folder, ALONE]))) == 3


def test_the_kept_fit_of_each_choice_is_its_own(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mark reaches the cache's key, however the folders are given; no packaged row widens a range."""
    monkeypatch.setenv("MMIOCOST_CACHE", str(tmp_path))
    alone = current_fit([folder, ALONE])
    assert current_fit([Path(text) for text in (str(folder), "--alone")]).evidence == alone.evidence
    assert len(list(tmp_path.glob("fit-*.npz"))) == 1
    assert alone.machines() == ("mine",)
    assert len(current_summary([folder, ALONE]).rows) == 3


def test_a_host_that_contradicts_the_packaged_fit_is_named_with_its_farthest_row(
    write_rows: Callable[..., Path],
) -> None:
    mine = write_rows(
        {**COMMON, "quantity": "exit.hypercall", "value": 2000},
        {**COMMON, "machine": "slow", "quantity": "exit.hypercall", "value": 500000},
        {**COMMON, "machine": "slow", "quantity": "pio.write_userspace", "value": 600000000},
        {**COMMON, "machine": "slow", "quantity": "msr.write_ibpb", "value": 900},
    )
    usual, slow = conflicts([mine])
    assert (usual.host, len(usual.rows), usual.outside) == ("mine/6.8", 1, ())
    assert (slow.host, len(slow.rows)) == ("slow/6.8", 2)
    assert [row.quantity for row in slow.outside] == ["pio.write_userspace", "exit.hypercall"]
    assert {row.machine for row in slow.outside} == {"new machine"}
    assert conflicts([mine, ALONE]) == (usual, slow)  # against the packaged fit, whatever is fitted
    assert conflicts([]) == ()


def test_rows_of_a_machine_of_the_evidence_are_held_against_that_machine(write_rows: Callable[..., Path]) -> None:
    """2012 measured 3898 cycles there: twice as many are outside, though a new machine might well have them."""
    again = {"machine": "unnamed-2012", "state": "3.7", "generation": "v36", "quantity": "exit.hypercall"}
    (found,) = conflicts([write_rows({**again, "value": 7800})])
    assert [row.machine for row in found.outside] == ["unnamed-2012/3.7"]
