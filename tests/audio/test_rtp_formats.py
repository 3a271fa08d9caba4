"""The formats of RTP's codecs, and what a frame of each weighs."""

from __future__ import annotations

import pytest

from rapida_tw.audio.format import AudioFormat, Encoding
from rapida_tw.audio.rtp_formats import format_of


@pytest.mark.parametrize(
    ("name", "clock", "encoding", "rate", "frame", "sample"),
    [
        ("PCMU", 8_000, Encoding.MULAW, 8_000, 160, 1),
        ("pcma", 8_000, Encoding.ALAW, 8_000, 160, 1),
        ("G722", 8_000, Encoding.G722, 16_000, 160, 0),
        ("L16", 16_000, Encoding.L16, 16_000, 640, 2),
        ("L16", 8_000, Encoding.L16, 8_000, 320, 2),
        ("L16", 44_100, Encoding.L16, 44_100, 1764, 2),
        ("opus", 48_000, Encoding.OPUS, 16_000, 0, 0),
        ("OPUS", 48_000, Encoding.OPUS, 16_000, 0, 0),
    ],
)
def test_formats(
    name: str, clock: int, encoding: Encoding, rate: int, frame: int, sample: int
) -> None:
    """Samples a second, and bytes of a tick and of a sample; 0 where there is no such number."""
    format = format_of(name, clock)
    assert format == AudioFormat(encoding, rate)
    assert (format.frame_bytes, format.sample_bytes) == (frame, sample)
    assert format.continuous


@pytest.mark.parametrize(
    ("name", "clock"),
    [("G722", 16_000), ("opus", 16_000), ("L16", 1), ("PCMU", 0), ("G729", 8_000), ("", 8_000)],
)
def test_unknown(name: str, clock: int) -> None:
    """What is not what it is called cannot be read."""
    with pytest.raises(ValueError, match="no codec"):
        format_of(name, clock)


@pytest.mark.parametrize("encoding", [Encoding.G722, Encoding.OPUS])
def test_one_rate(encoding: Encoding) -> None:
    """G.722 has one rate, and of Opus we ask for one."""
    with pytest.raises(ValueError, match="16000 Hz"):
        AudioFormat(encoding, 8_000)
