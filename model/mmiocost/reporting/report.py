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
from ..evidence import Evidence, evidence_hash, load
from ..execution import NotebookRun, run_notebooks
from ..fitting.store import current_fit
from ..fitting.validation_result import result_file
from ..whatif.answers import Answer, AnswerRow
from .answers import answers
from .context import Machine, SiteContext, Source
from .site import build_site, page_of


@dataclass(frozen=True)
class Report:
    """A finished report: the page that opens first, the runs behind it, the answers that it gives."""

    index: Path
    runs: tuple[NotebookRun, ...]
    answers: tuple[Answer, ...]

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
    on_progress: Callable[[str], None] = lambda line: None,
    on_notebook: Callable[[NotebookRun], None] = lambda run: None,
) -> Report:
    """Fit the evidence, execute the notebooks, write the site into ``out`` (default ``reports/latest``).

    A notebook whose inputs are unchanged is not executed; a failing one does not keep the others from being
    made. Raises InvalidInput for unknown notebooks and damaged evidence.
    """
    chosen = chosen_notebooks(notebooks)
    folder = out or default_out()
    on_progress("fitting the evidence")
    current_fit(evidence)
    found = _answers(evidence)
    on_progress(f"running {len(chosen)} notebooks")
    runs = run_notebooks(
        chosen,
        folder / "notebooks",
        parameters={"evidence": [str(path.resolve()) for path in evidence]} if evidence else {},
        inputs_hash=content_hash(_code_hash(), evidence_hash(evidence), result_file().read_bytes()),
        jobs=jobs,
        on_progress=on_notebook,
    )
    on_progress("writing the pages")
    index = build_site(runs, folder, answers=found, context=_context(load(evidence)))
    return Report(index, tuple(runs), found)


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
        return tuple(_answer(item) for item in document)
    except (OSError, ValueError, KeyError, TypeError):
        found = answers(evidence)
        write_atomically(place, json.dumps([asdict(item) for item in found]))
        return found


def _answer(document: dict[str, object]) -> Answer:
    rows = tuple(AnswerRow(**row) for row in document.pop("rows"))  # type: ignore[attr-defined]
    texts = {name: tuple(value) if isinstance(value, list) else value for name, value in document.items()}
    return Answer(rows=rows, **texts)  # type: ignore[arg-type]


def _context(evidence: Evidence) -> SiteContext:
    sources = tuple(
        Source(item.id, item.title, item.author, item.date, item.path) for item in evidence.sources.values()
    )
    documents = tuple(resources.root() / "model" / name for name in ("mechanism.md", "statistics.md"))
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    return SiteContext(__version__, evidence.hash, date, sources, _machines(evidence), documents)


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
    return tuple(Machine(name, described[name], tuple(states), count[name]) for name, states in fitted.items())
