"""Calls of ours that cross what comes back: CANCEL against 200, forks, repetitions, lost flows."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred

from rapida_tw.wire.sip_message import Request
from tests.sip.upstream import ANSWER, ELSEWHERE, TRUNK, Upstream

PRACK = (("Require", "100rel"), ("RSeq", "1"))


# -- CANCEL -------------------------------------------------------------------------------------


def test_cancel_at_once() -> None:
    """Before anything was sent, nothing is."""
    up = Upstream()
    handle = up.agent.dial(up.trunk(), "+1555", up.user)
    handle.cancel()
    assert up.user.told == ["cancelled"]
    assert up.clock.getDelayedCalls() == []
    assert up.ways.sent == []


def test_cancel_while_locating() -> None:
    """The look-up is given up."""
    up = Upstream()
    gone: list[object] = []
    up.names.hosts["slow.example"] = Deferred(gone.append)
    handle = up.dial(server="slow.example", port="5060")
    handle.cancel()
    assert len(gone) == 1
    assert up.user.told == ["cancelled"]
    up.nothing_left()


def test_cancel_ringing() -> None:
    """CANCEL with the INVITE's branch and number; told at once, once, and ports are back."""
    up = Upstream()
    handle = up.dial()
    up.reply(up.invite, 180)
    handle.cancel()
    handle.cancel()
    cancel = up.one("CANCEL")
    assert (cancel.via.branch, cancel.cseq) == (up.invite.via.branch, (1, "CANCEL"))
    assert cancel.uri == up.invite.uri
    assert up.user.told == ["trying", "ringing", "cancelled"]
    assert up.user.outcome is not None
    assert (up.user.outcome.sent, up.user.outcome.retryable) == (True, False)
    assert up.lines.open_now == 0
    up.reply(cancel, 200)
    up.reply(up.invite, 487)
    up.nothing_left()


def test_cancel_before_a_word() -> None:
    """CANCEL waits for the first provisional response (9.1)."""
    up = Upstream()
    handle = up.dial()
    handle.cancel()
    assert up.sent("CANCEL") == []
    up.reply(up.invite, 100)
    assert len(up.sent("CANCEL")) == 1
    assert up.user.told == ["cancelled"]
    up.reply(up.invite, 487)
    up.nothing_left()


@pytest.mark.parametrize("ringing", [True, False], ids=["after 180", "at once"])
def test_answer_crosses_cancel(ringing: bool) -> None:
    """A 200 that was faster: ACK, then BYE; repeated, the same ACK again and no second BYE."""
    up = Upstream()
    handle = up.dial()
    if ringing:
        up.reply(up.invite, 180)
    handle.cancel()
    up.answer()
    ack, bye = up.one("ACK"), up.one("BYE")
    assert (ack.cseq[0], bye.cseq[0]) == (1, 2)
    up.answer()
    assert (len(up.sent("ACK")), len(up.sent("BYE"))) == (1, 1)
    repeated = [one for _, one in up.ways.sent if isinstance(one, Request) and one.method == "ACK"]
    assert len(repeated) == 2
    assert repeated[0].encode() == repeated[1].encode()
    up.reply(bye, 200)
    assert up.user.told[-1] == "cancelled"
    up.nothing_left()


def test_answer_crosses_the_ring_limit() -> None:
    """The same, when it was too long; BYE tells the same reason as CANCEL."""
    up = Upstream(ring_limit=5.0)
    up.dial()
    up.reply(up.invite, 180)
    up.advance(5.25)
    up.answer()
    bye = up.one("BYE")
    assert "cause=19" in bye.headers.get("Reason")
    up.reply(bye, 200)
    assert up.user.told == ["trying", "ringing", "no_answer"]
    up.nothing_left()


def test_challenge_crosses_cancel() -> None:
    """It is not answered any more."""
    up = Upstream()
    handle = up.dial()
    handle.cancel()
    up.challenge(up.invite)
    assert len(up.sent("INVITE")) == 1
    up.nothing_left()


