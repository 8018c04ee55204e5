"""``evidence list``, ``evidence show``, ``evidence verify`` and ``evidence remove``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from .options import Commands, Parser, add_command, evidence_option
from .output import envelope, in_columns, print_json


def register(commands: Commands) -> None:
    """Add the group; without a command it lists."""
    group = add_command(commands, "evidence", list_)
    group.description = "What is known, from where; checksums and schema. Without a command: list."
    inner = group.add_subparsers(metavar="COMMAND", parser_class=Parser)
    add_command(inner, "list", list_)
    shown = add_command(inner, "show", show)
    shown.add_argument("name", metavar="ID", help="a resource, a source or an observation")
    for parser in (shown, add_command(inner, "verify", verify)):
        evidence_option(parser)
    removed = add_command(inner, "remove", remove)
    removed.add_argument("name", metavar="ID|FILE", help="an import's id, or the name of its file")
    removed.add_argument("--from", dest="folder", type=Path, required=True, metavar="DIR", help="folder of evidence")


def list_(json: bool = False) -> None:
    """All resources of the packaged evidence."""
    from ..evidence import catalogue, evidence_hash

    found = catalogue()
    if json:
        print_json([{**asdict(item), **envelope(evidence_hash())} for item in found])
    else:
        rows = [(item.name, "" if item.rows is None else f"{item.rows} rows", item.title) for item in found]
        print(in_columns(rows))


def show(name: str, evidence: list[Path], json: bool) -> None:
    """One resource, source or observation with all that is known about it."""
    from ..evidence import evidence_hash
    from ..evidence import show as find

    found = find(name, evidence)
    if json:
        print_json({**found, **envelope(evidence_hash(evidence))})
    else:
        print(_text(found))


def _text(found: dict[str, Any], indent: str = "") -> str:
    lines = []
    for name, value in found.items():
        if isinstance(value, dict):
            lines += [f"{indent}{name}:", _text(value, f"{indent}  ")]
        elif isinstance(value, list | tuple) and value and isinstance(value[0], dict):
            lines.append(f"{indent}{name}: {len(value)}")
            lines += [f"{indent}  {_line(item)}" for item in value]
        elif value not in (None, "", [], ()):
            shown = ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
            lines.append(f"{indent}{name}: {shown}")
    return "\n".join(lines)


def _line(item: dict[str, Any]) -> str:
    chosen = [str(value) for value in item.values() if isinstance(value, str | int | float) and value != ""]
    return "  ".join(chosen[:6])


def verify(evidence: list[Path], json: bool) -> int:
    """Checksums, schema, units and cross references of every resource; exit status 1 where one is damaged."""
    from ..evidence import evidence_hash
    from ..evidence import verify as check

    verdicts = check(evidence)
    sound = all(verdict.ok for verdict in verdicts)
    if json:
        about = envelope(evidence_hash(evidence) if sound else None)
        print_json(
            [{"resource": item.resource, "ok": item.ok, "problems": item.problems, **about} for item in verdicts]
        )
    else:
        for item in verdicts:
            print(f"{'ok      ' if item.ok else 'DAMAGED '} {item.resource}")
            for problem in item.problems:
                print(f"         {problem}")
    return 0 if sound else 1


def remove(name: str, folder: Path, json: bool) -> None:
    """Take one import out of a folder of evidence."""
    from ..evidence import evidence_hash
    from ..evidence.importers.folder import remove as take_out

    found = take_out(folder, name)
    file = name if found is None else found.entry["file"]
    if json:
        print_json({"removed": name if found is None else found.id, "file": file, **envelope(evidence_hash([folder]))})
    else:
        print(f"removed {file}; {folder} keeps its other imports")
