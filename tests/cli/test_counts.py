"""``count`` from the reference machine, from the equations, and step by step."""

import json

import pytest

ASKED = ("v31.ept.mmio_first", "--set", "slots=6", "--set", "ram_slot=2", "--set", "missing_levels=2")


def test_both_sides_print_the_same(cli_here):
    """The machine executes what the equations state."""
    by_equations, by_machine = cli_here("count", *ASKED), cli_here("count", *ASKED, "--simulate")
    assert by_equations.status == by_machine.status == 0
    assert by_equations.out == by_machine.out
    assert "slot_compare" in by_machine.out


def test_cases_agree_and_bad_ones_are_refused_alike(cli_here, tmp_path):
    """One document a case, in order; a bad case has an error that names the symbol, on either side."""
    cases = [
        {"path": "v517.ept.mmio_stale", "scenario": {"slots": 509, "slot_cache_warm": 0}},
        {"path": "unified.ept.access", "scenario": {"retries": 2}},
        {"path": "v30.ept.mmio", "scenario": {"guest_levels": 5}},
        {"path": "no.such.path"},
    ]
    file = tmp_path / "cases.json"
    file.write_text(json.dumps(cases))
    documents = [cli_here("count", "--cases", file, *more).json() for more in ((), ("--simulate",))]
    assert documents[0] == documents[1]
    assert ["error" in item for item in documents[0]] == [False, False, True, True]
    assert "guest_levels" in documents[0][2]["error"]


def test_the_steps_add_up_to_the_count(cli_here):
    """``--explain`` leaves no event out, and names a kernel function for each."""
    counted = cli_here("count", *ASKED, "--json").json()["events"]
    steps = cli_here("count", *ASKED, "--explain", "--json").json()["steps"]
    total: dict[str, int] = {}
    for step in steps:
        total[step["event"]] = total.get(step["event"], 0) + step["count"]
    assert total == counted
    assert all(step["function"] for step in steps)
    assert "walk_addr_generic" in cli_here("count", *ASKED, "--explain").out


@pytest.mark.parametrize("more", [("--simulate",), ("--explain",), ()])
def test_a_value_that_the_path_excludes_is_refused(cli_here, more):
    """The error names the symbol, what is allowed and what that depends on."""
    ran = cli_here("count", "v31.ept.mmio_hit", "--set", "is_write=0", "--set", "is_ioeventfd=1", *more)
    assert ran.status == 2
    assert ran.err.strip() == "--set: is_ioeventfd=1: must be 0 on v31.ept.mmio_hit with is_write=0"


def test_explain_is_for_one_path(cli_here, tmp_path):
    """Many cases have counts, not steps."""
    file = tmp_path / "cases.json"
    file.write_text("[]")
    ran = cli_here("count", "--cases", file, "--explain")
    assert ran.status == 2
    assert "--explain" in ran.err
