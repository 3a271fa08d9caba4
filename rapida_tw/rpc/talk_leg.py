"""TalkLeg: a call whose media is an AssistantTalk stream: LINEAR16 at 16 kHz, mono, both ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rapida_tw.audio.format import RATE, AudioFormat, Encoding
from rapida_tw.errors import End, NotSupported, RemoteProtocolError
from rapida_tw.media.leg import Leg, LegListener
from rapida_tw.metrics import Counter

LARGEST: Final = 64_000  # bytes of one message: two seconds
_BYTES_A_SECOND: Final = RATE * 2
_AHEAD: Final = 10.0  # seconds of audio that may come faster than it was said

dropped = Counter(
    "rapida_talk_audio_dropped_total", "Bytes of streams that came faster than anybody speaks."
)


class TalkLeg:
    """`send` takes a frame towards the client, `over` the end."""

    def __init__(
        self,
        send: Callable[[bytes], None],
        over: Callable[[End], None],
        seconds: Callable[[], float],
    ) -> None:
        """`seconds`: a clock that only goes forward."""
        # A client that plays what it gets needs no silence, and one that waits for us sends none.
        self.format = AudioFormat(Encoding.LINEAR16, RATE, continuous=False, patience=60.0)
        self._send = send
        self._over = over
        self._seconds = seconds
        self._listener: LegListener | None = None
        self._early = bytearray()  # came before somebody listened
        self._odd = b""
        self._began = seconds()
        self._received = 0
        self._ended = False

    def attached(self, listener: LegListener) -> None:
        """The call is there."""
        self._listener = listener
        if self._early:
            early, self._early = bytes(self._early), bytearray()
            listener.audio_received(early)

    def audio_received(self, audio: bytes) -> None:
        """Some of the client's, of any length; `RemoteProtocolError` beyond two seconds."""
        if len(audio) > LARGEST:
            raise RemoteProtocolError(f"more than {LARGEST} bytes of audio in one message")
        if self._ended:
            return
        allowed = (self._seconds() - self._began + _AHEAD) * _BYTES_A_SECOND
        if self._received + len(audio) > allowed:
            dropped.inc(by=len(audio))
            return
        self._received += len(audio)
        audio = self._odd + audio
        self._odd = audio[len(audio) & ~1 :]
        audio = audio[: len(audio) & ~1]
        if self._listener is None:
            self._early += audio
        elif audio:
            self._listener.audio_received(audio)

    def digits_received(self, digits: str) -> None:
        for digit in digits:
            if self._listener is not None and not self._ended:
                self._listener.digit_received(digit)

    def full(self, full: bool) -> None:
        """The client takes nothing / takes again."""
        if self._listener is not None and not self._ended:
            self._listener.far_end_full(full)

    def lost(self, end: End) -> None:
        """The client is gone, or has said goodbye."""
        if not self._ended:
            self._ended = True
            if self._listener is not None:
                self._listener.leg_ended(end)

    # -- Leg --------------------------------------------------------------------------------------

    def send_audio(self, payload: bytes) -> None:
        if not self._ended:
            self._send(payload)

    def mark(self, name: str) -> None:
        """Never asked: without a lead nobody waits for marks."""

    def clear(self) -> None:
        """Nothing is queued here; the client is told of interruptions by themselves."""

    def send_digits(self, digits: str) -> None:
        raise NotSupported("a stream has no keys")

    def hang_up(self, end: End | None = None) -> None:
        if not self._ended:
            self._ended = True
            self._over(end or End("hung_up"))


_conforms: type[Leg] = TalkLeg
