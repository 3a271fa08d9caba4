"""What a strict peer takes for a message, and what it finds wrong in one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.sim.sip_login import ANY, BadChallenge, answer
from rapida_tw.sim.sip_rules import (
    Asked,
    Dialog,
    request_complaints,
    response_complaints,
    timer_complaints,
)
from rapida_tw.sim.sip_text import BadText, SipText, address, has_password, read, tag, write

VIA = "SIP/2.0/UDP 198.51.100.7:5060;rport;branch=z9hG4bK1"
ANSWERED = VIA.replace("rport", "rport=5060;received=198.51.100.7")
FIELDS = {
    "Via": VIA,
    "Max-Forwards": "70",
    "From": "<sip:bob@198.51.100.7>;tag=b",
    "To": "<sip:1@203.0.113.10>",
    "Call-ID": "c@x",
    "CSeq": "7 INVITE",
}
CONTACT = {"Contact": "<sip:203.0.113.10:5090>", "Allow": "INVITE", "Content-Type": "a/b"}


def request(line: str = "INVITE sip:1@203.0.113.10 SIP/2.0", **fields: str) -> bytes:
    return write(line, {**FIELDS, **named(fields)}.items())


def response(status: int = 200, **fields: str) -> SipText:
    own = {"Via": ANSWERED, "To": "<sip:1@203.0.113.10>;tag=s", **CONTACT, **named(fields)}
    return read(write(f"SIP/2.0 {status} So", {**FIELDS, **own}.items()))


def named(fields: dict[str, str]) -> dict[str, str]:
    names = {"from_": "From", "cseq": "CSeq", "call_id": "Call-ID"}
    return {names.get(name, name.title().replace("_", "-")): v for name, v in fields.items()}


def test_request() -> None:
    """Start line, number and branch are read, and Content-Length is written."""
    text = read(request())
    assert (text.method, text.uri, text.cseq) == ("INVITE", "sip:1@203.0.113.10", 7)
    assert (text.branch, text.one("content-length")) == ("z9hG4bK1", "0")


BROKEN = {
    "the header has no end": b"INVITE sip:1@x SIP/2.0\r\n",
    "start line": request("INVITE <sip:1@x> SIP/2.0"),
    "CSeq '7 INVITE' of OPTIONS": request("OPTIONS sip:1@x SIP/2.0"),
    "CSeq '2147483648 INVITE'": request(cseq="2147483648 INVITE"),
    "2 headers to": request().replace(b"Call-ID", b"To: <sip:2@x>\r\nCall-ID"),
    "0 headers from": request().replace(b"From", b"Form"),
    "no Via": request().replace(b"Via", b"Vai"),
    "Content-Length 0 of 3 bytes": request() + b"abc",
    "a body without Content-Type": request().replace(b"Length: 0", b"Length: 3") + b"abc",
    "header line": request().replace(b"Call-ID: ", b"Call ID: "),
    "a control character": request(call_id="a\0b"),
    "the header is not UTF-8": request().replace(b"c@x", b"\xff"),
}


@pytest.mark.parametrize("why", BROKEN)
def test_broken(why: str) -> None:
    """Each fault has its name."""
    with pytest.raises(BadText, match=why.replace("(", "[(]")):
        read(BROKEN[why])


@given(st.binary(max_size=400), st.integers(0, 200))
def test_rubbish(junk: bytes, place: int) -> None:
    """Whatever comes, it is a message or a BadText."""
    for data in (junk, request()[:place] + junk + request()[place:]):
        try:
            read(data)
        except BadText:
            continue


def test_addresses() -> None:
    """The URI, and the parameters behind it."""
    assert address('"Bo \\"b\\"" <sip:b@x;lr>;tag=7') == ("sip:b@x;lr", {"tag": "7"})
    assert tag("<sip:b@x;tag=not>;tag=yes") == "yes"
    with pytest.raises(BadText):
        address("sip:b@x")


def test_passwords() -> None:
    """A password is seen where a URI has one, and nowhere else."""
    assert has_password("<sip:1:rpd-x@h>")
    assert not has_password("<sip:1@h:5090>;x=sip:y")


ASKED = Asked(read(request()))
WRONG = {
    "200 to INVITE: from is not ours": response(from_="<sip:eve@x>;tag=b"),
    "200 to INVITE: Via is not ours": response(via=ANSWERED.replace("bK1", "bK2")),
    "200 to INVITE: rport without its value": response(via=VIA),
    "200 to INVITE: To is not ours": response(to="<sip:2@203.0.113.10>;tag=s"),
    "200 to INVITE: no To tag": response(to="<sip:1@203.0.113.10>"),
    "100 to INVITE: a To tag": response(100),
    "200 to INVITE: tells a password": response(contact="<sip:1:rpd-x@203.0.113.10>"),
    "200 to INVITE: Contact sip:0.0.0.0:5090": response(contact="<sip:0.0.0.0:5090>"),
    "401 to INVITE: no challenge": response(401),
    "200 to INVITE: Record-Route is not ours": response(record_route="<sip:p;lr>"),
}


@pytest.mark.parametrize("why", WRONG)
def test_response(why: str) -> None:
    """Each fault of a response is found, and nothing else in it."""
    assert list(response_complaints(ASKED, WRONG[why])) == [why]


def test_right_response() -> None:
    """A right one has none."""
    assert list(response_complaints(ASKED, response())) == []


@pytest.mark.parametrize(
    ("asked", "told", "complaints"),
    [
        ("", "", 0),
        ("", "1800;refresher=uas", 1),
        ("1800", "1800;refresher=uas", 0),
        ("1800", "1800", 1),
        ("1800", "3600;refresher=uas", 1),
        ("1800", "60;refresher=uas", 1),
        ("1800;refresher=uas", "1800;refresher=uac", 2),
        ("1800", "1800;refresher=uac", 1),  # no Require
    ],
)
def test_timers(asked: str, told: str, complaints: int) -> None:
    """RFC 4028 9, table 2."""
    sent = read(request(session_expires=asked) if asked else request())
    got = response(session_expires=told) if told else response()
    assert len(list(timer_complaints(sent, got))) == complaints


BYE = {
    "from_": "<sip:1@203.0.113.10>;tag=s",
    "to": "<sip:bob@198.51.100.7>;tag=b",
    "cseq": "1 BYE",
    "reason": "Q.850;cause=16",
}


@pytest.mark.parametrize(
    ("fields", "uri", "why"),
    [
        ({}, "sip:bob@198.51.100.7:5060", []),
        ({}, "sip:bob@elsewhere", ["BYE: to sip:bob@elsewhere, not to our Contact"]),
        ({"call_id": "d"}, "sip:bob@198.51.100.7:5060", ["BYE: another Call-ID"]),
        ({"cseq": "0 BYE"}, "sip:bob@198.51.100.7:5060", ["BYE: CSeq 0 after 0"]),
        ({"max_forwards": "7"}, "sip:bob@198.51.100.7:5060", ["BYE: Max-Forwards '7'"]),
        ({"to": "<sip:b@x>;tag=x"}, "sip:bob@198.51.100.7:5060", ["BYE: tags of another dialog"]),
    ],
)
def test_their_request(fields: dict[str, str], uri: str, why: list[str]) -> None:
    """Faults of a request within the dialog."""
    own, theirs = "<sip:bob@198.51.100.7>;tag=b", "<sip:1@203.0.113.10>;tag=s"
    dialog = Dialog("c@x", own, theirs, "sip:bob@198.51.100.7:5060", their_number=0)
    bye = read(request(f"BYE {uri} SIP/2.0", **{**BYE, **fields}))
    assert list(request_complaints(dialog, bye)) == why


# Computed once by hand of RFC 7616 3.4.1, for each algorithm.
CHALLENGE = 'Digest realm="rapida", nonce="{nonce}", algorithm={algorithm}, qop="auth"'
NONCE = "6750a1c0.9f3c2b7d51e80a46.5f0c8e1d2b3a49678c7d6e5f"
ANSWERS = {
    "MD5": "3652e0758f5c4a20348056927461967b",
    "SHA-256": "9c0170fcda5068b5660d3ecc38fc4b513dac7d76a78bf2ee5671bdcf6c9a749f",
}


def log_in(algorithm: str, *offered: str) -> str:
    challenges = [CHALLENGE.format(nonce=NONCE, algorithm=each) for each in offered]
    uri = "sip:15551234567@203.0.113.10:5090"
    user, password, cnonce = "123456789", "rpd-0a1b2c3d", "b7c1d2e3"
    return answer(challenges, algorithm, "INVITE", uri, user, password, cnonce)


@pytest.mark.parametrize("algorithm", ANSWERS)
def test_digest(algorithm: str) -> None:
    """The answer to a known challenge."""
    assert f'response="{ANSWERS[algorithm]}"' in log_in(algorithm, "MD5", "SHA-256")


def test_any_digest() -> None:
    """The first one that is known, and no other."""
    assert ANSWERS["SHA-256"] in log_in(ANY, "SHA-512-256", "SHA-256", "MD5")
    with pytest.raises(BadChallenge, match="no challenge for MD5"):
        log_in("MD5", "SHA-256")
