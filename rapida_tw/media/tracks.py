"""Where the frames of a call belong in its recording.

The assistant's frames were sent on the beat: each is placed at its tick, or behind the one before
when the far side has a buffer. What such a far side was told to forget was never heard: it is cut
out again. The caller's frames come on the caller's own clock, in bursts after a stall of the
network, and not at all while the phone suppresses silence. So frame i is placed by the least late
frame of the second that follows it:

    place(i) = i + min(arrival(j) - j for j in i .. i + 50)

What waited in a stall lands where it was said, a pause in sending is a gap of silence, and the
drift of two clocks inserts or drops one frame now and then. A stall that is longer than a second
looks like suppressed silence: of the burst after it, the last second is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rapida_tw.audio.format import FRAME, TICKS_PER_SECOND, Samples
from rapida_tw.audio.wav import StereoWav

AHEAD = TICKS_PER_SECOND  # frames after a frame that decide about its place
_PIECE = 10 * TICKS_PER_SECOND  # after an hour on hold, the silence is written piece by piece
_NEVER = np.iinfo(np.int64).max

Arrival = tuple[int, Samples]  # tick, int16[320]
Sending = tuple[int, Samples | None]  # or None: what is placed from this tick on was not heard


@dataclass(frozen=True, slots=True)
class Batch:
    """What was heard and said until `tick`; after the `last` one there is no more."""

    tick: int
    caller: list[Arrival]
    assistant: list[Sending]
    last: bool = False


class CallerTrack:
    """Finds the places of the caller's frames; ticks in, ticks out, in order."""

    def __init__(self, first_tick: int) -> None:
        self._undecided: list[Arrival] = []
        self._first = 0  # the number of the first undecided frame
        self._next = first_tick  # no later frame is placed before this tick

    def place(self, now: int, arrived: Iterable[Arrival], last: bool) -> list[Arrival]:
        """Frames that arrived until `now`; returns those whose place is certain by now.

        A frame is certain when 50 more have come, or when a second has passed: whatever comes
        after that is too late to have been said earlier. With `last`, all are certain.
        """
        self._undecided += arrived
        # What is still to come was said at most a second before now; what is waiting, not before
        # the least late frame that is known.
        earliest = now - AHEAD
        placed: list[Arrival] = []
        if waiting := len(self._undecided):
            arrivals = np.array([tick for tick, _ in self._undecided])
            numbers = np.arange(self._first, self._first + waiting)
            places = (numbers + _least_of_following(arrivals - numbers)).tolist()
            by_time = int(np.searchsorted(arrivals, now - AHEAD, side="right"))
            certain = waiting if last else max(waiting - AHEAD, by_time, 0)
            for place, (_, frame) in zip(places[:certain], self._undecided, strict=False):
                if place >= self._next:  # else the clocks have drifted: one frame too many
                    placed.append((place, frame))
                    self._next = place + 1
            del self._undecided[:certain]
            self._first += certain
            if certain < waiting:
                earliest = min(earliest, places[certain])
        self._next = max(self._next, earliest)
        return placed

    @property
    def settled(self) -> int:
        """No frame will be placed before this tick any more."""
        return self._next


def _least_of_following(lateness: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each frame the minimum over itself and up to 50 that follow."""
    padded = np.concatenate((lateness, np.full(AHEAD, _NEVER)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, AHEAD + 1)
    least: NDArray[np.int64] = windows.min(axis=1)
    return least


class TrackWriter:
    """Writes a call's batches into its file, caller left, assistant right; in a thread.

    The file trails the call by one to two seconds. `OSError` when the disk fails.
    """

    def __init__(self, file: StereoWav, first_tick: int) -> None:
        self._file = file
        self._written = first_tick  # the file ends before this tick
        self._caller = CallerTrack(first_tick)
        self._placed: list[Arrival] = []
        self._assistant: list[Arrival] = []
        self._assistant_next = first_tick

    def write(self, batch: Batch) -> None:
        """Take the next batch, and write what is certain by now; closes after the last."""
        self._placed += self._caller.place(batch.tick, batch.caller, batch.last)
        for tick, frame in batch.assistant:
            if frame is None:
                self._cut(tick)
                continue
            # Several in one tick: the far side has a buffer, and plays them one after another.
            place = max(tick, self._assistant_next)
            self._assistant.append((place, frame))
            self._assistant_next = place + 1
        end = max(batch.tick, self._caller.settled) if batch.last else self._caller.settled
        while self._written < end:
            until = min(end, self._written + _PIECE)
            left, self._placed = self._track(self._placed, until)
            right, self._assistant = self._track(self._assistant, until)
            self._file.append(left, right)
            self._written = until
        if batch.last:
            self._file.close()

    def close(self) -> None:
        """Give up what is not written; idempotent."""
        self._file.close()

    def _cut(self, tick: int) -> None:
        """Drop the assistant's frames from `tick` on; of what is in the file, nothing."""
        self._assistant = [arrival for arrival in self._assistant if arrival[0] < tick]
        self._assistant_next = min(self._assistant_next, tick)

    def _track(self, arrivals: list[Arrival], end: int) -> tuple[Samples, list[Arrival]]:
        """int16[n] from what is written up to tick `end`, and the frames that come later."""
        track = np.zeros((end - self._written, FRAME), np.int16)
        later = []
        for place, frame in arrivals:
            if place >= end:
                later.append((place, frame))
            elif place >= self._written:
                track[place - self._written] = frame
        return track.ravel(), later
