"""RTCP of a call, read byte by byte, and what it says of the line."""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import Any

from rapida_tw.transports.rtcp_control import refused
from tests.transports.rtp_case import EPOCH, OPUS, OURS, RtpCase

NTP_1970 = 2_208_988_800


def packets(data: bytes) -> list[tuple[int, int, bytes]]:
    """Count, type and body of each packet of a compound."""
    found = []
    while data:
        first, kind, words = struct.unpack_from("!BBH", data)
        assert first >> 6 == 2
        end = 4 * words + 4
        assert end <= len(data)
        found.append((first & 31, kind, data[4:end]))
        data = data[end:]
    return found


class RtcpCase(RtpCase):
    def report(self, data: bytes, source: Any = None, port: int = 1) -> None:
        """Send to our port of RTCP."""
        (source or self.phone.rtcp).send(data, (OURS, self.stream.port + port))
        self.clock.advance(0)

    def first(self, kind: int) -> tuple[int, bytes]:
        for data in self.phone.reports:
            for count, one, body in packets(data):
                if one == kind:
                    return count, body
        raise AssertionError(f"no RTCP of type {kind}")

    def answer(self, lost: int = 0, held: float = 0.5, way: float = 0.04) -> None:
        """Their receiver report on our last sender report, with a round trip of `way`."""
        self.phone.reports.clear()
        while not self.phone.reports:
            self.talk(1)
        ssrc, seconds, fraction = struct.unpack_from("!3I", self.first(200)[1])
        middle = (seconds & 0xFFFF) << 16 | fraction >> 16
        self.run_for(held + way)
        body = struct.pack(
            "!7I", 0x11223344, ssrc, lost & 0xFFFFFF, 5000, 16, middle, int(held * 65_536)
        )
        self.report(b"\x81\xc9\x00\x07" + body)


class ReportTests(RtcpCase):
    def test_sender_report(self) -> None:
        """Both clocks at one moment, what was sent, and how theirs is received."""
        self.up()
        self.phone.sequence = 65_530
        self.talk(99)
        self.phone.packet()  # one is lost
        self.phone.timestamp -= 160
        self.talk(1)
        while not self.phone.reports:
            self.talk(1)
        at = self.clock.seconds()
        count, body = self.first(200)
        ssrc, seconds, fraction, timestamp, sent, octets = struct.unpack_from("!6I", body)
        self.assertEqual(count, 1)
        self.assertEqual(ssrc, self.phone.packets[0].ssrc)
        self.assertLess(abs(seconds - NTP_1970 + fraction / 2**32 - EPOCH - at), 0.03)
        last = self.phone.packets[-1]
        self.assertLessEqual(abs(timestamp - last.timestamp), 480)
        self.assertLessEqual(abs(sent - len(self.phone.packets)), 2)
        self.assertEqual(octets, sent * 160)
        theirs, lost, highest, jitter, last_sr, delay = struct.unpack_from("!6I", body, 24)
        self.assertEqual(theirs, self.phone.ssrc)
        self.assertEqual(lost & 0xFFFFFF, 1)
        self.assertIn(lost >> 24, (1, 2))
        self.assertEqual(highest >> 16, 1)
        self.assertLessEqual(abs((highest & 0xFFFF) - self.phone.sequence), 3)
        self.assertLess(jitter, 80)
        self.assertEqual((last_sr, delay), (0, 0))

    def test_description(self) -> None:
        """A canonical name that says nothing, one for the whole call, another for the next."""
        names = set()
        for _ in range(2):
            self.up()
            self.run_for(20)
            found = {
                body[6 : 6 + body[5]]
                for data in self.phone.reports
                for _, kind, body in packets(data)
                if kind == 202
            }
            self.assertEqual(len(found), 1)
            names |= found
            self.renew()
        self.assertEqual(len(names), 2)

    def test_interval(self) -> None:
        """Every 2.5 to 7.5 s, on hold as well; then a receiver report."""
        agreed = self.up()
        times = []
        self.phone.rtcp.hear(lambda data, address: not times.append(self.clock.seconds()))
        self.run_for(40)
        self.again(agreed, sends=False)
        self.run_for(40)
        self.assertTrue(all(2.4 < b - a < 7.7 for a, b in pairwise(times)))
        self.assertTrue(12 < len(times) < 22)

    def test_receiver_report(self) -> None:
        """Who has sent nothing for two intervals is a sender no more (6.4)."""
        agreed = self.up()
        self.run_for(10)
        self.phone.reports.clear()
        self.again(agreed, sends=False)
        self.run_for(40)
        kinds = [packets(data)[0][1] for data in self.phone.reports]
        self.assertEqual(kinds[:2], [200, 200])  # it has sent in both
        self.assertEqual(set(kinds[2:]), {201})

    def test_nothing_new(self) -> None:
        """Of a stream that does not come any more nothing is repeated."""
        self.up()
        self.talk(50)
        self.run_for(30)
        counts = [packets(data)[0][0] for data in self.phone.reports]
        self.assertEqual(counts[0], 1)
        self.assertEqual(set(counts[1:]), {0})

    def test_bye(self) -> None:
        """The end is a report with a BYE; a call that never sent anything says nothing."""
        self.up()
        self.run_for(0.1)
        self.stream.close()
        self.clock.advance(0)
        kinds = [kind for _, kind, _ in packets(self.phone.reports[-1])]
        self.assertEqual(kinds, [200, 202, 203])
        _, body = self.first(203)
        self.assertEqual(body, self.phone.packets[0].ssrc.to_bytes(4))
        self.renew()
        self.agree()
        self.stream.close()
        self.clock.advance(0)
        self.assertEqual(self.phone.reports, [])

    def test_mux(self) -> None:
        """On one port where that is agreed on; the other port is deaf then."""
        self.up(rtcp_mux=True, rtcp_port=4000)
        self.talk(1)
        self.run_for(8)
        self.assertGreater(len(self.phone.reports), 0)
        self.assertEqual(
            len(self.phone.datagrams) - len(self.phone.packets), len(self.phone.reports)
        )
        self.report(bytes.fromhex("80c9000111223344"))
        self.assertEqual(self.listener.all("alive"), [])
        self.report(bytes.fromhex("80c9000111223344"), self.phone.rtp)
        self.assertEqual(self.listener.all("alive"), [])
        self.report(bytes.fromhex("80c9000111223344"), self.stranger, 0)
        self.assertEqual(self.listener.all("alive"), [])
        self.report(bytes.fromhex("80c9000111223344"), self.phone.rtp, 0)
        self.assertEqual(self.listener.all("alive"), [None])

    def test_no_address(self) -> None:
        """Where theirs cannot be sent to, nothing is."""
        self.up(rtcp_host="", rtcp_port=0)
        self.run_for(10)
        self.assertEqual(self.phone.reports, [])


