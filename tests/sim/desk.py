"""A line that only notes what its dialect does with it, and plays when it is told to."""

from __future__ import annotations

import json
from typing import Any

from rapida_tw.sim.buffer import Buffer
from rapida_tw.sim.carrier import Dialect
from rapida_tw.sim.phone import Ending

INTERVAL = 0.02  # seconds


class RecordingDesk:
    """The `Desk` of one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self.interval = INTERVAL
        self.dialect = dialect
        self.said: list[str | bytes] = []
        self.complaints: list[str] = []
        self.ended: list[Ending] = []
        self.was_cut: list[Ending] = []
        self.buffer = Buffer(
            dialect.rate, INTERVAL, dialect.playing, lambda name: dialect.reached(self, name)
        )

    def say(self, message: str | bytes, media: bool = False) -> None:
        self.said.append(message)

    def complain(self, why: str) -> None:
        self.complaints.append(why)

    def end(self, ending: Ending) -> None:
        self.ended.append(ending)

    def cut(self, ending: Ending) -> None:
        self.was_cut.append(ending)

    # -- for tests --------------------------------------------------------------------------------

    def open(self) -> RecordingDesk:
        """The connection is up, and what was said at that is forgotten."""
        self.dialect.opened(self)
        self.said.clear()
        return self

    def told(self) -> list[Any]:
        """The text messages since the last time, read as JSON; binary ones are left out."""
        told = [json.loads(message) for message in self.said if isinstance(message, str)]
        self.said.clear()
        return told

    def hear(self, message: object) -> None:
        """The server sends it: bytes as they are, anything else as JSON."""
        if isinstance(message, bytes):
            self.dialect.binary(self, message)
        else:
            self.dialect.text(self, json.dumps(message))

    def play(self, beats: int) -> int:
        """Let so many beats pass; in how many of them there was something to hear."""
        return sum(self.buffer.play() is not None for _ in range(beats))
