"""Stand-ins for a Net, a vendor's wire and a call, to test the recognisers' shell alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from rapida_tw.audio.format import FRAME, Encoding, Samples
from rapida_tw.errors import RemoteProtocolError, VendorFailed
from rapida_tw.net.base import Answer, Frame, Net, Request, Socket, SocketReceiver
from rapida_tw.speech.base import RecognizerSink
from rapida_tw.speech.recognizers.wire import (
    Complaint,
    Event,
    Final,
    Flushed,
    Partial,
    Ready,
    RecognizerWire,
    Say,
    SpeechStarted,
    TurnEnded,
)


class MemorySocket:
    """Our end; the test is the vendor."""

    def __init__(self, receiver: SocketReceiver) -> None:
        self.receiver = receiver
        self.sent: list[bytes] = []
        self.pieces: list[bytes] = []  # of the call's audio
        self.open = True
        self.closing = False

    def send(self, payload: bytes, binary: bool = False) -> None:
        if self.open and not self.closing:
            self.sent.append(payload)
            if binary:
                self.pieces.append(payload)

    def close(self, code: int = 1000) -> None:
        self.closing = True

    def abort(self) -> None:
        self.end(1006)

    def end(self, code: int = 1006, reason: str = "") -> None:
        if self.open:
            self.open = False
            self.receiver.closed(code, reason)

    def says(self, *messages: str) -> None:
        for message in messages:
            if self.open:
                self.receiver.message_received(message.encode(), False)

    def commands(self) -> list[str]:
        """All that was sent but audio."""
        return [payload.decode() for payload in self.sent if payload not in self.pieces]


class MemoryNet:
    """Opens at once; or, as the next of `outcomes` says: fails, or (None) does not answer."""

    def __init__(self) -> None:
        self.sockets: list[MemorySocket] = []
        self.outcomes: list[VendorFailed | None] = []
        self.cancelled = 0
        self.tried = 0

    def connect(self, request: Request, receiver: SocketReceiver) -> Deferred[Socket]:
        self.tried += 1
        if self.outcomes:
            outcome = self.outcomes.pop(0)
            waiting: Deferred[Socket] = Deferred(self._cancelled)
            if outcome is not None:
                waiting.errback(Failure(outcome))
            return waiting
        self.sockets.append(MemorySocket(receiver))
        return succeed(self.sockets[-1])

    def _cancelled(self, waiting: Deferred[Socket]) -> None:
        self.cancelled += 1

    def request(self, request: Request) -> Deferred[Answer]:
        raise AssertionError("no HTTP here")

    @property
    def socket(self) -> MemorySocket:
        return self.sockets[-1]


_EVENTS: dict[str, Callable[[str], Event]] = {
    "ready": lambda text: Ready(),
    "partial": Partial,
    "final": lambda text: Final(text, 0.9),
    "flushed": lambda text: Flushed(),
    "voice": lambda text: SpeechStarted(),
    "turn": lambda text: TurnEnded(),
    "say": lambda text: Say((Frame(text.encode()),)),
    "warning": lambda text: Complaint(text, fatal=False),
    "error": Complaint,
    "never": lambda text: Complaint(text, retryable=False),
}


class PlainWire:
    """A vendor that says `kind text`, several to a message with `|` between."""

    encoding = Encoding.LINEAR16
    rate = 16_000
    gather = 100
    greets = False
    turns = False
    flush_within = 0.5
    keep_alive_every = 0.0
    catch_up = 0.0
    asks = True

    def address(self, net: Net) -> Deferred[Request]:
        return succeed(Request("wss://plain.example/"))

    def hello(self) -> Sequence[Frame]:
        return (Frame(b"<hello>"),)

    def audio(self, payload: bytes) -> Frame:
        return Frame(payload, binary=True)

    def finalize(self) -> Sequence[Frame]:
        return (Frame(b"<finalize>"),) if self.asks else ()

    def keep_alive(self) -> Sequence[Frame]:
        return (Frame(b"<keep alive>"),)

    def goodbye(self) -> Sequence[Frame]:
        return (Frame(b"<goodbye>"),)

    def received(self, payload: bytes, binary: bool) -> Sequence[Event]:
        events = []
        for one in payload.decode().split("|"):
            kind, _, text = one.partition(" ")
            if kind not in _EVENTS:
                raise RemoteProtocolError(f"no {kind}")
            events.append(_EVENTS[kind](text))
        return events

    def closed(self, code: int, reason: str) -> Complaint:
        return Complaint(reason or f"closed ({code})", retryable=code != 4001)


class Told:
    """A RecognizerSink that records, in one list."""

    def __init__(self) -> None:
        self.events: list[tuple[str, ...]] = []
        self.confidences: list[float] = []
        self.error: Exception | None = None

    def partial(self, text: str) -> None:
        self.events.append(("partial", text))

    def final(self, text: str, confidence: float) -> None:
        self.events.append(("final", text))
        self.confidences.append(confidence)

    def speech_started(self) -> None:
        self.events.append(("voice",))

    def turn_ended(self) -> None:
        self.events.append(("turn",))

    def failed(self, error: Exception) -> None:
        self.events.append(("failed", str(error)))
        self.error = error

    def finals(self) -> list[str]:
        return [event[1] for event in self.events if event[0] == "final"]


def numbered(number: int) -> Samples:
    """A frame that can be told from others: int16[320], all samples `number`."""
    return np.full(FRAME, number, np.int16)


_conforms: tuple[type[Net], type[Socket], type[RecognizerWire], type[RecognizerSink]] = (
    MemoryNet,
    MemorySocket,
    PlainWire,
    Told,
)
