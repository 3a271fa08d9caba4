"""Reads the answers of chat completions: a stream of chunks, or one JSON object.

Liberal, because "compatible" means something else to every server. Those that cannot stream, or not
with tools, answer with one object.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rapida_tw.errors import RemoteProtocolError
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
from rapida_tw.models.exchange import event, mapping, refusal, sequence, shown, tokens, wanted
from rapida_tw.net.sse import EventStream

_LARGEST = 1_048_576  # bytes of an answer that is no stream
_MOST_CALLS = 128
_FINAL = ("insufficient_quota", "invalid_api_key", "context_length_exceeded", "content_filter")


@dataclass(slots=True)
class _Call:
    """A tool call as far as it has come."""

    index: object
    id: str = ""
    name: str = ""
    arguments: str = ""


class ChatReader:
    """One answer."""

    def __init__(self, vendor: str) -> None:
        self._vendor = vendor
        self._events = EventStream()
        self._whole: bytearray | None = None  # of an answer that is no stream
        self._begun = False
        self._calls: list[_Call] = []
        self._reason = ""  # why it finished, from the last chunk with content on
        self._said = False
        self._over = False

    def feed(self, data: bytes) -> Sequence[Event]:
        if not self._begun and (first := data.lstrip()[:1]):
            self._begun = True
            self._whole = bytearray() if first == b"{" else None
        if self._whole is not None:
            self._whole += data
            if len(self._whole) > _LARGEST:
                raise RemoteProtocolError("an answer of more than a megabyte")
            return ()
        return [one for _, text in self._events.feed(data) for one in self._event(text)]

    def finish(self) -> Sequence[Event]:
        if self._whole is not None and not self._over:
            events = list(self._chunk(event(self._whole.decode("utf-8", "replace"))))
            return events if self._over else [*events, *self._end()]
        if self._over:
            return ()
        if self._reason:  # some servers do not say [DONE]
            return self._end()
        self._over = True
        return [Complaint(f"{self._vendor} broke off its answer")]

    def _event(self, text: str) -> Sequence[Event]:
        if self._over:
            return ()
        if text.strip() == "[DONE]":
            return self._end()
        return list(self._chunk(event(text)))

    def _chunk(self, chunk: Mapping[str, Any]) -> Iterator[Event]:
        if error := chunk.get("error"):
            self._over = True
            yield self._complaint(error)
            return
        usage = mapping(chunk.get("usage")) or mapping(mapping(chunk.get("x_groq")).get("usage"))
        if usage:
            details = mapping(usage.get("prompt_tokens_details"))
            cached = details.get("cached_tokens") or usage.get("prompt_cache_hit_tokens")
            yield Usage(tokens(usage.get("prompt_tokens"), usage.get("completion_tokens"), cached))
        for choice in map(mapping, sequence(chunk.get("choices"))):
            if choice.get("index"):  # one of several answers, which nobody has asked for
                continue
            yield from self._delta(mapping(choice.get("delta") or choice.get("message")))
            self._reason = str(choice.get("finish_reason") or self._reason)

    def _delta(self, delta: Mapping[str, Any]) -> Iterator[Event]:
        working = any(delta.get(name) for name in ("reasoning_content", "reasoning"))
        for part in (delta.get("content"), delta.get("refusal")):
            if text := _text(part):
                self._said = True
                yield Text(text)
            elif part:
                working = True
        calls = delta.get("tool_calls")
        for piece in [calls] if isinstance(calls, dict) else sequence(calls):
            self._piece(mapping(piece))
            working = True
        if working:
            yield Working()

    def _piece(self, piece: Mapping[str, Any]) -> None:
        """A tool call, or the next piece of one."""
        function = mapping(piece.get("function"))
        call = self._call_of(piece, function)
        call.id = call.id or str(piece.get("id") or "")
        call.name = call.name or str(function.get("name") or "")
        arguments = function.get("arguments")
        if isinstance(arguments, str):
            call.arguments += arguments
        elif arguments is not None:
            call.arguments = json.dumps(arguments)
        if sum(len(one.arguments) for one in self._calls) > _LARGEST:
            raise RemoteProtocolError("tool calls of more than a megabyte")

    def _call_of(self, piece: Mapping[str, Any], function: Mapping[str, Any]) -> _Call:
        """Pieces belong together by index, else by id; a new name or id begins a new call."""
        index, call_id = piece.get("index"), piece.get("id")
        last = self._calls[-1] if self._calls else None
        if index is not None:
            last = next((one for one in reversed(self._calls) if one.index == index), None)
        if last is not None:
            other = bool(call_id) and last.id not in ("", call_id)
            anew = index is None and not call_id and bool(function.get("name"))
            if not (other or anew):
                return last
        if len(self._calls) == _MOST_CALLS:
            raise RemoteProtocolError(f"more than {_MOST_CALLS} tool calls")
        call = _Call(index)
        self._calls.append(call)
        return call

    def _end(self) -> list[Event]:
        self._over = True
        events: list[Event] = []
        for number, one in enumerate(self._calls):
            call_id = one.id or f"call_{number}"
            call = wanted(self._vendor, call_id, one.name, one.arguments)
            if isinstance(call, str):
                cut = " (cut off at max_tokens)" if self._reason == "length" else ""
                return [Complaint(call + cut, retryable=not cut)]
            events.append(Wanted(call))
        if self._reason == "content_filter" and not self._said:
            return [Complaint(f"{self._vendor} has withheld its answer", retryable=False)]
        return [*events, Finished(self._reason)]

    def _complaint(self, error: object) -> Complaint:
        """An error in place of a chunk."""
        code = str(mapping(error).get("code") or mapping(error).get("type") or "")
        if code.isdigit():  # OpenRouter: an HTTP status
            return refusal(self._vendor, int(code), json.dumps({"error": error}))
        said = mapping(error).get("message") or (error if isinstance(error, str) else code)
        retryable = code not in _FINAL
        return Complaint(f"{self._vendor} broke off: {shown(said)}", retryable)


def _text(part: object) -> str:
    """The text of a content: itself, or the text parts of a list."""
    if isinstance(part, str):
        return part
    parts = map(mapping, sequence(part))
    texts = (one.get("text") for one in parts if one.get("type") == "text")
    return "".join(text for text in texts if isinstance(text, str))


_conforms: type[Reader] = ChatReader
