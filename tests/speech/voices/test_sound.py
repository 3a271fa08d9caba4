"""Vendors' bytes as samples: cut anywhere, of any rate, or straight through."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.audio.format import AudioFormat, Encoding
from rapida_tw.sim.vendors.speaking import ALAW, LINEAR, MULAW, SIZES, Spoken, decode, understood
from rapida_tw.speech.voices.sound import Sound

TEXT = "Odd pieces, 3/4!"
FORMS = {Encoding.LINEAR16: LINEAR, Encoding.MULAW: MULAW, Encoding.ALAW: ALAW}


def heard(sound: Sound, audio: bytes, sizes: tuple[int, ...]) -> tuple[np.ndarray, bytes]:
    """All of it, cut after so many bytes."""
    samples, straight = [], []
    place = 0
    while place < len(audio):
        for size in sizes:
            piece, law = sound.feed(audio[place : place + size])
            place += size
            samples.append(piece)
            straight.append(law)
    return np.concatenate([*samples, sound.finish()]), b"".join(straight)


@pytest.mark.parametrize("encoding", FORMS)
@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 24_000, 44_100, 48_000])
def test_understood(encoding: Encoding, rate: int) -> None:
    """Every word arrives, whatever the form, however it is cut, up to the last sample."""
    spoken = Spoken(TEXT, rate, FORMS[encoding])
    samples, straight = heard(Sound(encoding, rate, None), spoken.audio, SIZES)
    assert understood(samples).rstrip() == TEXT
    assert 0 <= len(samples) / 16_000 - spoken.seconds < 0.021  # a block of 22.05 kHz
    assert straight == b""


@given(st.lists(st.integers(1, 400), min_size=1, max_size=8))
def test_any_cut(sizes: list[int]) -> None:
    """Where the stream is cut makes no difference to one sample."""
    audio = Spoken("cut", 24_000).audio
    whole, _ = heard(Sound(Encoding.LINEAR16, 24_000, None), audio, (len(audio),))
    cut, _ = heard(Sound(Encoding.LINEAR16, 24_000, None), audio, tuple(sizes))
    np.testing.assert_array_equal(cut, whole)


@pytest.mark.parametrize(
    ("encoding", "rate"),
    [(Encoding.MULAW, 8_000), (Encoding.ALAW, 8_000), (Encoding.LINEAR16, 16_000)],
)
def test_straight_through(encoding: Encoding, rate: int) -> None:
    """What is in the leg's form already comes as it was, beside samples of the same length."""
    audio = Spoken(TEXT, rate, FORMS[encoding]).audio
    samples, straight = heard(Sound(encoding, rate, AudioFormat(encoding, rate)), audio, SIZES)
    assert straight == audio
    assert len(samples) == len(decode(audio, FORMS[encoding])) * 16_000 // rate


def test_another_leg() -> None:
    """The same encoding at another rate is not the leg's form."""
    leg = AudioFormat(Encoding.LINEAR16, 8_000)
    assert Sound(Encoding.LINEAR16, 16_000, leg).feed(bytes(4))[1] == b""


def test_half_a_sample() -> None:
    """Half a sample waits for its other half, also where it goes straight through."""
    sound = Sound(Encoding.LINEAR16, 16_000, AudioFormat(Encoding.LINEAR16, 16_000))
    samples, straight = sound.feed(b"\x01\x02\x03")
    assert (samples.tolist(), straight) == ([0x0201], b"\x01\x02")
    samples, straight = sound.feed(b"\x04")
    assert (samples.tolist(), straight) == ([0x0403], b"\x03\x04")


def test_impossible_rate() -> None:
    """A rate without a handy ratio is refused at the beginning."""
    with pytest.raises(ValueError, match="cannot convert"):
        Sound(Encoding.LINEAR16, 12_347, None)
