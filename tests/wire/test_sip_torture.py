"""The torture messages of RFC 4475: what is understood, what is refused, what is dropped.

tests/data/sip holds each message under the RFC's name, byte for byte; only the attachment of
mpart01 is another one. Where we differ from what the RFC would like, the line says why.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.wire.sip_digest import Credentials
from rapida_tw.wire.sip_message import Malformed, Message, Request, Response, parse
from rapida_tw.wire.sip_stream import SipStream
from rapida_tw.wire.sip_uri import Address, SipUri

DATA = Path(__file__).parent.parent / "data" / "sip"

UNDERSTOOD = {
    "wsinv": 150,  # bytes of body
    "intmeth": 0,
    "esc01": 150,
    "esc02": 0,
    "lwsdisp": 0,
    "longreq": 150,
    "dblreq": 0,
    "semiuri": 0,
    "transports": 0,
    "mpart01": 728,
    "unreason": 154,
    "noreason": 0,
    "badinv01": 152,  # separators with nothing between them mean nothing; the RFC prefers 400
    "escruri": 150,  # header fields in a Request-URI are not looked at; the RFC prefers 400
    "baddate": 150,  # nobody needs the Date
    "badaspec": 0,  # blanks within <> are a habit of phones; the RFC prefers 400
    "badbranch": 0,
    "unkscm": 0,
    "novelsc": 0,
    "unksm2": 0,
    "bext01": 0,
    "invut": 40,
    "regaut01": 0,
    "bcast": 154,
    "zeromf": 0,
    "cparam01": 0,
    "cparam02": 0,
    "regescrt": 0,
    "sdp01": 150,
}
REFUSED = {
    "escnull": (400, "From: a control character within user or password"),  # on purpose
    "clerr": (400, "Content-Length is more than there is"),
    "ncl": (400, "Content-Length is no number"),
    "scalar02": (400, "CSeq: no number below 2**31"),
    "quotbal": (400, "To: a quote is not closed"),
    "ltgtruri": (400, "Request-URI: it does not stand in <>"),
    "lwsruri": (400, "Request-URI: blanks in or around it"),
    "lwsstart": (400, "Request-URI: blanks in or around it"),
    "trws": (400, "Request-URI: blanks in or around it"),
    "regbadct": (400, "Contact: a URI with ? or comma must stand in <>"),
    "baddn": (400, "From: a quote or comma within a display name without quotes"),
    "badvers": (505, "Only SIP/2.0 is spoken here"),
    "mismatch01": (400, "CSeq: the method is not the request's"),
    "mismatch02": (400, "CSeq: the method is not the request's"),
    "multi01": (400, "More than one From"),
    "mcl01": (400, "More than one Content-Length"),
    "inv2543": (400, "INVITE without Contact"),  # a peer of RFC 2543 that cannot be sent a BYE
}
DROPPED = (
    "scalarlg",  # a response
    "bigcode",  # a response
    "insuf",  # no Call-ID: an answer would find nobody
)


def read(name: str) -> bytes:
    return (DATA / f"{name}.sip").read_bytes()


def understood(name: str) -> Message:
    return parse(read(name))


def asked(name: str) -> Request:
    message = understood(name)
    assert isinstance(message, Request)
    return message


def test_complete() -> None:
    """All 49 messages are there, and each is told what must happen to it."""
    names = {*UNDERSTOOD, *REFUSED, *DROPPED}
    assert {path.stem for path in DATA.glob("*.sip")} == names
    assert len(names) == 49


@pytest.mark.parametrize("name", UNDERSTOOD)
def test_understood(name: str) -> None:
    """Its body has the right length, and what we write of it reads the same."""
    message = understood(name)
    assert len(message.body) == UNDERSTOOD[name]
    again = parse(message.encode())
    assert list(again.headers) == list(parse(again.encode()).headers)
    assert (again.from_, again.to, again.contact, again.via, again.cseq, again.body) == (
        message.from_,
        message.to,
        message.contact,
        message.via,
        message.cseq,
        message.body,
    )


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    """With a request to answer, and a phrase that says why."""
    with pytest.raises(Malformed) as caught:
        understood(name)
    assert (caught.value.status, str(caught.value)) == REFUSED[name]
    request = caught.value.request
    assert request is not None
    answer = request.answer(caught.value.status, str(caught.value)).encode()
    assert f"\r\nCall-ID: {request.call_id}\r\n".encode() in answer


@pytest.mark.parametrize("name", DROPPED)
def test_dropped(name: str) -> None:
    """Without an answer."""
    with pytest.raises(Malformed) as caught:
        understood(name)
    assert caught.value.request is None


@pytest.mark.parametrize("name", [name for name in UNDERSTOOD if name != "dblreq"])
def test_streamed(name: str) -> None:
    """Over TCP the same message is cut out, wherever it was cut before."""
    data = read(name)
    stream = SipStream()
    found = [one for byte in data for one in stream.feed(bytes((byte,)))]
    assert found == [data]


# -- facts -------------------------------------------------------------------------------------


def test_wsinv() -> None:
    """3.1.1.1: folds, blanks, cases and compact forms all over."""
    message = asked("wsinv")
    assert message.cseq == (9, "INVITE")
    assert message.from_ == Address(
        SipUri("example.com", user="jdrosen"), 'J Rosenberg \\"', {"tag": "98asjd8"}
    )
    assert message.to.tag == "1918181833n"
    contact = message.contact
    assert contact is not None
    assert contact.display == 'Quoted string ""'
    assert contact.parameters == {"newparam": "newvalue", "secondparam": "", "q": "0.33"}
    assert (message.via.host, message.via.branch) == ("192.0.2.2", "390skdjuw")
    assert len(message.headers.values("Via")) == 3
    assert message.headers.get("Subject") == ""
    assert "Subject" in message.headers
    assert message.headers.get("NewFangledHeader") == "newfangled value continued newfangled value"
    assert message.headers.get("UnknownHeaderWithUnusualValue") == ";;,,;;,;"
    assert SipUri.parse(message.uri).parameters == {"unknownparam": ""}


def test_intmeth() -> None:
    """3.1.1.2: every character that a method, a URI, a tag and a name may have."""
    message = asked("intmeth")
    assert message.method == "!interesting-Method0123456789_*+`.%indeed'~" == message.cseq[1]
    uri = SipUri.parse(message.uri)
    assert uri.user == "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
    assert uri.password == "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"
    assert message.to.display == "BEL:\x07 NUL:\x00 DEL:\x7f"
    assert message.from_.display == "token1~` token2'+_ token3*%!.-"
    assert message.from_.tag == "_token~1'+`*%!-."
    assert message.from_.parameters["fromparam''~+*_!.-%"] == "работающий"
    assert message.headers.get("extensionHeader-!.%*+_`'~") == "\ufeff大停電"
    assert message.call_id == "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"


def test_esc01() -> None:
    """3.1.1.3: escapes are decoded once, and after the parts were told apart."""
    message = asked("esc01")
    assert SipUri.parse(message.uri).user == "sips:user@example.com"
    assert message.to.uri.user == "user"
    assert message.from_.uri.user == "I have spaces"
    assert message.contact is not None
    assert message.contact.uri.parameters == {"lr": "", "name": "value%41"}


def test_esc02() -> None:
    """3.1.1.5: no escapes in methods, names of headers, display names and branches."""
    message = asked("esc02")
    assert message.method == "RE%47IST%45R"
    assert message.to.display == "%Z%45"
    assert message.via.branch == "z9hG4bK209%fzsnel234"
    assert len(message.headers.all("Contact")) == 2


def test_longreq() -> None:
    """3.1.1.7: long values, and 34 Vias in every spelling."""
    message = asked("longreq")
    assert len(message.headers.values("Via")) == 34
    assert message.via.host == "sip33.example.com"
    assert message.to.uri.port == 6000
    assert len(message.from_.tag) == 155


def test_dblreq() -> None:
    """3.1.1.8: a datagram ends where Content-Length says; a stream goes on there."""
    data = read("dblreq")
    first = asked("dblreq").encode()
    register, invite = SipStream().feed(data)
    assert parse(register).encode() == first
    assert data[data.index(b"INVITE") :].startswith(invite)
    assert len(invite) - invite.index(b"v=0") == 150


def test_semiuri() -> None:
    """3.1.1.9: semicolons belong to the user before the @."""
    message = asked("semiuri")
    assert SipUri.parse(message.uri) == SipUri("example.com", user="user;par=u@example.net")
    assert len(message.headers.values("Accept")) == 6


def test_transports() -> None:
    """3.1.1.10: a transport is any token."""
    vias = asked("transports").headers.values("Via")
    assert [via.split()[0].rpartition("/")[2] for via in vias] == [
        "UDP", "SCTP", "TLS", "UNKNOWN", "TCP",
    ]  # fmt: skip


def test_phrases() -> None:
    """3.1.1.12 and 13: a phrase is any text, or none."""
    unusual, empty = understood("unreason"), understood("noreason")
    assert isinstance(unusual, Response)
    assert isinstance(empty, Response)
    assert unusual.phrase == "= 2**3 * 5**2 но сто девяносто девять - простое"
    assert (empty.status, empty.phrase) == (100, "")


def test_badbranch() -> None:
    """3.2.1: the cookie alone identifies nothing; whoever matches transactions sees it as it is."""
    assert asked("badbranch").via.branch == "z9hG4bK"


def test_schemes() -> None:
    """3.3.2 to 3.3.4: an unknown scheme is no fault of the message."""
    assert SipUri.parse(asked("unkscm").uri).scheme == "nobodyknowsthisscheme"
    assert SipUri.parse(asked("novelsc").uri).scheme == "soap.beep"
    message = asked("unksm2")
    assert message.contact is not None
    schemes = [one.uri.scheme for one in (message.to, message.from_, message.contact)]
    assert schemes == ["isbn", "http", "name"]
    assert message.from_.tag == "3234233"


def test_bext01() -> None:
    """3.3.5: option tags have no case."""
    assert asked("bext01").headers.tokens("Require") == {
        "nothingsupportsthis",
        "nothingsupportsthiseither",
    }


def test_invut() -> None:
    """3.3.6: a body of another kind is no description."""
    message = asked("invut")
    assert (message.content_type, message.sdp) == ("application/unknownformat", b"")


def test_regaut01() -> None:
    """3.3.7: another scheme of authentication counts as none."""
    with pytest.raises(RemoteProtocolError):
        Credentials.parse(asked("regaut01").headers.get("Authorization"))


def test_cparam() -> None:
    """3.3.12 and 13: without <> the parameter is the header's, within it is the URI's."""
    outside, inside = asked("cparam01").contact, asked("cparam02").contact
    assert outside is not None
    assert inside is not None
    assert (outside.parameters, outside.uri.parameters) == ({"unknownparam": ""}, {})
    assert (inside.parameters, inside.uri.parameters) == ({}, {"unknownparam": ""})


def test_regescrt() -> None:
    """3.3.14: header fields of a URI in <> are the URI's."""
    contact = asked("regescrt").contact
    assert contact is not None
    assert contact.uri.headers == (("Route", "<sip:sip.example.com>"),)
