"""What becomes of calls of ours: by their answers, by time, by addresses and redirections."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred

from tests.sip.upstream import NUMBER, OTHER, TRUNK, Upstream

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


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        ("18000;duration=3600", 18_000.0),
        ("60 (in a meeting)", 60.0),
        ("4294967295", 86_400.0),  # no longer than a day
        ("99999999999", None),
        ("soon", None),
        ("-5", None),
    ],
)
def test_retry_after(text: str, seconds: float | None) -> None:
    """When a trunk that is full wants to be asked again; what cannot be read is not there."""
    up = Upstream()
    up.dial()
    up.reply(up.invite, 503, (("Retry-After", text),))
    assert up.user.outcome is not None
    assert up.user.outcome.retry_after == seconds


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
