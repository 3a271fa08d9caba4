"""A wire of ours and the fake of its vendor, face to face, without sockets or a shell."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from rapida_tw.audio.format import Encoding
from rapida_tw.audio.g711 import ALAW, MULAW
from rapida_tw.net.base import (
    Answer,
    BodyReceiver,
    Frame,
    Net,
    Nowhere,
    Request,
    Socket,
    SocketReceiver,
)
from rapida_tw.sim.vendors.base import Asked, FakeVendor, Refusal
from rapida_tw.speech.recognizers.wire import Event, Final, Partial, Ready, RecognizerWire, Say


def asked(request: Request) -> Asked:
    """What the vendor sees of it."""
    parts = urlsplit(request.url)
    headers = {name.lower(): value for name, value in request.headers.items()}
    headers["host"] = parts.netloc
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


class AskingNet:
    """Requests are answered by the fake at once; its sockets are the Pair's business."""

    def __init__(self, vendor: FakeVendor) -> None:
        self._vendor = vendor
        self.asked: list[Asked] = []

    def connect(self, request: Request, receiver: SocketReceiver) -> Deferred[Socket]:
        raise NotImplementedError

    def request(self, request: Request) -> Deferred[Answer]:
        answer = RecordedAnswer()
        self.asked.append(asked(request))
        self._vendor.answer(self.asked[-1], answer)
        return succeed(answer)


class RecordedAnswer:
    """Both ends of one: the vendor writes it, we read it."""

    clock = Clock()
    gone = False

    def __init__(self) -> None:
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self._body = b""

    def whole(self, status: int, body: bytes | str | Mapping[str, Any] | list[Any]) -> None:
        self.status = status
        if isinstance(body, Mapping | list):
            body = json.dumps(body)
        self._body = body if isinstance(body, bytes) else body.encode()

    def text(self, limit: int = 65_536) -> Deferred[str]:
        return succeed(self._body.decode())

    def head(self, status: int, headers: Mapping[str, str] | None = None) -> None: ...
    def write(self, data: bytes) -> None: ...
    def end(self) -> None: ...
    def drop(self) -> None: ...
    def read(self, receiver: BodyReceiver) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def abort(self) -> None: ...


class Pair:
    """Connected, greeted and ready. `told`: all that the wire understood, in order."""

    def __init__(self, wire: RecognizerWire, vendor: FakeVendor) -> None:
        self.wire = wire
        self.clock = Clock()
        self.line = RecordingLine(self.clock)
        self.request = request_of(wire, AskingNet(vendor))
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


def request_of(wire: RecognizerWire, net: Net | None = None) -> Request:
    """Where it would connect; what it raises when it finds no address."""
    requests: list[Any] = []
    wire.address(net or Nowhere()).addBoth(requests.append)
    (request,) = requests
    if isinstance(request, Failure):
        request.raiseException()
    assert isinstance(request, Request)
    return request


def query_of(request: Request) -> dict[str, str]:
    """The fields of its query, each once."""
    fields = parse_qs(urlsplit(request.url).query, keep_blank_values=True)
    return {name: "|".join(values) for name, values in fields.items()}
