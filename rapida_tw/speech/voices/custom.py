"""Any voice with a WebSocket, by the rules of a deployment (speech/rules.py; PRODUCT, e.7).

Packets of ours: `text` and then `done` for each phrase, `interrupt` when it is not wanted any more,
`keep_alive` and `close`. A message of the vendor's may emit `audio` (bytes), `message_id` (of the
phrase, which was `packet.message_id`), `done` and `error`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred, succeed

from rapida_tw.account import Account
from rapida_tw.audio.format import Encoding
from rapida_tw.errors import MisconfiguredAssistant, RemoteProtocolError
from rapida_tw.net.base import Frame, Net, Request
from rapida_tw.options import within
from rapida_tw.speech.base import SynthesizerProvider
from rapida_tw.speech.custom import address, encoding_named, rules
from rapida_tw.speech.rules import RequestRules, ResponseRules
from rapida_tw.speech.voices.format import VoiceFormat, VoiceOptions
from rapida_tw.speech.voices.provider import SocketVoiceProvider
from rapida_tw.speech.voices.wire import Audio, Complaint, Done, Event, VoiceWire

PACKETS = ("text", "done", "interrupt", "keep_alive", "close")
EMITS = ("audio", "message_id", "done", "error")
_VENDOR = "the custom voice"
_AT_ONCE = 4  # phrases open on one socket, where messages say whose they are


@dataclass(frozen=True, slots=True)
class CustomOptions(VoiceOptions):
    """`audio_encoding`: LINEAR16 or MuLaw8; `idle`: seconds without text until it is closed."""

    audio_encoding: str = "LINEAR16"
    audio_sample_rate: int = 16_000
    language: str = ""
    model: str = ""
    voice_id: str = ""
    idle: float = 0.0
    keep_alive: float = 0.0
    query_params: dict[str, Any] | None = None
    request_rules: list[Any] | None = None
    response_rules: list[Any] | None = None

    def __post_init__(self) -> None:
        within("audio.sample_rate", self.audio_sample_rate, 8_000, 48_000)
        within("idle", self.idle, 0, 3_600)
        within("keep_alive", self.keep_alive, 0, 60)
        encoding_named(self.audio_encoding)


class CustomVoiceWire:
    """One connection."""

    greets = False
    per_minute = 0

    def __init__(
        self,
        options: CustomOptions,
        request: Request,
        requests: RequestRules,
        responses: ResponseRules,
    ) -> None:
        self.encoding = encoding_named(options.audio_encoding)
        self.rate = options.audio_sample_rate
        self.contexts = _AT_ONCE if responses.has("message_id") else 1
        self.idle = options.idle
        self.keep_alive_every = options.keep_alive if requests.count("keep_alive") else 0.0
        self._options = options
        self._request = request
        self._requests = requests
        self._responses = responses
        self._packet = self._context = self._text = ""

    def address(self, net: Net) -> Deferred[Request]:
        return succeed(self._request)

    def hello(self) -> Sequence[Frame]:
        return ()

    def say(self, context: str, text: str) -> Sequence[Frame]:
        self._context, self._text = context, text
        return (*self._frames("text"), *self._frames("done"))

    def cancel(self, context: str) -> Sequence[Frame] | None:
        if not self._requests.count("interrupt"):
            return None
        self._context = context
        return self._frames("interrupt")

    def keep_alive(self) -> Sequence[Frame]:
        return self._frames("keep_alive")

    def goodbye(self) -> Sequence[Frame]:
        return self._frames("close")

    def received(self, payload: bytes, binary: bool) -> Sequence[Event]:
        emitted = self._responses.emitted(payload, binary, self._variable)
        return [event for one in emitted for event in _events(one)]

    def closed(self, code: int, reason: str) -> Complaint:
        why = f"{code} {reason}".rstrip()
        return Complaint("", f"{_VENDOR} closed the connection ({why})")

    def _frames(self, packet: str) -> Sequence[Frame]:
        self._packet = packet
        return self._requests.frames(packet, self._variable)

    def _variable(self, name: str) -> Any:
        return _VARIABLES[name](self)


_VARIABLES: Mapping[str, Callable[[CustomVoiceWire], Any]] = {
    "packet.kind": lambda wire: wire._packet,
    "packet.context_id": lambda wire: wire._context,
    "packet.message_id": lambda wire: wire._context,
    "packet.text": lambda wire: wire._text,
    "config.model": lambda wire: wire._options.model,
    "config.language": lambda wire: wire._options.language,
    "config.voice.id": lambda wire: wire._options.voice_id,
    "config.audio.encoding": lambda wire: wire._options.audio_encoding,
    "config.audio.sample_rate": lambda wire: wire.rate,
}


def _events(emitted: Mapping[str, Any]) -> Sequence[Event]:
    context = str(emitted.get("message_id", ""))
    if emitted.get("error"):
        return (Complaint(context, f"{_VENDOR}: {str(emitted['error'])[:200]}"),)
    events: list[Event] = []
    if "audio" in emitted:
        if not isinstance(emitted["audio"], bytes):
            raise RemoteProtocolError("audio is no bytes: $decode it")
        events.append(Audio(context, emitted["audio"]))
    if emitted.get("done"):
        events.append(Done(context))
    return events


class CustomVoiceProvider(SocketVoiceProvider[CustomOptions]):
    """Credential: `baseUrl`, `headers` (a JSON object), `apiCompatibility` websocket_v1."""

    vendor = "custom"
    follows_leg = False  # rules and options together say what is sent
    description = "custom: any voice with a WebSocket, by rules"
    credential_fields: Mapping[str, str] = {}  # any
    options = CustomOptions
    formats = tuple(
        VoiceFormat(encoding, rate)
        for rate in (16_000, 8_000, 22_050, 24_000, 32_000, 44_100, 48_000)
        for encoding in (Encoding.LINEAR16, Encoding.MULAW)
    )

    def wire(
        self, options: CustomOptions, account: Account, format: VoiceFormat
    ) -> Callable[[], VoiceWire]:
        requests = rules(lambda: RequestRules(options.request_rules or [], PACKETS), _VENDOR)
        responses = rules(lambda: ResponseRules(options.response_rules or [], EMITS), _VENDOR)
        if not requests.count("text") or not responses.has("audio") or not responses.has("done"):
            raise MisconfiguredAssistant(
                f"{_VENDOR} needs a request rule for text, and response rules that emit audio"
                " and done"
            )
        request = address(account, options.query_params, _VENDOR)

        def make() -> CustomVoiceWire:
            return CustomVoiceWire(options, request, requests, responses)

        _rehearse(make())
        return make


def _rehearse(wire: CustomVoiceWire) -> None:
    """Rules that cannot be carried out are found here: in a call nothing may raise."""
    try:
        wire.say("context", "text")
        wire.cancel("context")
        wire.keep_alive()
        wire.goodbye()
    except RemoteProtocolError as error:
        raise MisconfiguredAssistant(f"{_VENDOR}: {error}") from None


_conforms: type[SynthesizerProvider] = CustomVoiceProvider
