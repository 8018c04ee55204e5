"""One process of ready kernels for all tests of a module, without libraries: a notebook then costs a tenth of one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from mmiocost.execution.warm import linux


@contextmanager
def shared_nursery() -> Iterator[None]:
    """Kernels of pools that start meanwhile are forked from one nursery; nothing changes where there are none."""
    if not linux.supported():
        yield
        return
    from mmiocost.execution.warm.client import start_nursery

    nursery = start_nursery(sys.executable, [], dict(os.environ))
    os.environ["MMIOCOST_NURSERY"] = nursery.address
    try:
        yield
    finally:
        del os.environ["MMIOCOST_NURSERY"]
        nursery.end()
