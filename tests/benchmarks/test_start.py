"""How long the command line takes to start: what every call of it pays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def test_start_of_the_command_line(benchmark: Callable[..., Any], cli: Callable[..., Any]) -> None:
    assert benchmark(cli, "--version").status == 0
