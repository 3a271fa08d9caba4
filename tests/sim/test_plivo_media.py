from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest

from rapida_tw.audio.g711 import MULAW
from rapida_tw.sim.http import HttpAnswer
from rapida_tw.sim.plivo import PlivoCall, PlivoNumber
from rapida_tw.sim.plivo_media import PlivoMedia
from tests.sim.desk import RecordingDesk

SOUND = (np.arange(160, dtype="<i2") * 100).tobytes()
LAW = MULAW.encode(np.frombuffer(SOUND, "<i2").astype(np.int16))
MULAW_8K = {"contentType": "audio/x-mulaw", "sampleRate": 8000}
CHECKPOINT = {"event": "checkpoint", "streamId": "s", "name": "m"}


def media(encoding: str = "audio/x-mulaw", rate: int = 8_000) -> RecordingDesk:
    return RecordingDesk(PlivoMedia("call", "s", encoding, rate, '{"a": "b"}'))


@pytest.fixture
def desk() -> RecordingDesk:
    return media().open()


def play(payload: bytes = LAW, **format: Any) -> dict[str, Any]:
    text = base64.b64encode(payload).decode()
    return {"event": "playAudio", "media": {**MULAW_8K, **format, "payload": text}}


def test_opened() -> None:
    """There is no connected: start comes first, and its numbers are numbers."""
    desk = media()
    desk.dialect.opened(desk)
    (start,) = desk.told()
    assert (start["event"], start["sequenceNumber"]) == ("start", 0)
    assert (start["start"]["callId"], start["start"]["streamId"]) == ("call", "s")
    assert start["start"]["mediaFormat"] == {"encoding": "audio/x-mulaw", "sampleRate": 8000}
    assert start["extra_headers"] == '{"a": "b"}'


def test_extra_headers() -> None:
    """They are those of the XML."""
    stream = (
        '<Stream bidirectional="true" contentType="audio/x-l16;rate=16000" '
        'extraHeaders="a=1,b=2">wss://x.test/c</Stream>'
    )
    body = f"<Response>{stream}</Response>".encode()
    answer = HttpAnswer(200, {"content-type": "text/xml"}, body)
    found = PlivoCall(PlivoNumber("https://x.test/hook")).invited(answer, 0.0)
    desk = RecordingDesk(found.dialect)
    found.dialect.opened(desk)
    assert desk.told()[0]["extra_headers"] == '{"a": "1", "b": "2"}'
    assert (found.url, found.dialect.rate) == ("wss://x.test/c", 16_000)


def test_audio(desk: RecordingDesk) -> None:
    """The stamp is the time of day in milliseconds; the payload is µ-law."""
    desk.dialect.audio(desk, SOUND)
    desk.dialect.audio(desk, SOUND)
    first, second = desk.told()
    assert (first["sequenceNumber"], first["streamId"]) == (2, "s")
    assert (first["media"]["track"], first["media"]["chunk"]) == ("inbound", 1)
    assert base64.b64decode(first["media"]["payload"]) == LAW
    assert int(second["media"]["timestamp"]) - int(first["media"]["timestamp"]) == 20


def test_linear() -> None:
    """L16 goes both ways as it is."""
    desk = media("audio/x-l16", 16_000).open()
    desk.dialect.audio(desk, 2 * SOUND)
    assert base64.b64decode(desk.told()[0]["media"]["payload"]) == 2 * SOUND
    desk.hear(play(2 * SOUND, contentType="audio/x-l16", sampleRate=16_000))
    assert desk.buffer.play() == 2 * SOUND
    desk.hear(play(SOUND[:-1], contentType="audio/x-l16", sampleRate=16_000))
    assert desk.complaints == ["half a sample"]


def test_digit(desk: RecordingDesk) -> None:
    """A key."""
    desk.dialect.digit(desk, "5")
    (told,) = desk.told()
    assert (told["event"], told["dtmf"]["track"], told["dtmf"]["digit"]) == ("dtmf", "inbound", "5")


def test_hung_up(desk: RecordingDesk) -> None:
    """No word is said at the end."""
    desk.dialect.hung_up(desk)
    assert desk.told() == []


def test_checkpoint(desk: RecordingDesk) -> None:
    """It comes back as playedStream when its time has come."""
    desk.hear(play())
    desk.hear(CHECKPOINT)
    desk.play(1)
    assert desk.told() == []
    desk.play(1)
    assert desk.told() == [{"event": "playedStream", "streamId": "s", "name": "m"}]


def test_clear(desk: RecordingDesk) -> None:
    """A clear silences, is answered, and takes the checkpoints with it."""
    desk.hear(play(3 * LAW))
    desk.hear(CHECKPOINT)
    desk.hear({"event": "clearAudio", "streamId": "s"})
    assert desk.told() == [{"event": "clearedAudio", "streamId": "s"}]
    assert desk.play(3) == 0
    assert desk.told() == []


def test_digits(desk: RecordingDesk) -> None:
    """Keys may be sent to the caller."""
    desk.hear({"event": "sendDTMF", "dtmf": "12#"})
    assert isinstance(desk.dialect, PlivoMedia)
    assert desk.dialect.digits == "12#"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (b"\0" * 160, "a binary message"),
        (play(sampleRate=16_000), "audio of"),
        (play(contentType="audio/x-l16"), "audio of"),
        (play(b""), "an empty payload"),
        ({"event": "playAudio"}, "playAudio without media"),
        ({**CHECKPOINT, "streamId": "t"}, "checkpoint without this stream's streamId"),
        ({"event": "checkpoint", "streamId": "s"}, "a mark without a name"),
        ({"event": "clearAudio"}, "clearAudio without this stream's streamId"),
        ({"event": "sendDTMF", "dtmf": "x"}, "sendDTMF without digits"),
        ({"event": "media"}, "the event 'media'"),
    ],
)
def test_wrong(desk: RecordingDesk, wrong: object, why: str) -> None:
    """What Plivo would not understand is told, and changes nothing."""
    desk.hear(wrong)
    (complaint,) = desk.complaints
    assert complaint.startswith(why)
    assert (desk.told(), desk.play(1)) == ([], 0)
