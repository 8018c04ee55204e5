"""What a site says about itself: version, evidence, machines and sources. Plain data from the caller."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Source:
    """One source of the evidence. ``url`` is linked if it is an http or https address, else only shown."""

    id: str
    title: str
    author: str = ""
    date: str = ""
    url: str = ""


@dataclass(frozen=True)
class Machine:
    """One machine of the evidence, with the states that were measured and the number of observations."""

    name: str
    description: str
    states: tuple[str, ...]
    observations: int


@dataclass(frozen=True)
class SiteContext:
    """``generated`` is a date (ISO 8601); ``documents`` are Markdown files that become pages of the site.

    ``remarks`` are sentences that stand before the answers.
    """

    version: str
    evidence_hash: str
    generated: str
    sources: tuple[Source, ...] = ()
    machines: tuple[Machine, ...] = ()
    documents: tuple[Path, ...] = ()
    remarks: tuple[str, ...] = ()
