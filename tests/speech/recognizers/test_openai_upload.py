"""OpenAI's transcriptions by upload: forms, answers, and their fake."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.account import Account
from rapida_tw.errors import MisconfiguredAssistant, RemoteProtocolError
from rapida_tw.options import read
from rapida_tw.sim.vendors.openai_transcription import Mistake, _check, _form, _recording
from rapida_tw.speech.base import Host
from rapida_tw.speech.recognizers.openai_upload import (
    CompatibleRecognizerProvider,
    GroqRecognizerProvider,
    OpenAIRecognizerProvider,
    UploadOptions,
    UploadTranscriber,
)
from rapida_tw.speech.recognizers.utterance import wav
from rapida_tw.speech.recognizers.wire import Complaint, Final, Partial
from rapida_tw.speech.scripted import hum
from tests.speech.recognizers.pair import asked

KEY = "openai-key"
RECORDING = wav(hum(0.5).astype("<i2").tobytes(), 16_000)
WHISPER = {"model": "whisper-1"}


def transcriber(**options: Any) -> UploadTranscriber:
    chosen = read(UploadOptions, options, "listen.", "OpenAI")
    return UploadTranscriber(chosen, "https://api.openai.com", KEY)


def sent(**options: Any) -> dict[str, list[str]]:
    """The form's fields, as the strict fake reads them."""
    fields, file = _form(asked(transcriber(**options).request(RECORDING)))
    assert file == RECORDING
    _check(fields)
    return fields


def heard(*pieces: str, **options: Any) -> list[Any]:
    """What is understood of a body, its final words last."""
    reader = transcriber(**options).reader()
    told: list[Any] = []
    for piece in pieces:
        told += reader.feed(piece.encode())
    return [*told, reader.finish()]


# -- what is asked for ------------------------------------------------------------------------


def test_request() -> None:
    """A form with the recording; the key is in a header."""
    request = transcriber().request(RECORDING)
    assert (request.method, request.url) == (
        "POST",
        "https://api.openai.com/v1/audio/transcriptions",
    )
    assert request.headers["Authorization"] == "Bearer openai-key"
    assert KEY not in repr(request)


def test_fields() -> None:
    """What every model wants; regions of languages it does not."""
    assert sent() == {
        "model": ["gpt-4o-mini-transcribe"],
        "language": ["en"],
        "response_format": ["json"],
        "include[]": ["logprobs"],
    }
    assert "language" not in sent(language="auto")


def test_options() -> None:
    """Each option is a field; words worth boosting are part of the prompt."""
    fields = sent(
        language="de-AT",
        prompt="A hotel.",
        keyword="Rapida, SIP",
        temperature="0.2",
        stream="true",
    )
    assert fields["language"] == ["de"]
    assert fields["prompt"] == ["A hotel. Rapida, SIP"]
    assert (fields["temperature"], fields["stream"]) == (["0.2"], ["true"])


def test_models() -> None:
    """Each family is asked for what it has."""
    assert sent(**WHISPER)["response_format"] == ["verbose_json"]
    assert "include[]" not in sent(**WHISPER)
    newer = sent(model="gpt-transcribe", keyword=["Rapida", "SIP"], prompt="A hotel.")
    assert newer["languages[]"] == ["en"]
    assert newer["keywords[]"] == ["Rapida", "SIP"]
    assert newer["prompt"] == ["A hotel."]
    diarizing = sent(model="gpt-4o-transcribe-diarize", prompt="A hotel.")
    assert diarizing.keys() == {"model", "language", "response_format"}


@pytest.mark.parametrize("options", [{"model": ""}, {"threshold": 2}, {"temperature": -1}])
def test_bad_options(host: Host, options: dict[str, Any]) -> None:
    """What cannot be is told before there is a call."""
    with pytest.raises(MisconfiguredAssistant, match="OpenAI"):
        OpenAIRecognizerProvider(host).open(options, Account("openai", {"key": KEY}))


def test_servers(host: Host) -> None:
    """Each has its own address and model; a version in a base URL is not doubled."""

    def asked_of(provider: Any, **fields: str) -> tuple[str, str]:
        made = provider.transcriber(provider.options(), Account("x", fields))
        request = made.request(RECORDING)
        return request.url, _form(asked(request))[0]["model"][0]

    path = "/v1/audio/transcriptions"
    assert asked_of(GroqRecognizerProvider(host), key=KEY) == (
        f"https://api.groq.com/openai{path}",
        "whisper-large-v3-turbo",
    )
    own = CompatibleRecognizerProvider(host)
    for base in ("http://10.0.0.1:8000", "http://10.0.0.1:8000/v1", "http://10.0.0.1:8000/v1/"):
        assert asked_of(own, base_url=base) == (f"http://10.0.0.1:8000{path}", "whisper-1")


def test_own_server(host: Host) -> None:
    """One's own server needs an address and no key."""
    own = CompatibleRecognizerProvider(host)
    made = own.transcriber(own.options(), Account("x", {"url": "http://10.0.0.1"}))
    assert "Authorization" not in made.request(RECORDING).headers
    with pytest.raises(MisconfiguredAssistant, match="needs a base_url"):
        own.open({}, Account("openai-compatible", {"key": KEY}))


