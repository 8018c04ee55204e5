"""What fast MMIO and bypass_guest_pf save, against the formulas of the specification with random costs.

The formulas are written out here by hand; the package derives its own from the paths' counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import sympy as sp
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scenarios import LINEAR, cases, reads, scenarios, since, walked

from mmiocost.equations import payoff
from mmiocost.equations.integer import bisection_compares
from mmiocost.equations.lowering import kernel
from mmiocost.equations.paths import cost, terms
from mmiocost.equations.symbols import cost_symbol, symbol
from mmiocost.vocabulary import event_names

COSTS = st.fixed_dictionaries({name: st.floats(0.1, 5000) for name in event_names()})
GAINS = [(mode, gen) for mode, gen in payoff.designs()]


def total(counts: Mapping[str, Any], theta: Mapping[str, float]) -> float:
    return float(sum(count * theta[name] for name, count in counts.items() if name in theta))


def evaluated(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return kernel(name)({"cold_search_fraction": 0, **values})


class Terms:
    """The abbreviations of the specification's section on break-even, for one scenario and one set of costs."""

    def __init__(self, gen: str, v: dict[str, int], theta: dict[str, float]) -> None:
        self.v, self.theta = v, theta
        n, g = v["slots"], v["mmio_gap"]
        if gen in LINEAR:
            hit, miss = v["ram_slot"], n
        elif gen == "v517":
            hit, miss = 1, 1 + bisection_compares(n, g)
        else:
            tail = int(g < n) if gen == "v56" else 1
            hit, miss = 1, 1 + bisection_compares(n, g) + tail
        t = theta
        self.hit = t["slot_search"] + hit * t["slot_compare"]
        self.miss = t["slot_search"] + miss * t["slot_compare"]
        self.read = t["guest_pte_read"] + self.hit
        self.r = reads(v["guest_levels"], v["leaf_level"])
        self.s = walked(v["shadow_levels"])
        checked = t["generation_check"] if since(gen, "v311") else 0
        self.look = t["rcu_read_section"] + self.s * t["shadow_pte_read"] + checked
        self.exits = t["vm_exit_ept_violation"] - t["vm_exit_ept_misconfig"]
        on_fast_bus = bisection_compares(v["fast_bus_devices"], v["fast_bus_gap"]) if since(gen, "v315") else 0
        self.fast = on_fast_bus * t["fast_bus_compare"]
        self.updates = v["ad_updates"] * (t["guest_pte_update"] + self.hit)
        self.shortcut = t["mmio_cache_check"] + self.r * self.read + self.updates if since(gen, "v414") else 0


def gain_of_hit(mode: str, gen: str, v: dict[str, int], theta: dict[str, float]) -> float:
    """D_hit, written out."""
    k, w, check = Terms(gen, v, theta), v["is_write"], theta["mmio_cache_check"]
    if mode == "ept":
        found = k.exits + 3 * k.miss - 3 * check + (1 - w) * k.r * k.read - k.fast + k.shortcut
    elif mode == "shadow":
        large = int(v["leaf_level"] >= 2)
        found = (3 - w) * k.r * k.read + k.updates + (2 + large) * k.miss - 2 * check
    else:
        found = 3 * k.miss - 3 * check
    return found - (1 - v["mmio_cached"]) * k.look


def loss_of_first(mode: str, gen: str, v: dict[str, int], theta: dict[str, float], stale: bool) -> float:
    """D_first, written out: a first touch, or a stale entry."""
    k, w, x, t = Terms(gen, v, theta), v["is_write"], 0 if stale else v["missing_levels"], theta
    behind = int(v["prefetch_index"] > 0)
    check = t["mmio_cache_check"]
    base = t["mmu_lock_acquire"] + t["mmio_spte_install"] + k.s * t["shadow_pte_read"]
    base += x * (t["shadow_page_alloc"] + t["spte_install"])
    if mode == "ept":
        found = base + 2 * check - k.miss - (1 - w) * k.r * k.read - k.shortcut
        found -= k.miss if since(gen, "v56") else 0
        found += 0 if since(gen, "v517") else v["spte_accessed_bit"] * behind * k.miss
        if since(gen, "v414") and not stale:
            tried = 1 - (v["spte_accessed_bit"] if since(gen, "v517") else v["decode_assist"])
            found += tried * (t["rcu_read_section"] + (k.s - x) * t["shadow_pte_read"])
    elif mode == "shadow":
        indirect = (4 if gen == "v31" else 2) * max(0, x - v["leaf_level"] + 1)
        large = int(v["leaf_level"] >= 2)
        found = base + check - k.miss - (2 - w) * k.r * k.read
        found += k.r * (t["gpte_recheck"] + k.hit) + indirect * k.hit + large * behind * k.miss
    else:
        found = base + check - k.miss + behind * k.miss
    if stale:
        found += check + k.look + (k.fast - k.exits if mode == "ept" else 0)
    return found


