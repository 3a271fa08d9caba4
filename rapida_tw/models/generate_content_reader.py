"""Reads the answers of Gemini's streamGenerateContent: each event is a whole response."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.models.base import ToolCall
from rapida_tw.models.dialect import (
    Complaint,
    Event,
    Finished,
    Reader,
    Text,
    Usage,
    Wanted,
    Working,
)
from rapida_tw.models.exchange import count, event, keep, mapping, refusal, sequence, tokens
from rapida_tw.net.sse import EventStream

KEEPER = "gemini"
_MOST_CALLS = 128
# The model has made a mistake, and may not make it again.
_MISTAKES = (
    *("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "MALFORMED_RESPONSE"),
    *("TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE", "OTHER"),
)
_PLAIN = ("STOP", "MAX_TOKENS", "FINISH_REASON_UNSPECIFIED")


class GenerateContentReader:
    """One answer."""

    def __init__(self, vendor: str, model: str) -> None:
        self._vendor = vendor
        self._model = model
        self._events = EventStream()
        self._calls: list[ToolCall] = []
        self._said = False
        self._over = False

    def feed(self, data: bytes) -> Sequence[Event]:
        found: list[Event] = []
        for _, text in self._events.feed(data):
            if not self._over:
                found += self._event(event(text))
        return found

    def finish(self) -> Sequence[Event]:
        if self._over:
            return ()
        self._over = True
        return [Complaint(f"{self._vendor} broke off its answer")]

    def _event(self, told: Mapping[str, Any]) -> Iterator[Event]:
        if error := mapping(told.get("error")):
            self._over = True
            status = count(error.get("code")) or 500
            yield refusal(self._vendor, status, json.dumps({"error": error}))
            return
        if usage := mapping(told.get("usageMetadata")):
            # Thoughts are paid for like answers.
            read = count(usage.get("candidatesTokenCount")) + count(usage.get("thoughtsTokenCount"))
            cached = usage.get("cachedContentTokenCount")
            yield Usage(tokens(usage.get("promptTokenCount"), read, cached))
        if blocked := mapping(told.get("promptFeedback")).get("blockReason"):
            self._over = True
            yield Complaint(f"{self._vendor} blocked the dialogue ({blocked})", retryable=False)
            return
        for candidate in map(mapping, sequence(told.get("candidates"))):
            if candidate.get("index"):
                continue
            for part in map(mapping, sequence(mapping(candidate.get("content")).get("parts"))):
                yield from self._part(part)
            if reason := candidate.get("finishReason"):
                self._over = True
                yield from self._end(str(reason))

    def _part(self, part: Mapping[str, Any]) -> Iterator[Event]:
        text, called = part.get("text"), mapping(part.get("functionCall"))
        if text and not part.get("thought"):
            self._said = True
            yield Text(str(text))
        elif called:
            self._call(called, part.get("thoughtSignature"))
            yield Working()
        elif part:
            yield Working()

    def _call(self, called: Mapping[str, Any], signature: object) -> None:
        if len(self._calls) == _MOST_CALLS:
            raise RemoteProtocolError(f"more than {_MOST_CALLS} tool calls")
        memory = {"id": called.get("id"), "signature": signature}
        call_id = str(called.get("id") or f"call_{len(self._calls)}")
        name, arguments = str(called.get("name") or ""), mapping(called.get("args"))
        self._calls.append(ToolCall(call_id, name, arguments, keep(KEEPER, self._model, memory)))

    def _end(self, reason: str) -> Iterator[Event]:
        """Anything but a plain end is a complaint, unless something has been said by then."""
        if reason in _PLAIN or self._said:
            yield from map(Wanted, self._calls)
            yield Finished(reason)
        elif reason in _MISTAKES:
            yield Complaint(f"{self._vendor}'s model failed ({reason})")
        else:
            yield Complaint(f"{self._vendor} has withheld its answer ({reason})", retryable=False)


_conforms: type[Reader] = GenerateContentReader
