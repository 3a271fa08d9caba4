"""What a call hears of what comes to its port, and from whom."""

from __future__ import annotations

from rapida_tw.transports.rtp_stream import dropped
from tests.transports.rtp_case import (
    EVENT,
    OURS,
    STRANGER,
    THEIRS,
    Listener,
    RtpCase,
)


class HearingTests(RtpCase):
    def test_heard(self) -> None:
        """At once, in the order of its coming, byte by byte."""
        self.up()
        for number in range(5):
            self.to_us(self.phone.packet(bytes([number]) * 160))
            self.assertEqual(len(self.listener.heard), number + 1)
        self.assertEqual(self.listener.heard, [bytes([number]) * 160 for number in range(5)])

    def test_any_length(self) -> None:
        """10, 30 and 60 ms are heard as they are."""
        self.up()
        for size in (80, 240, 480, 160):
            self.to_us(self.phone.packet(b"x" * size, samples=size))
            self.run_for(size / 8000)
        self.assertEqual([len(one) for one in self.listener.heard], [80, 240, 480, 160])
        self.assertEqual(self.listener.told, [])

    def test_reordered(self) -> None:
        """Two that have changed places are heard as they were said."""
        self.up()
        self.talk(3, payload=b"a" * 160)
        first = self.phone.packet(b"1" * 160)
        second = self.phone.packet(b"2" * 160)
        self.to_us(second)
        self.to_us(first)
        self.assertEqual(self.listener.heard[3:], [b"1" * 160, b"2" * 160])

    def test_lost(self) -> None:
        """A gap is told when it is given up, by the beat alone."""
        self.up()
        self.talk(5)
        self.phone.packet()
        self.to_us(self.phone.packet(b"2" * 160))
        self.assertEqual(len(self.listener.heard), 5)
        self.run_for(0.1)
        self.assertEqual(self.listener.heard[5:], [b"2" * 160])
        self.assertEqual(self.listener.told, [("lost", 0.02)])

    def test_paused(self) -> None:
        """A silence that they did not send is told with its length."""
        self.up()
        self.talk(5)
        self.run_for(1.0)
        self.phone.timestamp += 8000
        self.talk()
        self.assertEqual(self.listener.told, [("paused", 1.0)])

    def test_comfort_noise(self) -> None:
        """Says that they live, and is no sound."""
        self.up(comfort_noise=13)
        self.talk(3)
        self.talk(payload=b"\x40", payload_type=13)
        self.assertEqual(len(self.listener.heard), 3)
        self.assertEqual(self.listener.told, [("alive", None)])

    def test_digits(self) -> None:
        """Once for each press, and never as sound."""
        self.up(event=EVENT)
        self.talk(3)
        begin = self.phone.timestamp
        for at, end in enumerate((0, 0, 0, 0x80, 0x80, 0x80)):
            self.phone.timestamp = begin
            duration = min(at + 1, 4) * 160
            self.talk(payload=bytes((5, end | 10)) + duration.to_bytes(2), payload_type=101)
        self.assertEqual(self.listener.all("digit"), ["5"])
        self.assertEqual(len(self.listener.heard), 3)

    def test_digits_by_our_number(self) -> None:
        """An answer may have a number of its own for events; ours is understood as well."""
        self.up(event=EVENT, receive_events={96: EVENT})
        self.talk(payload=b"\x01\x8a\x00\xa0", payload_type=96)
        self.run_for(0.3)
        self.talk(payload=b"\x02\x8a\x00\xa0", payload_type=101)
        self.assertEqual(self.listener.all("digit"), ["1", "2"])

    def test_before_anybody_listens(self) -> None:
        """Sound and digits go nowhere, and break nothing."""
        self.agree(event=EVENT)
        self.begin()
        self.talk(3)
        self.talk(payload=b"\x05\x8a\x00\xa0", payload_type=101)
        self.listen()
        self.talk(3)
        self.assertEqual(len(self.listener.heard), 3)

    def test_listener_that_fails(self) -> None:
        """A bug in the call ends that call, and is not the network's business."""
        self.up()
        self.listener.raises = ZeroDivisionError()
        self.to_us(self.phone.packet())
        self.assertEqual(self.listener.all("end"), ["internal_error"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_flood(self) -> None:
        """Audio that comes many times faster than it can be said ends the call (pace.py)."""
        self.up()
        for _ in range(1400):
            self.to_us(self.phone.packet())
        self.assertEqual(self.listener.told, [])  # a network that stalled for half a minute
        for _ in range(200):
            self.to_us(self.phone.packet())
        self.assertEqual(self.listener.all("end")[:1], ["protocol_error"])

    def test_closed_while_heard(self) -> None:
        """What one packet's sound has ended does not hear the next one."""
        self.up()
        self.talk(2)
        held = [self.phone.packet() for _ in range(3)]
        for packet in reversed(held[1:]):
            self.to_us(packet)
        heard = self.listener.heard

        class Leaving(Listener):
            def audio_received(listener, payload: bytes, sequence: int | None = None) -> None:
                heard.append(payload)
                self.stream.close()

        self.stream.listen(Leaving())
        self.to_us(held[0])
        self.assertEqual(len(heard), 3)


class StrangerTests(RtpCase):
    def test_neither_heard_nor_answered(self) -> None:
        """Before, while and after the far side talks; whatever numbers the stranger has guessed."""
        self.up()
        self.to_us(self.phone.packet(b"evil" * 40), self.stranger)
        self.talk(10)
        for _ in range(200):
            self.to_us(self.phone.packet(b"evil" * 40), self.stranger)
            self.run_for(0.02)
        self.talk(10)
        self.assertEqual(set(self.listener.heard), {b"s" * 160})
        self.assertEqual(self.answered, [])
        refused = self.measure("media.packets_dropped")[1]["source"]
        self.assertEqual(refused, 201)

    def test_other_port(self) -> None:
        """Of the far side's own machine is followed, and then stays (NAT)."""
        other = self.network.machine(THEIRS).bind(THEIRS, 4444)
        got: list[bytes] = []
        other.hear(lambda data, address: not got.append(data))
        self.up()
        for _ in range(10):
            self.to_us(self.phone.packet(), other)
            self.run_for(0.02)
        self.assertEqual(len(self.listener.heard), 10)
        self.assertGreater(len(got), 8)
        self.phone.packets.clear()
        self.run_for(0.2)
        self.assertEqual(self.phone.packets, [])
        other.close()

    def test_moves_by_agreement(self) -> None:
        """A re-INVITE with another address is followed at once."""
        agreed = self.up()
        self.talk(10)
        self.again(agreed, host=STRANGER, port=6666)
        self.phone.packets.clear()
        self.run_for(0.2)
        self.assertEqual((len(self.phone.packets), len(self.answered)), (0, 10))

    def test_junk(self) -> None:
        """Short, long, STUN, DTLS, RTCP, wrong version, lying lengths: nothing changes."""
        self.up()
        self.talk(10)
        good = self.phone.packet()
        junk = [
            b"",
            b"\x80",
            good[:11],
            good[:12],
            b"\x00\x01" + good[2:],
            b"\x16\xfe" + good[2:],
            b"\x40" + good[1:],
            b"\x8f" + good[1:40],
            b"\x90" + good[1:12] + b"\xbe\xde\xff\xff",
            b"\xa0" + good[1:-1] + b"\x00",
            b"\xa0" + good[1:-1] + b"\xff",
            good + bytes(3000),
            b"\x80\xc8" + good[2:8] + b"evil" + good[12:],
            b"\x80\x63" + good[2:8] + b"evil" + good[12:],
            b"\xff" * 200,
        ]
        for _ in range(70):
            for data in junk:
                self.to_us(data)
                self.phone.rtp.send(data, (OURS, self.stream.port + 1))
        self.clock.advance(0)
        before = len(self.phone.packets)
        self.to_us(good)
        self.talk(9)
        self.assertEqual(self.listener.heard, [b"s" * 160] * 20)
        self.assertEqual(self.listener.told, [])
        self.assertEqual(len(self.phone.packets) - before, 9)
        self.stream.close()
        for reason in ("short", "stun", "dtls", "version", "truncated", "padding", "long"):
            self.assertGreaterEqual(dropped.value(reason), 70, reason)
