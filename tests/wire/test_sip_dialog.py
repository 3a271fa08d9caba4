"""Dialogs: what their requests look like, and which of theirs are refused (RFC 3261 12)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.wire.sip_dialog import Dialog, contact_uri
from rapida_tw.wire.sip_message import Request, Response, parse

INVITE = """\
INVITE sip:15551234567:secret@203.0.113.10:5090 SIP/2.0
Via: SIP/2.0/UDP 10.0.0.5:5060;rport;branch=z9hG4bKPj95ed
From: "Bob" <sip:+15550001111@10.0.0.5>;tag=147a;other=1
To: <sip:15551234567:secret@203.0.113.10>
Contact: <sip:asterisk@10.0.0.5:5060;ob>
Call-ID: 9bf1@10.0.0.5
CSeq: 28856 INVITE
"""
LOOSE = ("<sip:p1.example.com;lr>", "<sip:p2.example.com:5070;lr>;x=1")
STRICT = ("<sip:p1.example.com>", "<sip:p2.example.com;lr>")


def message(text: str, *more: str) -> Request | Response:
    lines = [*text.strip().splitlines(), *more, "", ""]
    return parse("\r\n".join(lines).encode())


def invite(*more: str) -> Request:
    request = message(INVITE, *more)
    assert isinstance(request, Request)
    return request


def routes(*values: str) -> list[str]:
    return [f"Record-Route: {value}" for value in values]


def answered(invite: Request, status: int, tag: str = "them", *more: tuple[str, str]) -> Response:
    response = invite.answer(status, to_tag=tag)
    response.headers.remove("Record-Route")
    for name, value in more:
        response.headers.add(name, value)
    return response


def ours() -> Request:
    """An INVITE of ours, as outbound writes it."""
    request = Request("INVITE", "sip:+4930@trunk.example.com")
    fields = "From: <sip:us@203.0.113.10>;tag=us|To: <sip:+4930@trunk.example.com>|Call-ID: c1"
    for name, value in (line.split(": ") for line in f"{fields}|CSeq: 7 INVITE".split("|")):
        request.headers.add(name, value)
    return request


def test_answering() -> None:
    """As UAS: their From is remote, our tag is in local, the numbers are apart (12.1.1)."""
    dialog = Dialog.answering(invite(), "us")
    assert dialog.id == ("9bf1@10.0.0.5", "us", "147a")
    assert dialog.target == "sip:asterisk@10.0.0.5:5060;ob"
    bye = dialog.request("BYE")
    assert bye.encode().decode().splitlines() == [
        "BYE sip:asterisk@10.0.0.5:5060;ob SIP/2.0",
        "Max-Forwards: 70",
        "From: <sip:15551234567@203.0.113.10>;tag=us",
        'To: "Bob" <sip:+15550001111@10.0.0.5>;tag=147a',
        "Call-ID: 9bf1@10.0.0.5",
        "CSeq: 1 BYE",
        "Content-Length: 0",
        "",
    ]


def test_no_password() -> None:
    """The key in the dialled URI stands in no request of ours."""
    dialog = Dialog.answering(invite(), "us")
    requests = [dialog.request("BYE"), dialog.request("INVITE", "<sip:us@h>"), dialog.ack(ours())]
    assert not any(b"secret" in request.encode() for request in requests)
    assert dialog.local.uri.password is None


def test_without_contact() -> None:
    """Nowhere to send a BYE to: refused."""
    request = invite()
    request.headers.remove("Contact")
    with pytest.raises(RemoteProtocolError):
        Dialog.answering(request, "us")


def test_old_peer() -> None:
    """From without a tag is a peer of RFC 2543, and To of our requests has none either."""
    request = invite()
    request.headers.set("From", "<sip:old@10.0.0.5>")
    dialog = Dialog.answering(request, "us")
    assert dialog.id == ("9bf1@10.0.0.5", "us", "")
    assert dialog.request("BYE").headers.get("To") == "<sip:old@10.0.0.5>"


def test_routes_as_called() -> None:
    """Record-Route in its order; loose routers leave the target in the Request-URI."""
    dialog = Dialog.answering(invite(*routes(", ".join(LOOSE))), "us")
    bye = dialog.request("BYE")
    assert bye.uri == dialog.target
    assert bye.headers.values("Route") == list(LOOSE)
    assert dialog.hop() == "sip:p1.example.com;lr"


def test_routes_as_caller() -> None:
    """Record-Route in reverse (12.1.2)."""
    record = ("Record-Route", ", ".join(LOOSE))
    dialog = Dialog.asked(ours(), answered(ours(), 200, "them", record))
    assert dialog.request("BYE").headers.values("Route") == list(LOOSE[::-1])
    assert dialog.hop() == "sip:p2.example.com:5070;lr"


def test_strict_router() -> None:
    """A strict first router is the Request-URI, and the target is the last Route (12.2.1.1)."""
    dialog = Dialog.answering(invite(*routes(*STRICT)), "us")
    bye = dialog.request("BYE")
    assert bye.uri == dialog.hop() == "sip:p1.example.com"
    assert bye.headers.values("Route") == [STRICT[1], "<sip:asterisk@10.0.0.5:5060;ob>"]


@pytest.mark.parametrize("value", ["sip:p1 x", "tel:+1", ", ".join(["<sip:p;lr>"] * 65)])
def test_bad_routes(value: str) -> None:
    """What no request could follow makes no dialog."""
    request = invite()
    request.headers.add("Record-Route", value)
    with pytest.raises(RemoteProtocolError):
        Dialog.answering(request, "us")


def test_forks() -> None:
    """Each To tag of the responses to one INVITE is a dialog (12.1.2)."""
    first, second = (Dialog.asked(ours(), answered(ours(), 183, tag)) for tag in ("a", "b"))
    assert (first.id, second.id) == (("c1", "us", "a"), ("c1", "us", "b"))
    assert not first.confirmed
    assert first.target == "sip:+4930@trunk.example.com"
    assert first.request("PRACK").cseq == second.request("PRACK").cseq == (8, "PRACK")


def test_confirm() -> None:
    """The 2xx brings the target and the route set; later ones the target alone (13.2.2.4)."""
    dialog = Dialog.asked(ours(), answered(ours(), 180, "a", ("Record-Route", LOOSE[0])))
    first = answered(ours(), 200, "a", ("Record-Route", LOOSE[1]), ("Contact", "<sip:one@h>"))
    dialog.confirm(first)
    assert dialog.confirmed
    assert (dialog.target, dialog.route_set) == ("sip:one@h", [LOOSE[1]])
    dialog.confirm(answered(ours(), 200, "a", ("Contact", "<sip:two@h>")))
    assert (dialog.target, dialog.route_set) == ("sip:two@h", [LOOSE[1]])


def test_confirm_as_called() -> None:
    """A 2xx to a re-INVITE of ours leaves the route set alone, whoever called."""
    dialog = Dialog.answering(invite(*routes(*LOOSE)), "us")
    dialog.confirm(answered(ours(), 200, "a", ("Contact", "<sip:two@h>")))
    assert (dialog.target, dialog.route_set) == ("sip:two@h", list(LOOSE))


def test_ack() -> None:
    """The ACK of a 2xx has its INVITE's number and credentials, whatever came after."""
    request = ours()
    request.headers.add("Proxy-Authorization", 'Digest username="u"')
    dialog = Dialog.asked(request, answered(request, 200))
    dialog.request("INFO")
    ack = dialog.ack(request)
    assert (ack.method, ack.cseq) == ("ACK", (7, "ACK"))
    assert ack.headers.get("Proxy-Authorization") == 'Digest username="u"'
    assert dialog.request("BYE").cseq == (9, "BYE")


