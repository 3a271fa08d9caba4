"""Recorder: a session's tap; gathers a second of both sides and hands it to the disk's thread.

On the 20 ms path there is nothing but list appends.
"""

from __future__ import annotations

from collections.abc import Callable

from rapida_tw.audio.format import TICKS_PER_SECOND, Samples
from rapida_tw.media.tracks import Arrival, Batch, Sending


class Recorder:
    """Records one call from `first_tick` on; `write` takes a batch once a second.

    The frames are kept until they are written: whoever gives them does not change them any more.
    """

    def __init__(self, first_tick: int, write: Callable[[Batch], None]) -> None:
        self._write = write
        self._due = first_tick + TICKS_PER_SECOND
        self._caller: list[Arrival] = []
        self._assistant: list[Sending] = []
        self._closed = False

    def caller_frame(self, tick: int, frame: Samples) -> None:
        """int16[320] of the caller, that arrived in `tick`; ticks never go back."""
        self._caller.append((tick, frame))
        if tick >= self._due:
            self._flush(tick)

    def assistant_frame(self, tick: int, frame: Samples) -> None:
        """int16[320] of the assistant, sent in `tick`."""
        self._assistant.append((tick, frame))
        if tick >= self._due:
            self._flush(tick)

    def assistant_cleared(self, tick: int) -> None:
        """The assistant was not heard from `tick` on, whatever has been sent for it until now."""
        self._assistant.append((tick, None))

    def close(self, tick: int) -> None:
        """The call ended in `tick`: write all that is left; idempotent, later frames are lost."""
        if not self._closed:
            self._flush(tick, last=True)
            self._closed = True

    def _flush(self, tick: int, last: bool = False) -> None:
        if not self._closed:
            self._write(Batch(tick, self._caller, self._assistant, last))
        self._caller, self._assistant = [], []
        self._due = tick + TICKS_PER_SECOND
