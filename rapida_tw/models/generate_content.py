"""generateContent: how Gemini is asked for a reply, at Google AI and at Vertex AI alike.

Gemini API reference, "Generating content", "Function calling", "Thought signatures".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.defer import Deferred

from rapida_tw.models.accepted import Accepted, Field, Offer
from rapida_tw.models.alternation import alternate
from rapida_tw.models.base import Message, Tool, ToolCall
from rapida_tw.models.dialect import Complaint, Dialect
from rapida_tw.models.exchange import (
    given_json,
    kept,
    mapping,
    post,
    refusal,
    schema,
    sequence,
)
from rapida_tw.models.gemini_schema import gemini_schema
from rapida_tw.models.generate_content_reader import KEEPER, GenerateContentReader
from rapida_tw.net.base import Net, Request
from rapida_tw.options import within

# Instead of the signature of a call that another model has made; from Gemini 3 on it must have one.
_UNSIGNED = "skip_thought_signature_validator"
_NO_THINKING = (
    (re.compile(r"gemini-(?:1|2\.0)"), ()),
    (re.compile(r"gemini-2\.5"), ({"thinkingBudget": 0},)),
    (re.compile(r"gemini-"), ({"thinkingLevel": "minimal"}, {"thinkingLevel": "low"})),
)
_SIGNS = re.compile(r"gemini-(?!1|2)")
# Other words by which refusals name a field.
_ALSO = {"frequencyPenalty": ("Penalty",), "presencePenalty": ("Penalty",)}
_MODES = {"auto": "AUTO", "required": "ANY", "any": "ANY", "none": "NONE"}
_DELAY = re.compile(r"(\d+(?:\.\d+)?)s")

Headers = Callable[[Net], Deferred[Mapping[str, str]]]


@dataclass(frozen=True, slots=True)
class GeminiOptions:
    """Settings of a reply, by OpenAI's names for what Gemini has too; not set: its own default."""

    name: str = ""
    id: str = ""  # as "google/gemini-3.5-flash-lite"; `name` comes first
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    max_output_tokens: int | None = None
    max_tokens: int | None = None  # the same
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    stop_sequences: list[str] = field(default_factory=list)
    stop: list[str] = field(default_factory=list)
    seed: int | None = None
    tool_choice: str = ""  # auto, required, none, or a tool's name
    response_format: str = ""  # json_object, or a JSON schema
    # "": as little as the model can; default (its own), minimal, low, medium, high, or a number of
    # tokens
    thinking: str = ""
    reasoning_effort: str = ""  # the same, by OpenAI's name
    parameters: dict[str, Any] = field(default_factory=dict)  # whatever else the API takes

    def __post_init__(self) -> None:
        if self.temperature is not None:
            within("temperature", self.temperature, 0, 2)
        if self.top_p is not None:
            within("top_p", self.top_p, 0, 1)
        for name in ("max_output_tokens", "max_tokens"):
            if (most := getattr(self, name)) is not None:
                within(name, most, 1, 200_000)
        given_json(self.response_format)
        if not isinstance(self.parameters.get("generationConfig", {}), dict):
            raise ValueError("parameters: generationConfig must be an object")


