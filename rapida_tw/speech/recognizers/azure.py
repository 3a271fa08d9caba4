"""Azure Speech, by its own WebSocket (Microsoft's "Speech WebSocket protocol" and SDKs).

Messages have headers of their own, binary ones too. A *turn* is Azure's word for a stream: it
begins with a RIFF header and ends with the audio, or when Azure likes. Pauses cut it into phrases.
Nothing but the end of the audio would force a phrase to its end, and a new turn that begins before
the old one has ended loses its words. So the pause that ends a phrase is a short one.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from twisted.internet.defer import Deferred, succeed

from rapida_tw.account import AZURE_FIELDS, Account
from rapida_tw.audio.format import Encoding
from rapida_tw.errors import MisconfiguredAssistant, RemoteProtocolError
from rapida_tw.net.base import Frame, Net, Request
from rapida_tw.options import within
from rapida_tw.speech.messages import number, parse, parts, reason, socket_url, text
from rapida_tw.speech.recognizers.provider import SocketRecognizerProvider
from rapida_tw.speech.recognizers.wire import (
    Complaint,
    Event,
    Final,
    Partial,
    RecognizerWire,
    Say,
)

_VENDOR = "Azure Speech"
_PATH = "/speech/recognition/conversation/cognitiveservices/v1"
_RATE = 16_000
_HEADER_LENGTH = struct.Struct("!H")
# Lengths of 0: a stream, its end unknown.
_RIFF = struct.pack(
    "<4sI4s4sIHHIIHH4sI",
    *(b"RIFF", 0, b"WAVE", b"fmt ", 16, 1, 1, _RATE, 2 * _RATE, 2, 16, b"data", 0),
)

# RecognitionStatus of a phrase without words; what is not here and no Success is an error.
_WORDLESS = frozenset(("NoMatch", "InitialSilenceTimeout", "BabbleTimeout", "EndOfDictation"))
_OUR_MISTAKES = frozenset(("BadRequest", "Forbidden"))
# A bad parameter (1007) stays one on another connection.
_FOREVER = frozenset((1002, 1003, 1007))


@dataclass(frozen=True, slots=True)
class AzureOptions:
    """`endpointing`: ms of silence that end a phrase. `model`: the id of a custom one.

    `region`: where the credential names none. `keyword`: words worth boosting.
    """

    language: str = "en-US"
    region: str = ""
    model: str = ""
    endpointing: int = 300
    keyword: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        within("endpointing", self.endpointing, 100, 5000)


class AzureWire:
    """One connection, one turn after the other. `now`: seconds since the epoch."""

    encoding = Encoding.LINEAR16
    rate = _RATE
    gather = 100
    greets = False
    turns = False
    flush_within = 1.8
    keep_alive_every = 0.0
    catch_up = 2.0

    def __init__(
        self, options: AzureOptions, base: str, key: str, now: Callable[[], float]
    ) -> None:
        self._options = options
        self._base = base
        self._key = key
        self._now = now
        self._request = ""  # the turn's id
        self._headed = False  # the turn has its RIFF header

    def address(self, net: Net) -> Deferred[Request]:
        query = {
            "language": self._options.language,
            "format": "detailed",
            "profanity": "raw",
            "cid": self._options.model,
        }
        headers = {"Ocp-Apim-Subscription-Key": self._key, "X-ConnectionId": uuid4().hex}
        return succeed(Request(socket_url(self._base, _PATH, query), headers=headers))

    def hello(self) -> Sequence[Frame]:
        system = {"name": "rapida_tw", "version": "1", "build": "Python", "lang": "Python"}
        machine = {"platform": "Linux", "name": "Linux", "version": "1"}
        source = {
            "type": "Stream",
            "samplerate": str(_RATE),
            "bitspersample": "16",
            "channelcount": "1",
        }
        context = {"system": system, "os": machine, "audio": {"source": source}}
        return (self._text("speech.config", {"context": context}), self._new_turn())

    def audio(self, payload: bytes) -> Frame:
        if self._headed:
            return self._audio(payload)
        self._headed = True
        return self._audio(_RIFF + payload, "Content-Type:audio/x-wav\r\n")

    def finalize(self) -> Sequence[Frame]:
        return ()

    def keep_alive(self) -> Sequence[Frame]:
        return ()

    def goodbye(self) -> Sequence[Frame]:
        return (self._audio(b""),) if self._headed else ()

    def received(self, payload: bytes, binary: bool) -> Sequence[Event]:
        if binary:
            return ()
        headers, body = _cut(payload)
        read = _READERS.get(headers.get("path", "").lower())
        # What is left of a turn that is over, in a new one.
        if read is None or headers.get("x-requestid", "").lower() != self._request:
            return ()
        return read(self, parse(body or b"{}"))

    def closed(self, code: int, reason_told: str) -> Complaint:
        told = reason_told or f"it closed the connection ({code})"
        return Complaint(reason(told), retryable=code not in _FOREVER)

    # -- what it says --------------------------------------------------------------------------

    def _hypothesis(self, body: Mapping[str, Any]) -> Sequence[Event]:
        return (Partial(text(body, "Text")),)

    def _phrase(self, body: Mapping[str, Any]) -> Sequence[Event]:
        status = text(body, "RecognitionStatus")
        if status in _WORDLESS:
            return (Partial(""),)
        if status != "Success":
            told = f"it answers {status or 'a phrase without a status'}"
            return (Complaint(reason(told), retryable=status not in _OUR_MISTAKES),)
        best = next(iter(parts(body, "NBest")), {})
        words = text(best, "Display") or text(body, "DisplayText")
        sure = min(max(number(best, "Confidence", 1.0), 0.0), 1.0)
        return (Final(words, sure),) if words else (Partial(""),)

    def _turn_end(self, body: Mapping[str, Any]) -> Sequence[Event]:
        return (Say((self._new_turn(),)),)

    # -- what it is told -----------------------------------------------------------------------

    def _new_turn(self) -> Frame:
        self._request = uuid4().hex
        self._headed = False
        pause = {"mode": "Custom", "segmentationSilenceTimeoutMs": self._options.endpointing}
        phrases = {
            "language": self._options.language,
            "mode": "CONVERSATION",
            "CONVERSATION": {"segmentation": pause},
        }
        context: dict[str, Any] = {"phraseDetection": phrases}
        if self._options.keyword:
            items = [{"Text": word} for word in self._options.keyword]
            context["dgi"] = {"Groups": [{"Type": "Generic", "Items": items}]}
        return self._text("speech.context", context)

    def _text(self, path: str, body: Mapping[str, Any]) -> Frame:
        request = f"X-RequestId:{self._request}\r\n" if self._request else ""
        head = f"Path:{path}\r\n{request}X-Timestamp:{self._stamp()}\r\n"
        written = json.dumps(body, separators=(",", ":"))
        return Frame(f"{head}Content-Type:application/json\r\n\r\n{written}".encode("ascii"))

    def _audio(self, payload: bytes, more: str = "") -> Frame:
        head = (
            f"Path:audio\r\nX-RequestId:{self._request}\r\nX-Timestamp:{self._stamp()}\r\n{more}"
        ).encode("ascii")
        return Frame(_HEADER_LENGTH.pack(len(head)) + head + payload, binary=True)

    def _stamp(self) -> str:
        return f"{datetime.fromtimestamp(self._now(), UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def _cut(payload: bytes) -> tuple[Mapping[str, str], bytes]:
    """A text message's headers, names in lower case, and its body."""
    head, blank, body = payload.partition(b"\r\n\r\n")
    if not blank:
        raise RemoteProtocolError("a message whose headers do not end")
    headers = {}
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if not colon:
            raise RemoteProtocolError("a header without a colon")
        headers[name.strip().lower()] = value.strip()
    return headers, body


