"""Sums, weak directions, verdicts and profiles: on made-up rows with a known answer, then on the packaged evidence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmiocost.evidence import load
from mmiocost.fitting import profiles
from mmiocost.fitting.calibration import refit
from mmiocost.fitting.design import Design, Hyper, build
from mmiocost.fitting.fit import Fit
from mmiocost.fitting.identifiability import (
    IN_WORDS,
    WEAK,
    Identifiability,
    cells_of,
    identifiability,
    share_jacobian,
    weak_directions,
)
from mmiocost.fitting.mixture import Mixture
from mmiocost.fitting.profiles import ONE_SIDED, profile
from mmiocost.fitting.rows import Row, fit_rows
from mmiocost.fitting.solve import solve
from mmiocost.fitting.sums import determined_sums, known_sums, smallest_sums
from mmiocost.reporting.identifiability import identifiability_document, spoken_cost, statements, sum_sentence

EVIDENCE = load()
PRIORS = EVIDENCE.priors
HYPER = Hyper(0.35, 0.35, 0.2)
GRID = (HYPER,)
EXIT, PORT, SPACE, MODEL = "vm_exit_instruction", "pio_dispatch", "userspace_exit", "device_model"
TRUTH = {EXIT: 2000.0, PORT: 250.0, SPACE: 4000.0, MODEL: 900.0, "emulate_instruction": 1500.0}


def row(counts: Mapping[str, float], number: int = 0, sd: float = 0.003) -> Row:
    """A row of the machine ``host`` in the state ``now`` that is the sum of true costs."""
    value = sum(TRUTH[name] * count for name, count in counts.items())
    return Row(f"r{number}", "host", "now", "made", "q", "", counts, {}, math.log(value), sd, 0.0, {}, value, "cycle")


HYPERCALL, OUT = {EXIT: 1}, {EXIT: 1, PORT: 1, SPACE: 1, MODEL: 1}


def fit_of(*counts: Mapping[str, float]) -> tuple[Fit, tuple[Row, ...]]:
    rows = tuple(row(item, number) for number, item in enumerate(counts))
    return refit(build(rows, PRIORS), 300, np.random.default_rng(1), GRID), rows


# --- sums ------------------------------------------------------------------------------------------------------


def test_the_rest_of_two_rows_is_a_sum() -> None:
    """OUT less VMCALL is the way to user space; the whole OUT says no more than these two."""
    assert smallest_sums([HYPERCALL, OUT], PRIORS) == ({PORT: 1, SPACE: 1, MODEL: 1},)


def test_counts_above_one_stay_with_their_costs() -> None:
    rows = [{EXIT: 1, "io_bus_compare": 2}, {EXIT: 1, "io_bus_compare": 5, PORT: 1}]
    assert {PORT: 1, "io_bus_compare": 3} in smallest_sums(rows, PRIORS)


def test_a_row_that_nothing_is_taken_from_is_its_own_sum_and_a_single_cost_is_none() -> None:
    assert smallest_sums([OUT], PRIORS) == (OUT,)
    assert smallest_sums([HYPERCALL], PRIORS) == ()


def test_exits_of_two_kinds_cancel() -> None:
    """An MMIO access less a port access: the emulator, less port dispatch; the exits only differ."""
    mmio = {"vm_exit_ept_misconfig": 1, "emulate_instruction": 1, "instruction_fetch": 1, SPACE: 1, MODEL: 1}
    (sum_,) = [item for item in smallest_sums([mmio, OUT], PRIORS) if "emulate_instruction" in item]
    assert sum_ == {
        "vm_exit_ept_misconfig": 1, "emulate_instruction": 1, "instruction_fetch": 1, EXIT: -1, PORT: -1,
    }  # fmt: skip


def test_differences_with_several_costs_on_both_sides_are_no_sums() -> None:
    rows = [{SPACE: 1, MODEL: 1}, {PORT: 1, "emulate_instruction": 1}]
    assert set(map(len, smallest_sums(rows, PRIORS))) == {2}
    assert all(count > 0 for item in smallest_sums(rows, PRIORS) for count in item.values())


def test_a_sum_is_known_as_well_as_the_rows_say() -> None:
    """5150 cycles as a difference of 7150 and 2000, each known to 0.3 %, with errors that are Student-t."""
    fit, rows = fit_of(HYPERCALL, OUT)
    (found,) = known_sums(fit, rows)
    assert dict(found.parts) == {PORT: 1, SPACE: 1, MODEL: 1}
    assert found.cycles.value == pytest.approx(5150, rel=0.01)
    width = 2 * 1.96 * math.hypot(0.003 * 7150, 0.003 * 2000)
    assert width < found.cycles.high - found.cycles.low < 2.5 * width
    assert found.sharper > 5
    assert sum(found.shares) == pytest.approx(1, abs=0.2)


def test_parts_that_rows_tell_make_no_sum_that_says_more() -> None:
    """Each part has a row of its own."""
    fit, rows = fit_of({PORT: 1}, {SPACE: 1}, {PORT: 1, SPACE: 1})
    assert known_sums(fit, rows) == ()


# --- weak directions -------------------------------------------------------------------------------------------

seeds = st.integers(0, 2**32 - 1)


@given(seed=seeds)
@settings(max_examples=10)
def test_the_share_jacobian_is_the_derivative_by_log_costs(seed: int) -> None:
    """Central differences along single costs of the packaged rows, ratios of rows among them."""
    rows = fit_rows(EVIDENCE)
    design = build(rows, PRIORS)
    rng = np.random.default_rng(seed)
    log_costs = design.offset + 0.2 * rng.standard_normal(len(design.offset))
    shares = share_jacobian(design, log_costs)
    free = replace(design, effects=np.eye(len(log_costs)), offset=np.zeros(len(log_costs)))
    for column in rng.choice(len(log_costs), 6, replace=False):
        step = np.zeros(len(log_costs))
        step[column] = 1e-6
        difference = (free.model(log_costs + step)[0] - free.model(log_costs - step)[0]) / 2e-6
        assert shares[:, column] == pytest.approx(difference, abs=1e-6)


def test_a_known_null_space_is_recognised() -> None:
    """Two rows of four costs: two directions are left, in one of which port dispatch pays for user space in cycles."""
    fit, rows = fit_of(HYPERCALL, OUT)
    (spectrum,) = identifiability(fit, rows).spectra
    assert spectrum.rows == 2
    assert sum(value < WEAK for value in spectrum.singular) == 2
    hidden = dict(zip(spectrum.costs, spectrum.hidden, strict=True))
    assert hidden[EXIT] == pytest.approx(0, abs=1e-6)
    assert hidden[PORT] > 0.9 and hidden[MODEL] > 0.9
    assert sum(spectrum.hidden) == pytest.approx(2)
    traded = dict(zip(spectrum.costs, spectrum.traded, strict=True))
    assert dict(traded[PORT])[SPACE] == pytest.approx(1, abs=0.2)


def test_weak_directions_move_no_row_and_are_at_right_angles() -> None:
    shares = np.array([[1.0, 0, 0, 0], [0.3, 0.1, 0.55, 0.05]])
    singular, weak = weak_directions(shares)
    assert singular[2:].tolist() == [0, 0]
    assert weak.shape == (2, 4)
    assert shares @ weak.T == pytest.approx(0, abs=1e-12)
    assert weak @ weak.T == pytest.approx(np.eye(2))


def test_a_row_more_makes_the_null_direction_go() -> None:
    """The same port served in the kernel: the port is told, and what is still in one sum is named."""
    fit, rows = fit_of(HYPERCALL, OUT, {EXIT: 1, PORT: 4})
    found = identifiability(fit, rows)
    verdicts = {item.cost: item.verdict for item in found.verdicts}
    assert verdicts[EXIT] == verdicts[PORT] == "identified"
    assert [set(dict(item.parts)) for item in found.sums] == [{PORT, SPACE, MODEL}]


def test_data_without_noise_give_the_truth_back_in_the_directions_that_are_identified() -> None:
    """Whatever the prior says elsewhere: log costs along strong directions, from sharp rows."""
    rows = tuple(
        row(item, number, sd=1e-4)
        for number, item in enumerate((HYPERCALL, OUT, {EXIT: 1, PORT: 4}, {EXIT: 1, PORT: 9}))
    )
    design = build(rows, PRIORS)
    found = design.offset + design.effects @ solve(design, HYPER).effects
    truth = np.array([math.log(TRUTH[cell[0]]) for cell in cells_of(rows)])
    off = found - truth
    assert np.abs(off).max() > 0.05  # the prior is elsewhere
    _, weak = weak_directions(share_jacobian(design, truth + off / 2))
    assert len(weak) == 1
    assert off - weak.T @ (weak @ off) == pytest.approx(np.zeros(len(off)), abs=0.01)
    costs = np.exp(found)
    names = [cell[0] for cell in cells_of(rows)]
    assert costs[names.index(EXIT)] == pytest.approx(2000, rel=1e-3)
    assert costs[names.index(PORT)] == pytest.approx(250, rel=5e-3)
    assert costs[names.index(SPACE)] + costs[names.index(MODEL)] == pytest.approx(4900, rel=2e-3)


# --- verdicts on the evidence ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def known(fitted: tuple[Fit, Mixture, tuple[Row, ...]]) -> Identifiability:
    return identifiability(fitted[0], fitted[2])


def test_every_cost_in_every_state_has_a_verdict(
    known: Identifiability, fitted: tuple[Fit, Mixture, tuple[Row, ...]]
) -> None:
    cells = {(item.cost, item.machine, item.state) for item in known.verdicts}
    assert cells == set(cells_of(fitted[2])) and len(cells) == len(known.verdicts)
    assert {item.verdict for item in known.verdicts} <= set(IN_WORDS)
    for item in known.verdicts:
        assert (item.verdict == "in_sum") == bool(item.sum_of)


@pytest.mark.parametrize(
    ("cost", "place", "verdict"),
    [
        (EXIT, ("unnamed-2012", "3.7"), "identified"),
        (PORT, ("unnamed-2012", "3.7"), "identified"),
        (PORT, ("skylake-8160", "a-6.8-off-host"), "in_sum"),
        (SPACE, ("skylake-8160", "a-6.8-off-host"), "identified"),
        ("mmio_cache_check", ("skylake-8160", "a-6.8-off-host"), "not_informed"),
        ("msr_access", ("skylake-8160", "b-6.14-all-on"), "bounded_above"),
        ("userspace_mitigation:vmscape", ("skylake-8160", "a-6.8-default"), "identified"),
    ],
)
def test_verdicts_are_those_of_the_statistics_document(
    known: Identifiability, cost: str, place: tuple[str, str], verdict: str
) -> None:
    (found,) = [item for item in known.verdicts if (item.cost, item.machine, item.state) == (cost, *place)]
    assert found.verdict == verdict


def test_the_way_to_user_space_is_known_on_the_host_without_mitigations(known: Identifiability) -> None:
    """7998 less 3478 cycles, two rows of one table; and the emulator's work there, 10086 less 7998."""
    own = [item for item in known.sums if (item.machine, item.state) == ("skylake-8160", "a-6.8-off-host")]
    (way,) = [item for item in own if {PORT, SPACE} <= set(dict(item.parts)) and min(dict(item.parts).values()) > 0]
    assert way.cycles.low < 7998 - 3478 < way.cycles.high
    assert way.relative < 0.07
    (emulated,) = [item for item in own if dict(item.parts).get("emulate_instruction")]
    assert emulated.cycles.low < 10086 - 7998 < emulated.cycles.high
    assert dict(emulated.parts)[PORT] == -1


