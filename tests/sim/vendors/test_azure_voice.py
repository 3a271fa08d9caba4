"""The fake of Azure's speech: what it speaks, and what it refuses."""

from __future__ import annotations

import pytest

from rapida_tw.sim.vendors.azure_voice import AzureVoice, spoken_text
from rapida_tw.sim.vendors.speaking import MULAW, decode, understood
from tests.sim.vendors.requests import HttpCase

SSML = (
    '<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis"'
    ' xmlns:mstts="https://www.w3.org/2001/mstts" xml:lang="en-US">'
    '<voice name="en-US-JennyNeural"><prosody rate="+5%">Text &amp; more</prosody></voice></speak>'
)
HEADERS = {
    "ocp-apim-subscription-key": "azure-key",
    "content-type": "application/ssml+xml; charset=utf-8",
    "x-microsoft-outputformat": "raw-8khz-8bit-mono-mulaw",
    "user-agent": "a test",
}


def ask(
    body: str = SSML, path: str = "/cognitiveservices/v1", method: str = "POST", **headers: str
) -> HttpCase:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpCase(AzureVoice(), path, body.encode(), {**HEADERS, **named}, method)


def test_spoken() -> None:
    """The text without its markup, in the form of the header."""
    case = ask()
    assert case.status == 200
    assert understood(decode(case.body, MULAW), 8_000) == "Text & more"


@pytest.mark.parametrize(
    ("case", "status"),
    [
        (ask(path="/v1"), 404),
        (ask(method="GET"), 404),
        (ask(ocp_apim_subscription_key="no"), 401),
        (ask(content_type="text/plain"), 415),
        (ask(x_microsoft_outputformat="mp3"), 400),
        (ask(user_agent=""), 400),
        (ask("<speak>"), 400),
    ],
)
def test_refused(case: HttpCase, status: int) -> None:
    """A key, a type, a format, somebody who asks; and SSML."""
    assert (case.status, case.body) == (status, b"")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2001/10/synthesis", "2001/10/speech"),
        ('version="1.0"', 'version="2.0"'),
        ('xml:lang="en-US"', ""),
        ("JennyNeural", "Nobody"),
        ("<voice ", "<voice/><voice "),
        ("prosody", "marquee"),
    ],
)
def test_not_its_ssml(old: str, new: str) -> None:
    """What the real one does not take."""
    assert spoken_text(SSML.encode()) == "Text & more"
    assert spoken_text(SSML.replace(old, new).encode()) is None
