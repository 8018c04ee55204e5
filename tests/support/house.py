"""What the architecture tests compare with: the order of rooms, and functions that say what breaks a rule.

Each function takes source text and gives the violations as lines of text, so that it can itself be tested on
made-up sources.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "mmiocost"

GROUND = ("errors", "cache", "resources", "startup", "units")
#: From the ground up. A room imports from lower floors, and on the ground floor from its neighbours. ``""`` is
#: the package's own ``__init__``, the Python API.
FLOORS: tuple[tuple[str, ...], ...] = (
    GROUND,
    ("vocabulary",),
    ("evidence",),
    ("mechanism", "equations"),
    ("fitting",),
    ("whatif",),
    ("execution",),
    ("reporting",),
    ("",),
    ("cli",),
    ("__main__",),
)
#: Rooms that may use less than all floors below them.
ONLY = {"execution": GROUND}

_FLOOR = {room: number for number, floor in enumerate(FLOORS) for room in floor}
_PLAIN_DATA = {"__version__"}


def package_sources() -> dict[str, str]:
    """Every module of the package: dotted name to source text. A package's name ends in ``.__init__``."""
    base = ROOT / "model"
    return {
        ".".join(path.relative_to(base).with_suffix("").parts): path.read_text()
        for path in sorted((base / PACKAGE).rglob("*.py"))
    }


def room_of(module: str) -> str:
    """``mmiocost.fitting.solve`` is in the room ``fitting``; the package itself in ``""``."""
    return [*module.split("."), ""][1].replace("__init__", "")


def imported(module: str, source: str) -> Iterator[tuple[int, str]]:
    """Line and dotted name of all that a module takes from the package, wherever in the file it does so."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(module, node.level, node.module)
            if base == PACKAGE:
                names = (name.name for name in node.names if name.name not in _PLAIN_DATA)
                yield from ((node.lineno, f"{base}.{name}" if name in _FLOOR else base) for name in names)
            else:
                yield node.lineno, base
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield from ((node.lineno, str(name.value)) for name in node.args if isinstance(name, ast.Constant))


def _absolute(module: str, level: int, name: str | None) -> str:
    """The dotted name behind a relative import."""
    if level == 0:
        return name or ""
    return ".".join([*module.split(".")[:-level], *([name] if name else [])])


def upward_imports(sources: Mapping[str, str]) -> list[str]:
    """Imports that go up the floors, or sideways between rooms of one floor."""
    found = []
    for module, source in sources.items():
        here = room_of(module)
        if here not in _FLOOR:
            found.append(f"{module}: the room '{here}' stands on no floor of tests/support/house.py")
            continue
        for line, name in imported(module, source):
            if name.split(".")[0] == PACKAGE and not _may_import(here, room_of(name)):
                found.append(f"{module}:{line}: {here or PACKAGE} must not import {name}")
    return found


def _may_import(here: str, there: str) -> bool:
    if here == there:
        return True
    if here in ONLY:
        return there in ONLY[here]
    both_ground = here in GROUND and there in GROUND
    return both_ground or _FLOOR.get(there, len(FLOORS)) < _FLOOR[here]


def long_modules(sources: Mapping[str, str], limit: int = 250) -> list[str]:
    """Modules with more lines than the limit."""
    lengths = {module: len(source.splitlines()) for module, source in sources.items()}
    return [f"{module}: {length} lines" for module, length in lengths.items() if length > limit]


def long_functions(sources: Mapping[str, str], limit: int = 60) -> list[str]:
    """Functions with more lines than the limit, their docstrings not counted."""
    found = []
    for module, source in sources.items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = node.end_lineno - node.lineno + 1 - _docstring_lines(node)  # type: ignore[operator]
                if length > limit:
                    found.append(f"{module}:{node.lineno}: {node.name} has {length} lines")
    return found


def _docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    if ast.get_docstring(node) is None:
        return 0
    return node.body[0].end_lineno - node.body[0].lineno + 1  # type: ignore[operator]


#: Calls that turn text or bytes into running code, or hand text to a shell.
_EVALUATING = re.compile(
    r"(?:builtins\.)?(?:eval|exec|compile|__import__)|(?:pickle|marshal|shelve|dill|cloudpickle)\.\w+"
    r"|yaml\.(?:load|load_all|full_load|unsafe_load)|(?:\w+\.)?parse_expr|os\.(?:system|popen)"
)
#: Lowering compiles what its own printer wrote from the package's equations, and keeps the code objects.
_COMPILES_OWN_TEXT = {"mmiocost.equations.lowering"}


def evaluating_calls(sources: Mapping[str, str]) -> list[str]:
    """Calls by which text from a file could come to run as code."""
    found = []
    for module in sources.keys() - _COMPILES_OWN_TEXT:
        for node in ast.walk(ast.parse(sources[module])):
            if isinstance(node, ast.Call) and (_EVALUATING.fullmatch(ast.unparse(node.func)) or _uses_shell(node)):
                found.append(f"{module}:{node.lineno}: {ast.unparse(node.func)}")
    return sorted(found)


def _uses_shell(call: ast.Call) -> bool:
    return any(word.arg == "shell" and ast.unparse(word.value) != "False" for word in call.keywords)


def tracked_files() -> list[Path]:
    """Files that git holds or would take; without git, all but hidden folders and what tools make."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        names = subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\0")
    except (OSError, subprocess.CalledProcessError):
        return sorted(_walk())
    return sorted(path for name in names if name and (path := ROOT / name).is_file())


def _walk() -> Iterator[Path]:
    for folder, below, names in os.walk(ROOT):
        below[:] = [name for name in below if name not in _MADE and (name == ".ci" or name[0] != ".")]
        yield from (Path(folder) / name for name in names)


_MADE = {"__pycache__", "reports", "dist"}

#: Folders of one machine, and addresses of package registries. The patterns do not match themselves.
_MACHINE = re.compile(
    r"(?:^|[^\w.])/(?:work|root|farm)/|/tmp/bash_[j]obs|https?://[^ \"]+/simple/?[\"\s]"
    r"|pypi\.(?:org|python)|python[h]osted\.|registry\.npm|conda\.anaconda\."
)


def machine_traces(name: str, text: str) -> list[str]:
    """Lines that name a folder of one machine or a package registry."""
    lines = enumerate(text.splitlines(keepends=True), start=1)
    return [f"{name}:{number}: {line.strip()[:100]}" for number, line in lines if _MACHINE.search(line)]


def text_of(paths: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """Name and text of each file that is text."""
    for path in paths:
        try:
            yield str(path.relative_to(ROOT)), path.read_text()
        except UnicodeDecodeError:
            continue
