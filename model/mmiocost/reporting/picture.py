"""The picture of the README, drawn from the fit: ``python -m mmiocost.reporting.picture FILE.svg``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ..cache import write_atomically
from ..startup import block_slow_imports

_CONFIG = {
    "background": "#ffffff",
    "font": "sans-serif",
    "axis": {"labelFontSize": 12, "titleFontSize": 12, "grid": True, "gridOpacity": 0.25},
    "legend": {"labelFontSize": 12, "orient": "top", "title": None},
    "title": {"fontSize": 15, "anchor": "start", "offset": 12},
    "view": {"stroke": None},
}


def svg() -> str:
    """What an access with a valid MMIO spte saves, by slots, as SVG text."""
    block_slow_imports()
    import vl_convert

    from .views import saving_by_slots

    spec: dict[str, Any] = dict(saving_by_slots().spec)
    spec = {**spec, "width": 640, "config": {**spec.get("config", {}), **_CONFIG}}
    return str(vl_convert.vegalite_to_svg(spec))


if __name__ == "__main__":
    write_atomically(Path(sys.argv[1]), svg())
