"""Telephone events: the digits of a telephone's keys as RTP packets (RFC 4733 2)."""

from __future__ import annotations

import struct
from collections import deque
from typing import Final

from rapida_tw.errors import LocalProtocolError
from rapida_tw.wire.rtp import TIMESTAMPS, Sender, later

DIGITS: Final = "0123456789*#ABCD"  # events 0 to 15
PAUSES: Final = ",wp"  # each of half a second

_EVENT: Final = struct.Struct("!BBH")  # event, end and volume, duration
_END: Final = 0x80
_VOLUME: Final = 10  # -dBm0
_LONGEST: Final = 0xFFFF  # samples that a duration can say
_MOST: Final = 8  # events in one packet; more than that is none of a key

# Seconds.
_STEADY: Final = 0.040  # between packets of one press
_AFTER_END: Final = 0.060  # ends whose timestamps move
_APART: Final = 0.040  # at least, between two presses
_RELEASED: Final = 0.200
_REMEMBERED: Final = 5.0
_EPSILON: Final = 1e-6

_KEYS: Final = 32  # that are remembered

_Key = tuple[int, int, int]  # SSRC, timestamp, event: one press (2.5.1.2)


class EventReader:
    """One digit a press of a key, whatever of it is lost, at the first packet of it.

    Times are seconds. Packets should come in order, but need not.
    """

    def __init__(self, rate: int = 8000) -> None:
        self.rate = rate  # Hz
        self._known: dict[_Key, tuple[int, float]] = {}  # the press, when it was last told of
        # The newest press.
        self._press = 0
        self._event = -1
        self._ssrc = -1
        self._timestamp = 0  # of the last packet of it
        self._duration = 0
        self._ended = True
        self._told_at = -_REMEMBERED
        self._audio_since = True

    def arrived(self, payload: bytes, timestamp: int, now: float, ssrc: int = 0) -> str:
        """The digits pressed just now: none or one, several where a packet holds several events.

        Flash and events that are no digits are passed over.
        """
        digits = ""
        for position in range(0, min(len(payload), _MOST * _EVENT.size) - 3, _EVENT.size):
            event, flags, duration = _EVENT.unpack_from(payload, position)
            if event < len(DIGITS):
                key = (ssrc, timestamp, event)
                if self._is_pressed(key, duration, flags >= _END, now):
                    digits += DIGITS[event]
            timestamp = (timestamp + duration) % TIMESTAMPS  # the next follows at once (2.5.1.5)
        return digits

    def audio_arrived(self) -> None:
        """Audio came after the last event."""
        self._audio_since = True

    def down(self, now: float) -> bool:
        """A key is held: what is heard meanwhile is its tone, leaked by a gateway."""
        return not self._ended and now - self._told_at < _RELEASED

    def watching(self, now: float) -> bool:
        """Whether audio must be told of (`audio_arrived`), or asked for (`down`)."""
        return self.down(now) or (
            self._ended and not self._audio_since and now - self._told_at <= _AFTER_END + _EPSILON
        )

    def _is_pressed(self, key: _Key, duration: int, ended: bool, now: float) -> bool:
        press, told_at = self._known.get(key, (0, 0.0))
        new = not press or now - told_at > _REMEMBERED
        if new:
            new = not self._goes_on(key, ended, now)
            press = self._press + 1 if new else self._press
        self._remember(key, press, now)
        if new:
            self._press = press
            self._ssrc, _, self._event = key
            self._ended = False
        if press == self._press:  # else a belated packet of the press before
            self._timestamp = key[1]
            self._duration = duration
            self._told_at = now
            self._ended = self._ended or ended
            self._audio_since = False
        return new

    def _goes_on(self, key: _Key, ended: bool, now: float) -> bool:
        """The same press under another timestamp: broken senders, and presses of many seconds."""
        ssrc, timestamp, event = key
        if event != self._event or ssrc != self._ssrc:
            return False
        since = now - self._told_at - _EPSILON
        # From where the last packet said that it had lasted to.
        apart = later(timestamp, self._timestamp + self._duration) / self.rate
        if self._ended:
            return since <= _AFTER_END and not self._audio_since and (ended or apart < _APART)
        if since <= _STEADY:
            return True
        # Some packets were lost. A segment that was full is followed by another (2.5.1.3).
        full = self._duration > _LONGEST - _RELEASED * self.rate
        near = 2 * _RELEASED if full else _APART
        return since < _RELEASED and -_LONGEST / self.rate <= apart < near

    def _remember(self, key: _Key, press: int, now: float) -> None:
        self._known[key] = (press, now)
        if len(self._known) > _KEYS:
            del self._known[next(iter(self._known))]


class EventWriter:
    """Digits as packets, one a tick of 20 ms, in the place of audio.

    A digit is 100 ms of tone, told five times, its end told three times (2.5.1.4), and a pause. The
    digits must not be lost, so they are written one after another, as slowly as that.
    """

    UPDATES = 5  # ticks
    ENDS = 3
    PAUSE = 3
    LONG_PAUSE = 25
    MOST = 256  # digits and pauses that wait

    def __init__(self, payload_type: int, rate: int = 8000) -> None:
        self.payload_type = payload_type
        self._duration = rate // 50  # samples a tick, of the event's clock
        self._waiting: deque[str] = deque()
        self._ticks = 0  # of the first one that waits
        self._began = 0  # its timestamp

    @property
    def busy(self) -> bool:
        """`tick` says what is sent; otherwise audio is."""
        return bool(self._waiting)

    def write(self, digits: str) -> None:
        """0-9 * # A-D, and pauses: `,`, `w` and `p`, half a second each.

        `LocalProtocolError`, and nothing of it is sent, for other characters and for too many.
        """
        digits = digits.translate(_SPELLINGS)
        if wrong := set(digits) - set(DIGITS + PAUSES):
            raise LocalProtocolError(f"no digits of a telephone: {''.join(sorted(wrong))!r}")
        if len(self._waiting) + len(digits) > self.MOST:
            raise LocalProtocolError(f"more than {self.MOST} digits wait to be sent")
        self._waiting += digits

    def clear(self) -> None:
        """Nothing that waits is sent any more; the digit under way is finished."""
        while len(self._waiting) > bool(self._ticks):
            self._waiting.pop()

    def tick(self, sender: Sender, samples: int) -> bytes | None:
        """This tick's packet, numbered and timed by `sender`; None: silence is to be sent.

        `samples`: a tick of audio in the clock of `sender`, which passes meanwhile.
        """
        if not self._waiting:
            return None
        event = DIGITS.find(self._waiting[0])
        at = self._ticks
        self._ticks += 1
        tone = self.UPDATES + self.ENDS
        if self._ticks >= (self.LONG_PAUSE if event < 0 else tone + self.PAUSE):
            self._waiting.popleft()
            self._ticks = 0
        if event < 0 or at >= tone:
            return None
        if at == 0:
            self._began = sender.timestamp
        sender.skip(samples)
        duration = min(at + 1, self.UPDATES) * self._duration
        flags = _VOLUME | _END if at >= self.UPDATES else _VOLUME
        payload = _EVENT.pack(event, flags, duration)
        return sender.event(self.payload_type, payload, at == 0, self._began)


_SPELLINGS: Final = str.maketrans("abcdWP", "ABCDwp")
