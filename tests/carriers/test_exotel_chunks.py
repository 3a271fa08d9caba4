"""What Exotel is sent: chunks of the right size, marks after them, nothing that was cleared."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.audio.format import Encoding
from rapida_tw.carriers.base import Message
from rapida_tw.carriers.exotel_chunks import Chunks, Settings
from rapida_tw.carriers.exotel_media import ExotelMedia
from rapida_tw.errors import NotSupported

PCM, MULAW = Encoding.LINEAR16, Encoding.MULAW


def chunks(
    encoding: Encoding = PCM,
    rate: int = 8_000,
    sid: str = "S1",
    camel: bool = False,
    **options: Any,
) -> Chunks:
    return Chunks(Settings.read(options), sid, camel, encoding, rate)


def read(messages: Sequence[Message]) -> list[Any]:
    assert not any(message.binary for message in messages)
    return [json.loads(message.payload) for message in messages]


def sounds(messages: Sequence[Message]) -> list[bytes]:
    return [b64decode(one["media"]["payload"]) for one in read(messages) if "media" in one]


def ticks(out: Chunks, count: int) -> list[Message]:
    """What `count` ticks bring out."""
    tick = b"\x11" * out.format.frame_bytes
    return [message for _ in range(count) for message in out.audio(tick)]


@pytest.mark.parametrize(
    ("encoding", "rate", "options", "size"),
    [
        (PCM, 8_000, {}, 1_600),
        (PCM, 16_000, {}, 3_200),
        (PCM, 24_000, {}, 4_800),
        (MULAW, 8_000, {}, 960),  # 100 ms are two and a half times 320 bytes
        (MULAW, 16_000, {}, 1_600),
        (PCM, 8_000, {"chunk_ms": "20"}, 320),
        (PCM, 8_000, {"chunk_ms": 200}, 3_200),
        (PCM, 8_000, {"strict_chunks": "true"}, 3_200),
        (PCM, 24_000, {"strict_chunks": True}, 4_800),
        (MULAW, 8_000, {"strict_chunks": True}, 3_200),
        (PCM, 24_000, {"chunk_ms": 20, "strict_chunks": True}, 3_840),
        (MULAW, 24_000, {"chunk_ms": 20}, 960),
    ],
)
def test_sizes(encoding: Encoding, rate: int, options: dict[str, Any], size: int) -> None:
    """100 ms or what the deployment says, in multiples of 320 bytes, and no byte is lost."""
    out = chunks(encoding, rate, **options)
    sent = sounds(ticks(out, 100))
    assert {len(chunk) for chunk in sent} == {size}
    assert len(b"".join(sent)) > 100 * out.format.frame_bytes - size


@pytest.mark.parametrize(
    ("options", "lead", "chunk"),
    [
        ({}, 10, 5),
        ({"chunk_ms": 20}, 10, 1),
        ({"chunk_ms": 200}, 20, 10),
        ({"strict_chunks": True}, 20, 10),
    ],
)
def test_lead(options: dict[str, Any], lead: int, chunk: int) -> None:
    """Exotel holds two chunks, so that it plays one while the next is gathered."""
    format = chunks(**options).format
    assert (format.lead, format.chunk, format.continuous) == (lead, chunk, False)


def test_golden() -> None:
    """In the style of the documents, with numbers as texts."""
    (first, second) = read(ticks(chunks(chunk_ms=20), 2))
    assert first["media"].pop("payload") == second["media"].pop("payload") != ""
    assert first == {
        "event": "media",
        "stream_sid": "S1",
        "media": {"sequence_number": "1", "chunk": "1", "timestamp": "0"},
    }
    assert second["media"] == {"sequence_number": "2", "chunk": "2", "timestamp": "20"}


def test_camel() -> None:
    """In the style of the newer samples, where the start was."""
    out = chunks(camel=True, chunk_ms=20)
    for message in read([*ticks(out, 1), *out.mark("m"), *out.clear()]):
        assert message["streamSid"] == "S1"
        assert "stream_sid" not in message
        assert "sequence_number" not in message.get("media", ())


def test_style_of_the_start() -> None:
    """The socket answers as it was spoken to."""
    for start, key in (
        (b'{"event":"start","stream_sid":"S1","start":{}}', "stream_sid"),
        (b'{"event":"start","streamSid":"S1","start":{}}', "streamSid"),
        (b'{"event":"start","start":{"streamSid":"S1"}}', "streamSid"),
    ):
        wire = ExotelMedia(Settings(encoding=PCM), 8_000)
        wire.received(start, False)
        assert read(wire.clear()) == [{"event": "clear", key: "S1"}]


@pytest.mark.parametrize(
    ("encoding", "options", "count", "sent"),
    [
        (PCM, {}, 2, b"\x11" * 640),
        (MULAW, {}, 3, b"\x11" * 480 + b"\xff" * 160),
        (MULAW, {}, 2, b"\x11" * 320),
        (PCM, {"strict_chunks": True}, 2, b"\x11" * 640 + bytes(2_560)),
        (MULAW, {"strict_chunks": True}, 1, b"\x11" * 160 + b"\xff" * 3_040),
    ],
)
def test_mark(encoding: Encoding, options: dict[str, Any], count: int, sent: bytes) -> None:
    """What was gathered goes before it, filled up with the encoding's silence."""
    out = chunks(encoding, **options)
    assert ticks(out, count) == []
    messages = out.mark("2.175")
    assert sounds(messages) == [sent]
    assert read(messages)[-1] == {"event": "mark", "stream_sid": "S1", "mark": {"name": "2.175"}}


