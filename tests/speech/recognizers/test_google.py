"""Google Speech-to-Text: its messages, its streams that end, and its fake."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from rapida_tw.account import Account
from rapida_tw.audio.format import Encoding
from rapida_tw.errors import MisconfiguredAssistant, RemoteProtocolError
from rapida_tw.net.base import Nowhere
from rapida_tw.net.google_token import GoogleKey, GoogleTokens
from rapida_tw.sim.vendors import google_speech_pb2 as vendor
from rapida_tw.sim.vendors.base import Asked
from rapida_tw.sim.vendors.google_speech import GoogleSession, GoogleSpeech
from rapida_tw.sim.vendors.google_token import TokenServer
from rapida_tw.sim.vendors.rpc import RpcRefusal
from rapida_tw.speech.base import Host
from rapida_tw.speech.recognizers.google import GoogleOptions, GoogleRecognizerProvider, GoogleWire
from rapida_tw.speech.recognizers.wire import Complaint, Final, Partial, SpeechStarted
from tests.contracts.recognizer_case import Call
from tests.contracts.recognizer_fakes import KEY

NAME = "google-speech-service"
BASE = "https://speech.googleapis.com"


def wire(**options: Any) -> GoogleWire:
    tokens = GoogleTokens(Nowhere(), Clock(), lambda: 0.0)
    return GoogleWire(replace(GoogleOptions(), **options), BASE, GoogleKey("p", "k"), tokens)


def first(**options: Any) -> vendor.Request:
    """The stream's first message, as Google reads it."""
    (frame,) = wire(**options).hello()
    return vendor.Request.FromString(frame.payload)


def told(**fields: Any) -> bytes:
    """A message of Google's."""
    return vendor.Response(**fields).SerializeToString()


def result(text: str, final: bool = False, confidence: float = 0.0) -> vendor.Result:
    best = vendor.Alternative(transcript=text, confidence=confidence)
    return vendor.Result(alternatives=[best], is_final=final)


# -- what it says ----------------------------------------------------------------------------------


def test_first_message() -> None:
    """Place, form of the audio, model and languages, and nothing to be heard yet."""
    request = first(language=("de-DE", "en-US"), region="eu", model="chirp_2")
    config = request.streaming_config.config
    assert request.recognizer == "projects/p/locations/eu/recognizers/_"
    assert not request.HasField("audio")
    assert (config.model, list(config.language_codes)) == ("chirp_2", ["de-DE", "en-US"])
    decoding = config.explicit_decoding_config
    form = decoding.encoding, decoding.sample_rate_hertz, decoding.audio_channel_count
    assert form == (1, 16_000, 1)
    assert config.features.enable_automatic_punctuation
    assert request.streaming_config.streaming_features.interim_results


def test_telephone() -> None:
    """The carrier's own bytes are taken as they are."""
    google = wire(audio_encoding="mulaw", audio_sample_rate=8_000)
    assert (google.encoding, google.rate) == (Encoding.MULAW, 8_000)
    decoding = first(audio_encoding="mulaw", audio_sample_rate=8_000)
    assert decoding.streaming_config.config.explicit_decoding_config.encoding == 2
    assert len(vendor.Request.FromString(google.keep_alive()[0].payload).audio) == 800


def test_features() -> None:
    """What may be wished for."""
    request = first(
        endpointing_sensitivity="supershort",
        vad_events=True,
        profanity_filter=True,
        punctuate=False,
        keyword=("Rapida:15", "Twisted"),
    )
    features = request.streaming_config.streaming_features
    assert (features.endpointing_sensitivity, features.enable_voice_activity_events) == (2, True)
    config = request.streaming_config.config
    assert config.features.profanity_filter
    assert not config.features.enable_automatic_punctuation
    (choice,) = config.adaptation.phrase_sets
    phrases = [(phrase.value, phrase.boost) for phrase in choice.inline_phrase_set.phrases]
    assert phrases == [("Rapida", 15.0), ("Twisted", 0.0)]


def test_audio() -> None:
    """A message of nothing else."""
    request = vendor.Request.FromString(wire().audio(b"\1\2").payload)
    assert (request.audio, request.recognizer) == (b"\1\2", "")
    assert not request.HasField("streaming_config")


def test_address() -> None:
    """The method's path, and who asks."""
    seen: list[Any] = []
    wire().address(Nowhere()).addCallback(seen.append)
    assert seen[0].url == f"{BASE}/google.cloud.speech.v2.Speech/StreamingRecognize"
    assert seen[0].headers == {"x-goog-api-key": "k"}


# -- what it understands ---------------------------------------------------------------------------


def test_interim() -> None:
    """A stable beginning and what may still change are one text."""
    message = told(results=[result("book a"), result(" table for")])
    assert wire().received(message, True) == [Partial("book a table for")]


