"""A caller's line over a carrier's media WebSocket, whichever the carrier: the base of the fakes.

The handshake, the frames, the buffer that the caller hears, the ends of a call, and how it can all
go wrong. What the messages say is the `Dialect`'s.
"""

from __future__ import annotations

from collections import Counter
from secrets import token_bytes
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from rapida_tw.sim.buffer import Buffer
from rapida_tw.sim.carrier import Desk, Media
from rapida_tw.sim.faults import NO_FAULTS, Faults, WayOut
from rapida_tw.sim.handshake import Refused
from rapida_tw.sim.http import HttpAnswer
from rapida_tw.sim.metronome import Metronome
from rapida_tw.sim.phone import Ending, Line, Phone, Reason
from rapida_tw.sim.websocket import (
    BINARY,
    CLOSE,
    GOING_AWAY,
    NO_CODE,
    NORMAL,
    PING,
    PONG,
    TEXT,
    UNSUPPORTED,
    BadFrame,
    Message,
    Reader,
    close,
    closing,
    frame,
)

HANDSHAKE_WITHIN = 10.0  # seconds for the server's answer: Exotel's limit; others have about that
CLOSED_WITHIN = 2.0  # seconds for the server to close after our close frame
_HANG_UPS = frozenset((NORMAL, GOING_AWAY, NO_CODE))


