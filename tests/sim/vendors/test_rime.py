"""The fake of Rime: what it speaks, and what it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rapida_tw.sim.vendors.rime import Rime
from rapida_tw.sim.vendors.speaking import MULAW, decode, understood
from tests.sim.vendors.requests import HttpCase

FIELDS = {"text": "Hello.", "speaker": "cove", "modelId": "mistv2"}
HEADERS = {"authorization": "Bearer rime-key", "accept": "audio/x-mulaw"}


def ask(path: str = "/v1/rime-tts", headers: dict[str, str] = HEADERS, **changed: Any) -> HttpCase:
    return HttpCase(Rime(), path, json.dumps({**FIELDS, **changed}).encode(), headers)


def test_spoken() -> None:
    """In the form of the header."""
    case = ask()
    assert case.status == 200
    assert understood(decode(case.body, MULAW), 8_000) == "Hello."


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"path": "/v1/tts"}, 404),
        ({"headers": {**HEADERS, "authorization": "Bearer no"}}, 401),
        ({"headers": {**HEADERS, "accept": "audio/midi"}}, 400),
        ({"speaker": "astra"}, 400),
        ({"modelId": "mistv9"}, 400),
        ({"samplingRate": 11_025}, 400),
        ({"lang": "en"}, 400),
        ({"timeScaleFactor": 1.0}, 400),
        ({"text": "a" * 501}, 400),
        ({"colour": "blue"}, 400),
    ],
)
def test_refused(changed: dict[str, Any], status: int) -> None:
    """With a sentence."""
    case = ask(**changed)
    assert case.status == status
    assert case.json["error"]
