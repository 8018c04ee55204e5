"""The exponential function for generated code: a number or a NumPy array in, the same out; NumPy is not loaded."""

from __future__ import annotations

import math
from typing import Any

_LARGEST = math.log(2.0**1023)  # its exponential is a float; what lies above is infinite


def exponential(x: Any) -> Any:
    """e to the power x; infinite, without a warning, where no float is large enough."""
    if hasattr(x, "dtype"):
        import numpy as np

        with np.errstate(over="ignore"):
            return np.exp(x)
    return math.exp(x) if x <= _LARGEST else math.inf
