"""A recogniser's shell with stand-ins around it, and a clock."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import SILENCE, TICK
from rapida_tw.speech.recognizers.line import SocketRecognizer
from tests.speech.recognizers.stand_in import MemoryNet, PlainWire, Told, numbered

VOICE = numbered(5000)


class ShellCase(SynchronousTestCase):
    """`self.wire` is the class of the vendor's wires; attributes may be set by `make`."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.net = MemoryNet()
        self.told = Told()
        self.make()

    def make(self, **attributes: Any) -> None:
        """The recogniser anew, its wire with these attributes."""
        wire = type("Wire", (PlainWire,), attributes)
        self.recognizer = SocketRecognizer(self.net, self.clock, "Plain", wire, lambda: 0.5)

    def start(self, **attributes: Any) -> None:
        if attributes:
            self.make(**attributes)
        starting = self.recognizer.start(self.told)
        if attributes.get("greets"):
            self.says("ready")
        self.successResultOf(starting)

    def hear(self, count: int, first: int = 0) -> None:
        """Frames of the call, in real time, each of which can be told; too quiet for a voice."""
        for number in range(first, first + count):
            self.recognizer.hear(numbered(number))
            self.clock.advance(TICK)

    def voice(self, count: int) -> None:
        for _ in range(count):
            self.recognizer.hear(VOICE)
            self.clock.advance(TICK)

    def silence(self, count: int) -> None:
        for _ in range(count):
            self.recognizer.hear(SILENCE)
            self.clock.advance(TICK)

    def utter(self) -> None:
        """A second of voice and half of silence, with the detector's cue."""
        self.recognizer.speech_started()
        self.voice(50)
        self.silence(25)

    def says(self, *messages: str) -> None:
        self.net.socket.says(*messages)

    def heard(self, socket: int = -1) -> list[int]:
        """The numbers of the frames that the vendor got on one of its sockets."""
        audio = b"".join(self.net.sockets[socket].pieces)
        return list(audio[:: len(numbered(0).tobytes())])

    def wait(self, seconds: float) -> None:
        """Time in which the call is silent, in steps as small as a beat."""
        for _ in range(round(seconds / TICK)):
            self.clock.advance(TICK)
