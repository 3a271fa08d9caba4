from __future__ import annotations

import pytest

from rapida_tw.sim.faults import NO_FAULTS, Faults, WayOut


class Sent:
    """A way out, and the writes that left it."""

    def __init__(self, faults: Faults = NO_FAULTS) -> None:
        self.writes: list[bytes] = []
        self.way = WayOut(self.writes.append, faults)

    def send(self, *frames: bytes, now: float = 0.0) -> list[bytes]:
        """Lower case is media, upper case is control."""
        for frame in frames:
            self.way.send(frame, now, frame.islower())
        return self.writes


def test_no_faults() -> None:
    """Everything leaves at once, each message in a write of its own."""
    assert Sent().send(b"A", b"b", b"c") == [b"A", b"b", b"c"]


def test_lost() -> None:
    """Every third media message is lost; control messages never are."""
    sent = Sent(Faults(lose_every=3))
    assert sent.send(b"A", b"b", b"c", b"D", b"e", b"f") == [b"A", b"b", b"c", b"D", b"f"]
    assert sent.way.lost == 1


def test_late() -> None:
    """Everything leaves as much later, in its order."""
    sent = Sent(Faults(delay=0.1))
    assert sent.send(b"A", now=1.0) == []
    sent.send(b"b", now=1.05)
    sent.way.beat(1.09)
    assert sent.writes == []
    sent.way.beat(1.1)
    assert sent.writes == [b"A"]
    sent.way.beat(2.0)
    assert sent.writes == [b"A", b"b"]


def test_no_longer_late() -> None:
    """When the fault is over, nothing overtakes what is under way."""
    sent = Sent(Faults(delay=0.1))
    sent.send(b"A", now=1.0)
    sent.way.faults = NO_FAULTS
    assert sent.send(b"b", now=1.05) == []
    sent.way.beat(1.1)
    assert sent.writes == [b"A", b"b"]


def test_swapped() -> None:
    """A control message leaves behind the media that follows it."""
    assert Sent(Faults(swap=True)).send(b"a", b"B", b"c", b"d") == [b"a", b"cB", b"d"]


def test_stall() -> None:
    """What a stall keeps back leaves in one burst; then all is as before."""
    sent = Sent()
    sent.way.stall()
    sent.way.stall()
    assert sent.send(b"a", b"B") == []
    sent.way.unstall()
    assert sent.send(b"c") == [b"aB", b"c"]


def test_nothing_kept_back() -> None:
    """A stall in which nothing was sent leaves nothing."""
    sent = Sent()
    sent.way.stall()
    sent.way.unstall()
    assert sent.writes == []


@pytest.mark.parametrize("faults", [Faults(delay=1.0), Faults(swap=True)])
def test_flush(faults: Faults) -> None:
    """The last message does not stay behind, and stays the last."""
    sent = Sent(faults)
    sent.send(b"A", b"B")
    sent.way.flush()
    assert b"".join(sent.writes) == b"AB"


def test_cut() -> None:
    """Each write is torn as it is told."""
    sent = Sent(Faults(cut=lambda data: (data[:1], data[1:])))
    assert sent.send(b"abc") == [b"a", b"bc"]
