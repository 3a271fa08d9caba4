"""A call's media: begun, held, changed, closed."""

from __future__ import annotations

from random import Random

from rapida_tw.transports.rtp_ports import PortPool
from rapida_tw.transports.rtp_stream import RtpStream, dropped
from tests.transports.rtp_case import (
    EVENT,
    G722,
    L16,
    OPUS,
    PCMA,
    PCMU,
    THEIRS,
    Phone,
    RtpCase,
)


class BeginningTests(RtpCase):
    def test_silence_before_anybody_listens(self) -> None:
        """Each tick a packet of silence, from the start: it opens NATs."""
        for codec, silence in (
            (PCMU, b"\xff" * 160),
            (PCMA, b"\xd5" * 160),
            (G722, b"\xfc" * 160),
            (L16, bytes(640)),
            (OPUS, b"\xf8\xff\xfe"),
        ):
            with self.subTest(codec=codec.name):
                self.renew()
                self.agree(codec)
                self.begin()
                self.run_for(0.2)
                self.assertEqual(len(self.phone.packets), 10)
                self.assertEqual({one.payload for one in self.phone.packets}, {silence})

    def test_nothing_before_begin(self) -> None:
        """A stream that only knows where to send keeps still."""
        self.agree()
        self.run_for(1.0)
        self.assertEqual(self.phone.packets, [])

    def test_one_beat_after_another(self) -> None:
        """When the call's beat takes over, the own one has stopped: one packet a tick."""
        self.agree()
        self.begin()
        self.run_for(0.2)
        self.listen()
        self.assertEqual(len(self.beat), 1)
        self.run_for(0.2)
        self.assertLessEqual(abs(len(self.phone.packets) - 20), 1)
        sound = [one for one in self.phone.packets if one.payload != b"\xff" * 160]
        self.assertEqual(len(sound), 10)

    def test_flowing_once(self) -> None:
        """At the first packet of theirs, and never again."""
        self.agree()
        self.begin()
        self.run_for(0.1)
        self.assertEqual(self.flowed, 0)
        self.talk(5)
        self.agree(PCMA)
        self.talk(5, payload_type=8)
        self.assertEqual(self.flowed, 1)

    def test_junk_does_not_flow(self) -> None:
        """Nor does a stranger."""
        self.agree()
        self.begin()
        self.to_us(b"\x80junk")
        self.to_us(self.phone.packet(payload_type=99))
        self.to_us(self.phone.packet(), self.stranger)
        self.assertEqual(self.flowed, 0)

    def test_first_packet_is_heard(self) -> None:
        """By who begins to listen because of it."""
        self.agree()
        self.stream.begin(self.listen)
        self.to_us(self.phone.packet(b"a" * 160))
        self.assertEqual(self.listener.heard, [b"a" * 160])

    def test_stale_audio(self) -> None:
        """What came before the answer, when nobody was there, is not heard."""
        self.agree()
        self.talk(50, payload=b"old" * 50)
        self.begin()
        self.listen()
        self.talk(2, payload=b"new" * 50)
        self.assertEqual(set(self.listener.heard), {b"new" * 50})

    def test_ipv6(self) -> None:
        """Over IPv6 all is the same."""
        ours, theirs = "2001:db8::10", "2001:db8::7"
        machine = self.network.machine(ours)
        pool = PortPool(self.clock, machine, "::", 10_000, 10_001, Random(1))
        phone = Phone(self.clock, self.network.machine(theirs), theirs)
        stream = RtpStream(pool.take(), self.streams)
        stream.agree(self.agreed(host=theirs, rtcp_host=theirs), theirs)
        stream.begin(lambda: None)
        stream.listen(self.listener)
        stream.send_audio(b"out" * 40)
        phone.rtp.send(phone.packet(), (ours, 10_000))
        self.clock.advance(0)
        self.assertEqual([one.payload for one in phone.packets], [b"out" * 40])
        self.assertEqual(self.listener.heard, [b"s" * 160])
        stream.close()
        pool.close()
        phone.rtp.close()
        phone.rtcp.close()

    def test_begun_twice(self) -> None:
        """The second time does nothing."""
        self.agree()
        self.begin()
        self.begin()
        self.assertEqual(len(self.beat), 1)

    def test_address_that_is_not_known(self) -> None:
        """Without one nothing is sent, until their packet tells it; then in time."""
        self.stream.agree(self.agreed(host="10.1.2.3", port=4000), THEIRS)
        self.begin()
        self.listen()
        self.run_for(1.0)
        self.assertEqual(self.network.unheard, 0)
        self.talk()
        self.run_for(0.1)
        self.assertEqual(len(self.phone.packets), 6)
        self.assertTrue(self.phone.packets[0].marker)


