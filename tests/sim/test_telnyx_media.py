from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest

from rapida_tw.audio.g711 import ALAW, MULAW
from rapida_tw.sim.telnyx_media import TelnyxMedia
from tests.sim.desk import RecordingDesk

SAMPLES = np.arange(160, dtype=np.int16) * 100
SOUND = SAMPLES.astype("<i2").tobytes()
LAW = MULAW.encode(SAMPLES)


def media(codec: str = "PCMU", *, jumbled: bool = False) -> RecordingDesk:
    return RecordingDesk(TelnyxMedia("v3:1", "s", "+1555", "+1556", codec, jumbled))


@pytest.fixture
def desk() -> RecordingDesk:
    return media().open()


def audio(payload: bytes = LAW) -> dict[str, Any]:
    return {"event": "media", "media": {"payload": base64.b64encode(payload).decode()}}


MARK = {"event": "mark", "mark": {"name": "m"}}


def test_opened() -> None:
    """First connected, then start with the format and the numbers."""
    desk = media()
    desk.dialect.opened(desk)
    connected, start = desk.told()
    assert connected == {"event": "connected", "version": "1.0.0"}
    assert (start["sequence_number"], start["stream_id"]) == ("1", "s")
    told = start["start"]
    assert (told["call_control_id"], told["from"], told["to"]) == ("v3:1", "+1555", "+1556")
    assert told["media_format"] == {"encoding": "PCMU", "sample_rate": 8000, "channels": 1}


@pytest.mark.parametrize(("codec", "law"), [("PCMU", MULAW), ("PCMA", ALAW)])
def test_audio(codec: str, law: Any) -> None:
    """Both laws, both ways."""
    desk = media(codec).open()
    desk.dialect.audio(desk, SOUND)
    (told,) = desk.told()
    assert (told["event"], told["sequence_number"], told["stream_id"]) == ("media", "2", "s")
    assert (told["media"]["chunk"], told["media"]["timestamp"]) == ("1", "0")
    payload = base64.b64decode(told["media"]["payload"])
    assert payload == law.encode(SAMPLES)
    desk.hear(audio(payload))
    assert desk.buffer.play() == law.decode(payload).astype("<i2").tobytes()


def test_jumbled() -> None:
    """Packets may overtake each other; none is lost."""
    desk = media(jumbled=True).open()
    for _ in range(4):
        desk.dialect.audio(desk, SOUND)
    assert [told["media"]["chunk"] for told in desk.told()] == ["2", "1", "4", "3"]


def test_digit(desk: RecordingDesk) -> None:
    """A key."""
    desk.dialect.digit(desk, "5")
    (told,) = desk.told()
    assert (told["event"], told["dtmf"]) == ("dtmf", {"digit": "5"})


def test_stop(desk: RecordingDesk) -> None:
    """Who hangs up is told by stop."""
    desk.dialect.hung_up(desk)
    (told,) = desk.told()
    assert (told["event"], told["stop"]["call_control_id"]) == ("stop", "v3:1")


def test_mark(desk: RecordingDesk) -> None:
    """It comes back when the audio before it has been played; a stream id is not needed."""
    desk.hear(audio())
    desk.hear(MARK)
    desk.play(2)
    (told,) = desk.told()
    assert (told["event"], told["mark"], told["stream_id"]) == ("mark", {"name": "m"}, "s")


def test_clear(desk: RecordingDesk) -> None:
    """A clear silences and brings back the marks."""
    desk.hear(audio(3 * LAW))
    desk.hear(MARK)
    desk.hear({"event": "clear"})
    assert [told["event"] for told in desk.told()] == ["mark"]
    assert desk.play(3) == 0


@pytest.mark.parametrize(
    ("wrong", "code", "detail"),
    [
        (b"\0" * 160, 100_003, "a binary message"),
        ({"event": "stop"}, 100_003, "the event 'stop'"),
        ({"event": "media"}, 100_003, "media without media"),
        ({"event": "mark", "mark": {}}, 100_003, "a mark without a name"),
        (audio(LAW[:80]), 100_004, "a chunk of 80 bytes"),
        (audio(bytes(240_001)), 100_004, "a chunk of 240001 bytes"),
    ],
)
def test_wrong(desk: RecordingDesk, wrong: object, code: int, detail: str) -> None:
    """What Telnyx does not like it says, by an error, and goes on."""
    desk.hear(wrong)
    (told,) = desk.told()
    assert (told["event"], told["stream_id"]) == ("error", "s")
    assert (told["payload"]["code"], told["payload"]["detail"]) == (code, detail)
    assert desk.complaints == [f"{code}: {detail}"]
    assert desk.play(1) == 0
