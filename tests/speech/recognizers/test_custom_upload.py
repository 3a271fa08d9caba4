"""A recogniser by rules that is sent recordings: its request, its answers, its mistakes."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from rapida_tw.account import Account
from rapida_tw.errors import MisconfiguredAssistant, RemoteProtocolError
from rapida_tw.options import read
from rapida_tw.speech.base import Host
from rapida_tw.speech.recognizers.custom import CustomOptions, CustomRecognizerProvider
from rapida_tw.speech.recognizers.transcriber import Transcriber
from rapida_tw.speech.recognizers.wire import Final
from rapida_tw.speech.wav import wav

FIELDS = {
    "baseUrl": "https://ear.example/hear",
    "apiCompatibility": "http_v1",
    "headers": '{"X-Key": "a-key"}',
}
BODY = {
    "file": {"$var": "packet.audio.wav_base64"},
    "pcm": {"$var": "packet.audio.pcm_base64"},
    "lang": {"$var": "config.language"},
}
REQUESTS: list[Any] = [{"when": {"packet": "audio"}, "send": {"body": BODY}}]
RESPONSES: list[Any] = [
    {"when": {"path": "guess"}, "emit": {"script": {"$path": "guess"}, "interim": True}},
    {
        "when": {"path": "text"},
        "emit": {"script": {"$path": "text"}, "confidence": {"$path": "sure"}},
    },
    {"when": {"path": "fault"}, "emit": {"error": {"$path": "fault"}}},
]
RECORDING = wav(bytes(range(64)), 16_000)


def transcriber(fields: dict[str, str] = FIELDS, **options: Any) -> Transcriber:
    provider = CustomRecognizerProvider(Host(Clock(), Path()))
    rules = {"request_rules": REQUESTS, "response_rules": RESPONSES}
    chosen = read(CustomOptions, {**rules, **options}, "listen.", "custom")
    return provider._transcriber(chosen, Account("custom", fields))


def answer(body: bytes) -> Final:
    reader = transcriber().reader()
    assert [*reader.feed(body[:5]), *reader.feed(body[5:])] == []
    return reader.finish()


def test_request() -> None:
    """The rule's body, with the recording and its samples alone; the key is in a header."""
    request = transcriber(query_params={"v": 1}).request(RECORDING)
    assert (request.method, request.url) == ("POST", "https://ear.example/hear?v=1")
    assert request.headers == {"Content-Type": "application/json", "X-Key": "a-key"}
    body = json.loads(request.body)
    assert b64decode(body["file"]) == RECORDING
    assert b64decode(body["pcm"]) == bytes(range(64))
    assert body["lang"] == "en-US"


def test_answer() -> None:
    """The last words that are not interim; how sure they are."""
    assert answer(b'{"guess":"hi","text":"hello","sure":0.5}') == Final("hello", 0.5)


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"guess":"hi"}', b'{"fault":"no"}'])
def test_no_answer(body: bytes) -> None:
    """Without words, or with an error of its own."""
    with pytest.raises(RemoteProtocolError):
        answer(body)


@given(
    st.binary(max_size=40) | st.text(max_size=20).map(lambda it: json.dumps({"text": it}).encode())
)
def test_any_answer(body: bytes) -> None:
    """Never another exception than RemoteProtocolError."""
    try:
        answer(body)
    except RemoteProtocolError:
        return


@pytest.mark.parametrize(("status", "retryable"), [(400, False), (401, False), (503, True)])
def test_refused(status: int, retryable: bool) -> None:
    """Its reason in its own words, and whether another moment may do."""
    complaint = transcriber().refused(status, '{"error":"no"}')
    assert (complaint.reason, complaint.retryable) == (f"HTTP {status}: no", retryable)


@pytest.mark.parametrize(
    ("fields", "options", "sentence"),
    [
        ({**FIELDS, "baseUrl": "wss://ear.example"}, {}, "begins with https://"),
        (FIELDS, {"audio.sample_rate": "8000"}, "audio is LINEAR16 at 16000"),
        (FIELDS, {"audio.encoding": "MuLaw8"}, "audio is LINEAR16 at 16000"),
        (FIELDS, {"request_rules": []}, "needs one request rule for audio"),
        (
            FIELDS,
            {
                "request_rules": [
                    {"when": {"packet": "audio"}, "send": {"body": {"$var": "packet.text"}}}
                ]
            },
            "there is no variable packet.text",
        ),
    ],
)
def test_misconfigured(fields: dict[str, str], options: dict[str, Any], sentence: str) -> None:
    """What cannot be carried out is found before a call."""
    with pytest.raises(MisconfiguredAssistant, match=sentence):
        transcriber(fields, **options)
