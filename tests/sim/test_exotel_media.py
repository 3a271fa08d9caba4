from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from rapida_tw.sim.exotel_media import MULAW_8K, PCM_8K, PCM_16K, ExotelMedia, Profile
from tests.sim.desk import RecordingDesk

TOLD = {
    "stream_sid": "S1",
    "call_sid": "C1",
    "account_sid": "A1",
    "from": "09876543210",
    "to": "08047491899",
}


def desk_of(profile: Profile = PCM_8K, *, strict: bool = False) -> RecordingDesk:
    return RecordingDesk(ExotelMedia(profile, TOLD, {"key": "value"}, strict=strict))


def media(sound: bytes, sid: str = "S1") -> dict[str, Any]:
    payload = b64encode(sound).decode()
    return {"event": "media", "stream_sid": sid, "media": {"payload": payload}}


START_A = {
    "event": "start",
    "sequence_number": "1",
    "stream_sid": "S1",
    "start": {
        **TOLD,
        "custom_parameters": {"key": "value"},
        "media_format": {"encoding": "base64", "sample_rate": "8000", "bit_rate": "128kbps"},
    },
}
START_B = {
    "event": "start",
    "sequenceNumber": "1",
    "streamSid": "S1",
    "start": {
        "streamSid": "S1",
        "callSid": "C1",
        "accountSid": "A1",
        "from": "09876543210",
        "to": "08047491899",
        "customParameters": {"key": "value"},
        "mediaFormat": {"encoding": "mulaw", "sampleRate": "8000", "bitRate": "64kbps"},
    },
}
START_C = {
    **START_A,
    "sequence_number": 1,
    "start": {
        **START_A["start"],  # type: ignore[dict-item]
        "media_format": {"encoding": "raw", "sample_rate": 16_000, "bit_rate": "256kbps"},
    },
}


@pytest.mark.parametrize(
    ("profile", "start"), [(PCM_8K, START_A), (MULAW_8K, START_B), (PCM_16K, START_C)]
)
def test_opened(profile: Profile, start: dict[str, Any]) -> None:
    """`connected`, then `start` in the profile's spelling."""
    desk = desk_of(profile)
    desk.dialect.opened(desk)
    assert desk.told() == [{"event": "connected"}, start]


def test_audio() -> None:
    """Five packets make a message of 100 ms."""
    desk = desk_of().open()
    for _ in range(14):
        desk.dialect.audio(desk, bytes(320))
    first, second = desk.told()
    silence = b64encode(bytes(1600)).decode()
    assert first == {
        "event": "media",
        "sequence_number": "2",
        "stream_sid": "S1",
        "media": {"chunk": "1", "timestamp": "0", "payload": silence},
    }
    assert (second["media"]["chunk"], second["media"]["timestamp"]) == ("2", "100")


def test_mulaw() -> None:
    """In µ-law a message is half as long, both ways."""
    desk = desk_of(MULAW_8K).open()
    for _ in range(5):
        desk.dialect.audio(desk, bytes(320))
    (message,) = desk.told()
    assert message["media"]["payload"] == b64encode(b"\xff" * 800).decode()
    desk.hear(media(b"\xff" * 640))
    assert desk.play(10) == 4


def test_digit_and_hang_up() -> None:
    """Keys and the end, in the profile's spelling."""
    desk = desk_of(PCM_16K).open()
    desk.dialect.digit(desk, "5")
    desk.dialect.hung_up(desk)
    dtmf, stop = desk.told()
    assert dtmf["dtmf"] == {"digit": "5", "duration": 100}
    assert stop["stop"] == {"call_sid": "C1", "account_sid": "A1", "reason": "callended"}


@pytest.mark.parametrize("size", [319, 321, 480, 100_160])
def test_wrong_sizes(size: int) -> None:
    """A message that is no multiple of 320 bytes, or too long, is not played."""
    desk = desk_of().open()
    desk.hear(media(bytes(size)))
    assert desk.complaints == [f"{size} bytes of audio"]
    assert desk.play(3) == 0


def test_strict() -> None:
    """Where the documented minimum is insisted on, 3200 bytes are enough and 2880 are not."""
    desk = desk_of(strict=True).open()
    desk.hear(media(bytes(2_880)))
    assert desk.complaints == ["2880 bytes of audio"]
    desk.hear(media(bytes(3_200)))
    assert desk.play(20) == 10


@pytest.mark.parametrize(
    "message",
    [
        {"event": "dance", "stream_sid": "S1"},
        media(bytes(320), "S2"),
        {**media(bytes(320)), "stream_sid": None},
        {"event": "media", "stream_sid": "S1"},
        {"event": "media", "stream_sid": "S1", "media": {"payload": "!"}},
        {"event": "mark", "stream_sid": "S1", "mark": {}},
        [],
    ],
)
def test_nonsense(message: object) -> None:
    """What is not understood is noted and not played."""
    desk = desk_of().open()
    desk.hear(message)
    assert len(desk.complaints) == 1
    assert desk.play(3) == 0


def test_binary() -> None:
    """Bytes are none of its messages."""
    desk = desk_of().open()
    desk.hear(bytes(320))
    assert desk.complaints == ["a binary message"]


def test_mark() -> None:
    """A mark comes back when all before it has been played."""
    desk = desk_of().open()
    desk.hear(media(bytes(640)))
    desk.hear({"event": "mark", "streamSid": "S1", "mark": {"name": "m"}})
    desk.play(2)
    assert desk.told() == []
    desk.play(1)
    assert desk.told()[0]["mark"] == {"name": "m"}


def test_clear() -> None:
    """A clear drops what has not begun to play, and its marks; the message that has goes on."""
    desk = desk_of().open()
    desk.hear(media(bytes(3_200)))
    desk.hear(media(bytes(3_200)))
    desk.hear({"event": "mark", "stream_sid": "S1", "mark": {"name": "m"}})
    desk.play(3)
    desk.hear({"event": "clear", "stream_sid": "S1"})
    assert desk.play(20) == 7
    assert desk.told() == []
