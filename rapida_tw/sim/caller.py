"""A caller with a script: says, presses and hangs up, and notes what was heard when.

A step has a time (`at=`), or it waits for its turn like a polite person: until the other side has
spoken and then been quiet for a while. All times are seconds since the line came up. The caller
has no timer: the line's beat drives it, and it sends one packet a beat.

    caller = Caller()
    caller.says("hello", at=0.5, lasting=0.8)
    caller.presses("12#")                        # when the answer is over
    caller.hangs_up(at=20.0)
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from rapida_tw.audio.format import RATE, Samples
from rapida_tw.audio.resample import resample_all
from rapida_tw.sim.ear import Ear, Interval, last_loud
from rapida_tw.sim.phone import Ending, Line, Phone
from rapida_tw.sim.voices import hum

QUIET = 0.6  # seconds of quiet after which a polite person begins to speak
PATIENCE = 10.0  # seconds after which it speaks although nothing was heard
_SECONDS_A_LETTER = 0.06  # of a text that is only hummed
_TAIL = 1.0  # seconds: who is heard for that long after an own step talks to it
_KEY_EVERY = 0.2  # seconds from one pressed key to the next

Tell = Callable[["Happened"], None]


@dataclass(frozen=True, slots=True)
class Happened:
    """Something for a spectator: `what` is says, presses, hears, hangs-up or ended."""

    at: float
    what: str
    text: str = ""


@dataclass(slots=True)
class Turn:
    """One thing the caller said or pressed, and when the answer to it began.

    `ended` is when the packet with its last sound (its last digit) was sent; None until then.
    """

    text: str
    started: float
    ended: float | None = None
    answered: float | None = None

    @property
    def latency(self) -> float | None:
        """Seconds between the end of this turn and the first sound of the answer."""
        if self.ended is None or self.answered is None:
            return None
        return self.answered - self.ended


@dataclass(frozen=True, slots=True)
class _Speech:
    """Sound cut into a line's packets; the last with anything to hear in it is `loud - 1`."""

    packets: tuple[bytes, ...]
    loud: int


