"""A fake of chat completions: OpenAI's, Azure's, and those of servers that are compatible.

OpenAI's API reference ("Create chat completion"), Microsoft's ("Azure OpenAI"), vLLM's and Ollama's
documents of their compatibility. Each has manners of its own: see `HOUSES`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
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
from rapida_tw.sim.vendors.chat_rules import Refused, Rules, check

_AZURE = re.compile(r"/openai/deployments/([^/]+)/chat/completions")
_LOCAL = Rules(alternates=True)
_CREATED = 1_790_000_000  # seconds since the epoch


@dataclass(frozen=True, slots=True)
class House:
    """One server. `thoughts`: the field for them; "": in the text. `blocks`: calls come whole."""

    hosts: tuple[str, ...]
    path: str
    keyed: bool = True
    rules: Rules = field(default_factory=Rules)
    thoughts: str = "reasoning_content"
    blocks: bool = False
    filters: bool = False  # begins with the results of a filter, and without a choice
    done: bool = True  # says [DONE]
    usage: str = "usage"
    counts: bool = False  # tells the usage unasked


HOUSES: Mapping[str, House] = {
    "openai": House(("api.openai.com",), "/v1/chat/completions"),
    "azure": House(("*.openai.azure.com",), "", filters=True),
    "groq": House(("api.groq.com",), "/openai/v1/chat/completions", usage="x_groq"),
    "mistral": House(
        ("api.mistral.ai",),
        "/v1/chat/completions",
        rules=Rules(
            Rules().fields - {"stream_options", "seed", "user", "max_completion_tokens"},
            re.compile(r"[A-Za-z0-9]{9}"),
            alternates=True,
        ),
        counts=True,
    ),
    "vllm": House(("127.0.0.1", "vllm"), "/v1/chat/completions", keyed=False, rules=_LOCAL),
    "ollama": House(
        ("127.0.0.1", "ollama"),
        "/v1/chat/completions",
        keyed=False,
        rules=_LOCAL,
        thoughts="",
        blocks=True,
        done=False,
    ),
}


class OpenAIChat:
    """`turns`: what it will answer. `bodies`: all requests it took, `replies` to all it was asked.

    `house`: whose manners it has; `hosts` and `path`: where else it is.
    """

    hosts: tuple[str, ...] = HOUSES["openai"].hosts

    def __init__(
        self,
        script: Iterable[Turn | str | Mapping[str, Any]] = (),
        key: str = "sk-a-key-of-the-fake",
        house: str = "openai",
        hosts: Sequence[str] = (),
        path: str = "",
    ) -> None:
        self.turns = turns_of(script)
        self.manners = Manners()
        self.key = key
        self.house = HOUSES[house]
        self.hosts = tuple(hosts) or self.house.hosts
        self.bodies: list[Mapping[str, Any]] = []
        self.replies: list[Reply] = []
        self._path = path or self.house.path

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        return Refusal(404, json.dumps(_error("Not found")))

    def answer(self, asked: Asked, reply: Reply) -> None:
        self.replies.append(reply)
        try:
            body = self._taken(asked)
        except Refused as error:
            status = 401 if error.code == "invalid_api_key" else 400
            status = 404 if error.code == "unknown_url" else status
            reply.whole(status, _error(error.message, error.param, error.code))
            return
        if self.manners.refusals and (status := self.manners.refusals.popleft()):
            refuse(reply, status, self.manners.retry_after)
            return
        self.bodies.append(body)
        turn = self.turns.popleft() if self.turns else Turn("I see.")
        if body.get("stream"):
            Answer(reply.clock, turn, _Stream(self, body, turn, reply), reply)
        else:
            reply.whole(200, _whole(body, turn))

    def _taken(self, asked: Asked) -> Mapping[str, Any]:
        house = self.house
        deployment = _AZURE.fullmatch(asked.path) if house.filters else None
        if asked.method != "POST" or (deployment is None and asked.path != self._path):
            raise Refused(f"Invalid URL ({asked.method} {asked.path})", None, "unknown_url")
        if deployment and not asked.one("api-version"):
            raise Refused("Resource not found", None, "unknown_url")
        given = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if house.filters:
            given = asked.headers.get("api-key", "")
        if house.keyed and given != self.key:
            raise Refused("Incorrect API key provided: sk-a***.", None, "invalid_api_key")
        if not asked.headers.get("content-type", "").startswith("application/json"):
            raise Refused("Invalid content type")
        try:
            body = json.loads(asked.body)
        except ValueError:
            raise Refused("We could not parse the JSON body of your request.") from None
        check(body, house.rules)
        return dict(body)


def refuse(reply: Reply, status: int, retry_after: str = "") -> None:
    """As OpenAI words it."""
    words: dict[int, tuple[str, str, str | None]] = {
        402: ("You exceeded your current quota.", "insufficient_quota", "insufficient_quota"),
        429: ("Rate limit reached for requests", "requests", "rate_limit_exceeded"),
    }
    message, kind, code = words.get(status, ("The server had an error", "server_error", None))
    headers = {"Content-Type": "application/json"}
    if retry_after:
        headers["Retry-After"] = retry_after
    reply.head(429 if status == 402 else status, headers)
    error = {"message": message, "type": kind, "param": None, "code": code}
    reply.write(json.dumps({"error": error}).encode())
    reply.end()


def _error(message: str, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    kind = "invalid_request_error"
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


class _Stream:
    """Tells one answer in chunks."""

    def __init__(
        self, vendor: OpenAIChat, body: Mapping[str, Any], turn: Turn, reply: Reply
    ) -> None:
        self._house = vendor.house
        self._events = Events(reply, vendor.manners)
        self._body = body
        self._turn = turn
        self._reply = reply
        self._id = f"chatcmpl-{len(vendor.bodies)}"

    def begin(self) -> None:
        self._events.head()
        if self._house.filters:
            results = [{"prompt_index": 0, "content_filter_results": {}}]
            chunk = {**self._chunk([]), "model": "", "prompt_filter_results": results}
            self._events.send(chunk)
        self._delta({"role": "assistant", "content": "", "refusal": None})

    def think(self, text: str) -> None:
        if self._house.thoughts:
            self._delta({self._house.thoughts: text})
        else:
            for piece in split(f"<think>{text}</think>\n\n", 5):
                self._delta({"content": piece})

    def say(self, text: str) -> None:
        self._delta({"content": text})

    def call(self, number: int, called: Called, whole: bool) -> None:
        arguments = json.dumps(dict(called.arguments))
        call_id = f"call_{number}_of_{self._id}"
        if self._house.blocks:
            function = {"name": called.name, "arguments": arguments}
            self._delta({"tool_calls": [{"id": call_id, "type": "function", "function": function}]})
            return
        if not whole:
            arguments = arguments[: len(arguments) // 2] or "{"
        function = {"name": called.name, "arguments": ""}
        head = {"index": number, "id": call_id, "type": "function", "function": function}
        self._delta({"tool_calls": [head]})
        for piece in split(arguments):
            self._delta({"tool_calls": [{"index": number, "function": {"arguments": piece}}]})

    def end(self, trouble: Trouble | None) -> None:
        reasons = {Trouble.CUT_SHORT: "length", Trouble.WITHHELD: "content_filter"}
        usual = "tool_calls" if self._turn.calls and not self._house.blocks else "stop"
        self._delta({}, reasons.get(trouble, usual) if trouble else usual)
        wanted = self._body.get("stream_options") or {}
        if wanted.get("include_usage") or self._house.counts:
            self._events.send({**self._chunk([]), **_usage(self._turn, self._house.usage)})
        if self._house.done:
            self._events.send("[DONE]")
        self._reply.end()

    def error(self) -> None:
        self._events.send(_error("The server had an error while processing your request."))
        self._reply.end()

    def keep_alive(self) -> None:
        self._events.comment()

    def _chunk(self, choices: list[Mapping[str, Any]]) -> dict[str, Any]:
        return {
            "id": self._id,
            "object": "chat.completion.chunk",
            "created": _CREATED,
            "model": self._body["model"],
            "system_fingerprint": "fp_0",
            "choices": choices,
        }

    def _delta(self, delta: Mapping[str, Any], reason: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        self._events.send({**self._chunk([choice]), "obfuscation": "x9"})


def _usage(turn: Turn, name: str) -> dict[str, Any]:
    usage = {
        "prompt_tokens": turn.read,
        "completion_tokens": turn.written,
        "total_tokens": turn.read + turn.written,
        "prompt_tokens_details": {"cached_tokens": turn.cached},
    }
    return {"usage": usage} if name == "usage" else {name: {"id": "req_1", "usage": usage}}


def _whole(body: Mapping[str, Any], turn: Turn) -> dict[str, Any]:
    calls = [
        {
            "id": f"call_{number}",
            "type": "function",
            "function": {"name": one.name, "arguments": json.dumps(dict(one.arguments))},
        }
        for number, one in enumerate(turn.calls)
    ]
    message = {"role": "assistant", "content": turn.text or None, "refusal": None}
    choice = {
        "index": 0,
        "message": {**message, "tool_calls": calls} if calls else message,
        "finish_reason": "tool_calls" if calls else "stop",
    }
    return {
        "id": "chatcmpl-0",
        "object": "chat.completion",
        "created": _CREATED,
        "model": body["model"],
        "choices": [choice],
        **_usage(turn, "usage"),
    }


_teller: type[Teller] = _Stream
_conforms: type[FakeVendor] = OpenAIChat
