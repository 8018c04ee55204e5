"""One line that compiled code did not read, put into its row."""

from __future__ import annotations

from typing import Any

from . import block as s
from .lines import Head, head, marker, no_event
from .naming import Naming
from .pairing import MARKER
from .payloads import BAD_NUMBER, CONTINUATION, UNRECOGNISED, Event, payload

_SPANS_LINES = "kvm_nested_vmrun"
_LARGEST_ID = (1 << 31) - 1


def read_line(text: str, naming: Naming, rows: Any, row: int) -> str:
    """Fill the row of a line, or leave it as none; returns the reason where the line is skipped."""
    if no_event(text):
        return ""
    found = head(text, naming.form)
    if found is None:
        if (lost := marker(text)) is None:
            return CONTINUATION if _follows(rows, row, naming) else UNRECOGNISED
        rows[s.KIND, row], rows[s.CPU, row], rows[s.NUMBER, row] = MARKER, lost.cpu, lost.lost
        return ""
    if naming.digits < 0:
        naming.digits = found.digits
    if (found.digits == 0) != (naming.digits == 0) or max(abs(found.tid), found.tgid) > _LARGEST_ID:
        return BAD_NUMBER
    said = payload(found.event, found.payload, naming.isa)
    if isinstance(said, str):
        return said
    thread = naming.thread(found.tid, found.tgid, found.comm)
    if thread < 0:
        return UNRECOGNISED
    _fill(rows, row, found, said, thread, naming)
    if found.prefix and text[: found.prefix].isascii():
        naming.threads.learn(text[: found.prefix].encode(), thread)
    if not found.token[0].isdecimal():  # it could be taken for a time
        naming.events.learn(found.token.encode(), naming.event(found.event))
    return ""


def _follows(rows: Any, row: int, naming: Naming) -> bool:
    """Whether the line before is of an event whose payload spans lines."""
    before = int(rows[s.KIND, row - 1]) if row else naming.before
    return before >= 0 and naming.names.event[before] == _SPANS_LINES


def _fill(rows: Any, row: int, found: Head, said: Event, thread: int, naming: Naming) -> None:
    reason = printed = -1
    if said.reason:
        reason, printed = naming.reason(said.reason, said.printed)
        # A number without a name may get one later, when another reason has told the ISA.
        named = naming.isa is not None or not said.reason.startswith("UNKNOWN (")
        if named and f"reason {said.printed} rip" in found.payload:
            naming.learn_reason(said.printed, said.reason, (reason, printed))
    values = {
        s.TIME: found.time, s.CPU: found.cpu, s.THREAD: thread, s.KIND: naming.event(found.event), s.VCPU: said.vcpu,
        s.REASON: reason, s.PRINTED: printed, s.ADDRESS: said.address, s.NUMBER: said.number, s.RW: said.rw,
        s.VALUE: max(said.value, 0), s.ERROR_CODE: said.error_code, s.GEN: said.gen, s.FLAG: said.flag,
    }  # fmt: skip
    for column, value in values.items():
        rows[column, row] = value
