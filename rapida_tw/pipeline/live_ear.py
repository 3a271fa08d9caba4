"""LiveEar: the caller, on the way to a live model.

The model decides when the caller begins and ends. But it is far away: our own detector, which looks
at levels only, says earlier that there is a voice, and measures when it ended. While something is
said that must not be interrupted, the model hears nothing; it is told afterwards.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from rapida_tw.audio.format import TICKS_PER_SECOND, Samples
from rapida_tw.audio.vad import Edge, EnergyDetector, SpeechGate

HELD: Final = 20 * TICKS_PER_SECOND  # frames; the oldest go first
BEFORE: Final = 15  # frames before a voice that belong to it: detectors lag
INSISTENT: Final = 22  # voiced ticks: longer than a cough


class EarEvents(Protocol):
    """What our own detector tells."""

    def voice_started(self) -> None:
        """A sound that may be a voice."""

    def voice_stopped(self) -> None: ...


class LiveEar:
    """`hear` is on the 20 ms path and never raises; 2 µs a frame. `pass_on` is the model's `hear`.

    `talked`: ticks of the caller's voice in the whole call. `ended`: when the latest voiced frame
    came, in seconds of the clock.
    """

    def __init__(
        self,
        pass_on: Callable[[Samples], None],
        events: EarEvents,
        seconds: Callable[[], float],
    ) -> None:
        self.talked = 0
        self.ended = 0.0
        self._pass_on = pass_on
        self._events = events
        self._seconds = seconds
        self._detector = EnergyDetector()
        self._gate = SpeechGate()
        self._held: deque[Samples] | None = deque(maxlen=HELD)
        self._voice = 0  # frames held since the first voice among them began, or 0
        self._stopped = False

    @property
    def speaking(self) -> bool:
        """There is a voice now."""
        return self._gate.speaking

    def insists(self) -> bool:
        """It has spoken for most of half a second and goes on."""
        return self._gate.speaking and self._gate.voiced_run >= INSISTENT

    def hear(self, frame: Samples) -> None:
        """int16[320] of the caller, in order."""
        if self._stopped:
            return
        gate = self._gate
        edge = gate.hear(self._detector.hear(frame))
        if gate.speaking and gate.silent_run == 0:
            self.ended = self._seconds()
            self.talked += 1
        held = self._held
        if held is None:
            self._pass_on(frame)
        else:
            held.append(frame)
            if self._voice:
                self._voice += 1
        if edge is Edge.STARTED:
            if held is not None and not self._voice:
                self._voice = gate.voiced_run + BEFORE
            self._events.voice_started()
        elif edge is Edge.STOPPED:
            self._events.voice_stopped()

    def hold(self) -> None:
        """The model hears nothing from now on."""
        if self._held is None:
            self._held = deque(maxlen=HELD)
            self._voice = 0

    def release(self, everything: bool = True) -> None:
        """The model hears again: `everything` since the first voice, or only one that goes on."""
        held, self._held = self._held, None
        if held is None or self._stopped:
            return
        wanted = self._voice if everything or self._gate.speaking else 0
        self._voice = 0
        for _ in range(len(held) - max(wanted, BEFORE)):
            held.popleft()
        for frame in held:
            self._pass_on(frame)

    def stop(self) -> None:
        """The call is over."""
        self._stopped = True
        self._held = None
