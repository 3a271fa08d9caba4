"""A call's media in virtual time: our stream on one machine, a phone on another."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import AudioFormat
from rapida_tw.errors import End
from rapida_tw.media.clock import MediaClock
from rapida_tw.media.leg import LegListener
from rapida_tw.sim.datagrams import Datagrams, Machine, MemorySocket
from rapida_tw.transports.report_wheel import ReportWheel
from rapida_tw.transports.rtp_ports import PortPool
from rapida_tw.transports.rtp_stream import RtpStream, Streams
from rapida_tw.wire.sdp import Agreed, Codec

OURS, THEIRS, STRANGER = "192.0.2.10", "198.51.100.7", "203.0.113.66"
EPOCH = 1_700_000_000.0

PCMU = Codec("PCMU", 8000, 0)
PCMA = Codec("PCMA", 8000, 8)
G722 = Codec("G722", 8000, 9)
L16 = Codec("L16", 16_000, 96)
OPUS = Codec("opus", 48_000, 97, 2)
EVENT = Codec("telephone-event", 8000, 101)

_HEADER = struct.Struct("!BBHII")


@dataclass(frozen=True)
class Packet:
    """An RTP packet as a test reads it, apart from the code under test."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    at: float  # seconds

    @classmethod
    def read(cls, data: bytes, at: float) -> Packet:
        first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
        assert first == 0x80
        return cls(second & 0x7F, second > 0x7F, sequence, timestamp, ssrc, data[12:], at)


class Listener:
    """A call that writes down what it is told; audio apart."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.told: list[tuple[str, Any]] = []
        self.raises: Exception | None = None

    def audio_received(self, payload: bytes, sequence: int | None = None) -> None:
        self.heard.append(payload)
        if self.raises is not None:
            raise self.raises

    def format_changed(self, format: AudioFormat) -> None:
        self.told.append(("format", format.encoding.value))

    def digit_received(self, digit: str) -> None:
        self.told.append(("digit", digit))

    def audio_lost(self, seconds: float) -> None:
        self.told.append(("lost", round(seconds, 3)))

    def audio_paused(self, seconds: float) -> None:
        self.told.append(("paused", round(seconds, 3)))

    def alive(self) -> None:
        self.told.append(("alive", None))

    def hold_changed(self, held: bool) -> None:
        self.told.append(("held", held))

    def mark_heard(self, name: str) -> None:
        self.told.append(("mark", name))

    def far_end_full(self, full: bool) -> None:
        self.told.append(("full", full))

    def leg_ended(self, end: End) -> None:
        self.told.append(("end", end.reason))

    def all(self, name: str) -> list[Any]:
        return [value for what, value in self.told if what == name]


_conforms: type[LegListener] = Listener


class Call:
    """What the call's session does on the beat: number each tick's audio."""

    def __init__(self, stream: RtpStream, size: int = 160) -> None:
        self._stream = stream
        self.size = size
        self.ticks = 0
        self.sends = True

    def tick(self, now: int) -> None:
        self.ticks += 1
        if self.sends:
            self._stream.send_audio(self.ticks.to_bytes(2, "big") * (self.size // 2))

    def failed(self) -> None:
        raise AssertionError


class Phone:
    """The far side's ports; what came to them, and how to send."""

    ssrc = 0x11223344

    def __init__(self, clock: Clock, machine: Machine, host: str, port: int = 4000) -> None:
        self._clock = clock
        self.rtp = machine.bind(host, port)
        self.rtcp = machine.bind(host, port + 1)
        self.rtp.hear(self._hear)
        self.rtcp.hear(self._hear_rtcp)
        self.packets: list[Packet] = []
        self.datagrams: list[bytes] = []
        self.reports: list[bytes] = []
        self.sequence = 1000
        self.timestamp = 50_000

    def _hear(self, data: bytes, address: tuple[str, int]) -> bool:
        self.datagrams.append(data)
        if 192 <= data[1] <= 223:
            self.reports.append(data)
        else:
            self.packets.append(Packet.read(data, self._clock.seconds()))
        return True

    def _hear_rtcp(self, data: bytes, address: tuple[str, int]) -> bool:
        self.reports.append(data)
        return True

    def packet(
        self, payload: bytes = b"s" * 160, payload_type: int = 0, samples: int = 160
    ) -> bytes:
        """The next one of its stream."""
        data = _HEADER.pack(0x80, payload_type, self.sequence, self.timestamp, self.ssrc) + payload
        self.sequence = (self.sequence + 1) % 65_536
        self.timestamp = (self.timestamp + samples) % (1 << 32)
        return data


