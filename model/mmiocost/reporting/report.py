"""The whole report: fit, answers, notebooks, site."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from .. import __version__, resources
from ..cache import cache_dir, content_hash, files_hash, write_atomically
from ..errors import InvalidInput, nearest_name
from ..evidence import Evidence, Folders, evidence_hash, load
from ..execution import NotebookRun, run_notebooks
from ..fitting.store import current_fit
from ..fitting.validation_result import result_file
from ..whatif.answers import Answer
from .answers import answers
from .comparison import Comparison, compare, comparison_html
from .conflicts import said_first
from .context import Machine, SiteContext, Source
from .imports import imports_hash, machine_label, own_machines, remarks, with_provenance
from .kept_answers import KeptAnswers, answer_from, kept_sources, read_answers, write_answers
from .made_page import MadePage
from .reference import Reference
from .reference_pages import reference_pages
from .single_file import write_single_file
from .site import build_site, page_of


@dataclass(frozen=True)
class Report:
    """A finished report: the page that opens first, the runs behind it, the answers that it gives.

    ``single`` is the whole as one file and ``comparison`` what moved against another report, where asked for.
    """

    index: Path
    runs: tuple[NotebookRun, ...]
    answers: tuple[Answer, ...]
    single: Path | None = None
    comparison: Comparison | None = None

    def page(self, run: NotebookRun) -> Path:
        """The page of a notebook."""
        return self.index.parent / page_of(run)

    @property
    def failed(self) -> tuple[NotebookRun, ...]:
        """Notebooks that did not run through."""
        return tuple(run for run in self.runs if run.status == "failed")


def default_out() -> Path:
    """``reports/latest`` of the checkout, or of the current folder for an installed package."""
    checkout = resources.checkout()
    return (checkout if checkout else Path.cwd()) / "reports" / "latest"


def packaged_notebooks() -> tuple[Path, ...]:
    """The notebooks that travel with the package, in reading order."""
    return tuple(sorted(resources.notebooks_dir().glob("*.ipynb")))


def chosen_notebooks(names: Sequence[str]) -> tuple[Path, ...]:
    """Packaged notebooks by name, or files by path; all packaged ones without names. Raises InvalidInput."""
    known = {path.stem.split("-", 1)[1]: path for path in packaged_notebooks()}
    known |= {path.stem: path for path in packaged_notebooks()}
    found, wrong = [], []
    for name in names:
        path = known.get(name, Path(name))
        if path.suffix == ".ipynb" and path.is_file():
            found.append(path)
        else:
            wrong.append(InvalidInput.one("", "notebook", name, "no such notebook", nearest_name(name, known)))
    if wrong:
        raise InvalidInput([problem for error in wrong for problem in error.problems])
    return tuple(found) or packaged_notebooks()


def report(
    notebooks: Sequence[str] = (),
    out: Path | None = None,
    *,
    jobs: int | None = None,
    evidence: Sequence[Path] = (),
    reference: Reference | None = None,
    single_file: bool = False,
    compare_with: Path | None = None,
    on_progress: Callable[[str], None] = lambda line: None,
    on_notebook: Callable[[NotebookRun], None] = lambda run: None,
) -> Report:
    """Fit the evidence, execute the notebooks, write the site into ``out`` (default ``reports/latest``).

    A notebook whose inputs are unchanged is not executed; a failing one does not keep the others from being
    made. ``reference`` is what the pages of reference describe; without it there are none, since the command line
    and the public names stand above this package. ``single_file`` writes the whole site into ``report.html`` too, and
    ``compare_with``, the folder of another report or of this one as it was, adds a page that says which answers
    moved. Raises InvalidInput for unknown notebooks, damaged evidence and a folder that holds no report.
    """
    chosen = chosen_notebooks(notebooks)
    before = read_answers(compare_with) if compare_with else None
    folder = out or default_out()
    on_progress("fitting the evidence")
    current_fit(evidence)
    found = _answers(evidence)
    on_progress(f"running {len(chosen)} notebooks")
    inputs = report_inputs(evidence)
    runs = run_notebooks(
        chosen,
        folder / "notebooks",
        parameters={"evidence": Folders.of(evidence).plain()} if evidence else {},
        inputs=inputs,
        jobs=jobs,
        on_progress=on_notebook,
    )
    on_progress("writing the pages")
    context = _context(evidence)
    now = KeptAnswers(
        __version__, context.evidence_hash, _code_hash(), context.generated, found, kept_sources(load(evidence))
    )
    comparison = compare(before, now) if before else None
    made = [*reference_pages(evidence, reference, content_hash(*inputs.values())), *_comparison_page(comparison)]
    index = build_site(runs, folder, answers=found, context=context, made=made)
    write_answers(now, folder)
    return Report(index, tuple(runs), found, write_single_file(folder) if single_file else None, comparison)


def _comparison_page(found: Comparison | None) -> tuple[MadePage, ...]:
    if found is None:
        return ()
    return (MadePage("comparison.html", "What moved", repr(found), lambda: comparison_html(found)),)


def report_inputs(evidence: Sequence[Path]) -> dict[str, str]:
    """Hashes of what the notebooks read besides themselves and their parameters."""
    validation = content_hash(result_file().read_bytes())
    own = {"imported files": imports_hash(evidence)} if evidence else {}
    return {"model code": _code_hash(), "evidence": evidence_hash(evidence), "validation result": validation, **own}


def _code_hash() -> str:
    package = Path(__file__).parent.parent
    return content_hash(
        *(files_hash(folder.glob("*.py")) for folder in sorted({p.parent for p in package.rglob("*.py")}))
    )


def _answers(evidence: Sequence[Path]) -> tuple[Answer, ...]:
    """The answers, kept by content, since a report that changes nothing should cost nothing."""
    place = cache_dir() / f"answers-{content_hash(_code_hash(), evidence_hash(evidence))[:24]}.json"
    try:
        document = json.loads(place.read_bytes())
        return tuple(answer_from(item) for item in document)
    except (OSError, ValueError, KeyError, TypeError):
        found = answers(evidence)
        write_atomically(place, json.dumps([asdict(item) for item in found]))
        return found


def _context(extra: Sequence[Path]) -> SiteContext:
    evidence = load(extra)
    sources = tuple(
        Source(item.id, item.title, item.author, item.date, item.path) for item in evidence.sources.values()
    )
    documents = tuple(resources.root() / "model" / name for name in ("mechanism.md", "statistics.md"))
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    said = (*said_first(extra), *remarks(extra))
    told = with_provenance(sources, extra)
    return SiteContext(__version__, evidence.hash, date, told, _machines(evidence), documents, said)


def _machines(evidence: Evidence) -> tuple[Machine, ...]:
    fitted: dict[str, list[str]] = {}
    described: dict[str, str] = {}
    count: dict[str, int] = {}
    for row in evidence.observations:
        if row.use == "fit":
            states = fitted.setdefault(row.machine, [])
            if row.state not in states:
                states.append(row.state)
            described.setdefault(row.machine, row.cpu or "CPU not named")
            count[row.machine] = count.get(row.machine, 0) + 1
    own = own_machines(evidence)
    yours_first = sorted(fitted, key=lambda name: name not in own)
    return tuple(
        Machine(machine_label(name, own), described[name], tuple(fitted[name]), count[name]) for name in yours_first
    )
