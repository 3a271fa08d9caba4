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
    assert order.complete(1, " Look. ", 0.5) == [Final("Look.", 0.5), Partial("")]
    assert not order


@given(st.permutations(range(4)))
def test_any_order(completed: list[int]) -> None:
    """With patience enough, whichever comes first."""
    order = InOrder(patience=3)
    for key in range(4):
        order.begin(key)
    told = [event for key in completed for event in order.complete(key, str(key))]
    assert [one.text for one in told if isinstance(one, Final)] == ["0", "1", "2", "3"]
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
    """One that is never completed does not hold up the others for longer."""
    order = InOrder(patience=1)
    order.so_far(0, "lost")
    assert order.complete(1, "one") == [Partial("lost one")]
    assert order.complete(2, "two") == [Final("one"), Final("two"), Partial("")]
    assert not order


def test_late_piece() -> None:
    """What was given up and comes after all is told then."""
    order = InOrder()
    order.so_far(0, "late")
    assert order.complete(1, "one") == [Final("one"), Partial("")]
    assert order.complete(0, "late") == [Final("late"), Partial("")]
