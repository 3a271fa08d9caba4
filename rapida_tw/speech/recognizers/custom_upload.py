"""Any recogniser that is sent a recording of each turn, by the rules of a deployment (http_v1).

The one request rule for `audio` is the JSON body of a POST for each turn; the response rules read
the JSON of its answer, of which the last words that are not interim count.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.net.base import Request
from rapida_tw.net.reasons import passing, reason_in
from rapida_tw.speech.messages import reason
from rapida_tw.speech.recognizers.transcriber import Transcriber, TranscriptReader
from rapida_tw.speech.recognizers.wire import Complaint, Event, Final, Partial
from rapida_tw.speech.rules import RequestRules, ResponseRules

_LONGEST = 262_144  # bytes of an answer
_HEADER = 44  # bytes of a recording before its samples


class CustomTranscriber:
    """`config`: variables of the rules; `events`: what emitted values mean."""

    def __init__(
        self,
        request: Request,
        requests: RequestRules,
        responses: ResponseRules,
        config: Mapping[str, Any],
        events: Callable[[Mapping[str, Any]], Sequence[Event]],
    ) -> None:
        headers = {"Content-Type": "application/json", **request.headers}
        self._request = replace(request, method="POST", headers=headers)
        self._requests = requests
        self._responses = responses
        self._config = config
        self._events = events

    def request(self, recording: bytes) -> Request:
        samples = recording[_HEADER:]
        turn = uuid4().hex
        variables = {
            **self._config,
            "packet.kind": "audio",
            "packet.context_id": turn,
            "packet.message_id": turn,
            "packet.audio.base64": b64encode(samples).decode(),
            "packet.audio.pcm_base64": b64encode(samples).decode(),
            "packet.audio.wav_base64": b64encode(recording).decode(),
        }
        body = self._requests.body("audio", variables.__getitem__)
        return replace(self._request, body=json.dumps(body).encode())

    def reader(self) -> TranscriptReader:
        return _Whole(self._said)

    def refused(self, status: int, body: str) -> Complaint:
        return Complaint(reason(f"HTTP {status}", reason_in(body)), retryable=passing(status))

    def _said(self, body: bytes) -> Final:
        final: Final | None = None
        for emitted in self._responses.emitted(body, False, self._config.__getitem__):
            for event in self._events(emitted):
                if isinstance(event, Complaint):
                    raise RemoteProtocolError(event.reason)
                final = event if isinstance(event, Final) else final
        if final is None:
            raise RemoteProtocolError("an answer in which no rule finds words")
        return final


class _Whole:
    """The body, until it is over."""

    def __init__(self, said: Callable[[bytes], Final]) -> None:
        self._said = said
        self._body = bytearray()

    def feed(self, data: bytes) -> Sequence[Partial | Complaint]:
        self._body += data
        if len(self._body) > _LONGEST:
            raise RemoteProtocolError("an answer without an end")
        return ()

    def finish(self) -> Final:
        return self._said(bytes(self._body))


_conforms: type[Transcriber] = CustomTranscriber
