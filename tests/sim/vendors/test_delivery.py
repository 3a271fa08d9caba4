"""Deliveries of the fakes: in pieces, in time, stopped, and each of their troubles."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from rapida_tw.sim.vendors.delivery import Delivery, Manners, Teller, Trouble
from rapida_tw.sim.vendors.speaking import Piece, Spoken


class Ear:
    """A Teller that writes down."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.audio = b""

    def sound(self, piece: Piece) -> None:
        self.audio += piece.payload

    def done(self) -> None:
        self.told.append("done")

    def stopped(self) -> None:
        self.told.append("stopped")

    def garbage(self) -> None:
        self.told.append("garbage")

    def error(self) -> None:
        self.told.append("error")

    def drop(self) -> None:
        self.told.append("drop")


_conforms: type[Teller] = Ear
SPOKEN = Spoken("Twenty characters...", 8_000)  # 1.2 s


def deliver(trouble: Trouble | None = None, until: float = 1.0) -> tuple[Delivery, Ear, Clock]:
    clock, ear, manners = Clock(), Ear(), Manners()
    manners.troubles.append(trouble)
    delivery = Delivery(clock, SPOKEN, manners, ear)
    clock.pump([0.01] * round(until / 0.01))
    return delivery, ear, clock


def test_paced() -> None:
    """Nothing for 100 ms, then twenty times as fast as it sounds, then its end."""
    assert not deliver(until=0.09)[1].audio
    half = deliver(until=0.13)[1]
    assert 0.4 < len(half.audio) / len(SPOKEN.audio) < 0.7
    whole = deliver(until=0.17)[1]
    assert (whole.audio, whole.told) == (SPOKEN.audio, ["done"])


@pytest.mark.parametrize(
    ("trouble", "share", "told"),
    [
        (Trouble.DROP, 0, ["drop"]),
        (Trouble.DROP_MIDWAY, 0.5, ["drop"]),
        (Trouble.SILENCE, 0, []),
        (Trouble.STALL, 0.5, []),
        (Trouble.NO_DONE, 1, []),
        (Trouble.EMPTY, 0, ["done"]),
        (Trouble.GARBAGE, 0, ["garbage"]),
        (Trouble.ERROR, 0, ["error"]),
        (Trouble.LATE, 1, ["done"]),
    ],
)
def test_troubles(trouble: Trouble, share: float, told: list[str]) -> None:
    """Each does what it says, and leaves nothing that waits."""
    _, ear, clock = deliver(trouble)
    assert len(ear.audio) / len(SPOKEN.audio) == pytest.approx(share, abs=0.1)
    assert ear.told == told
    assert not clock.getDelayedCalls()


@pytest.mark.parametrize("trouble", [None, Trouble.SILENCE, Trouble.STALL, Trouble.NO_DONE])
def test_cancelled(trouble: Trouble | None) -> None:
    """Whatever it was doing, it stops, and acknowledges that."""
    delivery, ear, clock = deliver(trouble, until=0.13)
    heard = len(ear.audio)
    delivery.cancel()
    clock.advance(1)
    assert (ear.told, len(ear.audio)) == (["stopped"], heard)


def test_late() -> None:
    """Some of it comes although it was cancelled, and then the acknowledgement."""
    delivery, ear, clock = deliver(Trouble.LATE, until=0.13)
    heard = len(ear.audio)
    delivery.cancel()
    assert ear.told == []
    clock.advance(0.05)
    assert ear.told == ["stopped"]
    assert len(ear.audio) > heard


def test_over() -> None:
    """What is complete cannot be cancelled; who is gone is told nothing."""
    delivery, ear, _ = deliver()
    delivery.cancel()
    assert ear.told == ["done"]
    delivery, ear, clock = deliver(until=0.13)
    delivery.end()
    clock.advance(1)
    assert ear.told == []


def test_counted() -> None:
    """The fake knows how many of its texts nobody wanted to hear to their end."""
    manners = Manners()
    for wait in (0.13, 1.0):
        for stop in (Delivery.cancel, Delivery.end):
            clock = Clock()
            delivery = Delivery(clock, SPOKEN, manners, Ear())
            clock.pump([0.01] * round(wait / 0.01))
            stop(delivery)
            stop(delivery)
    assert manners.stopped == 2
