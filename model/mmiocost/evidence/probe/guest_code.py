"""The guest's program as bytes, and where everything lies in its physical memory.

The program reads its parameters, reads the TSC, repeats one operation, reads the TSC again, stores both and tells
the host that it is done; then it starts over. The same instructions run in 16, 32 and 64-bit code.
"""

from __future__ import annotations

import struct

CODE, FAULT_HANDLER, BAD_HANDLER, DATA = 0x1000, 0x1800, 0x1900, 0x2000
IDT, GDT, TSS, STACK0, STACK3, TABLES = 0x3000, 0x4000, 0x4800, 0x6000, 0x7000, 0x8000
LOW_RAM, REAL_MMIO, MMIO = 0xA0000, 0xD0000, 0xE0000000
TOUCH, ABSENT, IOAPIC, EXTRA = 0x40000000, 0x60000000, 0xFEC00000, 0x1_0000_0000
TSS_ADDRESS, IDENTITY_MAP = 0x7F000000, 0x7F004000  # of VT-x hosts that emulate real mode
DONE_PORT, BAD_PORT = 0xF4, 0xF5
PARAMETERS = struct.Struct("IIII")  # turns, address, value, port, at DATA + 16
TIMES = struct.Struct("QQ")  # TSC before and after, at DATA

#: What the guest can repeat: nothing, a store or load of 4 bytes, OUT or IN of 4 bytes, CPUID of leaf 0.
BODIES = ("nop", "store", "load", "out", "in", "cpuid")


def program(body: str, real_mode: bool, stride: int = 0, span: int = 0) -> bytes:
    """The loop over ``body``; each turn the address moves on by ``stride`` within ``span`` (a power of two, bytes)."""
    head, loop, tail = _head(real_mode), _loop(body, real_mode, stride, span), _tail(real_mode)
    text = head + loop + tail
    return text + b"\xeb" + struct.pack("b", -(len(text) + 2))


def _loop(body: str, real: bool, stride: int, span: int) -> bytes:
    turn = _operations(real)[body] + (_advance(real, stride, span) if stride else b"") + _wide(real) + b"\xff\xcd"
    return turn + b"\x75" + struct.pack("b", -(len(turn) + 2))  # dec ebp; jnz turn


def _wide(real: bool) -> bytes:
    return b"\x66" if real else b""  # 32-bit operand in 16-bit code


def _memory(real: bool) -> bytes:
    return b"\x67\x66" if real else b""  # 32-bit address and operand in 16-bit code


def _operations(real: bool) -> dict[str, bytes]:
    segment, wide, memory = b"\x26" if real else b"", _wide(real), _memory(real)
    return {
        "nop": b"",
        "store": segment + memory + b"\x89\x03",  # mov [ebx], eax
        "load": segment + memory + b"\x8b\x03",
        "out": wide + b"\xef",
        "in": wide + b"\xed",
        "cpuid": wide + b"\x31\xc0" + b"\x0f\xa2",  # xor eax, eax; cpuid
    }


def _advance(real: bool, stride: int, span: int) -> bytes:
    step, mask = struct.pack("I", stride), struct.pack("I", ~span & 0xFFFFFFFF)
    return _wide(real) + b"\x81\xc3" + step + _wide(real) + b"\x81\xe3" + mask  # add ebx, step; and ebx, mask


def _head(real: bool) -> bytes:
    moves = ("8b6f10", "8b5f14", "0f31", "8907", "895704", "8b4718", "8b571c")  # turns, address, TSC, value, port
    return b"".join(_prefixed(move, real) for move in moves)


def _tail(real: bool) -> bytes:
    moves = ("0f31", "894708", "89570c")
    return b"".join(_prefixed(move, real) for move in moves) + bytes((0xE6, DONE_PORT))


def _prefixed(code: str, real: bool) -> bytes:
    text = bytes.fromhex(code)
    return text if text == b"\x0f\x31" else _memory(real) + text


def fault_handler(wide: bool) -> bytes:
    """Handler of a page fault: drop the error code, step over the access of two bytes, return."""
    return bytes.fromhex("4883c408 4883042402 48cf" if wide else "83c404 83042402 cf").ljust(16, b"\x90")


def bad_handler() -> bytes:
    """Handler of every other exception: tells the host, again and again."""
    return bytes((0xE6, BAD_PORT, 0xEB, 0xFC))
