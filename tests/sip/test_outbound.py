"""Calls of ours: what is sent, what is answered, and what becomes of them."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred

from rapida_tw.errors import BadRequest, CallError, CapacityExceeded
from rapida_tw.sip.outbound import OutboundCall
from rapida_tw.wire.sip_message import Response
from tests.sip.upstream import ANSWER, NUMBER, OTHER, TRUNK, VIDEO, Upstream, right

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


# -- challenges ---------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 407])
@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_digest(status: int, algorithm: str) -> None:
    """The same call, the next CSeq, a new branch, and the Request-URI byte for byte."""
    up = Upstream()
    up.dial(server="sip:trunk.example:5080;transport=tcp")
    up.challenge(up.invite, status, algorithm=algorithm)
    first, second = up.sent("INVITE")
    name = "Authorization" if status == 401 else "Proxy-Authorization"
    assert right(second, header=name)
    assert second.uri == first.uri == "sip:+15557654321@trunk.example:5080;transport=tcp"
    assert (second.call_id, second.from_.tag) == (first.call_id, first.from_.tag)
    assert (second.cseq, second.via.branch != first.via.branch) == ((2, "INVITE"), True)
    assert second.sdp == first.sdp
    up.answer()
    ack = up.sent("ACK")[-1]
    assert ack.cseq == (2, "ACK")
    assert ack.headers.get(name) == second.headers.get(name)
    up.asks("BYE", of=second)
    up.nothing_left()


def test_proxy_and_server() -> None:
    """Two rounds: each header answers its own."""
    up = Upstream()
    up.dial()
    up.challenge(up.invite, 407)
    up.challenge(up.invite, 401)
    last = up.sent("INVITE")[-1]
    assert right(last)
    assert right(last, header="Proxy-Authorization")
    up.challenge(up.invite, 407)
    assert len(up.sent("INVITE")) == 3
    assert up.user.told == ["forbidden"]
    up.nothing_left()


def test_stale() -> None:
    """A stale nonce allows one more try, not two."""
    up = Upstream()
    up.dial()
    up.challenge(up.invite)
    nonce = up.challenge(up.invite, stale=True)
    assert f'nonce="{nonce}"' in up.invite.headers.get("Authorization")
    assert len(up.sent("INVITE")) == 3
    up.challenge(up.invite, stale=True)
    assert len(up.sent("INVITE")) == 3
    assert up.user.told == ["forbidden"]
    up.nothing_left()


def test_wrong_password() -> None:
    """The password is not tried twice."""
    up = Upstream()
    up.dial()
    up.challenge(up.invite)
    up.challenge(up.invite)
    assert len(up.sent("INVITE")) == 2
    outcome = up.user.outcome
    assert outcome is not None
    assert (outcome.status, outcome.code, outcome.retryable) == ("forbidden", 401, False)
    up.nothing_left()


def test_another_realm() -> None:
    """A trunk that names its realm has its password shown to no other."""
    up = Upstream()
    up.dial(realm="acme.example")
    up.challenge(up.invite, realm="evil.example")
    assert len(up.sent("INVITE")) == 1
    assert up.user.told == ["forbidden"]
    up.nothing_left()


def test_later_challenge() -> None:
    """A BYE that is challenged is answered with the same password."""
    up = Upstream()
    up.dial()
    up.answer()
    up.advance(1.25)
    assert up.user.session is not None
    up.user.session.hang_up()
    up.challenge(up.one("BYE"))
    assert right(up.sent("BYE")[-1])
    up.reply(up.sent("BYE")[-1], 200)
    up.nothing_left()


# -- what becomes of it -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "status", "retryable"),
    [
        (486, "busy", True),
        (600, "busy", True),
        (480, "no_answer", True),
        (408, "no_answer", True),
        (487, "no_answer", True),
        (603, "declined", False),
        (607, "declined", False),
        (608, "declined", False),
        (404, "bad_number", False),
        (410, "bad_number", False),
        (484, "bad_number", False),
        (604, "bad_number", False),
        (403, "forbidden", False),
        (488, "media", False),
        (606, "media", False),
        (415, "media", False),
        (500, "failed", True),
        (502, "failed", True),
        (503, "failed", True),
        (504, "failed", True),
        (400, "failed", False),
        (699, "failed", False),
    ],
)
def test_outcomes(code: int, status: str, retryable: bool) -> None:
    """By the final response; it is acknowledged, and nothing is left."""
    up = Upstream()
    up.dial()
    invite = up.one("INVITE")
    up.reply(invite, code)
    outcome = up.user.outcome
    assert outcome is not None
    assert (outcome.status, outcome.code) == (status, code)
    assert (outcome.retryable, outcome.sent) == (retryable, True)
    ack = up.one("ACK")
    assert ack.via.branch == invite.via.branch
    up.nothing_left()


def test_reason() -> None:
    """What a gateway tells of the telephone network is in it."""
    up = Upstream()
    up.dial()
    up.reply(up.invite, 404, (("Reason", 'Q.850;cause=1;text="Unallocated number"'),))
    assert up.user.outcome is not None
    assert up.user.outcome.reason == "Not Found: Unallocated number (Q.850 1)"


def test_no_answer() -> None:
    """After the ring limit: CANCEL with a reason, and what it comes to is told at once."""
    up = Upstream(ring_limit=20.0)
    up.dial()
    up.reply(up.invite, 180)
    up.advance(19.75)
    assert up.sent("CANCEL") == []
    up.advance(0.5)
    cancel = up.one("CANCEL")
    assert "cause=19" in cancel.headers.get("Reason")
    assert up.user.told == ["trying", "ringing", "no_answer"]
    assert up.lines.open_now == 0
    up.reply(cancel, 200)
    up.reply(up.invite, 487)
    assert up.sent("ACK")
    up.nothing_left()


def test_unreachable() -> None:
    """Nothing at all for 64*T1: nobody can have been rung up."""
    up = Upstream()
    up.dial()
    up.advance(32.5)
    outcome = up.user.outcome
    assert outcome is not None
    assert (outcome.status, outcome.code) == ("unreachable", 0)
    assert (outcome.retryable, outcome.sent) == (True, False)
    up.nothing_left()


def test_no_address() -> None:
    """A trunk that DNS does not know."""
    up = Upstream()
    up.dial(server="nowhere.example")
    assert up.user.told == ["unreachable"]
    assert up.user.outcome is not None
    assert "nowhere.example" in up.user.outcome.reason
    up.nothing_left()


# -- one address after the other ----------------------------------------------------------------


def two() -> Upstream:
    up = Upstream(ring_limit=100.0)
    up.names.hosts["trunk.example"] = [TRUNK[0], OTHER[0]]
    return up


def test_connection_refused() -> None:
    """The next one is tried."""
    up = two()
    up.ways.refusing.add(TRUNK[0])
    up.dial(server="trunk.example", transport="tcp")
    assert len(up.sent("INVITE", OTHER)) == 1
    up.answer(peer=OTHER)
    assert up.user.told == ["answered"]
    up.agent.close()


def test_all_refused() -> None:
    """Each once, and the last error is told."""
    up = two()
    up.ways.refusing |= {TRUNK[0], OTHER[0]}
    up.dial(server="trunk.example", transport="tcp")
    assert [host for host, *_ in up.ways.asked] == [TRUNK[0], OTHER[0]]
    assert up.user.told == ["unreachable"]
    assert up.user.outcome is not None
    assert up.user.outcome.reason == "trunk.example: Connection refused"
    up.nothing_left()


def test_connecting_takes_long() -> None:
    """Six seconds an address."""
    up = two()
    waiting: Deferred[object] = Deferred()
    real = up.ways.to
    up.ways.to = lambda host, *rest: waiting if host == TRUNK[0] else real(host, *rest)  # type: ignore[assignment,return-value,method-assign]
    up.dial(server="trunk.example", transport="tcp")
    assert up.ways.sent == []
    up.advance(6.25)
    assert len(up.sent("INVITE", OTHER)) == 1
    up.reply(up.invite, 486, peer=OTHER)
    up.nothing_left()


def test_silent() -> None:
    """Nobody answers at the first for 32 s: the second is asked, with the next CSeq."""
    up = two()
    up.dial(server="trunk.example")
    up.advance(32.25)
    first, second = up.sent("INVITE")
    assert (first.call_id, first.from_.tag) == (second.call_id, second.from_.tag)
    assert (first.cseq[0], second.cseq[0]) == (1, 2)
    assert up.lines.open_now == 1
    up.reply(second, 486, peer=OTHER)
    assert up.user.told == ["busy"]
    up.nothing_left()


def test_overloaded() -> None:
    """503: the next one; of the last it is the outcome."""
    up = two()
    up.dial(server="trunk.example")
    up.reply(up.invite, 503)
    assert len(up.sent("INVITE", OTHER)) == 1
    up.reply(up.invite, 503, peer=OTHER)
    assert up.user.told == ["failed"]
    assert up.user.outcome is not None
    assert (up.user.outcome.code, up.user.outcome.sent) == (503, True)
    up.nothing_left()


def test_overloaded_after_ringing() -> None:
    """Whoever has been rung up is not rung up again."""
    up = two()
    up.dial(server="trunk.example")
    up.reply(up.invite, 180)
    up.reply(up.invite, 503)
    assert up.sent("INVITE", OTHER) == []
    assert up.user.told == ["trying", "ringing", "failed"]
    up.nothing_left()


# -- 3xx, 422 -----------------------------------------------------------------------------------


def moved(up: Upstream, *contacts: str, status: int = 302) -> None:
    up.reply(up.invite, status, tuple(("Contact", each) for each in contacts))


def test_redirected() -> None:
    """On the trunk's own host, the best first; To stays, and the port is theirs to say."""
    up = Upstream()
    up.dial()
    moved(up, "<sip:2@198.51.100.1>;q=0.5", "<sip:3:pw@198.51.100.1:5070?Subject=x>;q=0.9")
    second = up.invite
    assert second.uri == "sip:3@198.51.100.1:5070"
    assert second.to.uri.user == NUMBER
    assert up.sent("INVITE", ("198.51.100.1", 5070)) == [second]
    up.reply(second, 404, peer=("198.51.100.1", 5070))
    assert up.invite.uri == "sip:2@198.51.100.1"
    assert up.sent("INVITE", TRUNK)[-1] == up.invite
    up.reply(up.invite, 486)
    assert up.user.told == ["busy"]
    up.nothing_left()