def test_sums_hold_what_rows_say(known: Identifiability, fitted: tuple[Fit, Mixture, tuple[Row, ...]]) -> None:
    """Every sum that is reported is narrower than its least known part, and its parts make it up."""
    assert len(known.sums) > 20
    for item in determined_sums(fitted[0], fitted[2]):
        assert item.cycles.low < item.cycles.value < item.cycles.high
        assert sum(item.shares) == pytest.approx(1, abs=0.25)


# --- words -----------------------------------------------------------------------------------------------------


def test_a_sum_is_said_in_a_sentence() -> None:
    fit, rows = fit_of(HYPERCALL, OUT)
    (found,) = known_sums(fit, rows)
    text = sum_sentence(found, plain=True)
    assert text.startswith("On host/now user-space exit, device model and in-kernel port dispatch can't be told apart")
    assert text.endswith("] cycles.") and "their sum is 51" in text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("userspace_mitigation:vmscape", "vmscape part of user-space mitigation"),
        ("vm_exit_ept_misconfig", "VM exit (EPT misconfig)"),
        ("vm_exit_instruction:vcpu_pmu", "vCPU PMU part of VM exit (instruction)"),
        ("guest_pte_read", "guest PTE read"),
    ],
)
def test_costs_have_words(name: str, words: str) -> None:
    assert spoken_cost(name) == words


