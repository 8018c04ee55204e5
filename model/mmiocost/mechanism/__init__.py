"""What KVM and the CPU do: a reference machine that executes accesses and counts events."""

from .accesses import (
    Access,
    Action,
    BusLookup,
    Instruction,
    SetBypass,
    SetMmioCaching,
    SlotLookup,
    SlotUpdate,
    WalkOnly,
)
from .builder import build
from .counter import Step
from .memory import Outcome
from .running import run, simulate, trace
from .world import World

__all__ = [
    "Access",
    "Action",
    "BusLookup",
    "Instruction",
    "Outcome",
    "SetBypass",
    "SetMmioCaching",
    "SlotLookup",
    "SlotUpdate",
    "Step",
    "WalkOnly",
    "World",
    "build",
    "run",
    "simulate",
    "trace",
]