def test_cancel_answered() -> None:
    """In the second before it is attached: BYE, and `ended`."""
    up = Upstream()
    handle = up.dial()
    up.answer()
    handle.cancel()
    handle.cancel()
    up.reply(up.one("BYE"), 200)
    assert up.user.told == ["answered", "ended: cancelled"]
    up.nothing_left()


def test_cancel_attached() -> None:
    """Then it is the leg's matter."""
    up = Upstream()
    handle = up.dial()
    up.answer()
    up.advance(1.25)
    handle.cancel()
    assert up.sent("BYE") == []
    up.asks("BYE", of=up.invite)
    up.nothing_left()


@pytest.mark.parametrize("moment", ["trying", "ringing", "early media", "answered"])
def test_cancel_when_told(moment: str) -> None:
    """From within what it is told: nothing more comes than the end."""
    up = Upstream()
    handle = up.dial()
    up.user.on[moment] = handle.cancel
    if moment == "early media":
        up.reply(up.invite, 183, body=ANSWER)
    elif moment != "answered":
        up.reply(up.invite, 180, body=ANSWER)
    else:
        up.answer()
    assert up.user.told[-2:] == [
        moment,
        "ended: cancelled" if moment == "answered" else "cancelled",
    ]
    told = len(up.user.told)
    if moment == "answered":
        up.reply(up.one("BYE"), 200)
    else:
        up.reply(up.invite, 487)
    up.advance(2)
    assert len(up.user.told) == told
    up.nothing_left()


# -- forks --------------------------------------------------------------------------------------


def test_forks() -> None:
    """Each early dialog has its tag; the one that answers is the call, the others are forgotten."""
    up = Upstream()
    up.dial()
    up.reply(up.invite, 180, tag="a", body=ANSWER)
    up.reply(up.invite, 183, tag="b", body=ELSEWHERE)
    up.reply(up.invite, 180, tag="c")
    assert len(up.agent.dialogs) == 3
    assert up.user.told == ["trying", "ringing", "early media"]
    up.answer(tag="b", body=ELSEWHERE)
    assert len(up.agent.dialogs) == 1
    assert up.one("ACK").to.tag == "b"
    assert (up.lines.open_now, up.lines.streams[0].closed) == (1, False)
    assert up.asks("BYE", of=up.invite, tag="a").status == 481
    assert up.asks("BYE", of=up.invite, tag="b").status == 200
    up.nothing_left()


def test_second_answer() -> None:
    """The 200 of another fork: ACK, BYE, and the call goes on (13.2.2.4)."""
    up = Upstream()
    up.dial()
    up.reply(up.invite, 180, tag="a")
    up.reply(up.invite, 180, tag="b")
    up.answer(tag="a")
    for _ in range(2):
        up.answer(tag="b", body=ELSEWHERE)
    assert [ack.to.tag for ack in up.sent("ACK")] == ["a", "b"]
    bye = up.one("BYE")
    assert bye.to.tag == "b"
    up.reply(bye, 200, tag="b")
    up.advance(1.25)
    assert up.user.told[-1] == "attach"
    assert not up.lines.streams[0].closed
    up.asks("BYE", of=up.invite, tag="a")
    up.nothing_left()


def test_reliable_forks() -> None:
    """Each has its own PRACK; the answer that counts is that of the fork that is picked up."""
    up = Upstream()
    up.dial()
    up.reply(up.invite, 183, PRACK, tag="a", body=ANSWER)
    up.reply(up.invite, 183, PRACK, tag="b", body=ELSEWHERE)
    assert [prack.to.tag for prack in up.sent("PRACK")] == ["a", "b"]
    (stream,) = up.lines.streams
    stream.agree = lambda agreed, host: ports.append(agreed.port)  # type: ignore[method-assign,attr-defined]
    ports: list[int] = []
    up.answer(tag="a", body=b"")
    assert up.user.told[-1] == "answered"
    assert ports == [20000]
    for prack in up.sent("PRACK"):
        up.reply(prack, 200, tag=prack.to.tag)
    up.asks("BYE", of=up.invite, tag="a")
    up.nothing_left()


