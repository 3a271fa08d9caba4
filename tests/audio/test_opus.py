"""Opus: bytes of libopus, wideband, and what it makes of lost packets."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.audio import opus
from rapida_tw.audio.format import FRAME, RATE, TICKS_PER_SECOND, Samples
from tests.audio.signals import decibels, noise, rms

pytestmark = pytest.mark.skipif(not opus.available(), reason="no libopus")

SILK_WIDEBAND = 9  # the configuration in a packet's first byte (RFC 6716 3.1, table 2)


def voice(seconds: float) -> Samples:
    """A hum that swells three times a second, with breath: int16[n]."""
    time = np.arange(round(seconds * RATE)) / RATE
    swell = (1 + np.sin(2 * np.pi * 3 * time)) / 2
    hum = sum(np.sin(2 * np.pi * 150 * n * time) / n for n in range(1, 12))
    return (4000 * hum * swell + noise(len(time), 300)).astype(np.int16)


def encoded(sound: Samples) -> list[bytes]:
    encoder = opus.Encoder()
    return [encoder.encode(sound[at : at + FRAME]) for at in range(0, len(sound), FRAME)]


def decoded(payloads: list[bytes]) -> Samples:
    decoder = opus.Decoder()
    return np.concatenate([decoder.decode(payload) for payload in payloads])


def test_a_frame_each() -> None:
    """A packet is 20 ms, of whatever size."""
    payloads = encoded(voice(1.0))
    assert len(set(map(len, payloads))) > 1
    decoder = opus.Decoder()
    for payload in payloads:
        sound = decoder.decode(payload)
        assert (sound.shape, sound.dtype) == ((FRAME,), np.dtype(np.int16))


def test_rate_and_band() -> None:
    """24 kbit/s, and the upper band is in it."""
    payloads = encoded(voice(4.0))
    kilobits = sum(map(len, payloads)) * 8 / len(payloads) * TICKS_PER_SECOND / 1000
    assert 16 < kilobits < 26
    bands = Counter(payload[0] >> 3 for payload in payloads)
    assert bands.most_common(1)[0][0] == SILK_WIDEBAND


def test_sounds_alike() -> None:
    """What comes back has the spectrum of what was said, within 2 dB in each band of 1 kHz."""
    said = voice(4.0)
    heard = decoded(encoded(said))

    def bands(sound: Samples) -> list[float]:
        spectrum = np.abs(np.fft.rfft(sound.astype(float)))
        return [rms(spectrum[at : at + 4000]) for at in range(0, 8000, 4000)]

    for one, other in zip(bands(said), bands(heard), strict=True):
        assert abs(decibels(one / other)) < 2


def test_streams_are_apart() -> None:
    """Two streams at the same time are what each would be alone."""
    one, two = voice(0.4), noise(20 * FRAME)
    first, second = opus.Encoder(), opus.Encoder()
    payloads = []
    for at in range(0, len(one), FRAME):
        payloads.append(first.encode(one[at : at + FRAME]))
        second.encode(two[at : at + FRAME])
    assert payloads == encoded(one)


def test_copy_of_the_lost() -> None:
    """A lost packet comes with the next one, much closer to it than a guess."""
    payloads = encoded(voice(4.0))
    whole = decoded(payloads).reshape(-1, FRAME).astype(float)

    def error(lost: bool) -> float:
        decoder = opus.Decoder()
        differences = []
        for number, payload in enumerate(payloads):
            if number % 10 == 5:
                guessed = decoder.lost(FRAME) if lost else decoder._heard(None, FRAME)
                if not lost:
                    differences.append(guessed - whole[number])
                continue
            sound = decoder.decode(payload)
            if lost and number % 10 == 6:
                assert len(sound) == 2 * FRAME
                differences.append(sound[:FRAME] - whole[number - 1])
        return rms(np.concatenate(differences))

    assert decibels(error(lost=False) / error(lost=True)) > 5


@pytest.mark.parametrize(
    ("losses", "samples"),
    [((FRAME,), 320), ((FRAME, FRAME), 640), ((30,), 0), ((161,), 160), ((RATE,), 3200)],
)
def test_length_of_a_gap(losses: tuple[int, ...], samples: int) -> None:
    """Made up in pieces of 2.5 ms, and for 200 ms at most."""
    payloads = encoded(voice(0.1))
    decoder = opus.Decoder()
    decoder.decode(payloads[0])
    for lost in losses:
        assert len(decoder.lost(lost)) == 0
    assert len(decoder.decode(payloads[1])) == samples + FRAME
    assert len(decoder.decode(payloads[2])) == FRAME


def test_long_gap_fades() -> None:
    """After 200 ms there is next to nothing left of the voice."""
    payloads = encoded(voice(0.4))
    decoder = opus.Decoder()
    for payload in payloads[:10]:
        decoder.decode(payload)
    decoder.lost(RATE)
    gap = decoder.decode(payloads[10])[: 8 * FRAME]
    assert rms(gap[-FRAME:]) < rms(gap[:FRAME]) / 4


def test_longest_packet() -> None:
    """Three frames of 20 ms in one packet are 60 ms (RFC 6716 3.2.5)."""
    frames = encoded(voice(0.06))
    # Code 3, variable lengths, three frames; lengths below 252 are a byte.
    first = bytes(((frames[0][0] & 0xFC) | 3, 0x83, len(frames[0]) - 1, len(frames[1]) - 1))
    packet = first + b"".join(frame[1:] for frame in frames)
    assert len({frame[0] for frame in frames}) == 1
    assert len(opus.Decoder().decode(packet)) == 3 * FRAME


def test_broken_packet() -> None:
    """One that libopus refuses is heard as a lost one, in its length; an empty one is nothing."""
    decoder = opus.Decoder()
    assert len(decoder.decode(b"\x4b")) == FRAME  # code 3 without a count of frames
    assert len(decoder.decode(b"")) == 0


@given(st.binary(max_size=1400))
def test_rubbish(payload: bytes) -> None:
    """Whatever comes, there are at most 120 ms of something."""
    assert len(opus.Decoder().decode(payload)) <= 6 * FRAME


def test_library_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no libopus, it is said so, and nothing else happens."""
    opus._library.cache_clear()
    monkeypatch.setattr(opus, "_NAMES", ("libopus.so.none",))
    try:
        assert not opus.available()
        with pytest.raises(RuntimeError):
            opus.Encoder()
        with pytest.raises(RuntimeError):
            opus.Decoder()
    finally:
        opus._library.cache_clear()
