"""What a session needs of its media: RtpStream and Negotiator are such."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from rapida_tw.audio.format import AudioFormat
from rapida_tw.media.leg import LegListener
from rapida_tw.wire.sdp import Agreed


class Offers(Protocol):
    """Offer and answer of one call (RFC 3264). A refused offer leaves all as it was."""

    local: bytes  # our latest description
    agreed: Agreed | None

    def answer(self, offer: bytes, secure: bool) -> Agreed:
        """Sets `local`. `NotAcceptable` (488), `RemoteProtocolError` (400)."""

    def offer(self) -> bytes:
        """All that we can do, in both directions, also when they hold us."""

    def refresh(self) -> bytes:
        """Offer once more what holds, in the same words."""

    def answered(self, answer: bytes) -> Agreed:
        """What they say to our offer; the same errors."""

    def another(self, session_id: int) -> Offers:
        """For a dialog of its own over the same ports; nothing is agreed on in it."""


class Stream(Protocol):
    """One call's RTP. No method raises."""

    format: AudioFormat

    def agree(self, agreed: Agreed, signalling_host: str) -> None:
        """The first and each later agreement; the listener is told of what changes by it."""

    def begin(self, flowing: Callable[[], None]) -> None:
        """Send silence until `listen`; `flowing`, once, when their first packet came."""

    def listen(self, listener: LegListener) -> None:
        """From now on the call's beat sends."""

    def send_audio(self, payload: bytes) -> None:
        """One tick."""

    def send_digits(self, digits: str) -> bool:
        """False: no telephone-event is agreed on."""

    def measures(self) -> Mapping[str, tuple[str, Mapping[str, object]]]:
        """See media.leg.Measured."""

    def close(self) -> None:
        """Nothing is sent any more, the ports go back; idempotent."""
