"""How the encoding of a stream is found where Exotel does not plainly tell it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.audio.format import Encoding
from rapida_tw.carriers.exotel_encoding import DEFAULT, Decision, Measurement, announced, whole

PCM, MULAW = Encoding.LINEAR16, Encoding.MULAW


@pytest.mark.parametrize(
    ("encoding", "bit_rate", "rate", "meant"),
    [
        ("mulaw", "", 8_000, MULAW),
        ("audio/x-mulaw", "128kbps", 8_000, MULAW),
        ("ULAW", "", 8_000, MULAW),
        ("PCMU", "", 8_000, MULAW),
        ("raw", "", 8_000, PCM),
        ("audio/x-raw", "64", 8_000, PCM),
        ("audio/x-l16", "", 16_000, PCM),
        ("slin", "", 8_000, PCM),
        ("LINEAR16", "", 8_000, PCM),
        ("pcm", "", 8_000, PCM),
        ("base64", "128kbps", 8_000, PCM),
        ("base64", "128", 8_000, PCM),
        ("base64", "256kbps", 16_000, PCM),
        ("base64", "384 kbps", 24_000, PCM),
        ("base64", "16", 24_000, PCM),
        ("base64", "64kbps", 8_000, MULAW),
        ("", "8", 8_000, MULAW),
        ("base64", "128kbps", 16_000, None),
        ("base64", "64kbps", 16_000, None),
        ("base64", "fast", 8_000, None),
        ("", "", 8_000, None),
    ],
)
def test_announced(encoding: str, bit_rate: str, rate: int, meant: Encoding | None) -> None:
    """The encoding's name first, then the bit rate, where it means one thing only."""
    decision = announced(encoding, bit_rate, rate)
    assert (decision and decision.encoding) == meant


def test_reasons() -> None:
    """The decision says what it was made by."""
    assert announced("raw", "", 8_000) == Decision(PCM, "by its encoding 'raw'")
    assert announced("base64", "64kbps", 8_000) == Decision(MULAW, "by its bit rate '64kbps'")


def measure(rate: int, size: int, step: int | None, count: int = 20) -> tuple[int, Decision]:
    """The decision on messages of `size` bytes every `step` ms, and how many it took."""
    measurement = Measurement(rate)
    for number in range(count):
        decision = measurement.add(None if step is None else 70 + number * step, size)
        if decision is not None:
            return number + 1, decision
    raise AssertionError("no decision")


@pytest.mark.parametrize(
    ("rate", "size", "step", "meant", "messages"),
    [
        (8_000, 1_600, 100, PCM, 3),
        (8_000, 800, 100, MULAW, 3),
        (16_000, 3_200, 100, PCM, 3),
        (16_000, 1_600, 100, MULAW, 3),
        (24_000, 4_800, 100, PCM, 3),
        (8_000, 320, 20, PCM, 10),  # it takes ten, and they are less than 200 ms
        (8_000, 160, 20, MULAW, 10),
        (8_000, 640, 40, PCM, 6),
        (8_000, 6_400, 400, PCM, 2),
    ],
)
def test_measured(rate: int, size: int, step: int, meant: Encoding, messages: int) -> None:
    """Bytes that come for 200 ms of the stream, or ten messages."""
    taken, decision = measure(rate, size, step)
    assert (taken, decision.encoding) == (messages, meant)


def test_measured_reason() -> None:
    """The figure is told."""
    assert measure(8_000, 800, 100)[1].reason == "by 8.0 bytes a ms"


@pytest.mark.parametrize("step", [None, 0, -100, 1_000, 37])
def test_unclear(step: int | None) -> None:
    """Timestamps that are missing or make no sense: after ten messages it is the default."""
    assert measure(8_000, 1_600, step) == (10, DEFAULT)


def test_late_timestamps() -> None:
    """What came before the first timestamp is not measured."""
    measurement = Measurement(8_000)
    for timestamp in (None, None, None, 300, 400):
        assert measurement.add(timestamp, 800) is None
    decision = measurement.add(500, 800)
    assert decision is not None
    assert decision.encoding is MULAW


@given(st.lists(st.tuples(st.none() | st.integers(0), st.integers(0, 100_000)), min_size=10))
def test_decides(messages: list[tuple[int | None, int]]) -> None:
    """Whatever comes, ten messages are enough."""
    measurement = Measurement(8_000)
    assert any(measurement.add(*message) for message in messages[:10])


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("8000", 8_000),
        ("8000Hz", 8_000),
        ("1767323045678", 1767323045678),
        ("128kbps", 128),
        ("", None),
        ("\u0668", None),
    ],
)
def test_whole(text: str, number: int | None) -> None:
    """The number in a text with its unit."""
    assert whole(text) == number
