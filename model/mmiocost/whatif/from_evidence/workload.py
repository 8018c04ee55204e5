"""MMIO accesses of one workload transaction, from a netperf result of the same run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...errors import InvalidInput
from ...evidence.importers import detect
from ...evidence.importers.folder import Import
from ...evidence.importers.reading import Account, Options, lines
from ...evidence.importers.reports import netperf
from ...evidence.importers.source import open_source
from .asking import table
from .derived import Derived, File
from .estimates import Estimate


def accesses_per_transaction(rate: Derived, transactions: Estimate, file: str) -> Derived:
    """Accesses of the whole virtual machine over transactions; the interval joins the ends of both."""
    assert isinstance(rate.value, float)
    low = None if rate.low is None or transactions.high is None else rate.vcpus * rate.low / transactions.high
    high = None if rate.high is None or not transactions.low else rate.vcpus * rate.high / transactions.low
    rule = f"accesses of {rate.source} over {transactions.value:.6g} transactions/s of {file}, the same run as stated"
    value = rate.vcpus * rate.value / transactions.value
    return File(rate.source, rate.id, rate.kind).rate(
        "accesses_per_transaction", Estimate(value, low, high), rule, rate.bound
    )


def transactions(workload: str, imported: Import | None) -> Estimate:
    """Transactions a second of a netperf file: an import of the folder, or else a file of that path.

    Raises InvalidInput for what is no netperf result with transactions.
    """
    rows = table(imported, "netperf") if imported is not None else _read(workload)
    found = [row for row in rows if row["unit"] == "trans/s" and row["value"]]
    if not found:
        raise InvalidInput.one("--workload", "", workload, "must be a netperf result in transactions per second")
    values = [float(row["value"]) for row in found]
    mean = sum(values) / len(values)
    half = max((row.get("half_width_percent") or 0.0) for row in found) / 100
    return Estimate(mean, min(values) * (1 - half), max(values) * (1 + half))


def _read(path: str) -> list[dict[str, Any]]:
    if not Path(path).is_file():
        raise InvalidInput.one("--workload", "", path, "is no file, and no import of the folder is called so")
    with open_source(path) as source:
        if detect.detect(source.head(), path) != netperf.FORMAT:
            return []
        account = Account()
        found: list[dict[str, Any]] = netperf.read(lines(source.chunks(), account), account, Options()).tables[
            "netperf"
        ]
        return found
