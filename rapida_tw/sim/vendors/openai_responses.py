"""A fake of OpenAI's Responses API ("Create a model response", "Streaming events")."""

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

_FIELDS = frozenset(
    (
        *("model", "input", "instructions", "stream", "store", "tools", "tool_choice", "user"),
        *("temperature", "top_p", "max_output_tokens", "parallel_tool_calls", "metadata", "text"),
        *("reasoning", "include", "previous_response_id", "truncation", "service_tier"),
        *("prompt_cache_key", "safety_identifier", "stream_options", "top_logprobs"),
    )
)
_THINKS = re.compile(r"gpt-5|o\d")
_EFFORTS = ("minimal", "low", "medium", "high")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
SEALED = "gAAAAABo-what-it-thought"
_STATUSES = {
    429: ("Rate limit reached for requests", "requests", "rate_limit_exceeded"),
    402: ("You exceeded your current quota.", "insufficient_quota", "insufficient_quota"),
}


class Refused(Exception):
    """What is wrong, with which field."""

    def __init__(self, message: str, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.param = param
        self.code = code


class OpenAIResponses:
    """`turns`: what it will answer. `bodies`: requests it took, `replies` to all it was asked."""

    hosts: tuple[str, ...] = ("api.openai.com",)

    def __init__(
        self,
        script: Iterable[Turn | str | Mapping[str, Any]] = (),
        key: str = "sk-a-key-of-the-fake",
        hosts: Sequence[str] = (),
    ) -> None:
        self.turns = turns_of(script)
        self.manners = Manners()
        self.key = key
        self.hosts = tuple(hosts) or self.hosts
        self.bodies: list[Mapping[str, Any]] = []
        self.replies: list[Reply] = []

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        return Refusal(404, json.dumps(_error("Not found")))

    def answer(self, asked: Asked, reply: Reply) -> None:
        self.replies.append(reply)
        if asked.path != "/v1/responses" or asked.method != "POST":
            reply.whole(404, _error(f"Invalid URL ({asked.method} {asked.path})"))
            return
        if asked.headers.get("authorization") != f"Bearer {self.key}":
            error = _error("Incorrect API key provided: sk-a***.", None, "invalid_api_key")
            reply.whole(401, error)
            return
        if self.manners.refusals and (status := self.manners.refusals.popleft()):
            self._refuse(reply, status)
            return
        try:
            body: dict[str, Any] = json.loads(asked.body)
            check(body)
        except Refused as error:
            reply.whole(400, _error(str(error), error.param, error.code))
            return
        except ValueError:
            reply.whole(400, _error("We could not parse the JSON body of your request."))
            return
        self.bodies.append(body)
        turn = self.turns.popleft() if self.turns else Turn("I see.")
        Answer(reply.clock, turn, _Stream(self, body, turn, reply), reply)

    def _refuse(self, reply: Reply, status: int) -> None:
        message, kind, code = _STATUSES.get(status, ("Server error", "server_error", None))
        headers = {"Content-Type": "application/json"}
        if self.manners.retry_after:
            headers["Retry-After"] = self.manners.retry_after
        reply.head(429 if status == 402 else status, headers)
        error = {"message": message, "type": kind, "param": None, "code": code}
        reply.write(json.dumps({"error": error}).encode())
        reply.end()


def check(body: Mapping[str, Any]) -> None:
    """`Refused` for the first thing that is wrong."""
    for name in body:
        if name not in _FIELDS:
            raise Refused(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
    if not body.get("model"):
        raise Refused("Missing required parameter: 'model'.", "model")
    if body.get("stream") is not True:
        raise Refused("the fake only streams", "stream")
    thinks = _THINKS.match(body["model"]) is not None
    code = "unsupported_parameter"
    if thinks and "temperature" in body:
        message = "Unsupported parameter: 'temperature' is not supported with this model."
        raise Refused(message, "temperature", code)
    if "reasoning" in body and not thinks:
        message = "Unsupported parameter: 'reasoning.effort' is not supported with this model."
        raise Refused(message, "reasoning.effort", code)
    effort = body.get("reasoning", {}).get("effort", "medium")
    if effort not in _EFFORTS:
        message = f"Unsupported value: '{effort}' is not supported with this model."
        raise Refused(message, "reasoning.effort", "unsupported_value")
    if "include" in body and not thinks:
        raise Refused("Encrypted content is not supported with this model.", "include")
    _check_input(body["input"])
    for number, tool in enumerate(body.get("tools", ())):
        where = f"tools[{number}]"
        if tool.get("type") != "function" or not _NAME.fullmatch(tool.get("name", "")):
            raise Refused(f"Missing required parameter: '{where}.name'.", f"{where}.name")
        if tool.get("parameters", {}).get("type") != "object":
            raise Refused(f"Invalid schema for function '{tool['name']}'", f"{where}.parameters")


def _check_input(items: object) -> None:
    if not isinstance(items, list) or not items:
        raise Refused("Invalid 'input': empty array.", "input", "empty_array")
    open_calls: list[str] = []
    for number, item in enumerate(items):
        where = f"input[{number}]"
        kind = item.get("type", "message")
        if kind == "function_call_output":
            if item.get("call_id") not in open_calls:
                message = f"No tool call found for function call output with call_id {where}."
                raise Refused(message, "input")
            open_calls.remove(item["call_id"])
            if not isinstance(item.get("output"), str):
                raise Refused(f"Missing required parameter: '{where}.output'.", f"{where}.output")
        elif kind == "function_call":
            json.loads(item["arguments"])
            open_calls.append(item["call_id"])
        elif kind == "reasoning":
            if item.get("encrypted_content") != SEALED:
                raise Refused("The encrypted content could not be verified.", "input")
        elif kind == "message":
            parts = {"user": "input_text", "system": "input_text", "assistant": "output_text"}
            if item.get("role") not in parts:
                raise Refused(f"Invalid value: '{item.get('role')}'.", f"{where}.role")
            for part in item["content"] if isinstance(item["content"], list) else ():
                if part.get("type") != parts[item["role"]]:
                    message = f"Invalid value: '{part.get('type')}'."
                    raise Refused(message, f"{where}.content[0]", "invalid_value")
        else:
            raise Refused(f"Invalid value: '{kind}'.", f"{where}.type", "invalid_value")
    if open_calls:
        raise Refused(f"No tool output found for function call {open_calls[0]}.", "input")


def _error(message: str, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    kind = "invalid_request_error"
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


class _Stream:
    """Tells one answer in events."""

    def __init__(
        self, vendor: OpenAIResponses, body: Mapping[str, Any], turn: Turn, reply: Reply
    ) -> None:
        self._events = Events(reply, vendor.manners)
        self._body = body
        self._turn = turn
        self._reply = reply
        self._id = f"resp_{len(vendor.bodies)}"
        self._sequence = 0
        self._output: list[dict[str, Any]] = []
        self._text = ""

    def begin(self) -> None:
        self._events.head()
        self._send("response.created", response=self._response("in_progress"))
        self._send("response.in_progress", response=self._response("in_progress"))

    def think(self, text: str) -> None:
        item = {"id": self._item("rs"), "type": "reasoning", "summary": []}
        self._add(item)
        at = {"item_id": item["id"], "output_index": len(self._output) - 1, "summary_index": 0}
        self._send("response.reasoning_summary_text.delta", **at, delta=text)
        sealed = {"encrypted_content": SEALED} if self._body.get("include") else {}
        self._done({**item, "summary": [{"type": "summary_text", "text": text}], **sealed})

    def say(self, text: str) -> None:
        if not self._text:
            self._add({**self._message("in_progress"), "content": []})
            self._send("response.content_part.added", **self._at(), part=self._part())
        self._text += text
        self._send("response.output_text.delta", **self._at(), delta=text, logprobs=[])

    def call(self, number: int, called: Called, whole: bool) -> None:
        self._close_text()
        arguments = json.dumps(dict(called.arguments))
        if not whole:
            arguments = arguments[: len(arguments) // 2] or "{"
        item = {
            "id": self._item("fc"),
            "type": "function_call",
            "status": "in_progress",
            "call_id": f"call_{self._id}_{number}",
            "name": called.name,
            "arguments": "",
        }
        self._add(item)
        at = {"item_id": item["id"], "output_index": len(self._output) - 1}
        for piece in split(arguments):
            self._send("response.function_call_arguments.delta", **at, delta=piece)
        if whole:
            self._send("response.function_call_arguments.done", **at, arguments=arguments)
        status = "completed" if whole else "incomplete"
        self._done({**item, "status": status, "arguments": arguments})

    def end(self, trouble: Trouble | None) -> None:
        self._close_text()
        reasons = {Trouble.CUT_SHORT: "max_output_tokens", Trouble.WITHHELD: "content_filter"}
        reason = reasons.get(trouble) if trouble else None
        status = "incomplete" if reason else "completed"
        details = {"reason": reason} if reason else None
        response = {**self._response(status), "incomplete_details": details}
        turn = self._turn
        response["usage"] = {
            "input_tokens": turn.read,
            "input_tokens_details": {"cached_tokens": turn.cached, "cache_write_tokens": 0},
            "output_tokens": turn.written,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": turn.read + turn.written,
        }
        self._send(f"response.{status}", response=response)
        self._reply.end()

    def error(self) -> None:
        error = {"code": "server_error", "message": "The model failed to generate a response."}
        self._send("response.failed", response={**self._response("failed"), "error": error})
        self._reply.end()

    def keep_alive(self) -> None:
        self._events.comment()

    # -- parts ------------------------------------------------------------------------------------

    def _close_text(self) -> None:
        if self._text:
            self._send("response.output_text.done", **self._at(), text=self._text, logprobs=[])
            self._send("response.content_part.done", **self._at(), part=self._part())
            self._done({**self._message("completed"), "content": [self._part()]})
            self._text = ""

    def _message(self, status: str) -> dict[str, Any]:
        return {"id": "msg_1", "type": "message", "status": status, "role": "assistant"}

    def _part(self) -> dict[str, Any]:
        return {"type": "output_text", "text": self._text, "annotations": []}

    def _at(self) -> dict[str, Any]:
        return {"item_id": "msg_1", "output_index": len(self._output) - 1, "content_index": 0}

    def _item(self, prefix: str) -> str:
        return f"{prefix}_{self._id}_{len(self._output)}"

    def _add(self, item: dict[str, Any]) -> None:
        self._output.append(item)
        self._send("response.output_item.added", output_index=len(self._output) - 1, item=item)

    def _done(self, item: dict[str, Any]) -> None:
        self._output[-1] = item
        self._send("response.output_item.done", output_index=len(self._output) - 1, item=item)

    def _response(self, status: str) -> dict[str, Any]:
        return {
            "id": self._id,
            "object": "response",
            "created_at": 1_790_000_000,
            "status": status,
            "error": None,
            "incomplete_details": None,
            "instructions": self._body.get("instructions"),
            "metadata": {},
            "model": self._body["model"],
            "output": list(self._output) if status != "in_progress" else [],
            "parallel_tool_calls": True,
            "temperature": 1.0,
            "tool_choice": "auto",
            "tools": [],
            "top_p": 1.0,
        }

    def _send(self, kind: str, **fields: Any) -> None:
        self._events.send({"type": kind, "sequence_number": self._sequence, **fields}, kind)
        self._sequence += 1


_teller: type[Teller] = _Stream
_conforms: type[FakeVendor] = OpenAIResponses
