"""The tables of an import asked by DuckDB; what is damaged is said in one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...errors import InvalidInput, MmioCostError
from ...evidence.importers.folder import Import
from ...evidence.importers.summaries import query


def asked(
    item: Import, sql: str, paths: Sequence[str], before: Sequence[Any] = (), after: Sequence[Any] = ()
) -> list[dict[str, Any]]:
    """Rows of a query over Parquet files of an import; none without files.

    The query's parameters are those ``before``, the files, and those ``after``. Raises InvalidInput for a damaged file,
    and MmioCostError where memory does not suffice.
    """
    if not paths:
        return []
    import duckdb

    try:
        return query(sql, [*before, list(paths), *after])
    except duckdb.OutOfMemoryException as error:
        raise MmioCostError(f"{item.entry['file']}: too large for the memory that a query may take") from error
    except duckdb.Error as error:
        reason = str(error).partition("\n")[0]
        advice = f"can't be read ({reason}); remove it with `mmiocost evidence remove {item.id}` and import again"
        raise InvalidInput.one(str(item.entry["file"]), "", "", advice) from None


def table(item: Import, name: str) -> list[dict[str, Any]]:
    """All rows of a table of an import; none where it has no such table."""
    return asked(item, "select * from read_parquet(?)", [str(path) for path in item.tables(name)])
