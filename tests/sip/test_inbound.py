"""A call to us, from its INVITE to its place in the house."""

from __future__ import annotations

import pytest

from rapida_tw.errors import GivenUp
from rapida_tw.sip import counters
from rapida_tw.wire.sip_message import Request, Response
from tests.sip.house import ASSISTANT, OFFER, PROJECT, Endpoint, bye, last, slowly

CALLED = [100, 180, 200]


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
