"""SocketVoice: speaks in one call over a vendor's WebSocket, whichever vendor that is.

The socket is opened when the call is announced and stays. A phrase of which nothing was heard is
asked for once more, on a new one; so a vendor that closed a socket in the meantime is not noticed.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime

from rapida_tw.audio.format import AudioFormat
from rapida_tw.errors import VendorFailed
from rapida_tw.net.base import Net
from rapida_tw.speech.base import Synthesizer, VoiceSink
from rapida_tw.speech.voices.connection import VoiceConnection
from rapida_tw.speech.voices.phrase import Phrase, spoken, twice
from rapida_tw.speech.voices.wire import VoiceWire

# Seconds for a connection in the middle of a call, which the caller hears as silence.
_FREE_WITHIN = 3.0
# Sockets of one call: a second one for when the first is full of phrases that were cancelled.
_MOST = 2


class SocketVoice:
    """One call's; `make_wire` makes the wire of each connection. See Synthesizer."""

    def __init__(
        self,
        net: Net,
        clock: IReactorTime,
        vendor: str,
        make_wire: Callable[[], VoiceWire],
        leg: AudioFormat | None = None,
    ) -> None:
        self._net = net
        self._clock = clock
        self._vendor = vendor
        self._make_wire = make_wire
        self._leg = leg
        self._connections: list[VoiceConnection] = []  # oldest first, also those that are closing
        self._contexts = count(1)
        self._saying: Deferred[None] | None = None  # the latest
        self._stopped: Deferred[None] | None = None

    def prepare(self) -> None:
        """Connect; whether that worked is told by `start`."""
        self._usable()

    def start(self) -> Deferred[None]:
        return Deferred.fromCoroutine(twice(self._clock, self._vendor, self._ready))

    async def _ready(self) -> None:
        await self._usable().free()

    def say(self, phrase: str, sink: VoiceSink) -> Deferred[None]:
        """See Synthesizer. A phrase without a letter or a digit is silence, and said at once."""
        whole = Phrase(self._clock, self._vendor, phrase, sink, self._leg)
        saying = Deferred.fromCoroutine(spoken(self._clock, whole, self._attempt))
        self._saying = saying
        return saying

    def stop(self) -> Deferred[None]:
        """Fires when the sockets are closed, within a second."""
        if self._stopped is not None:
            return succeed(None)
        self._stopped = Deferred()
        if self._saying is not None:
            self._saying.cancel()
        for connection in tuple(self._connections):
            connection.close()
        return self._stopped if self._connections else succeed(None)

    async def _attempt(self, phrase: Phrase) -> None:
        connection = self._usable()
        try:
            await connection.free().addTimeout(_FREE_WITHIN, self._clock, self._too_slow)
        except VendorFailed as failure:
            connection.abort(failure)
            raise
        await connection.say(f"p{next(self._contexts)}", phrase)

    def _too_slow(self, result: object, seconds: float) -> None:
        raise VendorFailed(f"{self._vendor} cannot be reached within {seconds:.0f} s")

    def _usable(self) -> VoiceConnection:
        """A connection on which a phrase can be said; a new one where there is none."""
        if self._stopped is not None:
            raise VendorFailed(f"{self._vendor}: the call is over", retryable=False)
        usable = [connection for connection in self._connections if connection.usable]
        for connection in usable:
            if connection.expiring:
                connection.close()
            elif connection.has_room:
                return connection
        if len(usable) >= _MOST:
            # It is full of phrases that the vendor has never ended, or has had enough for a minute.
            usable[0].abort(VendorFailed(f"{self._vendor} does not end its phrases"))
        return self._open()

    def _open(self) -> VoiceConnection:
        connection = VoiceConnection(
            self._net, self._clock, self._vendor, self._make_wire(), self._gone
        )
        self._connections.append(connection)
        connection.open()
        return connection

    def _gone(self, connection: VoiceConnection) -> None:
        self._connections.remove(connection)
        if self._stopped is not None:
            if not self._connections and not self._stopped.called:
                self._stopped.callback(None)
        elif connection.to_be_renewed and not self._connections:
            self._open()


_conforms: type[Synthesizer] = SocketVoice
