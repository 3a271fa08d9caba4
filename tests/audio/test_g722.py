"""G.722: what ITU-T G.722 says of its bytes, its bands, its delay and its memory."""

from __future__ import annotations

import numpy as np
import pytest

from rapida_tw.audio.format import FRAME, RATE, SILENCE, Samples
from rapida_tw.audio.g722 import Decoder, Encoder
from tests.audio.signals import decibels, noise, rms, sine, tone_and_rest

DELAY = 22  # samples: two filters of 24 taps that split the bands and join them (figure 4 and 5)


def there_and_back(samples: Samples, size: int = FRAME) -> Samples:
    """Encoded and decoded, `size` samples at a time."""
    encoder, decoder = Encoder(), Decoder()
    pieces = [samples[at : at + size] for at in range(0, len(samples), size)]
    return np.concatenate([decoder.decode(encoder.encode(piece)) for piece in pieces])


def test_two_samples_a_byte() -> None:
    """20 ms are 160 bytes, and 160 bytes are 320 samples."""
    payload = Encoder().encode(noise(FRAME))
    assert len(payload) == 160
    decoded = Decoder().decode(payload)
    assert (decoded.shape, decoded.dtype) == ((FRAME,), np.dtype(np.int16))


def test_silence() -> None:
    """Silence is no byte that is always the same, but what is heard of it is silent."""
    encoder, decoder = Encoder(), Decoder()
    payloads = [encoder.encode(SILENCE) for _ in range(50)]
    assert len(set(payloads)) > 1
    heard = np.concatenate([decoder.decode(payload) for payload in payloads])
    assert np.abs(heard).max() <= 4


@pytest.mark.parametrize(
    ("frequency", "least"), [(400, 50), (1000, 40), (3000, 35), (5000, 20), (6500, 20)]
)
def test_round_trip(frequency: int, least: float) -> None:
    """A tone of either band comes back at its level, and the noise below it is faint."""
    tone = sine(frequency, RATE, 1.0)
    settled = there_and_back(tone)[RATE // 10 :]
    level, rest = tone_and_rest(settled, frequency, RATE)
    assert abs(decibels(level / rms(tone))) < 0.2
    assert decibels(level / rest) > least


def test_delay() -> None:
    """What is heard is 22 samples late, and not a sample more."""
    click = np.zeros(FRAME, np.int16)
    click[100] = 20_000
    heard = there_and_back(click)
    assert int(np.argmax(np.abs(heard.astype(int)))) == 100 + DELAY


def test_state_is_carried() -> None:
    """How a stream is cut into packets makes no difference."""
    sound = noise(10 * FRAME)
    whole = there_and_back(sound, len(sound))
    for size in (FRAME, 160, 2):
        np.testing.assert_array_equal(there_and_back(sound, size), whole)


def test_streams_are_apart() -> None:
    """Two streams at the same time are what each would be alone."""
    one, two = noise(4 * FRAME, seed=1), noise(4 * FRAME, seed=2)
    first, second = Encoder(), Encoder()
    payloads = []
    for at in range(0, len(one), FRAME):
        payloads.append(first.encode(one[at : at + FRAME]))
        second.encode(two[at : at + FRAME])
    assert b"".join(payloads) == Encoder().encode(one)


def test_forgets_a_gap() -> None:
    """After lost packets, the decoder finds back: predictors leak (clause 3.6.4)."""
    tone = sine(700, RATE, 2.0)
    encoder = Encoder()
    payloads = [encoder.encode(tone[at : at + FRAME]) for at in range(0, len(tone), FRAME)]
    del payloads[20:25]
    decoder = Decoder()
    heard = np.concatenate([decoder.decode(payload) for payload in payloads])
    level, rest = tone_and_rest(heard[RATE:], 700, RATE)
    assert decibels(level / rest) > 30


def test_any_bytes() -> None:
    """Every byte is valid, and nothing at all is nothing."""
    rubbish = np.random.default_rng(1).integers(0, 256, 997, np.uint8).tobytes()
    assert len(Decoder().decode(rubbish)) == 2 * 997
    assert len(Decoder().decode(b"")) == 0


def test_samples_that_lie_apart() -> None:
    """A channel of a stereo recording is encoded as its copy would be."""
    stereo = noise(2 * FRAME).reshape(FRAME, 2)
    assert Encoder().encode(stereo[:, 0]) == Encoder().encode(stereo[:, 0].copy())