def test_mark_alone() -> None:
    """With nothing gathered there is no sound to send."""
    out = chunks()
    assert len(ticks(out, 5)) == 1
    assert sounds(out.mark("m")) == []


def test_clear() -> None:
    """What was gathered is forgotten here, the rest there."""
    out = chunks()
    ticks(out, 4)
    assert read(out.clear()) == [{"event": "clear", "stream_sid": "S1"}]
    assert sounds(out.mark("m")) == []


@given(st.text(min_size=1))
def test_injection(sid: str) -> None:
    """Whatever the stream and the mark are named, a message stays what it is."""
    out = chunks(sid=sid, chunk_ms=20)
    media, mark, clear = read([*ticks(out, 1), *out.mark(sid), *out.clear()])
    assert (media["event"], mark["event"], clear["event"]) == ("media", "mark", "clear")
    assert media["stream_sid"] == mark["stream_sid"] == clear["stream_sid"] == sid
    assert mark["mark"] == {"name": sid}


@given(
    st.sampled_from((PCM, MULAW)),
    st.sampled_from((8_000, 16_000, 24_000)),
    st.sampled_from((20, 40, 60, 80, 100, 200)),
    st.booleans(),
    st.lists(st.sampled_from("aaaaaam")),
)
def test_any_order(encoding: Encoding, rate: int, ms: int, strict: bool, steps: list[str]) -> None:
    """Ticks and marks in any order: all sound goes out, before the mark, in allowed sizes."""
    out = chunks(encoding, rate, chunk_ms=ms, strict_chunks=strict)
    tick = b"\x11" * out.format.frame_bytes
    messages: list[Message] = []
    for step in (*steps, "m"):
        messages += out.audio(tick) if step == "a" else out.mark("m")
    sent = sounds(messages)
    assert b"".join(sent).count(b"\x11") == steps.count("a") * len(tick)
    for chunk in sent:
        assert len(chunk) % 320 == 0
        assert (3_200 if strict else 320) <= len(chunk) <= 100_000


def test_cannot() -> None:
    """Digits are not for this socket; closing needs no words."""
    wire = ExotelMedia(Settings(), 8_000)
    assert wire.hang_up() == ()
    with pytest.raises(NotSupported):
        wire.digits("1")
