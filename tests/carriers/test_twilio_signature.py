"""Twilio's signature: its documented example, what its library signs, and what must not pass."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from rapida_tw.carriers.base import WebhookRequest
from rapida_tw.carriers.twilio import TWILIO
from rapida_tw.errors import Forged
from tests.carriers.asking import CONTEXT, get, post, post_json

TOKEN = "0123456789abcdef0123456789abcdef"
SECRETS = {"account_sid": "AC1", "account_token": TOKEN}
HOOK = "https://voice.example.com/hook"
SID = "CA00000000000000000000000000000001"
ACCOUNT = "AC00000000000000000000000000000001"
CALL = {"CallSid": SID}
SOCKET = f"wss://voice.example.com/v1/talk/twilio/ctx/{CONTEXT}"
EVENT = f"https://voice.example.com/v1/talk/twilio/ctx/{CONTEXT}/event"
JSON = b'{"CallSid":"CA00000000000000000000000000000001","Digits":"12"}'
JSON_HASH = "fba60b31949e25a609cdbcddae253803dc922ed273dd3e12cd112b36a1e953b1"
SHARED = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"


def verify(
    request: WebhookRequest,
    signature: str,
    secrets: Mapping[str, str] = SECRETS,
    settings: str = "",
) -> bool:
    headers = {**request.headers, "x-twilio-signature": signature}
    if settings:
        headers["x-twilio-webhooks-signature-settings"] = settings
    signed = WebhookRequest(
        request.method,
        request.path,
        request.query,
        request.form,
        headers,
        request.body,
        request.json,
        request.url,
    )
    return TWILIO.verify(signed, secrets, 0.0)


EXAMPLE = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+14158675310",
    "Digits": "1234",
    "From": "+14158675310",
    "To": "+18005551212",
}
INBOUND = {
    "AccountSid": ACCOUNT,
    "ApiVersion": "2010-04-01",
    "CallSid": SID,
    "CallStatus": "ringing",
    "Called": "+15550100002",
    "Caller": "+15550100001",
    "Direction": "inbound",
    "From": "+15550100001",
    "To": "+15550100002",
    "FromCity": "",
    "FromCountry": "US",
    "CallToken": "%7B%22k%22%3A1%7D",
    "StirVerstat": "TN-Validation-Passed-A",
}
STREAM = {
    "AccountSid": ACCOUNT,
    "CallSid": SID,
    "StreamSid": "MZ00000000000000000000000000000001",
    "StreamName": "123456789__987654321",
    "StreamEvent": "stream-started",
    "Timestamp": "2026-01-02T03:04:05.678Z",
}
REPEATED = [
    ("Body", "héllo +1 & ok"),
    ("Empty", ""),
    ("MediaUrl", "https://b"),
    ("MediaUrl", "https://a"),
    ("MediaUrl", "https://a"),
]
VECTORS = {
    "B inbound": (
        post(
            "https://voice.example.com/v1/talk/twilio/call/123456789?x-api-key=rpd-test-key",
            INBOUND,
        ),
        "kEXSCYHUmost1dgq9xqVaC37emk=",
    ),
    "C stream event": (post(EVENT, STREAM), "yijH2LTRr6A5V9eQqiK4qmzdaGQ="),
    "D GET": (
        get(f"{EVENT}?CallSid={SID}&CallStatus=completed&CallDuration=42"),
        "R6B+1a09EyYdlKOJ0qChKqS3/UE=",
    ),
    "E JSON": (
        post_json(f"{HOOK}?bodySHA256={JSON_HASH}", JSON),
        "8VhCAZBvEreJ/FXps0/yf1uIx9Q=",
    ),
    "F socket": (get(SOCKET), "VY3zFdQS+joMY/bscfqtQpBE3Jk="),
    "F socket with a slash": (get(SOCKET), "vYVrlyXVSR7v0OSajFegZKNUEZE="),
    "G no port": (post(HOOK, CALL), "AtvzZ350HMYAIKJjJrL3bPXiHeA="),
    "G no port, signed with": (post(HOOK, CALL), "LswOVOHo1LOGFE5vAvD5mhkdy60="),
    "G port 443": (
        post("https://voice.example.com:443/hook", CALL),
        "LswOVOHo1LOGFE5vAvD5mhkdy60=",
    ),
    "G port 8443": (
        post("https://voice.example.com:8443/hook", CALL),
        "Mj5fG8+jI3MRwFzVml91liQ99AI=",
    ),
    "G port 8443, signed without": (
        post("https://voice.example.com:8443/hook", CALL),
        "AtvzZ350HMYAIKJjJrL3bPXiHeA=",
    ),
    "G http": (post("http://voice.example.com/hook", CALL), "f4OedzkMSc8x2y96mxE2DzTuFlo="),
    "G http port 8080": (
        post("http://voice.example.com:8080/hook", CALL),
        "zm6PP8bqzoDEfEMgYNjiF7sVGZQ=",
    ),
    "H repeated": (post(HOOK, REPEATED), "VwTTsVI0CtlVVznObtOWVMv25wQ="),
    "J order": (
        post(HOOK, [("b", "1"), ("A", "2"), ("a", "3"), ("B", "4")]),
        "+/8bmgLSCPNm5RfLsYWRiyHg+iI=",
    ),
    "K nothing": (get(HOOK), "LihHgPLbKPcE0daAG+Z1QxzUBxs="),
    "K user and password": (
        get("https://user:pw@voice.example.com/hook"),
        "LihHgPLbKPcE0daAG+Z1QxzUBxs=",
    ),
}


def test_documented_example() -> None:
    """Vector A: the one of Twilio's documentation."""
    request = post("https://example.com/myapp.php?foo=1&bar=2", EXAMPLE)
    assert verify(request, "L/OH5YylLD5NRKLltdqwSvS0BnU=", {"account_token": "12345"})


