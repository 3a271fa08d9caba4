"""Calls of ours: what is sent, what is answered, and what becomes of them."""

from __future__ import annotations

import pytest

from rapida_tw.errors import BadRequest, CallError, CapacityExceeded
from rapida_tw.sip.outbound import OutboundCall
from rapida_tw.wire.sip_message import Response
from tests.sip.upstream import ANSWER, NUMBER, TRUNK, VIDEO, Upstream

PRACK = (("Require", "100rel"), ("RSeq", "1"))


# -- the INVITE ---------------------------------------------------------------------------------


def test_invite() -> None:
    """To the number on the trunk, from its caller id, with an offer and all that must be there."""
    up = Upstream()
    up.dial(caller_id="+15550001111")
    invite = up.one("INVITE")
    assert invite.uri == "sip:+15557654321@198.51.100.1"
    assert str(invite.to) == "<sip:+15557654321@198.51.100.1>"
    assert invite.from_.uri.user == "+15550001111"
    assert len(invite.from_.tag) == 16
    assert len(invite.call_id) == 32
    headers = invite.headers
    assert headers.get("P-Asserted-Identity") == "<sip:+15550001111@198.51.100.1>"
    assert headers.get("Contact") == "<sip:203.0.113.10:5090>"
    assert headers.get("Max-Forwards") == "70"
    assert headers.get("Session-Expires") == "1800"
    assert {"timer", "100rel"} <= headers.tokens("Supported")
    assert "bye" in headers.tokens("Allow")
    assert b"m=audio 10000 RTP/AVP 0 8 101" in invite.sdp
    assert len(invite.encode()) < 1_300


def test_account() -> None:
    """Without a caller id the account's name is shown, and nothing is asserted."""
    up = Upstream()
    up.dial(prefix="9", domain="acme.example", transport="tcp", headers='{"X-Account": "7"}')
    invite = up.one("INVITE")
    assert invite.uri == "sip:9+15557654321@acme.example;transport=tcp"
    assert str(invite.from_.uri) == "sip:acme@acme.example"
    assert "P-Asserted-Identity" not in invite.headers
    assert invite.headers.get("X-Account") == "7"
    assert up.ways.asked == [("198.51.100.1", 5060, "TCP", "198.51.100.1")]


@pytest.mark.parametrize(
    ("number", "user"),
    [
        ("+1 (555) 765-4321", "+15557654321"),
        ("tel:+15557654321", "+15557654321"),
        ("sip:bob@198.51.100.1", "bob"),
        ("*86", "*86"),
        ("bob.smith", "bob.smith"),
    ],
)
def test_numbers(number: str, user: str) -> None:
    """However a number is written, and names of the trunk's own."""
    up = Upstream()
    up.dial(number)
    assert up.one("INVITE").uri == f"sip:{user}@198.51.100.1"


@pytest.mark.parametrize(
    "number",
    [
        "",
        "+",
        "+1555\r\nRoute: <sip:x@evil.example>",
        "bob@evil.example",
        "sip:bob@evil.example",
        "sip:bob:pw@198.51.100.1",
        "sip:bob@198.51.100.1?Replaces=x",
        "1555;npdi",
        "1555%0d%0a",
        "<sip:1@x>",
        "1" * 100,
        "http://x",
        "\u0661\u0662\u0663",
    ],
)
def test_no_numbers(number: str) -> None:
    """What would be another host, a header or nothing at all is refused, and nothing is sent."""
    up = Upstream()
    with pytest.raises(BadRequest):
        up.dial(number)
    assert up.ways.sent == []
    up.nothing_left()


