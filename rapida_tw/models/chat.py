"""Chat completions: how OpenAI, and everybody who is compatible to it, is asked for a reply.

OpenAI's API reference, "Create chat completion". Providers are in files of their own; each says by
a `Server` what is particular to it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.defer import Deferred, succeed

from rapida_tw.models.accepted import Accepted, Field, Offer
from rapida_tw.models.alternation import ANY_ID, alternate
from rapida_tw.models.base import Message, Tool, ToolCall
from rapida_tw.models.chat_reader import ChatReader
from rapida_tw.models.dialect import Complaint, Dialect
from rapida_tw.models.exchange import efforts, given_json, post, refusal, schema
from rapida_tw.net.base import Net, Request
from rapida_tw.options import within


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """Settings of a reply, by the names of the API; not set: the server's own default."""

    name: str = ""
    id: str = ""  # as "openai/gpt-4.1"; `name` comes first
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None  # local servers
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    stop: list[str] = field(default_factory=list)
    stop_sequences: list[str] = field(default_factory=list)
    seed: int | None = None
    tool_choice: str = ""  # auto, none, required, a tool's name, or JSON
    parallel_tool_calls: bool | None = None
    response_format: str = ""  # text, json_object, or JSON
    reasoning_effort: str = ""  # of models that think; "": as little as they can
    user: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)  # whatever else the server takes
    stream_options: bool = True  # asks for the usage; dropped when the server refuses it
    stream_with_tools: bool = True  # off for servers that lose the tool calls of a stream

    def __post_init__(self) -> None:
        if self.temperature is not None:
            within("temperature", self.temperature, 0, 2)
        if self.top_p is not None:
            within("top_p", self.top_p, 0, 1)
        for name in ("max_tokens", "max_completion_tokens"):
            if (most := getattr(self, name)) is not None:
                within(name, most, 1, 200_000)
        given_json(self.tool_choice)
        given_json(self.response_format)


@dataclass(frozen=True, slots=True)
class Server:
    """Where chat completions are, and in whose manner. The repr hides the headers: a key is there.

    `limit`: how it calls `max_tokens`. `ids`: which ids of tool calls it takes. `counts`: it tells
    the usage unasked. `thinks`: its models may think before they answer, and can be told not to.
    """

    vendor: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    limit: str = "max_tokens"
    ids: re.Pattern[str] = ANY_ID
    counts: bool = False
    thinks: bool = False


class ChatDialect:
    """One call's settings at one server."""

    def __init__(
        self, options: ChatOptions, server: Server, model: str, accepted: Accepted
    ) -> None:
        self._options = options
        self._server = server
        self._model = model
        self._accepted = accepted
        self._offer = Offer(accepted, ())

    def request(
        self, net: Net, messages: Sequence[Message], tools: Sequence[Tool]
    ) -> Deferred[Request]:
        stream = self._options.stream_with_tools or not tools
        self._offer = Offer(self._accepted, self._fields(stream, bool(tools)))
        body = {
            "model": self._model,
            "messages": self._messages(messages),
            "stream": stream,
            **self._offer.body(),
        }
        if tools:
            body["tools"] = [_tool(tool) for tool in tools]
            if self._options.tool_choice:
                body["tool_choice"] = _tool_choice(self._options.tool_choice)
        body |= self._options.parameters
        return succeed(post(self._server.url, self._server.headers, body))

    def reader(self) -> ChatReader:
        return ChatReader(self._server.vendor)

    def refused(self, status: int, body: str) -> Complaint:
        name = self._offer.refused(status, body)
        if name:
            return Complaint(f"{self._server.vendor} does not take {name}", again=True)
        return refusal(self._server.vendor, status, body)

    def _messages(self, messages: Sequence[Message]) -> list[dict[str, Any]]:
        turns = alternate(messages, self._server.ids)
        written = [_message(one) for one in turns.messages]
        if turns.system:
            written.insert(0, {"role": "system", "content": turns.system})
        return written

    def _fields(self, stream: bool, tools: bool) -> list[Field]:
        options = self._options
        once: dict[str, Any] = {
            "temperature": options.temperature,
            "top_p": options.top_p,
            "top_k": options.top_k,
            "frequency_penalty": options.frequency_penalty,
            "presence_penalty": options.presence_penalty,
            "stop": options.stop or options.stop_sequences,
            "seed": options.seed,
            "parallel_tool_calls": options.parallel_tool_calls if tools else None,
            "response_format": _response_format(options.response_format),
            "user": options.user,
            "metadata": options.metadata,
        }
        fields = [
            Field((name,), ({name: value}, {}))
            for name, value in once.items()
            if value not in (None, "", [], {})
        ]
        if stream and options.stream_options and not self._server.counts:
            usage = {"stream_options": {"include_usage": True}}
            fields.append(Field(("stream_options", "include_usage"), (usage, {})))
        return [*fields, *self._limit(), *self._effort()]

    def _limit(self) -> list[Field]:
        options = self._options
        most = options.max_completion_tokens or options.max_tokens
        if most is None:
            return []
        first = "max_completion_tokens" if options.max_completion_tokens else self._server.limit
        other = "max_tokens" if first == "max_completion_tokens" else "max_completion_tokens"
        return [Field(("max_tokens", "max_completion_tokens"), ({first: most}, {other: most}, {}))]

    def _effort(self) -> list[Field]:
        chosen = self._options.reasoning_effort
        if not (chosen or self._server.thinks):
            return []
        ways = [{"reasoning_effort": effort} for effort in efforts(self._model, chosen)]
        return [Field(("reasoning_effort",), (*ways, {}))]


def _message(message: Message) -> dict[str, Any]:
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": message.tool_call_id, "content": message.text}
    if message.tool_calls:
        calls = [_call(call) for call in message.tool_calls]
        return {"role": "assistant", "content": message.text or None, "tool_calls": calls}
    return {"role": message.role, "content": message.text}


def _call(call: ToolCall) -> dict[str, Any]:
    arguments = json.dumps(dict(call.arguments), ensure_ascii=False)
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": arguments},
    }


def _tool(tool: Tool) -> dict[str, Any]:
    described = {"name": tool.name, "description": tool.description, "parameters": schema(tool)}
    return {"type": "function", "function": described}


def _tool_choice(text: str) -> Any:
    if text in ("auto", "none", "required"):
        return text
    chosen = given_json(text)
    named = isinstance(chosen, str)
    return {"type": "function", "function": {"name": chosen}} if named else chosen


def _response_format(text: str) -> Any:
    chosen = given_json(text)
    return {"type": chosen} if isinstance(chosen, str) and chosen else chosen


_conforms: type[Dialect] = ChatDialect
