"""CallerAudio: the caller's sound on its way to a live model, in the vendor's pieces.

What has no connection waits, and what was just sent is kept: a caller in the middle of whose
sentence a connection is lost is heard by the next one from the beginning.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from rapida_tw.audio.format import Samples
from rapida_tw.metrics import Counter
from rapida_tw.models.live_wire import LiveWire
from rapida_tw.speech.recognizers.gather import Gatherer

WAITING = 10_000  # ms that may wait; the oldest goes first
KEPT = 3_000  # ms of what was sent

dropped = Counter(
    "rapida_live_audio_dropped_seconds_total",
    "Audio of callers that a live model did not take in time.",
    ("vendor",),
)


class CallerAudio:
    """`loud_at`: when a piece was heard in which there may be a voice; `seconds` is the clock's.

    Measured, with encoding and message: 3 to 5 µs a frame.
    """

    def __init__(self, vendor: str, pattern: LiveWire, seconds: Callable[[], float]) -> None:
        """`pattern`: a wire like all those of the call."""
        self.loud_at = 0.0
        self._vendor = vendor
        self._seconds = seconds
        self._ms = pattern.gather
        self._gatherer = Gatherer(pattern.encoding, pattern.rate, pattern.gather)
        self._waiting: deque[bytes] = deque(maxlen=max(WAITING // self._ms, 1))
        self._sent: deque[bytes] = deque(maxlen=max(KEPT // self._ms, 1))

    def hear(self, frame: Samples) -> bool:
        """int16[320]; whether there is a piece to be taken now."""
        piece = self._gatherer.hear(frame)
        if not piece:
            return False
        if self._gatherer.loud:
            self.loud_at = self._seconds()
        if len(self._waiting) == self._waiting.maxlen:
            dropped.inc(self._vendor, by=self._ms / 1000)
        self._waiting.append(piece)
        return True

    @property
    def waits(self) -> bool:
        return bool(self._waiting)

    def take(self) -> bytes:
        """The oldest piece that waits; it is sent now."""
        piece = self._waiting.popleft()
        self._sent.append(piece)
        return piece

    def settled(self) -> None:
        """What was sent is being answered: nobody needs it again."""
        self._sent.clear()

    def rewind(self) -> None:
        """Another connection: what was sent and not answered waits again, before the rest."""
        self._waiting = deque((*self._sent, *self._waiting), self._waiting.maxlen)
        self._sent.clear()

    def clear(self) -> None:
        """The call is over."""
        self._waiting.clear()
        self._sent.clear()
