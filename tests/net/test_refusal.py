"""What vendors mean by refusing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from OpenSSL.SSL import Error as TLSError
from service_identity import VerificationError
from twisted.internet.error import ConnectionLost, TCPTimedOutError
from twisted.python.failure import Failure
from twisted.web.client import ResponseNeverReceived

from rapida_tw.net.base import Request
from rapida_tw.net.reasons import reason_in, retry_after, without_secrets
from rapida_tw.net.refusal import unreached


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"error":{"message":"Incorrect API key","type":"x"}}', "Incorrect API key"),
        ('{"err_code":"INVALID_AUTH","err_msg":"Invalid credentials."}', "Invalid credentials."),
        ('{"detail":{"status":"quota_exceeded","message":"no credits"}}', "no credits"),
        ('{"detail":[{"loc":["body"],"msg":"field required"}]}', "field required"),
        ('{"error":"model not found"}', "model not found"),
        ('[{"error":{"code":400,"message":"API key not valid."}}]', "API key not valid."),
        ('{"message":"Forbidden"}', "Forbidden"),
        ('{"error":"invalid_grant","error_description":"Bad JWT"}', "Bad JWT"),
        ('{"what":1}', '{"what":1}'),
        ("<html><style>p{}</style><h1>502</h1>\n<p>Bad gateway", "502 Bad gateway"),
        ("", ""),
        ('{"error":' * 20_000, None),
        ("x" * 900, "x" * 500),
    ],
)
def test_reason(body: str, reason: str | None) -> None:
    """In each of the forms that vendors have, and where it is none."""
    found = reason_in(body)
    assert len(found) <= 500
    assert reason is None or found == reason


@given(st.text())
def test_any_body(body: str) -> None:
    """Nothing is raised, whatever was said."""
    assert len(reason_in(body)) <= 500


def test_reason_in_a_header() -> None:
    """Deepgram's; the body's own words go first."""
    assert reason_in("", {"dg-error": "no such model"}) == "no such model"
    assert reason_in('{"message":"no"}', {"dg-error": "yes"}) == "no"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "0.5"}, 0.5),
        (
            {
                "retry-after": "Wed, 21 Oct 2026 07:28:30 GMT",
                "date": "Wed, 21 Oct 2026 07:28:00 GMT",
            },
            30.0,
        ),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds, or a date, which counts from that of the answer."""
    assert retry_after(headers) == seconds


def test_secrets() -> None:
    """Keys are taken out wherever they were sent; words and the model's name are not."""
    request = Request(
        "wss://a.test/?model=nova-2-general&api_key=query-secret",
        headers={"Authorization": "Bearer header-secret", "Content-Type": "application/json"},
        subprotocols=("realtime", "openai-insecure-api-key.protocol-secret"),
    )
    said = "header-secret query-secret protocol-secret nova-2-general application/json"
    assert without_secrets(said, request) == "*** *** *** nova-2-general application/json"


@pytest.mark.parametrize(
    ("error", "words", "retryable"),
    [
        (VerificationError(errors=[]), "certificate of another name", False),
        (TLSError([("SSL routines", "", "certificate verify failed")]), "not trusted", False),
        (TLSError([("SSL routines", "", "wrong version number")]), "wrong version number", True),
        (TLSError(-1, "Unexpected EOF"), "cut off", True),
        (TCPTimedOutError(), "in time", True),
        (ValueError("odd"), "ValueError", True),
        (ResponseNeverReceived([Failure(ConnectionLost())]), "without an answer", True),
        (None, "not reached", True),
    ],
)
def test_unreached(error: Exception | None, words: str, retryable: bool) -> None:
    """In plain words, also out of the lists in which Twisted's client packs the reasons."""
    failed = unreached("a.test", error)
    assert str(failed).startswith("a.test")
    assert words in str(failed)
    assert (failed.code, failed.retryable) == (0, retryable)
