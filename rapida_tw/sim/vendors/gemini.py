"""A fake of Gemini's streamGenerateContent, at the Gemini API and at Vertex AI.

"Generating content" of the Gemini API's reference; "generateContent" of Vertex AI's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from rapida_tw.sim.vendors.answering import (
    Answer,
    Called,
    Events,
    Manners,
    Teller,
    Trouble,
    Turn,
    turns_of,
)
from rapida_tw.sim.vendors.base import Asked, FakeVendor, Line, Refusal, Reply, Session
from rapida_tw.sim.vendors.gemini_rules import SIGNATURE, Refused, check
from rapida_tw.sim.vendors.google_token import HOST, TokenServer

_AI = re.compile(r"/v1(?:beta)?/models/([^/:]+):streamGenerateContent")
_VERTEX = re.compile(
    r"/v1(?:beta1)?/(?:projects/[a-z0-9-]+/locations/[a-z0-9-]+/)?publishers/google/models/([^/:]+)"
    r":streamGenerateContent"
)
_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
_ENDS = {
    Trouble.WITHHELD: "SAFETY",
    Trouble.CUT_SHORT: "MAX_TOKENS",
}


class Gemini:
    """`turns`: what it will answer. `bodies`: the requests it took, `replies` to all it was asked.

    `tokens`: the token server whose accounts are good at Vertex AI.
    """

    hosts: tuple[str, ...] = (
        "generativelanguage.googleapis.com",
        "aiplatform.googleapis.com",
        "*-aiplatform.googleapis.com",
        HOST,
    )

    def __init__(
        self,
        script: Iterable[Turn | str | Mapping[str, Any]] = (),
        key: str = "AIza-a-key-of-the-fake",
        tokens: TokenServer | None = None,
    ) -> None:
        self.turns = turns_of(script)
        self.manners = Manners()
        self.key = key
        self.tokens = tokens
        self.bodies: list[Mapping[str, Any]] = []
        self.replies: list[Reply] = []

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        return Refusal(404, json.dumps(_error(404, "not found")))

    def answer(self, asked: Asked, reply: Reply) -> None:
        if asked.headers.get("host", "") == HOST and self.tokens is not None:
            self.tokens.answer(asked, reply)
            return
        self.replies.append(reply)
        path = _AI.fullmatch(asked.path) or _VERTEX.fullmatch(asked.path)
        if path is None or asked.method != "POST":
            reply.whole(404, _error(404, f"{asked.path} was not found"))
        elif not self._known(asked, path.re is _VERTEX):
            self._unknown("authorization" in asked.headers, reply)
        elif self.manners.refusals and (status := self.manners.refusals.popleft()):
            self._refuse(reply, status)
        else:
            self._take(asked, path[1], reply)

    def _known(self, asked: Asked, vertex: bool) -> bool:
        if vertex and "authorization" in asked.headers:
            return self.tokens is not None and self.tokens.knows(asked.headers)
        return asked.headers.get("x-goog-api-key", asked.one("key")) == self.key

    def _unknown(self, token: bool, reply: Reply) -> None:
        if token:
            message = "Request had invalid authentication credentials."
            reply.whole(401, _error(401, message))
            return
        error = _error(400, "API key not valid. Please pass a valid API key.")
        info = {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "API_KEY_INVALID",
            "domain": "googleapis.com",
        }
        reply.whole(400, {"error": {**error["error"], "details": [info]}})

    def _refuse(self, reply: Reply, status: int) -> None:
        error = _error(status, "Resource has been exhausted" if status == 429 else "It failed")
        if self.manners.retry_after:
            info = {
                "@type": "type.googleapis.com/google.rpc.RetryInfo",
                "retryDelay": f"{self.manners.retry_after}s",
            }
            error = {"error": {**error["error"], "details": [info]}}
        reply.whole(status, error)

    def _take(self, asked: Asked, model: str, reply: Reply) -> None:
        try:
            if asked.one("alt") != "sse":
                raise Refused("the fake only knows alt=sse")
            body = json.loads(asked.body)
            check(body, model)
        except (Refused, ValueError) as error:
            reply.whole(400, _error(400, str(error)))
            return
        self.bodies.append(body)
        turn = self.turns.popleft() if self.turns else Turn("I see.")
        Answer(reply.clock, turn, _Stream(self, model, turn, reply), reply)


def _error(status: int, message: str) -> dict[str, Any]:
    return {"error": {"code": status, "message": message, "status": _STATUSES.get(status, "")}}


class _Stream:
    """Tells one answer, each event a whole response."""

    def __init__(self, vendor: Gemini, model: str, turn: Turn, reply: Reply) -> None:
        self._events = Events(reply, vendor.manners)
        self._model = model
        self._turn = turn
        self._written = turn.written
        self._reply = reply
        self._id = f"response-{len(vendor.bodies)}"

    def begin(self) -> None:
        self._events.head()

    def think(self, text: str) -> None:
        self._send([{"text": text, "thought": True}])

    def say(self, text: str) -> None:
        self._send([{"text": text}])

    def call(self, number: int, called: Called, whole: bool) -> None:
        function: dict[str, Any] = {"name": called.name, "args": dict(called.arguments)}
        part: dict[str, Any] = {"functionCall": function}
        if re.match(r"gemini-[3-9]", self._model):
            function["id"] = f"{self._id}-{number}"
            if number == 0:
                part["thoughtSignature"] = SIGNATURE
        if whole:
            self._send([part])

    def end(self, trouble: Trouble | None) -> None:
        reason = _ENDS.get(trouble, "STOP") if trouble else "STOP"
        if trouble is Trouble.CUT_SHORT and self._turn.calls:
            reason = "MALFORMED_FUNCTION_CALL"
        self._send([{"text": ""}] if reason == "STOP" else [], reason)
        self._reply.end()

    def error(self) -> None:
        self._events.send(_error(503, "The model is overloaded. Please try again later."))
        self._reply.end()

    def keep_alive(self) -> None:
        self._events.comment()

    def _send(self, parts: list[Mapping[str, Any]], reason: str = "") -> None:
        turn = self._turn
        candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
        if not parts:
            del candidate["content"]
        if reason:
            candidate["finishReason"] = reason
        usage = {
            "promptTokenCount": turn.read,
            "candidatesTokenCount": self._written if reason else 1,
            "totalTokenCount": turn.read + self._written,
        }
        if turn.cached:
            usage["cachedContentTokenCount"] = turn.cached
        self._events.send(
            {
                "candidates": [candidate],
                "usageMetadata": usage,
                "modelVersion": self._model,
                "responseId": self._id,
            }
        )


_teller: type[Teller] = _Stream
_conforms: type[FakeVendor] = Gemini