class TheirsTests(RtcpCase):
    def test_round_trip(self) -> None:
        """Their report on ours tells it, whatever the wall clock does meanwhile."""
        self.up()
        self.answer(way=0.08)
        value, more = self.measure("media.round_trip_ms")
        self.assertTrue(79 < float(value) < 106, value)
        self.assertEqual(more, {"reports": 1})

    def test_last_report_of_theirs(self) -> None:
        """Ours gives back their time stamp and how long it lay with us."""
        self.up()
        self.talk(10)
        sender = struct.pack("!6I", self.phone.ssrc, 0xAABBCCDD, 0x11220000, 1, 2, 3)
        self.report(b"\x80\xc8\x00\x06" + sender)
        begin = self.clock.seconds()
        self.phone.reports.clear()
        while not self.phone.reports:
            self.talk(1)
        last_sr, delay = struct.unpack_from("!2I", self.first(200)[1], 24 + 16)
        self.assertEqual(last_sr, 0xCCDD1122)
        self.assertLess(abs(delay / 65_536 - (self.clock.seconds() - begin)), 0.03)

    def test_alive(self) -> None:
        """A report of theirs is a sign of life."""
        self.up()
        self.report(bytes.fromhex("80c9000111223344"))
        self.assertEqual(self.listener.told, [("alive", None)])

    def test_not_theirs(self) -> None:
        """Forged ones change nothing: not from a stranger, and not about other streams."""
        self.up()
        self.talk(10)
        ours = self.phone.packets[0].ssrc
        lying = struct.pack("!7I", 1, ours, 0xFFFFFFF0, 1, 0xFFFFFFFF, 1, 1)
        other = struct.pack("!7I", 1, ours ^ 1, 0x00FFFFFF, 1, 1, 1, 1)
        before = refused.value("source")
        self.report(b"\x81\xc9\x00\x07" + lying, self.stranger)
        self.assertEqual(refused.value("source") - before, 1)
        self.report(b"\x81\xc9\x00\x07" + other)
        self.assertNotIn("media.packets_lost_by_far_side", self.stream.measures())
        self.assertNotIn("media.round_trip_ms", self.stream.measures())

    def test_junk(self) -> None:
        """Whatever comes to the port of RTCP, nothing happens."""
        self.up()
        good = bytes.fromhex("81c80006112233440000000000000000000000000000000000000000")
        for at in range(len(good)):
            self.report(good[:at])
        for at in range(len(good)):
            for value in (0, 0x80, 0xFF):
                self.report(good[:at] + bytes([value]) + good[at + 1 :])
        for data in (self.phone.packet(), b"\x00\x01\x00\x00" * 8, bytes(2000), b"\x81\xc9" * 9):
            self.report(data)
        self.talk(3)
        self.assertEqual(len(self.listener.heard), 3)
        self.assertEqual({name for name, _ in self.listener.told}, {"alive"})

    def test_bye_of_theirs(self) -> None:
        """Is no end: signalling ends calls."""
        self.up()
        self.report(bytes.fromhex("80c9000111223344" + "81cb000111223344"))
        self.talk(3)
        self.assertEqual(len(self.listener.heard), 3)
        self.assertEqual(self.listener.all("end"), [])


