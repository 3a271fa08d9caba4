"""A fake of Rime's speech by HTTP (its API reference, "Streaming HTTP").

There is no official client for Python: what is strict here is what the reference says.
"""

from __future__ import annotations

import json
from typing import Any

from rapida_tw.sim.vendors.base import Asked, FakeVendor, Line, Refusal, Reply, Session
from rapida_tw.sim.vendors.delivery import Manners
from rapida_tw.sim.vendors.speaking import LINEAR, MULAW, Spoken
from rapida_tw.sim.vendors.spoken_answer import SpokenAnswer

_FORMS = {
    **dict.fromkeys(("audio/pcm", "audio/l16"), LINEAR),
    **dict.fromkeys(("audio/x-mulaw", "audio/pcmu"), MULAW),
}
_RATES = (8_000, 16_000, 22_050, 24_000, 44_100, 48_000, 96_000)
_MIST = frozenset(("cove", "lagoon", "moon"))
_SPEAKERS = {
    **dict.fromkeys(("mist", "mistv2", "mistv3"), _MIST),
    **dict.fromkeys(("arcana", "coda"), frozenset(("astra", "luna"))),
}
_LANGUAGES = {"mistv3": ("en", "es", "fr", "de")}
_OTHERWISE = ("eng", "spa", "fra", "ger")
_TEMPI = {"mistv3": "timeScaleFactor"}
_KNOWN = frozenset(
    (
        *("text", "speaker", "modelId", "lang", "samplingRate", "speedAlpha", "timeScaleFactor"),
        *("reduceLatency", "pauseBetweenBrackets", "phonemizeBetweenBrackets", "inlineSpeedAlpha"),
    )
)
_LONGEST = 500  # characters


class Rime:
    """`heard`: the bodies of all requests, each with its time."""

    hosts: tuple[str, ...] = ("users.rime.ai",)

    def __init__(self, key: str = "rime-key") -> None:
        self.key = key
        self.manners = Manners()
        self.heard: list[tuple[float, dict[str, Any]]] = []

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        return Refusal(404)

    def answer(self, asked: Asked, reply: Reply) -> None:
        refusals = self.manners.refusals
        if refusals and (status := refusals.popleft()):
            _refuse(reply, status, "refused", self.manners.retry_after)
            return
        if not asked.path.endswith("/v1/rime-tts") or asked.method != "POST":
            _refuse(reply, 404, "Not Found")
            return
        if asked.headers.get("authorization") != f"Bearer {self.key}":
            _refuse(reply, 401, "invalid api key")
            return
        form = _FORMS.get(asked.headers.get("accept", "").lower())
        try:
            fields = json.loads(asked.body)
        except ValueError:
            fields = None
        if form is None or not isinstance(fields, dict):
            _refuse(reply, 400, "the Accept header or the body is none of ours")
            return
        self.heard.append((reply.clock.seconds(), fields))
        wrong = _wrong(fields)
        if wrong:
            _refuse(reply, 400, wrong)
            return
        rate = fields.get("samplingRate", 8_000 if form == MULAW else 24_000)
        spoken = Spoken(fields["text"].strip(), rate, form)
        kind = asked.headers["accept"]
        SpokenAnswer(reply, spoken, self.manners, kind, lambda: _refuse(reply, 500, "try again"))


def _refuse(reply: Reply, status: int, message: str, retry_after: str = "") -> None:
    headers = {"Content-Type": "application/json"}
    reply.head(status, {**headers, "Retry-After": retry_after} if retry_after else headers)
    reply.write(json.dumps({"error": message}).encode())
    reply.end()


def _wrong(fields: dict[str, Any]) -> str:
    """What is wrong with a request; "" when nothing is."""
    model, text = fields.get("modelId", "mist"), fields.get("text")
    languages = _LANGUAGES.get(model, _OTHERWISE)
    tempo = _TEMPI.get(model, "speedAlpha")
    if set(fields) - _KNOWN:
        return f"unknown parameters: {sorted(set(fields) - _KNOWN)}"
    if model not in _SPEAKERS:
        return f"unknown modelId: {model}"
    if fields.get("speaker") not in _SPEAKERS[model]:
        return f"speaker {fields.get('speaker')} not found for {model}"
    if not isinstance(text, str) or not 0 < len(text) <= _LONGEST:
        return f"text must have 1 to {_LONGEST} characters"
    if fields.get("samplingRate", 8_000) not in _RATES:
        return f"samplingRate must be one of {_RATES}"
    if fields.get("lang", languages[0]) not in languages:
        return f"lang must be one of {languages}"
    if {"speedAlpha", "timeScaleFactor"} & set(fields) - {tempo}:
        return f"{model} takes {tempo}"
    return ""


_conforms: type[FakeVendor] = Rime
