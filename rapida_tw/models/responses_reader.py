"""Reads the events of OpenAI's Responses API ("Streaming events")."""

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
from rapida_tw.models.exchange import event, keep, mapping, shown, tokens, wanted
from rapida_tw.net.sse import EventStream

KEEPER = "responses"
_LARGEST = 1_048_576  # characters of arguments
_MOST_CALLS = 128
_SPOKEN = ("response.output_text.delta", "response.refusal.delta")
_PASSING = ("server_error", "rate_limit_exceeded", "vector_store_timeout", "internal_error", "")


@dataclass(slots=True)
class _Call:
    """A function call as far as it has come, and what was thought before it."""

    thoughts: list[Any] = field(default_factory=list)
    id: str = ""
    name: str = ""
    arguments: str = ""


class ResponsesReader:
    """One answer."""

    def __init__(self, vendor: str, model: str) -> None:
        self._vendor = vendor
        self._model = model
        self._events = EventStream()
        self._calls: dict[str, _Call] = {}  # by the item's id
        self._thoughts: list[Any] = []
        self._said = False
        self._over = False

    def feed(self, data: bytes) -> Sequence[Event]:
        found: list[Event] = []
        for _, text in self._events.feed(data):
            if not self._over and text.strip() != "[DONE]":
                found += self._event(event(text))
        return found

    def finish(self) -> Sequence[Event]:
        if self._over:
            return ()
        self._over = True
        return [Complaint(f"{self._vendor} broke off its answer")]

    def _event(self, told: Mapping[str, Any]) -> Iterator[Event]:
        kind = str(told.get("type") or "")
        if kind in _SPOKEN:
            if delta := told.get("delta"):
                self._said = True
                yield Text(str(delta))
        elif kind == "response.output_item.added":
            item = mapping(told.get("item"))
            if item.get("type") == "message" and self._said:
                yield Text(" ")  # a message after a message
            yield from self._item(item)
        elif kind == "response.output_item.done":
            yield from self._item(mapping(told.get("item")), done=True)
        elif kind.startswith("response.function_call_arguments."):
            call = self._call(str(told.get("item_id") or ""))
            if isinstance(arguments := told.get("arguments"), str):
                call.arguments = arguments
            else:
                call.arguments += str(told.get("delta") or "")
            if len(call.arguments) > _LARGEST:
                raise RemoteProtocolError("a tool call of more than a megabyte")
            yield Working()
        elif kind in ("response.completed", "response.incomplete", "response.failed"):
            yield from self._end(kind, mapping(told.get("response")))
        elif kind == "error":
            self._over = True
            yield self._complaint(mapping(told.get("error")) or told)
        elif kind.endswith(".delta"):  # of reasoning, and of what is yet to be invented
            yield Working()

    def _item(self, item: Mapping[str, Any], done: bool = False) -> Iterator[Event]:
        kind = item.get("type")
        if kind == "reasoning" and done and item.get("encrypted_content"):
            if len(self._thoughts) == _MOST_CALLS:
                raise RemoteProtocolError(f"more than {_MOST_CALLS} thoughts")
            self._thoughts.append(item)
        if kind == "function_call":
            call = self._call(str(item.get("id") or item.get("call_id")))
            call.id = str(item.get("call_id") or call.id)
            call.name = str(item.get("name") or call.name)
            call.arguments = str(item.get("arguments") or call.arguments)
            if self._thoughts:
                call.thoughts, self._thoughts = self._thoughts, []
        if kind != "message":
            yield Working()

    def _call(self, item_id: str) -> _Call:
        if len(self._calls) == _MOST_CALLS and item_id not in self._calls:
            raise RemoteProtocolError(f"more than {_MOST_CALLS} tool calls")
        return self._calls.setdefault(item_id, _Call())

    def _end(self, kind: str, response: Mapping[str, Any]) -> Iterator[Event]:
        self._over = True
        if usage := mapping(response.get("usage")):
            details = mapping(usage.get("input_tokens_details"))
            read, cached = usage.get("output_tokens"), details.get("cached_tokens")
            yield Usage(tokens(usage.get("input_tokens"), read, cached))
        if kind == "response.failed":
            yield self._complaint(mapping(response.get("error")))
            return
        why = str(mapping(response.get("incomplete_details")).get("reason") or "")
        if kind == "response.incomplete" and self._calls:
            yield Complaint(f"{self._vendor} was cut off in a tool call ({why})", retryable=False)
            return
        if why == "content_filter" and not self._said:
            yield Complaint(f"{self._vendor} has withheld its answer", retryable=False)
            return
        for number, one in enumerate(self._calls.values()):
            thoughts = keep(KEEPER, self._model, one.thoughts) if one.thoughts else ""
            call_id = one.id or f"call_{number}"
            call = wanted(self._vendor, call_id, one.name, one.arguments, thoughts)
            if isinstance(call, str):
                yield Complaint(call)
                return
            yield Wanted(call)
        yield Finished(why or kind.removeprefix("response."))

    def _complaint(self, error: Mapping[str, Any]) -> Complaint:
        code = str(error.get("code") or error.get("type") or "")
        said = shown(error.get("message") or code or json.dumps(error))
        return Complaint(f"{self._vendor} broke off: {said}", code in _PASSING)


_conforms: type[Reader] = ResponsesReader
