"""SIP messages that we make: answers, header fields, and what must not leave."""

from __future__ import annotations

import pytest

from rapida_tw.errors import LocalProtocolError, RemoteProtocolError
from rapida_tw.wire.sip_message import Headers, Request, Response, Via, parse
from tests.wire.sip_samples import INVITE


def request(data: bytes = INVITE) -> Request:
    message = parse(data)
    assert isinstance(message, Request)
    return message


@pytest.mark.parametrize(
    ("asked", "stamped"),
    [
        ("h;branch=1", "h;branch=1;received=10.0.0.9"),
        ("10.0.0.9:7;branch=1", "10.0.0.9:7;branch=1"),
        ("10.0.0.9;rport;branch=1", "10.0.0.9;rport=4000;branch=1;received=10.0.0.9"),
        ("h;received=1.1.1.1;RPORT=1", "h;rport=4000;received=10.0.0.9"),
        ("H.Example ;  branch=aB", "H.Example;branch=aB;received=10.0.0.9"),
    ],
)
def test_stamp(asked: str, stamped: str) -> None:
    """Where the packet came from is noted, what it pretended is dropped, the rest stays."""
    invite = request(
        INVITE.replace(
            b"10.0.0.5:5060;rport;branch=z9hG4bKPj95ed", f"{asked}, SIP/2.0/UDP z".encode()
        )
    )
    invite.stamp("10.0.0.9", 4000)
    assert invite.headers.all("Via")[:2] == [f"SIP/2.0/UDP {stamped}", "SIP/2.0/UDP z"]
    assert invite.via == Via.parse(f"SIP/2.0/UDP {stamped}")


def test_answer() -> None:
    """Via, From, To, Call-ID, CSeq and Record-Route as they came; Content-Length last."""
    assert request().answer(180, to_tag="ours").encode() == (
        b"SIP/2.0 180 Ringing\r\n"
        b"Via: SIP/2.0/UDP 10.0.0.5:5060;rport;branch=z9hG4bKPj95ed\r\n"
        b"Via: SIP/2.0/TCP 10.0.0.6, SIP/2.0/UDP 10.0.0.7\r\n"
        b'From: "Bob" <sip:+15550001111@10.0.0.5>;tag=147a\r\n'
        b"To: <sip:15551234567@203.0.113.10>;tag=ours\r\n"
        b"Call-ID: 9bf1@10.0.0.5\r\n"
        b"CSeq: 28856 INVITE\r\n"
        b"Record-Route: <sip:10.0.0.6;lr>, <sip:10.0.0.7;lr>\r\n"
        b"Content-Length: 0\r\n"
        b"\r\n"
    )


def test_answer_trying() -> None:
    """100 has no tag and no route, but the Timestamp (8.2.6)."""
    answer = request().answer(100, to_tag="ours")
    assert answer.to.tag == ""
    assert "Record-Route" not in answer.headers
    assert answer.headers.get("Timestamp") == "54"


def test_answer_refusing() -> None:
    """A refusal makes no dialog: it has a tag and no route."""
    answer = request().answer(486, to_tag="ours")
    assert (answer.phrase, answer.to.tag) == ("Busy Here", "ours")
    assert "Record-Route" not in answer.headers


def test_answer_within_a_dialog() -> None:
    """A tag that is there stays; BYE has no route to give back."""
    bye = INVITE.replace(b"INVITE", b"BYE").replace(b"10>\r\n", b"10>;tag=theirs\r\n")
    answer = request(bye).answer(200, to_tag="ours")
    assert answer.headers.get("To") == "<sip:15551234567@203.0.113.10>;tag=theirs"
    assert "Record-Route" not in answer.headers


def test_answer_keeps_two_vias_apart() -> None:
    """Changing an answer does not change what the next answer is made of."""
    invite = request()
    invite.answer(180).headers.set("Via", "SIP/2.0/UDP other")
    assert invite.answer(200).via == invite.via


def test_encode_request() -> None:
    """Canonical names; what is put in front comes first; the length is that of the body's bytes."""
    message = Request("INFO", "sip:h", Headers([("f", "<sip:a>"), ("x-foo", "1")]), "ä".encode())
    message.headers.first("v", "SIP/2.0/UDP h")
    message.headers.add("Content-Length", "99")
    assert message.encode() == (
        b"INFO sip:h SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a>\r\nX-Foo: 1\r\n"
        b"Content-Length: 2\r\n\r\n\xc3\xa4"
    )


@pytest.mark.parametrize(
    "message",
    [
        Request("INFO", "sip:h", Headers([("Subject", "a\r\nVia: x")])),
        Request("INFO", "sip:h", Headers([("Subject", "a\nb")])),
        Request("INFO", "sip:h", Headers([("Subject", "a\rb")])),
        Request("INFO", "sip:h", Headers([("Subject", "a\ud800")])),
        Request("IN FO", "sip:h"),
        Request("", "sip:h"),
        Request("INFO", "sip:h SIP/2.0\r\nX: y"),
        Request("INFO", "sip:h x"),
        Request("INFO", "<sip:h>"),
        Request("INFO", ""),
        Response(200, "OK\r\nX: y"),
        Response(99, "OK"),
        Response(700, "OK"),
    ],
)
def test_injection(message: Request | Response) -> None:
    """What would break out of its line is not sent."""
    with pytest.raises(LocalProtocolError):
        message.encode()


@pytest.mark.parametrize("name", ["", "a b", "a:", "Via\r\nX", "ä"])
def test_names(name: str) -> None:
    """A name must be a token."""
    with pytest.raises(LocalProtocolError):
        Headers([(name, "x")])


def test_headers() -> None:
    """Any case and form of a name means the same field."""
    headers = Headers([("v", "1"), ("VIA", "2"), ("x-Session-ID", "3"), ("call-id", "4")])
    assert list(headers) == [
        ("Via", "1"), ("Via", "2"), ("X-Session-Id", "3"), ("Call-ID", "4"),
    ]  # fmt: skip
    assert (headers.get("via"), headers.get("X-SESSION-ID"), headers.get("None", "-")) == (
        "1", "3", "-",
    )  # fmt: skip
    assert "I" in headers
    assert "Route" not in headers
    assert 5 not in headers
    copy = headers.copy()
    headers.first("via", "0")
    headers.set("i", "5")
    headers.remove("x-session-id")
    headers.remove("Route")
    assert list(headers) == [("Via", "0"), ("Via", "1"), ("Via", "2"), ("Call-ID", "5")]
    assert copy.all("Via") == ["1", "2"]


@pytest.mark.parametrize(
    ("change", "tag"),
    [("set", "new"), ("add", "old"), ("first", "new")],
)
def test_views_follow(change: str, tag: str) -> None:
    """A typed view that was seen before a change is not seen after it."""
    message = Request("INFO", "sip:h", Headers([("To", "<sip:h>;tag=old")]))
    assert message.to.tag == "old"
    getattr(message.headers, change)("t", "<sip:h>;tag=new")
    assert message.to.tag == tag
    message.headers.remove("To")
    with pytest.raises(RemoteProtocolError):
        message.to  # noqa: B018


def test_secrets_are_not_shown() -> None:
    """repr is made for logs."""
    message = Request("INFO", "sip:1:rpd-a@h", Headers([("Authorization", "rpd-a")]))
    assert "rpd-a" not in repr(message) + repr(message.headers)
