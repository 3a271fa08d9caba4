from __future__ import annotations

import pytest

from rapida_tw.sim.vonage_media import HELD, VonageMedia
from tests.sim.desk import RecordingDesk


@pytest.fixture
def desk() -> RecordingDesk:
    return RecordingDesk(VonageMedia(16_000, {"client": "1"})).open()


FRAME = bytes(640)


def test_opened() -> None:
    """First comes websocket:connected, the NCCO's headers flattened into it."""
    desk = RecordingDesk(VonageMedia(24_000, {"client": "1"}))
    desk.dialect.opened(desk)
    assert desk.told() == [
        {"event": "websocket:connected", "content-type": "audio/l16;rate=24000", "client": "1"}
    ]


def test_audio(desk: RecordingDesk) -> None:
    """The caller's sound is binary, as it is."""
    desk.dialect.audio(desk, b"\1\2" * 320)
    assert desk.said == [b"\1\2" * 320]


def test_digit(desk: RecordingDesk) -> None:
    """A key is an event."""
    desk.dialect.digit(desk, "5")
    assert desk.told() == [{"event": "websocket:dtmf", "digit": "5", "duration": 260}]


@pytest.mark.parametrize("size", [0, 320, 638, 642, 1280])
def test_frame_size(desk: RecordingDesk, size: int) -> None:
    """A frame of any other size than 20 ms tears the line down."""
    desk.hear(bytes(size))
    assert [ending.detail for ending in desk.was_cut] == [f"unexpected frame size: {size}"]


def test_too_much(desk: RecordingDesk) -> None:
    """3072 frames wait; what comes on top is lost, and the line goes on."""
    for _ in range(HELD + 5):
        desk.hear(FRAME)
    assert isinstance(desk.dialect, VonageMedia)
    assert desk.dialect.lost == 5
    assert desk.play(HELD + 5) == HELD
    assert desk.was_cut == []


def test_clear(desk: RecordingDesk) -> None:
    """A clear empties the buffer, is answered, and takes the notifies with it."""
    desk.hear(FRAME)
    desk.hear({"action": "notify", "payload": {"id": "m"}})
    desk.hear({"action": "clear"})
    assert desk.play(3) == 0
    assert desk.told() == [{"event": "websocket:cleared"}]


def test_notify(desk: RecordingDesk) -> None:
    """A notify comes back when all before it has been played; at once when nothing waits."""
    payload = {"id": "m", "deep": {"er": [1]}}
    desk.hear({"action": "notify", "payload": payload})
    assert desk.told() == [{"event": "websocket:notify", "payload": payload}]
    desk.hear(FRAME)
    desk.hear({"action": "notify", "payload": payload})
    desk.play(1)
    assert desk.told() == []
    desk.play(1)
    assert desk.told() == [{"event": "websocket:notify", "payload": payload}]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"action":"notify","payload":"x"}', "[" * 9999]
)
def test_nonsense(desk: RecordingDesk, text: str) -> None:
    """Text that says nothing is noted and ignored."""
    desk.dialect.text(desk, text)
    assert len(desk.complaints) == 1
    assert desk.said == []
