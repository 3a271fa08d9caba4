"""A fake of Amazon Polly (its developer guide, "SynthesizeSpeech"; "Signature Version 4").

Strict about the signature: of the body, and of each header that it says it signs. Errors have their
name in a header, and are status 400 when there are too many requests.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from typing import Any
from urllib.parse import quote

from rapida_tw.sim.vendors.base import Asked, FakeVendor, Line, Refusal, Reply, Session
from rapida_tw.sim.vendors.delivery import Manners
from rapida_tw.sim.vendors.speaking import ALAW, LINEAR, MULAW, Spoken
from rapida_tw.sim.vendors.spoken_answer import SpokenAnswer

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<id>\w+)/(?P<scope>\d{8}/[\w-]+/polly/aws4_request), ?"
    r"SignedHeaders=(?P<names>[a-z0-9;-]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)
# With the engines that have it.
_VOICES = {
    "Joanna": ("standard", "neural", "generative"),
    "Matthew": ("standard", "neural", "generative"),
    "Kajal": ("neural", "generative"),
}
_ENGINES = ("standard", "neural", "long-form", "generative")
_OUTPUTS = {
    "pcm": (LINEAR, ("8000", "16000")),
    "mulaw": (MULAW, ("8000",)),
    "alaw": (ALAW, ("8000",)),
}
_KNOWN = frozenset(
    (
        *("Engine", "LanguageCode", "LexiconNames", "OutputFormat", "SampleRate"),
        *("SpeechMarkTypes", "Text", "TextType", "VoiceId"),
    )
)
_LANGUAGES = frozenset(("en-US", "en-IN", "hi-IN"))
_LONGEST = 3000  # characters


class Polly:
    """`key`: the secret of any key id. `heard`: the bodies of all requests, each with its time."""

    hosts: tuple[str, ...] = ("polly.*.amazonaws.com",)

    def __init__(self, key: str = "polly-secret") -> None:
        self.key = key
        self.manners = Manners()
        self.heard: list[tuple[float, dict[str, Any]]] = []

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        return Refusal(404)

    def answer(self, asked: Asked, reply: Reply) -> None:
        refusals = self.manners.refusals
        if refusals and (status := refusals.popleft()):
            _refuse(reply, status, "ServiceFailureException", "refused", self.manners.retry_after)
            return
        if not asked.path.endswith("/v1/speech") or asked.method != "POST":
            _refuse(reply, 404, "UnknownOperationException", "")
            return
        wrong = signature_is_wrong(asked, self.key)
        if wrong:
            _refuse(reply, 403, wrong, "The request signature we calculated does not match.")
            return
        try:
            fields = json.loads(asked.body)
        except ValueError:
            fields = None
        if not isinstance(fields, dict):
            _refuse(reply, 400, "SerializationException", "")
            return
        self.heard.append((reply.clock.seconds(), fields))
        refusal = _wrong(fields)
        if refusal is not None:
            _refuse(reply, 400, *refusal)
            return
        form, rates = _OUTPUTS[fields["OutputFormat"]]
        text = fields["Text"]
        spoken = Spoken(text.strip(), int(fields.get("SampleRate", rates[-1])), form)
        told = {"x-amzn-RequestCharacters": str(len(text)), "x-amzn-RequestId": "0c5a"}
        kind = f"audio/{fields['OutputFormat']}"
        SpokenAnswer(reply, spoken, self.manners, kind, lambda: _failed(reply), told)


def _failed(reply: Reply) -> None:
    _refuse(reply, 500, "ServiceFailureException", "An unknown condition has caused a failure.")


def _refuse(reply: Reply, status: int, kind: str, message: str, retry_after: str = "") -> None:
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": kind}
    reply.head(status, {**headers, "Retry-After": retry_after} if retry_after else headers)
    reply.write(json.dumps({"message": message}).encode())
    reply.end()


def signature_is_wrong(asked: Asked, secret: str) -> str:
    """The name of the exception; "" when it is right."""
    found = _AUTHORIZATION.fullmatch(asked.headers.get("authorization", ""))
    if found is None:
        return "MissingAuthenticationTokenException"
    moment = asked.headers.get("x-amz-date", "")
    names = found["names"].split(";")
    if names != sorted(names) or not {"host", "x-amz-date"} <= set(names):
        return "IncompleteSignatureException"
    if not re.fullmatch(r"\d{8}T\d{6}Z", moment) or not found["scope"].startswith(moment[:8]):
        return "InvalidSignatureException"
    headers = "".join(f"{name}:{asked.headers.get(name, '').strip()}\n" for name in names)
    body = hashlib.sha256(asked.body).hexdigest()
    canonical = f"{asked.method}\n{quote(asked.path)}\n\n{headers}\n{found['names']}\n{body}"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = b"AWS4" + secret.encode()
    for part in found["scope"].split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    told = f"AWS4-HMAC-SHA256\n{moment}\n{found['scope']}\n{digest}"
    right = hmac.new(key, told.encode(), hashlib.sha256).hexdigest()
    return "" if hmac.compare_digest(right, found["signature"]) else "InvalidSignatureException"


def _wrong(fields: dict[str, Any]) -> tuple[str, str] | None:
    """The exception and its sentence for what is wrong with a request."""
    text, engine = fields.get("Text"), fields.get("Engine", "standard")
    output = fields.get("OutputFormat")
    if set(fields) - _KNOWN or not isinstance(text, str) or engine not in _ENGINES:
        return "ValidationException", "1 validation error detected"
    if not text or len(text) > _LONGEST:
        return "TextLengthExceededException", "Maximum text length has been exceeded"
    if output not in _OUTPUTS:
        return "ValidationException", "Value at 'outputFormat' failed to satisfy constraint"
    rates = _OUTPUTS[output][1]
    if fields.get("SampleRate", rates[-1]) not in rates:
        return "InvalidSampleRateException", f"Invalid SampleRate, valid values are {rates}"
    if fields.get("VoiceId") not in _VOICES:
        return "ValidationException", "Value at 'voiceId' failed to satisfy constraint"
    if engine not in _VOICES[fields["VoiceId"]]:
        return "EngineNotSupportedException", "This voice does not support the selected engine."
    if fields.get("LanguageCode", "en-US") not in _LANGUAGES:
        return "LanguageNotSupportedException", "This voice does not support the language"
    return None


_conforms: type[FakeVendor] = Polly
