"""LiveConnection: one WebSocket of a live model, and what its events mean to the call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from twisted.logger import Logger

from rapida_tw.audio.format import AudioFormat, Encoding
from rapida_tw.errors import RemoteProtocolError
from rapida_tw.models.live import Briefing, LiveSink
from rapida_tw.models.live_wire import (
    Audio,
    Complaint,
    Event,
    Interrupted,
    Leaving,
    LiveWire,
    Ready,
    ReplyBegan,
    ReplyOver,
    Send,
    SpeechStarted,
    SpeechStopped,
    Spoken,
    TurnHeard,
    TurnTaken,
    Usage,
    Wanted,
    Withdrawn,
    Words,
)
from rapida_tw.net.base import Frame, Socket, SocketReceiver
from rapida_tw.speech.voices.sound import Sound

_REMEMBERED = 32  # items whose length is known


class Owner(Protocol):
    """Who makes connections, and is told of their ends."""

    def connection_ready(self) -> None: ...
    def connection_free(self) -> None:
        """It takes audio again."""

    def connection_answers(self) -> None:
        """A reply has begun to what was heard by now."""

    def connection_leaving(self, seconds: float) -> None:
        """The vendor will close it."""

    def connection_over(self, complaint: Complaint) -> None:
        """It is of no use any more; once. It is left then."""

    def connection_gone(self, connection: LiveConnection) -> None:
        """The socket of one that was left is closed."""


class LiveConnection:
    """From the handshake to the end of one socket. After `leave` only its end is told.

    `ready`: there is a session. `replying`: the vendor is making a reply.
    """

    _log = Logger()

    def __init__(self, vendor: str, wire: LiveWire, leg: AudioFormat | None, owner: Owner) -> None:
        """`leg`: the format of the call, if it is known."""
        self.wire = wire
        self.ready = False
        self.replying = False
        self._vendor = vendor
        self._leg = leg
        self._owner = owner
        self._left = False
        self._free = True  # the socket takes audio
        self._sink: LiveSink | None = None
        self._socket: Socket | None = None
        self._sounds: dict[str, Sound] = {}  # of items whose sound is coming
        self._given: dict[str, float] = {}  # ms of sound, by item

    def opened(self, socket: Socket) -> None:
        self._socket = socket

    def begin(self, sink: LiveSink, briefing: Briefing) -> None:
        """Set the session up; from now on its events are told."""
        self._sink = sink
        self.send(self.wire.hello(briefing, sink.dialogue))

    @property
    def takes_audio(self) -> bool:
        return self.ready and self._free

    def send(self, frames: Sequence[Frame]) -> None:
        if self._socket is not None:
            for payload, binary in frames:
                self._socket.send(payload, binary)

    def send_audio(self, payload: bytes) -> None:
        """A piece of the caller's audio, on the 20 ms path."""
        if self._socket is not None:
            self._socket.send(*self.wire.audio(payload))

    def given(self, item: str) -> int | None:
        """Whole ms of sound that were given of an item; None for one of another connection."""
        milliseconds = self._given.get(item)
        return None if milliseconds is None else int(milliseconds)

    def leave(self) -> bool:
        """Close it; whether its end is still to come."""
        self._left = True
        self._sink = None
        if self._socket is None:
            return False
        if self._free:
            self._socket.close()
        else:  # it would not take our goodbye
            self._socket.abort()
        return self._socket is not None

    # -- SocketReceiver ---------------------------------------------------------------------------

    def message_received(self, payload: bytes, binary: bool) -> None:
        for event in self.wire.received(payload, binary):
            if self._left:
                return
            _TOLD[type(event)](self, event)

    def writable(self, free: bool) -> None:
        self._free = free
        if free and not self._left:
            self._owner.connection_free()

    def closed(self, code: int, reason: str) -> None:
        self._socket = None
        if self._left:
            self._owner.connection_gone(self)
        else:
            self._owner.connection_over(self.wire.closed(code, reason))

    # -- events -----------------------------------------------------------------------------------

    def _send(self, event: Send) -> None:
        self.send(event.frames)

    def _ready(self, event: Ready) -> None:
        self.ready = True
        self._owner.connection_ready()

    def _leaving(self, event: Leaving) -> None:
        self._owner.connection_leaving(event.seconds)

    def _complaint(self, event: Complaint) -> None:
        if event.fatal:
            self._owner.connection_over(event)
        else:
            self._log.warn("{vendor} complains: {reason}", vendor=self._vendor, reason=event.reason)

    def _audio(self, event: Audio) -> None:
        item = event.item
        sound = self._sounds.get(item)
        if sound is None:
            try:
                sound = self._sounds[item] = Sound(self.wire.spoken, event.rate, self._leg)
            except ValueError as error:
                raise RemoteProtocolError(str(error)) from None
            if len(self._given) >= _REMEMBERED:
                del self._given[next(iter(self._given))]
        width = 2 if self.wire.spoken is Encoding.LINEAR16 else 1
        length = len(event.payload) * 1000 / (event.rate * width)
        self._given[item] = self._given.get(item, 0.0) + length
        samples, payload = sound.feed(event.payload)
        if self._sink is not None and len(samples):
            self._sink.audio(item, samples, payload)

    def _spoken(self, event: Spoken) -> None:
        sound = self._sounds.pop(event.item, None)
        if self._sink is None:
            return
        if sound is not None and len(tail := sound.finish()):
            self._sink.audio(event.item, tail)
        self._sink.item_spoken(event.item)

    def _reply_began(self, event: ReplyBegan) -> None:
        self.replying = True
        self._owner.connection_answers()
        if self._sink is not None:
            self._sink.reply_began()

    def _reply_over(self, event: ReplyOver) -> None:
        self.replying = False
        self._sounds.clear()
        if self._sink is not None:
            self._sink.reply_over(event.failure)

    def _speech_started(self, event: SpeechStarted) -> None:
        self.replying = False
        if self._sink is not None:
            self._sink.speech_started()

    def _interrupted(self, event: Interrupted) -> None:
        self.replying = False
        if self._sink is not None:
            self._sink.interrupted()

    def _tell(self, event: Event) -> None:
        if self._sink is None:
            return
        match event:
            case Words(item, delta):
                self._sink.words(item, delta)
            case SpeechStopped():
                self._sink.speech_stopped()
            case TurnTaken(turn):
                self._sink.turn_taken(turn)
            case TurnHeard(turn, text):
                self._sink.turn_heard(turn, text)
            case Wanted(calls):
                self._sink.tools_wanted(calls)
            case Withdrawn(ids):
                self._sink.tools_withdrawn(ids)
            case Usage(tokens):
                self._sink.used(tokens)


_TOLD: Mapping[type[Any], Callable[[LiveConnection, Any], None]] = {
    Audio: LiveConnection._audio,
    Spoken: LiveConnection._spoken,
    Send: LiveConnection._send,
    Ready: LiveConnection._ready,
    Leaving: LiveConnection._leaving,
    Complaint: LiveConnection._complaint,
    ReplyBegan: LiveConnection._reply_began,
    ReplyOver: LiveConnection._reply_over,
    SpeechStarted: LiveConnection._speech_started,
    Interrupted: LiveConnection._interrupted,
    **dict.fromkeys(
        (Words, SpeechStopped, TurnTaken, TurnHeard, Wanted, Withdrawn, Usage),
        LiveConnection._tell,
    ),
}

_conforms: type[SocketReceiver] = LiveConnection
