"""Concealment: what fills a gap, and how the sound comes back."""

from __future__ import annotations

import numpy as np
import pytest

from rapida_tw.audio.concealment import LASTING, Concealment
from rapida_tw.audio.format import FRAME, RATE, SILENCE, Samples
from tests.audio.signals import noise, rms, sine

LEVEL: Samples = np.full(FRAME, 8000, np.int16)
FADE = 80  # samples: 5 ms


def test_gains() -> None:
    """Whole, half, a quarter, nothing: each for 20 ms, and 5 ms from one to the next."""
    frames = Concealment(LEVEL).take(4 * FRAME).reshape(4, FRAME)
    for frame, level in zip(frames, (8000, 4000, 2000, 0), strict=True):
        assert set(frame[: FRAME - FADE].tolist()) == {level}
    assert LASTING == 3 * FRAME


def test_repeats() -> None:
    """What is heard is what was heard last: backwards, forwards, backwards."""
    sound = noise(FRAME)
    frames = Concealment(sound).take(LASTING).reshape(3, FRAME)
    np.testing.assert_array_equal(frames[0][:240], sound[::-1][:240])
    np.testing.assert_array_equal(frames[1][:240], np.rint(sound[:240] / 2))
    np.testing.assert_array_equal(frames[2][:240], np.rint(sound[::-1][:240] / 4))


def test_no_seam_clicks() -> None:
    """Nowhere, into the gap, in it and out of it, is a step larger than the sound's own."""
    tone = sine(300, RATE, 0.2, 8000)
    gap = Concealment(tone[:FRAME])
    whole = np.concatenate((tone[:FRAME], gap.take(FRAME), gap.into(tone[2 * FRAME :])))
    # The sine's own is 8000 * 2 pi * 300 / 16000; a fade over 5 ms adds 16000 / 80 to it.
    assert np.abs(np.diff(whole.astype(int))).max() < 8000 * 2 * np.pi * 300 / RATE + 200


@pytest.mark.parametrize("size", [1, 80, 160, 320, 333, 1000])
def test_any_pieces(size: int) -> None:
    """How the gap is cut makes no difference."""
    sound = noise(FRAME)
    whole = Concealment(sound).take(4000)
    gap = Concealment(sound)
    pieces = [gap.take(min(size, 4000 - at)) for at in range(0, 4000, size)]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)


def test_back() -> None:
    """5 ms of both, and then the sound itself."""
    gap = Concealment(LEVEL)
    gap.take(FRAME)
    back = gap.into(SILENCE)
    assert back[0] > 3900  # half of the level, still
    assert np.all(np.diff(back[:FADE].astype(int)) < 0)
    assert not back[FADE:].any()


def test_back_after_silence() -> None:
    """After a long gap the sound rises from nothing."""
    gap = Concealment(LEVEL)
    gap.take(RATE)
    back = gap.into(LEVEL)
    assert back[0] < 200
    assert set(back[FADE:].tolist()) == {8000}


def test_short_return() -> None:
    """A piece shorter than the fade is faded as far as it goes."""
    gap = Concealment(LEVEL)
    gap.take(RATE)
    assert len(gap.into(LEVEL[:10])) == 10
    assert len(gap.into(LEVEL[:0])) == 0


def test_from_silence() -> None:
    """Nothing before it is nothing in it."""
    assert rms(Concealment(SILENCE).take(2000)) == 0
