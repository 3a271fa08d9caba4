"""AWS's own client understands our fake of Polly, and signs as we do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from rapida_tw.sim.vendors.speaking import MULAW, decode, understood
from rapida_tw.wire.aws_signature import Credentials, signed_headers
from tests.interop.vendors.fakes import fake

botocore = pytest.importorskip("botocore", reason="the package botocore is not installed")

SECRET = "polly-secret-of-a-test"
TEXT = "Hello, Bob: 1 + 1 = 2."
SPEECH = {"VoiceId": "Joanna", "OutputFormat": "mulaw", "SampleRate": "8000", "Engine": "neural"}


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with fake("polly", key=SECRET) as number:
        yield number


def client(port: int, secret: str = SECRET) -> Any:
    from botocore.config import Config
    from botocore.session import Session

    return Session().create_client(
        "polly",
        region_name="eu-west-1",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}),
    )


def test_spoken(port: int) -> None:
    """It reads the stream of sound."""
    answer = client(port).synthesize_speech(Text=TEXT, **SPEECH)
    assert answer["ContentType"] == "audio/mulaw"
    assert answer["RequestCharacters"] == len(TEXT)
    assert understood(decode(answer["AudioStream"].read(), MULAW), 8_000) == TEXT


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        ({"Text": "a" * 3001}, "TextLengthExceededException"),
        ({"SampleRate": "16000"}, "InvalidSampleRateException"),
        ({"Engine": "long-form"}, "EngineNotSupportedException"),
    ],
)
def test_refused(port: int, wrong: dict[str, str], kind: str) -> None:
    """It is told what is wrong, as its own server tells it."""
    speaking = client(port)
    with pytest.raises(getattr(speaking.exceptions, kind)):
        speaking.synthesize_speech(**{"Text": TEXT, **SPEECH, **wrong})


def test_wrong_secret(port: int) -> None:
    """A signature by another secret is none."""
    with pytest.raises(Exception, match="InvalidSignatureException"):
        client(port, "another").synthesize_speech(Text=TEXT, **SPEECH)


@pytest.mark.parametrize("token", ["", "a session's token"])
@pytest.mark.parametrize("path", ["", "/of/ours"])
def test_signature(token: str, path: str) -> None:
    """Ours is the one that AWS's client makes of the same request at the same moment."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials as Theirs

    url = f"https://polly.eu-west-1.amazonaws.com{path}/v1/speech"
    headers = {"Content-Type": "application/json"}
    request = AWSRequest("POST", url, dict(headers), b'{"Text":"x"}')
    signing = SigV4Auth(Theirs("AKIAEXAMPLE", SECRET, token or None), "polly", "eu-west-1")
    signing.add_auth(request)
    moment = datetime.strptime(f"{request.headers['X-Amz-Date']}+0000", "%Y%m%dT%H%M%SZ%z")
    ours = signed_headers(
        url,
        headers,
        b'{"Text":"x"}',
        Credentials("AKIAEXAMPLE", SECRET, token),
        "eu-west-1",
        "polly",
        moment.timestamp(),
    )
    assert ours == dict(request.headers.items())
