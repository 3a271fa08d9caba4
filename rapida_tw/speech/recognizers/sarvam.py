"""Sarvam's realtime recogniser (its API reference, "Streaming Speech-to-Text Realtime").

It finds the ends of utterances itself, and while one is made final the next may have begun. The
older recogniser is in sarvam_classic.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred, succeed

from rapida_tw.account import CREDENTIAL_FIELDS, Account
from rapida_tw.audio.format import Encoding
from rapida_tw.net.base import Frame, Net, Request
from rapida_tw.speech.messages import (
    encoded,
    flag,
    number,
    parse,
    reason,
    socket_url,
    text,
    written,
)
from rapida_tw.speech.recognizers.order import InOrder
from rapida_tw.speech.recognizers.provider import SocketRecognizerProvider
from rapida_tw.speech.recognizers.sarvam_classic import SarvamClassicWire, closed
from rapida_tw.speech.recognizers.sarvam_options import RATE, SarvamOptions
from rapida_tw.speech.recognizers.wire import Complaint, Event, Ready, RecognizerWire

_BASE = "wss://api.sarvam.ai"
_END = written({"event": "end"})
_PING = written({"event": "ping"})
_PASSING = frozenset((408, 429))  # of statuses below 500


class SarvamWire:
    """One realtime session."""

    encoding = Encoding.LINEAR16
    rate = RATE
    gather = 100
    greets = True
    turns = False
    flush_within = 1.0
    keep_alive_every = 10.0
    catch_up = 2.0

    def __init__(self, options: SarvamOptions, base: str, key: str) -> None:
        self._options = options
        self._base = base
        self._key = key
        self._utterances = InOrder()

    def address(self, net: Net) -> Deferred[Request]:
        options = self._options
        query = {
            "language_code": options.spoken("auto"),
            "model": options.chosen_model(),
            "stream_type": "fast",
            "mode": options.mode,
            "endpointing": "vad",
            "encoding": "linear16",
            "sample_rate": RATE,
            "silence_duration_ms": options.endpointing,
            "threshold": options.threshold,
            "keyterms": json.dumps(options.keyword) if options.keyword else None,
            "prompt": options.prompt,
        }
        url = socket_url(self._base, "/speech-to-text-realtime/ws", query)
        return succeed(Request(url, headers={"Api-Subscription-Key": self._key}))

    def hello(self) -> Sequence[Frame]:
        return ()

    def audio(self, payload: bytes) -> Frame:
        return Frame(b'{"event":"audio_input","audio":"' + encoded(payload) + b'"}')

    def finalize(self) -> Sequence[Frame]:
        return ()  # `flush` is for who finds the ends of utterances himself

    def keep_alive(self) -> Sequence[Frame]:
        return (_PING,)

    def goodbye(self) -> Sequence[Frame]:
        return (_END,)

    def received(self, payload: bytes, binary: bool) -> Sequence[Event]:
        fields = parse(payload, binary)
        read = _READERS.get(text(fields, "event"))
        return () if read is None else read(self, fields)

    def closed(self, code: int, reason_told: str) -> Complaint:
        return closed(code, reason_told)

    # -- what it says --------------------------------------------------------------------------

    def _begin(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        return (Ready(),)

    def _started(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        self._utterances.begin(number(fields, "utterance_idx"))
        return ()

    def _partial(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        key = number(fields, "utterance_idx")
        return (self._utterances.so_far(key, text(fields, "text")),)

    def _final(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        return self._utterances.complete(number(fields, "utterance_idx"), text(fields, "text"))

    def _error(self, fields: Mapping[str, Any]) -> Sequence[Event]:
        status = number(fields, "status_code")
        forever = 400 <= status < 500 and status not in _PASSING
        told = reason(text(fields, "message") or text(fields, "code"))
        return (Complaint(told, flag(fields, "is_fatal"), retryable=not forever),)


_READERS: Mapping[str, Callable[[SarvamWire, Mapping[str, Any]], Sequence[Event]]] = {
    "session.begin": SarvamWire._begin,
    "vad.speech_start": SarvamWire._started,
    "transcript.partial": SarvamWire._partial,
    "transcript.final": SarvamWire._final,
    "error": SarvamWire._error,
}


class SarvamRecognizerProvider(SocketRecognizerProvider[SarvamOptions]):
    vendor = "Sarvam"
    description = "Sarvam: streaming, 23 languages of India"
    credential_fields: Mapping[str, str] = {
        **CREDENTIAL_FIELDS,
        "api_subscription_key": "The same as key.",
    }
    options = SarvamOptions

    def wire(self, options: SarvamOptions, account: Account) -> Callable[[], RecognizerWire]:
        key = account.need("key", "api_key", "apiKey", "api_subscription_key")
        base = account.base_url(_BASE)
        if options.realtime:
            return lambda: SarvamWire(options, base, key)
        return lambda: SarvamClassicWire(options, base, key)


_conforms: type[RecognizerWire] = SarvamWire
