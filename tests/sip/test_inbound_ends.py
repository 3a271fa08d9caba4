"""Every way in which a call to us comes to nothing, and that nothing is left of it."""

from __future__ import annotations

from collections.abc import Callable

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
from tests.sip.house import OFFER, VIDEO, Endpoint, MemoryFlow, bye, last, slowly

CALLED = [100, 180, 200]


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


def test_an_offer_with_controls() -> None:
    """What is said of it can be sent: no part of theirs ends a line of ours."""
    endpoint = Endpoint()
    body = OFFER.replace(b"AVP 0 101", b"AVP 96").replace(b"a=rtpmap:101", b"a=rtpmap:96")
    endpoint.send(endpoint.invite(body=body.replace(b"telephone-event", b"x\x0b\xff\x00y")))
    assert endpoint.statuses() == [100, 488]


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


@pytest.mark.parametrize("step", ["asked", "answered", "acknowledged"])
def test_closed(step: str) -> None:
    """What arrives is given back and abandoned."""
    endpoint = Endpoint()
    taking, cancelled = slowly(endpoint)
    endpoint.send(endpoint.invite())
    if step != "asked":
        taking.callback("taken")
    if step == "acknowledged":
        endpoint.send(endpoint.ack(last(endpoint)))
    endpoint.agent.close()
    assert endpoint.lines.open_now == 0
    assert len(endpoint.house.abandoned) == (step != "asked")
    assert cancelled == (["cancelled"] if step == "asked" else [])
    if step != "answered":  # whose BYE waits for its ACK
        assert endpoint.clock.getDelayedCalls() == []


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
