"""How large the designed experiment is: guest modes, loop lengths, slot counts, repeats of a quick and a full run."""

from __future__ import annotations

from dataclasses import dataclass

from .operations import Shape


@dataclass(frozen=True)
class Plan:
    """How large each experiment is. Times are as long as the budget lets them be; these are the sizes of a block."""

    shapes: tuple[Shape, ...]
    lengths: tuple[int, ...]
    trace_lengths: tuple[int, ...]
    slots: tuple[int, ...]
    slot_vms: int
    pages: tuple[int, ...]
    bump_slots: tuple[int, ...]
    bumps: int
    touch_pages: int
    least_repeats: int
    most_path_repeats: int
    most_repeats: int
    narrow: float


_LONG = Shape("long", 3)
QUICK = Plan(
    shapes=(_LONG, Shape("long", 3, large=True), Shape("long", 0), Shape("flat32", 0), Shape("long", 3, irqchip=True),
            Shape("pae", 3)),
    lengths=(20, 60, 200), trace_lengths=(20, 60), slots=(1, 16, 256, 2048), slot_vms=2, pages=(1, 16, 64),
    bump_slots=(8,), bumps=10, touch_pages=128, least_repeats=6, most_path_repeats=20, most_repeats=10, narrow=0.03,
)  # fmt: skip
FULL = Plan(
    shapes=(_LONG, Shape("long", 3, large=True), Shape("long", 0), Shape("long", 0, large=True), Shape("flat32", 0),
            Shape("long", 3, irqchip=True), Shape("long", 0, irqchip=True), Shape("flat32", 3), Shape("real", 0),
            Shape("pae", 3), Shape("pm32", 3)),
    lengths=(100, 300, 1000), trace_lengths=(20, 60), slots=(1, 4, 16, 64, 256, 1024, 4096, 0), slot_vms=3,
    pages=(1, 4, 16, 64, 256), bump_slots=(2, 128, 2048), bumps=30, touch_pages=512, least_repeats=7,
    most_path_repeats=60, most_repeats=12, narrow=0.01,
)  # fmt: skip
#: A slot count of 0 stands for the most that the host allows.
