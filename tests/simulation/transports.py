"""What every transport may take its time for, in one table; and the names of all of them."""

from __future__ import annotations

from dataclasses import dataclass

from rapida_tw.simulation.transports import AUDIOSOCKET, SIP, TRANSPORTS

EVERY = (AUDIOSOCKET, *TRANSPORTS, *SIP)
SOCKETS = tuple(TRANSPORTS)  # of carriers

BEAT = 0.02  # seconds


@dataclass(frozen=True, slots=True)
class Slack:
    """Seconds that a transport adds to what AudioSocket needs.

    `hears`: until the caller's voice is sent, because it is gathered. `plays`: until what is sent
    begins to sound. `clears`: for which it sounds on after a clear, because a message that has
    begun is finished. `starts`: before the stream carries anything.
    """

    hears: float = 0.0
    plays: float = BEAT  # the carrier's own clock
    clears: float = 0.0
    starts: float = 0.0


_BUFFERED = Slack()
_PHONE = Slack(starts=BEAT)  # the call begins with the phone's first packet
SLACK = (
    dict.fromkeys(TRANSPORTS, _BUFFERED)
    | dict.fromkeys(SIP, _PHONE)
    | {
        AUDIOSOCKET: Slack(plays=0.0),
        # A message of Exotel's has 100 ms; ours have as many, or what its rules round that up to.
        "exotel-pcm": Slack(hears=0.1, clears=0.1),
        "exotel-mulaw": Slack(hears=0.1, clears=0.12),
        "exotel-16k": Slack(hears=0.1, clears=0.1),
        "exotel-strict": Slack(hears=0.1, clears=0.2),
        # Three frames of the caller's come before MEDIA_START.
        "asterisk-variable": Slack(starts=0.06),
    }
)