def theirs(number: int, method: str = "INFO", contact: str = "") -> Request:
    request = Request(method, "sip:us")
    request.headers.add("CSeq", f"{number} {method}")
    if contact:
        request.headers.add("Contact", contact)
    return request


def test_order() -> None:
    """Gaps are normal, an older number is 500, ACK and CANCEL do not count (12.2.2)."""
    dialog = Dialog.answering(invite(), "us")
    numbers = [28857, 28900, 28899, 28900, 28901]
    assert [dialog.received(theirs(number)) for number in numbers] == [0, 0, 500, 0, 0]
    assert dialog.received(theirs(1, "ACK")) == dialog.received(theirs(1, "CANCEL")) == 0
    assert dialog.remote_cseq == 28901


def test_first_of_the_called() -> None:
    """Whom we have called begins with any number."""
    dialog = Dialog.asked(ours(), answered(ours(), 200))
    assert dialog.received(theirs(0)) == 0
    assert dialog.remote_cseq == 0


def test_target_refresh() -> None:
    """INVITE and UPDATE with a Contact move the target, others and older ones do not."""
    dialog = Dialog.answering(invite(), "us")
    seen = []
    for request in (
        theirs(28857, "INFO", "<sip:info@h>"),
        theirs(28858, "INVITE", '"<" <sip:re@h:5070>'),
        theirs(28858, "UPDATE"),
        theirs(28859, "UPDATE", "<sip:up@h>"),
        theirs(28800, "INVITE", "<sip:late@h>"),
    ):
        dialog.received(request)
        seen.append(dialog.target)
    old = "sip:asterisk@10.0.0.5:5060;ob"
    assert seen == [old, "sip:re@h:5070", "sip:re@h:5070", "sip:up@h", "sip:up@h"]