def test_refused_by_all() -> None:
    """After a 6xx no other contact is tried."""
    up = Upstream()
    up.dial()
    moved(up, "<sip:2@198.51.100.1>", "<sip:3@198.51.100.1>")
    up.reply(up.invite, 603)
    assert len(up.sent("INVITE")) == 2
    assert up.user.told == ["declined"]
    up.nothing_left()


def test_redirected_away() -> None:
    """To another host nothing is sent: it is toll fraud's way in."""
    up = Upstream()
    up.dial()
    moved(up, "<sip:1900@evil.example>", "<tel:+1900>", "<sip:198.51.100.1@evil.example>")
    assert len(up.sent("INVITE")) == 1
    assert up.user.told == ["failed"]
    assert up.user.outcome is not None
    assert up.user.outcome.code == 302
    up.nothing_left()


def test_redirected_in_circles() -> None:
    """Three contacts, each once."""
    up = Upstream()
    up.dial()
    for number in range(5):
        moved(up, f"<sip:{number}@198.51.100.1>", "<sip:0@198.51.100.1>")
    assert len(up.sent("INVITE")) == 4
    assert up.user.told == ["failed"]
    up.nothing_left()


def test_longer_sessions() -> None:
    """422: once more with their Min-SE (RFC 4028 7.3)."""
    up = Upstream()
    up.dial()
    up.reply(up.invite, 422, (("Min-SE", "3600"),))
    assert up.invite.headers.get("Session-Expires") == "3600"
    up.reply(up.invite, 422, (("Min-SE", "3600"),))
    assert len(up.sent("INVITE")) == 2
    assert up.user.told == ["failed"]
    up.nothing_left()


def test_session_timer() -> None:
    """What their 200 says of refreshes holds."""
    up = Upstream()
    up.dial()
    up.answer(headers=(("Session-Expires", "90;refresher=uac"), ("Allow", "UPDATE, BYE, INVITE")))
    up.advance(45.25)
    assert up.one("UPDATE").headers.get("Session-Expires") == "90;refresher=uac"
    up.agent.close()


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
