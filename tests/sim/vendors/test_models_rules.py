"""The fakes of models refuse what the real ones refuse; else they would prove nothing."""

from __future__ import annotations

from typing import Any

import pytest

from rapida_tw.sim.vendors import anthropic, chat_rules, gemini_rules, openai_responses
from rapida_tw.sim.vendors.chat_rules import Rules

USER = {"role": "user", "content": "Hi."}
CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
WANTS = {"role": "assistant", "content": None, "tool_calls": [CALL]}
TOLD = {"role": "tool", "tool_call_id": "c1", "content": "{}"}
FUNCTION = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
STRICT = Rules(alternates=True)


def chat(*messages: Any, **fields: Any) -> dict[str, Any]:
    return {"model": "gpt-4.1", "messages": list(messages), **fields}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (chat(), "empty array"),
        (chat(USER, thinking=True), "Unrecognized request argument supplied: thinking"),
        (chat(USER, model=""), "model parameter"),
        (chat({"role": "robot", "content": ""}), "Invalid value: 'robot'"),
        (chat({"role": "user", "content": None}), "got null"),
        (chat(USER, TOLD), "must be a response"),
        (chat(USER, WANTS), "did not have response"),
        (chat(USER, WANTS, USER), "did not have response messages: c1"),
        (chat(USER, WANTS, TOLD, WANTS, TOLD), "Duplicate"),
        (chat(USER, {**WANTS, "content": "", "tool_calls": []}), "empty array"),
        (chat(USER, stream_options={}), "only allowed when 'stream' is enabled"),
        (chat(USER, temperature=3), "out of range"),
        (chat(USER, tool_choice="auto"), "only allowed when 'tools'"),
        (chat(USER, tools=[FUNCTION]), "Invalid schema"),
        (chat(USER, model="gpt-5", max_tokens=1), "Use 'max_completion_tokens'"),
        (chat(USER, model="gpt-5", temperature=0.5), "Only the default"),
        (chat(USER, model="gpt-5", reasoning_effort="none"), "Supported values"),
    ],
)
def test_chat(body: dict[str, Any], words: str) -> None:
    """OpenAI's rules."""
    with pytest.raises(chat_rules.Refused, match=words):
        chat_rules.check(body, Rules())


def test_chat_takes() -> None:
    """What is right."""
    chat_rules.check(chat(WANTS, TOLD, USER, USER, stream=True, stream_options={}), Rules())


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "assistant", "content": "Hi."}, USER],
        [USER, USER],
        [USER, {"role": "system", "content": "Hm."}],
        [USER, {"role": "assistant", "content": "Hi."}],
    ],
)
def test_templates(messages: list[Any]) -> None:
    """Those of strict chat templates."""
    chat_rules.check(chat(*messages), Rules())
    with pytest.raises(chat_rules.Refused):
        chat_rules.check(chat(*messages), STRICT)


def text(said: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": said}]


USE = {"type": "tool_use", "id": "t1", "name": "look", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": "{}"}


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([], "at least one message"),
        ([("assistant", text("Hi."))], "first message must use the user role"),
        ([("user", text("Hi.")), ("assistant", text("Yes"))], "prefill"),
        ([("user", text(" "))], "non-empty"),
        ([("user", [])], "non-empty content"),
        ([("user", "Hi."), ("assistant", [USE]), ("user", "No.")], "without `tool_result`"),
        ([("user", [RESULT])], "unexpected `tool_use_id`"),
        ([("user", "Hi."), ("assistant", [USE]), ("user", [*text("No."), RESULT])], "come first"),
        ([("user", [USE])], "should match pattern"),
        (
            [
                ("user", "Hi."),
                ("assistant", [USE]),
                ("user", [RESULT]),
                ("assistant", [USE]),
                ("user", [RESULT]),
            ],
            "must be unique",
        ),
        (
            [
                ("user", "Hi."),
                ("assistant", [{"type": "thinking", "thinking": "", "signature": "forged"}]),
                ("user", "Hm."),
            ],
            "Invalid `signature`",
        ),
    ],
)
def test_anthropic(messages: list[tuple[str, Any]], words: str) -> None:
    """Anthropic's rules about messages."""
    with pytest.raises(anthropic.Refused, match=words):
        anthropic.check_messages([{"role": role, "content": said} for role, said in messages])


