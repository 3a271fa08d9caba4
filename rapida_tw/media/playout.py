"""Playout: audio waiting to be said, and the account of what was heard of it.

Everything is counted in frames of 20 ms. Which words these say is the ledger's (media/ledger.py),
in what bytes a voice gave them is straight.py's.

A far side without a buffer plays what it is sent: a frame a beat, and the beat is believed. One
with a buffer (`set_lead`) is asked by marks, too: heard is what the beat says, but nothing from an
awaited mark on; a mark that comes before its time moves the beat's account by a frame.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

import numpy as np
from twisted.internet.defer import Deferred, succeed

from rapida_tw.audio.format import FRAME, TICKS_PER_SECOND, AudioFormat, Samples
from rapida_tw.media.ledger import Ledger
from rapida_tw.media.marks import Marks
from rapida_tw.media.straight import Straight

HIGH_WATER = 6 * TICKS_PER_SECOND  # frames waiting: `room` holds the voice back above it ...
LOW_WATER = 2 * TICKS_PER_SECOND  # ... until this few are left
# Frames kept beyond the lead: the far side may be that much later than the beat says.
_KEPT = 1 * TICKS_PER_SECOND

_NO_SAMPLES: Samples = np.zeros(0, np.int16)


class Playout:
    """What one call still has to say. `take` is called on the beat and never raises.

    `forget(frames)` is called when so many frames were sent, have not been heard, and are taken
    back or dropped: the far side must forget them. Never without a lead.
    """

    def __init__(self, told: AudioFormat | None = None) -> None:
        """`told`: the format of the leg that the voice was told of."""
        self.forget: Callable[[int], None] = _nothing
        self._queue: deque[Samples] = deque()
        self._rest = _NO_SAMPLES  # until a frame of it is whole
        self._ledger = Ledger()
        self._straight = Straight(told)
        self.payloads = self._straight.frames  # what waits in the voice's own bytes; often nothing
        self._taken = 0
        self._recent: deque[Samples] = deque(maxlen=0)
        self._kept = 0  # frames that `_recent` has room for
        self._ahead = 0  # frames taken that the far side has not played yet, by the beat's account
        self._lead = 0
        self._marks = Marks()
        self._confirmed = 0  # frames, by a mark that came since the latest beat
        self._room: list[Deferred[None]] = []
        self._drained: list[Deferred[None]] = []
        self.paused = False
        self.cuts = 0  # how often frames were dropped, or put back in front of the others

    def set_lead(self, lead: int, chunk: int = 1) -> None:
        """The far side may hold this many frames, which can be taken back by `pause`.

        `chunk`: how many of them travel together.
        """
        self._lead = lead
        self._marks.between_chunks(chunk)
        self._kept = lead + _KEPT if lead else 0
        self._recent = deque(self._recent, maxlen=self._kept)
        if not lead:
            self._restart_marks(self._taken)

    def set_format(self, format: AudioFormat) -> None:
        """What the leg is sent from now on."""
        self._straight.set_format(format)

    # -- the voice's side -------------------------------------------------------------------------

    def begin(self, text: str, part: int = 0, spoken: str = "") -> None:
        """What is written from now on says `text`, in the words of `spoken` if they are others."""
        self._ledger.begin(text, part, spoken or text)
        self._straight.begin(clean=not len(self._rest))

    def write(self, samples: Samples, payload: bytes = b"") -> None:
        """Append int16[n]; whole frames are queued, the rest waits for more or for `finish`.

        `payload`: the same sound in the format that the voice was told of (see VoiceSink).
        """
        if not len(samples) and not payload:
            return
        if len(self._rest):
            samples = np.concatenate((self._rest, samples))
        whole = len(samples) // FRAME
        if self._straight.going:
            whole = self._straight.feed(payload, self._ledger.written, whole)
        self._rest = samples[whole * FRAME :]
        if whole:
            self._queue.extend(samples[: whole * FRAME].reshape(whole, FRAME))
            self._ledger.count(whole)

    def timed(self, words: Sequence[tuple[str, float, float]]) -> None:
        """When the next words of the phrase are spoken: (word, start, end), seconds in it.

        In several pieces, before or after the samples that say them.
        """
        self._ledger.timed(words)

    def add_words(self, part: int, words: str) -> None:
        """A part says this, too: of voices whose words come while they speak."""
        self._ledger.add_words(part, words)

    def finish(self, complete: bool = True) -> None:
        """The phrase is over; its last frame is filled up with silence.

        Unless it is `complete`, a part of it was never spoken.
        """
        if frames := -(-len(self._rest) // FRAME):
            filled = np.zeros((frames, FRAME), np.int16)
            filled.reshape(-1)[: len(self._rest)] = self._rest
            self._rest = _NO_SAMPLES
            self._straight.finish(self._ledger.written, frames)
            self._queue.extend(filled)
            self._ledger.count(frames)
        self._straight.begin(clean=True)
        self._ledger.finish(complete)

    def room(self) -> Deferred[None]:
        """Fires when there is room for another phrase; at once below the high water mark."""
        if len(self._queue) < HIGH_WATER:
            return succeed(None)
        waiting: Deferred[None] = Deferred(self._room.remove)
        self._room.append(waiting)
        return waiting

    def drained(self) -> Deferred[None]:
        """Fires when all that was written has been played; at once when nothing is left."""
        if not self.busy:
            return succeed(None)
        waiting: Deferred[None] = Deferred(self._drained.remove)
        self._drained.append(waiting)
        return waiting

    # -- the beat's side --------------------------------------------------------------------------

    @property
    def queued(self) -> int:
        """Frames that wait to be sent."""
        return len(self._queue)

    @property
    def busy(self) -> bool:
        """Something is still to be played, here or at the far side."""
        return bool(self._queue) or self._ahead > 0 or self._marks.awaited

    def behind(self, lead: int) -> bool:
        """The far side holds less than it may, by the beat's account."""
        return self._ahead <= lead

    @property
    def spoken(self) -> int:
        """Frames sent since the last clear, without those that were taken back."""
        return self._taken

    @property
    def position(self) -> int:
        """Frames heard since the last clear."""
        return min(self._taken - self._ahead, self._marks.limit)

    def take(self) -> Samples | None:
        """The next frame, or None when there is nothing to say or the playout is paused."""
        if self.paused or not self._queue:
            return None
        frame = self._queue.popleft()
        self._taken += 1
        self._ahead += 1
        self._recent.append(frame)
        if self.payloads:
            self.payloads.pop(self._taken - self._kept - 2, None)
        return frame

    @property
    def payload(self) -> bytes:
        """The frame that was taken last as the voice gave it; b"": it must be converted."""
        return self.payloads.get(self._taken - 1, b"")

    def coming(self, count: int) -> list[Samples]:
        """The next `count` frames, which `take` will give if there is no cut.

        What is to be done to each of them is cheaper done to all at once. [] if there are less, or
        some that need not be converted.
        """
        own = self.payloads
        if own and any(self._taken + number in own for number in range(count)):
            return []
        return list(islice(self._queue, count)) if len(self._queue) >= count else []

    def mark(self) -> str | None:
        """After `take`, with a lead: the name of the mark that the far side must be sent now."""
        return self._marks.ask(self._taken, self._ahead, not self._queue)

    def mark_heard(self, name: str) -> None:
        """The far side has played all that was sent before this mark. Any other name is ignored."""
        self._confirmed = max(self._confirmed, self._marks.heard(name))

    def played(self, ticks: int = 1) -> None:
        """So many ticks have passed, a frame was played in each: once a beat, before `take`."""
        if self._ahead:
            self._ahead = self._ahead - ticks if self._ahead > ticks else 0
        if self._lead:
            self._marks.beat()
            if self._confirmed:
                # Two clocks drift apart by less than a frame between marks: a far side that gives
                # marks back at once must not make us speak faster than that.
                if self._confirmed > self._taken - self._ahead:
                    self._ahead -= 1
                self._confirmed = 0
        if self._room and len(self._queue) <= LOW_WATER:
            _fire(self._room)
        if self._drained and not self.busy:
            _fire(self._drained)

    # -- the conversation's side ------------------------------------------------------------------

    def pause(self) -> None:
        """Say nothing until `resume`; what the far side forgets now goes back in the queue."""
        if self.paused:
            return
        self.paused = True
        frames = min(self._unheard(), len(self._recent))
        if frames or not self._lead:
            self._ahead = 0
        if frames:
            self._taken -= frames
            self.cuts += 1
            self._restart_marks(self._taken)
            for _ in range(frames):
                self._queue.appendleft(self._recent.pop())
            self.forget(frames)

    def resume(self) -> None:
        """Go on from the first frame that was not heard."""
        self.paused = False

    def heard(self) -> dict[int, str]:
        """The words heard so far, by part; parts of which nothing was heard are left out."""
        return self._ledger.heard(self.position)

    def heard_of(self, part: int) -> tuple[int, int]:
        """Frames heard of a part so far, and written; exact while it is paused."""
        return self._ledger.heard_of(part, self.position)

    def clear(self) -> dict[int, str]:
        """Forget all; answers what had been heard of it. Not paused afterwards."""
        unheard = self._unheard()
        self.cuts += 1
        self._taken -= unheard
        self._ahead = 0
        self._restart_marks(0)
        said = self.heard()
        self._queue.clear()
        self._ledger.clear()
        self._straight.clear()
        self._recent.clear()
        self._rest = _NO_SAMPLES
        self._taken = 0
        self.paused = False
        if unheard:
            self.forget(unheard)
        _fire(self._room)
        _fire(self._drained)
        return said

    def _unheard(self) -> int:
        """Frames at the far side that are not heard if it forgets them now."""
        if not self._lead:
            return 0
        unheard = self._taken - self.position
        if unheard > self._ahead:  # by the marks it is later than the beat says
            return unheard
        return max(unheard - 1, 0)  # the first is being played, and is heard to its end

    def _restart_marks(self, sent: int) -> None:
        """Frames are counted from `sent` on: no mark that is under way counts."""
        self._marks.restart(sent)
        self._confirmed = 0


def _fire(waiting: list[Deferred[None]]) -> None:
    """Fire those that wait now; whoever is called may cancel others, or wait anew."""
    for deferred in tuple(waiting):
        if deferred in waiting:
            waiting.remove(deferred)
            deferred.callback(None)


def _nothing(frames: int) -> None:
    """Nobody has to forget them."""
