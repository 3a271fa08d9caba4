"""A session with its real media: what re-INVITE, digits and BYE do to the packets."""

from __future__ import annotations

from random import Random

from rapida_tw.audio.format import AudioFormat, Encoding
from rapida_tw.media.clock import MediaClock
from rapida_tw.sim.datagrams import Datagrams
from rapida_tw.transports.report_wheel import ReportWheel
from rapida_tw.transports.rtp_ports import PortPool
from rapida_tw.transports.rtp_stream import RtpStream, Streams
from rapida_tw.wire.sdp_negotiation import Capabilities, Negotiator
from tests.sip.session_case import THEM, US, SessionCase, sdp
from tests.transports.rtp_case import Call, Phone

BARE = (("Content-Type", "application/dtmf"),)


class MediaTests(SessionCase):
    def setUp(self) -> None:
        super().setUp()
        self.clock.advance(500.001)  # off the beat
        self.beat = MediaClock(self.clock)
        network = Datagrams(self.clock)
        self.pool = PortPool(self.clock, network.machine(US), US, 10_000, 10_019, Random(1))
        wheel = ReportWheel(self.clock, Random(7))
        streams = Streams(self.clock, self.beat, wheel, self.clock.seconds)
        self.rtp = self.media = RtpStream(self.pool.take(), streams)
        self.phone = Phone(self.clock, network.machine(THEM), THEM, 14_680)
        self.up()
        self.rtp.begin(lambda: None)
        self.session.listen(self.listener)
        self.talking = Call(self.rtp)
        self.beat.add(self.talking)

    def tearDown(self) -> None:
        self.beat.remove(self.talking)
        super().tearDown()
        self.assertEqual(self.pool.in_use, 0)
        self.pool.close()

    def negotiator(self) -> Negotiator:
        return Negotiator(US, self.rtp.port, Capabilities(self.codecs), 8812)

    def run_for(self, seconds: float) -> int:
        """How many packets have come to them."""
        before = len(self.phone.packets)
        self.clock.pump([0.005] * round(seconds / 0.005))
        return len(self.phone.packets) - before

    def reinvite(self, body: bytes) -> None:
        self.request("ACK", cseq=self.request("INVITE", body))

    def says(self, payload: bytes, payload_type: int) -> None:
        """A packet of theirs."""
        data = self.phone.packet(payload, payload_type)
        self.phone.rtp.send(data, (US, self.rtp.port))
        self.clock.advance(0)

    def test_hold(self) -> None:
        """On hold nothing is sent; afterwards the same stream goes on."""
        self.assertIn(self.run_for(0.2), (9, 10))
        self.reinvite(sdp(direction="sendonly", version=2))
        self.assertEqual(self.run_for(1.0), 0)
        self.reinvite(sdp(version=3))
        self.assertIn(self.run_for(0.2), (9, 10))
        self.assertEqual(self.listener.told, [("held", True), ("held", False)])
        self.assertEqual(len({packet.ssrc for packet in self.phone.packets}), 1)

    def test_codec(self) -> None:
        """The format changes once, and the packets say so."""
        self.run_for(0.1)
        self.reinvite(sdp("8", version=2))
        self.run_for(0.1)
        self.assertEqual(self.listener.told, [AudioFormat(Encoding.ALAW)])
        self.assertEqual(self.session.format, AudioFormat(Encoding.ALAW))
        types = [each.payload_type for each in self.phone.packets]
        self.assertEqual((types, set(types)), (sorted(types), {0, 8}))

    def test_digits(self) -> None:
        """One press, told by telephone-event and by INFO, is one digit."""
        self.says(bytes((5, 10, 0, 160)), 101)
        self.assertEqual(self.answer_to("INFO", b"5", BARE).status, 200)
        self.assertEqual(self.listener.told, ["5"])

    def test_their_bye(self) -> None:
        """No packet after it, and the ports are put aside before they are used again."""
        self.run_for(0.1)
        self.request("BYE")
        self.assertEqual((self.run_for(1.0), self.pool.in_use), (0, 0))
        self.assertEqual(len(self.listener.ends), 1)

    def test_our_bye(self) -> None:
        """Nor after ours, answered or not."""
        self.run_for(0.1)
        self.session.hang_up()
        self.assertEqual((self.run_for(1.0), len(self.tries("BYE"))), (0, 1))
        self.assertEqual(self.listener.ends, [])
