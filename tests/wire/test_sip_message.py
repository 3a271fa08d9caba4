"""SIP messages: what parse makes of bytes."""

from __future__ import annotations

import pytest

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.wire.sip_message import Malformed, Request, Response, Via, parse
from rapida_tw.wire.sip_uri import Address, SipUri
from tests.wire.sip_samples import ANSWERED, INVITE


def request(data: bytes = INVITE) -> Request:
    message = parse(data)
    assert isinstance(message, Request)
    return message


def without(name: bytes, data: bytes = INVITE) -> bytes:
    lines = data.split(b"\r\n")
    return b"\r\n".join(line for line in lines if not line.startswith(name + b":"))


def refused(data: bytes) -> Malformed:
    with pytest.raises(Malformed) as caught:
        parse(data)
    return caught.value


def test_request() -> None:
    """The start line, the typed views and the body of an INVITE."""
    invite = request()
    assert (invite.method, invite.uri) == ("INVITE", "sip:15551234567@203.0.113.10:5090")
    assert invite.via == Via("UDP", "10.0.0.5", 5060, {"rport": "", "branch": "z9hG4bKPj95ed"})
    assert invite.via.branch == "z9hG4bKPj95ed"
    assert invite.from_ == Address(SipUri("10.0.0.5", user="+15550001111"), "Bob", {"tag": "147a"})
    assert invite.to == Address(SipUri("203.0.113.10", user="15551234567"))
    assert invite.contact == Address(SipUri("10.0.0.5", 5060, "asterisk"))
    assert invite.call_id == "9bf1@10.0.0.5"
    assert invite.cseq == (28856, "INVITE")
    assert invite.content_type == "application/sdp"
    assert invite.sdp == invite.body == b"v=0\n"


def test_response() -> None:
    """A status, a phrase, and the same views."""
    message = parse(ANSWERED)
    assert isinstance(message, Response)
    assert (message.status, message.phrase) == (200, "OK")
    assert message.cseq == (28856, "INVITE")


def test_lists() -> None:
    """Repeated and joined by commas is the same; option tags have no case."""
    headers = request().headers
    assert headers.values("Via")[1:] == ["SIP/2.0/TCP 10.0.0.6", "SIP/2.0/UDP 10.0.0.7"]
    assert headers.all("Via")[1] == "SIP/2.0/TCP 10.0.0.6, SIP/2.0/UDP 10.0.0.7"
    assert headers.tokens("supported") == {"100rel", "timer", "replaces"}
    assert headers.top("Record-Route") == "<sip:10.0.0.6;lr>"
    assert headers.top("Supported") == "100rel"
    assert headers.top("Route") == ""


@pytest.mark.parametrize(
    "data",
    [
        INVITE.replace(b"\r\n", b"\n"),
        b"\r\n\r\n" + INVITE,
        INVITE.replace(b"SIP/2.0\r\n", b"sip/2.0\r\n", 1),
        INVITE.replace(b"Max-Forwards: 70\r\n", b""),
        INVITE.replace(b": ", b" \t:\t "),
        INVITE.replace(b": ", b":\r\n\t "),
        INVITE.replace(b"From:", b"f:").replace(b"Call-ID:", b"I :").replace(b"To:", b"T:"),
        INVITE.replace(b"Content-Length: 4\r\n", b""),
        INVITE + b"what follows the body",
        INVITE.replace(b"Content-Length: 4", b"Content-Length: 004\r\nl: 004"),
    ],
)
def test_liberal(data: bytes) -> None:
    """Forms that phones use, and what UDP may bring behind a message."""
    invite = request(data)
    assert (invite.cseq, invite.call_id) == ((28856, "INVITE"), "9bf1@10.0.0.5")
    assert invite.to == request().to
    assert invite.from_ == request().from_
    assert invite.body == b"v=0\n"


def test_no_utf8() -> None:
    """Bytes that are no text go back as they came."""
    invite = request(INVITE.replace(b'"Bob"', b'"B\xff\xc3\xa4"'))
    assert invite.from_.display == "B\udcffä"
    assert b'"B\xff\xc3\xa4"' in invite.answer(200).encode()


