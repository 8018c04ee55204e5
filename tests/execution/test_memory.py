from __future__ import annotations

import threading

from mmiocost.execution.memory import MemoryGate, available


def test_the_machine_has_some_memory_left() -> None:
    assert available() > 0


def test_another_kernel_waits_for_memory_but_a_lone_one_does_not() -> None:
    """With too little memory for one, work goes on one at a time."""
    left = [0]
    gate = MemoryGate(needed=100, left=lambda: left[0])
    assert gate.enter()
    entered = threading.Event()
    other = threading.Thread(target=lambda: gate.enter() and entered.set())
    other.start()
    assert not entered.wait(0.1)
    gate.leave()
    other.join()
    assert entered.is_set()
    left[0] = 100
    assert gate.enter()


def test_a_closed_gate_lets_nobody_in() -> None:
    gate = MemoryGate(needed=100, left=lambda: 0)
    assert gate.enter()
    waiting = threading.Thread(target=gate.enter)
    waiting.start()
    gate.close()
    waiting.join()
    assert not gate.enter()
