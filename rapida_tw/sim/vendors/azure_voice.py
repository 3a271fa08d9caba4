"""A fake of Azure's text to speech (its documentation, "Text to speech REST API").

Strict about headers and SSML: a namespace that is missing, an unknown voice, element or format is
status 400 without a word, as with the real one.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

from rapida_tw.sim.vendors.base import Asked, FakeVendor, Line, Refusal, Reply, Session
from rapida_tw.sim.vendors.delivery import Manners
from rapida_tw.sim.vendors.speaking import ALAW, LINEAR, MULAW, Spoken
from rapida_tw.sim.vendors.spoken_answer import SpokenAnswer

_PATH = "/cognitiveservices/v1"
_VOICES = ("en-US-JennyNeural", "en-US-AvaMultilingualNeural", "de-DE-KatjaNeural")
_FORMATS = {
    "raw-8khz-8bit-mono-mulaw": (MULAW, 8_000),
    "raw-8khz-8bit-mono-alaw": (ALAW, 8_000),
    **{f"raw-{rate}khz-16bit-mono-pcm": (LINEAR, 1_000 * rate) for rate in (8, 16, 24, 48)},
    "raw-22050hz-16bit-mono-pcm": (LINEAR, 22_050),
}
_SYNTHESIS = "{http://www.w3.org/2001/10/synthesis}"
_MSTTS = "{https://www.w3.org/2001/mstts}"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_INNER = frozenset((f"{_SYNTHESIS}prosody", f"{_MSTTS}express-as"))
_TAG = re.compile(r"[a-z]{2,3}(-[A-Za-z]+)*")


class AzureVoice:
    """`heard`: the SSML of all requests, each with its time."""

    hosts: tuple[str, ...] = (
        *("*.tts.speech.microsoft.com", "*.voice.speech.microsoft.com"),
        "*.cognitiveservices.azure.com",
    )

    def __init__(self, key: str = "azure-key") -> None:
        self.key = key
        self.manners = Manners()
        self.heard: list[tuple[float, str]] = []

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        return Refusal(404)

    def answer(self, asked: Asked, reply: Reply) -> None:
        refusals = self.manners.refusals
        if refusals and (status := refusals.popleft()):
            _refuse(reply, status, self.manners.retry_after)
            return
        status = self._wrong(asked)
        if status:
            _refuse(reply, status)
            return
        self.heard.append((reply.clock.seconds(), asked.body.decode("utf-8", "replace")))
        text = spoken_text(asked.body)
        if text is None:
            _refuse(reply, 400)
            return
        form, rate = _FORMATS[asked.headers["x-microsoft-outputformat"]]
        spoken = Spoken(text, rate, form)
        SpokenAnswer(reply, spoken, self.manners, "audio/basic", lambda: _refuse(reply, 502))

    def _wrong(self, asked: Asked) -> int:
        headers = asked.headers
        if not asked.path.endswith(_PATH) or asked.method != "POST":
            return 404
        if headers.get("ocp-apim-subscription-key") != self.key:
            return 401
        if headers.get("content-type", "").partition(";")[0] != "application/ssml+xml":
            return 415
        if headers.get("x-microsoft-outputformat") not in _FORMATS or not headers.get("user-agent"):
            return 400
        return 0


def _refuse(reply: Reply, status: int, retry_after: str = "") -> None:
    reply.head(status, {"Retry-After": retry_after} if retry_after else {})
    reply.end()


def spoken_text(body: bytes) -> str | None:
    """What is to be spoken; None where the SSML is not Azure's."""
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        return None
    voices = list(root)
    if root.tag != f"{_SYNTHESIS}speak" or root.get("version") != "1.0" or len(voices) != 1:
        return None
    if not _TAG.fullmatch(root.get(_LANGUAGE, "")):
        return None
    if voices[0].tag != f"{_SYNTHESIS}voice" or voices[0].get("name") not in _VOICES:
        return None
    if any(inner.tag not in _INNER for inner in voices[0].iter() if inner is not voices[0]):
        return None
    return "".join(voices[0].itertext()).strip()


_conforms: type[FakeVendor] = AzureVoice