def test_contact_of_all() -> None:
    """A star is no address, and neither is nothing."""
    register = INVITE.replace(b"INVITE", b"REGISTER")
    assert request(register.replace(b"<sip:asterisk@10.0.0.5:5060>", b"*")).contact is None
    assert request(without(b"Contact", register)).contact is None


def test_contact_of_a_response() -> None:
    """What a response's Contact has wrong does not lose the response."""
    assert parse(ANSWERED.replace(b"<sip:asterisk", b"<sip asterisk")).contact is None
    assert parse(without(b"Contact", ANSWERED)).contact is None


@pytest.mark.parametrize("version", [b"SIP/1.0", b"SIP/2.1", b"sip/3.0"])
def test_version(version: bytes) -> None:
    """505, with a request to answer."""
    fault = refused(INVITE.replace(b"SIP/2.0\r\n", version + b"\r\n", 1))
    assert fault.status == 505
    assert fault.request is not None


FAULTS = {
    "No From": without(b"From"),
    "No To": without(b"To"),
    "No CSeq": without(b"CSeq"),
    "INVITE without Contact": without(b"Contact"),
    "More than one From": INVITE.replace(b"To:", b"f: <sip:x@h>;tag=2\r\nTo:"),
    "More than one To": INVITE.replace(b"To:", b"t: <sip:x@h>\r\nTo:"),
    "More than one Call-ID": INVITE.replace(b"CSeq:", b"i: 2\r\nCSeq:"),
    "More than one CSeq": INVITE.replace(b"To:", b"cseq: 2 INVITE\r\nTo:"),
    "More than one Max-Forwards": INVITE.replace(b"To:", b"Max-Forwards: 7\r\nTo:"),
    "More than one Content-Type": INVITE.replace(b"To:", b"c: text/plain\r\nTo:"),
    "More than one Content-Length": INVITE.replace(b"To:", b"l: 3\r\nTo:"),
    "CSeq: the method is not the request's": INVITE.replace(b"28856 INVITE", b"28856 BYE"),
    "CSeq: no number below 2**31": INVITE.replace(b"28856 INVITE", b"2147483648 INVITE"),
    "CSeq: no method": INVITE.replace(b"28856 INVITE", b"28856"),
    "From: a quote is not closed": INVITE.replace(b'"Bob"', b'"Bob'),
    "From: a < is not closed": INVITE.replace(b"10.0.0.5>", b"10.0.0.5", 1),
    "Contact: a URI without scheme": INVITE.replace(b"<sip:asterisk@", b"<asterisk@"),
    "Record-Route: a < is not closed": INVITE.replace(b"10.0.0.7;lr>", b"10.0.0.7;lr"),
    "Request-URI: it does not stand in <>": INVITE.replace(
        b"sip:15551234567@203.0.113.10:5090 ", b"<sip:15551234567@203.0.113.10> "
    ),
    "Request-URI: blanks in or around it": INVITE.replace(b"INVITE sip", b"INVITE  sip"),
    "Request-URI: no host, or no port from 0 to 65535 behind it": INVITE.replace(
        b"203.0.113.10:5090", b"203.0.113.10:"
    ),
    "A header line without name or colon": INVITE.replace(b"To:", b"what is this\r\nTo:"),
    "A carriage return within a line": INVITE.replace(b"Timestamp: 54", b"Timestamp: 5\r4"),
    "No empty line behind the header": INVITE.replace(b"\r\n\r\nv=0\n", b"\r\n"),
    "Too many header fields": INVITE.replace(b"To:", b"X: 1\r\n" * 250 + b"To:").replace(
        b"Max-Forwards: 70\r\n", b""
    ),
    "A header beyond all measure": INVITE.replace(b"54", b"5" * 9_000),
    "Too many Via": INVITE.replace(b"To:", b"v: " + b"SIP/2.0/UDP h," * 64 + b"\r\nTo:"),
    "Content-Length is no number": INVITE.replace(b"Length: 4", b"Length: -4"),
    "Content-Length is more than there is": INVITE.replace(b"Length: 4", b"Length: 5"),
}