def mitigations_off(v: dict[str, int]) -> dict[str, int]:
    """The formulas leave the state of the host and an untypical slot cache out."""
    off = dict.fromkeys(("exit_mitigated", "userspace_mitigated", "emulation_mitigated"), 0)
    return {**v, **off, "slot_cache_warm": 1}


@st.composite
def questions(draw: st.DrawFn) -> tuple[str, str, dict[str, int]]:
    """Mode, generation and scenario of a question about fast MMIO."""
    mode, gen = draw(st.sampled_from(GAINS))
    return mode, gen, mitigations_off(draw(scenarios(f"{gen}.{mode}.mmio_hit")))


def close(found: float, expected: float, theta: dict[str, float]) -> bool:
    return found == pytest.approx(expected, rel=1e-9, abs=1e-6 * max(theta.values()))


@given(asked=questions(), theta=COSTS)
def test_what_a_hit_saves(asked: tuple[str, str, dict[str, int]], theta: dict[str, float]) -> None:
    mode, gen, v = asked
    found = total(evaluated(f"gain_of_hit:{mode}:{gen}", v), theta)
    assert close(found, gain_of_hit(mode, gen, v, theta), theta)


@given(asked=questions(), theta=COSTS)
def test_what_a_refill_costs_more(asked: tuple[str, str, dict[str, int]], theta: dict[str, float]) -> None:
    """From 3.11 on the entry is stale, before it is gone."""
    mode, gen, v = asked
    found = total(evaluated(f"loss_of_refill:{mode}:{gen}", v), theta)
    assert close(found, loss_of_first(mode, gen, v, theta, stale=since(gen, "v311")), theta)


@given(asked=questions(), theta=COSTS)
def test_what_a_first_touch_costs_more(asked: tuple[str, str, dict[str, int]], theta: dict[str, float]) -> None:
    mode, gen, v = asked
    first = total(evaluated(f"{gen}.{mode}.mmio_first", v), theta)
    before = total(evaluated(f"before:{mode}:{gen}", v), theta)
    assert close(first - before, loss_of_first(mode, gen, v, theta, stale=False), theta)


@given(asked=questions(), theta=COSTS, h=st.floats(0, 1), cold=st.floats(0, 1))
def test_the_saving_weighs_hits_against_refills(
    asked: tuple[str, str, dict[str, int]], theta: dict[str, float], h: float, cold: float
) -> None:
    mode, gen, v = asked
    theta = {**theta, "slot_compare_cold": 40.0}
    values = {**v, "hit_fraction": h, "cold_search_fraction": cold}
    gain, loss = (total(evaluated(f"{name}:{mode}:{gen}", values), theta) for name in ("gain_of_hit", "loss_of_refill"))
    assert close(total(evaluated(f"saving:{mode}:{gen}", values), theta), h * gain - (1 - h) * loss, theta)


@given(case=cases("v30.*.mmio"))
def test_the_old_access_with_its_own_search_and_bus_is_that_of_its_kernel(case: tuple[str, dict[str, int]]) -> None:
    """v31 has the linear bus and search of v30, so that nothing is replaced."""
    path, v = case
    mode = path.split(".")[1]
    before = evaluated(f"before:{mode}:v31", v)
    assert {k: c for k, c in before.items() if c} == {k: c for k, c in evaluated(path, v).items() if c}


@given(asked=questions())
def test_what_the_bus_saves_is_no_part_of_fast_mmio(asked: tuple[str, str, dict[str, int]]) -> None:
    mode, gen, v = asked
    for name in ("gain_of_hit", "loss_of_refill"):
        found = evaluated(f"{name}:{mode}:{gen}", v)
        assert not found.get("io_bus_compare") and not found.get("emulate_instruction")
        assert not found.get("userspace_exit") and not found.get("ioeventfd_signal")


