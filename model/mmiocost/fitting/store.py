"""Fits kept by content: the same evidence, equations and method give the same file, found again by its name.

Reading one loads NumPy and nothing heavier, so that a prediction costs little more than NumPy's import.
"""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..cache import cache_dir, content_hash, files_hash, write_atomically
from ..evidence import Prior, evidence_hash, load
from .fit import Fit, fit_evidence
from .summary import Estimate, RowFit, estimates, row_fits, validation

FORMAT = 1
_ROOMS = ("vocabulary", "evidence", "equations", "fitting")


@dataclass(frozen=True)
class Summary:
    """What a reader wants of a fit: parameters, rows, the quality of the fit, hyperparameters found."""

    parameters: tuple[Estimate, ...]
    rows: tuple[RowFit, ...]
    validation: dict[str, float | int]
    scatter: dict[str, float]


def current_fit(extra: Sequence[Path] = ()) -> Fit:
    """The fit of the packaged evidence and the user's folders; made if it is not there yet.

    With the mark ``mmiocost.evidence.ALONE`` among the folders, that of the user's rows only (``Folders`` there says
    how it travels). Raises InvalidInput where the evidence is damaged.
    """
    return _fit(_key(extra), tuple(extra))


def current_summary(extra: Sequence[Path] = ()) -> Summary:
    """The summary of the same fit."""
    key = _key(extra)
    _fit(key, tuple(extra))
    document = json.loads(_read(_place(key))["summary"].tobytes())
    return Summary(
        tuple(Estimate(**{**item, "sources": tuple(item["sources"])}) for item in document["parameters"]),
        tuple(RowFit(**item) for item in document["rows"]),
        document["validation"],
        document["scatter"],
    )


def _key(extra: Sequence[Path]) -> str:
    package = Path(__file__).parent.parent
    code = [files_hash((package / room).glob("*.py")) for room in _ROOMS]
    return content_hash(str(FORMAT), evidence_hash(extra), *code, (package / "units.py").read_bytes())


def _place(key: str) -> Path:
    return cache_dir() / f"fit-{key[:24]}.npz"


_made: dict[str, dict[str, Any]] = {}


def _read(place: Path) -> dict[str, Any]:
    """Arrays of a cached fit, or of one that could not be written."""
    if place.name in _made:
        return _made[place.name]
    # Through memory: NumPy leaves a file open that turns out to be no archive.
    with np.load(io.BytesIO(place.read_bytes()), allow_pickle=False) as file:
        return dict(file)


@lru_cache(maxsize=4)
def _fit(key: str, extra: tuple[Path, ...]) -> Fit:
    place = _place(key)
    try:
        arrays = _read(place)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, KeyError):
        arrays = _make(extra)
        _keep(place, arrays)
    return _fit_of(arrays)


def _make(extra: Sequence[Path]) -> dict[str, Any]:
    known = load(extra)
    if known.alone:  # no packaged row is a source
        known = replace(known, observations=known.own)
    fit, mixture, rows = fit_evidence(known)
    fitted = row_fits(fit, mixture, rows)
    best = mixture.best().hyper
    summary = {
        "parameters": [asdict(item) for item in estimates(fit, rows)],
        "rows": [asdict(item) for item in fitted],
        "validation": validation(fitted),
        "scatter": asdict(best),
    }
    about = {
        "keys": fit.keys,
        "priors": [asdict(prior) for prior in fit.priors.values()],
        "states": [[*key, settings] for key, settings in fit.states.items()],
        "sources": fit.sources,
        "evidence": fit.evidence,
    }
    return {
        "effects": fit.effects.astype(np.float32),
        "scatter": fit.scatter.astype(np.float32),
        "about": _bytes(about),
        "summary": _bytes(summary),
    }


def _bytes(document: object) -> Any:
    return np.frombuffer(json.dumps(document, default=dict).encode(), dtype=np.uint8)


def _keep(place: Path, arrays: dict[str, Any]) -> None:
    _made[place.name] = arrays
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    with contextlib.suppress(OSError):  # without a cache the next process fits again
        write_atomically(place, buffer.getvalue())


def _fit_of(arrays: dict[str, Any]) -> Fit:
    about = json.loads(arrays["about"].tobytes())
    return Fit(
        tuple(tuple(key) for key in about["keys"]),
        arrays["effects"],
        arrays["scatter"],
        {item["event"]: Prior(**item) for item in about["priors"]},
        {(machine, state): settings for machine, state, settings in about["states"]},
        {name: tuple(sources) for name, sources in about["sources"].items()},
        about["evidence"],
    )
