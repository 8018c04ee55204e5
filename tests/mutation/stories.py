"""Sequences of accesses in one world, with slot updates and switches between: what one path alone does not run.

The sound machine says what they count; that it counts there what the closed forms say is a law of
tests/mechanism/test_sequences.py. Pages, slots and addresses are looked up in the world at hand, so that a fault which
only lays the guest out otherwise makes no difference.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from random import Random
from typing import Any

from .drawn import SEED

Told = list[tuple[str | None, dict[str, int]]]

STEPS = 20
_STARTS = (
    *(f"{gen}.{mode}.mmio_first" for gen in ("v31", "v36", "v311") for mode in ("ept", "shadow", "nonpaging")),
    *(f"{gen}.ept.mmio_first" for gen in ("v315", "v40", "v414", "v56", "v517")),
    *(f"v517.{mode}.mmio_uncached" for mode in ("ept", "shadow", "nonpaging")),
    *(f"v30.{mode}.mmio" for mode in ("ept", "shadow", "nonpaging")),
    *("v30.shadow.mmio", "v31.shadow.mmio_first", "v36.shadow.mmio_first", "v311.shadow.mmio_first") * 2,
    *("v30.shadow.mmio", "v30.shadow.mmio"),
    *("v315.ept.mmio_first", "v40.ept.mmio_first", "v414.ept.mmio_first", "v56.ept.mmio_first"),
    *(f"unified.{mode}.access" for mode in ("ept", "shadow")),
)
STORIES = 30 * len(_STARTS)
#: The first ones, and those that alone noticed a fault in a search through 3,000 more.
NUMBERS = (*range(STORIES), 1326, 1528, 2284, 2456, 3665)
_BITS = (1 << 0, 1 << 1, 1 << 5, 1 << 6, 1 << 6)  # present, writable, accessed, dirty
_AGAIN = 0.3  # chance that a step is what the step before was
_MADE = (4, 256)  # pages of the slots that are made: fewer and more than those of all others
_WAYS = ("hypercall", "cpuid", "msr_read", "msr_write", "pio_write", "pio_read", "emulation")


def tell(number: int) -> Told:
    """Path and events of each step of a sequence. What it does follows from the number."""
    choose = Random(f"{SEED} sequence {number}")
    path = _STARTS[number % len(_STARTS)]
    machine, guest = import_module("mmiocost.mechanism"), _guest(choose, path)
    told: Told = []
    action, weights = None, choose.choice([_WEIGHTS, _RAM_WEIGHTS]) if guest.ram else _WEIGHTS
    for _ in range(STEPS):
        if action is None or isinstance(action, machine.SlotUpdate) or choose.random() > _AGAIN:
            step = choose.choices(list(_STEPS), weights)[0]
            action = _STEPS[step](choose, guest, machine)
        if action is not None:
            outcome = machine.run(guest.world, action)
            told.append((outcome.path, dict(outcome.events)))
    return told


def _guest(choose: Random, path: str) -> Any:
    """A guest of a path's kernel, sometimes just before a generation wraps, or with two address spaces."""
    mode = path.split(".")[1]
    slots = choose.choice([2, choose.randint(2, 12)])
    levels = 0 if mode == "nonpaging" else choose.choice([2, 2, 3, 4] if mode == "shadow" else [0, 2, 3, 4])
    bits = ("slot_cache_warm", "decode_assist", "userspace", "is_mmio", "sync")
    scenario = {
        "slots": slots,
        "ram_slot": choose.choice([1, slots, choose.randint(1, slots)]),
        "mmio_gap": choose.randint(0, slots),
        "guest_levels": levels,
        "leaf_level": choose.randint(1, 2)
        if levels and mode == "ept"
        else 1,  # RAM beside it needs the table of level 1
        "code_leaf_level": choose.randint(1, 2) if levels else 1,
        "prefetch_index": choose.randint(0, 7),
        "bypass": choose.randint(0, 1) if path == "v30.shadow.mmio" else 0,
        **{name: choose.randint(0, 1) for name in bits},
    }
    found = import_module("sequences").guest(path, scenario)
    world = found.world
    world.address_spaces = choose.randint(1, 2)
    if scenario["leaf_level"] == 2:
        found.mmio |= {gva ^ place << 12: gfn ^ place for gva, gfn in found.mmio.items() for place in (1, 6)}
    if found.ram:
        _more_ram(choose, found)
    wrapped = 150 if path.startswith("v311") else 1 << choose.choice([18, 19, 19])
    world.memslots.generation = choose.choice([world.memslots.generation, wrapped - choose.randint(1, 5)])
    world.unlinker.times, world.unlinker.levels = choose.randint(0, 3), choose.randint(1, 1 if levels == 3 else 2)
    return found


