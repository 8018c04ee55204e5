"""``mmiocost hazards``: JSON, the person's table and schedules, wrong use."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from mmiocost import __version__
from mmiocost.mechanism.hazards import explore

Run = Callable[..., Any]


def test_the_json_lists_every_machine_and_variant(cli_here: Run) -> None:
    ran = cli_here("hazards", "--json")
    assert (ran.status, ran.err) == (0, "")
    listed = ran.json()
    assert {tuple(item) for item in listed} == {
        ("machine", "variant", "verdict", "states", "schedule", "version", "evidence")
    }
    assert [(item["machine"], item["variant"], item["verdict"], item["states"]) for item in listed] == [
        (hazard.machine, hazard.variant, hazard.verdict, hazard.states) for hazard in explore()
    ]
    assert {item["version"] for item in listed} == {__version__}
    assert all(re.fullmatch(r"[0-9a-f]{16,}", item["evidence"]) for item in listed)


def test_the_json_of_one_machine_has_its_schedules(cli_here: Run) -> None:
    listed = cli_here("hazards", "freed_page", "--json").json()
    assert {item["machine"] for item in listed} == {"freed_page"}
    schedules = {item["variant"]: item["schedule"] for item in listed}
    assert schedules["grace"] == []
    assert schedules["none"] == [
        "walker: reads the link (P)",
        "unlinker: clears the link",
        "unlinker: frees P",
        "walker: reads P's entry (freed)",
    ]


def test_a_person_gets_a_table_and_is_told_how_to_see_more(cli_here: Run) -> None:
    ran = cli_here("hazards")
    assert (ran.status, ran.err) == (0, "")
    table, _, hint = ran.out.partition("\n\n")
    rows = [line.split() for line in table.splitlines()]
    assert rows[0][:4] == ["machine", "variant", "verdict", "states"]
    assert len(rows) == 1 + len(explore())
    assert ["freed_page", "none", "violated", "12", "4"] in rows
    assert ["torn_read", "native", "safe", "9", "none"] in rows
    assert "mmiocost hazards NAME" in hint


def test_a_named_machine_is_shown_with_numbered_schedules(cli_here: Run) -> None:
    ran = cli_here("hazards", "unlinked_page")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.endswith(
        """
unlink_only: P is unlinked and left as it is
  no schedule reaches a bad state

recycled_in_place: P is used for another table at once
   1  walker: reads the link (P)
   2  updater: links Q in place of P
   3  updater: writes 3 into P
   4  walker: reads that page's entry (3)
"""
    )


def test_an_unknown_machine_is_wrong_usage(cli_here: Run) -> None:
    ran = cli_here("hazards", "torn_reed")
    assert (ran.status, ran.out) == (2, "")
    assert "did you mean 'torn_read'?" in ran.err
    refused = cli_here("hazards", "torn_reed", "--json")
    assert refused.status == 2
    assert [problem["nearest"] for problem in refused.json()["errors"]] == ["torn_read"]