INPUT = {"role": "user", "content": [{"type": "input_text", "text": "Hi."}]}
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "{}"}
CALLED = {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"input": []}, "empty array"),
        ({"messages": []}, "Unknown parameter: 'messages'"),
        ({"input": [INPUT, OUTPUT]}, "No tool call found"),
        ({"input": [INPUT, CALLED]}, "No tool output found"),
        ({"input": [{"type": "image"}]}, "Invalid value: 'image'"),
        ({"input": [{**INPUT, "role": "assistant"}]}, "Invalid value: 'input_text'"),
        ({"input": [{"type": "reasoning", "encrypted_content": "x"}]}, "could not be verified"),
        ({"reasoning": {"effort": "low"}}, "'reasoning.effort' is not supported"),
        ({"model": "gpt-5", "temperature": 0.5}, "'temperature' is not supported"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools\\[0\\].name"),
        ({"stream": False}, "only streams"),
    ],
)
def test_responses(fields: dict[str, Any], words: str) -> None:
    """Those of the Responses API."""
    body = {"model": "gpt-4.1", "stream": True, "input": [INPUT, CALLED, OUTPUT]}
    openai_responses.check(body)
    with pytest.raises(openai_responses.Refused, match=words):
        openai_responses.check(body | fields)


HI = {"role": "user", "parts": [{"text": "Hi."}]}
FC = {"role": "model", "parts": [{"functionCall": {"name": "look", "args": {}}}]}
FR = {"role": "user", "parts": [{"functionResponse": {"name": "look", "response": {}}}]}


def declared(**fields: Any) -> dict[str, Any]:
    return {"tools": [{"functionDeclarations": [{"name": "look", **fields}]}]}


def argument(**schema: Any) -> dict[str, Any]:
    return declared(parameters={"type": "object", "properties": {"a": schema}})


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"contents": []}, "contents is not specified"),
        ({"messages": []}, "Unknown name"),
        ({"contents": [{"role": "assistant", "parts": [{"text": "Hi."}]}]}, "valid role"),
        ({"contents": [{"role": "user", "parts": []}]}, "must not be empty"),
        ({"contents": [{"role": "user", "parts": [{"text": ""}]}]}, "oneof"),
        ({"contents": [FC]}, "end with a user role"),
        ({"contents": [HI, FR]}, "immediately after a function call"),
        ({"contents": [HI, FC, HI]}, "number of function response parts"),
        ({"contents": [HI, {**HI, "role": "model"}, FC, FR]}, "immediately after a user turn"),
        ({"contents": [HI, FC, FR], "model": "gemini-3.5"}, "missing a thought_signature"),
        ({"generationConfig": {"max_tokens": 1}}, "Unknown name"),
        (
            {"generationConfig": {"thinkingConfig": {"thinkingLevel": "low"}}},
            "Thinking level is not supported",
        ),
        (argument(type="string", format="email"), "only 'enum' and 'date-time'"),
        (argument(type="integer", enum=[1]), "only allowed for STRING"),
        (argument(type="array"), "missing field"),
        (argument(type="string", additionalProperties=False), "Unknown name"),
        (argument(), "type must be specified"),
        (declared(parameters={"type": "object", "properties": {}}), "non-empty for OBJECT"),
    ],
)
def test_gemini(fields: dict[str, Any], words: str) -> None:
    """Gemini's rules."""
    body = {"contents": [HI, FC, FR], **declared()}
    gemini_rules.check(body, "gemini-2.5-flash")
    fields = dict(fields)
    model = fields.pop("model", "gemini-2.5-flash")
    with pytest.raises(gemini_rules.Refused, match=words):
        gemini_rules.check(body | fields, model)
