"""The two rooms with a fault in one module: imported afresh under the package's names, files left as they are."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType

import mmiocost
from mmiocost.cache import content_hash

from .faults import Fault, compiled, faults

PACKAGE = Path(mmiocost.__file__).parent
#: Modules of the equations that state counts; the others derive costs and answers from them, or print them.
EQUATIONS = (
    "exits", "guest_fault", "guest_walk", "instructions", "integer", "mmio", "paths", "slot_walk", "symbols", "tally",
    "unified_loop",
)  # fmt: skip
#: Functions of these modules that count nothing.
NO_COUNTS = {
    "equations.paths": frozenset({"with_cold_search", "terms", "cost"}),
    "equations.symbols": frozenset({"symbol", "cost_symbol"}),
    "equations.unified_loop": frozenset({"expected_retries"}),
}


def modules() -> tuple[str, ...]:
    """Modules that faults are put into, as ``room.module``; the hazards are explored, not counted."""
    machine = sorted(path.stem for path in (PACKAGE / "mechanism").glob("*.py") if path.stem != "__init__")
    return (*(f"equations.{name}" for name in EQUATIONS), *(f"mechanism.{name}" for name in machine))


def file_of(module: str) -> Path:
    """Where a module's text is."""
    return PACKAGE.joinpath(*module.split(".")).with_suffix(".py")


@cache
def source_of(module: str) -> str:
    """A module's text."""
    return file_of(module).read_text("utf-8")


@cache
def faults_of(module: str) -> tuple[Fault, ...]:
    """All faults of a module."""
    return tuple(faults(module, source_of(module), NO_COUNTS.get(module, frozenset())))


def room_hash(room: str) -> str:
    """Names the content of a room's modules as they were first read."""
    chosen = sorted(module for module in modules() if module.startswith(room))
    return content_hash(*(part for module in chosen for part in (module, source_of(module))))[:16]


@contextmanager
def faulty(fault: Fault) -> Iterator[None]:
    """While this is entered, ``mmiocost`` has the fault in it; what is imported from the room is imported inside."""
    code = compiled(
        source_of(fault.module), fault.number, str(file_of(fault.module)), NO_COUNTS.get(fault.module, frozenset())
    )
    with replaced(fault.module, code):
        yield


@contextmanager
def replaced(module: str, code: CodeType) -> Iterator[None]:
    """While this is entered, the module runs this code; those that import it are imported anew."""
    room = module.split(".")[0]
    names = {f"mmiocost.{name}" for name in importers(room)[module]} | {"sequences"}
    kept = {name: _taken_out(name) for name in names if name in sys.modules}
    finder = _Finder(f"mmiocost.{module}", code)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in names & sys.modules.keys():
            _taken_out(name)
        sys.modules |= kept
        for name, found in kept.items():
            parent, _, own = name.rpartition(".")
            if parent:
                setattr(sys.modules[parent], own, found)


def _taken_out(name: str) -> ModuleType:
    """A module made unknown, to ``import`` and as an attribute of its package."""
    parent, _, own = name.rpartition(".")
    if hasattr(sys.modules.get(parent), own):
        delattr(sys.modules[parent], own)
    return sys.modules.pop(name)


class _Finder:
    """Finds one module, in place of the one on disk."""

    def __init__(self, name: str, code: CodeType) -> None:
        self.name, self.code = name, code

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        return importlib.util.spec_from_loader(name, self) if name == self.name else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(self.code, module.__dict__)


@cache
def importers(room: str) -> dict[str, frozenset[str]]:
    """For each module of a room, itself and all of the room that import it, directly or not."""
    files = {_dotted(room, path): path for path in (PACKAGE / room).glob("*.py")}
    direct = {name: _imported(room, path.read_text("utf-8")) for name, path in files.items()}
    found = {}
    for module in files:
        reached = {module}
        while more := {name for name, used in direct.items() if used & reached} - reached:
            reached |= more
        found[module] = frozenset(reached)
    return found


def _dotted(room: str, path: Path) -> str:
    return room if path.stem == "__init__" else f"{room}.{path.stem}"


def _imported(room: str, source: str) -> set[str]:
    """Modules of the room that a text takes names from."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            names = [node.module] if node.module else [name.name for name in node.names]
            found |= {f"{room}.{name}" for name in names}
    return found
