"""VoiceConnection: one WebSocket to a voice, and the phrases that are open on it.

A phrase is open from its text until the vendor's Done, also when it was cancelled in between: what
still comes of it is dropped by its context, or by its turn where the vendor labels nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from rapida_tw.errors import RemoteProtocolError, VendorFailed
from rapida_tw.net.base import Frame, Net, Socket, SocketReceiver
from rapida_tw.speech.voices.phrase import Phrase, misunderstood, named
from rapida_tw.speech.voices.wire import (
    Audio,
    Complaint,
    Done,
    Event,
    Ready,
    VoiceWire,
    Words,
)

READY_WITHIN = 6.0  # seconds for connecting (5 s, net/base.py) and the vendor's greeting
# Seconds for the Done of a cancelled phrase, where no other can be said before it.
ACKNOWLEDGED_WITHIN = 1.0
_MINUTE = 60.0  # seconds
_MARGIN = 1.0  # seconds before the vendor's idle limit in which nothing is begun


class VoiceConnection:
    """`gone` is called once, when nothing of it is left.

    `to_be_renewed`, by then: it ended in good order, and the next phrase will want another one.
    """

    def __init__(
        self,
        net: Net,
        clock: IReactorTime,
        vendor: str,
        wire: VoiceWire,
        gone: Callable[[VoiceConnection], None],
    ) -> None:
        self._net = net
        self._clock = clock
        self._vendor = vendor
        self._wire = wire
        self._gone = gone
        self._socket: Socket | None = None
        self._takes_text = False
        self._failure: VendorFailed | None = None  # why it is of no use any more
        self._over = False
        self._open: dict[str, Phrase | None] = {}  # by context, oldest first; None: cancelled
        self._waiting: list[Deferred[None]] = []
        self._spoken_at = clock.seconds()  # when the vendor was last sent text
        self._said_at: deque[float] = deque(maxlen=wire.per_minute)  # the latest phrases
        self._greeting: Deferred[None] | None = None  # awaited
        self._keeping_alive: IDelayedCall | None = None
        self._acknowledging: IDelayedCall | None = None
        self._opening: Deferred[None] | None = None
        self.to_be_renewed = False

    # -- for SocketVoice --------------------------------------------------------------------------

    def open(self) -> None:
        """Connect; `free` tells how that went."""
        self._opening = Deferred.fromCoroutine(self._connect())
        self._opening.addTimeout(READY_WITHIN, self._clock, self._too_slow)
        self._opening.addCallbacks(self._opened, self._not_opened)

    @property
    def usable(self) -> bool:
        """Phrases can be said on it, now or later."""
        return self._failure is None and not self._over

    @property
    def has_room(self) -> bool:
        """Another phrase can be open on it. Where only one can be, it is worth waiting for."""
        if self._worn_out:
            return False
        return self._wire.contexts == 1 or len(self._open) < self._wire.contexts

    @property
    def _worn_out(self) -> bool:
        """It has been asked for as many phrases as the vendor takes, for now."""
        most, said = self._wire.per_minute, self._said_at
        return 0 < most <= len(said) and said[-most] + _MINUTE > self._clock.seconds()

    @property
    def expiring(self) -> bool:
        """The vendor has closed it for idleness, or will before it has read a phrase."""
        silent_for = self._clock.seconds() - self._spoken_at
        return not self._open and 0 < self._wire.idle <= silent_for + _MARGIN

    def free(self) -> Deferred[None]:
        """Fires when a phrase can be said, errbacks when it never can. Can be cancelled."""
        if self._failure is not None:
            return fail(self._failure)
        if self._free:
            return succeed(None)
        waiting: Deferred[None] = Deferred(self._waiting.remove)
        self._waiting.append(waiting)
        return waiting

    async def say(self, context: str, phrase: Phrase) -> None:
        """Say it, when free; raises as `Phrase.begin` does. Cancelling tells the vendor."""
        self._open[context] = phrase
        spoken = phrase.begin(self._wire)
        self._spoken_at = self._clock.seconds()
        self._said_at.append(self._spoken_at)
        self._send(self._wire.say(context, phrase.text))
        try:
            await spoken
        except VendorFailed as failure:
            self.abort(failure)
            raise
        finally:
            if context in self._open:
                self._cancel(context)

    def close(self) -> None:
        """Say goodbye; `gone` follows within a second."""
        self._failure = self._failure or VendorFailed(f"{self._vendor}: closed")
        if self._socket is None:
            self._give_up()
        else:
            self._send(self._wire.goodbye())
            self._socket.close()
            self._stop_timers()

    def abort(self, failure: VendorFailed) -> None:
        """Gone at once, and why."""
        self._failure = self._failure or failure
        if self._socket is None:
            self._give_up()
        else:
            self._socket.abort()

    # -- opening ----------------------------------------------------------------------------------

    async def _connect(self) -> None:
        request = await self._wire.address(self._net)
        self._socket = await self._net.connect(request, self)
        self._greeting = greeting = Deferred[None]() if self._wire.greets else None
        self._send(self._wire.hello())
        if greeting is not None:
            await greeting

    def _opened(self, _: None) -> None:
        if self._over:
            return
        self._takes_text = True
        self._spoken_at = self._clock.seconds()
        self._keep_alive_later()
        self._wake()

    def _not_opened(self, failure: Failure) -> None:
        self._failure = self._failure or named(self._vendor, failure)
        if self._socket is None:
            self._end(self._failure)
        else:
            self._socket.abort()  # `closed` is called

    def _give_up(self) -> None:
        if self._opening is not None:
            self._opening.cancel()

    def _too_slow(self, result: object, seconds: float) -> None:
        raise VendorFailed(f"not ready within {seconds:.0f} s")

    # -- from the vendor --------------------------------------------------------------------------

    def message_received(self, payload: bytes, binary: bool) -> None:
        try:
            events = self._wire.received(payload, binary)
        except RemoteProtocolError as error:
            self.abort(misunderstood(self._vendor, error))
            return
        for event in events:
            self._happened(event)

    def writable(self, free: bool) -> None:
        """Texts are short: whatever waits is little."""

    def closed(self, code: int, reason: str) -> None:
        complaint = self._wire.closed(code, reason)
        self._end(self._failure or self._failed(complaint, code))

    def _happened(self, event: Event) -> None:
        match event:
            case Audio(context, payload):
                phrase = self._open.get(self._meant(context))
                if phrase is not None:
                    phrase.sound_received(payload)
            case Words(context, words):
                phrase = self._open.get(self._meant(context))
                if phrase is not None:
                    phrase.words_received(words)
            case Done(context):
                phrase = self._closed_context(self._meant(context))
                if phrase is not None:
                    phrase.completed()
            case Ready():
                greeting, self._greeting = self._greeting, None
                if greeting is not None:
                    greeting.callback(None)
            case Complaint("", _, _):
                self.abort(self._failed(event))
            case Complaint(context, _, _):
                phrase = self._closed_context(context)
                if phrase is not None:
                    phrase.failed(self._failed(event))

    def _meant(self, context: str) -> str:
        """Vendors that label nothing speak of the oldest phrase that is open."""
        return context or next(iter(self._open), "")

    def _closed_context(self, context: str) -> Phrase | None:
        phrase = self._open.pop(context, None)
        if self._acknowledging is not None and not self._open:
            self._acknowledging.cancel()
            self._acknowledging = None
        self._wake()
        return phrase

    # -- to the vendor ----------------------------------------------------------------------------

    def _cancel(self, context: str) -> None:
        """Nobody listens to it any more."""
        self._open[context] = None
        frames = self._wire.cancel(context)
        if frames is None:
            self.to_be_renewed = True
            self.abort(VendorFailed(f"{self._vendor}: closed to stop a phrase"))
            return
        self._send(frames)
        if self._wire.contexts == 1 and self._acknowledging is None and not self._over:
            self._acknowledging = self._clock.callLater(ACKNOWLEDGED_WITHIN, self._not_acknowledged)

    def _not_acknowledged(self) -> None:
        self._acknowledging = None
        self.abort(VendorFailed(f"{self._vendor} does not stop a phrase"))

    def _keep_alive_later(self) -> None:
        every = self._wire.keep_alive_every
        if every and not self._over:
            left = self._spoken_at + every - self._clock.seconds()
            self._keeping_alive = self._clock.callLater(max(left, 0.0), self._keep_alive)

    def _keep_alive(self) -> None:
        if self._clock.seconds() >= self._spoken_at + self._wire.keep_alive_every - 0.001:
            self._spoken_at = self._clock.seconds()
            self._send(self._wire.keep_alive())
        self._keep_alive_later()

    def _send(self, frames: Sequence[Frame]) -> None:
        if self._socket is not None:
            for frame in frames:
                self._socket.send(frame.payload, frame.binary)

    # -- its end ----------------------------------------------------------------------------------

    @property
    def _free(self) -> bool:
        return self._takes_text and len(self._open) < self._wire.contexts

    def _wake(self) -> None:
        """Whoever waits may speak; the first of them may leave no room for the next."""
        while self._waiting and self._free and self._failure is None:
            self._waiting.pop(0).callback(None)

    def _failed(self, complaint: Complaint, code: int = 0) -> VendorFailed:
        return VendorFailed(f"{self._vendor}: {complaint.reason}", code, complaint.retryable)

    def _end(self, failure: VendorFailed) -> None:
        if self._over:
            return
        self.to_be_renewed = self.to_be_renewed or (self._takes_text and self.expiring)
        self._over = True
        self._failure = failure
        self._stop_timers()
        greeting, self._greeting = self._greeting, None
        if greeting is not None and not greeting.called:
            greeting.errback(failure)
        phrases, self._open = list(self._open.values()), {}
        waiting, self._waiting = self._waiting, []
        self._gone(self)
        for phrase in phrases:
            if phrase is not None:
                phrase.failed(failure)
        for deferred in waiting:
            deferred.errback(failure)

    def _stop_timers(self) -> None:
        for timer in (self._keeping_alive, self._acknowledging):
            if timer is not None and timer.active():
                timer.cancel()
        self._keeping_alive = self._acknowledging = None


_conforms: type[SocketReceiver] = VoiceConnection