def test_final() -> None:
    """Words with their confidence; what follows an earlier final begins with a blank."""
    google = wire()
    message = told(results=[result(" Book a table.", True, 0.9)])
    (final,) = google.received(message, True)
    assert isinstance(final, Final)
    assert (final.text, round(final.confidence, 3)) == ("Book a table.", 0.9)
    assert google.received(told(results=[result("x", True)]), True) == [Final("x", 1.0)]
    both = told(results=[result("one", True), result("two")])
    assert google.received(both, True) == [Final("one", 1.0), Partial("two")]


def test_nothing() -> None:
    """Results without words, and kinds that are not ours."""
    google = wire()
    assert google.received(told(results=[result("", True)]), True) == [Partial("")]
    assert google.received(told(results=[vendor.Result(is_final=True)]), True) == [Partial("")]
    assert google.received(told(speech_event_type=3), True) == []
    assert google.received(b"\x9a\x06\x03new", True) == []


def test_threshold() -> None:
    """Words of which Google is not sure are not understood."""
    message = told(results=[result("mumble", True, 0.3)])
    assert wire(threshold=0.5).received(message, True) == [Partial("")]


def test_voice() -> None:
    """Its detector counts where it is asked for."""
    message = told(speech_event_type=2)
    assert wire().received(message, True) == []
    assert wire(vad_events=True).received(message, True) == [SpeechStarted()]


@given(st.binary(max_size=60))
def test_garbage(data: bytes) -> None:
    """Never another exception than RemoteProtocolError."""
    with suppress(RemoteProtocolError):
        wire().received(data, True)


def test_old_stream() -> None:
    """After four minutes it is replaced between two utterances, before the fifth in one."""
    google = wire()
    final, partial = told(results=[result("x", True)]), told(results=[result("x")])

    def complaints(minutes: float) -> tuple[int, int]:
        google._sent = round(minutes * 60 * 32_000)
        return tuple(  # type: ignore[return-value]
            sum(isinstance(event, Complaint) for event in google.received(message, True))
            for message in (final, partial)
        )

    assert complaints(3.9) == (0, 0)
    assert complaints(4.1) == (1, 0)
    assert complaints(4.9) == (1, 1)


@pytest.mark.parametrize(
    ("code", "retryable"),
    [(200, True), (416, True), (409, True), (429, True), (503, True), (400, False), (401, False)],
)
def test_closed(code: int, retryable: bool) -> None:
    """What another stream may mend."""
    complaint = wire().closed(code, "Google's words")
    assert (complaint.reason, complaint.retryable) == ("Google's words", retryable)
    assert str(code) in wire().closed(code, "").reason


# -- options and accounts --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"listen.model": ""},
        {"listen.language": ""},
        {"listen.language": "a,b,c,d"},
        {"listen.endpointing_sensitivity": "soon"},
        {"listen.audio.sample_rate": "44100"},
        {"listen.audio.encoding": "mp3"},
        {"listen.keyword": "Rapida:much"},
        {"listen.keyword": "Rapida:99"},
        {"listen.threshold": "2"},
        {"listen.region": "attacker.example/"},
    ],
)
def test_wrong_options(options: dict[str, str]) -> None:
    """Told before there is a call."""
    provider = GoogleRecognizerProvider(Host(Clock(), Path(), Nowhere()))
    account = Account(NAME, {"key": "k", "project_id": "p"})
    with pytest.raises(MisconfiguredAssistant, match="Google"):
        provider.open(options, account)


def test_no_project() -> None:
    """An API key does not say whose it is."""
    provider = GoogleRecognizerProvider(Host(Clock(), Path(), Nowhere()))
    with pytest.raises(MisconfiguredAssistant, match="project_id"):
        provider.open({}, Account(NAME, {"key": "k"}))


# -- whole streams ---------------------------------------------------------------------------------


def test_service_account() -> None:
    """A call by a service account, from the exchange to the words; one exchange for two calls."""
    fields = {"key": "", "service_account_key": TokenServer().service_account()}
    call = Call(NAME, "hello", **fields)
    call.account = Account(NAME, {"service_account_key": call.vendor.tokens.service_account()})
    call.recognizer = call.provider.open({}, call.account)
    call.start()
    call.utter()
    call.pause(1.0)
    other = call.provider.open({}, call.account)
    other.start(call.sink)
    call.wait(0.1)
    other.stop()
    assert call.sink.text == "hello"
    assert [asked.path for asked in call.net.asked].count("/token") == 1
    call.stop()
    call.close()


