"""Bytes looked at eight at a time, for code that numba compiles: searching, hashing, numbers, and a table of names.

Buffers and tables are addresses, since an array costs a function that it is passed to more than the function does.
A buffer is longer than its text by at least PAD bytes, so that a word may reach over the end; nothing here reads
more than PAD bytes beyond ``end``, and nothing writes but to rows and tables of known size.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from llvmlite import ir
from numba import config, njit, types
from numba.extending import intrinsic

from ....cache import cache_dir, files_hash

PAD = 64
NAME = 64  # longest name, in bytes
_ONES = np.uint64(0x0101010101010101)
_TOPS = np.uint64(0x8080808080808080)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_8, _32 = np.uint64(8), np.uint64(32)
_3 = np.uint64(3)
_SOURCES = files_hash(Path(__file__).parent.glob("*.py"))
_Function = TypeVar("_Function", bound=Callable[..., Any])
_BARE: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}  # nothing but compiled code calls it


def inlined(function: _Function) -> _Function:
    """Compile a function into each that calls it."""
    return cast(_Function, njit(nogil=True, error_model="numpy", forceinline=True, **_BARE)(function))


def fast(function: _Function) -> _Function:
    """Compile a function once for all processes: numba keeps the code under a hash of everything it is made from."""
    before, config.CACHE_DIR = config.CACHE_DIR, str(cache_dir() / f"trace-{_SOURCES[:16]}")
    try:
        return cast(_Function, njit(cache=True, nogil=True, error_model="numpy")(function))
    except RuntimeError:  # the folder can't be written: compiled anew in every process, which costs some seconds
        return cast(_Function, njit(nogil=True, error_model="numpy")(function))
    finally:
        config.CACHE_DIR = before


def _loads(bits: int) -> Any:
    """An intrinsic that loads so many bits from a byte's address; it need not be aligned."""

    @intrinsic
    def load(typing: Any, address: Any, at: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            place = builder.add(arguments[0], arguments[1])
            loaded = builder.load(builder.inttoptr(place, ir.IntType(bits).as_pointer()))
            loaded.align = 1
            return builder.zext(loaded, ir.IntType(64)) if bits < 64 else loaded

        return (types.int64 if bits < 64 else types.uint64)(types.int64, types.int64), generate

    return load


byte = _loads(8)
word = _loads(64)


def _stores(bits: int) -> Any:
    """An intrinsic that stores so many bits of a number at an address."""

    @intrinsic
    def store(typing: Any, address: Any, at: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            place = builder.inttoptr(builder.add(arguments[0], arguments[1]), ir.IntType(bits).as_pointer())
            builder.store(builder.trunc(arguments[2], ir.IntType(bits)) if bits < 64 else arguments[2], place)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, types.int64), generate

    return store


put = _stores(64)
put_half = _stores(32)


@inlined
def get(address: int, place: int) -> int:
    """The number at a place of an array of int64."""
    return np.int64(word(address, 8 * place))


@inlined
def keep(address: int, place: int, value: int) -> None:
    """Set the number at a place of an array of int64."""
    put(address, 8 * place, value)


@inlined
def add(address: int, place: int, value: int) -> None:
    """Add to the number at a place of an array of int64."""
    put(address, 8 * place, np.int64(word(address, 8 * place)) + value)


@intrinsic
def _zeros(typing: Any, number: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), generate


_trailing_zeros: Any = _zeros


@inlined
def find(buffer: int, at: int, end: int, sought: int) -> int:
    """Place of the first such byte, or ``end``."""
    pattern = _ONES * np.uint64(sought)
    while at < end:
        different = word(buffer, at) ^ pattern
        hit = (different - _ONES) & ~different & _TOPS
        if hit:
            found = at + np.intp(_trailing_zeros(hit) >> _3)
            return found if found < end else end
        at += 8
    return end


@inlined
def skip_blanks(buffer: int, at: int, end: int) -> int:
    """Place of the first byte that is no blank, or ``end``."""
    while at < end and byte(buffer, at) == 32:
        at += 1
    return at


@inlined
def decimal(buffer: int, at: int, end: int, most: int) -> tuple[int, int]:
    """A number of at most so many digits, and the place after it; the place stays where there is none."""
    value, stop = 0, min(end, at + most)
    while at < stop:
        digit = byte(buffer, at) - 48
        if digit < 0 or digit > 9:
            break
        value = value * 10 + digit
        at += 1
    return value, at


@inlined
def hexadecimal(buffer: int, at: int, end: int) -> tuple[Any, int]:
    """A number of at most 16 lower-case hexadecimal digits, and the place after it."""
    value, stop = np.uint64(0), min(end, at + 16)
    while at < stop:
        letter = byte(buffer, at)
        digit = letter - 48
        if digit < 0 or digit > 9:
            digit = letter - 87
            if digit < 10 or digit > 15:
                break
        value = (value << np.uint64(4)) | np.uint64(digit)
        at += 1
    return value, at


@inlined
def _masked(buffer: int, at: int, left: int) -> Any:
    """The word at a place, with zeros after the last ``left`` bytes."""
    if left >= 8:
        return word(buffer, at)
    return word(buffer, at) & ((np.uint64(1) << np.uint64(8 * left)) - np.uint64(1))


# A table of names has PLACES places, at most half of them taken. A place is ten words: the name's length and one (0
# where it is free), a value, and the name itself.
PLACES = 1 << 14
_PLACE = 8 * (2 + NAME // 8)


class Names:
    """Byte strings with a number each, found by compiled code through ``address``."""

    def __init__(self) -> None:
        self._places = np.zeros((PLACES, _PLACE // 8), np.uint64)
        self._used = 0
        self.address = int(self._places.ctypes.data)

    def learn(self, name: bytes, value: int) -> None:
        """Keep a name, unless it is too long or there are too many: it is then not found later."""
        if len(name) <= NAME and 2 * self._used < PLACES:
            padded = np.frombuffer(name.ljust(NAME + PAD, b"\0"), np.uint8)
            self._used += _learn(padded.ctypes.data, len(name), self.address, value)


@inlined
def _hash(buffer: int, at: int, length: int) -> Any:
    found = np.uint64(length)
    for start in range(0, length, 8):
        found = (found ^ _masked(buffer, at + start, length - start)) * _MIX
        found ^= found >> _32
    return found


@inlined
def _same(buffer: int, at: int, length: int, table: int, place: int) -> bool:
    if word(table, place) != np.uint64(length + 1):
        return False
    for start in range(0, length, 8):
        if _masked(buffer, at + start, length - start) != word(table, place + 16 + start):
            return False
    return True


@inlined
def look_up(buffer: int, at: int, length: int, table: int) -> int:
    """Value of the name at a place, or -1; ``table`` is the address of Names."""
    if length > NAME:
        return -1
    slot = np.int64(_hash(buffer, at, length)) & (PLACES - 1)
    while word(table, slot * _PLACE):
        if _same(buffer, at, length, table, slot * _PLACE):
            return np.int64(word(table, slot * _PLACE + 8))
        slot = (slot + 1) & (PLACES - 1)
    return -1


@fast
def _learn(buffer: int, length: int, table: int, value: int) -> int:
    slot = np.int64(_hash(buffer, 0, length)) & (PLACES - 1)
    while word(table, slot * _PLACE):
        if _same(buffer, 0, length, table, slot * _PLACE):
            return 0
        slot = (slot + 1) & (PLACES - 1)
    for start in range(0, length, 8):
        put(table, slot * _PLACE + 16 + start, np.int64(_masked(buffer, start, length - start)))
    put(table, slot * _PLACE, length + 1)
    put(table, slot * _PLACE + 8, value)
    return 1