class MeasuresTests(RtcpCase):
    def test_nothing_known(self) -> None:
        """Nothing that was not measured is told."""
        self.assertEqual(self.stream.measures(), {})
        self.agree()
        self.assertEqual(self.stream.measures(), {})

    def test_without_reports(self) -> None:
        """Without RTCP of theirs: what we count ourselves, and neither round trip nor score."""
        self.up()
        self.talk(20)
        self.assertEqual(
            set(self.stream.measures()),
            {"media.packets_lost", "media.jitter_ms", "media.packets_sent"},
        )

    def test_lost(self) -> None:
        """How many, of how many, in percent."""
        self.up()
        for number in range(100):
            packet = self.phone.packet()
            if number % 10 != 5:
                self.to_us(packet)
            self.run_for(0.02)
        value, more = self.measure("media.packets_lost")
        self.assertEqual((value, more["percent"], more["received"]), ("10", 10.0, 90))
        self.assertEqual((more["late"], more["duplicates"], more["codec"]), (0, 0, "PCMU"))

    def test_jitter(self) -> None:
        """In milliseconds."""
        self.up()
        for number in range(400):
            self.run_for(0.01 if number % 2 else 0.03)
            self.to_us(self.phone.packet())
        value, _ = self.measure("media.jitter_ms")
        self.assertTrue(8 < float(value) < 12, value)

    def scores(self, lost: int, far_lost: int) -> tuple[float, float]:
        """Ours and theirs of a call that lost so many."""
        self.up()
        for number in range(250):
            packet = self.phone.packet()
            if number >= lost or not number:
                self.to_us(packet)
            self.run_for(0.02)
        self.answer(far_lost)
        return (
            float(self.measure("media.mos")[0]),
            float(self.measure("media.mos_of_far_side")[0]),
        )

    def test_scores(self) -> None:
        """Known once there is a round trip: a good line both ways."""
        ours, theirs = self.scores(0, 0)
        self.assertTrue(4.3 < ours < 4.45)
        self.assertTrue(4.3 < theirs < 4.45)

    def test_bad_for_them(self) -> None:
        """Each direction has its own."""
        ours, theirs = self.scores(0, 30)
        self.assertTrue(4.3 < ours < 4.45)
        self.assertTrue(2.5 < theirs < 3.7, theirs)
        self.assertEqual(self.measure("media.packets_lost_by_far_side")[0], "30")

    def test_after_the_end(self) -> None:
        """They are asked when the call is over."""
        self.up()
        self.talk(20)
        before = dict(self.stream.measures())
        self.stream.close()
        self.assertEqual(self.stream.measures(), before)

    def test_unknown_codec(self) -> None:
        """A codec without figures has no score."""
        self.up(OPUS)
        self.phone.ssrc = 5
        for _ in range(10):
            self.talk(payload=b"\xf8\xff\xfe", payload_type=97, samples=960)
        self.assertNotIn("media.mos", self.stream.measures())
        self.assertEqual(self.measure("media.packets_lost")[1]["codec"], "opus")