class RtpCase(SynchronousTestCase):
    learn: Any = "signalling"

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(500.0)
        self.beat = MediaClock(self.clock)
        self.clock.advance(0.001)  # what is due at a step is done by its end
        self.wheel = ReportWheel(self.clock, Random(7))
        self.network = Datagrams(self.clock)
        self.pool = PortPool(
            self.clock, self.network.machine(OURS), OURS, 10_000, 10_099, Random(1)
        )
        self.streams = Streams(
            self.clock,
            self.beat,
            self.wheel,
            lambda: EPOCH + self.clock.seconds(),
            learn=self.learn,
        )
        self.phone = Phone(self.clock, self.network.machine(THEIRS), THEIRS)
        self.stranger = self.network.machine(STRANGER).bind(STRANGER, 6666)
        self.answered: list[bytes] = []
        self.stranger.hear(lambda data, address: not self.answered.append(data))
        self.listener = Listener()
        self.flowed = 0
        self.stream = RtpStream(self.pool.take(), self.streams)
        self.call = Call(self.stream)

    def tearDown(self) -> None:
        """Whatever happened, nothing of a call is left."""
        self.stream.close()
        self.beat.remove(self.call)
        self.assertEqual((len(self.beat), len(self.wheel)), (0, 0))
        self.assertEqual(self.pool.in_use, 0)
        self.pool.close()
        self.clock.advance(0)
        self.assertEqual(
            set(self.network.bound.values()),
            {self.phone.rtp, self.phone.rtcp, self.stranger},
        )
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def agreed(self, codec: Codec = PCMU, **more: Any) -> Agreed:
        values: dict[str, Any] = {
            "receive": {codec.payload_type: codec},
            "host": THEIRS,
            "port": 4000,
            "rtcp_host": THEIRS,
            "rtcp_port": 4001,
            **more,
        }
        return Agreed(codec, **values)

    def agree(self, codec: Codec = PCMU, **more: Any) -> Agreed:
        agreed = self.agreed(codec, **more)
        self.stream.agree(agreed, THEIRS)
        return agreed

    def again(self, agreed: Agreed, **changes: Any) -> Agreed:
        """A re-INVITE that changes this much."""
        agreed = replace(agreed, **changes)
        self.stream.agree(agreed, THEIRS)
        return agreed

    def begin(self) -> None:
        def flowing() -> None:
            self.flowed += 1

        self.stream.begin(flowing)

    def listen(self) -> None:
        self.stream.listen(self.listener)
        self.beat.add(self.call)

    def up(self, codec: Codec = PCMU, **more: Any) -> Agreed:
        """A call that talks both ways; what was sent until then is forgotten."""
        agreed = self.agree(codec, **more)
        self.begin()
        self.listen()
        return agreed

    def renew(self, size: int = 160) -> None:
        """The call is over and forgotten; another stream, whose ticks are of so many bytes."""
        self.stream.close()
        self.beat.remove(self.call)
        self.clock.advance(0)
        self.listener = Listener()
        self.phone.packets.clear()
        self.phone.datagrams.clear()
        self.phone.reports.clear()
        self.stream = RtpStream(self.pool.take(), self.streams)
        self.call = Call(self.stream, size)

    def run_for(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.005)):
            self.clock.advance(0.005)
        self.clock.advance(0)

    def to_us(self, data: bytes, source: MemorySocket | None = None) -> None:
        """Send to our port of RTP, and have it arrive."""
        (source or self.phone.rtp).send(data, (OURS, self.stream.port))
        self.clock.advance(0)

    def talk(self, count: int = 1, **more: Any) -> None:
        """The phone says so many packets, one each 20 ms."""
        for _ in range(count):
            self.to_us(self.phone.packet(**more))
            self.run_for(0.02)

    def measure(self, name: str) -> tuple[str, Mapping[str, object]]:
        return self.stream.measures()[name]
