"""Amazon's own libraries read our events and events of our fake, and sign as we do.

Its client for Transcribe goes by HTTP/2; what it shares with the WebSocket are the event streams
and the signature.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from rapida_tw.sim.vendors.aws_recognizer import read, written
from rapida_tw.wire.aws_events import Message, decode
from rapida_tw.wire.aws_signature import Credentials, presigned

streams = pytest.importorskip(
    "amazon_transcribe.eventstream", reason="amazon-transcribe is not installed"
)
deserialize = pytest.importorskip("amazon_transcribe.deserialize", reason="as above")
auth = pytest.importorskip("awscrt.auth", reason="as above")
http = pytest.importorskip("awscrt.http", reason="as above")

HEADERS = {
    ":message-type": "event",
    ":event-type": "TranscriptEvent",
    ":content-type": "application/json",
}
BODY = (
    b'{"Transcript":{"Results":[{"ResultId":"1","IsPartial":false,"StartTime":0.1,"EndTime":0.9,'
    b'"Alternatives":[{"Transcript":"Yes.","Items":[{"Content":"Yes","Confidence":0.9}]}]}]}}'
)


def parsed(data: bytes) -> Any:
    buffer = streams.EventStreamBuffer()
    buffer.add_data(data)
    return next(iter(buffer))


@pytest.mark.parametrize("data", [Message(HEADERS, BODY).encode(), written(HEADERS, BODY)])
def test_events(data: bytes) -> None:
    """What we and our fake write is an event of a transcript."""
    event = parsed(data)
    assert event.headers == HEADERS
    transcript = deserialize.TranscribeStreamingEventParser().parse(event).transcript
    assert transcript.results[0].alternatives[0].transcript == "Yes."


def test_exception() -> None:
    """So is an exception of the fake's."""
    headers = {":message-type": "exception", ":exception-type": "BadRequestException"}
    parser = deserialize.TranscribeStreamingEventParser()
    with pytest.raises(Exception, match="wrong language"):
        parser.parse(parsed(written(headers, b'{"Message": "wrong language"}')))


def test_events_of_theirs() -> None:
    """And we and our fake read what they write."""
    headers = {":message-type": "event", ":event-type": "AudioEvent"}
    data = streams.EventStreamMessageSerializer().serialize(headers, b"\1\2")
    assert decode(data) == Message(headers, b"\1\2")
    assert read(data, True) == (headers, b"\1\2")


@pytest.mark.parametrize("token", ["", "a/session+token="])
def test_signature(token: str) -> None:
    """Ours is theirs, for the same moment."""
    query = {"language-code": "en-US", "sample-rate": "16000", "vocabulary-name": "a b"}
    base = "wss://transcribestreaming.eu-west-1.amazonaws.com:8443/stream-transcription-websocket"
    ours = presigned(
        base, query, Credentials("AKID", "secret", token), "eu-west-1", "transcribe", 1.7e9
    )
    asked = "&".join(f"{name}={value.replace(' ', '%20')}" for name, value in query.items())
    config = auth.AwsSigningConfig(
        algorithm=auth.AwsSigningAlgorithm.V4,
        signature_type=auth.AwsSignatureType.HTTP_REQUEST_QUERY_PARAMS,
        credentials_provider=auth.AwsCredentialsProvider.new_static(
            "AKID", "secret", token or None
        ),
        region="eu-west-1",
        service="transcribe",
        date=datetime.fromtimestamp(1.7e9, UTC),
        signed_body_value=auth.AwsSignedBodyValue.EMPTY_SHA256,
        expiration_in_seconds=300,
    )
    request = http.HttpRequest(
        "GET",
        f"{urlsplit(base).path}?{asked}",
        http.HttpHeaders([("host", urlsplit(base).netloc)]),
    )
    theirs = auth.aws_sign_request(request, config).result(10).path
    assert parse_qs(urlsplit(ours).query) == parse_qs(urlsplit(theirs).query)