def test_the_document_has_every_sum_and_verdict_and_the_text_one_sentence_a_kind(known: Identifiability) -> None:
    document = identifiability_document(known)
    assert len(document["sums"]) == len(known.sums)
    assert len(document["verdicts"]) == len(known.verdicts)
    assert all(item["low"] < item["value"] < item["high"] for item in document["sums"])
    said = statements(known, plain=True)
    assert len(said) < len(known.sums)
    assert any("other states of that machine" in text for text in said)
    assert any("MSR access costs at most" in text for text in said)


# --- profiles --------------------------------------------------------------------------------------------------


def test_the_profile_of_a_linear_problem_is_the_parabola_of_the_textbook() -> None:
    """One hypercall: holding the log cost t off its value costs (t/sd)² of the prior and of the row together."""
    rows = (row(HYPERCALL, sd=0.1),)
    design = build(rows, PRIORS)
    spread = design.prior_variance(HYPER).sum()
    precision = 1 / spread + 1 / 0.1**2
    best = (math.log(2000) / 0.1**2 + math.log(PRIORS[EXIT].median) / spread) / precision
    near = np.exp(
        best + np.array([-0.02, -0.01, 0.01, 0.02])
    )  # there a Student-t error is 5/4 as sharp as a normal one
    found = profile(design, HYPER, cells_of(rows), (EXIT, "host", "now"), near)
    sharper = 1 / spread + 1.25 / 0.1**2
    assert found.misfit == pytest.approx([sharper * step**2 for step in (0.02, 0.01, 0.01, 0.02)], rel=0.15)
    assert found.floor is None and found.bound is None


