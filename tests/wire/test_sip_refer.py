"""What REFER and its NOTIFYs carry (RFC 3515, RFC 3420)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.errors import LocalProtocolError, RemoteProtocolError
from rapida_tw.wire import sip_refer


class TargetTests(SynchronousTestCase):
    def test_targets(self) -> None:
        """Numbers and names at the peer, URIs as they are, in <>, never with a password."""
        for text, value in (
            ("15550001111", "<sip:15550001111@pbx.example:5070>"),
            ("*98#", "<sip:*98%23@pbx.example:5070>"),
            ("abba", "<sip:abba@pbx.example:5070>"),
            ("operator", "<sip:operator@pbx.example:5070>"),
            ("front-desk_2", "<sip:front-desk_2@pbx.example:5070>"),
            ("tel:+15550001111", "<tel:+15550001111>"),
            ("sip:bob@example.com;transport=tcp", "<sip:bob@example.com;transport=tcp>"),
            ("sips:bob@example.com", "<sips:bob@example.com>"),
            ("sip:bob:secret@example.com", "<sip:bob@example.com>"),
            ("sip:x@h?Replaces=a%3Bto-tag%3Db", "<sip:x@h?Replaces=a%3Bto-tag%3Db>"),
        ):
            with self.subTest(text=text):
                uri = sip_refer.target(text, "pbx.example", 5070)
                self.assertEqual(sip_refer.refer_to(uri), value)

    def test_no_target(self) -> None:
        """What would have to be guessed."""
        for text in ("", "-", "example.com", "bob@example.com", "the operator", "mailto:x@y.z"):
            with self.subTest(text=text):
                self.assertRaises(LocalProtocolError, sip_refer.target, text, "pbx.example")

    @given(st.text(max_size=60) | st.text("sip:tel@+0123<>;?%0dAX\r\n \"'", max_size=60))
    def test_injection(self, text: str) -> None:
        """Whatever is asked for, the header stays one line and one address."""
        try:
            value = sip_refer.refer_to(sip_refer.target(text, "h"))
        except LocalProtocolError:
            return
        self.assertRegex(value, r"\A<[^<>\r\n\x00]*>\Z")


class ProgressTests(SynchronousTestCase):
    def test_progress(self) -> None:
        """The first line of a fragment, and nothing that is none."""
        self.assertEqual(sip_refer.progress(b"SIP/2.0 180 Ringing\r\nTo: x"), (180, "Ringing"))
        self.assertEqual(sip_refer.progress(b"\r\nSIP/2.0 200"), (200, ""))
        self.assertEqual(
            sip_refer.progress(sip_refer.fragment(486, "Busy\r\n Here")), (486, "Busy   Here")
        )
        for body in (b"", b"SIP/2.0 20 x", b"SIP/2.0 2000 x", b"SIP/2.0 700 x", b"\xff" * 9_000):
            with self.subTest(body=body[:12]):
                self.assertRaises(RemoteProtocolError, sip_refer.progress, body)

    @given(st.binary(max_size=200))
    def test_any_fragment(self, body: bytes) -> None:
        """Bytes are a status or a RemoteProtocolError."""
        try:
            status, phrase = sip_refer.progress(b"SIP/2.0 " + body)
        except RemoteProtocolError:
            return
        self.assertIn(status, range(100, 700))
        self.assertNotIn("\n", phrase)
