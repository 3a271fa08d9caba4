"""Stories of calls that are asked for and placed through a SIP trunk, in virtual time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest

from rapida_tw.calls.call_request import CallRequest
from rapida_tw.carriers.outbound import CarrierRefused
from rapida_tw.sim.caller import Caller
from rapida_tw.sim.sip_manner import SipManner
from rapida_tw.simulation import VirtualServer
from rapida_tw.simulation.server import done
from rapida_tw.simulation.sip import SETTLED, VirtualSip
from rapida_tw.sip_telephone import SipTelephone
from rapida_tw.store.records import Conversation, Deployment

GREETING = "Hello. How can I help you today?"
ANSWER = "We open at nine and close at ten."
REPLIES = {"replies": [["hours", ANSWER]], "otherwise": "Pardon?"}
NUMBER = "+15557654321"


class House:
    """A server with a trunk, at whose other end is one phone."""

    def __init__(self, manner: SipManner | None = None) -> None:
        self.server = VirtualServer(REPLIES, {"provider": "sip"})
        self.sip = VirtualSip(self.server)
        self.caller = Caller()
        self.script: deque[str | None] = deque()
        self.phone = self.sip.phone(self.caller, self.script, manner)
        server = self.server
        server.telephones["sip"] = SipTelephone(self.sip.agent, server.clock)
        host, port = self.phone.signalling._socket.address
        fields = {"sip_server": host, "sip_port": str(port), "sip_username": "acme"}
        made = server.credentials.create(server.project_id, "trunk", "sip", fields)
        deployment = Deployment(
            server.assistant_id,
            provider="sip",
            credential_id=done(made).id,
            options={"phone": "+15550001111"},
            greeting=GREETING,
        )
        done(server.assistants.deploy(deployment))

    def place(self, **options: Any) -> list[Any]:
        """The answer, as soon as there is one."""
        server = self.server
        request = CallRequest(server.project_id, server.assistant_id, NUMBER, options=options)
        answers: list[Any] = []
        server.placing.place(request).addBoth(answers.append)
        return answers

    def run(self, until: float) -> None:
        self.server.clock.run(until)

    @property
    def conversation(self) -> Conversation:
        found: Conversation = done(self.server.conversations.get(self.server.latest()))
        return found

    @property
    def outcome(self) -> tuple[str, str]:
        found = self.conversation
        return found.status, found.end_reason

    def names(self, kind: str) -> list[str]:
        return [entry.name for entry in self.conversation.entries if entry.kind == kind]

    def told(self, event: str) -> list[dict[str, Any]]:
        return [dict(e.data) for e in self.conversation.entries if e.name == event]

    def metric(self, name: str) -> str:
        return {e.name: e.value for e in self.conversation.entries if e.kind == "metric"}[name]


@pytest.fixture
def house(request: pytest.FixtureRequest) -> Iterator[House]:
    """One call; when it is over, nothing is left, and the phone has nothing to complain of."""
    made = House(*getattr(request, "param", ()))
    yield made
    if made.phone.answered_at:
        made.phone.hang_up()
    made.phone.close()
    made.run(made.server.clock.seconds() + SETTLED)
    assert made.phone.complaints == {}
    assert made.sip.leftovers() == []


def with_phone(*manners: tuple[Any, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("house", manners, indirect=True)


@with_phone((SipManner(rings=3.0),))
def test_talk(house: House) -> None:
    """Queued at once, then it rings, is answered, talks, and the one who was called hangs up."""
    house.script.append("hours")
    house.caller.says("hours", at=6.0, lasting=1.0)
    house.caller.hangs_up(at=10.0)
    answers = house.place()
    house.run(0.5)
    assert [answer.status for answer in answers] == ["queued"]
    house.run(2.0)
    assert house.outcome == ("ringing", "")
    house.run(14.0)
    said = [entry.value for entry in house.conversation.entries if entry.kind == "message"]
    assert said == [GREETING, "hours", ANSWER]
    assert house.outcome == ("ended", "remote_hangup")
    assert house.metric("call.disconnected_by") == "user"
    events = house.names("event")
    order = ["call.queued", "channel_created", "call.ringing", "call.answered", "call.connected"]
    assert [name for name in events if name in order] == order


@with_phone((SipManner(rings=100.0),))
def test_no_answer(house: House) -> None:
    """It rings as long as it may, and is cancelled."""
    house.place(ring_timeout=20)
    house.run(19.0)
    assert house.outcome == ("ringing", "")
    house.run(21.0)
    assert house.outcome == ("failed", "no_answer")
    assert house.metric("call.status") == "no_answer"
    assert str(house.caller.ending) == "server_hung_up (cancelled)"


@with_phone((SipManner(rings=30.0),))
def test_given_up(house: House) -> None:
    """By whoever has asked for it, while it rings."""
    house.place()
    house.run(3.0)
    assert house.server.placing.give_up(house.server.latest(), house.server.project_id)
    house.run(5.0)
    assert house.outcome == ("failed", "cancelled")
    assert str(house.caller.ending) == "server_hung_up (cancelled)"


@with_phone((SipManner(rings=1.0),))
def test_hung_up_by_us(house: House) -> None:
    """Over the API, while it talks."""
    house.place()
    house.run(4.0)
    house.server.calls.hang_up(house.server.latest(), house.server.project_id)
    house.run(6.0)
    assert house.outcome == ("ended", "hung_up_by_api")
    assert house.metric("call.status") == "completed"


@pytest.mark.parametrize("options", [{}, {"ring_timeout": 5}])
def test_nobody_there(house: House, options: dict[str, Any]) -> None:
    """A trunk that says nothing at all, however long it is asked, has rung nobody up."""
    house.phone.close()
    answers = house.place(**options)
    house.run(40.0)
    assert [answer.status for answer in answers] == ["queued"]
    assert house.outcome == ("failed", "unreachable")
    (failed,) = house.told("call.failed")
    assert (failed["reach"], failed["retryable"]) == ("nobody", True)
    assert "retry_after" not in failed


def test_no_number(house: House) -> None:
    """What a trunk cannot dial is refused at once, in the history too."""
    server = house.server
    request = CallRequest(server.project_id, server.assistant_id, "sip:someone@elsewhere.example")
    answers: list[Any] = []
    server.placing.place(request).addBoth(answers.append)
    house.run(0.5)
    assert "trunk's own host" in answers[0].getErrorMessage()
    assert not answers[0].check(CarrierRefused)
    assert house.conversation.status == "failed"
