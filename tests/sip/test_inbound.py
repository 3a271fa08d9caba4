"""A call to us, from its INVITE to the house, and every way in which it comes to nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail
from twisted.logger import globalLogPublisher

from rapida_tw.errors import (
    AssistantNotFound,
    CapacityExceeded,
    GivenUp,
    MisconfiguredAssistant,
    Unavailable,
)
from rapida_tw.sip import counters
from rapida_tw.wire.sip_message import Request, Response
from tests.sip.house import ASSISTANT, OFFER, PROJECT, VIDEO, Endpoint, MemoryFlow

CALLED = [100, 180, 200]


def last(endpoint: Endpoint) -> Response:
    answer = endpoint.answers()[-1]
    assert isinstance(answer, Response)
    return answer


def bye(endpoint: Endpoint, answer: Response) -> None:
    """They hang up."""
    endpoint.send(endpoint.request("BYE", cseq=9, to_tag=answer.to.tag))


def slowly(endpoint: Endpoint) -> tuple[Deferred[Any], list[str]]:
    """The house thinks about the next call until this Deferred fires."""
    cancelled: list[str] = []
    taking: Deferred[Any] = Deferred(lambda _: cancelled.append("cancelled"))
    endpoint.house.taking = lambda: taking
    return taking, cancelled


# -- answered ---------------------------------------------------------------------------------


def test_answered() -> None:
    """100, 180 and 200 at once, with a description, a Contact and one tag."""
    endpoint = Endpoint()
    endpoint.send(endpoint.invite())
    trying, ringing, answer = endpoint.answers()
    assert isinstance(answer, Response)
    assert isinstance(ringing, Response)
    assert [trying.to.tag, ringing.to.tag] == ["", answer.to.tag]
    assert len(answer.to.tag) >= 16
    for response in (ringing, answer):
        assert response.headers.get("Contact") == "<sip:203.0.113.10:5090>"
    assert b"m=audio 10000 RTP/AVP 0 101" in answer.sdp
    assert "INVITE" in answer.headers.get("Allow")


def test_the_house_is_told() -> None:
    """Who calls, whom, under which name; and in which format it will be."""
    endpoint = Endpoint()
    endpoint.dial()
    ((party, incoming),) = endpoint.house.taken
    assert (party.assistant_id, party.project_id) == (ASSISTANT, PROJECT)
    assert (incoming.carrier, incoming.caller, incoming.callee, incoming.provider_call_id) == (
        "sip",
        "+15550001111",
        "15551234567",
        "call-1",
    )
    assert incoming.metadata == {"sip.source": "198.51.100.7", "sip.transport": "UDP"}
    assert incoming.media == endpoint.lines.streams[0].format


def test_attached_by_sound() -> None:
    """The first packet of theirs, even before the ACK, begins the call."""
    endpoint = Endpoint()
    endpoint.send(endpoint.invite())
    (stream,) = endpoint.lines.streams
    assert endpoint.house.attached == []
    assert stream.flowing is not None
    stream.flowing()
    assert len(endpoint.house.attached) == 1
    assert stream.listener is not None
    endpoint.send(endpoint.ack(last(endpoint)))
    endpoint.clock.advance(2)
    assert len(endpoint.house.attached) == 1


def test_attached_without_sound() -> None:
    """A second after the ACK: a muted phone sends none."""
    endpoint = Endpoint()
    endpoint.connect()
    endpoint.clock.advance(0.99)
    assert endpoint.house.attached == []
    endpoint.clock.advance(0.02)
    assert len(endpoint.house.attached) == 1
    (stream,) = endpoint.lines.streams
    assert stream.flowing is not None
    stream.flowing()
    assert len(endpoint.house.attached) == 1


def test_hung_up_by_them() -> None:
    """BYE: 200, the call is told, all ports come back."""
    endpoint = Endpoint()
    answer = endpoint.connect()
    endpoint.clock.advance(1)
    bye(endpoint, answer)
    assert endpoint.statuses()[-1] == 200
    assert endpoint.house.listener.ends == ["remote_hangup"]
    endpoint.nothing_left()
    assert endpoint.house.abandoned == []


def test_hung_up_by_us() -> None:
    """Our BYE goes where they called from."""
    endpoint = Endpoint()
    endpoint.connect()
    endpoint.clock.advance(1)
    endpoint.answers()
    (leg,) = endpoint.house.attached
    leg.hang_up()
    ((peer, request),) = endpoint.flow.sent
    assert isinstance(request, Request)
    assert (peer, request.method) == (endpoint.flow.peer, "BYE")
    assert request.headers.get("Reason").startswith("Q.850;cause=16")
    endpoint.send_response(request, 200)
    endpoint.nothing_left()


def test_late_offer() -> None:
    """Without an offer the 200 carries ours, and the ACK the answer."""
    endpoint = Endpoint()
    endpoint.send(endpoint.invite(body=b""))
    answer = last(endpoint)
    assert answer.status == 200
    assert b"m=audio 10000 RTP/AVP 0 8" in answer.sdp
    assert endpoint.house.taken[0][1].media is None
    endpoint.send(endpoint.ack(answer, OFFER))
    endpoint.clock.advance(1)
    assert len(endpoint.house.attached) == 1


def test_late_offer_without_an_answer() -> None:
    """An ACK is final: BYE, and the call is abandoned."""
    endpoint = Endpoint()
    endpoint.send(endpoint.invite(body=b""))
    endpoint.send(endpoint.ack(last(endpoint)))
    (request,) = endpoint.answers()
    assert isinstance(request, Request)
    assert request.method == "BYE"
    endpoint.send_response(request, 200)
    assert len(endpoint.house.abandoned) == 1
    endpoint.nothing_left()


def test_reliably() -> None:
    """Who requires 100rel gets a 180 to be acknowledged, and it is, before or after the 200."""
    endpoint = Endpoint()
    endpoint.send(endpoint.invite(("Require", "100rel")))
    ringing = next(r for r in endpoint.answers() if isinstance(r, Response) and r.status == 180)
    assert "100rel" in ringing.headers.tokens("Require")
    rack = ("RAck", f"{ringing.headers.get('RSeq')} 1 INVITE")
    endpoint.send(endpoint.request("PRACK", "sip:h", rack, cseq=2, to_tag=ringing.to.tag))
    assert 200 in endpoint.statuses()


def test_repeated() -> None:
    """The same INVITE three times is one call; each gets what was said last."""
    endpoint = Endpoint()
    invite = endpoint.invite()
    for _ in range(3):
        endpoint.send(invite)
    assert len(endpoint.house.taken) == 1
    assert endpoint.lines.open_now == 1


def test_repeated_while_the_house_thinks() -> None:
    """Nor does it begin a second one then: 100 is said again."""
    endpoint = Endpoint()
    taking, _ = slowly(endpoint)
    invite = endpoint.invite()
    for _ in range(3):
        endpoint.send(invite)
    assert endpoint.statuses() == [100] * 3
    taking.callback("taken")
    assert endpoint.statuses() == [180, 200]
    assert len(endpoint.house.taken) == 1


def test_by_two_ways() -> None:
    """The same call over another way is merged: 482."""
    endpoint = Endpoint()
    slowly(endpoint)
    endpoint.send(endpoint.invite())
    endpoint.answers()
    endpoint.send(endpoint.invite())
    assert endpoint.statuses() == [482]


def test_lost_ack() -> None:
    """The 200 comes again at 0.5, 1.5, 3.5, 7.5 s and every 4 s, then BYE; the call ends."""
    endpoint = Endpoint()
    endpoint.send(endpoint.invite())
    endpoint.answers()
    at: list[float] = []
    for _ in range(514):
        endpoint.clock.advance(1 / 16)
        for message in endpoint.answers():
            at.append(endpoint.clock.seconds())
            final = message
    assert at[:5] == [0.5, 1.5, 3.5, 7.5, 11.5]
    assert at[-1] == 32
    assert isinstance(final, Request)
    assert final.method == "BYE"
    assert [type(error) for error in endpoint.house.abandoned] == [GivenUp]
    endpoint.send_response(final, 200)
    endpoint.nothing_left()


def test_lost_ack_with_sound() -> None:
    """A call that has begun by its sound is told that its ACK never came."""
    endpoint = Endpoint()
    endpoint.send(endpoint.invite())
    endpoint.lines.streams[0].flowing()
    for _ in range(330):
        endpoint.clock.advance(0.1)
    assert endpoint.house.listener.ends == ["network_failed"]
    assert endpoint.house.abandoned == []
    endpoint.nothing_left()


def test_bye_before_it_began() -> None:
    """Between the ACK and the first sound: the taken call is abandoned."""
    endpoint = Endpoint()
    bye(endpoint, endpoint.connect())
    assert endpoint.statuses()[-1] == 200
    assert len(endpoint.house.abandoned) == 1
    endpoint.nothing_left()
    assert endpoint.house.attached == []


def test_fast() -> None:
    """The time to the answer is counted."""
    before = counters.answering._sums.get((), 0.0)
    endpoint = Endpoint()
    taking, _ = slowly(endpoint)
    endpoint.send(endpoint.invite())
    endpoint.clock.advance(0.25)
    taking.callback("taken")
    assert counters.answering._sums[()] - before == pytest.approx(0.25)


# -- refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (CapacityExceeded("full"), 503),
        (Unavailable("no database"), 503),
        (AssistantNotFound("gone"), 404),
        (MisconfiguredAssistant("no such voice"), 480),
    ],
)
def test_the_house_says_no(error: Exception, status: int) -> None:
    """Before it rings; why is our own business."""
    endpoint = Endpoint()
    endpoint.house.taking = lambda: fail(error)
    endpoint.send(endpoint.invite())
    _, answer = endpoint.answers()
    assert isinstance(answer, Response)
    assert answer.status == status
    assert str(error).encode() not in answer.encode()
    if status == 503:
        assert 5 <= int(answer.headers.get("Retry-After")) <= 20
    assert endpoint.lines.open_now == 0
    endpoint.send(endpoint.request("ACK", branch="z9hG4bK1", to_tag=answer.to.tag))
    endpoint.nothing_left()
    assert endpoint.house.abandoned == []


def test_the_house_fails() -> None:
    """A mistake of ours is a 500 and a line in the log, and leaves nothing behind."""
    endpoint = Endpoint()
    endpoint.house.taking = lambda: fail(ZeroDivisionError("ours"))
    before, told = counters.failures.value(), []
    globalLogPublisher.addObserver(told.append)
    try:
        endpoint.send(endpoint.invite())
    finally:
        globalLogPublisher.removeObserver(told.append)
    assert endpoint.statuses() == [100, 500]
    assert counters.failures.value() == before + 1
    assert [event for event in told if "log_failure" in event]
    endpoint.nothing_left()


@pytest.mark.parametrize("step", ["identifying", "taking"])
def test_the_house_takes_too_long(step: str) -> None:
    """503 after five seconds, and what it worked on is cancelled."""
    endpoint = Endpoint()
    cancelled: list[str] = []
    setattr(endpoint.house, step, lambda *_: Deferred(lambda _: cancelled.append("cancelled")))
    endpoint.send(endpoint.invite())
    endpoint.clock.advance(5.1)
    assert endpoint.statuses()[-1] == 503
    assert cancelled == ["cancelled"]
    endpoint.nothing_left()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (OFFER.replace(b"AVP 0 101", b"AVP 18 101"), 488),
        (VIDEO, 488),
        (OFFER.replace(b"14680", b"0"), 488),
        (OFFER.replace(b"m=audio 14680", b"m=audio 99999"), 400),
    ],
)
def test_offers(body: bytes, status: int) -> None:
    """What cannot be spoken is refused before it rings, and before the house is asked."""
    endpoint = Endpoint()
    endpoint.send(endpoint.invite(body=body))
    assert endpoint.statuses() == [100, status]
    assert endpoint.house.taken == []
    assert endpoint.lines.open_now == 0
    endpoint.nothing_left()


def test_no_ports() -> None:
    """503, and another call gets in when there is one again."""
    endpoint = Endpoint()
    endpoint.lines.most = 1
    answer = endpoint.connect()
    endpoint.answers()
    endpoint.send(endpoint.invite(call_id="call-2"))
    assert last(endpoint).status == 503
    bye(endpoint, answer)
    endpoint.answers()
    endpoint.send(endpoint.invite(call_id="call-3"))
    assert endpoint.statuses() == CALLED


def test_many_dialogs() -> None:
    """No more calls than were allowed."""
    endpoint = Endpoint(most_calls=2)
    for number in range(3):
        endpoint.send(endpoint.invite(call_id=f"call-{number}"))
    assert endpoint.statuses() == [*CALLED, *CALLED, 503]


def test_attaching_fails() -> None:
    """The call is hung up; the house has let go of it by itself."""
    endpoint = Endpoint()

    def attaching() -> None:
        raise CapacityExceeded("full meanwhile")

    endpoint.house.attaching = attaching
    endpoint.connect()
    endpoint.clock.advance(1)
    (request,) = endpoint.answers()
    assert isinstance(request, Request)
    assert request.method == "BYE"
    endpoint.send_response(request, 200)
    endpoint.nothing_left()
    assert endpoint.house.abandoned == []


# -- given up ---------------------------------------------------------------------------------


def cancel(endpoint: Endpoint, invite: Request) -> None:
    headers = (("Via", invite.headers.get("Via")),)
    endpoint.send(endpoint.request("CANCEL", invite.uri, *headers))


@pytest.mark.parametrize("step", ["identifying", "taking"])
def test_cancelled(step: str) -> None:
    """While the house thinks: 200 and 487, its thinking is cancelled, ports come back."""
    endpoint = Endpoint()
    cancelled: list[str] = []
    setattr(endpoint.house, step, lambda *_: Deferred(lambda _: cancelled.append("cancelled")))
    invite = endpoint.invite()
    endpoint.send(invite)
    endpoint.answers()
    cancel(endpoint, invite)
    assert endpoint.statuses() == [200, 487]
    assert cancelled == ["cancelled"]
    assert endpoint.lines.open_now == 0
    cancel(endpoint, invite)
    assert endpoint.statuses() == [200]
    endpoint.nothing_left()


def test_cancelled_while_it_waits_for_a_prack() -> None:
    """After the house has taken it: it is abandoned."""
    endpoint = Endpoint()
    invite = endpoint.invite(("Require", "100rel"), body=b"")
    endpoint.send(invite)
    assert endpoint.statuses() == [100, 180]
    cancel(endpoint, invite)
    assert endpoint.statuses() == [200, 487]
    assert [type(error) for error in endpoint.house.abandoned] == [GivenUp]
    assert endpoint.lines.open_now == 0
    endpoint.nothing_left()


def test_no_prack() -> None:
    """After 32 s the INVITE is refused, and nothing is left."""
    endpoint = Endpoint()
    endpoint.send(endpoint.invite(("Require", "100rel"), body=b""))
    for _ in range(330):
        endpoint.clock.advance(0.1)
    assert endpoint.statuses()[-1] == 504
    assert len(endpoint.house.abandoned) == 1
    endpoint.nothing_left()


def test_cancelled_too_late() -> None:
    """After the 200 it has no effect: the peer will ACK and BYE."""
    endpoint = Endpoint()
    invite = endpoint.invite()
    endpoint.send(invite)
    answer = last(endpoint)
    cancel(endpoint, invite)
    assert endpoint.statuses() == [200]
    endpoint.send(endpoint.ack(answer))
    endpoint.clock.advance(1)
    assert len(endpoint.house.attached) == 1


def test_cancel_of_nothing() -> None:
    """481."""
    endpoint = Endpoint()
    endpoint.send(endpoint.request("CANCEL"))
    assert endpoint.statuses() == [481]


def test_drained() -> None:
    """A call that is arriving is not lost by draining; a new one is told to go elsewhere."""
    endpoint = Endpoint()
    taking, _ = slowly(endpoint)
    endpoint.send(endpoint.invite())
    endpoint.agent.drain()
    endpoint.send(endpoint.invite(call_id="call-2"))
    taking.callback("taken")
    assert endpoint.statuses() == [100, 503, 180, 200]


@pytest.mark.parametrize("answered", [False, True])
def test_closed(answered: bool) -> None:
    """What arrives is given back and abandoned; no timer is left."""
    endpoint = Endpoint()
    taking, cancelled = slowly(endpoint)
    endpoint.send(endpoint.invite())
    if answered:
        taking.callback("taken")
    endpoint.agent.close()
    assert endpoint.lines.open_now == 0
    assert len(endpoint.house.abandoned) == answered
    assert cancelled == ([] if answered else ["cancelled"])


# -- all of them ------------------------------------------------------------------------------


def _no(endpoint: Endpoint, invite: Request) -> None:
    pass


def _bye(endpoint: Endpoint, invite: Request) -> None:
    answer = next(a for a in endpoint.answers() if isinstance(a, Response) and a.status == 200)
    endpoint.send(endpoint.ack(answer))
    bye(endpoint, answer)


@pytest.mark.parametrize("end", [_no, cancel, _bye])
@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_nothing_is_left(end: Callable[[Endpoint, Request], None], transport: str) -> None:
    """However it goes on, over either transport, after a minute all is given back."""
    endpoint = Endpoint()
    endpoint.flow = MemoryFlow(transport=transport)
    for number in range(5):
        via = ("Via", f"SIP/2.0/{transport} 10.0.0.5;rport;branch={endpoint.branch()}")
        invite = endpoint.invite(via)
        endpoint.send(invite)
        end(endpoint, invite)
        endpoint.nothing_left()
        assert len(endpoint.house.abandoned) + len(endpoint.house.attached) == number + 1
    assert endpoint.agent._in_calls == endpoint.agent._calls_on == {}
    assert endpoint.agent._arriving == set()
