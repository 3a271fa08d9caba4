"""WAV headers, taken off the sound that streams in; or none."""

from __future__ import annotations

import io
import struct
import wave
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rapida_tw.audio.format import Encoding
from rapida_tw.errors import RemoteProtocolError
from rapida_tw.sim.vendors import speaking
from rapida_tw.speech.voices.wav import MaybeWav

SOUND = bytes(range(256)) * 4


def read(data: bytes, size: int = 10_000) -> tuple[bytes, Encoding, int]:
    """The sound of it, cut into pieces of this size, and what it is in."""
    reader = MaybeWav(Encoding.LINEAR16, 24_000)
    pieces = [reader.feed(data[place : place + size]) for place in range(0, len(data), size)]
    sound = b"".join(pieces) + reader.finish()
    return sound, reader.encoding, reader.rate


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack("<4sI", name, len(content)) + content + bytes(len(content) % 2)


def riff(*chunks: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 4 + sum(map(len, chunks))) + b"WAVE" + b"".join(chunks)


def kind(tag: int = 1, channels: int = 1, rate: int = 8_000, bits: int = 16) -> bytes:
    return chunk(b"fmt ", struct.pack("<HHIIHH", tag, channels, rate, rate * 2, 2, bits))


def test_none() -> None:
    """Without a header everything is sound, as it was promised."""
    for data in (SOUND, SOUND[:5], b""):
        assert read(data) == (data, Encoding.LINEAR16, 24_000)


@pytest.mark.parametrize(
    ("form", "encoding"),
    [
        (speaking.LINEAR, Encoding.LINEAR16),
        (speaking.MULAW, Encoding.MULAW),
        (speaking.ALAW, Encoding.ALAW),
    ],
)
@pytest.mark.parametrize("unknown_length", [False, True])
def test_header(form: str, encoding: Encoding, unknown_length: bool) -> None:
    """The header says what it is; wherever it is cut, not a byte of it is heard."""
    data = speaking.wav(SOUND, 22_050, form, unknown_length)
    for size in (1, 3, 11, 44, 45, 5000):
        assert read(data, size) == (SOUND, encoding, 22_050)


def test_pythons_own() -> None:
    """A file as Python writes it."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(SOUND)
    assert read(file.getvalue()) == (SOUND, Encoding.LINEAR16, 16_000)


def test_other_chunks() -> None:
    """What else is in the file, also behind the sound, and of odd length, is none."""
    data = riff(chunk(b"LIST", b"odd"), kind(), chunk(b"data", SOUND), chunk(b"id3 ", b"junk"))
    for size in (1, 7, 5000):
        assert read(data, size) == (SOUND, Encoding.LINEAR16, 8_000)


def test_extensible() -> None:
    """The long form of the format chunk says the kind further behind."""
    long = struct.pack("<HHIIHHHHI", 0xFFFE, 1, 8_000, 16_000, 2, 16, 22, 16, 4)
    data = riff(chunk(b"fmt ", long + struct.pack("<H", 1) + bytes(14)), chunk(b"data", SOUND))
    assert read(data) == (SOUND, Encoding.LINEAR16, 8_000)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"ID3\x04" + SOUND, "MP3"),
        (b"OggS" + SOUND, "Ogg"),
        (b"RIFF\0\0\0\0AVI LIST", "no WAVE"),
        (riff(kind(channels=2), chunk(b"data", SOUND)), "2 channels"),
        (riff(kind(bits=24), chunk(b"data", SOUND)), "24 bits"),
        (riff(kind(tag=3, bits=32), chunk(b"data", SOUND)), "tag 3"),
        (riff(kind(rate=0), chunk(b"data", SOUND)), "0 Hz"),
        (riff(chunk(b"fmt ", b"short"), chunk(b"data", SOUND)), "too short"),
        (riff(chunk(b"data", SOUND)), "before its format"),
        (riff(kind()), "ends before its sound"),
        (b"RIFF\0\0\0\0WAVEjunk\xff\xff\xff\xff", "does not end"),
        (riff(*[chunk(b"junk", bytes(40_000))] * 2), "does not end"),
        (b"RIFF", "ends before its sound"),
    ],
)
def test_other_kinds(data: bytes, reason: str) -> None:
    """What is none of ours is told."""
    with pytest.raises(RemoteProtocolError, match=reason):
        read(data)


@given(st.binary(max_size=200), st.integers(1, 50))
@example(b"", 1)
def test_garbage(tail: bytes, size: int) -> None:
    """Never another exception than RemoteProtocolError."""
    for data in (tail, b"RIFF\0\0\0\0WAVE" + tail, riff(kind()) + tail):
        with suppress(RemoteProtocolError):
            read(data, size)
