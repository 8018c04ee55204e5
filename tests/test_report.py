"""The main job from end to end: one command, the pages, the answers; and once more without work."""

import json
import re

import pytest

FAILING = {
    "cells": [
        {"cell_type": "code", "id": "a", "metadata": {"tags": ["parameters"]}, "source": "evidence = []"},
        {"cell_type": "code", "id": "b", "metadata": {}, "source": "1 / 0  # on purpose"},
    ],
    "metadata": {"kernelspec": {"name": "mmiocost", "display_name": "mmiocost", "language": "python"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}
for _cell in FAILING["cells"]:
    _cell.update(execution_count=None, outputs=[])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return tmp_path_factory.mktemp("site")


def test_a_report_runs_every_notebook_and_gives_both_answers(cli, site):
    """Every packaged notebook runs through, and the index answers first."""
    ran = cli("report", "--out", site, "--json")
    assert ran.status == 0, ran.err
    document = ran.json()
    assert len(document["notebooks"]) >= 7
    assert {item["status"] for item in document["notebooks"]} == {"executed"}
    assert all("running" in ran.err or item["name"] in ran.err for item in document["notebooks"])
    index = (site / "index.html").read_text(encoding="utf-8")
    assert index.index("Where does fast MMIO pay off?") < index.index("Where does bypass_guest_pf regress?")
    loads = re.findall(r'(?:src|href)="(https?:[^"]*)"', re.sub(r"<a [^>]*>", "", index))
    assert loads == []


def test_a_second_report_executes_nothing_and_says_so(cli, site):
    """Nothing has changed since the first report."""
    ran = cli("report", "--out", site)
    assert ran.status == 0, ran.err
    assert ran.err.count("unchanged, not executed") >= 7
    assert "Where does fast MMIO pay off?" in ran.out
    assert str(site / "index.html") in ran.out


def test_a_report_is_compared_with_another_and_mailed_as_one_file(cli, site, tmp_path):
    """The same evidence and code: nothing moved, and nothing that differs is made up."""
    ran = cli("report", "guest-walk", "--out", tmp_path, "--compare", site, "--single-file", "--json")
    assert ran.status == 0, ran.err
    document = ran.json()
    assert document["comparison"]["moved"] == []
    assert document["comparison"]["numbers"] > 8
    assert document["comparison"]["reasons"] == ["Version, code and evidence are the same."]
    mailed = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert document["single_file"] == str(tmp_path / "report.html")
    assert 'id="notebook-03-guest-walk"' in mailed
    assert 'id="comparison"' in mailed
    assert not re.findall(r'<(?:script|link|img)[^>]* (?:src|href)="(?!data:)', mailed)


def test_a_failing_notebook_is_shown_and_the_others_are_made(cli, tmp_path):
    """Its cell stands in the page and on the terminal, the exit status is 1."""
    failing = tmp_path / "failing.ipynb"
    failing.write_text(json.dumps(FAILING), encoding="utf-8")
    ran = cli("report", failing, "guest-walk", "--out", tmp_path / "site")
    assert ran.status == 1
    assert "ZeroDivisionError" in ran.err
    assert "1 / 0  # on purpose" in ran.err
    assert "ZeroDivisionError" in (tmp_path / "site" / "notebook-failing.html").read_text(encoding="utf-8")
    assert (tmp_path / "site" / "notebook-03-guest-walk.html").is_file()
