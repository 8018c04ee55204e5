"""``scenario``, and ``--scenario`` with names of the library; ``predict`` with many cases."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from documents import ABOUT, document

from mmiocost.whatif.library import names
from mmiocost.whatif.predict import predict
from mmiocost.whatif.scenario import Scenario, read_scenario

Run = Callable[..., Any]


def test_the_library_is_listed(cli_here: Run) -> None:
    listed = document(cli_here("scenario", "--json"))
    assert [item["name"] for item in listed] == list(names())
    for item in listed:
        assert set(item) == ABOUT | {
            "name", "about", "machine", "mode", "compare", "set", "questions", "notes",
        }  # fmt: skip
    ran = cli_here("scenario")
    assert ran.status == 0 and [line.split()[0] for line in ran.out.splitlines()] == list(names())


def test_one_scenario_is_shown_with_its_sources_and_the_commands_to_ask_it(cli_here: Run) -> None:
    found = document(cli_here("scenario", "slot-churn", "--json"))
    assert found["set"]["generation_rate"]["value"] == 50 and found["set"]["generation_rate"]["unit"] == "1/s"
    assert found["set"]["address_spaces"]["source"].startswith("kernel: ")
    assert found["compare"] == {"before": "v30", "after": "v517"}
    ran = cli_here("scenario", "slot-churn")
    assert ran.status == 0 and ran.out.isascii()
    assert "generation_rate  50/s" in ran.out and "row szmigiero2021_v5-010" in ran.out
    commands = [line.split()[1:] for line in ran.out.splitlines() if line.startswith("  mmiocost predict")]
    assert len(commands) == 3 and all(cli_here(*command).status == 0 for command in commands)


def test_a_file_of_the_user_is_shown_too(cli_here: Run, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[set]\nslots = 4\n")
    ran = cli_here("scenario", file)
    assert ran.status == 0 and "slots  4  no source is given" in ran.out


def test_wrong_names_are_a_line_and_status_2(cli_here: Run) -> None:
    for command in (("scenario", "slots-churn"), ("predict", "saving:fast_mmio", "--scenario", "slots-churn")):
        ran = cli_here(*command)
        assert (ran.status, ran.out) == (2, "") and len(ran.err.splitlines()) == 1
        assert all(name in ran.err for name in names()) and "did you mean 'slot-churn'?" in ran.err


def test_a_name_of_the_library_goes_wherever_a_file_goes(cli_here: Run) -> None:
    found = document(cli_here("predict", "saving:fast_mmio", "--scenario", "netperf-2011", "--json"))
    assert found["value"] == predict("saving:fast_mmio", read_scenario(file="netperf-2011")).value
    other = document(
        cli_here("predict", "saving:fast_mmio", "--scenario", "netperf-2011", "--set", "slots=64", "--json")
    )
    assert other["value"] > found["value"]
    counted = document(cli_here("count", "v30.slot.miss", "--scenario", "netperf-2011", "--json"))
    assert counted["events"]["slot_compare"] == 32


def test_the_first_line_says_what_the_answer_means(cli_here: Run) -> None:
    ran = cli_here("predict", "saving:fast_mmio", "--scenario", "passthrough-slots")
    first, second = ran.out.splitlines()[:2]
    assert first.startswith("The sign is ") and first.endswith("and it extrapolates in slots.")
    assert second.startswith("saving:fast_mmio: ")


def test_json_gives_the_share_of_each_assumed_cost(cli_here: Run) -> None:
    found = document(cli_here("predict", "saving:fast_mmio", "--set", "slots=32", "--json"))
    assert isinstance(found["prior_bounded"], list)
    assert set(found["prior_bounded_shares"]) == set(found["prior_bounded"])
    assert all(0 <= share <= found["assumed_share"] for share in found["prior_bounded_shares"].values())


def test_cases_keep_their_order_take_scenarios_and_say_what_is_wrong(cli_here: Run, tmp_path: Path) -> None:
    cases = tmp_path / "cases.json"
    cases.write_text(
        json.dumps(
            [
                {"quantity": "saving:fast_mmio", "set": {"slots": 32}},
                {"quantity": "saving:fast_mmio", "scenario": "netperf-2011"},
                {
                    "quantity": "saving:fast_mmio",
                    "scenario": {"mode": "shadow", "set": {"slots": 8}},
                    "set": {"slots": 9},
                },
                {"quantity": "cost:v517.any.hypercall", "machine": "skylake-8160"},
                {"quantity": "saving:fast_mmio", "sets": {"slots": 32}},
                {"quantity": "saving:fast_mmio", "scenario": {"mode": "shadwo"}},
                {"quantity": "saving:fast_mmio", "scenario": 3},
                {"quantity": "saving:fast_mmio", "set": {"slots": "32/s"}},
                {"quantity": 3},
                {},
            ]
        )
    )
    found = document(cli_here("predict", "--cases", cases, "--json"))
    assert found[0]["value"] == predict("saving:fast_mmio", Scenario(counts={"slots": 32})).value
    assert found[1]["value"] == predict("saving:fast_mmio", read_scenario(file="netperf-2011")).value
    assert found[2]["value"] == predict("saving:fast_mmio", Scenario(mode="shadow", counts={"slots": 9})).value
    assert found[3]["machine"] == "skylake-8160" and found[3]["interval"] == "known_machine"
    reasons = [item["error"] for item in found[4:]]
    assert "sets: unknown field; did you mean 'set'?" in reasons[0]
    assert "scenario: mode=shadwo" in reasons[1] and "must be a plain number" in reasons[3]
    assert all("must be {" in reason for reason in (reasons[2], *reasons[4:]))
