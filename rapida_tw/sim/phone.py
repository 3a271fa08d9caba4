"""Line and Phone: what a simulated carrier and a simulated caller know of each other.

A fake of any carrier offers a `Line`; whoever plays the caller is a `Phone`. Times are seconds
since the line came up.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class Reason(Enum):
    """Why a line went down."""

    CALLER_HUNG_UP = "caller_hung_up"
    SERVER_HUNG_UP = "server_hung_up"  # in the protocol's own form
    CARRIER_HUNG_UP = "carrier_hung_up"  # because its API was told to
    SERVER_CLOSED = "server_closed"  # without a word
    CONNECTION_LOST = "connection_lost"
    INACTIVE = "inactive"  # neither side sent anything for too long
    UNKNOWN_KIND = "unknown_kind"
    EMPTY_AUDIO = "empty_audio"
    ODD_AUDIO = "odd_audio"
    LATE_PAYLOAD = "late_payload"  # the rest of a torn packet took too long
    REFUSED = "refused"  # no upgrade to a WebSocket
    NO_ANSWER = "no_answer"  # neither an upgrade nor a refusal
    SERVER_FAILED = "server_failed"  # closed with a code that is no hang-up
    BAD_FRAME = "bad_frame"  # against RFC 6455
    BAD_MESSAGE = "bad_message"  # not what the carrier understands
    CUT = "cut"  # TCP closed without a word, by ourselves, on purpose
    RESET = "reset"  # by ourselves, on purpose


class CallFailed(Exception):
    """The call went another way than to the assistant; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a line went down, as the carrier would log it."""

    reason: Reason
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.reason.value} ({self.detail})" if self.detail else self.reason.value


class Line(Protocol):
    """What a caller may do. No method raises; after the end they do nothing."""

    rate: int  # Hz
    interval: float  # seconds of audio in each `send_audio`

    def send_audio(self, payload: bytes) -> None:
        """One packet of a phone's audio: int16, little-endian, at `rate`."""

    def press(self, digit: str) -> None:
        """One of 0-9 A-D * #: the key has been released."""

    def hang_up(self) -> None:
        """The caller puts down the receiver."""


class Phone(Protocol):
    """What a line tells its caller."""

    def connected(self, line: Line) -> None:
        """The line is up; time 0."""

    def beat(self, now: float) -> None:
        """`line.interval` seconds have passed: time to send a packet."""

    def audio_heard(self, payload: bytes, rate: int, now: float) -> None:
        """Audio for the caller's ear: int16, little-endian, at `rate`."""

    def disconnected(self, ending: Ending, now: float) -> None:
        """The line is down. Once, last."""
