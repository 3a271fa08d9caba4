"""A fake of Google's text to speech by HTTP (its API reference, "text.synthesize", v1).

The sound is a WAV in base64, and comes when all of it is there. Enums may be names or numbers, as
in all of Google's JSON.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from rapida_tw.sim.vendors.base import Asked, FakeVendor, Line, Refusal, Reply, Session
from rapida_tw.sim.vendors.delivery import Delivery, Manners, Teller
from rapida_tw.sim.vendors.speaking import ALAW, LINEAR, MULAW, Piece, Spoken, wav

_FORMS: dict[object, str] = {
    **dict.fromkeys(("LINEAR16", 1), LINEAR),
    **dict.fromkeys(("MULAW", 5), MULAW),
    **dict.fromkeys(("ALAW", 6), ALAW),
}
_VOICES = frozenset(("en-US-Chirp3-HD-Charon", "en-US-Standard-A", "de-DE-Chirp3-HD-Kore"))
_LANGUAGES = frozenset(("en-US", "de-DE", "hi-IN"))
_FIELDS = {
    "": frozenset(("input", "voice", "audioConfig")),
    "input": frozenset(("text",)),
    "voice": frozenset(("languageCode", "name", "ssmlGender", "modelName")),
    "audioConfig": frozenset(
        ("audioEncoding", "sampleRateHertz", "speakingRate", "pitch", "volumeGainDb")
    ),
}
_LONGEST = 5000  # bytes
_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
}


class GoogleVoice:
    """`key`: an API key, or an access token. `heard`: the bodies of all requests, with times."""

    hosts: tuple[str, ...] = ("texttospeech.googleapis.com",)

    def __init__(self, key: str = "google-key") -> None:
        self.key = key
        self.manners = Manners()
        self.heard: list[tuple[float, dict[str, Any]]] = []

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        return Refusal(404)

    def answer(self, asked: Asked, reply: Reply) -> None:
        refusals = self.manners.refusals
        bearer = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if refusals and (status := refusals.popleft()):
            _refuse(reply, status, "refused", self.manners.retry_after)
            return
        if not asked.path.endswith("/v1/text:synthesize") or asked.method != "POST":
            _refuse(reply, 404, "Not Found")
            return
        if self.key not in (asked.headers.get("x-goog-api-key"), bearer):
            _refuse(reply, 400, "API key not valid. Please pass a valid API key.")
            return
        try:
            fields = json.loads(asked.body)
        except ValueError:
            fields = None
        if not isinstance(fields, dict):
            _refuse(reply, 400, "Invalid JSON payload received.")
            return
        self.heard.append((reply.clock.seconds(), fields))
        wrong = _wrong(fields)
        if wrong:
            _refuse(reply, 400, wrong)
        else:
            _Answer(self.manners, fields, reply)


class _Answer:
    """One text, told when all of it is spoken."""

    def __init__(self, manners: Manners, fields: dict[str, Any], reply: Reply) -> None:
        audio = fields["audioConfig"]
        self._reply = reply
        self._sound = b""
        self._form = _FORMS[audio["audioEncoding"]]
        self._rate = audio.get("sampleRateHertz") or 24_000
        spoken = Spoken(fields["input"]["text"].strip(), self._rate, self._form)
        self._delivery = Delivery(reply.clock, spoken, manners, self)

    def sound(self, piece: Piece) -> None:
        self._sound += piece.payload
        if self._reply.gone:
            self._delivery.end()

    def done(self) -> None:
        content = wav(self._sound, self._rate, self._form) if self._sound else b""
        self._reply.whole(200, {"audioContent": b64encode(content).decode()})

    def stopped(self) -> None:
        """Only by closing, which is seen when the next piece is due."""

    def garbage(self) -> None:
        self._reply.whole(200, {"audioContent": "?"})

    def error(self) -> None:
        _refuse(self._reply, 500, "Internal error encountered.")

    def drop(self) -> None:
        self._reply.drop()


def _refuse(reply: Reply, status: int, message: str, retry_after: str = "") -> None:
    told = {"code": status, "message": message, "status": _STATUSES.get(status, "INTERNAL")}
    headers = {"Content-Type": "application/json"}
    reply.head(status, {**headers, "Retry-After": retry_after} if retry_after else headers)
    reply.write(json.dumps({"error": told}).encode())
    reply.end()


def _wrong(fields: dict[str, Any]) -> str:
    """What is wrong with a request; "" when nothing is."""
    for name, known in _FIELDS.items():
        part = fields.get(name, {}) if name else fields
        if not isinstance(part, dict) or set(part) - known:
            return f'Invalid JSON payload received. Unknown name at "{name}"'
    text, voice = fields.get("input", {}).get("text"), fields.get("voice", {})
    audio, name = fields.get("audioConfig", {}), voice.get("name", "")
    if not isinstance(text, str) or not 0 < len(text.encode()) <= _LONGEST:
        return f"Either `input.text` or `input.ssml` is longer than {_LONGEST} bytes, or not set."
    if voice.get("languageCode") not in _LANGUAGES:
        return "This request contains a language code that is not supported."
    if name and name not in _VOICES:
        return f"Voice '{name}' does not exist. Is it misspelled?"
    if name and not name.startswith(voice["languageCode"]):
        return f"Requested language code '{voice['languageCode']}' doesn't match the voice '{name}'"
    if audio.get("audioEncoding") not in _FORMS:
        return "audio_encoding is none that this fake speaks"
    if not 0.25 <= audio.get("speakingRate", 1.0) <= 2:
        return "The speaking rate must be between 0.25 and 2.0"
    if audio.get("pitch") and "Chirp" in name:
        return "This voice does not support pitch parameters at this time."
    return ""


_conforms: tuple[type[FakeVendor], type[Teller]] = (GoogleVoice, _Answer)
