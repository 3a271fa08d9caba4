"""Responses: OpenAI's newer API, as a dialect (API reference, "Create a model response").

Nothing is stored there: the whole dialogue goes along each time, as with chat completions. What a
thinking model thought before it called a tool goes along too, encrypted by OpenAI.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.defer import Deferred, succeed

from rapida_tw.models.accepted import Accepted, Field, Offer
from rapida_tw.models.alternation import alternate
from rapida_tw.models.base import Message, Tool
from rapida_tw.models.dialect import Complaint, Dialect
from rapida_tw.models.exchange import (
    efforts,
    given_json,
    kept,
    post,
    refusal,
    schema,
    sequence,
)
from rapida_tw.models.responses_reader import KEEPER, ResponsesReader
from rapida_tw.net.base import Net, Request
from rapida_tw.options import within

_THOUGHTS = "reasoning.encrypted_content"


@dataclass(frozen=True, slots=True)
class ResponsesOptions:
    """Settings of a reply, by the names of the API; not set: its own default."""

    name: str = ""
    id: str = ""  # as "openai/gpt-4.1"; `name` comes first
    temperature: float | None = None
    top_p: float | None = None
    max_output_tokens: int | None = None
    max_completion_tokens: int | None = None  # the same, by other APIs' names
    max_tokens: int | None = None
    tool_choice: str = ""  # auto, none, required, a tool's name, or JSON
    parallel_tool_calls: bool | None = None
    response_format: str = ""  # text, json_object, or JSON
    reasoning_effort: str = ""  # of models that think; "": as little as they can
    verbosity: str = ""  # low, medium, high
    user: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)  # whatever else the API takes

    def __post_init__(self) -> None:
        if self.temperature is not None:
            within("temperature", self.temperature, 0, 2)
        if self.top_p is not None:
            within("top_p", self.top_p, 0, 1)
        for name in ("max_output_tokens", "max_completion_tokens", "max_tokens"):
            if (most := getattr(self, name)) is not None:
                within(name, most, 1, 200_000)
        given_json(self.tool_choice)
        given_json(self.response_format)

    @property
    def limit(self) -> int | None:
        return self.max_output_tokens or self.max_completion_tokens or self.max_tokens


class ResponsesDialect:
    """One call's settings at one server."""

    def __init__(
        self,
        options: ResponsesOptions,
        vendor: str,
        url: str,
        headers: Mapping[str, str],
        model: str,
        accepted: Accepted,
    ) -> None:
        self._options = options
        self._vendor = vendor
        self._url = url
        self._headers = headers
        self._model = model
        self._accepted = accepted
        self._offer = Offer(accepted, ())

    def request(
        self, net: Net, messages: Sequence[Message], tools: Sequence[Tool]
    ) -> Deferred[Request]:
        self._offer = Offer(self._accepted, self._fields(bool(tools)))
        turns = alternate(messages)
        body = {
            "model": self._model,
            "input": [item for one in turns.messages for item in self._items(one)],
            "stream": True,
            "store": False,
            **self._offer.body(),
        }
        if turns.system:
            body["instructions"] = turns.system
        if tools:
            body["tools"] = [_tool(tool) for tool in tools]
            if self._options.tool_choice:
                body["tool_choice"] = _tool_choice(self._options.tool_choice)
        body |= self._options.parameters
        return succeed(post(self._url, self._headers, body))

    def reader(self) -> ResponsesReader:
        return ResponsesReader(self._vendor, self._model)

    def refused(self, status: int, body: str) -> Complaint:
        name = self._offer.refused(status, body)
        if name:
            return Complaint(f"{self._vendor} does not take {name}", again=True)
        return refusal(self._vendor, status, body)

    def _items(self, message: Message) -> Iterator[dict[str, Any]]:
        if message.role == "tool":
            yield {
                "type": "function_call_output",
                "call_id": message.tool_call_id,
                "output": message.text,
            }
            return
        if message.text:
            kind = "input_text" if message.role == "user" else "output_text"
            content = [{"type": kind, "text": message.text}]
            yield {"type": "message", "role": message.role, "content": content}
        for call in message.tool_calls:
            yield from sequence(kept(call.kept, KEEPER, self._model))
            yield {
                "type": "function_call",
                "call_id": call.id,
                "name": call.name,
                "arguments": json.dumps(dict(call.arguments), ensure_ascii=False),
            }

    def _fields(self, tools: bool) -> list[Field]:
        options = self._options
        once: dict[str, Any] = {
            "temperature": options.temperature,
            "top_p": options.top_p,
            "max_output_tokens": options.limit,
            "parallel_tool_calls": options.parallel_tool_calls if tools else None,
            "user": options.user,
            "metadata": options.metadata,
            "text": self._text(),
        }
        fields = [
            Field((name,), ({name: value}, {}))
            for name, value in once.items()
            if value not in (None, "", {})
        ]
        levels = efforts(self._model, options.reasoning_effort)
        if levels:
            ways = [{"reasoning": {"effort": effort}} for effort in levels]
            fields.append(Field(("reasoning.effort", "reasoning"), (*ways, {})))
            fields.append(Field((_THOUGHTS, "include"), ({"include": [_THOUGHTS]}, {})))
        return fields

    def _text(self) -> dict[str, Any]:
        text: dict[str, Any] = {}
        if self._options.verbosity:
            text["verbosity"] = self._options.verbosity
        if self._options.response_format:
            chosen = given_json(self._options.response_format)
            text["format"] = {"type": chosen} if isinstance(chosen, str) else chosen
        return text


def _tool(tool: Tool) -> dict[str, Any]:
    described = {"name": tool.name, "description": tool.description, "parameters": schema(tool)}
    # Not strict: that wants every property to be required.
    return {"type": "function", "strict": False, **described}


def _tool_choice(text: str) -> Any:
    if text in ("auto", "none", "required"):
        return text
    chosen = given_json(text)
    return {"type": "function", "name": chosen} if isinstance(chosen, str) else chosen


_conforms: type[Dialect] = ResponsesDialect
