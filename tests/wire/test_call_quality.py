"""The E-model: loss and delay as a score."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.wire.call_quality import loss_percent, mos, one_way_ms


@pytest.mark.parametrize(
    ("loss", "scores"),
    [
        (0, (4.38, 4.33, 3.99)),
        (1, (4.30, 4.23, 3.85)),
        (5, (3.87, 3.77, 3.28)),
        (10, (3.35, 3.23, 2.69)),
    ],
)
def test_table(loss: float, scores: tuple[float, float, float]) -> None:
    """The table of the protocol notes: G.711 whose gaps are concealed, at 50, 150 and 250 ms."""
    for delay, score in zip((50, 150, 250), scores, strict=True):
        assert mos(loss, delay, "PCMU") == pytest.approx(score, abs=0.006)


def test_without_concealment() -> None:
    """Gaps that are silence cost more."""
    concealed, silent = mos(5, 50, "PCMA"), mos(5, 50, "PCMA", concealed=False)
    assert concealed is not None
    assert silent is not None
    assert silent == pytest.approx(2.11, abs=0.006)
    assert silent < concealed


@pytest.mark.parametrize(
    ("loss", "delay", "codec"),
    [(None, 50, "PCMU"), (0, None, "PCMU"), (0, 50, "opus"), (0, 50, "")],
)
def test_unknown(loss: float | None, delay: float | None, codec: str) -> None:
    """What is not known has no score, and not the best one."""
    assert mos(loss, delay, codec) is None


@pytest.mark.parametrize("codec", ["PCMU", "pcma", "G722", "L16"])
def test_codecs(codec: str) -> None:
    """These have figures, however they are written."""
    assert mos(0, 50, codec) == pytest.approx(4.38, abs=0.006)


@given(st.floats(-10, 200), st.floats(-10, 1e6))
def test_bounds(loss: float, delay: float) -> None:
    """From 1 to 4.5, whatever is measured."""
    score = mos(loss, delay, "PCMU")
    assert score is not None
    assert 1 <= score <= 4.5


@given(st.floats(0, 100), st.floats(0, 100), st.floats(0, 400))
def test_more_loss_is_not_better(one: float, other: float, delay: float) -> None:
    """The score falls with loss, as long as there is something to hear."""
    less, more = mos(min(one, other), delay, "PCMU"), mos(max(one, other), delay, "PCMU")
    assert less is not None
    assert more is not None
    assert more <= less + 1e-9


@pytest.mark.parametrize(
    ("lost", "heard", "percent"), [(0, 0, None), (0, 250, 0), (5, 95, 5), (3, 0, 100)]
)
def test_loss_percent(lost: int, heard: int, percent: float | None) -> None:
    """Of the interval's packets; of none it is unknown."""
    assert loss_percent(lost, heard) == percent


def test_one_way() -> None:
    """Half the round trip, the packet's own time, and what waits in buffers."""
    assert one_way_ms(0.1) == 70
    assert one_way_ms(0.1, 30, 40) == 120
    assert one_way_ms(None) is None