@given(
    rate=st.floats(1, 1e6), pages=st.integers(1, 64), spoiling=st.floats(0, 1e4), others=st.floats(0, 1e4),
    gen=st.sampled_from(["v31", "v36", "v311", "v315", "v40", "v414", "v56", "v517"]),
)  # fmt: skip
def test_the_hit_fraction_follows_from_the_rates(
    rate: float, pages: int, spoiling: float, others: float, gen: str
) -> None:
    """h = r/(r + k·λ): before 3.11 only updates that zap spoil entries, from then on all do."""
    rates = {"generation_rate": spoiling, "zapping_rate": others}
    if not since(gen, "v311"):
        rates = {"generation_rate": others, "zapping_rate": spoiling}
    found = kernel(f"hit_fraction:{gen}")({"mmio_rate": rate, "mmio_pages": pages, **rates})["value"]
    assert found == pytest.approx(rate / (rate + pages * spoiling))
    assert 0 <= found <= 1


@given(gain=st.floats(0.1, 1e5), loss=st.floats(0.1, 1e5), sign=st.sampled_from([1, -1]))
def test_the_break_even_hit_fraction_put_back_gives_equal_costs(gain: float, loss: float, sign: int) -> None:
    h = kernel("break_even_hit_fraction")({"D_hit": sign * gain, "D_first": sign * loss})["value"]
    assert 0 <= h <= 1
    assert h * gain - (1 - h) * loss == pytest.approx(0, abs=1e-9 * max(gain, loss))


@given(gain=st.floats(0.1, 1e5), loss=st.floats(0.1, 1e5), rate=st.floats(1, 1e6), pages=st.integers(1, 64))
def test_the_break_even_update_rate_put_back_gives_equal_costs(
    gain: float, loss: float, rate: float, pages: int
) -> None:
    values = {"D_hit": gain, "D_first": loss, "mmio_rate": rate, "mmio_pages": pages}
    updates = kernel("break_even_update_rate")(values)["value"]
    spoiled = {"mmio_rate": rate, "mmio_pages": pages, "generation_rate": updates, "zapping_rate": 0}
    h = kernel("hit_fraction:v311")(spoiled)["value"]
    assert h * gain == pytest.approx((1 - h) * loss)


@given(cycles=st.floats(1e4, 1e8), accesses=st.floats(0, 50), saving=st.floats(-150, 150))
def test_the_speedup_is_the_ratio_of_the_transactions_times(cycles: float, accesses: float, saving: float) -> None:
    values = {"cycles_per_transaction": cycles, "accesses_per_transaction": accesses, "saving": saving}
    assert kernel("speedup")(values)["value"] == pytest.approx(cycles / (cycles - accesses * saving))


# --- bypass_guest_pf -------------------------------------------------------------------------------------------

RATES = {
    "fault_rate": st.floats(1, 1e6), "true_fault_fraction": st.floats(0, 1), "notrap_fraction": st.floats(0, 1),
    "fill_rate": st.floats(0, 1e5), "unsync_rate": st.floats(0, 1e5), "mmio_rate": st.floats(1, 1e6),
    "hit_fraction": st.floats(0, 1), "mmio_faults_on": st.sampled_from([0, 1]),
}  # fmt: skip


def parts(v: dict[str, int], t: dict[str, float]) -> tuple[float, float, float]:
    """Fault, check and fill of the specification, with MMIO entries on (x = 0 where a fault finds all pages)."""
    hit = t["slot_search"] + v["ram_slot"] * t["slot_compare"]
    fault = t["vm_exit_page_fault"] + t["guest_fault_inject"] - t["guest_fault_native"]
    fault += reads(v["guest_levels"], v["fault_level"]) * (t["guest_pte_read"] + hit)
    check = t["mmio_cache_check"] + t["rcu_read_section"] + walked(v["shadow_levels"]) * t["shadow_pte_read"]
    chunks = 8 if v["guest_levels"] == 2 else 16
    fill = 512 * t["prefetch_pte_scan"] + chunks * (t["prefetch_chunk_read"] + hit)
    return fault, check, fill


@st.composite
def shadow_scenarios(draw: st.DrawFn) -> dict[str, int]:
    v = mitigations_off(draw(scenarios("v30.shadow.guest_fault")))
    return {**v, "missing_levels": 0, "mmio_cached": 1}


