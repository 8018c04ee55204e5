"""Files of results that take long to make and travel with the evidence: read, written, held against what they are of.

They lie in ``data/validation/`` and are no resources of the Data Package: the descriptor is part of the evidence's
hash, which each of them names.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..cache import write_atomically
from ..errors import InvalidInput, MmioCostError
from ..evidence import evidence_hash
from ..resources import data_dir

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_Result = TypeVar("_Result", bound="DataclassInstance")


def kept_file(name: str) -> Path:
    """Where the kept result of that name is."""
    return data_dir() / "validation" / f"{name}.json"


def read_kept(path: Path, form: int, made: Callable[[dict[str, Any]], _Result], command: str) -> _Result:
    """What ``made`` makes of a file's fields, its format number aside.

    Raises InvalidInput, with the command that makes the file anew, where it is missing, damaged or not of format
    ``form``.
    """
    where = f"{path.parent.parent.name}/{path.parent.name}/{path.name}"
    try:
        document = json.loads(path.read_bytes())
        found = document.pop("format")
        if found == form:
            return made(document)
    except OSError as error:
        raise InvalidInput.one(where, "", "", f"can't be read: {error.strerror}; run `{command}`") from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InvalidInput.one(where, "", "", f"is no kept result ({error}); run `{command}`") from None
    raise InvalidInput.one(where, "format", found, f"must be {form}; run `{command}`")


def written(result: DataclassInstance, form: int) -> str:
    """A result as the text of its file; ``read_kept`` gives it back."""
    return json.dumps({"format": form, **asdict(result)}, indent=1) + "\n"


def why_not_current(evidence: str, code: str, code_now: str, command: str) -> str:
    """What has changed since a result of that evidence and code was made, and the command for it; else empty."""
    pairs = (("evidence", evidence, evidence_hash()), ("fit", code, code_now))
    changed = [name for name, then, now in pairs if then != now]
    return f"made with another {' and another '.join(changed)}: run `{command}`" if changed else ""


def keep(make: Callable[[], _Result], form: int, out: Path, table: Callable[[_Result], str]) -> int:
    """Make a result, write it to ``out`` and print its table; the exit status, 2 for invalid input."""
    try:
        result = make()
        write_atomically(out, written(result, form))
    except MmioCostError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    print(table(result))
    return 0


def to_stderr(line: str) -> None:
    """A line of progress."""
    print(line, file=sys.stderr, flush=True)
