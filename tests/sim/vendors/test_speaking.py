"""Spoken texts: read off their sound again, in every format, cut and bent."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest

from rapida_tw.audio.g711 import ALAW as OUR_ALAW
from rapida_tw.audio.g711 import MULAW as OUR_MULAW
from rapida_tw.audio.resample import Resampler
from rapida_tw.sim.vendors import speaking
from rapida_tw.sim.vendors.speaking import (
    ALAW,
    CELL,
    FLOAT,
    LINEAR,
    MULAW,
    UNKNOWN,
    Spoken,
    Timed,
    decode,
    encode,
    plain,
    tones,
    understood,
)

EVERYTHING = "".join(map(chr, range(33, 127)))
RATES = (8_000, 16_000, 22_050, 24_000, 44_100, 48_000)


@pytest.mark.parametrize("form", [LINEAR, FLOAT, MULAW, ALAW])
@pytest.mark.parametrize("rate", RATES)
def test_every_character(form: str, rate: int) -> None:
    """Every printable character is told from all others, in every format."""
    audio = Spoken(EVERYTHING, rate, form).audio
    assert understood(decode(audio, form), rate) == EVERYTHING


@pytest.mark.parametrize("rate", RATES)
def test_resampled(rate: int) -> None:
    """Also behind a resampler, whose delay moves the tones and takes the end of the last one."""
    samples = Resampler(rate, 16_000)(tones(EVERYTHING, rate))
    assert understood(samples) == EVERYTHING


def test_what_is_missing() -> None:
    """A byte lost, a cell twice or noise among it are seen."""
    samples = tones("Hello there", 8_000)
    size = round(CELL * 8_000)
    assert understood(samples[3 * size :], 8_000) == "lo there"
    torn = np.frombuffer(b"\0" + samples.tobytes()[:-1], "<i2")
    assert "Hello" not in understood(torn, 8_000)
    noise = np.random.default_rng(1).integers(-8000, 8000, size).astype(np.int16)
    assert understood(noise, 8_000) == UNKNOWN


def test_other_scripts() -> None:
    """What is no ASCII sounds, too, and is compared by its plain form."""
    text = "नमस्ते, Zoë"
    assert understood(tones(text, 16_000)) == plain(text)
    assert plain("abc") == "abc"


@pytest.mark.parametrize(("form", "law"), [(MULAW, OUR_MULAW), (ALAW, OUR_ALAW)])
def test_laws(form: str, law: object) -> None:
    """Two codecs that were written apart agree: on each code's value, and on the value's code."""
    assert isinstance(law, type(OUR_MULAW))
    codes = bytes(range(256))
    np.testing.assert_array_equal(decode(codes, form), law.decode(codes))
    again = decode(encode(law.decode(codes), form), form)
    np.testing.assert_array_equal(again, law.decode(codes))


def test_pieces() -> None:
    """Odd pieces together are the whole, and each character and word is told with its own."""
    spoken = Spoken("one two three", 8_000, LINEAR)
    pieces = list(spoken.pieces())
    assert b"".join(piece.payload for piece in pieces) == spoken.audio
    assert any(len(piece.payload) % 2 for piece in pieces)
    assert [one for piece in pieces for one in piece.characters] == list(spoken.characters)
    assert [one for piece in pieces for one in piece.words] == list(spoken.words)
    assert spoken.seconds == pytest.approx(13 * CELL)


def test_words() -> None:
    """Words are timed by their characters, also when one is part of another."""
    assert Spoken(" a  data a", 8_000).words == (
        Timed("a", pytest.approx(CELL), pytest.approx(2 * CELL)),
        Timed("data", pytest.approx(4 * CELL), pytest.approx(8 * CELL)),
        Timed("a", pytest.approx(9 * CELL), pytest.approx(10 * CELL)),
    )


def test_wav() -> None:
    """The header is one that Python's own reader takes."""
    audio = Spoken("wave", 24_000).audio
    with wave.open(io.BytesIO(speaking.wav(audio, 24_000))) as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (24_000, 2, 1)
        assert file.readframes(file.getnframes()) == audio
