"""The port of carriers: webhook requests in, documents out, media messages both ways.

Everything here is a value or a codec without I/O, so a carrier is tested by tables. `web/talk.py`
knows Klein, `transports/websocket.py` knows sockets; a carrier is one file and one entry point.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from rapida_tw.audio.format import AudioFormat
from rapida_tw.carriers.outbound import Progress, RestControl
from rapida_tw.errors import CallError, End

# -- webhooks ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """A carrier's HTTP request. Names of headers are lower case; values are the last given.

    `form` holds the fields of an urlencoded or multipart body, `json` those of a JSON object.
    `url` is the one that the carrier was given: public scheme and host, raw path, raw query;
    signatures are made over it. Of a media socket's upgrade it is `wss://` or `ws://`.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    json: Mapping[str, Any] = field(default_factory=dict)
    url: str = ""

    def value(self, *names: str) -> str | None:
        """The first of `names` that the query, the form or the JSON has; None: none of them."""
        for name in names:
            for source in (self.query, self.form, self.json):
                if name in source:
                    found = source[name]
                    return found if isinstance(found, str) else str(found)
        return None


@dataclass(frozen=True, slots=True)
class IncomingCall:
    """What a carrier's webhook tells of a new call. Numbers as the carrier wrote them.

    `aliases`: further names under which the carrier's events may speak of the call. `media`: the
    format in which its audio will come and go, where that is certain; None: it will be seen.
    `context_id`: it is a call that we have placed, whose context waits; "": a new one.
    """

    carrier: str
    caller: str  # "" for an anonymous caller
    callee: str = ""
    provider_call_id: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    media: AudioFormat | None = None
    context_id: str = ""


@dataclass(frozen=True, slots=True)
class Invitation:
    """A registered call: what the carrier is told so that its media comes to us.

    `media_url` (wss or ws) has no query; `event_url` takes status callbacks. `options` are those
    of the assistant's phone deployment.
    """

    context_id: str
    media_url: str
    event_url: str
    assistant_id: int
    conversation_id: int
    incoming: IncomingCall
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Document:
    """The answer to a webhook."""

    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CarrierEvent:
    """What a status callback tells of a call.

    `name` is for the history: `status.<the carrier's word>` for the call's own life, otherwise
    `stream.…`, `recording.…`, `machine.…` or the carrier's own type; `call_ids` are the names by
    which the call can be found when the address does not tell; `data` is flat and holds no secret.
    `progress`: where the call itself is by that, if it tells. `verdict`: who has answered: human,
    machine, beep (its greeting is over, with a tone), silence (over, without one), fax or unknown.
    """

    name: str
    call_ids: tuple[str, ...] = ()
    data: Mapping[str, str] = field(default_factory=dict)
    progress: Progress | None = None
    verdict: str = ""


# -- media ------------------------------------------------------------------------------------


class Message(NamedTuple):
    """One WebSocket message."""

    payload: bytes
    binary: bool = False


class Started(NamedTuple):
    """The stream can carry audio from now on; the wire's `format` is final.

    `call_id` is the carrier's name of the call, `context_id` what the message itself says about
    whose call it is ("" where it says nothing else than the socket's address). `detail` tells for
    the log how the format was found where the far side does not plainly say it.
    """

    call_id: str = ""
    context_id: str = ""
    detail: str = ""


class Audio(NamedTuple):
    """Some audio of the caller in the wire's format, of any whole number of samples."""

    payload: bytes


class Digit(NamedTuple):
    """A pressed key, 0-9 A-D * #, once."""

    digit: str


class MarkHeard(NamedTuple):
    """All that was sent before that mark has been played."""

    name: str


class Full(NamedTuple):
    """The far side takes no more audio (True), or takes audio again."""

    full: bool


class Complaint(NamedTuple):
    """The far side did not like something of ours; for the log and the call's history."""

    text: str


class Stopped(NamedTuple):
    """The far side says that the stream is over."""

    end: End


MediaEvent = Started | Audio | Digit | MarkHeard | Full | Complaint | Stopped
NOTHING: tuple[()] = ()


class MediaWire(Protocol):
    """The messages of one call's media socket; no I/O, no clock.

    Only `received` may raise: `RemoteProtocolError` for a message that makes no sense. Such a
    message is counted and ignored, unless there are many of them; one from before the start ends
    the connection.
    """

    format: AudioFormat
    one_frame_a_record: bool  # the far side reads a single WebSocket frame of each TLS record

    def received(self, message: bytes, binary: bool) -> Sequence[MediaEvent]:
        """Understand one message. Text is not yet known to be UTF-8."""

    def audio(self, payload: bytes) -> Sequence[Message]:
        """Exactly one tick in `format`; a wire whose messages are longer gathers it."""

    def mark(self, name: str) -> Sequence[Message]:
        """Have `MarkHeard(name)` come back when all audio so far has been played.

        What was gathered goes out first. A far side without marks: NOTHING.
        """

    def clear(self) -> Sequence[Message]:
        """Have the far side forget what it has not played."""

    def digits(self, digits: str) -> Sequence[Message]:
        """Send 0-9 A-D * # to the far side; `NotSupported` where the wire cannot."""

    def hang_up(self) -> Sequence[Message]:
        """What is said before we close."""


# -- the carrier ------------------------------------------------------------------------------


class Carrier(Protocol):
    """One telephony provider: stateless, one a process, found by `rapida_tw.carriers`."""

    name: str
    description: str
    credential_fields: Mapping[str, str]  # of its stored credential: name → sentence
    subprotocols: tuple[str, ...]  # WebSocket subprotocols that are accepted when offered
    control: RestControl | None  # its REST API, where it has one to place and steer calls with
    context_in_band: bool  # a media socket without a context in its address tells it by `Started`

    def read_call(self, request: WebhookRequest) -> IncomingCall:
        """Understand the webhook of a new call; `BadRequest` says what is missing."""

    def answer(self, invitation: Invitation, request: WebhookRequest) -> Document:
        """Tell the carrier to open its media connection for the context."""

    def apology(self, error: CallError) -> Document:
        """Refuse the call in the form that the carrier understands.

        Where the carrier can speak to the caller, it says `error.spoken`.
        """

    def read_event(self, request: WebhookRequest) -> CarrierEvent:
        """Understand a status callback; `BadRequest` where there is nothing to understand."""

    def verify(self, request: WebhookRequest, secrets: Mapping[str, str], now: float) -> bool:
        """Whether the request's signature proves that the carrier sent it.

        False: it carries none, or `secrets` (the stored credential, maybe empty) has nothing to
        check it with. `Forged` when it is wrong, too old, or missing where it must be there.
        """

    def media(self, request: WebhookRequest, options: Mapping[str, Any]) -> MediaWire:
        """The wire for the socket that `request` opens; `options` of the phone deployment.

        `NotSupported` for a carrier without media sockets.
        """
