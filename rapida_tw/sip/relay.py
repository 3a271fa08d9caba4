"""What the media tells, on its way to the call."""

from __future__ import annotations

from collections.abc import Callable

from rapida_tw.audio.format import AudioFormat
from rapida_tw.errors import End
from rapida_tw.media.leg import LegListener
from rapida_tw.sip.info import EVENT, Presses


class Relay:
    """The stream's listener: a key press that INFO has told already is left out, and the end of the
    media is the session's to deal with. All else is the call's own method, without a step between.
    """

    def __init__(
        self,
        listener: LegListener,
        presses: Presses,
        changed: Callable[[AudioFormat], None],
        ended: Callable[[End], None],
    ) -> None:
        self._listener = listener
        self._presses = presses
        self._changed = changed
        self.audio_received: Callable[..., None] = listener.audio_received
        self.audio_lost = listener.audio_lost
        self.audio_paused = listener.audio_paused
        self.alive = listener.alive
        self.hold_changed = listener.hold_changed
        self.mark_heard = listener.mark_heard
        self.far_end_full = listener.far_end_full
        self.leg_ended = ended

    def format_changed(self, format: AudioFormat) -> None:
        self._changed(format)
        self._listener.format_changed(format)

    def digit_received(self, digit: str) -> None:
        if self._presses.new(digit, EVENT):
            self._listener.digit_received(digit)


_conforms: type[LegListener] = Relay
