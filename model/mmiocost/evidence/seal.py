"""Writes size and checksum of every file of the evidence into its descriptor: ``python -m mmiocost.evidence.seal``.

Run it after a deliberate change of a file under ``data/``. It changes nothing else in ``datapackage.json`` and
does not look at what the files say; ``mmiocost evidence verify`` does.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from typing import Any

from mmiocost.cache import write_atomically
from mmiocost.errors import MmioCostError

from .digest import DESCRIPTOR, read_file
from .package import Package, open_package


def seal() -> list[str]:
    """Rewrite sizes and checksums that no longer fit; returns the names of the files that had changed."""
    package = open_package()
    stated = list(package.resources.values())
    sealed = [_sealed(package, resource) for resource in stated]
    changed = [new["name"] for new, old in zip(sealed, stated, strict=True) if new != old]
    if changed:
        descriptor = {**package.descriptor, "resources": sealed}
        text = json.dumps(descriptor, indent=1, ensure_ascii=False)
        write_atomically(package.folder / DESCRIPTOR, f"{text}\n")
    return changed


def _sealed(package: Package, resource: Mapping[str, Any]) -> dict[str, Any]:
    data = read_file(package.folder / resource["path"], package.where(resource["name"]))
    return {**resource, "hash": f"sha256:{hashlib.sha256(data).hexdigest()}", "bytes": len(data)}


def main() -> int:
    """Seal and say what changed; 2 where a file cannot be read."""
    try:
        changed = seal()
    except MmioCostError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    print("\n".join(f"sealed {name}" for name in changed) or "all checksums hold")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
