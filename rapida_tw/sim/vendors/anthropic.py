"""A fake of Anthropic's Messages API ("Create a Message", "Streaming messages", "Errors").

Knows two families of models: those that think first unless they are told not to ("claude-5"), and
take no temperature, and those that do as they are told ("claude-4").
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rapida_tw.sim.vendors.answering import (
    Answer,
    Called,
    Events,
    Manners,
    Teller,
    Trouble,
    Turn,
    split,
    turns_of,
)
from rapida_tw.sim.vendors.base import Asked, FakeVendor, Line, Refusal, Reply, Session

_VERSIONS = ("2023-06-01", "2026-10-21")
_SAMPLING = ("temperature", "top_p", "top_k")
_FIELDS = frozenset(
    (
        *("model", "messages", "max_tokens", "system", "stream", "stop_sequences", "metadata"),
        *("tools", "tool_choice", "thinking", "output_config", "cache_control", "service_tier"),
        *("container", "context_management", "inference_geo", "speed", "diagnostics"),
    )
)
_THINKS = re.compile(r"claude-[a-z]+-5|claude-opus-4-[78]")
_ID = re.compile(r"[a-zA-Z0-9_-]+")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_ERRORS = {
    401: ("authentication_error", "invalid x-api-key"),
    403: ("permission_error", "Your API key does not have permission"),
    404: ("not_found_error", "Not found"),
    429: ("rate_limit_error", "Number of request tokens has exceeded your rate limit"),
    500: ("api_error", "Internal server error"),
    529: ("overloaded_error", "Overloaded"),
}
SIGNATURE = "EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pkiMOYds"


class Refused(Exception):
    """An invalid_request_error."""


class Anthropic:
    """`turns`: what it will answer. `bodies`: all requests it took, `replies` to all it was asked.

    `off`: the word by which its newer models are told not to think; "": they always do.
    """

    hosts: tuple[str, ...] = ("api.anthropic.com",)

    def __init__(
        self,
        script: Iterable[Turn | str | Mapping[str, Any]] = (),
        key: str = "sk-ant-a-key-of-the-fake",
        off: str = "disabled",
    ) -> None:
        self.turns = turns_of(script)
        self.manners = Manners()
        self.key = key
        self.off = off
        self.bodies: list[Mapping[str, Any]] = []
        self.replies: list[Reply] = []

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        return Refusal(404, json.dumps(_error(404)))

    def answer(self, asked: Asked, reply: Reply) -> None:
        self.replies.append(reply)
        if asked.path != "/v1/messages" or asked.method != "POST":
            reply.whole(404, _error(404))
            return
        if not self._known(asked):
            reply.whole(401, _error(401))
            return
        if self.manners.refusals and (status := self.manners.refusals.popleft()):
            headers = {"Content-Type": "application/json", "request-id": "req_1"}
            if self.manners.retry_after:
                headers["retry-after"] = self.manners.retry_after
            reply.head(status, headers)
            reply.write(json.dumps(_error(status)).encode())
            reply.end()
            return
        try:
            body = self._taken(asked)
        except Refused as error:
            reply.whole(400, _error(400, str(error)))
            return
        self.bodies.append(body)
        turn = self.turns.popleft() if self.turns else Turn("I see.")
        Answer(reply.clock, turn, _Stream(self, body, turn, reply), reply)

    def _known(self, asked: Asked) -> bool:
        bearer = asked.headers.get("authorization", "").removeprefix("Bearer ")
        return asked.headers.get("x-api-key", bearer) == self.key

    def _taken(self, asked: Asked) -> Mapping[str, Any]:
        version = asked.headers.get("anthropic-version", "")
        if not version:
            raise Refused("anthropic-version: header is required")
        if version not in _VERSIONS:
            raise Refused(f'anthropic-version: "{version}" is not a valid version')
        if not asked.headers.get("content-type", "").startswith("application/json"):
            raise Refused("content-type: application/json is required")
        try:
            body: dict[str, Any] = json.loads(asked.body)
        except ValueError:
            raise Refused("The request body is not valid JSON") from None
        _check_fields(body, version)
        self._check_thinking(body)
        check_messages(body["messages"])
        _check_tools(body)
        if body.get("stream") is not True:
            raise Refused("the fake only streams")
        return body

    def _check_thinking(self, body: Mapping[str, Any]) -> None:
        kind = body.get("thinking", {}).get("type")
        thinks = _THINKS.match(body["model"]) is not None
        if thinks and kind == "disabled" != self.off:
            hint = f" Use `{self.off}` instead." if self.off else ""
            raise Refused(f'"thinking.type.disabled" is not supported for this model.{hint}')
        if kind == "between_tools" != self.off:
            raise Refused('"thinking.type.between_tools" is not supported for this model.')
        if thinks and kind == "enabled":
            raise Refused('"thinking.type.enabled" is not supported for this model.')
        if not thinks and "output_config" in body:
            raise Refused("output_config: Extra inputs are not permitted")
        if kind == "enabled":
            budget = body["thinking"].get("budget_tokens", 0)
            if budget < 1024:
                raise Refused("thinking.enabled.budget_tokens: Input should be >= 1024")
            if budget >= body["max_tokens"]:
                raise Refused("`max_tokens` must be greater than `thinking.budget_tokens`")
            _check_thoughts(body["messages"])


def _check_fields(body: Mapping[str, Any], version: str) -> None:
    for name in ("model", "max_tokens", "messages"):
        if name not in body:
            raise Refused(f"{name}: Field required")
    known = _FIELDS if version > "2026" else _FIELDS.union(_SAMPLING)
    for name in body:
        if name not in known:
            raise Refused(f"{name}: Extra inputs are not permitted")
    if _THINKS.match(body["model"]):
        for name in _SAMPLING:
            if name in body:
                raise Refused(f"`{name}` is deprecated for this model.")
    if not 0 <= body.get("temperature", 0) <= 1:
        raise Refused("temperature: range: 0..1")
    system = body.get("system", "x")
    texts = [system] if isinstance(system, str) else [block["text"] for block in system]
    if not all(text.strip() for text in texts):
        raise Refused("system: text content blocks must be non-empty")


def check_messages(messages: Sequence[Mapping[str, Any]]) -> None:
    if not messages:
        raise Refused("messages: at least one message is required")
    if messages[0]["role"] != "user":
        raise Refused("messages: first message must use the user role")
    if messages[-1]["role"] != "user":
        raise Refused("This model does not support assistant message prefill.")
    wanted: list[str] = []
    used: set[str] = set()
    for number, message in enumerate(messages):
        blocks = message["content"]
        if isinstance(blocks, str):
            blocks = [{"type": "text", "text": blocks}]
        if message["role"] not in ("user", "assistant") or not blocks:
            raise Refused(f"messages.{number}: all messages must have non-empty content")
        results = [one["tool_use_id"] for one in blocks if one["type"] == "tool_result"]
        if missing := [one for one in wanted if one not in results]:
            raise Refused(
                f"messages.{number}: `tool_use` ids were found without `tool_result` blocks "
                f"immediately after: {', '.join(missing)}. Each `tool_use` block must have a "
                "corresponding `tool_result` block in the next message."
            )
        if any(one not in wanted for one in results):
            raise Refused(f"messages.{number}: unexpected `tool_use_id` in `tool_result` blocks")
        kinds = [block["type"] for block in blocks]
        if "tool_result" in kinds and kinds[: len(results)] != ["tool_result"] * len(results):
            raise Refused(f"messages.{number}: `tool_result` blocks must come first")
        for block in blocks:
            _check_block(f"messages.{number}", message["role"], block)
        wanted = [one["id"] for one in blocks if one["type"] == "tool_use"]
        if used & set(wanted) or len(set(wanted)) < len(wanted):
            raise Refused("messages: `tool_use` ids must be unique")
        used |= set(wanted)


def _check_block(where: str, role: str, block: Mapping[str, Any]) -> None:
    kind = block["type"]
    if kind == "text" and not block["text"].strip():
        raise Refused(f"{where}: text content blocks must be non-empty")
    if kind == "tool_use":
        if role != "assistant" or not _ID.fullmatch(block["id"]):
            raise Refused(f"{where}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
        if not isinstance(block["input"], dict):
            raise Refused(f"{where}.tool_use.input: Input should be a valid dictionary")
    if kind == "tool_result" and role != "user":
        raise Refused(f"{where}: tool_result blocks are only allowed in user messages")
    if kind == "thinking" and block.get("signature") != SIGNATURE:
        raise Refused(f"{where}: Invalid `signature` in `thinking` block")


def _check_thoughts(messages: Sequence[Mapping[str, Any]]) -> None:
    """In the turn that is under way, what the assistant did begins with what it thought."""
    last = [one for one in messages if one["role"] == "assistant"][-1:]
    for message in last:
        kinds = [block["type"] for block in message["content"]]
        if "tool_use" in kinds and kinds[0] != "thinking":
            raise Refused(
                "Expected `thinking` or `redacted_thinking`, but found `tool_use`. When "
                "`thinking` is enabled, a final `assistant` message must start with a thinking "
                "block"
            )


def _check_tools(body: Mapping[str, Any]) -> None:
    for number, tool in enumerate(body.get("tools", ())):
        if not _NAME.fullmatch(tool.get("name", "")):
            raise Refused(f"tools.{number}.custom.name: String should match pattern")
        if tool.get("input_schema", {}).get("type") != "object":
            raise Refused(f"tools.{number}.custom.input_schema.type: Field required")
    if "tool_choice" in body and not body.get("tools"):
        raise Refused("tool_choice: may only be specified while providing tools")


def _error(status: int, message: str = "") -> dict[str, Any]:
    kind, words = _ERRORS.get(status, ("invalid_request_error", "Bad request"))
    error = {"type": kind, "message": message or words}
    return {"type": "error", "error": error, "request_id": "req_1"}


class _Stream:
    """Tells one answer in events."""

    def __init__(
        self, vendor: Anthropic, body: Mapping[str, Any], turn: Turn, reply: Reply
    ) -> None:
        self._events = Events(reply, vendor.manners)
        self._body = body
        self._turn = turn
        self._reply = reply
        self._id = f"msg_{len(vendor.bodies)}"
        self._index = -1
        self._open = ""

    def begin(self) -> None:
        self._events.head({"request-id": "req_1"})
        turn = self._turn
        usage = {
            "input_tokens": turn.read - turn.cached,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": turn.cached,
            "output_tokens": 1,
        }
        message = {
            "id": self._id,
            "type": "message",
            "role": "assistant",
            "model": self._body["model"],
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage,
        }
        self._send("message_start", message=message)
        self._send("ping")

    def think(self, text: str) -> None:
        self._start("thinking", thinking="", signature="")
        for piece in split(text):
            self._delta("thinking_delta", thinking=piece)
        self._delta("signature_delta", signature=SIGNATURE)
        self._stop()

    def say(self, text: str) -> None:
        if self._open != "text":
            self._start("text", text="")
        self._delta("text_delta", text=text)

    def call(self, number: int, called: Called, whole: bool) -> None:
        self._stop()
        call_id = f"toolu_{self._id}_{number}"
        self._start("tool_use", id=call_id, name=called.name, input={})
        arguments = json.dumps(dict(called.arguments)) if called.arguments else ""
        if not whole:
            arguments = arguments[: len(arguments) // 2] or "{"
        for piece in ["", *split(arguments)] if arguments else [""]:
            self._delta("input_json_delta", partial_json=piece)
        self._stop()

    def end(self, trouble: Trouble | None) -> None:
        self._stop()
        reason = "tool_use" if self._turn.calls else "end_turn"
        if trouble is Trouble.CUT_SHORT:
            reason = "max_tokens"
        if trouble is Trouble.WITHHELD:
            reason = "refusal"
        delta = {"stop_reason": reason, "stop_sequence": None}
        self._send("message_delta", delta=delta, usage={"output_tokens": self._turn.written})
        self._send("a_new_event", news="that nobody knows yet")
        self._send("message_stop")
        self._reply.end()

    def error(self) -> None:
        self._send("error", error={"type": "overloaded_error", "message": "Overloaded"})
        self._reply.end()

    def keep_alive(self) -> None:
        self._send("ping")

    def _start(self, kind: str, **fields: object) -> None:
        self._stop()
        self._index += 1
        self._open = kind
        block = {"type": kind, **fields}
        self._send("content_block_start", index=self._index, content_block=block)

    def _delta(self, kind: str, **fields: object) -> None:
        self._send("content_block_delta", index=self._index, delta={"type": kind, **fields})

    def _stop(self) -> None:
        if self._open:
            self._open = ""
            self._send("content_block_stop", index=self._index)

    def _send(self, kind: str, **fields: object) -> None:
        self._events.send({"type": kind, **fields}, kind)


_teller: type[Teller] = _Stream
_conforms: type[FakeVendor] = Anthropic