def test_full() -> None:
    """Calls that only ring count; when there are enough, or we stop, none is begun."""
    up = Upstream(most_calls=1)
    handle = up.dial()
    with pytest.raises(CapacityExceeded):
        up.agent.dial(up.trunk(), NUMBER, up.user)
    assert (up.agent.asking, len(up.agent.dialogs)) == (1, 0)
    up.reply(up.invite, 180)
    assert (up.agent.asking, len(up.agent.dialogs)) == (0, 1)
    with pytest.raises(CapacityExceeded):
        up.agent.dial(up.trunk(), NUMBER, up.user)
    handle.cancel()
    up.reply(up.invite, 487)
    up.user.told.clear()
    up.agent.dial(up.trunk(), NUMBER, up.user).cancel()
    up.agent.drain()
    with pytest.raises(CapacityExceeded):
        up.agent.dial(up.trunk(), NUMBER, up.user)
    up.nothing_left()


def test_no_ports() -> None:
    """Without RTP ports nothing is sent."""
    up = Upstream()
    up.lines.most = 0
    up.dial()
    outcome = up.user.outcome
    assert outcome is not None
    assert (outcome.status, outcome.retryable, outcome.sent) == ("failed", True, False)
    up.nothing_left()


# -- answered -----------------------------------------------------------------------------------


def test_answered() -> None:
    """100, 180, 200, ACK to their Contact; attached by their first packet; then it is a leg."""
    up = Upstream()
    up.dial()
    invite = up.one("INVITE")
    up.reply(invite, 100)
    up.reply(invite, 180)
    up.reply(invite, 180)
    assert up.user.told == ["trying", "ringing"]
    up.answer()
    ack = up.one("ACK")
    assert (ack.uri, ack.cseq) == ("sip:gw@198.51.100.1:5062", (1, "ACK"))
    assert ack.to.tag == "theirs"
    assert ack.via.branch != invite.via.branch
    assert up.user.told == ["trying", "ringing", "answered"]
    (stream,) = up.lines.streams
    assert stream.flowing is not None
    stream.flowing()
    assert up.user.told[-1] == "attach"
    assert stream.listener is not None
    up.advance(5)
    assert up.user.told.count("attach") == 1
    assert up.asks("BYE", of=invite).status == 200
    assert up.user.listener.ends == ["remote_hangup"]
    assert stream.closed
    up.nothing_left()


def test_muted() -> None:
    """Without sound of theirs it is attached a second later."""
    up = Upstream()
    up.dial()
    up.answer()
    up.advance(0.75)
    assert "attach" not in up.user.told
    up.advance(0.5)
    assert up.user.told[-1] == "attach"
    assert up.user.session is not None
    up.user.session.hang_up()
    bye = up.one("BYE")
    assert (bye.uri, bye.cseq) == ("sip:gw@198.51.100.1:5062", (2, "BYE"))
    up.reply(bye, 200)
    up.nothing_left()


def test_route() -> None:
    """The 200 has the last word on the way: its Contact and its Record-Route (13.2.2.4)."""
    up = Upstream()
    up.dial()
    up.reply(up.invite, 180, (("Record-Route", "<sip:early.example;lr>"),))
    routes = (("Record-Route", "<sip:b.example;lr>, <sip:a.example;lr>"),)
    up.answer(headers=routes, peer=("198.51.100.1", 5060))
    assert up.one("ACK").headers.values("Route") == ["<sip:a.example;lr>", "<sip:b.example;lr>"]
    up.asks("BYE", of=up.invite)
    up.nothing_left()


def test_allowed() -> None:
    """What the 200 allows counts, though the 18x has told nothing."""
    up = Upstream()
    up.dial()
    up.reply(up.invite, 180)
    refreshed = ("Session-Expires", "90;refresher=uac")
    up.answer(headers=(refreshed, ("Allow", "INVITE, BYE, UPDATE")))
    up.advance(45.25)
    assert up.one("UPDATE")
    up.agent.close()


def test_spared() -> None:
    """The guard lets the trunk through for as long as there is a call, ringing or up."""
    up = Upstream()
    up.dial()
    assert up.agent.spares(TRUNK[0])
    up.answer()
    assert up.agent.spares(TRUNK[0])
    up.asks("BYE", of=up.invite)
    assert not up.agent.spares(TRUNK[0])
    up.nothing_left()