class WebSocketLine(Protocol):
    """One call: opens the socket, carries a phone's audio, plays what the server sends.

    The phone's packets are as long as the metronome's interval. `up` fires when the line is up,
    with None, or with the ending of a line that never was; `closed` when the connection is gone;
    each is for one listener. `strict`: what the carrier would only warn about ends the call.
    """

    transport: Any

    def __init__(
        self,
        phone: Phone,
        media: Media,
        metronome: Metronome,
        faults: Faults = NO_FAULTS,
        *,
        strict: bool = False,
    ) -> None:
        self.dialect = dialect = media.dialect
        self.rate = dialect.rate
        self.interval = metronome.interval
        self.ending: Ending | None = None
        self.refusal: Refused | None = None
        self.complaints: Counter[str] = Counter()  # what a carrier would warn about
        self.pings = 0  # the server's
        self.up: Deferred[Ending | None] = Deferred()
        self.closed: Deferred[Ending] = Deferred()
        self.buffer = Buffer(
            dialect.rate,
            metronome.interval,
            dialect.playing,
            lambda name: dialect.reached(self, name),
        )
        self._phone = phone
        self._handshake = media.handshake(token_bytes(16))
        self._metronome = metronome
        self._faults = faults
        self._strict = strict
        self._reader = Reader(fragmented=dialect.fragmented, longest=dialect.longest)
        self._answer = b""  # to the handshake, so far
        self._open = False
        self._start = 0.0
        self._ended_at = 0.0
        self._mute = False  # half-open: nothing is read or sent any more
        self._way: WayOut

    # -- Protocol ---------------------------------------------------------------------------------

    def connectionMade(self) -> None:
        self.transport.setTcpNoDelay(True)
        self._way = WayOut(self._write, self._faults)
        self._start = self._metronome.seconds()
        self.transport.write(self._handshake.request())
        self._metronome.add(self._beat)

    def dataReceived(self, data: bytes) -> None:
        if self._mute:
            return
        if not self._open:
            self._answered(data)
            return
        try:
            for message in self._reader.feed(data):
                self._received(message)
        except BadFrame as error:
            self.end(Ending(Reason.BAD_FRAME, str(error)), error.code)
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if reason.check(ConnectionDone):
            self._down(Ending(Reason.SERVER_CLOSED))
        else:
            self._down(Ending(Reason.CONNECTION_LOST, reason.getErrorMessage()))
        self._metronome.remove(self._linger)
        assert self.ending is not None  # `_down` has set it
        self.closed.callback(self.ending)

    # -- Line -------------------------------------------------------------------------------------

    def send_audio(self, payload: bytes) -> None:
        if self.ending is None:
            self.dialect.audio(self, payload)

    def press(self, digit: str) -> None:
        if self.ending is None:
            self.dialect.digit(self, digit)

    def hang_up(self) -> None:
        """The carrier says so in its own way and closes with 1000."""
        if self.ending is None:
            if self._open:
                self.dialect.hung_up(self)
            self.end(Ending(Reason.CALLER_HUNG_UP))

    # -- Desk -------------------------------------------------------------------------------------

    @property
    def now(self) -> float:
        """Seconds since the line came up."""
        return self._metronome.seconds() - self._start

    def say(self, message: str | bytes, media: bool = False) -> None:
        """Send text, or bytes as a binary message."""
        if self.ending is None and not self._mute:
            if isinstance(message, str):
                whole = frame(TEXT, message.encode())
            else:
                whole = frame(BINARY, message)
            self._way.send(whole, self.now, media)

    def complain(self, why: str) -> None:
        self.complaints[why] += 1
        if self._strict:
            self.end(Ending(Reason.BAD_MESSAGE, why), UNSUPPORTED)

    def end(self, ending: Ending, code: int = NORMAL) -> None:
        """Send a close frame and wait a little for the server's. The first ending counts."""
        if self.ending is not None:
            return
        if not self._open:
            self._down(ending)
            self.transport.loseConnection()
            return
        if not self._mute:
            self._way.send(close(code), self.now)
            self._way.flush()
            self._metronome.add(self._linger)
        self._down(ending)

    def cut(self, ending: Ending) -> None:
        """RST, as the server sees it: 1006."""
        self._down(ending)
        self.transport.abortConnection()

    # -- misbehaviour -----------------------------------------------------------------------------

    def send_raw(self, data: bytes) -> None:
        """These very bytes, whatever they are: see `websocket.frame`."""
        if self.ending is None and not self._mute:
            self._way.send(data, self.now)

    def send_text(self, text: str) -> None:
        """A text message, whatever it says."""
        self.say(text)

    def misbehave(self, faults: Faults) -> None:
        """From now on the way to the server has these faults."""
        self._way.faults = faults

    def stall(self) -> None:
        """Keep back what would be sent."""
        self._way.stall()

    def unstall(self) -> None:
        """Send all that was kept back, in one burst."""
        self._way.unstall()

    def stop_reading(self) -> None:
        """Let what the server sends pile up in the buffers on the way."""
        self.transport.pauseProducing()

    def read_on(self) -> None:
        """Take what has piled up, and go on."""
        self.transport.resumeProducing()

    def go_dead(self) -> None:
        """Half-open: never send again and never close, as after a power failure."""
        self._mute = True

    def drop(self) -> None:
        """Close TCP without a close frame, as many a carrier does."""
        self._down(Ending(Reason.CUT))
        self.transport.loseConnection()

    def reset(self) -> None:
        """Tear the connection down with RST."""
        self.cut(Ending(Reason.RESET))

    # -- inside -----------------------------------------------------------------------------------

    def _write(self, data: bytes) -> None:
        self.transport.write(data)

    def _answered(self, data: bytes) -> None:
        self._answer += data
        answer = self._handshake.read(self._answer)
        if answer is None or self.ending is not None:
            return
        if isinstance(answer, Refused):
            self.refusal = answer
            why = HttpAnswer(answer.status, answer.headers, answer.body).reason
            if answer.status in (0, 101):
                why = answer.why
            self.end(Ending(Reason.REFUSED, why))
            return
        self._open = True
        self._start = self._metronome.seconds()
        self._phone.connected(self)
        self.dialect.opened(self)
        self.up.callback(None)
        if answer.rest:
            self.dataReceived(answer.rest)

    def _received(self, message: Message) -> None:
        opcode, payload = message
        if opcode == CLOSE:
            self._server_closes(payload)
        elif self.ending is not None:
            return
        elif opcode == BINARY:
            self.dialect.binary(self, payload)
        elif opcode == TEXT:
            self.dialect.text(self, payload.decode())
        elif opcode == PING:
            self.pings += 1
            self.send_raw(frame(PONG, payload))

    def _server_closes(self, payload: bytes) -> None:
        code, reason = closing(payload)
        hung_up = code in _HANG_UPS
        kind = Reason.SERVER_HUNG_UP if hung_up else Reason.SERVER_FAILED
        self.end(Ending(kind, "" if hung_up else f"{code} {reason}".rstrip()), code)
        self.transport.loseConnection()

    def _beat(self) -> None:
        now = self.now
        if not self._open:
            if now > HANDSHAKE_WITHIN:
                self.end(Ending(Reason.NO_ANSWER, f"no upgrade within {HANDSHAKE_WITHIN:.0f} s"))
            return
        if not self._mute:
            self._way.beat(now)
            heard = self.buffer.play()
            if heard is not None:
                self._phone.audio_heard(heard, self.rate, now)
        if self.ending is None:
            self._phone.beat(now)

    def _linger(self) -> None:
        if self.now > self._ended_at + CLOSED_WITHIN:
            self._metronome.remove(self._linger)
            self.transport.abortConnection()

    def _down(self, ending: Ending) -> None:
        if self.ending is None:
            self.ending = ending
            self._metronome.remove(self._beat)
            self._ended_at = now = self.now if self._open else 0.0
            self._phone.disconnected(ending, now)
            if not self._open:
                self.up.callback(ending)


_conforms: type[Line] = WebSocketLine
_works: type[Desk] = WebSocketLine
