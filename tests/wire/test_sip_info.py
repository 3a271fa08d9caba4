"""Digits in INFO: application/dtmf-relay and application/dtmf."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.wire import sip_info


class BodyTests(SynchronousTestCase):
    def test_read(self) -> None:
        """The ways in which gateways write it."""
        for body, digit in (
            (b"Signal=5\r\nDuration=160\r\n", "5"),
            (b"Signal= 5\nDuration= 100", "5"),
            (b"Duration=100\r\nsignal = *\r\n", "*"),
            (b"Signal=10\r\n", "*"),
            (b"Signal=11", "#"),
            (b"Signal=12", "A"),
            (b"d", "D"),
            (b" 0 \r\n", "0"),
            (b"Signal=16", ""),
            (b"!", ""),
        ):
            with self.subTest(body=body):
                self.assertEqual(sip_info.digit(body), digit)

    def test_refused(self) -> None:
        """Anything else is none."""
        for body in (b"", b"17", b"Signal=", b"Signal=55", b"\xff", b"x" * 100_000, b"=" * 5_000):
            with self.subTest(body=body[:10]):
                self.assertRaises(RemoteProtocolError, sip_info.digit, body)

    def test_written(self) -> None:
        """What we write is read again."""
        for digit in "0123456789ABCD*#":
            for kind in sip_info.TYPES:
                self.assertEqual(sip_info.digit(sip_info.write(kind, digit)), digit)

    @given(st.binary(max_size=60) | st.binary(max_size=20).map(b"Signal=".__add__))
    def test_any(self, body: bytes) -> None:
        """Bytes are a key, a flash or a RemoteProtocolError."""
        try:
            digit = sip_info.digit(body)
        except RemoteProtocolError:
            return
        self.assertTrue(digit == "" or digit in sip_info.KEYS)
