"""ElevenLabs' Scribe in realtime (its API reference, "Realtime speech to text").

What was heard is committed: by us, when the turn seems over, or by Scribe, after a silence.
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
from rapida_tw.speech.messages import encoded, parse, reason, socket_url, text
from rapida_tw.speech.recognizers.provider import SocketRecognizerProvider
from rapida_tw.speech.recognizers.wire import (
    Complaint,
    Event,
    Final,
    Flushed,
    Partial,
    Ready,
    RecognizerWire,
)

_BASE = "wss://api.elevenlabs.io"
_RATE = 16_000
_GATHERED = 100  # ms
_MOST_KEYWORDS, _LONGEST_KEYWORD = 50, 20  # characters
_BEFORE_AUDIO = b'{"message_type":"input_audio_chunk","audio_base_64":"'
_AFTER_AUDIO = b'","commit":false,"sample_rate":%d}' % _RATE
_COMMIT = Frame(_BEFORE_AUDIO + b'","commit":true,"sample_rate":%d}' % _RATE)
_SILENCE = bytes(_RATE * 2 * _GATHERED // 1000)

_POLICY = 1008  # of close codes
# Less than 300 ms were heard since the latest commit: it was ignored.
_THROTTLED = "commit_throttled"
# Errors by whether another connection may do; each ends this one.
_ERRORS: Mapping[str, bool] = {
    "error": True,
    "transcriber_error": True,
    "rate_limited": True,
    "queue_overflow": True,
    "resource_exhausted": True,
    "session_time_limit_exceeded": True,
    "chunk_size_exceeded": True,
    "insufficient_audio_activity": True,
    "auth_error": False,
    "quota_exceeded": False,
    "unaccepted_terms": False,
    "unaccepted_terms_error": False,
    "invalid_request": False,
    "input_error": False,
}


@dataclass(frozen=True, slots=True)
class ElevenLabsOptions:
    """`endpointing`: ms of silence (300 to 3000) after which Scribe commits; 0: only when the turn
    seems over. `threshold` (0.1 to 0.9): how sure it must be of a voice, with `endpointing`.

    `language` "": found by Scribe. Without `filler_words` hesitations are left out.
    """

    language: str = "en"
    model: str = "scribe_v2_realtime"
    endpointing: int = 0
    threshold: float | None = None
    keyword: tuple[str, ...] = ()
    filler_words: bool = True

    def __post_init__(self) -> None:
        if self.endpointing:
            within("endpointing", self.endpointing, 300, 3000)
        if self.threshold is not None:
            within("threshold", self.threshold, 0.1, 0.9)
        if len(self.keyword) > _MOST_KEYWORDS:
            raise ValueError(f"keyword: at most {_MOST_KEYWORDS}")
        if any(len(word) > _LONGEST_KEYWORD for word in self.keyword):
            raise ValueError(f"keyword: at most {_LONGEST_KEYWORD} characters each")


class ElevenLabsWire:
    """One session."""

    encoding = Encoding.LINEAR16
    rate = _RATE
    gather = _GATHERED
    greets = True
    turns = False
    flush_within = 1.0
    # It is silence that is sent: who sends nothing for 15 s is gone.
    keep_alive_every = 5.0
    catch_up = 2.0

    def __init__(self, options: ElevenLabsOptions, base: str, key: str) -> None:
        self._options = options
        self._base = base
        self._key = key
        self._commits = not options.endpointing
        self._asked = False  # for the words of all that was sent

    def address(self, net: Net) -> Deferred[Request]:
        options = self._options
        query: dict[str, Any] = {
            "model_id": options.model,
            "audio_format": f"pcm_{_RATE}",
            "commit_strategy": "manual" if self._commits else "vad",
            "language_code": options.language.replace("_", "-").split("-")[0].lower(),
            "keyterms": options.keyword,
            "no_verbatim": None if options.filler_words else True,
        }
        if not self._commits:
            query["vad_silence_threshold_secs"] = options.endpointing / 1000
            query["vad_threshold"] = options.threshold
        url = socket_url(self._base, "/v1/speech-to-text/realtime", query)
        return succeed(Request(url, headers={"xi-api-key": self._key}))

    def hello(self) -> Sequence[Frame]:
        return ()

    def audio(self, payload: bytes) -> Frame:
        return Frame(_BEFORE_AUDIO + encoded(payload) + _AFTER_AUDIO)

    def finalize(self) -> Sequence[Frame]:
        if not self._commits:
            return ()
        self._asked = True
        return (_COMMIT,)

    def keep_alive(self) -> Sequence[Frame]:
        return (self.audio(_SILENCE),)

    def goodbye(self) -> Sequence[Frame]:
        return ()

    def received(self, payload: bytes, binary: bool) -> Sequence[Event]:
        fields = parse(payload, binary)
        kind = text(fields, "message_type")
        if kind in _ERRORS:
            told = text(fields, "error") or kind
            return (Complaint(reason(told), retryable=_ERRORS[kind]),)
        read = _READERS.get(kind)
        return () if read is None else read(self, fields)

    def closed(self, code: int, reason_told: str) -> Complaint:
        told = reason_told or f"it closed the connection ({code})"
        return Complaint(reason(told), retryable=code != _POLICY)

    # -- what it says --------------------------------------------------------------------------

    def _started(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        return (Ready(),)

    def _partial(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        return (Partial(text(fields, "text").strip()),)

    def _committed(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        said = text(fields, "text").strip()
        return (Final(said) if said else Partial(""), *self._flushed(fields))

    def _flushed(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        asked, self._asked = self._asked, False
        return (Flushed(),) if asked else ()


_READERS: Mapping[str, Callable[[ElevenLabsWire, Mapping[str, Any]], Sequence[Event]]] = {
    "session_started": ElevenLabsWire._started,
    "partial_transcript": ElevenLabsWire._partial,
    "committed_transcript": ElevenLabsWire._committed,
    _THROTTLED: ElevenLabsWire._flushed,
}


class ElevenLabsRecognizerProvider(SocketRecognizerProvider[ElevenLabsOptions]):
    vendor = "ElevenLabs"
    description = "ElevenLabs Scribe: streaming, 90 languages"
    options = ElevenLabsOptions

    def wire(self, options: ElevenLabsOptions, account: Account) -> Callable[[], RecognizerWire]:
        key = account.need("key", "api_key", "apiKey")
        base = account.base_url(_BASE)
        return lambda: ElevenLabsWire(options, base, key)


_conforms: type[RecognizerWire] = ElevenLabsWire
