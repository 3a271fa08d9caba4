from __future__ import annotations

from typing import Any

import pytest

from rapida_tw.sim.chan_websocket_media import FULL, XOFF, XON, ChanWebSocketMedia
from tests.sim.desk import RecordingDesk

FRAME = b"\x55" * 160  # of ulaw


def desk_of(**options: Any) -> RecordingDesk:
    return RecordingDesk(ChanWebSocketMedia(**options)).open()


def events(desk: RecordingDesk) -> list[str]:
    return [message["event"] for message in desk.told()]


def command(desk: RecordingDesk, word: str, about: str = "") -> None:
    desk.hear({"command": word, **({"correlation_id": about} if about else {})})


def channel(desk: RecordingDesk) -> ChanWebSocketMedia:
    assert isinstance(desk.dialect, ChanWebSocketMedia)
    return desk.dialect


@pytest.mark.parametrize(
    ("codec", "rate", "frame"),
    [("ulaw", 8_000, 160), ("alaw", 8_000, 160), ("slin", 8_000, 320), ("slin16", 16_000, 640)],
)
def test_media_start(codec: str, rate: int, frame: int) -> None:
    """The first message tells codec and frame."""
    desk = RecordingDesk(ChanWebSocketMedia(codec, variables={"A": "b"}))
    desk.dialect.opened(desk)
    (start,) = desk.told()
    assert (start["event"], start["format"]) == ("MEDIA_START", codec)
    assert (start["optimal_frame_size"], start["ptime"]) == (frame, 20)
    assert start["channel_variables"]["A"] == "b"
    assert desk.dialect.rate == rate
    desk.dialect.audio(desk, bytes(rate // 50 * 2))
    assert isinstance(desk.said[0], bytes)
    assert len(desk.said[0]) == frame


def test_plain() -> None:
    """In plain text the same, in words."""
    desk = RecordingDesk(ChanWebSocketMedia(plain=True, channel_id="17.2"))
    desk.dialect.opened(desk)
    desk.dialect.digit(desk, "1")
    for text in ("MARK_MEDIA m1", "MARK_MEDIA", "GET_STATUS", "REPORT_QUEUE_DRAINED"):
        desk.dialect.text(desk, text)
    assert desk.said == [
        "MEDIA_START connection_id:rapida channel:WebSocket/rapida/0x7f5f9c00a990"
        " channel_id:17.2 format:ulaw optimal_frame_size:160 ptime:20",
        "DTMF_END digit:1 channel_id:17.2",
        "MEDIA_MARK_PROCESSED m1",
        "MEDIA_MARK_PROCESSED",
        "STATUS channel_id:17.2 queue_length:0 xon_level:800 xoff_level:900"
        " queue_full:false bulk_media:false media_paused:false",
        "QUEUE_DRAINED",
    ]


def test_other_form() -> None:
    """Commands of the other form are unknown, and do nothing."""
    plain, json = desk_of(plain=True), desk_of()
    plain.hear(FRAME)
    json.hear(FRAME)
    command(plain, "FLUSH_MEDIA")
    json.dialect.text(json, "FLUSH_MEDIA")
    assert (plain.play(2), json.play(2)) == (1, 1)
    assert plain.said == []
    assert events(json) == ["ERROR"]


def test_early_audio() -> None:
    """The caller's first frames may overtake MEDIA_START."""
    desk = RecordingDesk(ChanWebSocketMedia(early=2))
    desk.dialect.opened(desk)
    for _ in range(3):
        desk.dialect.audio(desk, bytes(320))
    assert [type(message) for message in desk.said] == [bytes, bytes, str, bytes]


def test_remainder() -> None:
    """What is no whole frame is thrown away: of 250 bytes, 90; of 80 bytes, all."""
    desk = desk_of()
    desk.hear(bytes(250))
    desk.hear(bytes(80))
    assert desk.play(5) == 1
    assert channel(desk).thrown == 170
    assert len(desk.complaints) == 2


def test_bulk() -> None:
    """Between START and STOP messages may be cut anywhere; STOP is answered when it has played."""
    desk = desk_of()
    command(desk, "START_MEDIA_BUFFERING")
    for size in (250, 80, 150):
        desk.hear(bytes(size))
    command(desk, "STOP_MEDIA_BUFFERING", "u1")
    assert (desk.play(3), events(desk)) == (3, [])
    assert desk.play(1) == 0
    assert channel(desk).thrown == 0
    assert events(desk) == ["MEDIA_BUFFERING_COMPLETED"]


def test_bulk_without_stop() -> None:
    """Without STOP the last part of a frame waits for ever."""
    desk = desk_of()
    command(desk, "START_MEDIA_BUFFERING")
    desk.hear(bytes(250))
    assert desk.play(5) == 1


def test_flow_control() -> None:
    """XOFF at 900 frames, XON below 800, once each; from 1000 on whole messages are lost."""
    desk = desk_of()
    desk.hear(FRAME * (XOFF - 1))
    assert events(desk) == []
    desk.hear(FRAME)
    desk.hear(FRAME)
    assert events(desk) == ["MEDIA_XOFF"]
    desk.hear(FRAME * (FULL - XOFF))
    desk.hear(FRAME)
    assert channel(desk).dropped == 1
    desk.play(FULL - XON + 2)
    assert events(desk) == []
    desk.play(1)
    assert events(desk) == ["MEDIA_XON"]


def test_mark() -> None:
    """A mark is processed when all before it has left the queue."""
    desk = desk_of()
    desk.hear(FRAME * 2)
    command(desk, "MARK_MEDIA", "m")
    desk.play(2)
    assert events(desk) == []
    desk.play(1)
    assert desk.told()[0]["correlation_id"] == "m"


def test_flush() -> None:
    """A flush empties the queue; marks and STOP answers are never told, QUEUE_DRAINED still is."""
    desk = desk_of()
    command(desk, "START_MEDIA_BUFFERING")
    desk.hear(FRAME * 3 + b"x")
    command(desk, "MARK_MEDIA", "m")
    command(desk, "STOP_MEDIA_BUFFERING", "u")
    command(desk, "REPORT_QUEUE_DRAINED")
    command(desk, "FLUSH_MEDIA")
    assert desk.play(5) == 0
    assert events(desk) == ["QUEUE_DRAINED"]
    assert channel(desk).clears == 1


def test_drained_once() -> None:
    """QUEUE_DRAINED comes when the queue is next empty, and not again."""
    desk = desk_of()
    desk.hear(FRAME)
    command(desk, "REPORT_QUEUE_DRAINED")
    desk.hear(FRAME)
    desk.play(2)
    assert events(desk) == []
    desk.play(1)
    desk.hear(FRAME)
    desk.play(2)
    assert events(desk) == ["QUEUE_DRAINED"]


def test_pause() -> None:
    """A paused queue is kept."""
    desk = desk_of()
    desk.hear(FRAME * 2)
    command(desk, "PAUSE_MEDIA")
    assert desk.play(3) == 0
    command(desk, "GET_STATUS")
    (status,) = desk.told()
    assert (status["queue_length"], status["media_paused"]) == (2, True)
    command(desk, "CONTINUE_MEDIA")
    assert desk.play(3) == 2


def test_hang_up() -> None:
    """HANGUP ends the channel."""
    desk = desk_of()
    command(desk, "HANGUP")
    assert [str(ending) for ending in desk.ended] == ["server_hung_up"]


def test_long_command() -> None:
    """A text message of more than 128 bytes is not even read."""
    desk = desk_of()
    desk.hear(FRAME)
    command(desk, "MARK_MEDIA", "m" * 100)
    desk.play(2)
    assert events(desk) == []
    assert len(desk.complaints) == 1


@pytest.mark.parametrize("text", ["{", "[" * 100, '"x'])
def test_bad_json(text: str) -> None:
    """JSON that cannot be read is answered with ERROR."""
    desk = desk_of()
    desk.dialect.text(desk, text)
    assert desk.told()[0]["error_text"] == "Unable to parse JSON command"


def test_unknown() -> None:
    """An unknown command is only logged."""
    desk = desk_of()
    command(desk, "DANCE")
    command(desk, "ANSWER")
    desk.hear([])
    assert (len(desk.complaints), desk.said) == (2, [])


@pytest.mark.parametrize("codec", ["ulaw", "alaw", "slin", "slin16"])
def test_codecs(codec: str) -> None:
    """What the phone says comes back as it was, to the law's precision."""
    dialect = ChanWebSocketMedia(codec)
    loud = (8_000).to_bytes(2, "little") * (dialect.rate // 50)
    back = dialect.codec.decode(dialect.codec.encode(loud))
    assert len(back) == len(loud)
    assert abs(int.from_bytes(back[:2], "little") - 8_000) < 300
