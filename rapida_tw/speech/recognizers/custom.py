"""Any recogniser with a WebSocket, by the rules of a deployment (speech/rules.py; PRODUCT, e.7).

Packets of ours: `turn_change` when the socket is open and after each turn, `audio`, `finish` when
the turn seems over, `keep_alive` and `close`. A message of the vendor's may emit `script` (the
words), `interim` (they may still change), `confidence`, `language` and `error`.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from twisted.internet.defer import Deferred, succeed

from rapida_tw.account import NOBODY, Account
from rapida_tw.audio.format import RATE, Encoding
from rapida_tw.errors import MisconfiguredAssistant, RemoteProtocolError
from rapida_tw.net.base import Frame, Net, Request
from rapida_tw.options import read, within
from rapida_tw.speech.base import Options, Recognizer
from rapida_tw.speech.custom import (
    HTTP,
    WEBSOCKET,
    address,
    compatibility,
    encoding_named,
    rules,
)
from rapida_tw.speech.recognizers.custom_upload import CustomTranscriber
from rapida_tw.speech.recognizers.provider import SocketRecognizerProvider
from rapida_tw.speech.recognizers.uploads import UploadRecognizer
from rapida_tw.speech.recognizers.wire import Complaint, Event, Final, Partial, RecognizerWire
from rapida_tw.speech.rules import RequestRules, ResponseRules
from rapida_tw.speech.wav import wav

PACKETS = ("turn_change", "audio", "finish", "interrupt", "keep_alive", "close")
EMITS = ("script", "confidence", "language", "interim", "error")
_VENDOR = "the custom recogniser"
_LINEAR = Encoding.LINEAR16


@dataclass(frozen=True, slots=True)
class CustomOptions:
    """`flush_within`: seconds for the answer to `finish`. `keep_alive`: seconds without audio.

    `audio_encoding`: LINEAR16 or MuLaw8; `audio_sample_rate` in Hz.
    """

    language: str = "en-US"
    model: str = ""
    audio_encoding: str = "LINEAR16"
    audio_sample_rate: int = 16_000
    gather: int = 100
    flush_within: float = 1.5
    keep_alive: float = 0.0
    query_params: dict[str, Any] | None = None
    request_rules: list[Any] | None = None
    response_rules: list[Any] | None = None

    def __post_init__(self) -> None:
        within("audio.sample_rate", self.audio_sample_rate, 8_000, 48_000)
        within("gather", self.gather, 20, 1_000)
        within("flush_within", self.flush_within, 0.1, 10)
        within("keep_alive", self.keep_alive, 0, 60)
        encoding_named(self.audio_encoding)


class CustomWire:
    """One connection."""

    greets = False
    turns = False
    catch_up = 0.0

    def __init__(
        self,
        options: CustomOptions,
        request: Request,
        requests: RequestRules,
        responses: ResponseRules,
    ) -> None:
        self.encoding = encoding_named(options.audio_encoding)
        self.rate = options.audio_sample_rate
        self.gather = options.gather
        self.flush_within = options.flush_within
        self.keep_alive_every = options.keep_alive if requests.count("keep_alive") else 0.0
        self._options = options
        self._request = request
        self._requests = requests
        self._responses = responses
        self._turn = ""
        self._packet = ""
        self._audio = b""

    def address(self, net: Net) -> Deferred[Request]:
        return succeed(self._request)

    def hello(self) -> Sequence[Frame]:
        self._turn = uuid4().hex
        return self._frames("turn_change")

    def audio(self, payload: bytes) -> Frame:
        self._audio = payload
        return self._frames("audio")[0]

    def finalize(self) -> Sequence[Frame]:
        finish = self._frames("finish")
        self._turn = uuid4().hex
        return (*finish, *self._frames("turn_change"))

    def keep_alive(self) -> Sequence[Frame]:
        return self._frames("keep_alive")

    def goodbye(self) -> Sequence[Frame]:
        return self._frames("close")

    def received(self, payload: bytes, binary: bool) -> Sequence[Event]:
        emitted = self._responses.emitted(payload, binary, self._variable)
        return [event for one in emitted for event in _events(one)]

    def closed(self, code: int, reason: str) -> Complaint:
        why = f"{code} {reason}".rstrip()
        return Complaint(f"{_VENDOR} closed the connection ({why})")

    def _frames(self, packet: str) -> Sequence[Frame]:
        self._packet = packet
        return self._requests.frames(packet, self._variable)

    def _variable(self, name: str) -> Any:
        make = _VARIABLES[name]
        return make(self)

    def _pcm(self) -> bytes:
        if self.encoding is not _LINEAR:
            raise RemoteProtocolError("packet.audio.pcm_base64 needs audio.encoding LINEAR16")
        return self._audio


_VARIABLES: Mapping[str, Callable[[CustomWire], Any]] = {
    "packet.kind": lambda wire: wire._packet,
    "packet.context_id": lambda wire: wire._turn,
    "packet.message_id": lambda wire: wire._turn,
    "packet.audio.bytes": lambda wire: wire._audio,
    "packet.audio.base64": lambda wire: b64encode(wire._audio).decode(),
    "packet.audio.pcm_base64": lambda wire: b64encode(wire._pcm()).decode(),
    "packet.audio.wav_base64": lambda wire: b64encode(wav(wire._pcm(), wire.rate)).decode(),
    "config.model": lambda wire: wire._options.model,
    "config.language": lambda wire: wire._options.language,
    "config.audio.encoding": lambda wire: wire._options.audio_encoding,
    "config.audio.sample_rate": lambda wire: wire.rate,
}


def _events(emitted: Mapping[str, Any]) -> Sequence[Event]:
    if emitted.get("error"):
        return (Complaint(f"{_VENDOR}: {str(emitted['error'])[:200]}"),)
    if "script" not in emitted:
        return ()
    words = emitted["script"]
    if not isinstance(words, str):
        raise RemoteProtocolError("script is no text")
    if emitted.get("interim"):
        return (Partial(words),)
    confidence = emitted.get("confidence", 1.0)
    if not isinstance(confidence, int | float):
        raise RemoteProtocolError("confidence is no number")
    return (Final(words, min(max(float(confidence), 0.0), 1.0)),)


class CustomRecognizerProvider(SocketRecognizerProvider[CustomOptions]):
    """Credential: `baseUrl`, `headers` (a JSON object), `apiCompatibility`.

    That is websocket_v1, or http_v1: a recording of each turn is sent (custom_upload.py).
    """

    vendor = "custom"
    description = "custom: any recogniser with a WebSocket, or that takes recordings, by rules"
    credential_fields: Mapping[str, str] = {}  # any
    options = CustomOptions

    def open(self, options: Options, account: Account = NOBODY) -> Recognizer:
        if compatibility(account) != HTTP:
            return super().open(options, account)
        chosen = read(self.options, options, "listen.", self.vendor)
        host, transcriber = self._host, self._transcriber(chosen, account)
        return UploadRecognizer(host.net, host.clock, self.vendor, transcriber)

    def wire(self, options: CustomOptions, account: Account) -> Callable[[], RecognizerWire]:
        requests, responses = _rules_of(options)
        request = address(account, options.query_params, _VENDOR, (WEBSOCKET, HTTP))

        def make() -> CustomWire:
            return CustomWire(options, request, requests, responses)

        _rehearse(make())
        return make

    def _transcriber(self, options: CustomOptions, account: Account) -> CustomTranscriber:
        requests, responses = _rules_of(options)
        request = address(account, options.query_params, _VENDOR, (HTTP,))
        if (
            encoding_named(options.audio_encoding) is not _LINEAR
            or options.audio_sample_rate != RATE
        ):
            raise MisconfiguredAssistant(f"{_VENDOR}: with {HTTP} audio is LINEAR16 at {RATE}")
        config = {
            "config.model": options.model,
            "config.language": options.language,
            "config.audio.encoding": options.audio_encoding,
            "config.audio.sample_rate": RATE,
        }
        transcriber = CustomTranscriber(request, requests, responses, config, _events)
        try:
            transcriber.request(wav(b"", RATE))
        except (RemoteProtocolError, TypeError, ValueError) as error:
            raise MisconfiguredAssistant(f"{_VENDOR}: {error}") from None
        return transcriber


def _rules_of(options: CustomOptions) -> tuple[RequestRules, ResponseRules]:
    requests = rules(lambda: RequestRules(options.request_rules or [], PACKETS), _VENDOR)
    responses = rules(lambda: ResponseRules(options.response_rules or [], EMITS), _VENDOR)
    if requests.count("audio") != 1 or not responses.has("script"):
        raise MisconfiguredAssistant(
            f"{_VENDOR} needs one request rule for audio, and a response rule that emits script"
        )
    return requests, responses


def _rehearse(wire: CustomWire) -> None:
    """Rules that cannot be carried out are found here: in a call nothing may raise."""
    silence = bytes(wire.rate // 1000 * wire.gather * (2 if wire.encoding is _LINEAR else 1))
    try:
        wire.hello()
        wire.audio(silence)
        for step in (wire.finalize, wire.keep_alive, wire.goodbye):
            step()
    except RemoteProtocolError as error:
        raise MisconfiguredAssistant(f"{_VENDOR}: {error}") from None