@pytest.mark.parametrize("text", FAULTS)
def test_faults(text: str) -> None:
    """400 to the request, with a phrase that says what is wrong."""
    fault = refused(FAULTS[text])
    assert (str(fault), fault.status) == (text, 400)
    assert fault.request is not None
    answer = fault.request.answer(fault.status, str(fault), to_tag="x")
    again = answer.encode()
    assert again.startswith(f"SIP/2.0 400 {text}\r\nVia: SIP/2.0/UDP 10.0.0.5:5060".encode())
    assert b"\r\nCall-ID: 9bf1@10.0.0.5\r\n" in again


@pytest.mark.parametrize("text", FAULTS)
def test_ack_is_never_answered(text: str) -> None:
    """Whatever is wrong with an ACK, it is dropped."""
    data = FAULTS[text].replace(b"INVITE", b"ACK")
    if text != "INVITE without Contact":
        assert refused(data).request is None


@pytest.mark.parametrize("number", ["-1", "+5", "1_0", "0x5", "٣", "²", "4 4", "4;x", "", "9" * 11])
@pytest.mark.parametrize("name", ["Content-Length: 4", "CSeq: 28856"])
def test_numbers(name: str, number: str) -> None:
    """Only ASCII digits are a number, and not too many of them."""
    field = name.partition(" ")[0]
    data = INVITE.replace(name.encode(), f"{field} {number}".encode())
    assert refused(data).status == 400


def test_big_body() -> None:
    """More than 64 kB gets 413."""
    fault = refused(INVITE.replace(b"Content-Length: 4\r\n", b"") + bytes(65_536))
    assert fault.status == 413


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        b"\x00\x01\x00\x08!\x12\xa4B",  # STUN
        b"\x80\x00" + bytes(170),  # RTP
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"INVITE\r\n\r\n",
        INVITE.replace(b" SIP/2.0\r\n", b"\r\n", 1),
        INVITE.replace(b" SIP/2.0\r\n", b" SIP/2\r\n", 1),
        INVITE.replace(b"INVITE ", b"INV,ITE ", 1),
        without(b"Via"),
        INVITE.replace(b"SIP/2.0/UDP 10.0.0.5:5060", b"nonsense"),
        INVITE.replace(b"10.0.0.5:5060;rport", b"10.0.0.5:x;rport"),
        without(b"Call-ID"),
        INVITE.replace(b"9bf1@10.0.0.5", b""),
        INVITE.replace(b"9bf1@10.0.0.5", b"a b"),
        b"x" * 200_000,
        ANSWERED.replace(b"200 OK", b"99 OK"),
        ANSWERED.replace(b"200 OK", b"700 OK"),
        ANSWERED.replace(b"200 OK", b"2000 OK"),
        ANSWERED.replace(b"SIP/2.0 200", b"SIP/3.0 200"),
        ANSWERED.replace(b"28856 INVITE", b"x INVITE"),
        without(b"From", ANSWERED),
    ],
)
def test_dropped(data: bytes) -> None:
    """Nobody is answered who cannot be, and no response is."""
    assert refused(data).request is None


def test_via_of_another_version() -> None:
    """The start line's version counts, so that 505 finds its way back."""
    assert Via.parse("SIP/7.0/UDP h;branch=1") == Via("UDP", "h", None, {"branch": "1"})


@pytest.mark.parametrize(
    ("text", "via"),
    [
        ("SIP / 2.0 / tls  Host : 5061 ; Branch = x", Via("TLS", "host", 5061, {"branch": "x"})),
        ("SIP/2.0/UDP [2001:DB8::1]:5060", Via("UDP", "2001:db8::1", 5060)),
        ("SIP/2.0/UDP [::1];received=::2", Via("UDP", "::1", None, {"received": "::2"})),
        ('SIP/2.0/WSS a.invalid;x="a;b"', Via("WSS", "a.invalid", None, {"x": "a;b"})),
    ],
)
def test_via(text: str, via: Via) -> None:
    """Blanks where they are allowed, brackets around IPv6; what was written reads the same."""
    assert Via.parse(text) == via
    assert Via.parse(str(via)) == via


@pytest.mark.parametrize(
    "text", ["", "SIP/2.0/UDP", "SIP/2.0 h", "HTTP/2.0/UDP h", "SIP/2.0/UDP a b", "SIP/2.0/UDP :5"]
)
def test_via_refused(text: str) -> None:
    """No protocol, no transport, no host."""
    with pytest.raises(RemoteProtocolError):
        Via.parse(text)
