"""SocketRecognizer: the port Recognizer over any vendor's RecognizerWire.

What is the same for all vendors is here and in the files beside: gathering frames (gather.py),
keeping what may be needed again (tape.py), one connection (connection.py), and answering `finish`
once and in time (answers.py). Here they meet: connecting early, losing a connection in mid-call and
replacing it, sending no faster than the vendor likes.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from rapida_tw.audio.format import Samples
from rapida_tw.errors import VendorFailed
from rapida_tw.expect import Expectation
from rapida_tw.net.base import Net
from rapida_tw.speech import counters
from rapida_tw.speech.base import Recognizer, RecognizerSink
from rapida_tw.speech.recognizers.answers import Answers
from rapida_tw.speech.recognizers.connection import Connection, Owner
from rapida_tw.speech.recognizers.gather import Gatherer
from rapida_tw.speech.recognizers.tape import BLOCKED, WAITING, Piece, Tape
from rapida_tw.speech.recognizers.wire import Event, Final, Partial, RecognizerWire

IDLE = 20.0  # seconds that a prepared connection waits for its call
# Seconds before each try since the latest sign of life: a word, or ten seconds. That it greets is
# none: who greets and hangs up would be called for ever.
BACK_OFF = (0.0, 0.5, 1.0)
# Seconds for a new connection where somebody else can be asked instead.
HASTY = 1.5
_JITTER = 0.25  # of that, to both sides
_PATIENCE = 5.0  # seconds: a vendor that asks for a longer pause is of no use for a call
_PROVEN = 10.0  # seconds: a connection that lived that long was a good one
# Seconds after `finish` in which the call waits for a turn's words; of later ones it does not know
# whose they are, unless there were none.
_HEEDED = 0.95
_EXACT = 0.001  # seconds: timers and sums of floats are not

_TURN_OVER = Piece(b"", 0)


class SocketRecognizer:
    """One call at one vendor. `jitter` gives 0..1, evenly."""

    _log = Logger()

    def __init__(
        self,
        net: Net,
        clock: IReactorTime,
        vendor: str,
        make_wire: Callable[[], RecognizerWire],
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._net = net
        self._clock = clock
        self._vendor = vendor
        self._make_wire = make_wire
        self._jitter = jitter
        pattern = make_wire()
        self.turns = pattern.turns
        self._asks = bool(pattern.finalize())
        self._flush_within = pattern.flush_within
        self._catch_up = pattern.catch_up
        self._ms = pattern.gather
        self._gatherer = Gatherer(pattern.encoding, pattern.rate, pattern.gather)
        self._tape = Tape()
        self._connection: Connection | None = None
        self._phrases: tuple[str, ...] = ()  # that the caller may say next
        self._tries = 0  # since the latest sign of life
        self._in_haste = False
        self._sink: RecognizerSink | None = None
        self._answers: Answers | None = None  # from `start` on
        self._starting: Deferred[None] | None = None
        self._over = False  # failed or stopped
        self._finished = 0.0  # when `finish` was called
        self._next = 0.0  # when the next piece may be sent
        self._idle: IDelayedCall | None = None
        self._retry: IDelayedCall | None = None
        self._patience: IDelayedCall | None = None  # for a new connection, in haste
        self._flush: IDelayedCall | None = None
        self._drain: IDelayedCall | None = None

    # -- the port ---------------------------------------------------------------------------------

    def prepare(self) -> None:
        if self._connection is None and self._answers is None and not self._over:
            self._idle = self._clock.callLater(IDLE, self._let_go)
            self._connect()

    def start(self, sink: RecognizerSink) -> Deferred[None]:
        _cancel(self._idle)
        self._sink = sink
        self._answers = Answers(sink, self._clock.seconds, self._tape.settle)
        starting = self._starting = Deferred(lambda _: self._abandon())
        if self._connection is None:
            self._connect()
        elif self._connection.ready:
            self._started()
        return starting

    def hurry(self) -> None:
        self._in_haste = True

    def expect(self, expectation: Expectation) -> None:
        """They understand everything already; some do better when they are told."""
        self._phrases = expectation.phrases
        if self._connection is not None:
            self._connection.expect(self._phrases)

    def hear(self, frame: Samples) -> None:
        payload = self._gatherer.hear(frame)
        if payload and not self._over:
            if self._gatherer.loud and self._answers is not None:
                self._answers.loud()
            self._put(Piece(payload, self._ms))

    def speech_started(self) -> None:
        if self._answers is not None:
            self._answers.speech_started()

    def finish(self) -> None:
        if self._over and self._sink is not None:
            self._sink.final("", 0.0)
        if self._over or self._answers is None:
            return
        self._finished = self._clock.seconds()
        if not self._answers.finish(self._asks):
            self._answered()
            return
        _cancel(self._flush)
        within = min(self._flush_within, _HEEDED)
        self._flush = self._clock.callLater(within, self._too_slow, self._flush_within - within)
        if self._asks:
            payload, ms = self._gatherer.rest()
            if payload:
                self._put(Piece(payload, ms))
            self._put(_TURN_OVER)

    def stop(self) -> Deferred[None]:
        self._over = True
        self._sink = self._answers = None
        if self._starting is not None:
            self._starting.cancel()
        self._cancel_all()
        connection, self._connection = self._connection, None
        return succeed(None) if connection is None else connection.close()

    # -- connections ------------------------------------------------------------------------------

    def _connect(self) -> None:
        self._tries += 1
        wire = self._make_wire()
        self._connection = Connection(self._net, self._clock, wire, self._vendor, self)
        self._connection.expect(self._phrases)
        self._connection.open()

    def connection_ready(self) -> None:
        _cancel(self._patience)
        if self._starting is not None:
            self._started()
        self._send()

    def _started(self) -> None:
        starting, self._starting = self._starting, None
        if starting is not None:
            starting.callback(None)

    def connection_lost(self, error: VendorFailed) -> None:
        lost, self._connection = self._connection, None
        if self._answers is None:  # `start` will try again
            self._tries = 0
            return
        if lost is not None and lost.ready and self._clock.seconds() - lost.since >= _PROVEN:
            self._tries = 0
        if not error.retryable or self._tries >= len(BACK_OFF):
            self._fail(error)
            return
        delay = BACK_OFF[self._tries] * (1 + _JITTER * (2 * self._jitter() - 1))
        delay = max(delay, error.retry_after or 0.0)
        # In haste it is tried once more, at once.
        if delay > (0.0 if self._in_haste else _PATIENCE):
            self._fail(error)
            return
        self._log.info("{error}; again in {delay:.1f} s", error=error, delay=delay)
        self._tape.rewind()
        self._answers.disconnected(self._tape.truncated)
        self._retry = self._clock.callLater(delay, self._reconnect)

    def _reconnect(self) -> None:
        counters.reconnects.inc(self._vendor)
        if self._in_haste and self._starting is None:
            self._patience = self._clock.callLater(HASTY, self._not_back)
        self._connect()

    def _not_back(self) -> None:
        """Whoever has heard the call so far will not be waited for any longer."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort()
        self._fail(VendorFailed(f"{self._vendor} was lost and did not come back at once"))

    def _let_go(self) -> None:
        """The call has not come yet, and vendors count connections."""
        connection, self._connection = self._connection, None
        self._tries = 0
        if connection is not None:
            connection.close()

    def _abandon(self) -> None:
        """Nobody waits for the start any more."""
        self._starting = None
        self._cancel_all()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort()

    def _fail(self, error: VendorFailed) -> None:
        self._over = True
        starting, self._starting = self._starting, None
        if starting is not None:
            self._cancel_all()
            starting.errback(error)
            return
        self._overdue()
        self._cancel_all()
        if self._sink is not None:
            self._sink.failed(error)

    def _cancel_all(self) -> None:
        for timer in (self._idle, self._retry, self._patience, self._flush, self._drain):
            _cancel(timer)

    # -- audio ------------------------------------------------------------------------------------

    def _put(self, piece: Piece) -> None:
        connection = self._connection
        stuck = connection is not None and connection.ready and not connection.free
        dropped = self._tape.add(piece, BLOCKED if stuck else WAITING)
        if dropped:
            counters.dropped.inc(self._vendor, by=dropped / 1000)
        self._send()

    def connection_free(self) -> None:
        self._send()

    def _send(self) -> None:
        """All that may go out now."""
        connection = self._connection
        if connection is None or not connection.ready:
            return
        while self._tape and connection.free and connection is self._connection:
            if self._catch_up and self._too_early():
                return
            piece = self._tape.take()
            if not piece.ms:
                connection.finalize()
                continue
            if self._catch_up:
                self._next += self._step(piece.ms)
            connection.send_audio(piece.payload)

    def _too_early(self) -> bool:
        now = self._clock.seconds()
        if now < self._next - _EXACT:
            if self._drain is None or not self._drain.active():
                self._drain = self._clock.callLater(self._next - now, self._send)
            return True
        # Timers are late; what one was late the next need not be.
        self._next = max(self._next, now - self._step(self._ms))
        return False

    def _step(self, ms: int) -> float:
        """Seconds from a piece to the next one, in haste."""
        return ms / 1000 / self._catch_up

    # -- words ------------------------------------------------------------------------------------

    def connection_told(self, event: Event) -> None:
        if self._answers is None:
            return
        if isinstance(event, Partial | Final) and event.text:
            self._tries = 0
        owed = self._answers.finishing
        self._answers.told(event)
        if owed and self._answers is not None and not self._answers.finishing:
            self._answered()

    def _too_slow(self, left: float) -> None:
        """`left`: seconds that are worth waiting for when there is no word yet."""
        if left and self._answers is not None and not self._answers.known:
            self._flush = self._clock.callLater(left, self._overdue)
        else:
            self._overdue()

    def _overdue(self) -> None:
        if self._answers is not None and self._answers.finishing:
            self._answers.overdue()
            self._answered()

    def _answered(self) -> None:
        _cancel(self._flush)
        counters.answered.observe(self._clock.seconds() - self._finished, self._vendor)


def _cancel(timer: IDelayedCall | None) -> None:
    if timer is not None and timer.active():
        timer.cancel()


_conforms: tuple[type[Recognizer], type[Owner]] = (SocketRecognizer, SocketRecognizer)
