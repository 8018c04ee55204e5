"""Waiting for a page that lets no text be run: Playwright's own wait evaluates one, which the page's policy refuses."""

from __future__ import annotations

import time
from typing import Any

CHARTS_READY = "document.documentElement.dataset.charts === 'ready'"
PATIENCE = 30.0


def wait_until(page: Any, expression: str) -> None:
    """Return once a JavaScript expression is true in the page. Raises AssertionError where it does not become so."""
    end = time.monotonic() + PATIENCE
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"not true after {PATIENCE:g} s: {expression}"
        page.wait_for_timeout(20)