@pytest.mark.parametrize(
    ("contact", "uri"),
    [
        ("<sip:a@H:5060;OB;x=%41>;expires=3", "sip:a@H:5060;OB;x=%41"),
        ("sip:a@h;expires=3", "sip:a@h"),
        ('"a \\" <sip:no@no>" <sip:a@h>;q="<sip:z@z>"', "sip:a@h"),
        ("Bob <sips:a@[2001:db8::1]>, <sip:b@h>", "sips:a@[2001:db8::1]"),
        ("<sip:a:pw@h?Subject=x>", "sip:a@h"),
        ("<sip:a@h;method=BYE;lr>", "sip:a@h;lr"),
        ("*", ""),
    ],
)
def test_contact_uri(contact: str, uri: str) -> None:
    """Byte for byte, but for what may not stand in a Request-URI."""
    assert contact_uri(theirs(1, "INVITE", contact)) == uri


def test_secure() -> None:
    """Called as sips: sips it stays."""
    request = invite()
    assert not Dialog.answering(request, "us").secure
    request.uri = "SIPS:a@h"
    assert Dialog.answering(request, "us").secure


HEADERS = ("From", "To", "Contact", "Record-Route", "CSeq")


@given(
    st.dictionaries(st.sampled_from(HEADERS), st.text('<>"\\;,=@:sip[]%lr0a \u1234*', max_size=30))
)
def test_whatever_comes(fields: dict[str, str]) -> None:
    """What `parse` lets through makes a dialog whose requests can be sent, or an error."""
    text = INVITE
    for name, value in fields.items():
        lines = [line for line in text.splitlines() if not line.startswith(f"{name}:")]
        text = "\n".join([*lines, f"{name}: {value}"])
    try:
        request = message(text)
        assert isinstance(request, Request)
        dialog = Dialog.answering(request, "us")
    except RemoteProtocolError:
        return
    parse(_complete(dialog.request("BYE")))
    assert dialog.hop()


def _complete(request: Request) -> bytes:
    request.headers.first("Via", "SIP/2.0/UDP h;branch=z9hG4bK1")
    return request.encode()
