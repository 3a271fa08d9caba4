"""What befalls utterances at a fake recogniser."""

from __future__ import annotations

import numpy as np
import pytest
from twisted.internet.task import Clock

from rapida_tw.sim.vendors.hearing import Began, Ended, Script, Words
from rapida_tw.sim.vendors.listening import Ear, Manners, Trouble

RATE = 8_000
SPOKEN = ["began", "yes", "yes."]


class Recorder:
    """A fake that says nothing but notes what it is told to say."""

    def __init__(self) -> None:
        self.did: list[str] = []

    def began(self, heard: Began) -> None:
        self.did.append("began")

    def words(self, heard: Words) -> None:
        self.did.append(heard.text)

    def ended(self, heard: Ended) -> None:
        self.did.append(f"{heard.text}.")

    def garbage(self) -> None:
        self.did.append("garbage")

    def error(self) -> None:
        self.did.append("error")

    def unknown(self) -> None:
        self.did.append("unknown")

    def close(self) -> None:
        self.did.append("close")

    def drop(self) -> None:
        self.did.append("drop")


class Listening:
    def __init__(self, *troubles: Trouble | None) -> None:
        self.clock = Clock()
        self.teller = Recorder()
        manners = Manners()
        manners.troubles.extend(troubles)
        script = Script(["yes", "no"])
        self.ear = Ear(self.clock, script, manners, self.teller, "linear16", RATE)

    def speak(self) -> list[str]:
        """One word and a pause; what was told of it."""
        time = np.arange(RATE * 3 // 10) / RATE
        self.teller.did.clear()
        self.ear.hear((8000 * np.sin(2 * np.pi * 200 * time)).astype("<i2").tobytes())
        self.ear.hear(bytes(2 * RATE * 4 // 10))
        return self.teller.did


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (None, SPOKEN),
        (Trouble.SILENCE, []),
        (Trouble.NO_FINAL, ["began", "yes"]),
        (Trouble.UNKNOWN, ["began", "unknown", "yes", "yes."]),
        (Trouble.GARBAGE, ["began", "garbage", "yes."]),
        (Trouble.ERROR, ["began", "error", "yes."]),
        (Trouble.CLOSE, ["began", "close", "yes."]),
        (Trouble.DROP, ["began", "drop", "yes."]),
    ],
)
def test_trouble(trouble: Trouble | None, told: list[str]) -> None:
    """It befalls the next utterance, and no other."""
    listening = Listening(trouble)
    assert listening.speak() == told
    assert listening.speak() == ["began", "no", "no."]


def test_late() -> None:
    """Its end is told a second late."""
    listening = Listening(Trouble.LATE)
    assert listening.speak() == ["began", "yes"]
    listening.clock.advance(0.99)
    assert listening.teller.did == ["began", "yes"]
    listening.clock.advance(0.01)
    assert listening.teller.did == SPOKEN


def test_gone() -> None:
    """After the client's end nothing is told, and nothing waits."""
    listening = Listening(Trouble.LATE)
    listening.speak()
    listening.ear.stop()
    assert not listening.clock.getDelayedCalls()
    assert listening.speak() == []


def test_flush() -> None:
    """An utterance ends when it is asked to; whether there was one is told."""
    listening = Listening()
    assert not listening.ear.flush()
    listening.ear.hear(b"\x00\x40" * (RATE * 3 // 10))
    assert listening.ear.flush()
    assert listening.teller.did == SPOKEN
