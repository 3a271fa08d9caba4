"""Pieces of speech in their order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.speech.recognizers.order import InOrder
from rapida_tw.speech.recognizers.wire import Final, Partial


def test_one_piece() -> None:
    """It grows, is replaced, and is told."""
    order = InOrder()
    assert order.grow(1, "bo") == Partial("bo")
    assert order.grow(1, "ok ") == Partial("book")
    assert order.so_far(1, "look at") == Partial("look at")
    assert order
    assert order.complete(1, " Look. ") == [Final("Look."), Partial("")]
    assert not order


@given(st.permutations(range(4)))
def test_any_order(completed: list[int]) -> None:
    """Up to three of four may be told first."""
    order = InOrder()
    for key in range(4):
        order.begin(key)
    told = [event for key in completed for event in order.complete(key, str(key))]
    finals = [event.text for event in told if isinstance(event, Final)]
    late = completed.index(0) == 3  # the first came last, and was not waited for
    assert finals == (["1", "2", "3", "0"] if late else ["0", "1", "2", "3"])
    assert not order


def test_partial_of_several() -> None:
    """What is known of all that was not told."""
    order = InOrder()
    order.begin(1)
    assert order.so_far(2, "two") == Partial("two")
    assert order.so_far(1, "one") == Partial("one two")
    assert order.complete(1, "One.") == [Final("One."), Partial("two")]


def test_nothing_was_said() -> None:
    """A piece without words is told as such."""
    assert InOrder().complete(1, " ") == [Partial("")]


def test_lost_piece() -> None:
    """One that is never completed does not hold up the others for ever."""
    order = InOrder()
    order.so_far(0, "lost")
    for key in (1, 2):
        assert not [e for e in order.complete(key, str(key)) if isinstance(e, Final)]
    assert order.complete(3, "3") == [*map(Final, ("lost", "1", "2", "3")), Partial("")]