# -- what is answered -------------------------------------------------------------------------


def test_words() -> None:
    """The text, and how sure it is of its tokens."""
    body = json.dumps({"text": " Hello. ", "logprobs": [{"logprob": -0.1}, {"logprob": -0.3}]})
    (final,) = heard(body[:5], body[5:])
    assert final == Final("Hello.", pytest.approx(0.8187, abs=1e-4))
    assert heard('{"text": "Hello."}') == [Final("Hello.", 1.0)]


def test_nobody_spoke() -> None:
    """Whisper's words do not count when it thinks itself that nobody spoke."""
    quiet = {"no_speech_prob": 0.9, "avg_logprob": -0.5}
    voice = {"no_speech_prob": 0.1, "avg_logprob": -0.5}
    hallucinated = json.dumps({"text": "Thank you.", "segments": [quiet]})
    assert heard(hallucinated, **WHISPER) == [Final("", 0.0)]
    (final,) = heard(json.dumps({"text": "Yes.", "segments": [voice, quiet]}), **WHISPER)
    assert final == Final("Yes.", pytest.approx(0.6065, abs=1e-4))
    assert heard(hallucinated, threshold=1.0, **WHISPER)[0].text == "Thank you."


def events(*all: Any) -> str:
    return "".join(f"data: {json.dumps(event)}\n\n" for event in all)


DELTAS = [{"type": "transcript.text.delta", "delta": delta} for delta in ("Hel", "lo", " you")]
DONE = {"type": "transcript.text.done", "text": "Hello you"}


def test_stream() -> None:
    """Words while they are found, wherever the stream is cut."""
    body = events({"type": "weather"}, *DELTAS, DONE) + "data: [DONE]\n\n"
    told = [*(Partial(text) for text in ("Hel", "Hello", "Hello you")), Final("Hello you", 1.0)]
    for cut in range(len(body)):
        assert heard(body[:cut], body[cut:], stream=True) == told


def test_stream_that_is_none() -> None:
    """A server that does not stream answers as ever."""
    assert heard("\n", '{"text"', ': "Hello"}', stream=True) == [Final("Hello", 1.0)]


def test_stream_that_fails() -> None:
    """An error in mid-stream is one."""
    reader = transcriber(stream=True).reader()
    error = events({"error": {"message": "overloaded", "type": "server_error"}})
    assert reader.feed(error.encode()) == [Complaint("overloaded")]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("body", ["", "<html>", "[]", "{}", '{"text": 1}', events(*DELTAS)])
def test_no_answer(body: str, stream: bool) -> None:
    """What is no answer, or not a whole one."""
    with pytest.raises(RemoteProtocolError):
        heard(body, stream=stream)


@pytest.mark.parametrize("stream", [False, True])
def test_endless(stream: bool) -> None:
    """An answer that never ends does not fill the memory."""
    piece = events({"type": "transcript.text.delta", "delta": "a" * 9000})
    with pytest.raises(RemoteProtocolError):
        heard(*[piece] * 100, stream=stream)


@given(st.lists(st.binary(max_size=50) | st.sampled_from([b"data: {", b"{", b"}\n\n"]), max_size=6))
def test_any_body(pieces: list[bytes]) -> None:
    """Whatever comes is understood, or is a RemoteProtocolError."""
    for stream in (False, True):
        reader = transcriber(stream=stream).reader()
        with suppress(RemoteProtocolError):
            for piece in pieces:
                reader.feed(piece)
            reader.finish()


@pytest.mark.parametrize(
    ("status", "code", "again"),
    [
        (400, "", False),
        (401, "invalid_api_key", False),
        (429, "rate_limit_exceeded", True),
        (429, "insufficient_quota", False),
        (503, "", True),
    ],
)
def test_refused(status: int, code: str, again: bool) -> None:
    """An empty account stays so, although it is answered like haste."""
    body = json.dumps({"error": {"message": "Not now.", "type": code, "param": None, "code": code}})
    assert transcriber().refused(status, body) == Complaint(
        f"refused: HTTP {status}, Not now.", retryable=again
    )


# -- the fake ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"model": ["gpt-9"]},
        {"model": ["gpt-4o-transcribe"], "response_format": ["verbose_json"]},
        {"model": ["whisper-1"], "include[]": ["logprobs"]},
        {"model": ["gpt-4o-transcribe"], "keywords[]": ["a"]},
        {"model": ["gpt-4o-transcribe-diarize"], "prompt": ["a"]},
        {"model": ["whisper-1"], "language": ["en-US"]},
        {"model": ["whisper-1"], "temperature": ["hot"]},
        {"model": ["whisper-1"], "colour": ["blue"]},
    ],
)
def test_fake_refuses(wrong: dict[str, list[str]]) -> None:
    """What OpenAI would refuse."""
    with pytest.raises(Mistake):
        _check(wrong)


@pytest.mark.parametrize(
    "file", [b"", b"RIFF", wav(hum(0.05).astype("<i2").tobytes(), 16_000), bytes(26 * 1024 * 1024)]
)
def test_fake_refuses_files(file: bytes) -> None:
    """What is no recording, too short, or too large."""
    with pytest.raises(Mistake):
        _recording(file)