def test_answer_without_a_description() -> None:
    """What another fork has described is not the answer of the one that is picked up."""
    up = Upstream()
    up.dial()
    up.reply(up.invite, 180, tag="a")
    up.reply(up.invite, 183, tag="b", body=ELSEWHERE)
    up.answer(tag="a", body=b"")
    assert up.user.told == ["trying", "ringing", "early media", "media"]
    up.reply(up.one("BYE"), 200, tag="a")
    up.nothing_left()


def test_many_forks() -> None:
    """More than eight are passed over, and cost nothing."""
    up = Upstream()
    up.dial()
    for number in range(100):
        up.reply(up.invite, 180, tag=f"t{number}")
    assert len(up.agent.dialogs) == 8
    up.reply(up.invite, 486)
    assert len(up.agent.dialogs) == 0
    up.nothing_left()


def test_forks_of_a_challenged_try() -> None:
    """They are over with it."""
    up = Upstream()
    up.dial()
    up.reply(up.invite, 180, tag="a")
    up.challenge(up.invite, 407)
    assert len(up.agent.dialogs) == 0
    up.answer(tag="a")
    assert [ack.cseq[0] for ack in up.sent("ACK")] == [1, 2]
    assert len(up.agent.dialogs) == 1
    assert up.user.session is not None
    up.user.session.hang_up()
    assert up.one("BYE").cseq[0] == 3
    up.reply(up.one("BYE"), 200, tag="a")
    up.nothing_left()


def test_hung_up_before_the_answer() -> None:
    """A fork that says BYE is over; its 200, if it comes all the same, gets ACK and BYE."""
    up = Upstream()
    up.dial()
    up.reply(up.invite, 183, tag="a")
    up.asks("BYE", of=up.invite, tag="a")
    assert up.user.told == ["trying"]
    up.answer(tag="a")
    assert up.user.told == ["trying", "failed"]
    up.reply(up.one("BYE"), 200, tag="a")
    up.nothing_left()


# -- repetitions and losses ---------------------------------------------------------------------


def test_repeated_answer() -> None:
    """Each repeated 200 gets the same ACK, also when the call is over already."""
    up = Upstream()
    up.dial()
    up.answer()
    up.asks("BYE", of=up.invite)
    up.advance(4)
    up.answer()
    acks = [one for _, one in up.ways.sent if isinstance(one, Request) and one.method == "ACK"]
    assert len(acks) == 2
    assert acks[0].encode() == acks[1].encode()
    assert up.sent("BYE") == []
    up.nothing_left()


def test_repeated_provisional() -> None:
    """A reliable one is acknowledged once."""
    up = Upstream()
    up.dial()
    for _ in range(3):
        up.reply(up.invite, 180, PRACK)
    assert len(up.sent("PRACK")) == 1
    up.reply(up.one("PRACK"), 200)
    up.reply(up.invite, 486)
    up.nothing_left()


def test_connection_lost() -> None:
    """Before a word: the next address, or unreachable."""
    up = Upstream()
    up.dial(transport="tcp")
    flow = up.ways.way(*TRUNK, "TCP")
    flow.open = False
    up.agent.lost(flow)
    assert up.user.told == ["unreachable"]
    up.nothing_left()


def test_strange_routes() -> None:
    """A 200 that no ACK can follow is a failure, not an error of ours."""
    up = Upstream()
    up.dial()
    up.answer(headers=(("Record-Route", "<tel:+1555>"),))
    assert up.user.told == ["failed"]
    assert up.sent("ACK") == []
    up.nothing_left()


def test_stopped() -> None:
    """When the server stops, whoever waits is told."""
    up = Upstream()
    up.dial()
    up.reply(up.invite, 180)
    up.agent.close()
    assert up.user.told[-1] == "cancelled"
    assert up.sent("CANCEL")
    assert up.clock.getDelayedCalls() == []
