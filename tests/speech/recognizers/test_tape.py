"""What is kept of a call for another connection."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.speech.recognizers.tape import KEPT, WAITING, Piece, Tape


def piece(number: int) -> Piece:
    """100 ms."""
    return Piece(b"%d" % number, 100)


def taken(tape: Tape) -> list[int]:
    return [int(tape.take().payload) for _ in range(len(tape))]


def test_in_order() -> None:
    """What waits is taken in its order."""
    tape = Tape()
    for number in range(5):
        assert tape.add(piece(number)) == 0
    assert taken(tape) == [0, 1, 2, 3, 4]


def test_waiting_is_bounded() -> None:
    """The oldest go, and it is told how much that was."""
    tape = Tape()
    assert sum(tape.add(piece(number)) for number in range(40)) == 1000
    assert taken(tape) == list(range(10, 40))
    assert tape.truncated


def test_rewound() -> None:
    """What was sent comes again before what waits; of long ago it is not kept."""
    tape = Tape()
    for number in range(25):
        tape.add(piece(number))
    taken(tape)
    assert tape.truncated
    tape.add(piece(25))
    tape.rewind()
    assert taken(tape) == list(range(5, 26))


def test_settled() -> None:
    """What is final does not come again; what waits does."""
    tape = Tape()
    tape.add(piece(0))
    taken(tape)
    tape.add(piece(1))
    tape.settle()
    tape.rewind()
    assert taken(tape) == [1]
    assert not tape.truncated


@given(st.lists(st.sampled_from(["add", "take", "settle", "rewind"]), max_size=200))
def test_bounds(steps: list[str]) -> None:
    """Whatever happens, it holds no more than it may, without gaps and in order."""
    tape, number = Tape(), 0
    for step in steps:
        if step == "add":
            tape.add(piece(number))
            number += 1
        elif step == "take" and len(tape):
            tape.take()
        elif step == "settle":
            tape.settle()
        else:
            tape.rewind()
        assert len(tape) <= (WAITING + KEPT) // 100
    tape.rewind()
    left = taken(tape)
    assert left == list(range(number - len(left), number))
