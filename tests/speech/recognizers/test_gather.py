"""Frames that travel together."""

from __future__ import annotations

import numpy as np
import pytest

from rapida_tw.audio.format import FRAME, RATE, SILENCE, Encoding
from rapida_tw.audio.g711 import ALAW, MULAW
from rapida_tw.audio.resample import Resampler
from rapida_tw.speech.recognizers.gather import Gatherer
from rapida_tw.speech.scripted import hum
from tests.speech.recognizers.stand_in import numbered

TONE = hum(1.0).reshape(-1, FRAME)


@pytest.mark.parametrize("ms", [20, 50, 80, 100, 130, 250])
def test_any_length(ms: int) -> None:
    """Every piece is as long as the vendor wants it, and together they are the call."""
    gatherer = Gatherer(Encoding.LINEAR16, RATE, ms)
    pieces = [piece for frame in TONE if (piece := gatherer.hear(frame))]
    assert {len(piece) for piece in pieces} == {2 * RATE * ms // 1000}
    rest, left = gatherer.rest()
    assert left == len(rest) * 1000 // (2 * RATE)
    assert b"".join([*pieces, rest]) == TONE.astype("<i2").tobytes()


@pytest.mark.parametrize("law", [MULAW, ALAW])
def test_telephone(law: type) -> None:
    """To 8 kHz and G.711, as if it were one piece."""
    encoding = Encoding.MULAW if law is MULAW else Encoding.ALAW
    gatherer = Gatherer(encoding, 8_000, 100)
    pieces = [piece for frame in TONE if (piece := gatherer.hear(frame))]
    whole = Resampler(RATE, 8_000)(TONE.ravel())
    assert b"".join(pieces) == law.encode(whole)
    assert len(pieces) == 10


def test_wider() -> None:
    """To 24 kHz, for vendors that take nothing else."""
    gatherer = Gatherer(Encoding.LINEAR16, 24_000, 100)
    pieces = [piece for frame in TONE if (piece := gatherer.hear(frame))]
    assert {len(piece) for piece in pieces} == {4_800}


def test_rest() -> None:
    """Nothing is left behind, and nothing comes twice."""
    gatherer = Gatherer(Encoding.LINEAR16, RATE, 100)
    assert gatherer.rest() == (b"", 0)
    for number in range(3):
        assert gatherer.hear(numbered(number)) == b""
    rest, ms = gatherer.rest()
    assert (list(rest[:: 2 * FRAME]), ms) == ([0, 1, 2], 60)
    assert gatherer.rest() == (b"", 0)


def test_loud() -> None:
    """A voice is loud, a line is not; what is loud on its own is not beside a voice."""
    gatherer = Gatherer(Encoding.LINEAR16, RATE, 20)
    levels = {"line": numbered(100), "noise": numbered(-900), "voice": numbered(-20_000)}
    heard = []
    for name in ("line", "noise", "voice", "noise", "line"):
        gatherer.hear(levels[name])
        heard.append((name, gatherer.loud))
    assert heard == [
        ("line", False),
        ("noise", True),
        ("voice", True),
        ("noise", False),
        ("line", False),
    ]


def test_frames_are_not_changed() -> None:
    """Others hear the same frames."""
    frame = TONE[0].copy()
    gatherer = Gatherer(Encoding.MULAW, 8_000, 20)
    gatherer.hear(frame)
    assert np.array_equal(frame, TONE[0])
    gatherer.hear(SILENCE)
