"""Fits are kept by content: found again, remade when damaged, changed by the user's evidence."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from mmiocost.errors import InvalidInput
from mmiocost.fitting import store
from mmiocost.fitting.fit import fit_evidence
from mmiocost.fitting.store import current_fit, current_summary


def forget() -> None:
    """As a new process would start."""
    store._fit.cache_clear()
    store._made.clear()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "cache"
    monkeypatch.setenv("MMIOCOST_CACHE", str(folder))
    monkeypatch.setattr(store, "fit_evidence", lambda evidence: fit_evidence(evidence, 200))  # fewer draws: quicker
    forget()
    yield folder
    forget()


def kept(folder: Path) -> list[Path]:
    return sorted(folder.glob("fit-*.npz"))


def test_the_same_evidence_gives_the_same_file_which_is_read_again(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = current_fit()
    (place,) = kept(cache)
    content = place.read_bytes()
    forget()
    monkeypatch.setattr(store, "fit_evidence", lambda *_: pytest.fail("a fit that is kept was made again"))
    read = current_fit()
    assert np.array_equal(read.effects, made.effects) and read.keys == made.keys
    assert (read.evidence, read.sources, read.states) == (made.evidence, made.sources, made.states)
    assert read.priors == made.priors
    assert kept(cache) == [place] and place.read_bytes() == content

    summary = current_summary()
    assert len(summary.rows) == summary.validation["rows"] == 64
    assert json.loads(json.dumps(asdict(summary))) == json.loads(json.dumps(asdict(current_summary())))
    assert set(summary.scatter) == {"machine", "machine_event", "state_event"}


def test_a_fit_is_the_same_to_the_byte_when_it_is_made_again(cache: Path) -> None:
    current_fit()
    (place,) = kept(cache)
    content = place.read_bytes()
    place.unlink()
    forget()
    current_fit()
    assert place.read_bytes() == content


@pytest.mark.parametrize("damage", ["cut", "empty", "changed"])
def test_a_damaged_fit_is_made_again(cache: Path, damage: str) -> None:
    first = current_fit()
    (place,) = kept(cache)
    sound = place.read_bytes()
    middle = len(sound) // 2
    damaged = {
        "cut": sound[:middle],
        "empty": b"",
        "changed": sound[:middle] + bytes([sound[middle] ^ 1]) + sound[middle + 1 :],
    }
    place.write_bytes(damaged[damage])
    forget()
    again = current_fit()
    assert np.array_equal(first.effects, again.effects)
    assert place.read_bytes() == sound


def test_without_a_place_to_keep_it_a_fit_is_made_and_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("MMIOCOST_CACHE", str(blocked / "cache"))
    forget()
    try:
        assert len(current_fit().keys) > 100
        assert len(current_summary().rows) == 64
    finally:
        forget()


def test_the_users_rows_change_the_fit(cache: Path, write_rows: Callable[..., Path]) -> None:
    """A host of the user's with two rows: a machine of its own, known to the precision of its rows."""
    common = {"machine": "mine", "state": "6.8", "generation": "v517", "kernel": "6.8.0"}
    folder = write_rows(
        {**common, "quantity": "exit.hypercall", "value": 1500},
        {**common, "quantity": "pio.write_userspace", "value": 6500},
    )
    packaged, with_mine = current_fit(), current_fit([folder])
    assert len(kept(cache)) == 2
    assert packaged.evidence != with_mine.evidence
    assert "mine" in with_mine.machines() and "mine" not in packaged.machines()
    cost = np.exp(with_mine.log_costs(["vm_exit_instruction"], "mine", "6.8")[:, 0])
    assert np.percentile(cost, [2.5, 97.5]) == pytest.approx([1500, 1500], rel=0.02)
    assert "mine" in with_mine.sources["userspace_exit"]
    median = [
        float(np.median(fit.log_costs(["vm_exit_instruction"], "median machine"))) for fit in (packaged, with_mine)
    ]
    assert median[1] < median[0]  # one more machine, a quick one


def test_damaged_evidence_is_refused_and_nothing_is_kept(cache: Path, write_rows: Callable[..., Path]) -> None:
    folder = write_rows({"machine": "mine", "state": "x", "quantity": "exit.hypercal", "value": 1500})
    with pytest.raises(InvalidInput, match=r"did you mean 'exit\.hypercall'"):
        current_fit([folder])
    assert kept(cache) == []
