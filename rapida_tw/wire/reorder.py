"""Reorder: packets in the order in which they were sent, without a standing delay.

Nobody listens to this direction in real time, so that no playout buffer is needed: what is in order
is given out at once, and only behind a gap something waits. Sequence numbers say what was lost,
timestamps how long the sender was silent (RFC 3550 A.1, RFC 3551 4.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from rapida_tw.wire.rtp import SEQUENCES, Packet, later

SHORTEST_WAIT: Final = 0.020  # seconds
LONGEST_WAIT: Final = 0.060
LONGEST_LOST: Final = 0.200  # seconds of one gap that are worth a concealment
LONGEST_PAUSED: Final = 5.0

_MAX_DROPOUT: Final = 3000  # packets; these two are RFC 3550's
_MAX_MISORDER: Final = 100
_NEAR: Final = 3  # packets: a new numbering may begin with a loss or a swap
_MOST_HELD: Final = 100  # packets: a flood within the wait
# Timestamps that run away from arrivals by more than this were set anew.
_RESYNC: Final = 1.0  # seconds
_SAME_STEPS: Final = 3  # packets after which a wrong clock is known as one
_EPSILON: Final = 1e-6  # seconds: sums of floats


class Lost(NamedTuple):
    """So much audio was lost on the way. `samples` of the stream's clock."""

    samples: int


class Paused(NamedTuple):
    """The sender was silent for so long, on purpose. `samples` of the stream's clock."""

    samples: int


class _Held(NamedTuple):
    packet: Packet
    samples: int
    arrived_at: float  # seconds


Released = Packet | Lost | Paused
_NOTHING: Final[Sequence[Released]] = ()


def wait_for(jitter: float) -> float:
    """How long a gap is waited for, both in seconds."""
    return min(max(2 * jitter, SHORTEST_WAIT), LONGEST_WAIT)


