"""What a call sends: audio and digits as packets, on one time line."""

from __future__ import annotations

from itertools import pairwise

from rapida_tw.errors import NotSupported
from tests.transports.rtp_case import (
    EVENT,
    G722,
    L16,
    OPUS,
    PCMA,
    PCMU,
    THEIRS,
    RtpCase,
)


class SendingTests(RtpCase):
    def test_steady(self) -> None:
        """One packet each 20 ms: numbers, timestamps and SSRC as they should be."""
        self.up()
        self.run_for(2.0)
        packets = self.phone.packets
        self.assertEqual(len(packets), 100)
        self.assertEqual([one.marker for one in packets], [True] + [False] * 99)
        self.assertEqual({one.payload_type for one in packets}, {0})
        self.assertEqual(len({one.ssrc for one in packets}), 1)
        for before, after in pairwise(packets):
            self.assertEqual((after.sequence - before.sequence) % 65_536, 1)
            self.assertEqual((after.timestamp - before.timestamp) % 2**32, 160)
        self.assertEqual([one.payload[1] for one in packets], list(range(1, 101)))

    def test_clocks(self) -> None:
        """Timestamps step by the codec's clock, which is not always that of its samples."""
        for codec, step in ((G722, 160), (L16, 320), (OPUS, 960)):
            with self.subTest(codec=codec.name):
                self.phone.packets.clear()
                self.again(self.agreed(codec))
                self.begin()
                self.run_for(0.2)
                steps = {b.timestamp - a.timestamp for a, b in pairwise(self.phone.packets)}
                self.assertEqual(steps, {step})

    def test_packet_times(self) -> None:
        """What they ask for: two packets a tick, or one for several; what cannot be, as usual."""
        for codec, size, ptime, expected in (
            (PCMU, 160, 10, (20, 80, 80)),
            (PCMU, 160, 20, (10, 160, 160)),
            (PCMU, 160, 30, (10, 160, 160)),
            (PCMU, 160, 40, (5, 320, 320)),
            (PCMU, 160, 60, (3, 480, 480)),
            (G722, 160, 10, (20, 80, 80)),
            (L16, 640, 10, (20, 320, 160)),
            (L16, 640, 60, (5, 1280, 640)),
            (OPUS, 60, 10, (10, 60, 960)),
            (OPUS, 60, 40, (10, 60, 960)),
        ):
            with self.subTest(codec=codec.name, ptime=ptime):
                self.renew(size)
                self.up(codec, ptime=ptime)
                self.run_for(0.2)
                packets = self.phone.packets
                steps = {b.timestamp - a.timestamp for a, b in pairwise(packets)}
                count, length, step = expected
                self.assertEqual((len(packets), steps), (count, {step}))
                self.assertEqual({len(one.payload) for one in packets}, {length})
                sound = b"".join(one.payload for one in packets)
                ticks = [n.to_bytes(2, "big") * (size // 2) for n in range(1, 11)]
                self.assertTrue(b"".join(ticks).startswith(sound))

    def test_half_a_packet(self) -> None:
        """What was gathered of a codec is sent as that codec, before the next one."""
        agreed = self.up(ptime=60)
        self.run_for(0.04)
        self.again(agreed, codec=PCMA, receive={8: PCMA})
        self.run_for(0.06)
        kinds = [(one.payload_type, len(one.payload)) for one in self.phone.packets]
        self.assertEqual(kinds, [(0, 320), (8, 480)])
        first, second = self.phone.packets
        self.assertEqual((second.timestamp - first.timestamp) % 2**32, 320)

    def test_pause(self) -> None:
        """A beat without audio is time that passes: the timestamp says so, and the marker."""
        self.up()
        self.run_for(0.2)
        self.call.sends = False
        self.run_for(1.0)
        self.call.sends = True
        self.run_for(0.2)
        before, after = self.phone.packets[9:11]
        self.assertEqual((after.timestamp - before.timestamp) % 2**32, 51 * 160)
        self.assertEqual((after.sequence - before.sequence) % 65_536, 1)
        self.assertEqual([one.marker for one in self.phone.packets[9:12]], [False, True, False])

    def test_short_pauses_add_up(self) -> None:
        """A tick left out now and then does not let the time line fall behind."""
        self.up()
        for _ in range(60):
            self.run_for(0.18)
            self.call.sends = False
            self.run_for(0.02)
            self.call.sends = True
        self.run_for(6.0)
        first, last = self.phone.packets[0], self.phone.packets[-1]
        passed = round((last.at - first.at) / 0.02)
        self.assertLessEqual(abs((last.timestamp - first.timestamp) % 2**32 // 160 - passed), 2)

    def test_stall(self) -> None:
        """A beat that is late is caught up: a burst, no gap on the time line, no marker."""
        self.up()
        self.run_for(0.2)
        self.clock.advance(0.09)
        self.run_for(0.2)
        packets = self.phone.packets
        steps = {(b.timestamp - a.timestamp) % 2**32 for a, b in pairwise(packets)}
        self.assertEqual((steps, sum(one.marker for one in packets)), ({160}, 1))

    def test_long_stall(self) -> None:
        """Ticks that the beat has left out are left out of the time line, too."""
        self.up()
        self.run_for(0.2)
        self.clock.advance(0.5)
        self.run_for(0.2)
        packets = self.phone.packets
        passed = round((packets[-1].at - packets[0].at) / 0.02)
        self.assertLessEqual(abs((packets[-1].timestamp - packets[0].timestamp) // 160 - passed), 2)
        self.assertEqual(sum(one.marker for one in packets), 2)

    def test_one_stream(self) -> None:
        """Hold, a new codec, a new address: one SSRC, and numbers that go on."""
        agreed = self.up()
        self.run_for(0.2)
        agreed = self.again(agreed, sends=False)
        self.run_for(0.2)
        agreed = self.again(agreed, sends=True)
        self.run_for(0.2)
        agreed = self.again(agreed, codec=PCMA, receive={8: PCMA, 0: PCMU})
        self.run_for(0.2)
        self.again(agreed, port=4002, rtcp_port=4003)
        other = self.network.machine(THEIRS).bind(THEIRS, 4002)
        other.hear(self.phone._hear)
        self.run_for(0.2)
        packets = self.phone.packets
        self.assertEqual(len(packets), 40)
        self.assertEqual(len({one.ssrc for one in packets}), 1)
        for before, after in pairwise(packets):
            self.assertEqual((after.sequence - before.sequence) % 65_536, 1)
            step = round((after.at - before.at) / 0.02) * 160
            self.assertLessEqual(abs((after.timestamp - before.timestamp) % 2**32 - step), 320)
        self.assertEqual([one.payload_type for one in packets], [0] * 20 + [8] * 20)
        other.close()


class DigitTests(RtpCase):
    def test_on_the_wire(self) -> None:
        """RFC 4733 in the place of audio: five updates, three ends, one timestamp, then a pause."""
        self.up(event=EVENT)
        self.run_for(0.1)
        self.assertTrue(self.stream.send_digits("5"))
        self.run_for(0.5)
        events = [one for one in self.phone.packets if one.payload_type == 101]
        self.assertEqual(
            [one.payload.hex() for one in events],
            ["050a00a0", "050a0140", "050a01e0", "050a0280", "050a0320"] + ["058a0320"] * 3,
        )
        self.assertEqual([one.marker for one in events], [True] + [False] * 7)
        self.assertEqual(len({one.timestamp for one in events}), 1)
        self.assertEqual(len(self.phone.packets), 30)
        numbers = [one.sequence for one in self.phone.packets]
        self.assertTrue(all((b - a) % 65_536 == 1 for a, b in pairwise(numbers)))
        audio = [one for one in self.phone.packets if one.payload_type == 0]
        self.assertEqual((audio[5].timestamp - events[0].timestamp) % 2**32, 8 * 160)
        self.assertEqual([one.payload for one in audio[5:8]], [b"\xff" * 160] * 3)
        self.assertEqual(audio[8].payload[1], 17)

    def test_packets_of_several_ticks(self) -> None:
        """What was gathered goes before the digit, which comes each 20 ms all the same."""
        self.up(event=EVENT, ptime=40)
        self.run_for(0.1)
        self.stream.send_digits("1")
        self.run_for(0.5)
        kinds = [(one.payload_type, len(one.payload)) for one in self.phone.packets]
        self.assertEqual(kinds[:3], [(0, 320), (0, 320), (0, 160)])
        self.assertEqual(kinds[3:11], [(101, 4)] * 8)

    def test_several(self) -> None:
        """One after another, those asked for later behind them."""
        self.up(event=EVENT)
        self.stream.send_digits("12")
        self.run_for(0.1)
        self.stream.send_digits("#")
        self.run_for(1.0)
        events = [one for one in self.phone.packets if one.payload_type == 101]
        self.assertEqual([one.payload[0] for one in events if one.marker], [1, 2, 11])

    def test_not_agreed(self) -> None:
        """Without telephone-event the session has to find another way."""
        self.up()
        self.assertFalse(self.stream.send_digits("1"))

    def test_no_digits(self) -> None:
        """What is no key of a telephone is refused, and nothing is sent."""
        self.up(event=EVENT)
        self.assertRaises(NotSupported, self.stream.send_digits, "1x")
        self.assertTrue(self.stream.send_digits(""))
        self.run_for(0.2)
        self.assertEqual({one.payload_type for one in self.phone.packets}, {0})

    def test_no_longer_agreed(self) -> None:
        """A re-INVITE without telephone-event ends what was being sent."""
        agreed = self.up(event=EVENT)
        self.stream.send_digits("123")
        self.run_for(0.1)
        self.again(agreed, event=None)
        self.phone.packets.clear()
        self.run_for(0.5)
        self.assertEqual({one.payload_type for one in self.phone.packets}, {0})