def test_four_minutes() -> None:
    """A caller who talks for longer than a stream may last loses no word."""
    call = Call(NAME, *(f"sentence number {n}" for n in range(60)))
    call.start()
    for _ in range(60):
        call.utter(2.0)
        call.pause(2.0)
    said = call.sink.text.split("sentence number ")
    assert [int(number) for number in said[1:]] == list(range(60))
    one, two = call.vendor.sessions
    assert 240 < one.seconds < 250
    assert two.seconds > 30
    assert call.sink.error is None
    call.stop()
    call.close()


def test_silence() -> None:
    """A caller who says nothing for so long is understood all the same afterwards."""
    call = Call(NAME, "hello")
    call.vendor.longest = 12.0
    call.start()
    call.pause(40.0)
    call.utter()
    call.pause(1.0)
    assert call.sink.text == "hello"
    assert len(call.vendor.sessions) == 4
    assert call.sink.error is None
    call.stop()
    call.close()


def test_prepared() -> None:
    """A stream that waits for its call is kept up by silence."""
    call = Call(NAME, "hello")
    call.recognizer.prepare()
    call.wait(18.0)
    call.start()
    call.utter()
    call.pause(1.0)
    assert call.sink.text == "hello"
    assert len(call.vendor.sessions) == 1
    call.stop()
    call.close()


# -- the fake --------------------------------------------------------------------------------------


class Line:
    """Keeps how it was ended."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.sent: list[bytes] = []
        self.ending: tuple[int, str] | None = None

    def send(self, message: bytes) -> None:
        self.sent.append(message)

    def end(self, status: int = 0, message: str = "") -> None:
        self.ending = self.ending or (status, message)

    def reset(self, code: int) -> None: ...
    def write(self, data: bytes) -> None: ...
    def go_away(self, last: bool = True) -> None: ...
    def drop(self) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...


def stream(line: Line) -> GoogleSession:
    headers = {"x-goog-api-key": KEY}
    path = "/google.cloud.speech.v2.Speech/StreamingRecognize"
    session = GoogleSpeech((), KEY).rpc(Asked("POST", path, {}, headers), line)
    assert isinstance(session, GoogleSession)
    return session


def changed(**changes: Any) -> bytes:
    """A first message that is right but for these."""
    request = first()
    config = request.streaming_config.config
    for name, value in changes.items():
        if name == "recognizer":
            request.recognizer = value
        elif name == "model":
            config.model = value
        elif name == "languages":
            del config.language_codes[:]
            config.language_codes.extend(value)
        else:
            setattr(config.explicit_decoding_config, name, value)
    return request.SerializeToString()


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (vendor.Request(audio=b"a").SerializeToString(), "first request"),
        (changed(recognizer="projects/p"), "Invalid resource"),
        (changed(model="shouting"), "does not exist"),
        (changed(languages=[]), "language codes"),
        (changed(audio_channel_count=3), "channel count"),
        (changed(sample_rate_hertz=1), "Sample rate"),
    ],
)
def test_wrong_first_messages(message: bytes, words: str) -> None:
    """What Google refuses the fake refuses, with Google's status."""
    line = Line()
    stream(line).received(message)
    assert line.ending is not None
    assert line.ending[0] == 3
    assert words in line.ending[1]
    assert line.clock.getDelayedCalls() == []


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (changed(), "Only the first"),
        (vendor.Request(audio=b"").SerializeToString(), "must not be empty"),
        (vendor.Request(audio=bytes(20_000)).SerializeToString(), "maximum"),
    ],
)
def test_wrong_audio(message: bytes, words: str) -> None:
    """So with what comes then."""
    line = Line()
    session = stream(line)
    session.received(changed())
    assert line.ending is None
    session.received(message)
    assert line.ending is not None
    assert words in line.ending[1]


def test_time() -> None:
    """It ends a stream without audio after ten seconds, and every stream after five minutes."""
    line = Line()
    stream(line).received(changed())
    line.clock.advance(10.1)
    assert line.ending is not None
    assert line.ending[0] == 10
    line = Line()
    session = stream(line)
    session.received(changed())
    for _ in range(62):
        session.received(vendor.Request(audio=bytes(3_200)).SerializeToString())
        line.clock.advance(5)
    assert line.ending == (11, "Max duration of 5 minutes reached for stream.")
    assert line.clock.getDelayedCalls() == []


def test_who_asks() -> None:
    """Another key, another token, another method."""
    fake = GoogleSpeech((), KEY)
    path = "/google.cloud.speech.v2.Speech/StreamingRecognize"
    for headers in ({}, {"x-goog-api-key": "x"}, {"authorization": "Bearer x"}):
        refusal = fake.rpc(Asked("POST", path, {}, headers), Line())
        assert isinstance(refusal, RpcRefusal)
        assert refusal.status == 16
    refusal = fake.rpc(Asked("POST", "/a.B/C", {}, {"x-goog-api-key": KEY}), Line())
    assert isinstance(refusal, RpcRefusal)
    assert refusal.status == 12