@given(v=shadow_scenarios(), theta=COSTS, rates=st.fixed_dictionaries(RATES))
def test_the_regression_is_what_is_paid_less_what_is_saved(
    v: dict[str, int], theta: dict[str, float], rates: dict[str, float]
) -> None:
    fault, check, fill = parts(v, theta)
    r, bypassed = rates["fault_rate"], rates["true_fault_fraction"] * rates["notrap_fraction"]
    paid = rates["fill_rate"] * fill + rates["unsync_rate"] * 512 * theta["prefetch_pte_scan"]
    if rates["mmio_faults_on"]:
        third = r * (1 - bypassed) * check
    else:
        h = rates["hit_fraction"]
        lost = h * gain_of_hit("shadow", "v31", v, theta) - (1 - h) * loss_of_first(
            "shadow", "v31", v, theta, stale=False
        )
        third = rates["mmio_rate"] * lost
    found = total(evaluated("regression", {**v, **rates}), theta)
    assert found == pytest.approx(paid + third - r * bypassed * fault, rel=1e-9, abs=1e-3)


@given(v=shadow_scenarios(), theta=COSTS, rates=st.fixed_dictionaries(RATES))
def test_at_the_break_even_share_of_true_faults_nothing_is_lost_or_won(
    v: dict[str, int], theta: dict[str, float], rates: dict[str, float]
) -> None:
    """p* = (paid + r·check)/(r·ν·(fault + check)) with MMIO entries on."""
    assume(rates["notrap_fraction"] > 1e-3)
    fault, check, fill = parts(v, theta)
    r = rates["fault_rate"]
    paid = rates["fill_rate"] * fill + rates["unsync_rate"] * 512 * theta["prefetch_pte_scan"]
    share = (paid + r * check) / (r * rates["notrap_fraction"] * (fault + check))
    values = {**v, **rates, "mmio_faults_on": 1, "true_fault_fraction": share}
    assert total(evaluated("regression", values), theta) == pytest.approx(0, abs=1e-8 * (paid + r * (fault + check)))


@pytest.mark.parametrize(("levels", "chunks"), [(2, 8), (3, 16), (4, 16)])
def test_a_filled_page_is_read_whole(levels: int, chunks: int) -> None:
    """512 entries; 256 bytes at a time are 64 entries of 32 bit or 32 of 64 bit."""
    found = evaluated(
        "fill_paid", {"ram_slot": 2, "guest_levels": levels, "guest_pte_bits": 32 if levels == 2 else 64, "slots": 8}
    )
    expected = {
        "prefetch_pte_scan": 512,
        "prefetch_chunk_read": chunks,
        "slot_search": chunks,
        "slot_compare": 2 * chunks,
    }
    assert {name: count for name, count in found.items() if count} == expected
    assert evaluated("unsync_paid", {}) == {"prefetch_pte_scan": 512}


# --- shares ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "v30.ept.mmio",
        "v31.ept.mmio_hit",
        "v311.shadow.mmio_stale",
        "v517.ept.mmio_first",
        "v40.any.pio_read",
        "unified.ept.access",
    ],
)
@given(data=st.data(), theta=COSTS)
@settings(max_examples=8)
def test_the_share_of_an_event_is_the_derivative_of_the_log_cost(
    path: str, data: st.DataObject, theta: dict[str, float]
) -> None:
    """∂ log cost / ∂ log θ_i = N_i·θ_i / Σ N·θ."""
    scenario = data.draw(scenarios(path))
    counts = {name: sp.sympify(c).subs({symbol(k): v for k, v in scenario.items()}) for name, c in terms(path).items()}
    counts = {name: count.subs(symbol("cold_search_fraction"), 0) for name, count in counts.items()}
    whole = cost(counts)
    values = {cost_symbol(name): sp.Float(theta.get(name, 1)) for name in counts}
    for name, count in counts.items():
        derived = (sp.diff(sp.log(whole), cost_symbol(name)) * cost_symbol(name)).subs(values)
        share = count * theta.get(name, 1) / whole.subs(values)
        assert float(derived) == pytest.approx(float(share), rel=1e-9, abs=1e-12)


def test_a_difference_that_is_not_linear_has_no_root_in_closed_form() -> None:
    n = symbol("slots")
    assert payoff.linear_root(3 * n - 12, n) == 4
    for weighted in (n**2 - 4, sp.Integer(3), sp.log(1 + n)):
        with pytest.raises(ValueError, match="not linear"):
            payoff.linear_root(weighted, n)
