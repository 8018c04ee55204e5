"""Files that all pages of a site share: styles, the script of the pages, and Vega."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from mmiocost.cache import cache_dir, write_atomically

_FOLDER = Path(__file__).resolve().parent / "template" / "assets"


def shared_assets() -> dict[str, bytes]:
    """Contents of the shared files by their path within the site."""
    own = {f"assets/{path.name}": path.read_bytes() for path in sorted(_FOLDER.iterdir()) if path.is_file()}
    return {**own, "assets/vega.js": _vega()}


def _vega() -> bytes:
    """Vega, Vega-Lite and vega-embed as one classic script; cached, since bundling takes over a second."""
    cached = cache_dir() / f"vega-{version('vl-convert-python')}.js"
    try:
        return cached.read_bytes()
    except OSError:
        pass
    import vl_convert

    bundle = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;").encode()
    write_atomically(cached, bundle)
    return bundle
