"""What servers of chat completions refuse in a request: OpenAI's rules, and those of others.

Messages of errors as OpenAI's API words them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

_FIELDS = frozenset(
    (
        *("audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs"),
        *("max_completion_tokens", "max_tokens", "messages", "metadata", "modalities", "model"),
        *("n", "parallel_tool_calls", "prediction", "presence_penalty", "prompt_cache_key"),
        *("reasoning_effort", "response_format", "safety_identifier", "seed", "service_tier"),
        *("stop", "store", "stream", "stream_options", "temperature", "tool_choice", "tools"),
        *("top_logprobs", "top_p", "user", "verbosity", "web_search_options"),
    )
)
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_THINKS = re.compile(r"gpt-5|o\d")


class Refused(Exception):
    """What is wrong, and with which field."""

    def __init__(self, message: str, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code


@dataclass(frozen=True, slots=True)
class Rules:
    """`fields`: which it knows. `ids`: of tool calls. `alternates`: its chat template insists."""

    fields: frozenset[str] = _FIELDS
    ids: re.Pattern[str] = re.compile(r".{1,64}")
    alternates: bool = False


def check(body: Mapping[str, Any], rules: Rules) -> None:
    """`Refused` for the first thing that is wrong."""
    for name in body:
        if name not in rules.fields:
            message = f"Unrecognized request argument supplied: {name}"
            raise Refused(message, None if rules.fields is _FIELDS else name)
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise Refused("you must provide a model parameter")
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Refused("Invalid 'messages': empty array.", "messages", "empty_array")
    if _THINKS.match(body["model"]):
        _check_thinking(body)
    if "stream_options" in body and body.get("stream") is not True:
        message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise Refused(message, "stream_options")
    if not 0 <= body.get("temperature", 1) <= 2:
        raise Refused("Invalid 'temperature': decimal out of range.", "temperature")
    for number, message in enumerate(messages):
        _check_message(number, message, rules)
    _check_results(messages)
    _check_tools(body)
    if rules.alternates:
        _check_alternation(messages)


def _check_thinking(body: Mapping[str, Any]) -> None:
    code = "unsupported_parameter"
    if "max_tokens" in body:
        message = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. "
            "Use 'max_completion_tokens' instead."
        )
        raise Refused(message, "max_tokens", code)
    if body.get("temperature", 1) != 1:
        message = (
            f"Unsupported value: 'temperature' does not support {body['temperature']} with this "
            "model. Only the default (1) value is supported."
        )
        raise Refused(message, "temperature", "unsupported_value")
    effort = body.get("reasoning_effort", "medium")
    if effort not in ("minimal", "low", "medium", "high"):
        message = (
            f"Unsupported value: 'reasoning_effort' does not support '{effort}' with this model. "
            "Supported values are: 'minimal', 'low', 'medium', and 'high'."
        )
        raise Refused(message, "reasoning_effort", "unsupported_value")


def _check_message(number: int, message: object, rules: Rules) -> None:
    where = f"messages[{number}]"
    if not isinstance(message, dict):
        raise Refused(f"Invalid type for '{where}': expected an object.", where)
    role, content = message.get("role"), message.get("content")
    if role not in ("system", "developer", "user", "assistant", "tool"):
        raise Refused(f"Invalid value: '{role}'.", f"{where}.role", "invalid_value")
    calls = message.get("tool_calls")
    if content is None and not (role == "assistant" and calls):
        raise Refused(f"Invalid value for 'content': expected a string, got null. ({where})")
    if content is not None and not isinstance(content, str | list):
        raise Refused(f"Invalid type for '{where}.content'.", f"{where}.content")
    if calls is None:
        return
    if role != "assistant" or not isinstance(calls, list) or not calls:
        raise Refused(f"Invalid '{where}.tool_calls': empty array.", f"{where}.tool_calls")
    for call in calls:
        function = call.get("function", {})
        if call.get("type") != "function" or not _NAME.fullmatch(function.get("name", "")):
            raise Refused(f"Invalid '{where}.tool_calls'.", f"{where}.tool_calls")
        if not rules.ids.fullmatch(call.get("id", "")):
            raise Refused(f"Tool call id was {call.get('id')} but must be a-z, A-Z, 0-9 ...")
        try:
            json.loads(function["arguments"])
        except (KeyError, TypeError, ValueError):
            raise Refused(f"Invalid '{where}.tool_calls[].function.arguments'.") from None


def _check_results(messages: Sequence[Mapping[str, Any]]) -> None:
    waiting: list[str] = []
    used: set[str] = set()
    for message in messages:
        if message["role"] == "tool":
            if message.get("tool_call_id") not in waiting:
                raise Refused(
                    "messages with role 'tool' must be a response to a preceeding message with "
                    "'tool_calls'."
                )
            waiting.remove(message["tool_call_id"])
            continue
        if waiting:
            raise Refused(
                "An assistant message with 'tool_calls' must be followed by tool messages "
                "responding to each 'tool_call_id'. The following tool_call_ids did not have "
                f"response messages: {', '.join(waiting)}"
            )
        waiting = [call["id"] for call in message.get("tool_calls") or ()]
        if used & set(waiting):
            raise Refused("Duplicate value for 'tool_call_id'")
        used |= set(waiting)
    if waiting:
        raise Refused(f"tool_call_ids did not have response messages: {', '.join(waiting)}")


def _check_tools(body: Mapping[str, Any]) -> None:
    for number, tool in enumerate(body.get("tools", ())):
        function = tool.get("function", {})
        if tool.get("type") != "function" or not _NAME.fullmatch(function.get("name", "")):
            raise Refused(f"Invalid 'tools[{number}].function.name'.", f"tools[{number}]")
        parameters = function.get("parameters", {"type": "object"})
        if parameters.get("type") != "object" or "properties" not in parameters:
            message = (
                f"Invalid schema for function '{function['name']}': schema must be a JSON Schema "
                "of 'type: \"object\"', got 'type: \"None\"'."
            )
            raise Refused(message, f"tools[{number}].function.parameters")
    if ("tool_choice" in body or "parallel_tool_calls" in body) and not body.get("tools"):
        name = "tool_choice" if "tool_choice" in body else "parallel_tool_calls"
        raise Refused(f"'{name}' is only allowed when 'tools' are specified.", name)


def _check_alternation(messages: Sequence[Mapping[str, Any]]) -> None:
    """As the templates of Mistral's and Google's open models do."""
    roles = [message["role"] for message in messages if message["role"] != "tool"]
    if "system" in roles[1:]:
        raise Refused("System message must be at the beginning.")
    spoken = [role for role in roles if role != "system"]
    if not spoken or spoken[0] != "user":
        raise Refused("Conversation roles must alternate user/assistant/user/assistant/...")
    for before, after in pairwise(messages):
        if before["role"] == after["role"] != "tool":
            raise Refused("Conversation roles must alternate user/assistant/user/assistant/...")
    if messages[-1]["role"] not in ("user", "tool"):
        raise Refused("Expected last role User or Tool (or Assistant with prefix True)")