@pytest.mark.parametrize("name", VECTORS)
def test_vector(name: str) -> None:
    """What Twilio's library computes for the wire's quirks."""
    request, signature = VECTORS[name]
    assert verify(request, signature)


def test_shared_key() -> None:
    """Vector I: signed with a SharedKey; the token plays no part then."""
    signature = "8Ww9KMjVh/l9P3HPrsDzp0XNGoWBXtt0wX+KhB+Ml1A="
    secrets = SECRETS | {"shared_key": "sharedkeysecret"}
    for settings in (SHARED, SHARED.lower(), "algorithm = HMAC_SHA256"):
        assert verify(post(HOOK, CALL), signature, secrets, settings)
    with pytest.raises(Forged):
        verify(post(HOOK, CALL), "AtvzZ350HMYAIKJjJrL3bPXiHeA=", secrets, SHARED)


def test_https_of_a_socket() -> None:
    """A socket's address is signed as wss: the https one is somebody else's mistake."""
    with pytest.raises(Forged):
        verify(get(SOCKET), "PldJyoxRZQhPAujYgOAAlfRICzE=")


@pytest.mark.parametrize(
    "url",
    [
        HOOK,
        f"{HOOK}?x-api-key=rpd-1&b=%20+",
        "https://voice.example.com:8443/hook",
        "http://[::1]:8080/hook",
        f"{SOCKET}",
    ],
)
@pytest.mark.parametrize("fields", [{}, CALL, {"From": "+1", "Name": "Zoë <a&b>", "Empty": ""}])
def test_library_signs(url: str, fields: dict[str, str]) -> None:
    """What Twilio's library signs is accepted: form or GET, any port, UTF-8."""
    signature = RequestValidator(TOKEN).compute_signature(url, fields)
    request = post(url, fields) if fields else get(url)
    assert verify(request, signature)


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8"), min_size=1),
        st.text(st.characters(codec="utf-8")),
        max_size=8,
    )
)
def test_any_fields(fields: dict[str, str]) -> None:
    """Whatever the fields, the library and we sign the same."""
    assert verify(post(HOOK, fields), RequestValidator(TOKEN).compute_signature(HOOK, fields))


