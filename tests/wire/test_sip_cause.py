"""The Reason header (RFC 3326)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.wire.sip_cause import LONGEST, NORMAL, Reason, parse


class ReasonTests(SynchronousTestCase):
    def test_read(self) -> None:
        """Protocol, cause and text, in the ways in which they are written."""
        for value, reason, sentence in (
            ('Q.850;cause=16;text="Bye"', Reason("Q.850", 16, "Bye"), "Bye (Q.850 16)"),
            ("SIP ; cause = 200", Reason("SIP", 200), "SIP 200"),
            ("Q.850;CAUSE=16;Text=Bye", Reason("Q.850", 16, "Bye"), "Bye (Q.850 16)"),
            ("X-Other", Reason("X-Other"), "X-Other"),
            ('SIP;text="cause=7;\\"x\\""', Reason("SIP", None, 'cause=7;"x"'), 'cause=7;"x" (SIP)'),
            ("SIP;cause=abc", Reason("SIP"), "SIP"),
            ("SIP;cause=99999", Reason("SIP"), "SIP"),
        ):
            with self.subTest(value=value):
                self.assertEqual(parse(value), reason)
                self.assertEqual(str(reason.sentence), sentence)

    def test_none(self) -> None:
        """What is no reason."""
        for value in ("", ";cause=1", "a b;cause=1", 'SIP;text="open', "x" * 10_000):
            with self.subTest(value=value[:20]):
                self.assertIsNone(parse(value))

    def test_written(self) -> None:
        """Ours is read back; a text cannot leave its quotes, nor its line."""
        self.assertEqual(str(NORMAL), 'Q.850;cause=16;text="Normal call clearing"')
        evil = str(Reason("SIP", 1, 'a"b\\c\r\nVia: x'))
        self.assertNotIn("\n", evil)
        self.assertEqual(parse(evil), Reason("SIP", 1, 'a"b\\c  Via: x'))

    @given(st.text(max_size=300))
    def test_any(self, value: str) -> None:
        """No text is too strange, and what is kept of it is short and printable."""
        for text in (value, f'SIP;cause=1;text="{value}"'):
            reason = parse(text)
            if reason is not None:
                self.assertLessEqual(len(reason.text), LONGEST)
                self.assertTrue(parse(str(reason)) is not None)
