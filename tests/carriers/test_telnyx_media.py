"""The messages of a Telnyx stream, both ways."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

import pytest

from rapida_tw.audio.format import AudioFormat, Encoding
from rapida_tw.audio.g711 import ALAW, MULAW
from rapida_tw.carriers.base import Audio, Complaint, Digit, MarkHeard, Started, Stopped
from rapida_tw.carriers.telnyx import TELNYX, TelnyxMedia
from rapida_tw.errors import REMOTE_HANGUP, NotSupported, RemoteProtocolError
from tests.carriers.asking import get, stream

CONTROL = "v3:T02llQxIyaRkhfRKxgAP8nY511EhFLizdvdUKJiSw8d6A9BborherQ"
_, START, MEDIA, DTMF, MARK, ERROR, STOP = stream("telnyx")
FRAME = bytes(range(160))


def started(media_format: dict[str, Any] | None = None) -> TelnyxMedia:
    wire = TelnyxMedia()
    value = json.loads(START)
    if media_format is not None:
        value["start"]["media_format"] = media_format
    wire.received(json.dumps(value).encode(), False)
    return wire


def media(**fields: Any) -> bytes:
    value = json.loads(MEDIA)
    value["media"].update(fields)
    return json.dumps(value).encode()


def sent(messages: Any) -> list[Any]:
    assert not any(message.binary for message in messages)
    return [json.loads(message.payload) for message in messages]


def test_whole_stream() -> None:
    """One message of each kind, as Telnyx documents them."""
    wire = TELNYX.media(get("wss://voice.example.com/"), {})
    lines = stream("telnyx")
    assert not wire.received(lines[0], False)
    assert wire.received(START, False) == (Started(CONTROL),)
    assert wire.format == AudioFormat(Encoding.MULAW, 8_000, continuous=False, lead=5)
    wire.mark("x")
    events = [one for line in lines[2:] for one in wire.received(line, False)]
    assert events == [
        Audio(FRAME),
        Digit("1"),
        MarkHeard("x"),
        Complaint("100004 invalid_media not base64"),
        Stopped(REMOTE_HANGUP),
    ]


@pytest.mark.parametrize(
    ("codec", "rate", "encoding"),
    [
        ("PCMU", 8000, Encoding.MULAW),
        ("PCMA", 8000, Encoding.ALAW),
        ("L16", 16000, Encoding.LINEAR16),
    ],
)
def test_formats(codec: str, rate: int, encoding: Encoding) -> None:
    """The start says how the caller sounds."""
    wire = started({"encoding": codec, "sample_rate": rate, "channels": 1})
    assert wire.format == AudioFormat(encoding, rate, continuous=False, lead=5)


@pytest.mark.parametrize(
    "media_format",
    [
        {"encoding": "G722", "sample_rate": 8000},
        {"encoding": "PCMU", "sample_rate": 16000},
        {"encoding": "OPUS", "sample_rate": 48000},
        {"encoding": "PCMU"},
        {},
    ],
)
def test_other_formats(media_format: dict[str, Any]) -> None:
    """What we cannot decode does not begin."""
    with pytest.raises(RemoteProtocolError):
        started(media_format)


def test_out_of_order() -> None:
    """Audio is put in its order by its chunk."""
    wire = started()
    arrived = (2, 4, 3, 5)
    payloads = {chunk: bytes((chunk,)) * 160 for chunk in arrived}
    events = [
        event
        for chunk in arrived
        for event in wire.received(
            media(chunk=str(chunk), payload=b64encode(payloads[chunk]).decode()), False
        )
    ]
    assert events == [Audio(payloads[chunk]) for chunk in sorted(arrived)]


def test_rest_at_the_end() -> None:
    """What waited for a missing one is heard before the end."""
    wire = started()
    wire.received(media(chunk="1"), False)
    assert not wire.received(media(chunk="3"), False)
    assert wire.received(STOP, False) == [Audio(FRAME), Stopped(REMOTE_HANGUP)]


def test_commands() -> None:
    """Telnyx asks for no stream's id."""
    wire = started()
    payload = b64encode(FRAME).decode()
    assert sent(wire.audio(FRAME)) == [{"event": "media", "media": {"payload": payload}}]
    assert sent(wire.mark("x")) == [{"event": "mark", "mark": {"name": "x"}}]
    assert sent(wire.clear()) == [{"event": "clear"}]
    assert wire.hang_up() == ()
    with pytest.raises(NotSupported):
        wire.digits("1")


def test_recoded() -> None:
    """On a line of A-law that Telnyx did not recode, what we send is µ-law, as we asked for."""
    wire = started({"encoding": "PCMA", "sample_rate": 8000})
    codes = bytes(range(256))
    (message,) = sent(wire.audio(codes))
    spoken = ALAW.decode(codes).astype(int)
    heard = MULAW.decode(b64decode(message["media"]["payload"])).astype(int)
    assert (abs(heard - spoken) <= abs(spoken) // 32).all()  # half a step of µ-law


def test_not_recoded() -> None:
    """Linear audio goes as it is."""
    wire = started({"encoding": "L16", "sample_rate": 16000})
    (message,) = sent(wire.audio(b"\1\2" * 320))
    assert b64decode(message["media"]["payload"]) == b"\1\2" * 320


def test_mark_cleared() -> None:
    """Telnyx returns cleared marks at once: they were not heard."""
    wire = started()
    wire.mark("x")
    wire.clear()
    assert not wire.received(MARK, False)


@pytest.mark.parametrize("message", [MEDIA, DTMF, MARK, STOP, b'{"event":"start"}'])
def test_no_start(message: bytes) -> None:
    """What is of a stream needs the start before it."""
    with pytest.raises(RemoteProtocolError):
        TelnyxMedia().received(message, False)


@pytest.mark.parametrize(
    "message",
    [
        START,
        MEDIA.replace(b"32DE0DEA", b"00000000"),
        media(chunk=None),
        media(chunk="-1"),
        media(chunk="9" * 100),
        media(chunk="²"),
        media(payload="AAA"),
        ERROR.replace(b'"payload"', b'"other"'),
        DTMF.replace(b'"digit":"1"', b'"digit":"x"'),
        b"[]",
    ],
)
def test_malformed(message: bytes) -> None:
    """Each is an error, and the stream goes on after it."""
    wire = started()
    with pytest.raises(RemoteProtocolError):
        wire.received(message, False)
    assert wire.received(MEDIA, False) == [Audio(FRAME)]


def test_half_a_sample() -> None:
    """Linear audio of an odd number of bytes would shift all that follows."""
    wire = started({"encoding": "L16", "sample_rate": 16000})
    with pytest.raises(RemoteProtocolError, match="half"):
        wire.received(media(payload="AAAA"), False)


def test_not_heard() -> None:
    """The assistant's own voice, and no audio at all."""
    for message in (media(track="outbound"), media(payload="")):
        assert not started().received(message, False)


def test_complaint() -> None:
    """Telnyx's words, bounded and printable."""
    value = {"event": "error", "payload": {"title": "bad\n" + "x" * 500, "code": 100003}}
    (event,) = started().received(json.dumps(value).encode(), False)
    assert isinstance(event, Complaint)
    assert event.text.startswith("100003 badxxx")
    assert len(event.text) < 220
