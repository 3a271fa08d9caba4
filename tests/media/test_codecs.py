"""The codecs of a leg: which are shared, which remember, and what each makes of silence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.audio import opus
from rapida_tw.audio.format import FRAME, SILENCE, Encoding
from rapida_tw.media.codecs import CODECS, codec_for
from tests.audio.signals import noise

STATEFUL = (Encoding.G722, Encoding.OPUS)
HERE = [one for one in Encoding if one is not Encoding.OPUS or opus.available()]


def test_network_order() -> None:
    """L16 has its high byte first (RFC 3551 4.5.11); LINEAR16 its low one."""
    samples = np.array([0x0102, -2], np.int16)
    assert codec_for(Encoding.L16).encode(samples) == b"\x01\x02\xff\xfe"
    assert codec_for(Encoding.LINEAR16).encode(samples) == b"\x02\x01\xfe\xff"
    decoded = codec_for(Encoding.L16).decode(b"\x01\x02\xff\xfe")
    np.testing.assert_array_equal(decoded, samples)
    assert decoded.dtype == np.dtype(np.int16)


def test_half_a_sample() -> None:
    """An odd byte at the end of L16 is no sample."""
    assert codec_for(Encoding.L16).decode(b"\x01\x02\xff").tolist() == [0x0102]


@pytest.mark.parametrize("encoding", [one for one in HERE if one not in STATEFUL])
def test_shared(encoding: Encoding) -> None:
    """One serves all calls: whatever came before, the same comes out."""
    assert codec_for(encoding) is codec_for(encoding) is CODECS[encoding]
    codec = codec_for(encoding)
    before = codec.encode(noise(FRAME))
    codec.encode(noise(FRAME, seed=2))
    assert codec.encode(noise(FRAME)) == before


@pytest.mark.parametrize("encoding", [one for one in HERE if one in STATEFUL])
def test_own(encoding: Encoding) -> None:
    """Each call has its own, and what one has heard the other does not know."""
    assert encoding not in CODECS
    one, other = codec_for(encoding), codec_for(encoding)
    first = one.encode(noise(FRAME))
    one.encode(noise(FRAME, seed=2))
    assert one.encode(noise(FRAME)) != first
    assert other.encode(noise(FRAME)) == first


@pytest.mark.parametrize("encoding", HERE)
def test_silence(encoding: Encoding) -> None:
    """Silence after a voice is silent in the end."""
    codec = codec_for(encoding)
    codec.decode(codec.encode(noise(FRAME)))
    for _ in range(50):
        heard = codec.decode(codec.encode(SILENCE))
    assert np.abs(heard).max() <= 8


@pytest.mark.parametrize("encoding", HERE)
@given(payload=st.binary(max_size=400))
def test_rubbish(encoding: Encoding, payload: bytes) -> None:
    """No bytes make a decoder raise; of LINEAR16, those that are whole samples."""
    if encoding is Encoding.LINEAR16:
        payload = payload[: len(payload) & ~1]
    assert codec_for(encoding).decode(payload).dtype == np.dtype(np.int16)