class HoldTests(RtpCase):
    def test_nothing_either_way(self) -> None:
        """On hold nothing is sent and nothing is heard; afterwards both again."""
        agreed = self.up()
        self.talk(5)
        sent = len(self.phone.packets)
        agreed = self.again(agreed, sends=False)
        self.talk(20)
        self.assertEqual((len(self.phone.packets), len(self.listener.heard)), (sent, 5))
        self.again(agreed, sends=True)
        self.talk(5)
        self.assertEqual((len(self.phone.packets), len(self.listener.heard)), (sent + 5, 10))
        self.assertEqual(self.listener.all("held"), [True, False])

    def test_inactive(self) -> None:
        """Neither way is a hold as well."""
        agreed = self.up()
        self.again(agreed, sends=False, hears=False)
        self.talk(5)
        self.assertEqual((self.phone.packets, self.listener.heard), ([], []))
        self.assertEqual(self.listener.all("held"), [True])

    def test_one_way(self) -> None:
        """They only hear: that is no hold, nobody is missed, and nothing of theirs is heard."""
        agreed = self.up()
        self.again(agreed, hears=False)
        self.talk(5)
        self.assertEqual((len(self.phone.packets), self.listener.heard), (5, []))
        self.assertEqual(self.listener.all("held"), [])
        self.run_for(20)
        self.assertGreater(len(self.listener.all("alive")), 2)

    def test_told_when_it_changes(self) -> None:
        """A session refresh on hold says nothing new."""
        agreed = self.up()
        agreed = self.again(agreed, sends=False)
        agreed = self.again(agreed)
        self.again(agreed, hears=False)
        self.assertEqual(self.listener.all("held"), [True])

    def test_held_before_anybody_listens(self) -> None:
        """Who begins to listen is told."""
        self.agree(sends=False)
        self.begin()
        self.run_for(0.2)
        self.listen()
        self.run_for(0.2)
        self.assertEqual(self.listener.all("held"), [True])
        self.assertEqual(self.phone.packets, [])

    def test_half_a_packet(self) -> None:
        """What was gathered for a packet when the hold came is not sent, not even after it."""
        agreed = self.up(ptime=40)
        self.run_for(0.02)
        agreed = self.again(agreed, sends=False)
        self.run_for(1.0)
        self.assertEqual(self.phone.packets, [])
        self.again(agreed, sends=True)
        self.run_for(0.2)
        self.assertNotIn(b"\x00\x01", self.phone.packets[0].payload)

    def test_time_of_half_a_packet(self) -> None:
        """It has passed all the same."""
        agreed = self.up(ptime=60)
        self.run_for(0.1)  # a packet of three ticks, and two of the next one
        agreed = self.again(agreed, sends=False)
        self.run_for(1.0)
        self.again(agreed, sends=True)
        self.run_for(0.2)
        first, second = self.phone.packets[:2]
        self.assertEqual((second.timestamp - first.timestamp) % 2**32, 55 * 160)

    def test_digits_on_hold(self) -> None:
        """Cannot be sent, which the session is told; those that waited are not sent later."""
        agreed = self.up(event=EVENT)
        self.assertTrue(self.stream.send_digits("12"))
        self.run_for(0.1)
        agreed = self.again(agreed, sends=False)
        self.assertFalse(self.stream.send_digits("3"))
        self.again(agreed, sends=True)
        self.phone.packets.clear()
        self.run_for(1.0)
        self.assertEqual({one.payload_type for one in self.phone.packets}, {0})


