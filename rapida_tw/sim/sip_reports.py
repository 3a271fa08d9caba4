"""A phone's RTCP: sender reports, and a strict look at the other side's (RFC 3550 6)."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from struct import Struct

_HEAD = Struct("!BBH")
_SENDER = Struct("!IIIII")
_BLOCK = Struct("!IIIIII")
SR, RR, SDES, BYE = 200, 201, 202, 203
_CNAME = 1
_NTP = 2_208_988_800  # seconds from 1900 to 1970; the phone's clock may begin at 0 all the same


class Reports:
    """What one call's reports are made of. `round_trip`: seconds, by their latest report."""

    def __init__(self, seconds: Callable[[], float], random: Random) -> None:
        self._seconds = seconds
        self._name = f"{random.getrandbits(96):024x}".encode()
        self._first: int | None = None  # extended sequence number
        self._highest = 0
        self._count = 0
        self._before = (0, 0)  # expected and received, at the report before
        self._transit: float | None = None
        self._jitter = 0.0
        self._last_sent: tuple[int, float] = (0, 0.0)  # their SR's middle bits; when it came
        self.octets = 0
        self.their_ssrc = 0
        self.senders = self.receivers = 0  # reports of theirs
        self.said_goodbye = False
        self.round_trip: float | None = None
        self.their_loss: int | None = None  # of ours, by their reports
        self.their_packets = 0

    def arrived(self, extended: int, stamp: int, clock: int) -> None:
        """One packet of theirs (A.8)."""
        transit = self._seconds() * clock - stamp
        if self._transit is not None:
            self._jitter += (abs(transit - self._transit) - self._jitter) / 16
        self._transit = transit
        if self._first is None:
            self._first = extended
        self._highest = max(self._highest, extended)
        self._count += 1

    def packet(self, ssrc: int, stamp: int, sent: int, bye: bool) -> bytes:
        """A compound of SR and SDES, and BYE at the end."""
        now = self._seconds() + _NTP
        whole, fraction = int(now), int(now % 1 * 2**32)
        sender = _SENDER.pack(whole & 0xFFFFFFFF, fraction, stamp, sent, self.octets & 0xFFFFFFFF)
        blocks = self._block() if self._count else b""
        report = _packet(SR, bool(blocks), ssrc.to_bytes(4, "big") + sender + blocks)
        item = bytes((_CNAME, len(self._name))) + self._name
        chunk = ssrc.to_bytes(4, "big") + item + bytes(4 - len(item) % 4)
        compound = report + _packet(SDES, 1, chunk)
        return compound + _packet(BYE, 1, ssrc.to_bytes(4, "big")) if bye else compound

    def _block(self) -> bytes:
        assert self._first is not None
        expected = self._highest - self._first + 1
        expected_before, count_before = self._before
        new = expected - expected_before
        lost = max(0, new - (self._count - count_before))
        fraction = min(255, lost * 256 // new) if new > 0 else 0
        self._before = (expected, self._count)
        middle, came = self._last_sent
        delay = round((self._seconds() - came) * 65536) if middle else 0
        return _BLOCK.pack(
            self.their_ssrc,
            fraction << 24 | (expected - self._count & 0xFFFFFF),
            self._highest & 0xFFFFFFFF,
            round(self._jitter) & 0xFFFFFFFF,
            middle,
            delay & 0xFFFFFFFF,
        )

    def received(self, data: bytes, ssrc: int | None) -> str:
        """Take a compound packet of theirs; what is wrong with it, or ""."""
        kinds = []
        while data:
            if len(data) < 8:
                return f"{len(data)} bytes are left over"
            first, kind, words = _HEAD.unpack_from(data)
            size = 4 * words + 4
            if first >> 6 != 2 or first & 0x20 or size > len(data):
                return f"head {data[:4].hex()} of {len(data)} bytes"
            body, data = data[4:size], data[size:]
            kinds.append(kind)
            why = self._take(kind, first & 0x1F, body, ssrc)
            if why:
                return why
        if kinds[:1] not in ([SR], [RR]) or SDES not in kinds:
            return f"a compound of {kinds}"
        return ""

    def _take(self, kind: int, count: int, body: bytes, ssrc: int | None) -> str:
        source = int.from_bytes(body[:4], "big")
        if ssrc is not None and source != ssrc:
            return f"{kind} of another SSRC"
        self.their_ssrc = source
        if kind in (SR, RR):
            blocks = body[4 + _SENDER.size :] if kind == SR else body[4:]
            if len(blocks) != count * _BLOCK.size:
                return f"{len(blocks)} bytes for {count} blocks"
            if kind == SR:
                self.senders += 1
                self._sender(*_SENDER.unpack_from(body, 4))
            else:
                self.receivers += 1
            if count:
                self._their_block(*_BLOCK.unpack_from(blocks))
        elif kind == SDES and body[4:5] != bytes((_CNAME,)):
            return "SDES without CNAME"
        elif kind == BYE:
            self.said_goodbye = True
        return ""

    def _sender(self, whole: int, fraction: int, stamp: int, packets: int, octets: int) -> None:
        self._last_sent = ((whole & 0xFFFF) << 16 | fraction >> 16, self._seconds())
        self.their_packets = packets

    def _their_block(
        self, ssrc: int, lost: int, highest: int, jitter: int, last: int, delay: int
    ) -> None:
        total = lost & 0xFFFFFF
        self.their_loss = total - (1 << 24) if total >> 23 else total
        if last:
            now = self._seconds() + _NTP
            middle = (int(now) & 0xFFFF) << 16 | int(now % 1 * 65536)
            self.round_trip = ((middle - last - delay) & 0xFFFFFFFF) / 65536


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return _HEAD.pack(0x80 | count, kind, len(body) // 4) + body
