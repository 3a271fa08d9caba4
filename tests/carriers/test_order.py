"""Messages that overtake each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.carriers.order import LATEST, Order


def heard(*numbers: int) -> list[int]:
    order = Order()
    return [int(one) for number in numbers for one in order.arrived(number, b"%d" % number)]


def test_in_order() -> None:
    """Each is heard at once, whatever the first one's number."""
    order = Order()
    assert [order.arrived(number, b"x") for number in (7, 8, 9)] == [[b"x"]] * 3


@pytest.mark.parametrize(
    ("arrived", "expected"),
    [
        ((1, 3, 2, 4), (1, 2, 3, 4)),
        ((1, 3, 4, 5, 6, 7, 2), (1, 2, 3, 4, 5, 6, 7)),
        ((1, 4, 3, 2, 5), (1, 2, 3, 4, 5)),
    ],
)
def test_put_right(arrived: tuple[int, ...], expected: tuple[int, ...]) -> None:
    """What was overtaken by five or fewer finds its place."""
    assert heard(*arrived) == [*expected]


def test_given_up() -> None:
    """One that was overtaken by six is not waited for, and is dropped when it comes."""
    assert heard(1, 3, 4, 5, 6, 7, 8, 2, 9) == [1, 3, 4, 5, 6, 7, 8, 9]


def test_repeated() -> None:
    """The same numbers again are too late, however many."""
    assert heard(*range(20), *range(10), 20) == [*range(21)]


def test_counted_anew() -> None:
    """A number far back is a new count: one that starts again is not deaf for ever."""
    assert heard(500, 501, 1, 2, 3) == [500, 501, 1, 2, 3]


def test_rest() -> None:
    """At the end, what waits is heard, too."""
    order = Order()
    for number in (1, 4, 3):
        order.arrived(number, b"%d" % number)
    assert order.rest() == [b"3", b"4"]
    assert order.rest() == []


@given(st.lists(st.integers(0, 2**60), max_size=50))
def test_bounded(numbers: list[int]) -> None:
    """Any numbers: nothing is heard twice, and few wait."""
    order = Order()
    total = 0
    for count, number in enumerate(numbers, 1):
        total += len(order.arrived(number, b""))
        assert total <= count
    assert len(order.rest()) <= LATEST


@given(st.permutations(range(LATEST + 1)))
def test_any_permutation(numbers: list[int]) -> None:
    """After a first one, any order of six is put right."""
    assert heard(0, *(number + 1 for number in numbers)) == list(range(LATEST + 2))
