"""A phone's RTP: packets on its own beat, digits as events, and a strict ear (RFC 3550, RFC 4733).

What comes is given to the ear at once and in order; what comes behind its successors is too late.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from struct import Struct

from rapida_tw.sim.datagrams import HostPort
from rapida_tw.sim.sip_reports import Reports
from rapida_tw.sim.sip_sound import Codec, Voice
from rapida_tw.sim.udp import Socket, bind_pair

_HEAD = Struct("!BBHII")
_EVENT = Struct("!BBH")
_KEYS = "0123456789*#ABCD"
_VOLUME = 10  # -dBm0
_PRESSED = 0.1  # seconds
_RELEASED = 0.06  # seconds until the next key
_ENDS = 3
_REPORT_EVERY = 5.0  # seconds
_GRACE = 0.5  # seconds in which packets may be under way that must not be sent any more
_MARKER = 0x80

Bind = Callable[[str, int], Socket]
Heard = Callable[[bytes, int], None]


@dataclass(frozen=True, slots=True)
class Spoken:
    """What both sides have agreed on, as the phone sees it. Payload types, ms, addresses."""

    codec: Codec
    numbers: frozenset[int]  # that they may send
    event: int | None  # telephone-event
    event_clock: int  # Hz; of its durations alone, timestamps are the codec's
    remote: HostPort  # theirs, by their description
    ptime: int = 20  # of what we send
    their_ptime: int = 20
    sends: bool = True
    hears: bool = True


@dataclass(slots=True)
class _Key:
    number: int
    began: int  # timestamp
    ticks: int = 0


class SipMedia:
    """A pair of ports and both streams over it. `beat` once a packet, before the caller's turn.

    `heard` gets int16, little-endian, and its rate. `complaints` collects what a strict peer would
    not take.
    """

    def __init__(
        self,
        bind: Bind,
        host: str,
        seconds: Callable[[], float],
        random: Random,
        line_rate: int,
        complaints: Counter[str],
        heard: Heard,
    ) -> None:
        self._bind, self._host = bind, host
        self._seconds = seconds
        self._random = random
        self._line_rate = line_rate
        self._complaints = complaints
        self._heard = heard
        self._rtp, self._rtcp = bind_pair(bind, host)
        self._spoken: Spoken | None = None
        self._voice: Voice
        self._keys: deque[str] = deque()
        self._key: _Key | None = None
        self._pause = 0  # packets until the next key
        self._sent_now = False  # in this beat
        self._gap = True  # nothing was sent in the last one
        self._reported = 0.0
        self._quiet_from: float | None = None  # they must not send any more
        self._excused: set[int] = set()  # payload types of another offer
        self._excused_until = 0.0
        self._their_ssrc: int | None = None
        self._next: int | None = None  # their next sequence number, extended
        self._stamp = 0  # of their latest packet
        self._lasted = 0
        self._digit: int | None = None  # timestamp of their latest event
        self._ssrc = self._sequence = self._now = 0
        self.restart()
        self.reports = Reports(seconds, random)
        self.sent = self.received = self.lost = self.late = 0
        self.unwanted = 0  # packets that came when none might
        self.digits = ""  # theirs
        self.began_marked = False  # the first packet that came had the marker
        self.hear()

    @property
    def port(self) -> int:
        return self._rtp.address[1]

    # -- what the phone does ----------------------------------------------------------------------

    def hear(self) -> None:
        self._rtp.hear(self._arrived)
        self._rtcp.hear(self._reported_to)

    def restart(self) -> None:
        """Go on as another source: SSRC, sequence and timestamp are new."""
        self._ssrc = self._random.getrandbits(32)
        self._sequence = self._random.getrandbits(15)
        self._now = self._random.getrandbits(32)

    def move(self) -> None:
        """Go on from another pair of ports, as after a NAT has forgotten the old one."""
        old = self._rtp, self._rtcp
        self._rtp, self._rtcp = bind_pair(self._bind, self._host)
        self.hear()
        for socket in old:
            socket.close()

    def use(self, spoken: Spoken) -> None:
        """From now on; both streams keep their numbering."""
        before, self._spoken = self._spoken, spoken
        if before is not None and before.numbers != spoken.numbers:
            self._excused = set(before.numbers)
            self._excused_until = self._seconds() + _GRACE
        else:
            self._excused = set()
        if before is None or before.codec != spoken.codec:
            self._voice = Voice(spoken.codec, self._line_rate)
            self._next = None  # timestamps may go on by another clock
        if not spoken.hears:
            self.expect_silence()
        else:
            self._quiet_from = None

    def offering(self, numbers: Iterable[int], hears: bool) -> None:
        """These may come from now on: sound may be faster than the answer (RFC 3264 5.1, 8.3.2)."""
        if hears:
            self._quiet_from = None
        self._excused |= set(numbers)
        self._excused_until = math.inf

    def expect_silence(self) -> None:
        """They may not send any more, but for what is under way."""
        self._quiet_from = self._seconds() + _GRACE

    def press(self, digit: str) -> bool:
        """False: no telephone-event is agreed on."""
        if self._spoken is None or self._spoken.event is None:
            return False
        self._keys.append(digit)
        return True

    def beat(self) -> None:
        """The time of one packet has passed: events and reports that are due."""
        spoken = self._spoken
        if spoken is None:
            return
        ticks = spoken.codec.clock * spoken.ptime // 1000
        self._now = (self._now + ticks) & 0xFFFFFFFF
        self._gap = self._gap or not self._sent_now
        self._sent_now = False
        now = self._seconds()
        if self.sent and now - self._reported >= _REPORT_EVERY:
            self._reported = now
            self._send_report(spoken)
        if self._pause:
            self._pause -= 1
        if self._key is None and self._keys and not self._pause:
            self._key = _Key(_KEYS.index(self._keys.popleft()), self._now)
        if self._key is not None:
            self._send_event(spoken, self._key, ticks)

    def send_audio(self, payload: bytes) -> None:
        """One packet of int16, little-endian, at the line's rate; none while a key is down."""
        spoken = self._spoken
        if spoken is None or not spoken.sends or self._key is not None or self._sent_now:
            return
        self._send(spoken.codec.number, self._gap, self._now, self._voice.encode(payload))
        self.reports.octets += len(payload) // 2
        self._gap = False

    def send_raw(self, data: bytes) -> None:
        """These very bytes to their RTP port, whatever they are."""
        if self._spoken is not None:
            self._rtp.send(data, self._spoken.remote)

    def goodbye(self) -> None:
        """RTCP BYE, as phones send it behind their BYE of SIP."""
        if self._spoken is not None and self.sent:
            self._send_report(self._spoken, bye=True)
        self._spoken = None

    def close(self) -> None:
        self._rtp.close()
        self._rtcp.close()

    # -- inside: what goes ------------------------------------------------------------------------

    def _send(self, number: int, marker: bool, stamp: int, payload: bytes) -> None:
        kind = number | (_MARKER if marker else 0)
        head = _HEAD.pack(0x80, kind, self._sequence, stamp, self._ssrc)
        self._sequence = (self._sequence + 1) & 0xFFFF
        self.sent += 1
        self._sent_now = True
        assert self._spoken is not None
        self._rtp.send(head + payload, self._spoken.remote)

    def _send_event(self, spoken: Spoken, key: _Key, ticks: int) -> None:
        if spoken.event is None or not spoken.sends:
            self._key = None
            return
        key.ticks += ticks
        ended = key.ticks >= _PRESSED * spoken.codec.clock
        lasting = key.ticks * spoken.event_clock // spoken.codec.clock
        payload = _EVENT.pack(key.number, _VOLUME | (0x80 if ended else 0), lasting)
        first = key.ticks == ticks
        for _ in range(_ENDS if ended else 1):
            self._send(spoken.event, first, key.began, payload)
            first = False
        if ended:
            self._key = None
            self._pause = round(_RELEASED * 1000 / spoken.ptime)

    def _send_report(self, spoken: Spoken, bye: bool = False) -> None:
        host, port = spoken.remote
        packet = self.reports.packet(self._ssrc, self._now, self.sent, bye)
        self._rtcp.send(packet, (host, port + 1))

    # -- inside: what comes -----------------------------------------------------------------------

    def _arrived(self, data: bytes, source: HostPort) -> bool:
        spoken = self._spoken
        if self._quiet_from is not None and self._seconds() > self._quiet_from:
            self.unwanted += 1
            self._complain("RTP that nobody wants any more")
            return True
        if spoken is None:
            return True
        if source != spoken.remote:
            self._complain(f"RTP from {source}, not {spoken.remote}")
            return False
        if len(data) <= _HEAD.size or data[0] != 0x80:
            self._complain(f"RTP of {len(data)} bytes that begins with {data[:1].hex()}")
            return False
        _, kind, sequence, stamp, ssrc = _HEAD.unpack_from(data)
        if kind & 0x7F not in spoken.numbers:
            if kind & 0x7F in self._excused and self._seconds() < self._excused_until:
                return False
            self._complain(f"payload type {kind & 0x7F}")
            return False
        if self._their_ssrc is None:
            self.began_marked = bool(kind & _MARKER)
            self._their_ssrc = ssrc
        elif ssrc != self._their_ssrc:
            self._complain("another SSRC in one call")
            return False
        self._in_order(spoken, kind, sequence, stamp, data[_HEAD.size :])
        return True

    def _in_order(
        self, spoken: Spoken, kind: int, sequence: int, stamp: int, payload: bytes
    ) -> None:
        number = kind & 0x7F
        expected = self._next
        self.received += 1
        if expected is not None:
            ahead = (sequence - expected + 0x8000 & 0xFFFF) - 0x8000
            if ahead < 0:
                # A repeated packet and a late one look alike without a memory.
                self.late += 1
                return
            self.lost += ahead
            extended = expected + ahead
            if not ahead and number != spoken.event and self._lasted:
                self._check_time(spoken, kind, (stamp - self._stamp) & 0xFFFFFFFF)
        else:
            extended = sequence
        self._next = extended + 1
        self.reports.arrived(extended, stamp, spoken.codec.clock)
        self._stamp = stamp
        if number == spoken.event:
            self._lasted = 0
            self._press_heard(payload, stamp)
        elif number == spoken.codec.number:
            self._lasted = self._voice.ticks(payload)
            usual, liked = (spoken.codec.clock * ms // 1000 for ms in (20, spoken.their_ptime))
            # a=ptime is a wish (RFC 8866 6.4), and a packet has to fit into an MTU.
            if self._lasted != liked and (self._lasted % usual or self._lasted > max(usual, liked)):
                self._complain(f"{len(payload)} bytes for {spoken.their_ptime} ms")
            self._heard(self._voice.decode(payload), spoken.codec.rate)
        else:
            self._lasted = 0

    def _check_time(self, spoken: Spoken, kind: int, step: int) -> None:
        """Timestamps go on with the time, over pauses too; a pause ends with a marker."""
        if step == self._lasted:
            return
        if step < self._lasted or step % self._lasted or not kind & _MARKER:
            marked = "with" if kind & _MARKER else "without"
            self._complain(f"timestamp goes on by {step} after {self._lasted}, {marked} marker")

    def _press_heard(self, payload: bytes, stamp: int) -> None:
        if len(payload) != _EVENT.size:
            self._complain(f"an event of {len(payload)} bytes")
        elif stamp != self._digit:
            self._digit = stamp
            number = payload[0]
            self.digits += _KEYS[number] if number < len(_KEYS) else "?"

    def _reported_to(self, data: bytes, source: HostPort) -> bool:
        why = self.reports.received(data, self._their_ssrc)
        if why:
            self._complain(f"RTCP: {why}")
        return True

    def _complain(self, why: str) -> None:
        self._complaints[why] += 1
