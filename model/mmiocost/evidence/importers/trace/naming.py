"""What lines name: threads, events and exit reasons, each with a number, and known to compiled code."""

from __future__ import annotations

import numpy as np

from .block import CANONICAL_SHIFT, CODE_IN_FIELD, CODE_IN_INFO1, CODE_SHIFT, NO_CODE, NOTHING
from .classes import PLAIN, REASON_KINDS
from .columns import Names
from .exit_reasons import isa_of
from .words import Names as Known

THREADS = 1 << 16
REASONS = 1 << 12
EVENTS = 1 << 12
OTHER = "(other)"  # what a hostile file's thousandth new name is counted as


class Naming:
    """Numbers for names; ``digits`` are those of the file's times behind the point, -1 before the first;
    ``before`` is the event of the last row before a block."""

    def __init__(self, form: str, isa: str | None, keep_names: bool) -> None:
        self.form, self.isa, self.digits, self.before = form, isa, -1, NOTHING
        self.names = Names()
        self.threads, self.events, self.reasons = Known(), Known(), Known()
        self.kinds = np.zeros(REASONS, np.int64)
        self._keep = keep_names
        self._tids: dict[int, int] = {}
        self._comms: dict[str, str] = {}
        self._events = {name: number for number, name in enumerate(self.names.event)}
        self._reasons: dict[str, int] = {}
        self._printed: dict[str, int] = {}

    def thread(self, tid: int, tgid: int, comm: str) -> int:
        """Number of a thread, -1 where there are more than THREADS; its name is a pseudonym unless names are kept."""
        number = self._tids.get(tid)
        if number is None:
            if len(self._tids) == THREADS:
                return -1
            number = self._tids[tid] = len(self._tids)
            self.names.tid.append(tid)
            self.names.tgid.append(tgid)
            self.names.comm.append(comm if self._keep else self._pseudonym(comm))
        return number

    def _pseudonym(self, comm: str) -> str:
        return self._comms.setdefault(comm, f"thread-{len(self._comms) + 1}")

    def event(self, name: str) -> int:
        """Number of an event."""
        return _numbered(name, self._events, self.names.event, EVENTS)

    def reason(self, canonical: str, printed: str) -> tuple[int, int]:
        """Numbers of a reason's canonical name and of the printed one."""
        number = _numbered(canonical, self._reasons, self.names.reason, REASONS)
        self.kinds[number] = REASON_KINDS.get(self.names.reason[number], PLAIN)
        self.isa = self.isa or isa_of(canonical)
        return number, _numbered(printed, self._printed, self.names.printed, REASONS)

    def learn_reason(self, printed: str, canonical: str, numbers: tuple[int, int]) -> None:
        """Let compiled code know a reason as printed."""
        code = CODE_IN_INFO1 if canonical in ("NPF", "EXCP_PF") else NO_CODE
        code = CODE_IN_FIELD if canonical == "EXCEPTION_NMI" else code
        value = numbers[1] | numbers[0] << CANONICAL_SHIFT | code << CODE_SHIFT
        self.reasons.learn(printed.encode(), value)


def _numbered(name: str, known: dict[str, int], names: list[str], most: int) -> int:
    number = known.get(name)
    if number is None:
        if len(names) >= most - 1:
            name = OTHER
        if name not in known:
            known[name] = len(names)
            names.append(name)
        number = known[name]
    return number