def _cut(samples: Samples, rate: int, interval: float) -> _Speech:
    sound = resample_all(samples, RATE, rate)
    size = round(rate * interval)
    padded = np.concatenate((sound, np.zeros(-len(sound) % size, np.int16))).astype("<i2")
    packets = tuple(row.tobytes() for row in padded.reshape(-1, size))
    return _Speech(packets, -(-last_loud(sound) // size))


@lru_cache(maxsize=256)
def _hummed(seconds: float, rate: int, interval: float) -> _Speech:
    """Kept, because a thousand callers hum the same."""
    return _cut(hum(seconds), rate, interval)


@dataclass(frozen=True, slots=True, order=True)
class _Step:
    at: float
    act: Callable[[Line, float], None] = field(compare=False)
    quiet: float = field(default=QUIET, compare=False)


class Caller:
    """A `Phone` that follows its script; steps may be added while the call is running.

    `tell` hears of everything as it happens. `sends_silence` False is a phone that sends nothing
    while its owner is silent. `keep` False keeps no audio, for very many callers.
    """

    def __init__(
        self, tell: Tell | None = None, *, sends_silence: bool = True, keep: bool = True
    ) -> None:
        self.turns: list[Turn] = []
        self.ending: Ending | None = None
        self.ended_at: float | None = None
        self.ear = Ear(keep)
        self._tell = tell
        self._sends_silence = sends_silence
        self._line: Line | None = None
        self._timed: list[_Step] = []
        self._polite: deque[_Step] = deque()
        self._packets: deque[bytes] = deque()
        self._sent = 0  # packets of speech
        self._last_packets: deque[tuple[int, Turn]] = deque()  # of each turn, as `_sent` counts
        self._keys: deque[tuple[float, str, Turn]] = deque()
        self._acted = 0.0  # when the latest own step was over
        self._silence = b""

    # -- the script -------------------------------------------------------------------------------

    def says(
        self,
        what: str | Samples,
        at: float | None = None,
        *,
        lasting: float | None = None,
        text: str = "",
        quiet: float = QUIET,
    ) -> None:
        """Say samples (int16[n], 16 kHz), or a text: hummed, for `lasting` seconds."""
        if isinstance(what, str):
            seconds = lasting or _SECONDS_A_LETTER * (len(what) + 4)
            words = what
            self._add(
                at,
                quiet,
                lambda line, now: self._say(_hummed(seconds, line.rate, line.interval), words, now),
            )
        else:
            samples = what
            self._add(
                at,
                quiet,
                lambda line, now: self._say(_cut(samples, line.rate, line.interval), text, now),
            )

    def presses(self, digits: str, at: float | None = None, *, quiet: float = QUIET) -> None:
        """Press keys, five a second."""
        self._add(at, quiet, lambda _line, now: self._press(digits, now))

    def hangs_up(self, at: float | None = None, *, quiet: float = QUIET) -> None:
        """Put down the receiver; what is being said is cut off."""
        self._add(at, quiet, self._hang_up)

    def does(self, action: Callable[[], None], at: float | None = None) -> None:
        """Anything else: `caller.does(asterisk.stall, at=3.0)`."""
        self._add(at, QUIET, lambda _line, _now: action())

    def _add(self, at: float | None, quiet: float, act: Callable[[Line, float], None]) -> None:
        if at is None:
            self._polite.append(_Step(0.0, act, quiet))
        else:
            insort(self._timed, _Step(at, act))

    # -- what was heard ---------------------------------------------------------------------------

    @property
    def heard(self) -> list[Interval]:
        """When there was sound, in order."""
        return self.ear.intervals

    @property
    def heard_until(self) -> float:
        """When the latest sound ended; 0.0 before any."""
        return self.ear.heard_until

    def save_heard(self, path: Path) -> None:
        """Write what was heard to a mono WAV file at the line's rate."""
        self.ear.save(path, self._line.rate if self._line is not None else 8_000)

    # -- Phone ------------------------------------------------------------------------------------

    def connected(self, line: Line) -> None:
        self._line = line
        self._silence = bytes(2 * round(line.rate * line.interval))

    def beat(self, now: float) -> None:
        line = self._line
        if line is None:
            return
        # Half a packet of tolerance: a step belongs to the beat that is nearest to it.
        while self._timed and self._timed[0].at <= now + line.interval / 2:
            self._timed.pop(0).act(line, now)
        if self._polite and self._my_turn(now):
            self._polite.popleft().act(line, now)
        if self._keys and self._keys[0][0] <= now:
            self._release_key(line, now)
        if self._packets:
            line.send_audio(self._packets.popleft())
            self._packet_sent(now)
        elif self._sends_silence:
            line.send_audio(self._silence)

    def audio_heard(self, payload: bytes, rate: int, now: float) -> None:
        if self.ear.hear(payload, rate, now):
            self._onset(self.ear.intervals[-1].start)

    def disconnected(self, ending: Ending, now: float) -> None:
        self.ending, self.ended_at = ending, now
        self._happened(now, "ended", str(ending))

    # -- inside -----------------------------------------------------------------------------------

    def _my_turn(self, now: float) -> bool:
        """The other side has spoken since the last own step, and has stopped."""
        if self._packets or self._keys:
            return False
        intervals = self.ear.intervals
        # The tail of what an own step interrupted is no answer to it.
        spoken = intervals and (
            intervals[-1].start > self._acted or intervals[-1].end > self._acted + _TAIL
        )
        if not spoken:
            return now - self._acted >= PATIENCE
        return now - intervals[-1].end >= self._polite[0].quiet

    def _say(self, speech: _Speech, text: str, now: float) -> None:
        turn = Turn(text, now)
        self.turns.append(turn)
        self._last_packets.append((self._sent + len(self._packets) + speech.loud, turn))
        self._packets.extend(speech.packets)
        self._happened(now, "says", text)

    def _packet_sent(self, now: float) -> None:
        self._sent += 1
        self._acted = now
        while self._last_packets and self._last_packets[0][0] <= self._sent:
            self._last_packets.popleft()[1].ended = now

    def _press(self, digits: str, now: float) -> None:
        turn = Turn(digits, now)
        self.turns.append(turn)
        self._keys.extend((now + n * _KEY_EVERY, digit, turn) for n, digit in enumerate(digits))
        self._happened(now, "presses", digits)

    def _release_key(self, line: Line, now: float) -> None:
        _, digit, turn = self._keys.popleft()
        line.press(digit)
        self._acted = now
        if not (self._keys and self._keys[0][2] is turn):
            turn.ended = now

    def _hang_up(self, line: Line, now: float) -> None:
        self._happened(now, "hangs-up")
        line.hang_up()

    def _onset(self, start: float) -> None:
        turn = next((turn for turn in reversed(self.turns) if turn.ended is not None), None)
        if turn is not None and turn.answered is None:
            turn.answered = start
            self._happened(start, "hears", f"after {1000 * (turn.latency or 0.0):.0f} ms")
        else:
            self._happened(start, "hears")

    def _happened(self, at: float, what: str, text: str = "") -> None:
        if self._tell is not None:
            self._tell(Happened(at, what, text))


_conforms: type[Phone] = Caller
