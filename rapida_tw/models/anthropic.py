"""Anthropic's Claude by the Messages API (API reference, "Create a Message").

API version 2023-06-01: the next one (2026-10-21) takes no temperature from any model, this one
from those that know it. Thinking is off unless it is asked for: newer models think first, which on
the phone is silence, and each family turns it off by another word.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.defer import Deferred, succeed

from rapida_tw.account import Account
from rapida_tw.models.accepted import Accepted, Field, Offer
from rapida_tw.models.alternation import alternate
from rapida_tw.models.anthropic_reader import KEEPER, AnthropicReader
from rapida_tw.models.base import Message, Tool
from rapida_tw.models.dialect import Complaint, Dialect
from rapida_tw.models.exchange import (
    extra_headers,
    given_json,
    kept,
    mapping,
    post,
    refusal,
    schema,
    sequence,
)
from rapida_tw.models.provider import KEYS, StreamedProvider, model_name
from rapida_tw.net.base import Net, Request
from rapida_tw.options import within

_VENDOR = "Anthropic"
_USUAL = "claude-haiku-5-5"  # the quickest
_ROOM = 1024  # tokens for the answer, besides those for thinking
_NOT_THINKING: Sequence[Mapping[str, Any]] = (
    {"thinking": {"type": "disabled"}},
    {"thinking": {"type": "between_tools"}},  # Sonnet 5.5
    {"output_config": {"effort": "low"}},  # those that always think: at least not for long
    {},
)
_CHOICES = {"auto": "auto", "none": "none", "required": "any", "any": "any"}


@dataclass(frozen=True, slots=True)
class AnthropicOptions:
    """Settings of a reply, by the names of the API; not set: its own default."""

    name: str = ""
    id: str = ""  # as "anthropic/claude-haiku-5-5"; `name` comes first
    max_tokens: int = 4096  # must be there; thinking is among them
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop_sequences: list[str] = field(default_factory=list)
    stop: list[str] = field(default_factory=list)
    tool_choice: str = ""  # auto, required, none, or a tool's name
    parallel_tool_calls: bool | None = None
    # "": off; adaptive, default (the model's own), a number of tokens, or the API's JSON
    thinking: str = ""
    reasoning_effort: str = ""  # low, medium, high, xhigh, max; the model thinks, then
    user: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)  # whatever else the API takes
    cache: bool = True  # the instructions are cached, which saves time when they are long
    version: str = "2023-06-01"

    def __post_init__(self) -> None:
        within("max_tokens", self.max_tokens, 1, 200_000)
        if self.temperature is not None:
            within("temperature", self.temperature, 0, 1)
        if self.top_p is not None:
            within("top_p", self.top_p, 0, 1)
        if self.thinking.isdigit():
            within("thinking", int(self.thinking), 1024, 100_000)
        given_json(self.thinking)


class AnthropicDialect:
    """One call's settings."""

    def __init__(
        self,
        options: AnthropicOptions,
        url: str,
        headers: Mapping[str, str],
        model: str,
        accepted: Accepted,
    ) -> None:
        self._options = options
        self._url = url
        self._headers = {"anthropic-version": options.version, **headers}
        self._model = model
        self._accepted = accepted
        self._offer = Offer(accepted, ())

    def request(
        self, net: Net, messages: Sequence[Message], tools: Sequence[Tool]
    ) -> Deferred[Request]:
        turns = alternate(messages)
        self._offer = Offer(self._accepted, self._fields(turns.system))
        body: dict[str, Any] = {
            "model": self._model,
            "max_tokens": self._most(),
            "stream": True,
            "messages": self._messages(turns.messages),
            **self._offer.body(),
        }
        if tools:
            body["tools"] = [
                {"name": one.name, "description": one.description, "input_schema": schema(one)}
                for one in tools
            ]
            if choice := self._choice():
                body["tool_choice"] = choice
        body |= self._options.parameters
        return succeed(post(self._url, self._headers, body))

    def reader(self) -> AnthropicReader:
        return AnthropicReader(_VENDOR, self._model)

    def refused(self, status: int, body: str) -> Complaint:
        name = self._offer.refused(status, body)
        if name:
            return Complaint(f"{_VENDOR} does not take {name}", again=True)
        return refusal(_VENDOR, status, body)

    # -- what is sent -----------------------------------------------------------------------------

    def _messages(self, messages: Sequence[Message]) -> list[dict[str, Any]]:
        """Results of tools are the user's, and in one message with what the caller says then."""
        written: list[dict[str, Any]] = []
        for message in messages:
            role = "assistant" if message.role == "assistant" else "user"
            if not written or written[-1]["role"] != role:
                written.append({"role": role, "content": []})
            written[-1]["content"] += self._blocks(message)
        return written

    def _blocks(self, message: Message) -> list[dict[str, Any]]:
        if message.role == "tool":
            return [_result(message)]
        blocks: list[dict[str, Any]] = []
        if message.text:
            # White space at the end of the assistant's text is refused.
            blocks.append({"type": "text", "text": message.text.rstrip()})
        for number, call in enumerate(message.tool_calls):
            thoughts = sequence(kept(call.kept, KEEPER, self._model))
            # What was thought first stands before what was said.
            blocks = [*thoughts, *blocks] if number == 0 else [*blocks, *thoughts]
            used = {"id": call.id, "name": call.name, "input": dict(call.arguments)}
            blocks.append({"type": "tool_use", **used})
        return blocks

    def _fields(self, system: str) -> list[Field]:
        options = self._options
        stops = options.stop_sequences or options.stop
        user = {"user_id": options.user} if options.user else {}
        once: dict[str, Any] = {
            "temperature": options.temperature,
            "top_p": options.top_p,
            "top_k": options.top_k,
            "stop_sequences": stops,
            "metadata": user | options.metadata,
        }
        fields = [
            Field((name,), ({name: value}, {}))
            for name, value in once.items()
            if value not in (None, [], {})
        ]
        if system:
            block = {"type": "text", "text": system}
            cached = {**block, "cache_control": {"type": "ephemeral"}}
            ways = ({"system": [cached]}, {"system": system})
            fields.append(Field(("cache_control",), ways[not options.cache :]))
        if options.reasoning_effort:
            effort = {"output_config": {"effort": options.reasoning_effort}}
            fields.append(Field(("effort", "output_config"), (effort, {})))
        return [*fields, Field(("thinking", "output_config", "effort"), self._thinking())]

    def _thinking(self) -> Sequence[Mapping[str, Any]]:
        wish = self._options.thinking
        if not wish and not self._options.reasoning_effort:
            return _NOT_THINKING
        if wish == "default":
            return ({},)
        if wish.isdigit():
            return ({"thinking": {"type": "enabled", "budget_tokens": int(wish)}}, {})
        chosen = given_json(wish or "adaptive")
        return ({"thinking": {"type": chosen} if isinstance(chosen, str) else chosen}, {})

    def _most(self) -> int:
        """Thinking counts as output, and must be less."""
        wish = self._options.thinking
        budget = int(wish) if wish.isdigit() else 0
        return max(self._options.max_tokens, budget + _ROOM) if budget else self._options.max_tokens

    def _choice(self) -> dict[str, Any]:
        wish, parallel = self._options.tool_choice, self._options.parallel_tool_calls
        choice: dict[str, Any] = {}
        if wish in _CHOICES:
            choice = {"type": _CHOICES[wish]}
        elif wish:
            choice = {"type": "tool", "name": wish}
        if parallel is not None and choice.get("type") != "none":
            choice = {"type": "auto", **choice, "disable_parallel_tool_use": not parallel}
        return choice


def _result(message: Message) -> dict[str, Any]:
    result = {"type": "tool_result", "tool_use_id": message.tool_call_id}
    content = {"content": message.text} if message.text.strip() else {}
    return {**result, **content, "is_error": _is_error(message.text)}


def _is_error(text: str) -> bool:
    try:
        return "error" in mapping(json.loads(text))
    except (ValueError, RecursionError):
        return False


class AnthropicProvider(StreamedProvider[AnthropicOptions]):
    """Credential: `key`; at will `headers`, as JSON."""

    vendor = _VENDOR
    description = "Anthropic: Claude"
    options = AnthropicOptions

    def dialect(self, options: AnthropicOptions, account: Account) -> Dialect:
        headers = {"x-api-key": account.need(*KEYS), **extra_headers(account)}
        url = f"{account.base_url('https://api.anthropic.com').removesuffix('/v1')}/v1/messages"
        model = model_name("anthropic", options.name, options.id, _USUAL)
        return AnthropicDialect(options, url, headers, model, self.accepted(url, model))


_conforms: type[Dialect] = AnthropicDialect