_READERS: Mapping[str, Callable[[AzureWire, Mapping[str, Any]], Sequence[Event]]] = {
    "speech.hypothesis": AzureWire._hypothesis,
    "speech.fragment": AzureWire._hypothesis,
    "speech.phrase": AzureWire._phrase,
    "turn.end": AzureWire._turn_end,
}


def host_of(told: str, region: str) -> str:
    """Where speech is recognised: by the endpoint that Azure's portal shows, or by the region.

    "" when there is neither. Regional endpoints have another host for speech, endpoints of the
    user's own another path; whatever else is told is meant so (a container, a fake).
    """
    rest = told.rpartition("://")[2]
    name, dot, domain = rest.partition(".api.cognitive.")
    if dot:
        return f"wss://{name}.stt.speech.{domain}"
    if rest.partition("/")[0].endswith(".cognitiveservices.azure.com"):
        return f"wss://{rest.removesuffix('/stt')}/stt"
    if told.isalnum():
        region, told = told, ""
    return told or (f"wss://{region}.stt.speech.microsoft.com" if region else "")


class AzureRecognizerProvider(SocketRecognizerProvider[AzureOptions]):
    vendor = _VENDOR
    description = "Azure Speech: streaming, 140 languages and dialects"
    credential_fields: Mapping[str, str] = AZURE_FIELDS
    options = AzureOptions

    def wire(self, options: AzureOptions, account: Account) -> Callable[[], RecognizerWire]:
        key = account.need("subscription_key", "subscriptionKey", "key", "api_key", "apiKey")
        # People write "East US", the host's name says eastus.
        region = (account.first("region") or options.region).replace(" ", "").lower()
        base = host_of(account.base_url(""), region)
        if not base or not (region or "any").isalnum():
            raise MisconfiguredAssistant(f"{_VENDOR} needs a region or an endpoint")
        return lambda: AzureWire(options, base, key, self._host.now)


_conforms: type[RecognizerWire] = AzureWire
