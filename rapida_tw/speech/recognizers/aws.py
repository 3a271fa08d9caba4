"""Amazon Transcribe, streaming over a WebSocket (its developer guide, "Setting up streaming").

Where to connect is signed for a few minutes; messages are those of AWS's event streams. Transcribe
finds the ends of what it calls results itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred, succeed

from rapida_tw.account import AWS_FIELDS, Account
from rapida_tw.audio.format import Encoding
from rapida_tw.errors import MisconfiguredAssistant, RemoteProtocolError
from rapida_tw.net.base import Frame, Net, Request
from rapida_tw.speech.messages import (
    confidence,
    flag,
    parse,
    part,
    parts,
    reason,
    socket_url,
    text,
)
from rapida_tw.speech.recognizers.order import InOrder
from rapida_tw.speech.recognizers.provider import SocketRecognizerProvider
from rapida_tw.speech.recognizers.wire import Complaint, Event, RecognizerWire
from rapida_tw.wire.aws_events import Message, decode
from rapida_tw.wire.aws_signature import Credentials, presigned

_VENDOR = "AWS Transcribe"
_PATH = "/stream-transcription-websocket"
_RATE = 16_000
_SILENCE = bytes(_RATE * 2 // 10)
_STABILITIES = ("low", "medium", "high")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d+")
_AUDIO = {
    ":message-type": "event",
    ":event-type": "AudioEvent",
    ":content-type": "application/octet-stream",
}
# Types of exceptions that another connection does not change; a bad request may be a lack of audio.
_FOREVER = frozenset(("BadRequestException", "AccessDeniedException", "ValidationException"))
_TIMED_OUT = "timed out"
_POLICY = 1008  # of close codes


@dataclass(frozen=True, slots=True)
class AWSOptions:
    """`model`, `vocabulary`: names of one's own, made in AWS's console. `stability`: low, medium or
    high; the higher, the less words change and the sooner they are final, at the cost of accuracy.
    `region`: where the credential names none.
    """

    language: str = "en-US"
    region: str = ""
    model: str = ""
    vocabulary: str = ""
    stability: str = "high"

    def __post_init__(self) -> None:
        if self.stability not in _STABILITIES:
            raise ValueError(f"stability must be one of {', '.join(_STABILITIES)}")


class AWSWire:
    """One stream. `now`: seconds since the epoch."""

    encoding = Encoding.LINEAR16
    rate = _RATE
    gather = 100
    greets = False
    turns = False
    flush_within = 1.9
    keep_alive_every = 5.0  # it ends the stream after 15
    catch_up = 1.5

    def __init__(
        self,
        options: AWSOptions,
        base: str,
        credentials: Credentials,
        region: str,
        now: Callable[[], float],
    ) -> None:
        self._options = options
        self._base = base
        self._credentials = credentials
        self._region = region
        self._now = now
        self._results = InOrder()

    def address(self, net: Net) -> Deferred[Request]:
        options = self._options
        query = {
            "language-code": options.language,
            "media-encoding": "pcm",
            "sample-rate": str(_RATE),
            "enable-partial-results-stabilization": "true",
            "partial-results-stability": options.stability,
        }
        if options.model:
            query["language-model-name"] = options.model
        if options.vocabulary:
            query["vocabulary-name"] = options.vocabulary
        base = socket_url(self._base, _PATH, {})
        now = self._now()
        return succeed(
            Request(presigned(base, query, self._credentials, self._region, "transcribe", now))
        )

    def hello(self) -> Sequence[Frame]:
        return ()

    def audio(self, payload: bytes) -> Frame:
        return Frame(Message(_AUDIO, payload).encode(), binary=True)

    def finalize(self) -> Sequence[Frame]:
        return ()

    def keep_alive(self) -> Sequence[Frame]:
        return (self.audio(_SILENCE),)

    def goodbye(self) -> Sequence[Frame]:
        return (self.audio(b""),)

    def received(self, payload: bytes, binary: bool) -> Sequence[Event]:
        if not binary:
            raise RemoteProtocolError("a text where an event is due")
        message = decode(payload)
        headers = message.headers
        if headers.get(":message-type") != "event":
            return (_complaint(headers, message.payload),)
        if headers.get(":event-type") != "TranscriptEvent":
            return ()
        told: list[Event] = []
        for result in parts(part(parse(message.payload), "Transcript"), "Results"):
            told += self._result(result)
        return told

    def closed(self, code: int, reason_told: str) -> Complaint:
        told = reason_told or f"it closed the connection ({code})"
        return Complaint(reason(told), retryable=code != _POLICY)

    def _result(self, result: Mapping[str, Any]) -> Sequence[Event]:
        key = text(result, "ResultId")
        best = next(iter(parts(result, "Alternatives")), {})
        said = text(best, "Transcript")
        if flag(result, "IsPartial"):
            return (self._results.so_far(key, said),)
        return self._results.complete(key, said, confidence(parts(best, "Items"), "Confidence"))


def _complaint(headers: Mapping[str, str], payload: bytes) -> Complaint:
    kind = headers.get(":exception-type") or headers.get(":error-code", "")
    try:
        fields: Mapping[str, Any] = json.loads(payload)
        told = str(fields.get("Message") or headers.get(":error-message", ""))
    except (ValueError, AttributeError, RecursionError):
        told = headers.get(":error-message", "")
    forever = kind in _FOREVER and _TIMED_OUT not in told
    return Complaint(reason(told or kind), retryable=not forever)


class AWSRecognizerProvider(SocketRecognizerProvider[AWSOptions]):
    vendor = _VENDOR
    description = "AWS Transcribe: streaming, 50 languages"
    credential_fields: Mapping[str, str] = AWS_FIELDS
    options = AWSOptions

    def wire(self, options: AWSOptions, account: Account) -> Callable[[], RecognizerWire]:
        credentials = Credentials(
            account.need("access_key_id", "accessKeyId", "aws_access_key_id"),
            account.need("secret_access_key", "secretAccessKey", "aws_secret_access_key"),
            account.first("session_token", "sessionToken", "aws_session_token"),
        )
        region = (account.first("region") or options.region).strip().lower()
        if not _REGION.fullmatch(region):
            raise MisconfiguredAssistant(f"{_VENDOR} needs a region, us-east-1 for one")
        domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        base = account.base_url(f"wss://transcribestreaming.{region}.{domain}:8443")
        return lambda: AWSWire(options, base, credentials, region, self._host.now)


_conforms: type[RecognizerWire] = AWSWire
