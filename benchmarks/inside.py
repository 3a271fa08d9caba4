"""The server's own way from a received packet to the recogniser, without sockets or a network."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import numpy as np
from twisted.internet.defer import Deferred, succeed
from twisted.internet.testing import StringTransport

from benchmarks.report import Row
from benchmarks.through import through
from rapida_tw.audio.format import TICK, Samples
from rapida_tw.simulation import VirtualServer
from rapida_tw.speech.base import Recognizer
from rapida_tw.speech.scripted import ScriptedRecognizer

_REPLIES = {"replies": [["yes", "Yes."]], "otherwise": "Pardon?"}


class _Ear(ScriptedRecognizer):
    """Tells of each frame that reaches it."""

    def __init__(self, heard: Callable[[], None]) -> None:
        super().__init__(deque())
        self._heard_frame = heard

    def hear(self, frame: Samples) -> None:
        self._heard_frame()


class _Ears:
    description = "counts frames"

    def __init__(self, heard: Callable[[], None]) -> None:
        self._heard = heard

    def open(self, options: Mapping[str, Any], *account: object) -> Recognizer:
        return _Ear(self._heard)

    def stop(self) -> Deferred[None]:
        return succeed(None)


class _Wire(StringTransport):
    """As much of a TCP transport as AudioSocket asks for."""

    def setTcpNoDelay(self, enabled: bool) -> None:
        """There is nothing to delay."""

    def write(self, data: bytes) -> None:
        """Nobody reads it."""


def audiosocket(heard: Callable[[], None]) -> Callable[[bytes], None]:
    """A connected AudioSocket call; what takes its packets."""
    server = VirtualServer(_REPLIES, {"greeting": "", "idle_timeout": 600.0})
    server.vendors.recognizers.add("virtual", _Ears(heard))
    protocol = server.factory.buildProtocol(None)
    assert protocol is not None
    protocol.makeConnection(_Wire())
    protocol.dataReceived(b"\x01\x00\x10" + UUID(server.register().id).bytes)
    server.clock.run(0.1)

    def receive(packet: bytes) -> None:
        protocol.dataReceived(packet)
        # Time passes after the packet was heard: more packets at once would be a flood.
        server.clock.run(server.clock.seconds() + TICK)

    return receive


def measure() -> Row:
    """5000 packets of faint noise, as a quiet line has it."""
    noise = np.random.default_rng(1).normal(0, 30, 160).astype("<i2").tobytes()
    return through(audiosocket, b"\x10\x01\x40" + noise)
