"""Names that the rooms share: primitive events, kernel generations, paths, scenario symbols. Plain data.

``mechanism`` (which executes accesses) and ``equations`` (which state the counts in closed form) share this
package and nothing else. ``model/mechanism.md`` says what each name means and where it was read.
"""

from .admissible import resolve
from .events import COLD_COMPARE, EVENTS, FREE, Event, event_names
from .generations import GENERATIONS, Generation, generation, generation_of_kernel
from .paths import PATHS, Path, path_named
from .symbols import MIX_SYMBOLS, SYMBOLS, MixSymbol, Symbol

__all__ = [
    "COLD_COMPARE",
    "EVENTS",
    "FREE",
    "GENERATIONS",
    "MIX_SYMBOLS",
    "PATHS",
    "SYMBOLS",
    "Event",
    "Generation",
    "MixSymbol",
    "Path",
    "Symbol",
    "event_names",
    "generation",
    "generation_of_kernel",
    "path_named",
    "resolve",
]
