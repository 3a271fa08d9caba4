"""What becomes of a call to somebody: picked up, busy, nobody there, or an answering machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np

from rapida_tw.audio.format import RATE, Samples
from rapida_tw.sim.caller import Caller, Tell
from rapida_tw.sim.phone import Phone
from rapida_tw.sim.voices import hum

_BEEP_HZ = 1_000
_BEEP_LASTS = 0.4  # seconds
_HUMAN_KNOWN_AFTER = 1.6  # seconds behind the answer: a word, and quiet
_MACHINE_KNOWN_AFTER = 2.4  # Twilio's MachineDetectionSpeechThreshold: a long sentence
_SILENCE_KNOWN_AFTER = 1.2  # MachineDetectionSpeechEndThreshold


class Reaction(Enum):
    """Whoever is called."""

    ANSWERS = "answers"
    MACHINE = "machine"
    BUSY = "busy"
    NOBODY = "nobody"  # rings until the carrier, or who placed the call, gives up
    DECLINES = "declines"
    FAILED = "failed"  # there is no such number


@dataclass(frozen=True, slots=True)
class Habit:
    """`after`: seconds of ringing until it happens. `phone` makes who is on the line then.

    Of a machine: the seconds of its `greeting`, whether it beeps, and for how long it listens.
    `lasts`: seconds that somebody talks to whom the call is transferred.
    """

    reaction: Reaction = Reaction.ANSWERS
    after: float = 2.0
    phone: Callable[[], Phone] = Caller
    greeting: float = 4.0
    beeps: bool = True
    listens: float = 20.0
    lasts: float = 5.0

    def picks_up(self, elapsed: float = 0.0, tell: Tell | None = None) -> Phone:
        """Who is there, `elapsed` seconds behind the answer."""
        if self.reaction is not Reaction.MACHINE:
            return self.phone()
        return answering_machine(
            max(self.greeting - elapsed, 0.0), beeps=self.beeps, listens=self.listens, tell=tell
        )


def answering_machine(
    greeting: float, *, beeps: bool = True, listens: float = 20.0, tell: Tell | None = None
) -> Caller:
    """Says its greeting, beeps, listens, and hangs up."""
    machine = Caller(tell)
    if greeting:
        machine.says(hum(greeting), at=0.0, text="please leave a message")
    if beeps:
        machine.says(beep(), at=greeting + 0.1, text="beep")
    machine.hangs_up(at=greeting + listens)
    return machine


def beep() -> Samples:
    """The tone behind which one may speak: int16[n], 16 kHz."""
    time = np.arange(round(_BEEP_LASTS * RATE)) / RATE
    tone: Samples = np.rint(8_000 * np.sin(2 * np.pi * _BEEP_HZ * time)).astype(np.int16)
    return tone


class Verdict(Enum):
    """Who has answered, as a carrier finds out."""

    HUMAN = "human"
    MACHINE = "machine"
    BEEP = "beep"  # its greeting is over, with a tone
    SILENCE = "silence"  # ... without one


@dataclass(frozen=True, slots=True)
class Detection:
    """What was asked for: to know of a machine at its `start`, of its greeting's `end`, or both.

    `waits`: the call's document waits for the verdict. `hangs_up`: on machines.
    """

    start: bool = True
    end: bool = False
    waits: bool = False
    hangs_up: bool = False

    def verdicts(self, habit: Habit) -> list[tuple[float, Verdict]]:
        """What is found, and how many seconds behind the answer."""
        if habit.reaction is not Reaction.MACHINE:
            return [(_HUMAN_KNOWN_AFTER, Verdict.HUMAN)]
        found = []
        if self.start:
            found.append((min(_MACHINE_KNOWN_AFTER, habit.greeting), Verdict.MACHINE))
        if self.end:
            if habit.beeps:
                found.append((habit.greeting + 0.1 + _BEEP_LASTS, Verdict.BEEP))
            else:
                found.append((habit.greeting + _SILENCE_KNOWN_AFTER, Verdict.SILENCE))
        return found
