"""A user's folders, and the mark that leaves the packaged rows out of the fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmiocost import evidence
from mmiocost.errors import InvalidInput
from mmiocost.evidence import ALONE, Folders

HEADER = "id,quantity,value,unit,source_id,machine,state"
ROW = "own-001,mmio.write_userspace,9120,cycle,own,example-a,6.6-default"


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "observations.csv").write_text(f"{HEADER}\n{ROW}\n")
    return tmp_path / "mine"


def test_the_mark_may_stand_anywhere_and_survives_what_is_done_to_paths(mine: Path) -> None:
    """Commands, functions and notebooks pass a list on: as paths, as texts, made into paths again."""
    for given in ([mine, ALONE], [ALONE, mine], [str(mine), "--alone"], [Path(str(item)) for item in (mine, ALONE)]):
        assert Folders.of(given) == Folders((mine,), alone=True)
    assert Folders.of([mine]) == Folders((mine,), alone=False)
    assert Folders.of(Folders.of([ALONE, mine]).plain()) == Folders((mine,), alone=True)
    assert Folders.of([]).notes == () and Folders.of([mine]).notes == ()
    assert "alone" in Folders.of([mine, ALONE]).notes[0]


def test_the_mark_needs_a_folder(mine: Path) -> None:
    for ask in (evidence.load, evidence.evidence_hash, evidence.verify, Folders.of):
        with pytest.raises(InvalidInput, match="--alone: needs evidence of your own"):
            ask([ALONE])  # type: ignore[operator]


def test_alone_has_a_hash_of_its_own(mine: Path) -> None:
    hashes = [evidence.evidence_hash(item) for item in ([], [mine], [mine, ALONE])]
    assert len(set(hashes)) == 3
    assert evidence.load([mine, ALONE]).hash == hashes[2]


def test_alone_only_the_users_rows_are_fitted_and_all_others_stay_to_be_held_against(mine: Path) -> None:
    both, alone = evidence.load([mine]), evidence.load([mine, ALONE])
    assert [row.id for row in alone.own] == ["own-001"]
    assert [row.id for row in alone.observations if row.use == "fit"] == ["own-001"]
    assert len(alone.observations) == len(both.observations)
    before = {row.id: row.use for row in both.observations}
    changed = [row for row in alone.observations if row.use != before[row.id]]
    assert len(changed) == 64 and {(row.use, row.use_why) for row in changed} == {
        ("check", "the user's evidence is fitted alone")
    }
    assert not any(prior.source for prior in alone.priors.values())
    assert {name: prior.median for name, prior in alone.priors.items()} == {
        name: prior.median for name, prior in both.priors.items()
    }


def test_alone_there_must_be_something_to_fit(mine: Path) -> None:
    (mine / "observations.csv").write_text(f"{HEADER},use,use_why\n{ROW},check,looked at only\n")
    with pytest.raises(InvalidInput, match="needs at least one row to fit"):
        evidence.load([mine, ALONE])


def test_a_file_to_be_scored_is_read_as_its_cells_are(mine: Path) -> None:
    """What is wrong with a row beyond its cells is for the score to say; a column that nothing reads is named."""
    file = mine / "observations.csv"
    file.write_text(f"{HEADER},colour\n{ROW},red\nown-2,no.such,-1,cycles,own,,,\n")
    rows, notices = evidence.read_measurements(file)
    assert [(row.quantity, row.value, row.unit) for row in rows] == [
        ("mmio.write_userspace", 9120.0, "cycle"),
        ("no.such", -1.0, "cycle"),
    ]
    assert notices == (f"{file}:1: colour: unknown column, not used",)
