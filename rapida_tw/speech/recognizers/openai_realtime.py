"""OpenAI's transcription sessions (its guide "Realtime transcription" and API reference).

Models that hear live tell words as they are spoken and want to be told when a turn is over. The
others hear nothing before the end of a piece, which the server finds in the silence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred, succeed

from rapida_tw.account import Account
from rapida_tw.audio.format import Encoding
from rapida_tw.net.base import Frame, Net, Request
from rapida_tw.options import within
from rapida_tw.speech.messages import (
    encoded,
    parse,
    part,
    reason,
    socket_url,
    text,
    written,
)
from rapida_tw.speech.recognizers.order import InOrder
from rapida_tw.speech.recognizers.provider import SocketRecognizerProvider
from rapida_tw.speech.recognizers.wire import (
    Complaint,
    Event,
    Flushed,
    Ready,
    RecognizerWire,
    Say,
)

_BASE = "wss://api.openai.com/v1"
_LIVE = frozenset(("gpt-live-transcribe", "gpt-realtime-whisper"))
_WITHOUT_PROMPT = "gpt-realtime-whisper"
_WITH_KEYWORDS = frozenset(("gpt-live-transcribe", "gpt-transcribe"))
_NOISES = ("", "near_field", "far_field")

_COMMIT = written({"type": "input_audio_buffer.commit"})
_EMPTY = "input_audio_buffer_commit_empty"  # less than 100 ms since the last one
_EXPIRED = "session_expired"
_FOREVER = frozenset(("invalid_api_key", "insufficient_quota", "model_not_found"))
_OUR_MISTAKE = "invalid_request_error"
_POLICY = 1008  # of close codes
_TRANSCRIPTION = "conversation.item.input_audio_transcription."


@dataclass(frozen=True, slots=True)
class OpenAIRealtimeOptions:
    """`endpointing`: ms of silence that end a piece, and `threshold`: how loud (0..1) a voice must
    be, both for models that do not hear live. `noise_reduction`: near_field, far_field or "".
    """

    language: str = "en-US"
    model: str = "gpt-live-transcribe"
    endpointing: int = 300
    threshold: float = 0.5
    keyword: tuple[str, ...] = ()
    prompt: str = ""
    noise_reduction: str = ""

    def __post_init__(self) -> None:
        within("endpointing", self.endpointing, 100, 10_000)
        within("threshold", self.threshold, 0, 1)
        if self.noise_reduction not in _NOISES:
            raise ValueError("noise_reduction must be near_field, far_field or nothing")
        if self.prompt and self.model == _WITHOUT_PROMPT:
            raise ValueError(f"{self.model} takes no prompt")
        if self.keyword and self.model not in _WITH_KEYWORDS:
            raise ValueError(f"{self.model} takes no keyword: put the words into the prompt")


class OpenAIRealtimeWire:
    """One session. An *item* is a piece of audio that was committed; their texts may overtake."""

    encoding = Encoding.MULAW
    rate = 8_000
    gather = 100
    greets = True
    turns = False
    flush_within = 1.7
    keep_alive_every = 0.0
    catch_up = 0.0

    def __init__(self, options: OpenAIRealtimeOptions, base: str, key: str) -> None:
        self._options = options
        self._base = base
        self._key = key
        self._live = options.model in _LIVE
        self._ready = False
        self._asked = False  # for the words of all that was sent
        self._items = InOrder(patience=1)

    def address(self, net: Net) -> Deferred[Request]:
        url = socket_url(self._base, "/realtime", {"intent": "transcription"})
        return succeed(Request(url, headers={"Authorization": f"Bearer {self._key}"}))

    def hello(self) -> Sequence[Frame]:
        return ()  # it speaks first

    def audio(self, payload: bytes) -> Frame:
        before = b'{"type":"input_audio_buffer.append","audio":"'
        return Frame(before + encoded(payload) + b'"}')

    def finalize(self) -> Sequence[Frame]:
        if not self._live:
            return ()
        self._asked = True
        return (_COMMIT,)

    def keep_alive(self) -> Sequence[Frame]:
        return ()

    def goodbye(self) -> Sequence[Frame]:
        return ()

    def received(self, payload: bytes, binary: bool) -> Sequence[Event]:
        fields = parse(payload, binary)
        read = _READERS.get(text(fields, "type"))
        return () if read is None else read(self, fields)

    def closed(self, code: int, reason_told: str) -> Complaint:
        told = reason_told or f"it closed the connection ({code})"
        return Complaint(reason(told), retryable=code != _POLICY)

    # -- what it says --------------------------------------------------------------------------

    def _created(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        return (Say((written({"type": "session.update", "session": self._session()}),)),)

    def _updated(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        self._ready = True
        return (Ready(),)

    def _committed(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        self._items.begin(text(fields, "item_id"))
        return ()

    def _delta(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        return (self._items.grow(text(fields, "item_id"), text(fields, "delta")),)

    def _completed(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        return self._told(fields, text(fields, "transcript"))

    def _failed(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        return (self._complaint(part(fields, "error")), *self._told(fields, ""))

    def _error(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        error = part(fields, "error")
        if text(error, "code") != _EMPTY:
            return (self._complaint(error),)
        asked, self._asked = self._asked, False
        return (Flushed(),) if asked else ()

    # -- in our words --------------------------------------------------------------------------

    def _told(self, fields: Mapping[str, Any], said: str) -> Sequence[Event]:
        told = self._items.complete(text(fields, "item_id"), said)
        if self._asked and not self._items:
            self._asked = False
            told.append(Flushed())
        return told

    def _complaint(self, error: Mapping[str, Any]) -> Complaint:
        code = text(error, "code")
        mistaken = text(error, "type") == _OUR_MISTAKE and not self._ready
        forever = code in _FOREVER or mistaken
        told = reason(text(error, "message") or code)
        fatal = forever or code == _EXPIRED or not self._ready
        return Complaint(told, fatal, retryable=not forever)

    def _session(self) -> Mapping[str, Any]:
        options = self._options
        transcription: dict[str, Any] = {"model": options.model}
        if options.language:
            transcription["language"] = options.language.replace("_", "-").split("-")[0].lower()
        if options.prompt:
            transcription["prompt"] = options.prompt
        if options.keyword:
            transcription["keywords"] = list(options.keyword)
        detection = {
            "type": "server_vad",
            "threshold": options.threshold,
            "silence_duration_ms": options.endpointing,
        }
        heard = {
            "format": {"type": "audio/pcmu"},
            "transcription": transcription,
            "turn_detection": None if self._live else detection,
        }
        if options.noise_reduction:
            heard["noise_reduction"] = {"type": options.noise_reduction}
        return {"type": "transcription", "audio": {"input": heard}}


_READERS: Mapping[str, Callable[[OpenAIRealtimeWire, Mapping[str, Any]], Sequence[Event]]] = {
    "session.created": OpenAIRealtimeWire._created,
    "session.updated": OpenAIRealtimeWire._updated,
    "input_audio_buffer.committed": OpenAIRealtimeWire._committed,
    f"{_TRANSCRIPTION}delta": OpenAIRealtimeWire._delta,
    f"{_TRANSCRIPTION}completed": OpenAIRealtimeWire._completed,
    f"{_TRANSCRIPTION}failed": OpenAIRealtimeWire._failed,
    "error": OpenAIRealtimeWire._error,
}


class OpenAIRealtimeRecognizerProvider(SocketRecognizerProvider[OpenAIRealtimeOptions]):
    vendor = "OpenAI"
    description = "OpenAI realtime transcription: streaming, 50 languages"
    options = OpenAIRealtimeOptions

    def wire(
        self, options: OpenAIRealtimeOptions, account: Account
    ) -> Callable[[], RecognizerWire]:
        key = account.need("key", "api_key", "apiKey")
        base = account.base_url(_BASE)
        return lambda: OpenAIRealtimeWire(options, base, key)


_conforms: type[RecognizerWire] = OpenAIRealtimeWire
