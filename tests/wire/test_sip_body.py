"""Bodies of SIP messages: the session description among others."""

from __future__ import annotations

import pytest

from rapida_tw.wire.sip_message import Headers, Request

SDP = b"v=0\r\no=- 1 1 IN IP4 h\r\n"
PARTS = (
    b"preamble\r\n--b\r\nContent-Type: application/pidf+xml\r\n\r\n<--x/>\r\n"
    b"--b \r\nContent-ID: <1>\r\nCONTENT-TYPE : Application/SDP ; x=y\r\n\r\n"
    + SDP
    + b"\r\n--b--\r\n"
    b"--b\r\nContent-Type: application/sdp\r\n\r\nepilogue"
)


@pytest.mark.parametrize(
    ("content_type", "body", "sdp"),
    [
        ("application/sdp", SDP, SDP),
        ("APPLICATION / SDP", SDP, SDP),
        ("text/plain", SDP, b""),
        ("", SDP, b""),
        ("application/sdp", b"", b""),
        ("multipart/mixed;boundary=b", PARTS, SDP),
        ('multipart/mixed; BOUNDARY="b"', PARTS, SDP),
        (
            "multipart/related;boundary=b",
            PARTS.replace(b"\r\n", b"\n"),
            SDP.replace(b"\r\n", b"\n"),
        ),
        ("multipart/mixed;boundary=b", b"--b\r\nc: application/sdp\r\n\r\nv=0", b"v=0"),
        ("multipart/mixed;boundary=b", b"--b\r\n\r\nv=0\r\n--b--", b""),
        ("multipart/mixed;boundary=b", b"--b", b""),
        ("multipart/mixed;boundary=b", PARTS.replace(b"Application/SDP", b"text/plain"), b""),
        ("multipart/mixed;boundary=c", PARTS, b""),
        ("multipart/mixed", PARTS, b""),
        ('multipart/mixed;boundary="', PARTS, b""),
        ("multipart/mixed;boundary=" + "b" * 71, PARTS, b""),
    ],
)
def test_sdp(content_type: str, body: bytes, sdp: bytes) -> None:
    """The description, alone or as one of several parts."""
    message = Request("INVITE", "sip:h", Headers([("Content-Type", content_type)]), body)
    assert message.sdp == sdp