class CodecTests(RtpCase):
    def test_format(self) -> None:
        """Each codec as what the house decodes."""
        for codec, encoding, rate in (
            (PCMU, "ulaw", 8000),
            (PCMA, "alaw", 8000),
            (G722, "g722", 16_000),
            (L16, "l16", 16_000),
            (OPUS, "opus", 16_000),
        ):
            self.agree(codec)
            format = self.stream.format
            self.assertEqual((format.encoding.value, format.rate), (encoding, rate))
            self.assertEqual((format.lead, format.patience), (0, 30.0))

    def test_changed_by_agreement(self) -> None:
        """The listener is told when the format changes, and only then."""
        agreed = self.up()
        agreed = self.again(agreed)
        self.assertEqual(self.listener.told, [])
        self.again(agreed, codec=G722, receive={9: G722})
        self.assertEqual(self.listener.told, [("format", "g722")])
        self.run_for(0.1)
        self.assertEqual({one.payload_type for one in self.phone.packets}, {9})

    def test_changed_unasked(self) -> None:
        """Another codec of those agreed on is followed, in both directions."""
        self.up(receive={0: PCMU, 8: PCMA})
        self.talk(3)
        self.talk(3, payload_type=8, payload=b"a" * 160)
        self.assertEqual(self.listener.told, [("format", "alaw")])
        self.assertEqual(self.listener.heard, [b"s" * 160] * 3 + [b"a" * 160] * 3)
        self.run_for(0.1)
        self.assertEqual(self.phone.packets[-1].payload_type, 8)

    def test_changed_before_anybody_listens(self) -> None:
        """Who begins to listen is told of the codec that comes, if it is not the one agreed on."""
        self.agree(receive={0: PCMU, 8: PCMA})
        self.begin()
        self.talk(3, payload_type=8)
        self.listen()
        self.talk(3, payload_type=8)
        self.assertEqual(self.listener.told, [("format", "alaw")])
        self.renew()
        self.agree(PCMA)
        self.begin()
        self.talk(3, payload_type=8)
        self.listen()
        self.assertEqual(self.listener.told, [])

    def test_not_agreed(self) -> None:
        """A codec that was never agreed on is not heard."""
        self.up()
        self.talk(3, payload_type=8)
        self.assertEqual(self.listener.heard, [])


class EndTests(RtpCase):
    def test_nothing_afterwards(self) -> None:
        """Closed is closed: nothing is sent, nothing heard, and no call of it does anything."""
        agreed = self.up(event=EVENT)
        self.talk(5)
        self.stream.close()
        self.stream.close()
        packets, heard = len(self.phone.packets), len(self.listener.heard)
        reports = len(self.phone.reports)
        self.clock.advance(0)
        self.stream.agree(agreed, THEIRS)
        self.stream.begin(lambda: None)
        self.stream.listen(self.listener)
        self.assertFalse(self.stream.send_digits("1"))
        self.talk(20)
        self.run_for(10)
        self.assertEqual((len(self.phone.packets), len(self.listener.heard)), (packets, heard))
        self.assertLessEqual(len(self.phone.reports) - reports, 1)  # the BYE
        self.assertEqual(self.listener.told, [])

    def test_quarantine(self) -> None:
        """Its ports rest before they are another call's."""
        self.up()
        self.stream.close()
        self.assertEqual((self.pool.in_use, self.pool.resting), (0, 1))

    def test_in_every_state(self) -> None:
        """Never agreed, never begun, never listened to: the ports go back."""
        steps = (self.agree, self.begin, self.listen)
        for count in range(len(steps)):
            for step in steps[:count]:
                step()
            self.stream.close()
            self.beat.remove(self.call)
            self.assertEqual((self.pool.in_use, len(self.beat), len(self.wheel)), (0, 0, 0))
            self.renew()

    def test_counted(self) -> None:
        """What was not heard is counted for the whole node when the call ends."""
        before = dropped.value("payload-type")
        self.up()
        self.talk(3, payload_type=99)
        self.assertEqual(dropped.value("payload-type"), before)
        self.stream.close()
        self.assertEqual(dropped.value("payload-type") - before, 3)
