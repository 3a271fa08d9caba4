"""Nonces: given without memory, taken once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.wire.sip_nonces import LIFE, WINDOW, Nonces


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def made(most_used: int = 50_000) -> tuple[Nonces, Clock]:
    clock = Clock()
    return Nonces(b"secret", clock, most_used=most_used), clock


def test_fresh() -> None:
    """A nonce of ours is good, and leaves nothing behind until it is used."""
    nonces, _ = made()
    nonce = nonces.issue()
    assert nonces.state(nonce, "00000001") == "fresh"
    assert len(nonces) == 0


def test_unlike() -> None:
    """Two callers in the same moment get two nonces."""
    nonces, _ = made()
    assert len({nonces.issue() for _ in range(1_000)}) == 1_000


def test_other_process() -> None:
    """Whoever has the secret knows the nonce; nobody else does."""
    nonces, clock = made()
    nonce = nonces.issue()
    assert Nonces(b"secret", clock).state(nonce, "00000001") == "fresh"
    assert Nonces(b"other", clock).state(nonce, "00000001") == "forged"


@pytest.mark.parametrize("age", [0.0, LIFE])
def test_alive(age: float) -> None:
    """It may be used for a minute."""
    nonces, clock = made()
    nonce = nonces.issue()
    clock.now += age
    assert nonces.state(nonce, "00000001") == "fresh"


@pytest.mark.parametrize("age", [LIFE + 0.1, 86_400.0, -LIFE - 0.1])
def test_stale(age: float) -> None:
    """Too old, or from a time that has not come: another challenge."""
    nonces, clock = made()
    nonce = nonces.issue()
    clock.now += age
    assert nonces.state(nonce, "00000001") == "stale"


def test_stale_when_used() -> None:
    """Use does not make it live longer."""
    nonces, clock = made()
    nonce = nonces.issue()
    nonces.spend(nonce, "00000001")
    clock.now += LIFE + 0.1
    assert nonces.state(nonce, "00000002") == "stale"


def test_replayed() -> None:
    """A count is taken once, a higher one is welcome."""
    nonces, _ = made()
    nonce = nonces.issue()
    nonces.spend(nonce, "00000001")
    assert nonces.state(nonce, "00000001") == "replayed"
    assert nonces.state(nonce, "00000002") == "fresh"


def test_reordered() -> None:
    """UDP may bring a lower count later, within the window."""
    nonces, _ = made()
    nonce = nonces.issue()
    nonces.spend(nonce, "00000030")
    low = 0x30 - WINDOW
    assert nonces.state(nonce, f"{low + 1:08x}") == "fresh"
    assert nonces.state(nonce, f"{low:08x}") == "replayed"
    nonces.spend(nonce, "0000002a")
    assert nonces.state(nonce, "0000002a") == "replayed"
    assert nonces.state(nonce, "0000002B") == "fresh"


@given(st.lists(st.integers(1, 200), max_size=60))
def test_never_twice(counts: list[int]) -> None:
    """In whatever order counts come, none is taken a second time."""
    nonces, _ = made()
    nonce = nonces.issue()
    taken = []
    for count in counts:
        if nonces.state(nonce, f"{count:08x}") == "fresh":
            taken.append(count)
            nonces.spend(nonce, f"{count:08x}")
    assert len(taken) == len(set(taken))
    assert not counts or max(counts) in taken


@pytest.mark.parametrize(
    "damage",
    [
        lambda nonce: "",
        lambda nonce: nonce[:-1],
        lambda nonce: nonce + "0",
        lambda nonce: nonce.upper(),
        lambda nonce: "0" + nonce,
        lambda nonce: nonce.replace(".", ":"),
        lambda nonce: nonce[:-1] + ("0" if nonce[-1] != "0" else "1"),
        lambda nonce: "é" * len(nonce),
        lambda nonce: "٣" + nonce[1:],
    ],
)
def test_forged(damage: object) -> None:
    """Whatever is not ours, byte for byte."""
    assert callable(damage)
    nonces, _ = made()
    nonce = damage(nonces.issue())
    assert nonces.state(nonce, "00000001") == "forged"
    nonces.spend(nonce, "00000001")
    assert len(nonces) == 0


@pytest.mark.parametrize("nc", ["", "1", "0000000g", "000000001", "٠٠٠٠٠٠٠١"])
def test_no_count(nc: str) -> None:
    """Without a count there is no telling a replay."""
    nonces, _ = made()
    nonce = nonces.issue()
    assert nonces.state(nonce, nc) == "forged"
    nonces.spend(nonce, nc)
    assert len(nonces) == 0


def test_forgotten_with_time() -> None:
    """Used nonces are kept for their life only."""
    nonces, clock = made()
    for _ in range(10):
        nonces.spend(nonces.issue(), "00000001")
    clock.now += LIFE + 1
    nonces.spend(nonces.issue(), "00000001")
    assert len(nonces) == 1


def test_bounded() -> None:
    """At the bound the oldest go, and can still not be used again."""
    nonces, clock = made(most_used=3)
    used = []
    for _ in range(5):
        used.append(nonces.issue())
        nonces.spend(used[-1], "00000001")
        clock.now += 0.5
    assert len(nonces) == 3
    states = [nonces.state(nonce, "00000001") for nonce in used]
    assert states == ["stale", "stale", "replayed", "replayed", "replayed"]
    assert nonces.state(nonces.issue(), "00000001") == "fresh"


@given(st.text(max_size=80), st.text(max_size=10))
def test_any_text(nonce: str, nc: str) -> None:
    """Nothing raises."""
    nonces, _ = made()
    assert nonces.state(nonce, nc) == "forged"
    nonces.spend(nonce, nc)
