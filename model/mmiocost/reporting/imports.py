"""What a report says of the files that a user imported: where they come from, and which machines are hers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ..cache import content_hash
from ..evidence import Evidence, Folders
from ..evidence.importers.folder import ENTRY, Import, imports
from .context import Source

YOURS = " (yours)"
_CHECKSUM = 16


def imported(evidence: Sequence[Path]) -> tuple[Import, ...]:
    """All imports of the user's folders. Raises InvalidInput for a damaged one."""
    return tuple(item for folder in Folders.of(evidence).paths for item in imports(folder))


def imports_hash(evidence: Sequence[Path]) -> str:
    """Names all imports, those without a row for the fit included, such as a trace in ticks."""
    return content_hash(*((item.path / ENTRY).read_bytes() for item in imported(evidence)))


def own_machines(known: Evidence) -> frozenset[str]:
    """Machines that the user's rows name."""
    return frozenset(row.machine for row in known.own if row.machine)


def machine_label(machine: str, own: frozenset[str]) -> str:
    """A machine's name, marked where it is the user's."""
    return f"{machine}{YOURS}" if machine in own else machine


def remarks(evidence: Sequence[Path]) -> Iterator[str]:
    """What the first page says of the imports: that names are included where they are."""
    named = [str(item.entry["file"]) for item in imported(evidence) if item.entry["options"].get("keep_names")]
    if named:
        yield f"Names of threads and hosts are included as they are (--keep-names): {', '.join(named)}."


def with_provenance(sources: Sequence[Source], evidence: Sequence[Path]) -> tuple[Source, ...]:
    """Sources of which an import is said with its file, format, checksum and host."""
    told = {f"import-{item.id[:8]}": item for item in imported(evidence)}
    return tuple(_told(source, told[source.id]) if source.id in told else source for source in sources)


def _told(source: Source, item: Import) -> Source:
    checksum = str(item.entry["checksum"])
    title = ", ".join([f"your file {item.entry['file']}", str(item.entry["format"]), *host_facts(item)])
    return replace(source, title=f"{title}, {shortened(checksum)}", date=str(item.entry["imported"])[:10])


def shortened(checksum: str) -> str:
    """A checksum as it is shown: its kind and the first digits."""
    kind, _, digits = checksum.partition(":")
    return f"{kind}:{digits[:_CHECKSUM]}"


def host_facts(item: Import) -> list[str]:
    """What an import says of its host, in words."""
    facts = item.entry["facts"]
    found = [f"kernel {facts['release']}"] if facts.get("release") else []
    found += [str(facts["cpu_model"])] if facts.get("cpu_model") else []
    if facts.get("clock_hz"):
        found.append(f"clock {float(facts['clock_hz']):.4g} Hz")
    if "mmio_caching" in facts:
        found.append(f"mmio_caching {'on' if facts['mmio_caching'] else 'off'}")
    return found