def test_alias() -> None:
    """The token may be stored under Twilio's own name."""
    assert verify(post(HOOK, CALL), "AtvzZ350HMYAIKJjJrL3bPXiHeA=", {"auth_token": TOKEN})


@pytest.mark.parametrize("secrets", [{}, {"account_token": ""}, {"shared_key": "s"}])
def test_nothing_to_check_with(secrets: dict[str, str]) -> None:
    """Without the secret of that kind a signature proves nothing, and is not wrong either."""
    assert verify(post(HOOK, CALL), "x", secrets) is False


def test_unsigned() -> None:
    """No header, or an empty one: not proven."""
    assert TWILIO.verify(post(HOOK, CALL), SECRETS, 0.0) is False
    assert verify(post(HOOK, CALL), " ") is False


FORGERIES = {
    "nonsense": (post(HOOK, CALL), "nonsense"),
    "not ASCII": (post(HOOK, CALL), "\udcff\u20ac"),
    "another field": (post(HOOK, {**CALL, "From": "+1"}), "AtvzZ350HMYAIKJjJrL3bPXiHeA="),
    "another host": (post("https://evil.example.com/hook", CALL), "AtvzZ350HMYAIKJjJrL3bPXiHeA="),
    "another query": (post(f"{HOOK}?a=1", CALL), "AtvzZ350HMYAIKJjJrL3bPXiHeA="),
    "fields with a GET": (
        WebhookRequest(
            "GET",
            "/hook",
            headers={"content-type": "application/x-www-form-urlencoded"},
            body=b"From=%2B1",
            url=HOOK,
        ),
        "LihHgPLbKPcE0daAG+Z1QxzUBxs=",
    ),
    "a body that nothing covers": (post_json(HOOK, JSON), "LihHgPLbKPcE0daAG+Z1QxzUBxs="),
    "another body": (
        post_json(f"{HOOK}?bodySHA256={JSON_HASH}", JSON + b" "),
        "8VhCAZBvEreJ/FXps0/yf1uIx9Q=",
    ),
    "no body": (get(f"{HOOK}?bodySHA256={JSON_HASH}"), "8VhCAZBvEreJ/FXps0/yf1uIx9Q="),
    "no address": (WebhookRequest("GET", "/"), "x"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forged(name: str) -> None:
    """A signature of something else is worse than none."""
    request, signature = FORGERIES[name]
    with pytest.raises(Forged):
        verify(request, signature)


def test_flood() -> None:
    """A thousand fields are not sorted and hashed for a stranger."""
    with pytest.raises(Forged, match="more than 200 fields"):
        verify(post(HOOK, [("a", str(number)) for number in range(1000)]), "x")


@pytest.mark.parametrize("settings", ["key=k,algorithm=HMAC_MD5", "algorithm=none"])
def test_unknown_algorithm(settings: str) -> None:
    """What we cannot check is not let in."""
    with pytest.raises(Forged):
        verify(post(HOOK, CALL), "x", settings=settings)


def test_settings_without_algorithm() -> None:
    """The signature of old, with the token."""
    assert verify(post(HOOK, CALL), "AtvzZ350HMYAIKJjJrL3bPXiHeA=", settings="key=k")


def test_names_alone() -> None:
    """The error tells the names of the fields, for what was added on the way; no value."""
    fields = {"From": "+15550100001", "CallToken": "secret", "bad\nname": "x"}
    with pytest.raises(Forged) as caught:
        verify(post(f"{HOOK}?x-api-key=rpd-1", fields), "x")
    told = str(caught.value)
    assert "CallToken, From, badname" in told
    for value in ("+1555", "secret", TOKEN, "rpd-1"):
        assert value not in told