class Reorder:
    """One stream's order and time line. Times are seconds, of any clock that does not jump.

    A packet may carry no time (`samples` 0: telephone events, comfort noise): it is ordered, and
    its timestamp is not looked at. The public state is what wire/rtp_receiver.py keeps by itself
    for the packet that is due.
    """

    def __init__(self, rate: int = 8000) -> None:
        self.rate = rate  # Hz, of the timestamps
        self.next = -1  # the extended number of the packet that is due; -1: any
        self.first = -1  # the extended number with which the numbering began
        self.expected = -1  # the timestamp of audio that follows without a pause; -1: any
        self.step = 0  # samples of the last audio packet
        self.arrived_at = 0.0  # when the last audio packet came
        # Packets, over all numberings.
        self.lost = 0
        self.late = 0
        self.duplicates = 0
        self.restarted = 0
        self._held: dict[int, _Held] = {}
        self._missing: set[int] = set()  # given up not long ago
        self._probe: _Held | None = None  # maybe the first of a new numbering
        self._lost_since = 0  # packets, since the last audio packet
        self._odd_steps = 0
        self._odd_at = -1

    @property
    def waiting(self) -> bool:
        """Something is held back behind a gap: `due` must be asked."""
        return bool(self._held)

    @property
    def highest(self) -> int:
        """The highest extended number that has come; -1 before the first."""
        return max(self._held, default=self.next - 1) if self.next >= 0 else -1

    def arrived(
        self, packet: Packet, samples: int, now: float, wait: float = SHORTEST_WAIT
    ) -> Sequence[Released]:
        """What can be given out now that the packet is here, in order."""
        held = _Held(packet, samples, now)
        if self.next < 0:
            # From one round higher, so that numbers before the first one are not negative.
            self.next = self.first = SEQUENCES + packet.sequence
        ahead = _apart(packet.sequence, self.next)
        items: list[Released] = []
        if ahead == 0:
            self._release(held, items)
            self._follow(items)
        elif 0 < ahead <= _MAX_DROPOUT:
            if self._held.setdefault(self.next + ahead, held) is not held:
                self.duplicates += 1
        elif ahead < -_MAX_MISORDER or ahead > 0 or self._near_probe(held):
            self._strayed(held, items)
        else:
            self._came_late(self.next + ahead)
        if self._held:
            items += self.due(now, wait)
        return items

    def due(self, now: float, wait: float = SHORTEST_WAIT) -> Sequence[Released]:
        """What has waited long enough: the gap before it is lost."""
        if not self._held:
            return _NOTHING
        items: list[Released] = []
        while held := self._held:
            oldest = min(one.arrived_at for one in held.values())
            if now - oldest < wait - _EPSILON and len(held) <= _MOST_HELD:
                break
            self._give_up(items)
        return items

    def reset(self) -> Sequence[Released]:
        """Begin with a new stream (another SSRC); what was held of the old one, in order."""
        items: list[Released] = []
        while self._held:
            self._give_up(items)
        self.next = self.expected = self._odd_at = -1
        self._lost_since = 0
        self._probe = None
        self._missing.clear()
        return items

    def _follow(self, items: list[Released]) -> None:
        """Release what has waited for just this."""
        while (held := self._held.pop(self.next, None)) is not None:
            self._release(held, items)

    def _give_up(self, items: list[Released]) -> None:
        """The packets before the first held one are lost."""
        first = min(self._held)
        self.lost += first - self.next
        self._lost_since += first - self.next
        oldest = first - _MAX_MISORDER
        self._missing = {number for number in self._missing if number >= oldest}
        self._missing.update(range(max(self.next, oldest), first))
        self.next = first
        self._follow(items)

    def _came_late(self, number: int) -> None:
        if number in self._missing or number < self.first:
            self._missing.discard(number)
            self.late += 1
        else:
            self.duplicates += 1

    def _near_probe(self, held: _Held) -> bool:
        probe = self._probe
        if probe is None or held.arrived_at - probe.arrived_at > _RESYNC:
            return False
        return 0 < abs(_apart(held.packet.sequence, probe.packet.sequence)) <= _NEAR

    def _strayed(self, held: _Held, items: list[Released]) -> None:
        """A number far off: two such, close to each other, are a new numbering."""
        probe = self._probe
        if probe is None or not self._near_probe(held):
            self.late += probe is not None
            self._probe = held
            return
        items += self.reset()
        self.restarted += 1
        apart = _apart(held.packet.sequence, probe.packet.sequence)
        first, second = (probe, held) if apart > 0 else (held, probe)
        self.next = self.first = SEQUENCES + first.packet.sequence
        self._release(first, items)
        self._held[self.first + abs(apart)] = second
        self._follow(items)

    def _release(self, held: _Held, items: list[Released]) -> None:
        packet, samples, arrived_at = held
        self.next += 1
        if samples:
            if packet.timestamp != self.expected and self.expected >= 0:
                self._gap(later(packet.timestamp, self.expected), arrived_at, items)
            self._lost_since = 0
            self.expected = (packet.timestamp + samples) & 0xFFFFFFFF
            self.step = samples
            self.arrived_at = arrived_at
        items.append(packet)

    def _gap(self, gap: int, arrived_at: float, items: list[Released]) -> None:
        """Audio did not follow at once: `gap` samples are missing on the time line."""
        missing = self._lost_since * self.step
        since = max(arrived_at - self.arrived_at, 0.0)
        if gap < 0 or gap > (since + _RESYNC) * self.rate:
            gap = missing  # the timestamps were set anew: the numbers are all that is known
        elif not missing and gap <= self.step and self._steps_alike():
            return
        lost = min(gap, missing, int(LONGEST_LOST * self.rate))
        if lost:
            items.append(Lost(lost))
        paused = min(gap - lost, int(LONGEST_PAUSED * self.rate))
        if paused:
            items.append(Paused(paused))

    def _steps_alike(self) -> bool:
        """The sender counts wrong (G.722 at 16 kHz): there is such a gap before every packet."""
        self._odd_steps = self._odd_steps + 1 if self._odd_at == self.next - 1 else 1
        self._odd_at = self.next
        return self._odd_steps > _SAME_STEPS


def _apart(sequence: int, number: int) -> int:
    """How far a sequence number is ahead of another or of an extended one: -32768 to 32767."""
    return ((sequence - number + 0x8000) & 0xFFFF) - 0x8000