def _more_ram(choose: Random, guest: Any) -> None:
    """Two more pages, in the other half of a 32-bit guest's table; some of all with a bit of the entry cleared."""
    (gva, gfn), *_ = sorted(guest.ram.items())
    guest.ram |= {gva + (1 << 21) + (place << 12): gfn + 10 + place for place in (1, 2)}
    for page in sorted(guest.ram)[3:]:
        guest.world.paging.map(page, guest.ram[page])
    for page in sorted(guest.ram):
        if choose.random() < 0.5 and guest.world.design != "unified":
            guest.world.paging.clear(page, 1, choose.choice(_BITS))


def _mmio(choose: Random, guest: Any, machine: Any) -> Any:
    return machine.Access(choose.choice(sorted(guest.mmio)) | choose.choice([0x10, 0x10, 0x11]), choose.random() < 0.5)


def _ram(choose: Random, guest: Any, machine: Any) -> Any:
    pages = [*sorted(guest.ram), *(guest.unmapped if guest.world.design != "unified" else ())]
    place, write = choose.random(), choose.random() < 0.5
    return machine.Access(pages[int(place * len(pages))], write) if pages else None


def _flags(choose: Random, guest: Any, machine: Any) -> None:
    """The guest takes a bit out of the entry of one of its pages: accessed, dirty, writable or present."""
    flag, place = choose.choice(_BITS), choose.random()
    pages = sorted(guest.ram)
    if pages and guest.world.design != "unified":  # which asks what a page is before it walks
        guest.world.paging.clear(pages[int(place * len(pages))], 1, flag)


def _update(choose: Random, guest: Any, machine: Any) -> Any:
    """A slot made above all others or over the hole, or one of those made so changed again."""
    blocks = guest.world.memslots.blocks
    kind, place = choose.choice(["create", "flags", "delete", "move"]), choose.randint(1, 30)
    hole = min(guest.mmio.values()) & ~7
    made = [block for block in blocks if block.npages in _MADE]
    base = {1: hole, 2: hole, 3: 0}.get(place, _top(blocks) + 1024 * place)
    pages = _MADE[0] if place <= 3 else choose.choice(_MADE)
    if kind == "create":
        free = all(block.base != base or not block.npages for block in blocks)
        return machine.SlotUpdate("create", new=type(blocks[0])(base, pages)) if free else None
    old = made[place % len(made)] if made else None
    if old is None:
        return None
    new = type(old)(_top(blocks) + 512, old.npages) if kind == "move" else None
    return machine.SlotUpdate(kind, old=old, new=new)


def _top(blocks: Any) -> int:
    return max(block.base + block.number * max(block.stride, block.npages) for block in blocks) + 64


def _lookup(choose: Random, guest: Any, machine: Any) -> Any:
    """A slot's first or last page, or the page before or behind it."""
    block = choose.choice(guest.world.memslots.blocks)
    inside = block.base + choose.choice([-1, 0, block.npages - 1, block.npages, -block.stride])
    return machine.SlotLookup(inside + choose.randrange(max(block.number, 1)) * block.stride)


def _bus(choose: Random, guest: Any, machine: Any) -> Any:
    return machine.BusLookup(choose.choice(sorted(guest.mmio.values())) << 12 | 0x10)


def _walk(choose: Random, guest: Any, machine: Any) -> Any:
    return machine.WalkOnly(choose.choice([*guest.mmio, *guest.ram]), choose.random() < 0.5)


def _instruction(choose: Random, guest: Any, machine: Any) -> Any:
    port = choose.choice([*guest.world.port_bus.addresses, 5])
    return machine.Instruction(choose.choice(_WAYS), port, choose.random() < 0.5, choose.random() < 0.5)


def _bypass(choose: Random, guest: Any, machine: Any) -> Any:
    on = choose.random() < 0.7
    if guest.world.kernel.id == "v517":
        return machine.SetMmioCaching(on)
    return machine.SetBypass(on) if guest.world.kernel.id == "v30" and guest.world.mode != "ept" else None


_STEPS: dict[str, Callable[[Random, Any, Any], Any]] = {
    "mmio": _mmio, "ram": _ram, "flags": _flags, "update": _update, "lookup": _lookup, "bus": _bus, "walk": _walk,
    "instruction": _instruction, "bypass": _bypass,
}  # fmt: skip
_WEIGHTS = (8, 4, 1, 4, 2, 1, 1, 1, 1)
_RAM_WEIGHTS = (2, 10, 3, 1, 0, 0, 4, 0, 2)
