"""Recent: believed for a second, never across a change."""

from __future__ import annotations

from twisted.internet.task import Clock

from rapida_tw.store import recent
from rapida_tw.store.recent import TRUST, Recent


def made() -> tuple[Clock, Recent[str]]:
    clock = Clock()
    return clock, Recent(clock.seconds)


def test_believed() -> None:
    """For a second, and not longer."""
    clock, kept = made()
    assert kept.get(1) is None
    assert kept.keep(1)("Ada") == "Ada"
    clock.advance(TRUST - 0.01)
    assert kept.get(1) == "Ada"
    assert kept.get(2) is None
    clock.advance(0.01)
    assert kept.get(1) is None


def test_change() -> None:
    """After a change nothing is believed."""
    _, kept = made()
    kept.keep(1)("Ada")
    kept.forget()
    assert kept.get(1) is None


def test_change_while_it_was_read() -> None:
    """What was read before the change, and arrived after it, is given on and not kept."""
    _, kept = made()
    arrived = kept.keep(1)
    kept.forget()
    assert arrived("Ada") == "Ada"
    assert kept.get(1) is None


def test_bounded() -> None:
    """The longest known goes first."""
    _, kept = made()
    for number in range(recent._MOST + 1):
        kept.keep(number)("x")
    assert kept.get(0) is None
    assert kept.get(1) == "x"
