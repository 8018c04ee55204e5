"""A small site for the tests of reporting and the browser: charts, a table, a formula, hostile text, a failure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from samples import HOSTILE, code, prose, shown, write_notebook

from mmiocost.execution import CellError, NotebookRun
from mmiocost.reporting.context import Machine, SiteContext, Source
from mmiocost.reporting.single_file import write_single_file
from mmiocost.reporting.site import build_site
from mmiocost.whatif.answers import Answer, AnswerRow

ANSWER = Answer(
    key="fast-mmio",
    question="Where does fast MMIO pay off?",
    sentence=f"It pays from 32 slots on. {HOSTILE}",
    rows=(
        AnswerRow("EPT store, 32 slots", 588.0, 408.0, 813.0, "cycle"),
        AnswerRow("difference of the exits", None, None, 111.0, "cycle", "bounded above"),
    ),
    interval="new_machine",
    widest="The share of cold searches.",
    prior_bounded=("vm_exit_ept_misconfig",),
    sources=("mail-1", "unlisted"),
    notebook="payoff",
)


def context(folder: Path, **changed: Any) -> SiteContext:
    """What a site says about itself, with one document in ``folder``."""
    document = folder / "mechanism.md"
    document.write_text(
        f"# Mechanism\n\n<!-- made -->\nSee [payoff](../notebooks/payoff.ipynb), [file](data/x.csv) and {HOSTILE}\n\n"
        "![far](https://e.org/x.png)\n\n## Paths\n\n| path | n |\n|---|---|\n| `v30.ept.mmio_store` | 3 |\n"
    )
    own = {
        "version": "0.1.0",
        "evidence_hash": "ab" * 32,
        "generated": "2026-01-02",
        "sources": (
            Source("mail-1", HOSTILE, "A. Author", "2011-06-07", "https://lore.kernel.org/kvm/1"),
            Source("mail-2", "No link", url="javascript:alert(1)"),
        ),
        "machines": (Machine("skylake-8160", "Xeon Platinum", ("a", "b"), 30),),
        "documents": (document,),
    }
    return SiteContext(**{**own, **changed})


def bundles() -> list[dict[str, Any]]:
    """Outputs of a notebook: figures, a table, a formula, and what a stranger might put there."""
    import pandas as pd
    import sympy

    from mmiocost.reporting import charts
    from mmiocost.reporting.display import MEDIA_TYPE, figure, formula, table

    saving = pd.DataFrame(
        {
            "slots": [8, 32, 117] * 2,
            "case": ["EPT store"] * 3 + [HOSTILE] * 3,
            "value": [168.0, 588.0, 2079.0, 501.0, 948.0, 2540.0],
            "low": [-81.0, 408.0, 1495.0, 196.0, 543.0, 1675.0],
            "high": [246.0, 813.0, 2877.0, 2326.0, 2772.0, 4450.0],
        }
    )
    fitted = pd.DataFrame(
        {
            "label": ["a", "b"],
            "group": ["one", "two"],
            "measured": [1000.0, 20000.0],
            "fitted": [1100.0, 19000.0],
            "low": [800.0, 15000.0],
            "high": [1500.0, 24000.0],
            "ratio": [0.91, 1.05],
        }
    )
    displays = [
        figure(charts.saving_vs_slots(saving), title=f"Saving {HOSTILE}", see=f"The saving grows. {HOSTILE}"),
        figure(charts.measured_against_fitted(fitted, unit="cycles"), title="Both compared", see="Both agree."),
        table(saving, "Saving per access"),
        formula(sympy.Eq(sympy.Symbol("saving"), 3 * sympy.Symbol("slots") / 2)),
    ]
    strange: list[dict[str, Any]] = [
        {"text/html": f"<style>p{{}}</style><table class=x><tr><td onclick=y>cell</td></tr></table>{HOSTILE}"},
        {
            MEDIA_TYPE: {"kind": "formula", "mathml": f"<math>{HOSTILE}</math>", "plain": "x"},
            "text/plain": "no formula",
        },
        {MEDIA_TYPE: {"kind": "figure"}, "text/plain": HOSTILE},
        {"application/javascript": "alert(1)", "text/plain": "script output"},
        {"image/png": "iVBORw0KGgo=", "text/plain": "picture"},
    ]
    return [shown(display._repr_mimebundle_()) for display in displays] + [shown(data) for data in strange]


def runs(folder: Path) -> list[NotebookRun]:
    """Two executed notebooks, the second of them failed, without running any."""
    stream = {"output_type": "stream", "name": "stdout", "text": f"\x1b[31mprinted\x1b[0m {HOSTILE}"}
    payoff = write_notebook(
        folder / "payoff.ipynb",
        prose(f"# Where it pays\n\nText with {HOSTILE} and [the other](broken.ipynb#cell-1)."),
        code("slots = 8", parameters=True, outputs=[stream]),
        code(f"x = '{HOSTILE}'", outputs=bundles()),
    )
    broken = write_notebook(folder / "broken.ipynb", code("1"), code("1 / 0"), code("2"))
    error = CellError(2, "1 / 0", "ZeroDivisionError", HOSTILE, "Traceback\nZeroDivisionError")
    return [NotebookRun("payoff", "executed", 1.5, payoff), NotebookRun("broken", "failed", 0.5, broken, error)]


def with_single_file(folder: Path) -> Path:
    """The site written under a folder, with all of it in one file beside its pages."""
    out = build_site(runs(folder / "runs"), folder / "out", answers=[ANSWER], context=context(folder)).parent
    write_single_file(out)
    return out
