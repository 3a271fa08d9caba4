"""Deepgram: `wss://api.deepgram.com/v1/listen`, and for Flux's models v2 (flux.py).

What is final comes in segments: each `is_final` closes a range of time, and interim results begin
behind the latest one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from twisted.internet.defer import Deferred, succeed

from rapida_tw.account import Account
from rapida_tw.audio.format import Encoding
from rapida_tw.net.base import Frame, Net, Request
from rapida_tw.options import within
from rapida_tw.speech.messages import (
    flag,
    number,
    parse,
    part,
    parts,
    reason,
    socket_url,
    text,
    written,
)
from rapida_tw.speech.recognizers.flux import FluxWire, keyterms
from rapida_tw.speech.recognizers.provider import SocketRecognizerProvider
from rapida_tw.speech.recognizers.wire import (
    Complaint,
    Event,
    Flushed,
    Partial,
    RecognizerWire,
    SpeechStarted,
    VocabularyWire,
)
from rapida_tw.speech.recognizers.wire import Final as FinalWords

_BASE: Final = "wss://api.deepgram.com"
_PATH: Final = "/v1/listen"
_ENCODINGS: Final = {
    "linear16": Encoding.LINEAR16,
    "mulaw": Encoding.MULAW,
    "alaw": Encoding.ALAW,
}
_RATES: Final = (8_000, 16_000)
_KEEP_ALIVE: Final = 4.0  # seconds; it closes after ten
# Seconds of audio before `Finalize` that a result may leave out and still be the answer: the pause
# that made us ask.
_PAUSE: Final = 1.0
_ROUNDING: Final = 0.1  # seconds
# Undecodable audio (1008) stays so on another connection.
_FOREVER: Final = frozenset((1002, 1003, 1007, 1008))
# Its guide "Configure": terms can be changed in mid-stream at the global endpoint only.
_WITHOUT_CONFIGURE: Final = frozenset(f"api.{region}.deepgram.com" for region in ("eu", "au", "in"))


@dataclass(frozen=True, slots=True)
class DeepgramOptions:
    """`endpointing`: ms of silence that make words final; 0: only when we ask.

    `keyword`, `keywords` and `keyterm` are one list of words worth boosting, as `word` or
    `word:boost`. `vad_events`: its detector may begin a turn. What begins with `eot` or `eager` is
    for Flux's models, which in turn know no formatting. `threshold`: words of less confidence
    (0..1) are not understood.
    """

    model: str = "nova-3"
    language: str = "en-US"
    smart_format: bool = True
    punctuate: bool = True
    numerals: bool = False
    filler_words: bool = False
    profanity_filter: bool = False
    redact_pci: bool = False
    redact_pii: bool = False
    diarize: bool = False
    multichannel: bool = False
    vad_events: bool = False
    endpointing: int = 300
    threshold: float = 0.0
    keyword: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    keyterm: tuple[str, ...] = ()
    eot_threshold: float | None = None
    eager_eot_threshold: float | None = None
    eot_timeout_ms: int | None = None
    mip_opt_out: bool = False
    audio_encoding: str = "linear16"
    audio_sample_rate: int = 16_000

    def __post_init__(self) -> None:
        if not self.model:
            raise ValueError("model must not be empty")
        within("endpointing", self.endpointing, 0, 10_000)
        within("threshold", self.threshold, 0, 1)
        if self.audio_encoding not in _ENCODINGS:
            raise ValueError(f"audio_encoding must be one of {', '.join(_ENCODINGS)}")
        if self.audio_sample_rate not in _RATES:
            raise ValueError("audio_sample_rate must be 8000 or 16000")
        if self.eot_threshold is not None:
            within("eot_threshold", self.eot_threshold, 0.5, 1)
        if self.eager_eot_threshold is not None:
            highest = 0.7 if self.eot_threshold is None else min(self.eot_threshold, 0.9)
            within("eager_eot_threshold", self.eager_eot_threshold, 0.3, highest)
        if self.eot_timeout_ms is not None:
            within("eot_timeout_ms", self.eot_timeout_ms, 500, 60_000)

    @property
    def flux(self) -> bool:
        return self.model.startswith("flux")

    def query(self) -> Mapping[str, Any]:
        """What is asked for; audio's form is the wires'."""
        terms = tuple(self.terms())
        redact = ("pci",) * self.redact_pci + ("pii",) * self.redact_pii
        both = {
            "model": self.model,
            "numerals": self.numerals or None,
            "profanity_filter": self.profanity_filter or None,
            "redact": redact,
            "mip_opt_out": self.mip_opt_out or None,
        }
        if self.flux:
            # Only the multilingual model takes languages, and without their regions.
            hint = self.language.partition("-")[0] if self.model.endswith("multi") else ""
            return {
                **both,
                "language_hint": "" if hint == "multi" else hint,
                "keyterm": terms,
                "eot_threshold": self.eot_threshold,
                "eager_eot_threshold": self.eager_eot_threshold,
                "eot_timeout_ms": self.eot_timeout_ms,
            }
        nova_3 = self.model.startswith("nova-3")
        return {
            **both,
            "language": self.language,
            "channels": 1,
            "interim_results": True,
            "punctuate": self.punctuate,
            "smart_format": self.smart_format,
            # Without it formatting waits for digits that may follow.
            "no_delay": self.smart_format or None,
            "filler_words": self.filler_words or None,
            "diarize_model": "latest" if self.diarize else "",
            "multichannel": self.multichannel or None,
            "vad_events": self.vad_events or None,
            "endpointing": self.endpointing or False,
            "keyterm": terms if nova_3 else (),
            "keywords": () if nova_3 else self._boosted,
        }

    @property
    def _boosted(self) -> tuple[str, ...]:
        return (*self.keyword, *self.keywords, *self.keyterm)

    def terms(self) -> Sequence[str]:
        """Words worth boosting: terms carry no weights, keywords may."""
        return [word.partition(":")[0] for word in self._boosted]


class DeepgramWire:
    """One connection of v1, which says nothing until it has heard something."""

    gather = 100
    greets = False
    turns = False
    flush_within = 0.5
    keep_alive_every = _KEEP_ALIVE
    catch_up = 0.0

    def __init__(self, options: DeepgramOptions, base: str, key: str) -> None:
        self.encoding = _ENCODINGS[options.audio_encoding]
        self.rate = options.audio_sample_rate
        self._options = options
        self._base = base
        self._key = key
        self._a_second = self.rate * (2 if self.encoding is Encoding.LINEAR16 else 1)
        self._sent = 0  # bytes
        self._asked: float | None = None  # seconds of audio before the latest Finalize
        self._closed = 0.0  # seconds of audio whose words are final
        self._expected: dict[str, Any] = {}  # of the query

    def expect(self, phrases: Sequence[str]) -> Sequence[Frame]:
        if not self._options.model.startswith("nova-3"):
            return ()
        terms = keyterms(self._options.terms(), phrases)
        self._expected = {"keyterm": tuple(terms)}
        if urlsplit(self._base).hostname in _WITHOUT_CONFIGURE:
            return ()
        return (written({"type": "Configure", "keyterms": terms}),)

    def address(self, net: Net) -> Deferred[Request]:
        query = {
            **self._options.query(),
            **self._expected,
            "encoding": self._options.audio_encoding,
            "sample_rate": self.rate,
        }
        headers = {"Authorization": f"Token {self._key}"}
        return succeed(Request(socket_url(self._base, _PATH, query), headers=headers))

    def hello(self) -> Sequence[Frame]:
        return ()

    def audio(self, payload: bytes) -> Frame:
        self._sent += len(payload)
        return Frame(payload, binary=True)

    def finalize(self) -> Sequence[Frame]:
        self._asked = self._sent / self._a_second
        return (written({"type": "Finalize"}),)

    def keep_alive(self) -> Sequence[Frame]:
        return (written({"type": "KeepAlive"}),)

    def goodbye(self) -> Sequence[Frame]:
        return (written({"type": "CloseStream"}),)

    def received(self, payload: bytes, binary: bool) -> Sequence[Event]:
        message = parse(payload, binary)
        kind = text(message, "type")
        if kind == "Results":
            return self._results(message)
        if kind == "SpeechStarted" and self._options.vad_events:
            return (SpeechStarted(),)
        if kind == "Error":
            told = text(message, "description") or text(message, "message")
            return (Complaint(reason(text(message, "variant"), told), fatal=False),)
        return ()

    def _results(self, message: Mapping[str, Any]) -> Sequence[Event]:
        best = next(iter(parts(part(message, "channel"), "alternatives")), {})
        said, sure = text(best, "transcript"), number(best, "confidence", 1.0)
        start = number(message, "start")
        stale = start < self._closed - _ROUNDING  # a range that was closed before
        if not flag(message, "is_final"):
            return () if stale else (Partial(said),)
        self._closed = max(self._closed, start + number(message, "duration"))
        if sure < self._options.threshold:
            said = ""
        words: Event = FinalWords(said, min(max(sure, 0.0), 1.0)) if said else Partial("")
        told = () if stale else (words,)
        if flag(message, "from_finalize") or self._answers(message):
            self._asked = None
            return (*told, Flushed())
        return told

    def _answers(self, message: Mapping[str, Any]) -> bool:
        """Whether this, which came by itself, says all that we have asked for meanwhile.

        Behind it there may be too little audio for an answer to `Finalize`.
        """
        if self._asked is None or not flag(message, "speech_final"):
            return False
        return number(message, "start") + number(message, "duration") >= self._asked - _PAUSE

    def closed(self, code: int, reason_told: str) -> Complaint:
        told = reason_told or f"it closed the connection ({code})"
        return Complaint(reason(told), retryable=code not in _FOREVER)


class DeepgramRecognizerProvider(SocketRecognizerProvider[DeepgramOptions]):
    vendor = "Deepgram"
    description = "Deepgram: streaming, Nova in 40 languages, Flux with its own ends of turns"
    options = DeepgramOptions

    def wire(self, options: DeepgramOptions, account: Account) -> Callable[[], RecognizerWire]:
        key = account.need("key", "api_key", "apiKey")
        base = account.base_url(_BASE)
        if options.flux:
            query = options.query()
            return lambda: FluxWire(query, base, key, options.terms())
        return lambda: DeepgramWire(options, base, key)


_conforms: type[VocabularyWire] = DeepgramWire
