"""Reads the events of Anthropic's Messages API ("Streaming messages")."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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
from rapida_tw.models.exchange import count, event, keep, mapping, shown, wanted
from rapida_tw.net.sse import EventStream

KEEPER = "anthropic"
_LARGEST = 1_048_576  # characters of thoughts and arguments together
_MOST_BLOCKS = 256
_PASSING = ("overloaded_error", "api_error", "rate_limit_error", "timeout_error")
_THOUGHTS = ("thinking", "redacted_thinking")


@dataclass(slots=True)
class _Block:
    """A content block as far as it has come; `text`: of thoughts, or of a tool's arguments."""

    kind: str
    given: dict[str, Any] = field(default_factory=dict)
    text: str = ""


class AnthropicReader:
    """One answer."""

    def __init__(self, vendor: str, model: str) -> None:
        self._vendor = vendor
        self._model = model
        self._events = EventStream()
        self._blocks: dict[str, _Block] = {}  # by index, in their order
        self._size = 0
        self._reason = ""
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
        match told.get("type"):
            case "message_start":
                yield from self._usage(mapping(mapping(told.get("message")).get("usage")))
            case "content_block_start":
                yield from self._start(str(told.get("index")), mapping(told.get("content_block")))
            case "content_block_delta":
                yield from self._delta(str(told.get("index")), mapping(told.get("delta")))
            case "message_delta":
                reason = mapping(told.get("delta")).get("stop_reason")
                self._reason = str(reason or self._reason)
                yield from self._usage(mapping(told.get("usage")))
            case "message_stop":
                yield from self._end()
            case "error":
                self._over = True
                yield self._complaint(mapping(told.get("error")))

    def _usage(self, usage: Mapping[str, Any]) -> Iterator[Event]:
        """What was read from the cache, or into it, is not among `input_tokens`."""
        found: dict[str, int] = {}
        if "input_tokens" in usage:
            cached = count(usage.get("cache_read_input_tokens"))
            written = count(usage.get("cache_creation_input_tokens"))
            found = {"input": count(usage["input_tokens"]) + cached + written, "cached": cached}
        if "output_tokens" in usage:
            found["output"] = count(usage["output_tokens"])
        if found:
            yield Usage(found)

    def _start(self, index: str, given: Mapping[str, Any]) -> Iterator[Event]:
        if len(self._blocks) == _MOST_BLOCKS:
            raise RemoteProtocolError(f"more than {_MOST_BLOCKS} blocks")
        block = _Block(str(given.get("type")), dict(given))
        self._blocks[index] = block
        if block.kind == "text":
            if self._said:
                yield Text(" ")  # a text behind a tool call
            yield from self._say(given.get("text"))
        else:
            block.text = str(given.get("thinking") or "")
            yield Working()

    def _delta(self, index: str, delta: Mapping[str, Any]) -> Iterator[Event]:
        block = self._blocks.get(index)
        if block is None:
            raise RemoteProtocolError(f"a piece of the block {index}, which was not begun")
        match delta.get("type"):
            case "text_delta":
                yield from self._say(delta.get("text"))
                return
            case "input_json_delta":
                self._gather(block, delta.get("partial_json"))
            case "thinking_delta":
                self._gather(block, delta.get("thinking"))
            case "signature_delta":
                block.given["signature"] = str(delta.get("signature") or "")
        yield Working()

    def _say(self, text: object) -> Iterator[Event]:
        if text:
            self._said = True
            yield Text(str(text))

    def _gather(self, block: _Block, text: object) -> None:
        block.text += str(text or "")
        self._size += len(str(text or ""))
        if self._size > _LARGEST:
            raise RemoteProtocolError("thoughts and tool calls of more than a megabyte")

    def _end(self) -> Iterator[Event]:
        self._over = True
        if self._reason == "refusal" and not self._said:
            yield Complaint(f"{self._vendor}'s model refuses to answer", retryable=False)
            return
        thoughts: list[Any] = []
        for block in self._blocks.values():
            if block.kind in _THOUGHTS:
                text = {"thinking": block.text} if block.kind == "thinking" else {}
                thoughts.append(block.given | text)
            if block.kind == "tool_use":
                memory = keep(KEEPER, self._model, thoughts) if thoughts else ""
                arguments = block.text or json.dumps(block.given.get("input") or {})
                name, call_id = str(block.given.get("name") or ""), str(block.given.get("id") or "")
                call = wanted(self._vendor, call_id, name, arguments, memory)
                if isinstance(call, str):
                    cut = " (cut off at max_tokens)" if self._reason == "max_tokens" else ""
                    yield Complaint(call + cut, retryable=not cut)
                    return
                yield Wanted(call)
                thoughts = []
        yield Finished(self._reason)

    def _complaint(self, error: Mapping[str, Any]) -> Complaint:
        kind = str(error.get("type") or "")
        said = shown(error.get("message") or kind)
        return Complaint(f"{self._vendor} broke off: {said}", kind in _PASSING)


_conforms: type[Reader] = AnthropicReader
