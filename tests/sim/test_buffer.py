from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.sim.buffer import Buffer, Playing

BEAT = 320  # bytes of 20 ms at 8 kHz
ECHOING = Playing()


class Heard:
    """A buffer at 8 kHz, and what came of it: the bytes of each beat, the marks between them."""

    def __init__(self, playing: Playing = ECHOING) -> None:
        self.log: list[str] = []
        self.sound = b""
        self.buffer = Buffer(8_000, 0.02, playing, self.log.append)

    def play(self, beats: int = 1) -> Heard:
        for _ in range(beats):
            sound = self.buffer.play()
            self.log.append("-" if sound is None else "+")
            self.sound += sound or b""
        return self


@pytest.fixture
def heard() -> Heard:
    return Heard()


def beats(*letters: str) -> bytes:
    """20 ms of each letter."""
    return b"".join(letter.encode() * BEAT for letter in letters)


def test_real_time(heard: Heard) -> None:
    """However fast it comes, it is played 20 ms a beat, in its order."""
    heard.buffer.write(beats("a", "b", "c"))
    heard.buffer.write(beats("d"))
    assert heard.buffer.seconds == 0.08
    assert heard.play(5).log == ["+", "+", "+", "+", "-"]
    assert heard.sound == beats("a", "b", "c", "d")
    assert heard.buffer.seconds == 0


@given(st.lists(st.integers(0, 1_000).map(lambda n: 2 * n), max_size=20))
def test_any_sizes(sizes: Sequence[int]) -> None:
    """How the audio was cut into messages cannot be heard; only its end is filled with silence."""
    heard = Heard()
    audio = bytes(1 + n % 255 for n in range(sum(sizes)))
    start = 0
    for size in sizes:
        heard.buffer.write(audio[start : start + size])
        start += size
    heard.play(200)
    assert heard.sound == audio + bytes(-len(audio) % BEAT)


def test_runs_dry(heard: Heard) -> None:
    """Half a beat is filled up with silence; what comes later begins with the next."""
    heard.buffer.write(b"a" * 100)
    heard.play()
    heard.buffer.write(beats("b"))
    assert heard.play().sound == b"a" * 100 + bytes(220) + beats("b")


def test_mark(heard: Heard) -> None:
    """It comes back when the audio before it has been played to its end, and not before."""
    heard.buffer.write(beats("a", "b"))
    heard.buffer.mark("m")
    heard.buffer.write(beats("c"))
    assert heard.play(4).log == ["+", "+", "m", "+", "-"]


def test_mark_within_a_beat(heard: Heard) -> None:
    """Where the audio before it ends in the middle of a beat, it comes back behind that beat."""
    heard.buffer.write(b"a" * 100)
    heard.buffer.mark("m")
    heard.buffer.write(b"b" * 220)
    assert heard.play(2).log == ["+", "m", "-"]


def test_mark_behind_nothing(heard: Heard) -> None:
    """When nothing waits and nothing sounds, it comes back at once."""
    heard.buffer.mark("m")
    assert heard.log == ["m"]


def test_mark_behind_the_last_beat(heard: Heard) -> None:
    """What was taken last is still being played: the mark waits for that."""
    heard.buffer.write(beats("a"))
    heard.play().buffer.mark("m")
    assert heard.log == ["+"]
    assert heard.play().log == ["+", "m", "-"]


def test_marks_in_order(heard: Heard) -> None:
    """Several at one place come back in their order."""
    heard.buffer.write(beats("a"))
    for name in "xyz":
        heard.buffer.mark(name)
    assert heard.play(2).log == ["+", "x", "y", "z", "-"]


def test_clear(heard: Heard) -> None:
    """What waits is forgotten, and all pending marks come back at once."""
    heard.buffer.write(beats("a", "b"))
    heard.buffer.mark("m")
    heard.buffer.write(beats("c"))
    heard.buffer.mark("n")
    heard.play().buffer.clear()
    assert heard.play().log == ["+", "m", "n", "-"]


def test_clear_drops_marks() -> None:
    """With other carriers pending marks never come back."""
    heard = Heard(Playing(echoes_on_clear=False))
    heard.buffer.write(beats("a", "b"))
    heard.buffer.mark("m")
    heard.play().buffer.clear()
    assert heard.play(3).log == ["+", "-", "-", "-"]


def test_after_a_clear(heard: Heard) -> None:
    """The buffer goes on as if nothing had been: audio, marks, and how much waits."""
    heard.buffer.write(beats("a", "b"))
    heard.buffer.clear()
    heard.buffer.write(beats("c"))
    heard.buffer.mark("m")
    assert heard.buffer.seconds == 0.02
    assert heard.play(2).log == ["+", "m", "-"]
    assert heard.sound == beats("c")


def test_finishes_message() -> None:
    """A carrier may take back only what has not begun to play."""
    heard = Heard(Playing(finishes_message=True))
    heard.buffer.write(beats("a", "b"))
    heard.buffer.write(beats("c", "d"))
    heard.play().buffer.clear()
    assert heard.buffer.seconds == 0.02
    assert heard.play(3).sound == beats("a", "b")


def test_finishes_nothing() -> None:
    """Between two messages nothing has begun."""
    heard = Heard(Playing(finishes_message=True))
    heard.buffer.write(beats("a", "b"))
    heard.buffer.write(beats("c"))
    heard.play(2).buffer.clear()
    assert heard.play().sound == beats("a", "b")


def test_capacity() -> None:
    """A message that does not fit is lost, whole; what was played makes room."""
    heard = Heard(Playing(capacity=0.04))
    assert heard.buffer.write(beats("a", "b"))
    assert not heard.buffer.write(beats("c"))
    assert heard.buffer.lost == BEAT
    heard.play()
    assert heard.buffer.write(beats("d"))
    assert heard.play(2).sound == beats("a", "b", "d")


def test_paused(heard: Heard) -> None:
    """A paused buffer keeps what it holds."""
    heard.buffer.write(beats("a"))
    heard.buffer.mark("m")
    heard.buffer.paused = True
    heard.play(2)
    heard.buffer.paused = False
    assert heard.play(2).log == ["-", "-", "+", "m", "-"]
