"""Google's own client understands our fake of its recogniser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from rapida_tw.net.google_token import SCOPE
from rapida_tw.sim.vendors.base import Asked
from rapida_tw.sim.vendors.google_token import TokenServer
from tests.interop.vendors.fakes import RATE, fake, pieces, silence, spoken

speech = pytest.importorskip(
    "google.cloud.speech_v2", reason="the package google-cloud-speech is not installed"
)
grpc = pytest.importorskip("grpc", reason="grpcio is not installed")

KEY = "google-key-of-a-test"
WITHIN = 20.0  # seconds


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    script = ["book a table", "for two"]
    with fake("google_speech", script=script, key=KEY) as number:
        yield number


def stream(port: int, audio: bytes, key: str = KEY, **changes: Any) -> list[Any]:
    """All that is answered."""
    from google.cloud.speech_v2.services.speech.transports import SpeechGrpcTransport

    config = speech.RecognitionConfig(
        explicit_decoding_config=speech.ExplicitDecodingConfig(
            encoding=speech.ExplicitDecodingConfig.AudioEncoding.LINEAR16,
            sample_rate_hertz=RATE,
            audio_channel_count=1,
        ),
        model=changes.get("model", "long"),
        language_codes=["en-US"],
        features=speech.RecognitionFeatures(enable_automatic_punctuation=True),
    )
    features = speech.StreamingRecognitionFeatures(
        interim_results=True, enable_voice_activity_events=True
    )

    def requests() -> Iterator[Any]:
        yield speech.StreamingRecognizeRequest(
            recognizer="projects/rapida-test/locations/global/recognizers/_",
            streaming_config=speech.StreamingRecognitionConfig(
                config=config, streaming_features=features
            ),
        )
        for piece in pieces(audio):
            yield speech.StreamingRecognizeRequest(audio=piece)

    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        client = speech.SpeechClient(transport=SpeechGrpcTransport(channel=channel))
        metadata = [("x-goog-api-key", key)]
        return list(
            client.streaming_recognize(requests=requests(), metadata=metadata, timeout=WITHIN)
        )


def test_words(port: int) -> None:
    """It hears words grow, both ends of the voice, and what is final."""
    sound = spoken(1.0) + silence(1.0)
    answers = stream(port, sound + sound)
    kind = speech.StreamingRecognizeResponse.SpeechEventType
    events = [answer.speech_event_type for answer in answers if answer.speech_event_type]
    assert events == [kind.SPEECH_ACTIVITY_BEGIN, kind.SPEECH_ACTIVITY_END] * 2
    results = [answer.results for answer in answers if answer.results]
    finals = [one[0] for one in results if one[0].is_final]
    assert [final.alternatives[0].transcript for final in finals] == ["Book a table.", "For two."]
    assert finals[0].alternatives[0].confidence > 0.5
    assert 0.9 < finals[0].result_end_offset.total_seconds() < 1.2
    interim = ["".join(r.alternatives[0].transcript for r in one) for one in results]
    assert interim[:3] == ["book", "book a", "book a table"]


def test_wrong_key(port: int) -> None:
    """It knows the fake's refusals for what they are."""
    exceptions = pytest.importorskip("google.api_core.exceptions")
    with pytest.raises(exceptions.Unauthenticated):
        stream(port, silence(0.1), key="wrong")


def test_wrong_model(port: int) -> None:
    """So with an option."""
    exceptions = pytest.importorskip("google.api_core.exceptions")
    with pytest.raises(exceptions.InvalidArgument, match="does not exist"):
        stream(port, silence(0.1), model="shouting")


def test_token() -> None:
    """Google's own way to a token is one that our fake of its token server knows."""
    service_account = pytest.importorskip("google.oauth2.service_account")
    server = TokenServer()
    info = json.loads(server.service_account())
    credentials = service_account.Credentials.from_service_account_info(info, scopes=[SCOPE])
    credentials.refresh(_asking(server))
    assert credentials.token == server.tokens[-1]
    assert credentials.valid


class _Answer:
    """As Google's library wants it, and a Reply."""

    clock: Any = None
    gone = False

    def __init__(self) -> None:
        self.status = 0
        self.data = b""
        self.headers: dict[str, str] = {}

    def whole(self, status: int, body: Any) -> None:
        self.status, self.data = status, json.dumps(body).encode()

    def head(self, status: int, headers: Any = None) -> None: ...
    def write(self, data: bytes) -> None: ...
    def end(self) -> None: ...
    def drop(self) -> None: ...


def _asking(server: TokenServer) -> Any:
    """A transport of Google's library that ends in the fake."""

    def ask(url: str, method: str, headers: dict[str, str], body: bytes, **more: Any) -> _Answer:
        answer = _Answer()
        named = {name.lower(): value for name, value in headers.items()}
        server.answer(Asked(method, urlsplit(url).path, {}, named, body), answer)
        return answer

    return ask