def test_a_cost_that_hides_in_a_sum_is_bounded_by_the_sum() -> None:
    """Port dispatch can't exceed OUT less VMCALL; below, only the prior holds it."""
    rows = tuple(row(item, number) for number, item in enumerate((HYPERCALL, OUT)))
    cycles = np.geomspace(10, 6000, 14)
    found = profile(build(rows, PRIORS), HYPER, cells_of(rows), (PORT, "host", "now"), cycles)
    assert found.bound is not None and 250 < found.bound < 5150
    assert min(found.misfit) < ONE_SIDED < found.misfit[-1]
    steps = np.diff(found.misfit)
    best = int(np.argmin(found.misfit))
    assert (steps[:best] <= 1e-6).all() and (steps[best:] >= -1e-6).all()


def test_profiles_are_kept_and_read_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fit: Fit) -> None:
    made = profiles.Profile("c", "m", "s", (1.0, 2.0), (0.0, 3.0), None, 1.9)
    monkeypatch.setattr(profiles, "cache_dir", lambda: tmp_path)
    monkeypatch.setattr(profiles, "current_fit", lambda extra: fit)
    monkeypatch.setattr(profiles, "_profiles", lambda fit, extra: (made,))
    assert profiles.current_profiles() == (made,)
    monkeypatch.setattr(profiles, "_profiles", lambda fit, extra: pytest.fail("not read back"))
    assert profiles.current_profiles() == (made,)


def test_a_design_needs_no_machine_effects_for_its_shares() -> None:
    """Shares are of costs: those of a row without ``per`` sum to one, whatever effects made the costs."""
    rows = tuple(item for item in fit_rows(EVIDENCE) if not item.per)
    design: Design = build(rows, PRIORS)
    assert share_jacobian(design, design.offset).sum(axis=1) == pytest.approx(1)
