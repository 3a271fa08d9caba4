"""A vendor of the plainest kind and a Net that records, for tests of the shells alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from rapida_tw.audio.format import Encoding
from rapida_tw.errors import RemoteProtocolError, VendorFailed
from rapida_tw.net.base import Answer, BodyReceiver, Frame, Net, Request, Socket, SocketReceiver
from rapida_tw.speech.base import Word
from rapida_tw.speech.voices.wire import (
    Audio,
    BodyReader,
    Complaint,
    Done,
    Event,
    Ready,
    VoiceRequest,
    VoiceWire,
    Words,
)


class PlainWire:
    """Messages are words apart by blanks: `audio p1 <hex>`, `done p1`, `complaint p1 <reason>`."""

    encoding = Encoding.LINEAR16
    rate = 16_000
    greets = False
    contexts = 3
    per_minute = 0
    keep_alive_every = 0.0
    idle = 0.0
    cancels = True

    def address(self, net: Net) -> Deferred[Request]:
        return succeed(Request("wss://voice.example/"))

    def hello(self) -> Sequence[Frame]:
        return (Frame(b"hello"),)

    def say(self, context: str, text: str) -> Sequence[Frame]:
        return (Frame(f"say {context} {text}".encode()),)

    def cancel(self, context: str) -> Sequence[Frame] | None:
        return (Frame(f"cancel {context}".encode()),) if self.cancels else None

    def keep_alive(self) -> Sequence[Frame]:
        return (Frame(b"still here"),)

    def goodbye(self) -> Sequence[Frame]:
        return (Frame(b"goodbye"),)

    def received(self, payload: bytes, binary: bool) -> Sequence[Event]:
        kind, _, rest = payload.decode().partition(" ")
        context, _, value = rest.partition(" ")
        context = "" if context == "-" else context
        match kind:
            case "audio":
                return (Audio(context, bytes.fromhex(value)),)
            case "word":
                return (Words(context, (Word(value, 0.0, 1.0),)),)
            case "done":
                return (Done(context),)
            case "ready":
                return (Ready(),)
            case "complaint" | "final":
                return (Complaint(context, value, kind == "complaint"),)
            case "all":  # a whole phrase in one message
                return (Audio(context, SECOND), Done(context))
            case _:
                raise RemoteProtocolError(f"no {kind}")

    def closed(self, code: int, reason: str) -> Complaint:
        return Complaint("", f"closed with {code}", code != 1008)


SECOND = np.full(16_000, 1000, "<i2").tobytes()
_wire: type[VoiceWire] = PlainWire


class PlainSocket:
    """The vendor's end is `say`, `close` and `drop`."""

    def __init__(self, receiver: SocketReceiver) -> None:
        self._receiver = receiver
        self.sent: list[str] = []
        self.open = True
        self.closing = False  # we have said goodbye
        self.code = 0

    def send(self, payload: bytes, binary: bool = False) -> None:
        if self.open and not self.closing:
            self.sent.append(payload.decode())

    def close(self, code: int = 1000) -> None:
        self.closing = True

    def abort(self) -> None:
        self.end(1006)

    def say(self, message: str) -> None:
        if self.open:
            self._receiver.message_received(message.encode(), False)

    def sound(self, context: str, seconds: float = 0.1, level: int = 1000) -> None:
        self.say(f"audio {context} {np.full(int(16_000 * seconds), level, '<i2').tobytes().hex()}")

    def end(self, code: int = 1000) -> None:
        """Closed, by whomever."""
        if self.open:
            self.open = False
            self.code = code
            self._receiver.closed(code, "")


class PlainNet:
    """`sockets` that were asked for, in their order. When `slow`, they wait for `connected`.

    The next ones fail as `failing` says. `asked`: for answers to `requests`.
    """

    def __init__(self) -> None:
        self.sockets: list[PlainSocket] = []
        self.slow = False
        self._waiting: list[Deferred[Socket]] = []
        self.failing: list[VendorFailed] = []
        self.requests: list[Request] = []
        self.asked: list[Deferred[Answer]] = []
        self.given_up: list[Deferred[Answer]] = []

    def connect(self, request: Request, receiver: SocketReceiver) -> Deferred[Socket]:
        if self.failing:
            raise self.failing.pop(0)
        self.sockets.append(PlainSocket(receiver))
        if not self.slow:
            return succeed(self.sockets[-1])
        self._waiting.append(Deferred())
        return self._waiting[-1]

    def connected(self) -> None:
        """The latest one has been waited for."""
        self._waiting[-1].callback(self.sockets[-1])

    def request(self, request: Request) -> Deferred[Answer]:
        self.requests.append(request)
        asked: Deferred[Answer] = Deferred(self.given_up.append)
        self.asked.append(asked)
        return asked


class PlainAnswer:
    def __init__(self, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.headers = headers or {}
        self.receiver: BodyReceiver | None = None
        self.words: Deferred[str] = Deferred()
        self.aborted = False

    def read(self, receiver: BodyReceiver) -> None:
        self.receiver = receiver

    def text(self, limit: int = 65_536) -> Deferred[str]:
        return self.words

    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def abort(self) -> None:
        self.aborted = True

    def sound(self, seconds: float = 0.1) -> None:
        assert self.receiver is not None
        self.receiver.data_received(SECOND[: int(32_000 * seconds)])

    def end(self, failure: VendorFailed | None = None) -> None:
        assert self.receiver is not None
        self.receiver.ended(failure)


class PlainReader:
    encoding = Encoding.LINEAR16
    rate = 16_000

    def feed(self, data: bytes) -> bytes:
        if data.startswith(b"{"):
            raise RemoteProtocolError("JSON")
        return data

    def finish(self) -> bytes:
        return b""


class PlainRequest:
    def request(self, net: Net, text: str) -> Deferred[Request]:
        return succeed(Request("https://voice.example/", "POST", body=text.encode()))

    def reader(self) -> BodyReader:
        return PlainReader()

    def refused(self, status: int, body: str) -> Complaint:
        return Complaint("", f"{status} {body}", status != 401)


_request: type[VoiceRequest] = PlainRequest
_net: type[Net] = PlainNet


def nothing_left(clock: Clock) -> bool:
    """No timer waits."""
    return not clock.getDelayedCalls()
