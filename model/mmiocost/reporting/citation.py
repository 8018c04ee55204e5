"""How a number, a row of evidence or a page is cited: as text and as BibTeX, with version and evidence hash.

The page's script puts what is cited and where it stands into these two, so that their form is written once.
"""

from __future__ import annotations

from dataclasses import dataclass

AUTHORS = "The mmiocost authors"
TITLE = "mmiocost: what a guest's MMIO access costs under KVM"

#: Stand in a citation for what is cited, and for the page and anchor where it stands.
WHAT, WHERE = "@what@", "@where@"
_HASH = 12


@dataclass(frozen=True)
class Citation:
    """One citation in both forms."""

    text: str
    bibtex: str


def citation(version: str, evidence_hash: str, what: str = WHAT, where: str = WHERE) -> Citation:
    """``what`` as it stands at ``where``; both are taken as they are, so that LaTeX has to be escaped before."""
    text = f"{AUTHORS}. {TITLE}. Version {version}, evidence {evidence_hash}. {what} ({where})."
    fields = {
        "author": f"{{{AUTHORS}}}",
        "title": f"{{{TITLE}}}",
        "version": version,
        "note": f"{what}. Evidence {evidence_hash}. {where}",
    }
    lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
    return Citation(text, f"@software{{mmiocost-{version}-{evidence_hash[:_HASH]},\n{lines}\n}}\n")