def test_early_media() -> None:
    """Of a 183 with a description it is told, once; nobody hears it, and no port is begun with."""
    up = Upstream()
    up.dial()
    for _ in range(2):
        up.reply(up.invite, 183, body=ANSWER)
    assert up.user.told == ["trying", "early media"]
    (stream,) = up.lines.streams
    assert (stream.flowing, stream.listener) == (None, None)
    assert len(up.agent.dialogs) == 1
    up.answer()
    assert stream.flowing is not None
    up.asks("BYE", of=up.invite)
    up.nothing_left()


def test_reliable() -> None:
    """A reliable 18x gets its PRACK; the 200 needs no description after it (RFC 3262)."""
    up = Upstream()
    up.dial()
    up.reply(up.invite, 183, PRACK, body=ANSWER)
    prack = up.one("PRACK")
    assert prack.headers.get("RAck") == "1 1 INVITE"
    up.reply(prack, 200)
    up.answer(body=b"")
    assert up.user.told[-1] == "answered"
    assert up.sent("BYE") == []
    up.asks("BYE", of=up.invite)
    up.nothing_left()


def test_gone_before_attached() -> None:
    """They hang up in the second between: the user is told so, and of nothing else."""
    up = Upstream()
    up.dial()
    up.answer()
    up.asks("BYE", of=up.invite)
    assert up.user.told == ["answered", "ended: remote_hangup"]
    up.nothing_left()


@pytest.mark.parametrize("body", [b"", VIDEO, b"v=1"], ids=["none", "video", "broken"])
def test_no_usable_answer(body: bytes) -> None:
    """ACK, BYE, and the outcome says that it was about the media."""
    up = Upstream()
    up.dial()
    up.answer(body=body)
    assert up.one("ACK")
    up.reply(up.one("BYE"), 200)
    assert up.user.told == ["media"]
    assert up.user.outcome is not None
    assert up.user.outcome.reason
    up.nothing_left()


def test_attach_fails() -> None:
    """Whoever cannot take the call hangs it up."""
    up = Upstream()

    def refuse() -> None:
        raise CallError("no")

    up.user.on["attach"] = refuse
    up.dial()
    up.answer()
    up.advance(1.25)
    up.reply(up.one("BYE"), 200)
    up.nothing_left()


# -- the house ----------------------------------------------------------------------------------


def test_ladder() -> None:
    """All messages of the call are kept, in both directions."""
    up = Upstream()
    handle = up.dial()
    up.reply(up.invite, 180)
    up.answer()
    lines = [(rung.sent, rung.line) for rung in up.agent.ladders.of(handle.call_id)]
    assert lines == [
        (True, "INVITE sip:+15557654321@198.51.100.1 (1 INVITE)"),
        (False, "180 Ringing (1 INVITE)"),
        (False, "200 OK (1 INVITE)"),
        (True, "ACK sip:gw@198.51.100.1:5062 (1 ACK)"),
    ]
    up.agent.close()


def test_user_breaks() -> None:
    """What the one who asked does wrong does not end the call."""
    up = Upstream()

    def fall() -> None:
        raise RuntimeError("a mistake")

    up.user.on = {"trying": fall, "answered": fall}
    up.dial()
    up.reply(up.invite, 100)
    up.answer()
    up.advance(1.25)
    assert up.user.told == ["trying", "answered", "attach"]
    up.asks("BYE", of=up.invite)
    up.nothing_left()


def test_repr() -> None:
    """No password in it."""
    up = Upstream()
    handle = up.dial()
    assert isinstance(handle, OutboundCall)
    assert "secret" not in repr(up.trunk())
    assert "secret" not in repr(up.trunk().login)
    handle.cancel()
    assert not any(
        isinstance(message, Response) or b"secret" in message.encode()
        for _, message in up.ways.sent
    )
