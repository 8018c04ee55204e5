"""The Data Package that holds the evidence: its descriptor, its files and their checksums.

Comes in: the folder with ``datapackage.json``. Goes out: bytes that match the descriptor's checksums, tables with
typed rows, sources. A file that was changed without sealing it again is refused.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmiocost.errors import InvalidInput, nearest_name

from .digest import DESCRIPTOR, read_descriptor, read_file
from .records import Source
from .schema import Schema
from .tables import Report, Row, read_rows

_SEAL = "restore the file, or take its change over with `python -m mmiocost.evidence.seal`"


@dataclass(frozen=True, slots=True)
class Package:
    """The descriptor of the packaged evidence and the folder that it stands in."""

    folder: Path
    descriptor: Mapping[str, Any]
    resources: Mapping[str, Mapping[str, Any]]

    def resource(self, name: str) -> Mapping[str, Any]:
        """The descriptor of one file; raises InvalidInput with the nearest name for an unknown one."""
        try:
            return self.resources[name]
        except KeyError:
            known = ", ".join(self.resources)
            nearest = nearest_name(name, self.resources)
            raise InvalidInput.one(DESCRIPTOR, "resource", name, f"must be one of {known}", nearest) from None

    def schema(self, name: str) -> Schema:
        """The schema of a table."""
        return Schema.from_descriptor(self.resource(name)["schema"])

    def read_bytes(self, name: str) -> bytes:
        """The content of a file; raises InvalidInput where it is missing or not what was sealed."""
        resource = self.resource(name)
        data = read_file(self.folder / resource["path"], self.where(name))
        got = f"sha256:{hashlib.sha256(data).hexdigest()}"
        if got != resource["hash"]:
            raise InvalidInput.one(self.where(name), "hash", got, f"must be {resource['hash']}: {_SEAL}")
        return data

    def rows(self, name: str) -> list[Row]:
        """The typed rows of a table; raises InvalidInput with all that is wrong with it."""
        report = Report(self.where(name))
        rows = read_rows(io.BytesIO(self.read_bytes(name)), self.schema(name), report)
        report.finish()
        return rows

    def where(self, name: str) -> str:
        """What errors call a file of the package: its path from the folder above."""
        return f"{self.folder.name}/{self.resource(name)['path']}"

    def sources(self) -> dict[str, Source]:
        """All sources by id."""
        names = Source.__dataclass_fields__
        return {
            source["id"]: Source(**{name: str(source.get(name, "")) for name in names})
            for source in self.descriptor["sources"]
        }


def open_package() -> Package:
    """The packaged evidence's descriptor; raises InvalidInput where it is missing or no JSON object."""
    folder, descriptor = read_descriptor()
    return Package(folder, descriptor, {resource["name"]: resource for resource in descriptor["resources"]})
