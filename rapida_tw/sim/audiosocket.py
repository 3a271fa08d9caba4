"""The Asterisk side of an AudioSocket call, faithful and strict.

Written from what a real Asterisk 22 does on the wire, not from the server's codec: a mistake that
both shared would be found by nobody. `Reader` is the part without I/O; `FakeAsterisk` puts it on a
Twisted transport. The server's audio is handed on at once, as Asterisk does: no queue, no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from rapida_tw.sim.metronome import Metronome
from rapida_tw.sim.phone import Ending, Line, Phone, Reason

HANGUP, CONTEXT, DIGIT, AUDIO = 0x00, 0x01, 0x03, 0x10
# By sample rate (Hz): 0x10 is as old as AudioSocket, the others came with 20.17 / 22.7.
KINDS = {
    8_000: 0x10,
    12_000: 0x11,
    16_000: 0x12,
    24_000: 0x13,
    32_000: 0x14,
    44_100: 0x15,
    48_000: 0x16,
    96_000: 0x17,
    192_000: 0x18,
}
_RATE_OF = {kind: rate for rate, kind in KINDS.items()}

INACTIVE_AFTER = 2.0  # seconds: the dialplan application's limit, from 20.14 / 22.4 on
TORN_PAYLOAD_LIMIT = 0.005  # seconds that Asterisk waits for each further piece of a payload


def packet(kind: int, payload: bytes = b"") -> bytes:
    """One packet; nothing is checked, so that wrong ones can be made too."""
    return bytes((kind, len(payload) >> 8, len(payload) & 0xFF)) + payload


class Reader:
    """Takes the server's bytes as Asterisk takes them; says when they end the call.

    `audio(payload, rate)` is called for each packet of audio. `limit`: seconds to wait for the
    rest of a payload whose header is complete; None waits for ever.
    """

    def __init__(self, audio: Callable[[bytes, int], None], limit: float | None = None) -> None:
        self._audio = audio
        self._limit = limit
        self._rest = b""
        self._latest = 0.0  # when the newest piece of `_rest` came

    def feed(self, data: bytes, now: float) -> Ending | None:
        """Read on; an ending when the call is over. Nothing may be fed after one."""
        if self._rest:
            late = self.overdue(now)
            if late is not None:
                return late
            data = self._rest + data
        start, size = 0, len(data)
        while start < size:
            kind = data[start]
            if kind == HANGUP:  # Asterisk does not even read the length
                return Ending(Reason.SERVER_HUNG_UP)
            if size - start < 3:
                break
            rate = _RATE_OF.get(kind)
            if rate is None:
                return Ending(Reason.UNKNOWN_KIND, f"kind 0x{kind:02x}")
            length = data[start + 1] << 8 | data[start + 2]
            if length == 0:
                return Ending(Reason.EMPTY_AUDIO)
            if length & 1:
                return Ending(Reason.ODD_AUDIO, f"{length} bytes")
            end = start + 3 + length
            if end > size:
                break
            self._audio(data[start + 3 : end], rate)
            start = end
        self._rest = data[start:]
        self._latest = now
        return None

    def overdue(self, now: float) -> Ending | None:
        """The ending of a call whose torn packet was not completed in time."""
        if self._limit is None or len(self._rest) < 3 or now - self._latest <= self._limit:
            return None
        return Ending(Reason.LATE_PAYLOAD, f"{1000 * (now - self._latest):.1f} ms")


@dataclass(frozen=True, slots=True)
class Manner:
    """How an Asterisk makes a call, and how it misbehaves.

    `driver`: the channel driver (`Dial(AudioSocket/...)`, externalMedia) at `rate`, without the
    limit of 2 s; else the dialplan application, which always sends 8 kHz. `torn_payload_limit`:
    0.005 for the real one; off by default, because a busy machine would fail honest servers.
    `opening` replaces the UUID packet: b"" never sends one. `cut` tears each write into pieces.
    """

    rate: int = 8_000
    driver: bool = False
    torn_payload_limit: float | None = None
    opening: bytes | None = None
    cut: Callable[[bytes], Iterable[bytes]] | None = None


APPLICATION = Manner()


def driver(rate: int) -> Manner:
    """The channel driver with `c(slin...)` of that rate."""
    return Manner(rate, driver=True)


class FakeAsterisk(Protocol):
    """One AudioSocket call: sends the UUID, carries a phone's audio, ends it as Asterisk would.

    The phone's packets are as long as the metronome's interval: 10, 20 or 30 ms.
    """

    transport: Any

    def __init__(
        self, phone: Phone, context: UUID, metronome: Metronome, manner: Manner = APPLICATION
    ) -> None:
        self.ending: Ending | None = None
        self.rate = manner.rate
        self.interval = metronome.interval
        self._phone = phone
        self._context = context
        self._metronome = metronome
        self._manner = manner
        self._reader = Reader(self._audio_heard, manner.torn_payload_limit)
        self._kind = bytes((KINDS[manner.rate],))
        self._start = self._active = 0.0
        self._held: list[bytes] | None = None  # while stalled
        self._mute = False  # half-open: nothing is sent any more

    # -- Protocol ---------------------------------------------------------------------------------

    def connectionMade(self) -> None:
        self.transport.setTcpNoDelay(True)  # Asterisk does, from 20.15 / 22.5 on
        self._start = self._active = self._metronome.seconds()
        opening = self._manner.opening
        self.send_raw(packet(CONTEXT, self._context.bytes) if opening is None else opening)
        self._metronome.add(self._beat)
        self._phone.connected(self)

    def dataReceived(self, data: bytes) -> None:
        if self.ending is not None or self._mute:
            return
        self._active = now = self._metronome.seconds()
        ending = self._reader.feed(data, now)
        if ending is not None:
            self._end(ending)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if reason.check(ConnectionDone):
            self._down(Ending(Reason.SERVER_CLOSED))
        else:
            self._down(Ending(Reason.CONNECTION_LOST, reason.getErrorMessage()))

    # -- Line -------------------------------------------------------------------------------------

    def send_audio(self, payload: bytes) -> None:
        size = len(payload)
        self.send_raw(self._kind + bytes((size >> 8, size & 0xFF)) + payload)

    def press(self, digit: str) -> None:
        self.send_raw(packet(DIGIT, digit.encode("ascii")))

    def hang_up(self) -> None:
        """Asterisk sends no hang-up packet: the connection is closed, without a word."""
        self._end(Ending(Reason.CALLER_HUNG_UP))

    # -- misbehaviour -----------------------------------------------------------------------------

    def send_raw(self, data: bytes) -> None:
        """These very bytes, whatever they are."""
        if self.ending is not None or self._mute:
            return
        if self._held is not None:
            self._held.append(data)
            return
        self._active = self._metronome.seconds()
        if self._manner.cut is None:
            self.transport.write(data)
        else:
            for piece in self._manner.cut(data):
                self.transport.write(piece)

    def stall(self) -> None:
        """Keep back what would be sent, as a network does that has lost its way."""
        self._held = self._held or []

    def unstall(self) -> None:
        """Send all that was kept back, in one burst."""
        held, self._held = self._held, None
        self.send_raw(b"".join(held or []))

    def stop_reading(self) -> None:
        """Let the server's audio pile up in the buffers on the way."""
        self.transport.pauseProducing()

    def read_on(self) -> None:
        """Take what has piled up, and go on."""
        self.transport.resumeProducing()

    def go_dead(self) -> None:
        """Half-open: never send again and never close, as after a power failure."""
        self._mute = True

    def reset(self) -> None:
        """Tear the connection down with RST."""
        self._down(Ending(Reason.RESET))
        self.transport.abortConnection()

    # -- inside -----------------------------------------------------------------------------------

    def _audio_heard(self, payload: bytes, rate: int) -> None:
        self._phone.audio_heard(payload, rate, self._active - self._start)

    def _beat(self) -> None:
        now = self._metronome.seconds()
        idle = not self._manner.driver and now - self._active > INACTIVE_AFTER
        ending = Ending(Reason.INACTIVE) if idle else self._reader.overdue(now)
        if ending is not None and not self._mute:
            self._end(ending)
        else:
            self._phone.beat(now - self._start)

    def _end(self, ending: Ending) -> None:
        if self.ending is None:
            self._down(ending)
            self.transport.loseConnection()

    def _down(self, ending: Ending) -> None:
        if self.ending is None:
            self.ending = ending
            self._metronome.remove(self._beat)
            self._phone.disconnected(ending, self._metronome.seconds() - self._start)


_conforms: type[Line] = FakeAsterisk
