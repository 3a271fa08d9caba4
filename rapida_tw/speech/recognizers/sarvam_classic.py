"""Sarvam's classic recogniser (its API reference, "Streaming Speech-to-Text").

It tells utterances when they are over, or when it is told to, and no words before.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred, succeed

from rapida_tw.audio.format import Encoding
from rapida_tw.net.base import Frame, Net, Request
from rapida_tw.speech.messages import (
    encoded,
    parse,
    part,
    reason,
    socket_url,
    text,
    written,
)
from rapida_tw.speech.recognizers.sarvam_options import RATE, SarvamOptions
from rapida_tw.speech.recognizers.wire import Complaint, Event, Final, Flushed, RecognizerWire

_FLUSH = written({"type": "flush"})
_AFTER_AUDIO = b'","encoding":"audio/wav","sample_rate":%d}}' % RATE
# Of close codes: rejected parameters, an empty account or a wrong key. The latter is that of too
# many calls at once, too, which passes.
_REJECTED, _QUOTA = 4000, 1003
_PASSING = "rate limit"


class SarvamClassicWire:
    """One connection."""

    encoding = Encoding.LINEAR16
    rate = RATE
    gather = 100
    greets = False
    turns = False
    flush_within = 1.2
    keep_alive_every = 0.0
    catch_up = 2.0

    def __init__(self, options: SarvamOptions, base: str, key: str) -> None:
        self._options = options
        self._base = base
        self._key = key
        self._asked = False  # for the words of all that was sent

    def address(self, net: Net) -> Deferred[Request]:
        options = self._options
        query = {
            "language-code": options.spoken("unknown"),
            "model": options.chosen_model(),
            "mode": options.mode,
            "sample_rate": RATE,
            "input_audio_codec": "pcm_s16le",
            "flush_signal": True,
            "keyterms": json.dumps(options.keyword) if options.keyword else None,
        }
        url = socket_url(self._base, "/speech-to-text/ws", query)
        return succeed(Request(url, headers={"Api-Subscription-Key": self._key}))

    def hello(self) -> Sequence[Frame]:
        return ()

    def audio(self, payload: bytes) -> Frame:
        return Frame(b'{"audio":{"data":"' + encoded(payload) + _AFTER_AUDIO)

    def finalize(self) -> Sequence[Frame]:
        self._asked = True
        return (_FLUSH,)

    def keep_alive(self) -> Sequence[Frame]:
        return ()

    def goodbye(self) -> Sequence[Frame]:
        return ()

    def received(self, payload: bytes, binary: bool) -> Sequence[Event]:
        fields = parse(payload, binary)
        read = _READERS.get(text(fields, "type"))
        return () if read is None else read(self, part(fields, "data"))

    def closed(self, code: int, reason_told: str) -> Complaint:
        return closed(code, reason_told)

    def _data(self, data: Mapping[str, Any]) -> Sequence[Event]:
        said = text(data, "transcript").strip()
        asked, self._asked = self._asked, False
        told: tuple[Event, ...] = (Final(said),) if said else ()
        return (*told, Flushed()) if asked else told

    def _error(self, data: Mapping[str, Any]) -> Sequence[Event]:
        return (Complaint(reason(text(data, "error") or text(data, "code"))),)


_READERS: Mapping[str, Callable[[SarvamClassicWire, Mapping[str, Any]], Sequence[Event]]] = {
    "data": SarvamClassicWire._data,
    "error": SarvamClassicWire._error,
}


def closed(code: int, reason_told: str) -> Complaint:
    """What Sarvam means by closing with this code."""
    told = reason(reason_told or f"it closed the connection ({code})")
    forever = code == _REJECTED or (code == _QUOTA and _PASSING not in told.lower())
    return Complaint(told, retryable=not forever)


_conforms: type[RecognizerWire] = SarvamClassicWire
