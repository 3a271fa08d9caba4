"""Gladia's live recogniser (its API reference, "Live v2").

A session is asked for by HTTP, and its answer says where the socket is; the key goes no further
than that. Gladia finds the ends of utterances itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from twisted.internet.defer import Deferred

from rapida_tw.account import Account
from rapida_tw.audio.format import Encoding
from rapida_tw.errors import RemoteProtocolError, VendorFailed
from rapida_tw.net.base import Frame, Net, Request
from rapida_tw.net.refusal import refused
from rapida_tw.options import within
from rapida_tw.speech.messages import (
    confidence,
    flag,
    parse,
    part,
    parts,
    reason,
    text,
    written,
)
from rapida_tw.speech.recognizers.order import InOrder
from rapida_tw.speech.recognizers.provider import SocketRecognizerProvider
from rapida_tw.speech.recognizers.wire import Complaint, Event, RecognizerWire

_BASE = "https://api.gladia.io"
_RATE = 16_000
_REGIONS = ("", "us-west", "eu-west")
_CREATED = 201
_STOP = written({"type": "stop_recording"})
_KEEP_ALIVE = written({"type": "audio_chunk", "data": {"chunk": ""}})
# Of close codes: Gladia's own client does not come back after these, either.
_FOREVER = range(4400, 4500)
_PASSING = frozenset((4408, 4429))
_POLICY = 1008


@dataclass(frozen=True, slots=True)
class GladiaOptions:
    """`endpointing`: ms of silence that end an utterance. `threshold`: how surely a sound must be
    a voice, 0..1. `region`: us-west or eu-west; "": Gladia's choice. `language` "": found by it.
    """

    language: str = "en"
    model: str = "solaria-1"
    region: str = ""
    endpointing: int = 300
    threshold: float | None = None
    keyword: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        within("endpointing", self.endpointing, 10, 10_000)
        if self.threshold is not None:
            within("threshold", self.threshold, 0, 1)
        if self.region not in _REGIONS:
            raise ValueError("region must be us-west or eu-west")


class GladiaWire:
    """One session."""

    encoding = Encoding.LINEAR16
    rate = _RATE
    gather = 100
    greets = False
    turns = False
    flush_within = 1.5
    keep_alive_every = 5.0
    catch_up = 2.0

    def __init__(self, options: GladiaOptions, base: str, key: str) -> None:
        self._options = options
        self._base = base
        self._key = key
        self._utterances = InOrder()

    def address(self, net: Net) -> Deferred[Request]:
        return Deferred.fromCoroutine(self._address(net))

    async def _address(self, net: Net) -> Request:
        region = f"?region={self._options.region}" if self._options.region else ""
        headers = {"X-Gladia-Key": self._key, "Content-Type": "application/json"}
        body = json.dumps(self._session()).encode("ascii")
        request = Request(f"{self._base}/v2/live{region}", "POST", headers, body)
        answer = await net.request(request)
        told = await answer.text()
        if answer.status != _CREATED:
            host = urlsplit(request.url).hostname or ""
            raise refused(request, host, answer.status, answer.headers, told)
        try:
            url = text(parse(told.encode()), "url")
        except RemoteProtocolError as error:
            raise VendorFailed(f"it gave no address for the session ({error})") from None
        if urlsplit(url).scheme not in ("ws", "wss"):
            raise VendorFailed("it gave no address for the session")
        return Request(url)

    def _session(self) -> Mapping[str, Any]:
        options = self._options
        language = options.language.replace("_", "-").split("-")[0].lower()
        session: dict[str, Any] = {
            "encoding": "wav/pcm",
            "bit_depth": 16,
            "sample_rate": _RATE,
            "channels": 1,
            "model": options.model,
            "endpointing": options.endpointing / 1000,
            "language_config": {"languages": [language] if language else []},
            "messages_config": {
                "receive_partial_transcripts": True,
                "receive_final_transcripts": True,
                "receive_speech_events": False,
                "receive_pre_processing_events": False,
                "receive_realtime_processing_events": False,
                "receive_post_processing_events": False,
                "receive_acknowledgments": False,
                "receive_lifecycle_events": False,
                "receive_errors": True,
            },
        }
        if options.threshold is not None:
            session["pre_processing"] = {"speech_threshold": options.threshold}
        if options.keyword:
            session["realtime_processing"] = {
                "custom_vocabulary": True,
                "custom_vocabulary_config": {"vocabulary": list(options.keyword)},
            }
        return session

    def hello(self) -> Sequence[Frame]:
        return ()

    def audio(self, payload: bytes) -> Frame:
        return Frame(payload, binary=True)

    def finalize(self) -> Sequence[Frame]:
        return ()

    def keep_alive(self) -> Sequence[Frame]:
        return (_KEEP_ALIVE,)

    def goodbye(self) -> Sequence[Frame]:
        return (_STOP,)

    def received(self, payload: bytes, binary: bool) -> Sequence[Event]:
        fields = parse(payload, binary)
        kind, data = text(fields, "type"), part(fields, "data")
        if kind == "error":
            told = text(data, "message") or text(part(fields, "error"), "message")
            return (Complaint(reason(told)),)
        if kind != "transcript" or not data:
            return ()
        utterance = part(data, "utterance")
        said, key = text(utterance, "text"), text(data, "id")
        if not flag(data, "is_final"):
            return (self._utterances.so_far(key, said),)
        words = parts(utterance, "words")
        sure = confidence(words or [utterance])
        return self._utterances.complete(key, said, sure)

    def closed(self, code: int, reason_told: str) -> Complaint:
        told = reason_told or f"it closed the connection ({code})"
        forever = code == _POLICY or (code in _FOREVER and code not in _PASSING)
        return Complaint(reason(told), retryable=not forever)


class GladiaRecognizerProvider(SocketRecognizerProvider[GladiaOptions]):
    vendor = "Gladia"
    description = "Gladia Solaria: streaming, 100 languages"
    options = GladiaOptions

    def wire(self, options: GladiaOptions, account: Account) -> Callable[[], RecognizerWire]:
        key = account.need("key", "api_key", "apiKey")
        # Gladia's own client takes the address of its sockets, too.
        base = re.sub("^ws", "http", account.base_url(_BASE))
        return lambda: GladiaWire(options, base, key)


_conforms: type[RecognizerWire] = GladiaWire
