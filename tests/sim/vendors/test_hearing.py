"""Scripted hearing: written words, at the time that the audio says."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.audio.g711 import ALAW, MULAW
from rapida_tw.sim.vendors.hearing import Began, Ended, Heard, Hearing, Script, Words, read_wav

RATE = 8_000


def sound(seconds: float, level: float = 8000.0, rate: int = RATE) -> bytes:
    time = np.arange(round(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * 200 * time)).astype("<i2").tobytes()


def silence(seconds: float) -> bytes:
    return bytes(2 * round(seconds * RATE))


def hearing(*sentences: str, silence: float | None = 0.3) -> Hearing:
    return Hearing(Script(sentences), "linear16", RATE, silence)


def told(heard: list[Heard]) -> list[tuple[type, str]]:
    return [(type(one), "" if isinstance(one, Began) else one.text) for one in heard]


SPOKEN = [
    (Began, ""),
    (Words, "one"),
    (Words, "one two"),
    (Words, "one two three"),
    (Ended, "one two three"),
]


def test_an_utterance() -> None:
    """A voice, its words one by one, its end."""
    heard = hearing("one two three").hear(silence(0.5) + sound(1.0) + silence(0.4))
    assert told(heard) == SPOKEN


def test_times() -> None:
    """Times are seconds of the audio, each noticed when it can be."""
    heard = hearing("one two").hear(silence(0.5) + sound(1.0) + silence(0.4))
    assert heard[0] == Began(0.5, pytest.approx(0.56))
    assert heard[1].at == pytest.approx(0.8)
    ended = heard[-1]
    assert isinstance(ended, Ended)
    assert (ended.began, ended.ended, ended.at) == pytest.approx((0.5, 1.5, 1.8))
    assert ended.words[1] == ("two", pytest.approx(0.8), pytest.approx(1.1))


@given(st.lists(st.integers(0, 4000), max_size=12))
def test_any_cut(cuts: list[int]) -> None:
    """Where the stream is cut makes no difference."""
    audio = silence(0.2) + sound(1.0) + silence(0.4)
    apart, heard, start = hearing("one two three"), [], 0
    for cut in cuts:
        heard += apart.hear(audio[start : start + cut])
        start += cut
    heard += apart.hear(audio[start:])
    assert heard == hearing("one two three").hear(audio)


@pytest.mark.parametrize("law", ["mulaw", "alaw"])
def test_laws(law: str) -> None:
    """G.711 is as loud as what it was made of."""
    encode = {"mulaw": MULAW, "alaw": ALAW}[law].encode
    quiet = np.frombuffer(silence(0.4), np.int16)
    loud = np.frombuffer(sound(1.0), np.int16)
    stream = Hearing(Script(["one two three"]), law, RATE)
    assert told(stream.hear(encode(quiet) + encode(loud) + encode(quiet))) == SPOKEN


def test_quiet() -> None:
    """Noise of a line is no voice, and neither is a click."""
    click = silence(0.3) + sound(0.04) + silence(0.3)
    assert hearing("one").hear(click + sound(1.0, level=200.0)) == []


def test_flush() -> None:
    """Who asks gets the end at once, and the next voice is the next sentence."""
    stream = hearing("one two", "three", silence=None)
    heard = stream.hear(sound(0.4) + silence(5.0))
    assert told(heard) == [(Began, ""), (Words, "one")]
    assert stream.speaking
    (ended,) = stream.flush()
    assert isinstance(ended, Ended)
    assert (ended.text, ended.flushed) == ("one two", True)
    assert stream.flush() == []
    assert told(stream.hear(sound(0.4))) == [(Began, ""), (Words, "three")]


def test_coughs() -> None:
    """Voices without words, by the script or beyond its end."""
    cough = [(Began, ""), (Ended, "")]
    stream = hearing("")
    assert told(stream.hear(sound(0.4) + silence(0.4))) == cough
    assert told(stream.hear(sound(0.4) + silence(0.4))) == cough


def test_broken_off() -> None:
    """An utterance that one connection did not hear to its end is the next one's first."""
    script = Script(["one two", "three"])
    Hearing(script, "linear16", RATE).hear(sound(0.5))
    again = Hearing(script, "linear16", RATE).hear(sound(0.5) + silence(0.4))
    assert again[-1].text == "one two"  # type: ignore[union-attr]
    assert script.left == ["three"]


def test_seconds() -> None:
    """It says how much it has heard."""
    stream = hearing()
    stream.hear(silence(1.23))
    assert stream.seconds == pytest.approx(1.22)


def test_encoding() -> None:
    """What it cannot read is refused."""
    with pytest.raises(ValueError, match="opus"):
        Hearing(Script(), "opus", RATE)


def wav(samples: bytes, *, kind: int = 1, channels: int = 1, promised: int = -1) -> bytes:
    size = len(samples) if promised < 0 else promised
    return (
        b"RIFF"
        + struct.pack("<I", 36 + size)
        + b"WAVEfmt "
        + struct.pack("<IHHIIHH", 16, kind, channels, 16000, 32000, 2, 16)
        + b"data"
        + struct.pack("<I", size)
        + samples
    )


def test_wav() -> None:
    """The samples of a WAV, and their rate."""
    assert read_wav(wav(b"abcd")) == (16000, b"abcd")


@pytest.mark.parametrize(
    "data",
    [b"", b"RIFF", wav(b"ab", kind=7), wav(b"ab", channels=2), wav(b"ab", promised=4), b"x" * 60],
)
def test_no_wav(data: bytes) -> None:
    """Any other file is refused."""
    with pytest.raises(ValueError, match=r"WAV|channel|data"):
        read_wav(data)
