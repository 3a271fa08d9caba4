"""What a local voice engine is, and the last of them: a tone where there is no voice."""

from __future__ import annotations

from threading import Event
from typing import Protocol

import numpy as np

from rapida_tw.audio.format import RATE, Samples


class EngineMissing(Exception):
    """The engine cannot be used on this machine; the text says what it lacks."""


class Engine(Protocol):
    """Turns text into audio, in whatever thread it is called."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def threads(self) -> int:
        """How many may speak at once."""

    @property
    def voices(self) -> tuple[str, ...]:
        """Their names; the first is the default."""

    def speak(self, phrase: str, voice: str, rate: float, cancelled: Event) -> tuple[Samples, int]:
        """int16[n] and its sample rate; may stop early when `cancelled` is set.

        `rate` 1.0 is the engine's ordinary speed, 2.0 twice as fast. `VendorFailed` says why not.
        """


class Tone:
    """Two beeps for a phrase: the caller notices that something was to be said."""

    name = "tone"
    threads = 1
    voices = ("tone",)

    def speak(self, phrase: str, voice: str, rate: float, cancelled: Event) -> tuple[Samples, int]:
        time = np.arange(RATE * 3 // 10) / RATE
        beep = np.sin(2 * np.pi * 425 * time) * 8000 * (time < 0.2)
        return np.tile(np.rint(beep).astype(np.int16), 2), RATE


_conforms: type[Engine] = Tone
