"""A call over SRTP: both ways, and nothing else."""

from __future__ import annotations

from rapida_tw.transports import srtp
from rapida_tw.transports.srtp import Srtp
from rapida_tw.wire.sdp import Keys
from tests.transports.rtp_case import EVENT, PCMU, STRANGER, THEIRS, RtpCase

SUITE = "AES_CM_128_HMAC_SHA1_80"
OURS_KEY, THEIRS_KEY, OTHER_KEY = bytes(range(30)), bytes(range(30, 60)), bytes(range(60, 90))
KEYS = Keys(SUITE, OURS_KEY, THEIRS_KEY)


class SecrecyTests(RtpCase):
    def setUp(self) -> None:
        super().setUp()
        self.far = Srtp(Keys(SUITE, THEIRS_KEY, OURS_KEY))

    def secret(self, **more: object) -> bytes:
        packet = self.far.protect(self.phone.packet(**more))  # type: ignore[arg-type]
        assert packet is not None
        return packet

    def opened(self) -> list[bytes]:
        """What came to the phone, in clear."""
        packets = [self.far.unprotect(data) for data in self.phone.datagrams]
        assert None not in packets
        return [packet for packet in packets if packet is not None]

    def test_both_ways(self) -> None:
        """Heard in clear, sent in secret."""
        self.up(keys=KEYS)
        for _ in range(10):
            self.to_us(self.secret())
            self.run_for(0.02)
        self.assertEqual(self.listener.heard, [b"s" * 160] * 10)
        self.assertEqual([packet[13] for packet in self.opened()], list(range(1, 11)))
        self.assertEqual({len(data) for data in self.phone.datagrams}, {182})
        self.assertLess(self.phone.packets[0].sequence, 1 << 15)

    def test_clear(self) -> None:
        """Packets in clear are not heard where keys were agreed on, nor do they latch."""
        self.up(keys=KEYS)
        other = self.network.machine(THEIRS).bind(THEIRS, 4444)
        for _ in range(20):
            self.to_us(self.phone.packet(), other)
        self.assertEqual((self.flowed, self.listener.heard), (0, []))
        self.run_for(0.1)
        self.assertEqual(len(self.phone.packets), 5)
        name, more = self.measure("media.packets_dropped")
        self.assertEqual((name, more), ("20", {"not-authentic": 20}))
        other.close()

    def test_stranger(self) -> None:
        """Whoever has not the key is not followed, even from the right machine."""
        self.up(keys=KEYS)
        evil = Srtp(Keys(SUITE, OTHER_KEY, OURS_KEY))
        other = self.network.machine(THEIRS).bind(THEIRS, 4444)
        for _ in range(20):
            self.to_us(evil.protect(self.phone.packet()) or b"", other)
        self.to_us(self.secret())
        self.run_for(0.1)
        self.assertEqual(len(self.listener.heard), 1)
        self.assertEqual(len(self.phone.packets), 5)
        other.close()

    def test_replay(self) -> None:
        """Recorded packets of theirs are not heard again, wherever they come from."""
        self.up(keys=KEYS)
        recorded = [self.secret() for _ in range(10)]
        for packet in recorded:
            self.to_us(packet)
        for packet in recorded:
            self.to_us(packet)
            self.to_us(packet, self.stranger)
        self.assertEqual(len(self.listener.heard), 10)
        self.run_for(0.1)
        self.assertEqual(self.answered, [])

    def test_refresh(self) -> None:
        """Hold and resume with the same keys: one roll-over counter, across 2**16 packets."""
        agreed = self.up(keys=KEYS)
        self.phone.sequence = 65_500
        for _ in range(50):
            self.to_us(self.secret())
            self.run_for(0.02)
        self.opened()
        agreed = self.again(agreed, sends=False)
        agreed = self.again(agreed, sends=True, keys=Keys(SUITE, OURS_KEY, THEIRS_KEY))
        self.phone.datagrams.clear()
        for _ in range(10):
            self.to_us(self.secret())
            self.run_for(0.02)
        self.assertEqual(len(self.listener.heard), 60)
        self.assertEqual(len(self.opened()), 10)

    def test_new_keys(self) -> None:
        """Each direction's key is replaced by itself."""
        agreed = self.up(keys=KEYS)
        self.to_us(self.secret())
        self.again(agreed, keys=Keys(SUITE, OURS_KEY, OTHER_KEY))
        self.to_us(self.secret())
        self.assertEqual(len(self.listener.heard), 1)
        self.far.change(Keys(SUITE, OTHER_KEY, OURS_KEY))
        self.to_us(self.secret())
        self.run_for(0.1)  # what was not authentic is waited for
        self.assertEqual(len(self.listener.heard), 2)

    def test_never_in_clear(self) -> None:
        """Keys that cannot be used: nothing is sent, nothing is heard, and no packet in clear."""
        for keys in (Keys("NULL", b"", b""), Keys(SUITE, OURS_KEY[:5], THEIRS_KEY)):
            agreed = self.up(keys=keys, event=EVENT)
            self.assertFalse(self.stream.send_digits("1"))
            self.to_us(self.phone.packet())
            self.to_us(self.secret())
            self.run_for(0.2)
            self.again(agreed, codec=PCMU)
            self.run_for(10)
            self.assertEqual((self.phone.datagrams, self.listener.heard), ([], []))
            self.assertEqual(self.phone.reports, [])

    def test_no_longer(self) -> None:
        """A re-INVITE without keys is a call in clear."""
        agreed = self.up(keys=KEYS)
        self.again(agreed, keys=None)
        self.talk(5)
        self.assertEqual(len(self.listener.heard), 5)
        self.assertEqual({len(data) for data in self.phone.datagrams}, {172})

    def test_reports(self) -> None:
        """RTCP is secret as well, and in clear it is none."""
        self.up(keys=KEYS)
        self.talk(1)
        self.run_for(8)
        self.assertGreater(len(self.phone.reports), 0)
        for report in self.phone.reports:
            opened = self.far.unprotect_rtcp(report)
            assert opened is not None
            self.assertEqual(opened[1], 200)
        report = bytes.fromhex("80c9000111223344")
        self.phone.rtcp.send(report, (STRANGER, 6666))
        for data in (report, self.far.protect_rtcp(report) or b""):
            self.phone.rtcp.send(data, (self.pool._interface, self.stream.port + 1))
            self.clock.advance(0)
        self.assertEqual(self.listener.all("alive"), [None])

    def test_mux(self) -> None:
        """RTP and RTCP on one port, both secret."""
        self.up(keys=KEYS, rtcp_mux=True)
        self.to_us(self.secret())
        self.to_us(self.far.protect_rtcp(bytes.fromhex("80c9000111223344")) or b"")
        self.assertEqual((len(self.listener.heard), len(self.listener.all("alive"))), (1, 1))

    def test_counted(self) -> None:
        """Failures are counted for the node."""
        before = srtp.failed.value("not-authentic")
        self.up(keys=KEYS)
        self.to_us(self.phone.packet())
        self.assertEqual(srtp.failed.value("not-authentic") - before, 1)