class GenerateContentDialect:
    """One call's settings. `headers`: the key, or a token that may have to be got first."""

    def __init__(
        self,
        options: GeminiOptions,
        vendor: str,
        url: str,
        headers: Headers,
        model: str,
        accepted: Accepted,
    ) -> None:
        self._options = options
        self._vendor = vendor
        self._url = f"{url}:streamGenerateContent?alt=sse"
        self._headers = headers
        self._model = model
        self._accepted = accepted
        self._offer = Offer(accepted, ())

    def request(
        self, net: Net, messages: Sequence[Message], tools: Sequence[Tool]
    ) -> Deferred[Request]:
        return Deferred.fromCoroutine(self._request(net, messages, tools))

    async def _request(
        self, net: Net, messages: Sequence[Message], tools: Sequence[Tool]
    ) -> Request:
        headers = await self._headers(net)
        self._offer = Offer(self._accepted, self._fields())
        turns = alternate(messages)
        body: dict[str, Any] = {"contents": self._contents(turns.messages)}
        if turns.system:
            body["systemInstruction"] = {"parts": [{"text": turns.system}]}
        if tools:
            body["tools"] = [{"functionDeclarations": [_declared(tool) for tool in tools]}]
            if self._options.tool_choice:
                body["toolConfig"] = {"functionCallingConfig": _mode(self._options.tool_choice)}
        more = dict(self._options.parameters)
        if config := self._offer.body() | more.pop("generationConfig", {}):
            body["generationConfig"] = config
        return post(self._url, headers, body | more)

    def reader(self) -> GenerateContentReader:
        return GenerateContentReader(self._vendor, self._model)

    def refused(self, status: int, body: str) -> Complaint:
        name = self._offer.refused(status, body)
        if name:
            return Complaint(f"{self._vendor} does not take {name}", again=True)
        if status == 400 and "API_KEY_INVALID" in body:
            return Complaint(f"{self._vendor} does not take the key", retryable=False)
        complaint = refusal(self._vendor, status, body)
        return Complaint(complaint.reason, complaint.retryable, retry_after=_retry_delay(body))

    # -- what is sent -----------------------------------------------------------------------------

    def _contents(self, messages: Sequence[Message]) -> list[dict[str, Any]]:
        """All results of one turn are one content, behind the one with their calls."""
        contents: list[dict[str, Any]] = []
        called: dict[str, ToolCall] = {}
        for message in messages:
            called |= {call.id: call for call in message.tool_calls}
            if message.role == "tool":
                parts = [self._result(message, called[message.tool_call_id])]
            else:
                parts = [{"text": message.text}] if message.text else []
                parts += self._calls(message.tool_calls)
            role = "model" if message.role == "assistant" else "user"
            before = contents[-1]["parts"] if contents else []
            if contents and contents[-1]["role"] == role and _results(before) == _results(parts):
                before += parts
            else:
                contents.append({"role": role, "parts": parts})
        return contents

    def _calls(self, calls: Sequence[ToolCall]) -> list[dict[str, Any]]:
        parts = []
        for number, call in enumerate(calls):
            memory = mapping(kept(call.kept, KEEPER, self._model))
            told: dict[str, Any] = {"name": call.name, "args": dict(call.arguments)}
            if memory.get("id"):
                told["id"] = memory["id"]
            part: dict[str, Any] = {"functionCall": told}
            signature = memory.get("signature")
            if not memory and number == 0 and _SIGNS.match(self._model):
                signature = _UNSIGNED
            if signature:
                part["thoughtSignature"] = signature
            parts.append(part)
        return parts

    def _result(self, message: Message, call: ToolCall) -> dict[str, Any]:
        try:
            response = json.loads(message.text)
        except (ValueError, RecursionError):
            response = message.text
        if not isinstance(response, dict):
            response = {"result": response}
        told = {"name": call.name, "response": response}
        memory = mapping(kept(call.kept, KEEPER, self._model))
        if memory.get("id"):
            told["id"] = memory["id"]
        return {"functionResponse": told}

    def _fields(self) -> list[Field]:
        options = self._options
        once: dict[str, Any] = {
            "temperature": options.temperature,
            "topP": options.top_p,
            "topK": options.top_k,
            "maxOutputTokens": options.max_output_tokens or options.max_tokens,
            "frequencyPenalty": options.frequency_penalty,
            "presencePenalty": options.presence_penalty,
            "stopSequences": options.stop_sequences or options.stop,
            "seed": options.seed,
        }
        fields = [
            Field((name, _snake(name), *_ALSO.get(name, ())), ({name: value}, {}))
            for name, value in once.items()
            if value not in (None, [])
        ]
        # "Thinking level MINIMAL is not supported", "Budget 0 is invalid", "thinking_level"
        words = ("thinking", "Thinking", "Budget", "thinking_budget", "thinking_level")
        fields.append(Field(words, self._thinking()))
        if options.response_format:
            fields.append(Field(("response_schema",), (_format(options.response_format),)))
        return fields

    def _thinking(self) -> Sequence[Mapping[str, Any]]:
        wish = self._options.thinking or self._options.reasoning_effort
        if wish == "default":
            return ({},)
        if wish.isdigit():
            configs: Sequence[Mapping[str, Any]] = ({"thinkingBudget": int(wish)},)
        elif wish:
            configs = ({"thinkingLevel": wish},)
        else:
            configs = next((how for model, how in _NO_THINKING if model.match(self._model)), ())
        return (*({"thinkingConfig": config} for config in configs), {})


def _results(parts: Sequence[Mapping[str, Any]]) -> bool:
    return bool(parts) and "functionResponse" in parts[0]


def _declared(tool: Tool) -> dict[str, Any]:
    declared: dict[str, Any] = {"name": tool.name, "description": tool.description}
    if tool.parameters.get("properties"):  # an object without properties is refused
        declared["parameters"] = gemini_schema(schema(tool))
    return declared


def _mode(choice: str) -> dict[str, Any]:
    if choice in _MODES:
        return {"mode": _MODES[choice]}
    return {"mode": "ANY", "allowedFunctionNames": [choice]}


def _format(text: str) -> dict[str, Any]:
    chosen = given_json(text)
    written: dict[str, Any] = {"responseMimeType": "application/json"}
    if isinstance(chosen, dict):
        written["responseSchema"] = gemini_schema(chosen)
    return written


def _snake(name: str) -> str:
    return re.sub(r"([A-Z])", r"_\1", name).lower()


def _retry_delay(body: str) -> float | None:
    """RetryInfo among the details of a google.rpc.Status."""
    try:
        details = sequence(mapping(mapping(json.loads(body)).get("error")).get("details"))
    except (ValueError, RecursionError):
        return None
    delays = (_DELAY.fullmatch(str(mapping(one).get("retryDelay"))) for one in details)
    return next((float(delay[1]) for delay in delays if delay), None)


_conforms: type[Dialect] = GenerateContentDialect
