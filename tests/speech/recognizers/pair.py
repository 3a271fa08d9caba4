"""A wire of ours and the fake of its vendor, face to face, without sockets or a shell."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
from twisted.internet.task import Clock

from rapida_tw.audio.format import Encoding
from rapida_tw.audio.g711 import ALAW, MULAW
from rapida_tw.net.base import Frame, Nowhere, Request
from rapida_tw.sim.vendors.base import Asked, FakeVendor, Refusal
from rapida_tw.speech.recognizers.wire import Event, Final, Partial, Ready, RecognizerWire, Say


def asked(request: Request) -> Asked:
    """What the vendor sees of it."""
    parts = urlsplit(request.url)
    headers = {name.lower(): value for name, value in request.headers.items()}
    query = parse_qs(parts.query, keep_blank_values=True)
    return Asked(request.method, unquote(parts.path), query, headers, request.body)


class RecordingLine:
    """The vendor's end; keeps what the vendor does."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.sent: list[Frame] = []
        self.ended: tuple[int, str] | None = None  # (1006, ""): dropped

    def send(self, message: bytes | str | Mapping[str, Any]) -> None:
        if self.ended is None:
            binary = isinstance(message, bytes)
            if isinstance(message, Mapping):
                message = json.dumps(message)
            payload = message if isinstance(message, bytes) else message.encode()
            self.sent.append(Frame(payload, binary))

    def send_fragments(self, *pieces: bytes, binary: bool = False) -> None:
        self.send(b"".join(pieces) if binary else b"".join(pieces).decode())

    def close(self, code: int = 1000, reason: str = "") -> None:
        self.ended = self.ended or (code, reason)

    def drop(self) -> None:
        self.close(1006)

    def ping(self, payload: bytes = b"") -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...


class Pair:
    """Connected, greeted and ready. `told`: all that the wire understood, in order."""

    def __init__(self, wire: RecognizerWire, vendor: FakeVendor) -> None:
        self.wire = wire
        self.clock = Clock()
        self.line = RecordingLine(self.clock)
        self.request = request_of(wire)
        session = vendor.connect(asked(self.request), self.line)
        assert not isinstance(session, Refusal), session
        self.session = session
        self.told: list[Event] = []
        session.opened()
        self._tell(wire.hello())
        self._listen()
        assert not wire.greets or Ready() in self.told, (self.told, self.line.ended)

    def speak(self, seconds: float) -> None:
        """A voice, in the messages that the shell would send."""
        time = np.arange(round(seconds * self.wire.rate)) / self.wire.rate
        self._hear((8000 * np.sin(2 * np.pi * 200 * time)).astype(np.int16))

    def pause(self, seconds: float) -> None:
        self._hear(np.zeros(round(seconds * self.wire.rate), np.int16))

    def finalize(self) -> None:
        self._tell(self.wire.finalize())

    def goodbye(self) -> None:
        self._tell(self.wire.goodbye())

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self._listen()

    def say(self, frame: Frame) -> None:
        """Something that the wire itself would not."""
        self._tell((frame,))

    @property
    def partials(self) -> list[str]:
        return [one.text for one in self.told if isinstance(one, Partial)]

    @property
    def finals(self) -> list[str]:
        return [one.text for one in self.told if isinstance(one, Final)]

    @property
    def kinds(self) -> list[str]:
        """What was told, by its names, partials left out."""
        return [type(one).__name__ for one in self.told if not isinstance(one, Partial)]

    def _hear(self, samples: np.typing.NDArray[np.int16]) -> None:
        size = self.wire.rate * self.wire.gather // 1000
        for start in range(0, len(samples), size):
            self._tell((self.wire.audio(_coded(samples[start : start + size], self.wire)),))

    def _tell(self, frames: Sequence[Frame]) -> None:
        for frame in frames:
            if self.line.ended is None:
                self.session.received(frame.payload, frame.binary)
            self._listen()

    def _listen(self) -> None:
        while self.line.sent:
            for event in self.wire.received(*self.line.sent.pop(0)):
                self.told.append(event)
                if isinstance(event, Say):
                    self._tell(event.frames)


def _coded(samples: np.typing.NDArray[np.int16], wire: RecognizerWire) -> bytes:
    if wire.encoding is Encoding.LINEAR16:
        return samples.astype("<i2").tobytes()
    return (MULAW if wire.encoding is Encoding.MULAW else ALAW).encode(samples)


def request_of(wire: RecognizerWire) -> Request:
    """Where it would connect, of wires that ask nobody for that."""
    requests: list[Request] = []
    wire.address(Nowhere()).addCallback(requests.append)
    return requests[0]


def query_of(request: Request) -> dict[str, str]:
    """The fields of its query, each once."""
    fields = parse_qs(urlsplit(request.url).query, keep_blank_values=True)
    return {name: "|".join(values) for name, values in fields.items()}
