"""The fake of Polly: signatures, and what it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rapida_tw.sim.vendors.base import Asked
from rapida_tw.sim.vendors.polly import Polly, _wrong, signature_is_wrong
from tests.sim.vendors.requests import HttpCase

FIELDS = {"Text": "Hello.", "VoiceId": "Joanna", "OutputFormat": "mulaw", "Engine": "neural"}
AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/polly/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature="
)


def asked(authorization: str, moment: str = "20150830T123600Z") -> Asked:
    headers = {
        "authorization": authorization,
        "x-amz-date": moment,
        "host": "polly.us-east-1.amazonaws.com",
    }
    return Asked("POST", "/v1/speech", {}, headers, b"{}")


@pytest.mark.parametrize(
    ("authorization", "moment", "kind"),
    [
        ("", "20150830T123600Z", "MissingAuthenticationTokenException"),
        ("Bearer polly-secret", "20150830T123600Z", "MissingAuthenticationTokenException"),
        (AUTHORIZATION + "0" * 64, "20150830T123600Z", "InvalidSignatureException"),
        (AUTHORIZATION + "0" * 64, "20150831T123600Z", "InvalidSignatureException"),
        (
            AUTHORIZATION.replace("host;", "") + "0" * 64,
            "20150830T123600Z",
            "IncompleteSignatureException",
        ),
    ],
)
def test_signatures(authorization: str, moment: str, kind: str) -> None:
    """None, one of another kind, a wrong one, one of another day, one without the host."""
    assert signature_is_wrong(asked(authorization, moment), "polly-secret") == kind
    case = HttpCase(Polly(), "/v1/speech", b"{}", {"authorization": authorization})
    assert case.status == 403
    assert case.headers["x-amzn-ErrorType"]


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"VoiceId": "Nobody"}, "ValidationException"),
        ({"Engine": "long-form"}, "EngineNotSupportedException"),
        ({"Engine": "fast"}, "ValidationException"),
        ({"SampleRate": "16000"}, "InvalidSampleRateException"),
        ({"SampleRate": 8000}, "InvalidSampleRateException"),
        ({"OutputFormat": "midi"}, "ValidationException"),
        ({"Text": "a" * 3001}, "TextLengthExceededException"),
        ({"Text": ""}, "TextLengthExceededException"),
        ({"LanguageCode": "xx"}, "LanguageNotSupportedException"),
        ({"Colour": "blue"}, "ValidationException"),
    ],
)
def test_refused(changed: dict[str, Any], kind: str) -> None:
    """What the real one does not take, by its name."""
    assert _wrong(FIELDS) is None
    refusal = _wrong({**FIELDS, **changed})
    assert refusal is not None
    assert refusal[0] == kind


def test_not_there() -> None:
    """Another path is nobody's."""
    assert HttpCase(Polly(), "/v1/voices", json.dumps(FIELDS).encode()).status == 404
