from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest

from rapida_tw.audio.g711 import MULAW
from rapida_tw.sim.twilio_media import TwilioMedia
from tests.sim.desk import RecordingDesk

SOUND = (np.arange(160, dtype="<i2") * 100).tobytes()
LAW = MULAW.encode(np.frombuffer(SOUND, "<i2").astype(np.int16))


def media(start_after: float = 0.0) -> RecordingDesk:
    return RecordingDesk(TwilioMedia("AC1", "CA1", "MZ1", {"assistant_id": "1"}, start_after))


@pytest.fixture
def desk() -> RecordingDesk:
    return media().open()


def message(event: str, **more: Any) -> dict[str, Any]:
    return {"event": event, "streamSid": "MZ1", **more}


def audio(law: bytes = LAW) -> dict[str, Any]:
    return message("media", media={"payload": base64.b64encode(law).decode()})


def test_opened() -> None:
    """Twilio speaks first: connected, then start; numbers are text but for the format's."""
    desk = media()
    desk.dialect.opened(desk)
    connected, start = desk.told()
    assert connected == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
    assert start == {
        "event": "start",
        "sequenceNumber": "1",
        "streamSid": "MZ1",
        "start": {
            "accountSid": "AC1",
            "streamSid": "MZ1",
            "callSid": "CA1",
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {"assistant_id": "1"},
        },
    }


def test_audio(desk: RecordingDesk) -> None:
    """20 ms are 160 bytes of µ-law, counted and stamped."""
    desk.dialect.audio(desk, SOUND)
    desk.dialect.audio(desk, SOUND)
    payload = base64.b64encode(LAW).decode()
    assert desk.told() == [
        message(
            "media",
            sequenceNumber=number,
            media={"track": "inbound", "chunk": chunk, "timestamp": stamp, "payload": payload},
        )
        for number, chunk, stamp in (("2", "1", "0"), ("3", "2", "20"))
    ]


def test_digit(desk: RecordingDesk) -> None:
    """A key has the other spelling of the track, and counts in the sequence."""
    desk.dialect.audio(desk, SOUND)
    desk.dialect.digit(desk, "#")
    assert desk.told()[1] == message(
        "dtmf", sequenceNumber="3", dtmf={"track": "inbound_track", "digit": "#"}
    )


def test_stop(desk: RecordingDesk) -> None:
    """Who hangs up is told by stop."""
    desk.dialect.hung_up(desk)
    (stop,) = desk.told()
    assert stop == message("stop", sequenceNumber="2", stop={"accountSid": "AC1", "callSid": "CA1"})


def test_played(desk: RecordingDesk) -> None:
    """Of any size, in its order, as samples."""
    desk.hear(audio(LAW[:100]))
    desk.hear(audio(LAW[100:] + LAW))
    quantised = MULAW.decode(LAW).astype("<i2").tobytes()
    assert desk.buffer.play() == quantised
    assert desk.buffer.play() == quantised
    assert desk.complaints == []


def test_mark(desk: RecordingDesk) -> None:
    """A mark is echoed, with a number of its own, when the audio before it has been played."""
    desk.hear(audio())
    desk.hear(message("mark", mark={"name": "m"}))
    desk.play(1)
    assert desk.told() == []
    desk.play(1)
    assert desk.told() == [message("mark", sequenceNumber="2", mark={"name": "m"})]


def test_clear(desk: RecordingDesk) -> None:
    """A clear silences, and brings back every pending mark at once."""
    desk.hear(audio(3 * LAW))
    for name in ("m", "n"):
        desk.hear(message("mark", mark={"name": name}))
    desk.hear(message("clear"))
    assert [told["mark"]["name"] for told in desk.told()] == ["m", "n"]
    assert desk.play(2) == 0
    assert isinstance(desk.dialect, TwilioMedia)
    assert (desk.dialect.clears, desk.dialect.marks) == (1, ["m", "n"])


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (b"\0" * 160, "31950: a binary message"),
        ({"event": "media", "media": {"payload": "//8="}}, "media without this stream's"),
        ({**audio(), "streamSid": "MZ2"}, "media without this stream's streamSid"),
        (message("clear") | {"streamSid": None}, "clear without this stream's streamSid"),
        (message("media"), "media without media"),
        (message("media", media={}), "media without payload"),
        (message("media", media={"payload": "//8"}), "no base64"),
        (message("media", media={"payload": "//8= "}), "no base64"),
        (message("media", media={"payload": "ä"}), "no base64"),
        (message("media", media={"payload": ""}), "an empty payload"),
        (message("mark"), "mark without mark"),
        (message("mark", mark={"name": 7}), "a mark without a name"),
        (message("mark", mark={"name": ""}), "a mark without a name"),
        (message("connected"), "the event 'connected'"),
        (message("stop"), "the event 'stop'"),
        ({"streamSid": "MZ1"}, "no event"),
        ([1], "JSON, but no object"),
    ],
)
def test_wrong(desk: RecordingDesk, wrong: object, why: str) -> None:
    """What Twilio would warn of is told, and changes nothing."""
    desk.hear(wrong)
    (complaint,) = desk.complaints
    assert why in complaint
    assert (desk.told(), desk.play(1), desk.ended) == ([], 0, [])


def test_no_json(desk: RecordingDesk) -> None:
    """Nor does text that is no JSON at all."""
    desk.dialect.text(desk, "media")
    desk.dialect.text(desk, 100_000 * "[")
    assert desk.complaints == 2 * ["31951: no JSON"]


def test_late_start() -> None:
    """Until it has started a stream has no media; what comes for it is not understood."""
    desk = media(start_after=0.1)
    desk.dialect.opened(desk)
    assert [told["event"] for told in desk.told()] == ["connected"]
    desk.hear(audio())
    assert desk.complaints == ["31951: media before the start"]
    desk.dialect.digit(desk, "1")
    for _ in range(7):
        desk.dialect.audio(desk, SOUND)
    assert [told["event"] for told in desk.told()] == ["start", "media", "media"]
    assert desk.play(1) == 0
