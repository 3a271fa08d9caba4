"""Leg and LegListener: the waist of the hour-glass.

A transport (AudioSocket, a carrier's WebSocket, SIP/RTP) offers a `Leg`; whoever holds the call
listens as a `LegListener`. Nothing above this file knows a socket, nothing below it knows a call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from twisted.internet.defer import Deferred

from rapida_tw.audio.format import AudioFormat
from rapida_tw.errors import End


class Leg(Protocol):
    """The live media connection of a call, whatever its transport. No method raises."""

    format: AudioFormat

    def send_audio(self, payload: bytes) -> None:
        """Send exactly one tick, already encoded as `format` says."""

    def mark(self, name: str) -> None:
        """Ask to be told (`mark_heard`) when all that was sent so far has been heard.

        Asked with a `lead` only. `name`: at most 12 characters, digits and a dot. A leg whose far
        side knows no marks does nothing; after some seconds it is not asked any more.
        """

    def clear(self) -> None:
        """Forget what the far side has queued; a no-op where it queues nothing.

        Whether the far side gives back the marks that it had not reached makes no difference.
        """

    def send_digits(self, digits: str) -> None:
        """Send 0-9 A-D * # to the far side; `NotSupported` where the wire cannot."""

    def hang_up(self, end: End | None = None) -> None:
        """End the leg in its protocol's form; idempotent. `leg_ended` is not called for it.

        `end`: why, for a protocol that can tell; None: the usual way.
        """


class LegListener(Protocol):
    """What a transport may tell its call. Past tense: it has happened."""

    def audio_received(self, payload: bytes, sequence: int | None = None) -> None:
        """Some audio in the leg's format: any length of whole samples, of any duration."""

    def format_changed(self, format: AudioFormat) -> None:
        """From now on both directions are in `format` (AudioSocket's first frame, re-INVITE)."""

    def digit_received(self, digit: str) -> None:
        """One of 0-9 A-D * #, once per key press."""

    def audio_lost(self, seconds: float) -> None:
        """So much audio was lost on the way; what came before it is heard fading out."""

    def audio_paused(self, seconds: float) -> None:
        """The far side has sent nothing for so long, on purpose: that much silence is heard.

        Told when its next audio comes; what was heard as silence meanwhile is taken off.
        """

    def alive(self) -> None:
        """The far side sends no audio and yet lives (comfort noise, RTCP)."""

    def hold_changed(self, held: bool) -> None:
        """The far side has put us on hold, or taken us back.

        On hold nothing is sent, nothing is heard, and nobody is asked whether they are there.
        """

    def mark_heard(self, name: str) -> None:
        """All that was sent before `mark(name)` has been heard. Any other name is ignored."""

    def far_end_full(self, full: bool) -> None:
        """The far side (or the socket towards it) takes no more audio / takes audio again."""

    def leg_ended(self, end: End) -> None:
        """The leg is gone. Fires once, last; never after our own `hang_up`."""


@runtime_checkable
class Transferring(Protocol):
    """A leg whose far side can be sent elsewhere (REFER)."""

    def transfer(self, target: str) -> Deferred[None]:
        """A number or a URI. Fires when the other side has answered; then the leg is hung up.

        `NotSupported` with what the far side said, when it does not go there: the call goes on.
        """


@runtime_checkable
class Measured(Protocol):
    """A leg that knows how good the line was."""

    def measures(self) -> Mapping[str, tuple[str, Mapping[str, object]]]:
        """Name of a metric to its value and what else is known of it; asked at the call's end."""
