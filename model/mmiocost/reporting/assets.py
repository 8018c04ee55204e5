"""Files that all pages of a site share: styles, the script of the pages, and Vega."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from mmiocost.cache import cache_dir, write_atomically

_FOLDER = Path(__file__).resolve().parent / "template" / "assets"


def shared_assets() -> dict[str, bytes]:
    """Contents of the shared files by their path within the site."""
    return {**own_assets(), "assets/vega.js": _vega(), "assets/equations.js": _equations()}


def own_assets() -> dict[str, bytes]:
    """The same without Vega, for pages that have no charts."""
    return {f"assets/{path.name}": path.read_bytes() for path in sorted(_FOLDER.iterdir()) if path.is_file()}


def _equations() -> bytes:
    """The kernels of the page "What if", which has the only use for them."""
    from mmiocost.equations import javascript
    from mmiocost.reporting.what_if import kernels_in_page

    return javascript.source(kernels_in_page()).encode()


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
