"""Twilio's REST API as the farm has it: what it takes, and what becomes of a call."""

from __future__ import annotations

from typing import Any

import pytest

from rapida_tw.sim.call_steps import Dial, Over, Pause, Tones
from rapida_tw.sim.caller import Caller
from rapida_tw.sim.habits import Habit, Reaction
from rapida_tw.sim.http import HttpAnswer
from rapida_tw.sim.twilio import signature
from rapida_tw.sim.twilio_placed import TwilioAccount
from rapida_tw.sim.twilio_rest import TwilioRest
from tests.sim.outgoing import Client, Told, basic, fields

SID = "AC00000000000000000000000000000001"
TOKEN = "0123456789abcdef0123456789abcdef"
BASE = f"/2010-04-01/Accounts/{SID}"
EVENTS = "https://voice.example.com/ctx/1/event"
STREAM = (
    '<Response><Connect><Stream url="wss://voice.example.com/ctx/1">'
    '<Parameter name="assistant_id" value="7"/></Stream></Connect></Response>'
)
ORDER: dict[str, Any] = {
    "To": "+15550100001",
    "From": "+15550100002",
    "Twiml": STREAM,
    "StatusCallback": EVENTS,
    "StatusCallbackEvent": ["initiated", "ringing", "answered", "completed"],
}


class Twilio(Client):
    def __init__(self, habit: Habit | None = None, **account: Any) -> None:
        super().__init__(habit)
        self.rest = TwilioRest(self.board, TwilioAccount(SID, TOKEN, **account))

    def send(self, path: str, form: dict[str, Any] | None, user: str = SID) -> Told:
        method = "GET" if form is None else "POST"
        headers = basic(user, TOKEN)
        return self.ask(self.rest, method, f"{BASE}{path}", form=form, headers=headers)

    def create(self, **changes: Any) -> Told:
        order = {name: value for name, value in {**ORDER, **changes}.items() if value is not None}
        return self.send("/Calls.json", order)

    def placed(self, **changes: Any) -> str:
        told = self.create(**changes)
        assert told.status == 201, told.body
        sid: str = told.json["sid"]
        return sid

    @property
    def statuses(self) -> list[str]:
        return [fields(one)["CallStatus"] for one in self.asked if one.url == EVENTS]


def test_created() -> None:
    """A call is queued first, nothing is known of its life yet."""
    twilio = Twilio()
    told = twilio.create()
    assert told.status == 201
    call = told.json
    assert (call["status"], call["direction"]) == ("queued", "outbound-api")
    assert call["sid"].startswith("CA")
    assert call["date_created"] is None
    assert (call["to"], call["from"]) == (ORDER["To"], ORDER["From"])
    assert twilio.rest.troubles.complaints == {}


def test_life() -> None:
    """It rings, is answered, its stream is connected; the caller's hang-up completes it."""
    caller = Caller()
    caller.hangs_up(at=3.0)
    twilio = Twilio(Habit(phone=lambda: caller))
    sid = twilio.placed()
    twilio.run(3.0)
    assert twilio.statuses == ["initiated", "ringing", "in-progress"]
    assert b"GET /ctx/1 " in twilio.media.made[0].request
    start = twilio.media.made[0].messages[1]
    assert f'"callSid": "{sid}"' in str(start).replace('":"', '": "')
    assert '"assistant_id":"7"' in str(start)
    assert twilio.send(f"/Calls/{sid}.json", None).json["status"] == "in-progress"
    twilio.run(4.0)
    assert twilio.statuses[3:] == ["completed"]
    last = fields(twilio.asked[-1])
    assert (last["CallDuration"], last["Duration"], last["SipResponseCode"]) == ("3", "1", "200")
    assert last["SequenceNumber"] == "3"
    assert twilio.board.leftovers() == []
    twilio.run(3.0)
    assert twilio.clock.getDelayedCalls() == []


def test_signed() -> None:
    """Every callback is signed with the account's token."""
    twilio = Twilio()
    twilio.placed()
    twilio.run(1.0)
    assert twilio.asked
    for request in twilio.asked:
        signed = request.headers["X-Twilio-Signature"]
        assert signed == signature(TOKEN, request.url, fields(request))


def test_server_hangs_up() -> None:
    """A stream that the server closes ends the call: there is nothing behind it."""
    twilio = Twilio()
    twilio.placed()
    twilio.run(4.0)
    twilio.media.made[0].close(1000)
    twilio.run(0.1)
    assert twilio.board.latest.over is Over.COMPLETED


ENDS = [
    (Habit(Reaction.BUSY, after=1.0), "busy", "486"),
    (Habit(Reaction.NOBODY), "no-answer", "487"),
    (Habit(after=1_000.0), "no-answer", "487"),
    (Habit(Reaction.FAILED), "failed", "404"),
    (Habit(Reaction.DECLINES), "busy", "603"),
]


@pytest.mark.parametrize(("habit", "status", "code"), ENDS)
def test_nobody(habit: Habit, status: str, code: str) -> None:
    """Whoever is not reached is told with the carrier's status, and no media is connected."""
    twilio = Twilio(habit)
    sid = twilio.placed(Timeout="20")
    twilio.run(22.0)
    assert twilio.statuses[-1] == status
    last = fields(twilio.asked[-1])
    assert (last["SipResponseCode"], last["CallDuration"]) == (code, "0")
    assert twilio.send(f"/Calls/{sid}.json", None).json["status"] == status
    assert twilio.media.made == []
    assert twilio.clock.getDelayedCalls() == []


def test_ring_time() -> None:
    """It rings for its Timeout, and no longer."""
    twilio = Twilio(Habit(Reaction.NOBODY))
    twilio.placed(Timeout="20")
    twilio.run(20.0)
    assert not twilio.board.latest.is_over
    twilio.run(1.0)
    assert twilio.board.latest.is_over


@pytest.mark.parametrize("status", ["canceled", "completed"])
def test_cancelled(status: str) -> None:
    """While it rings both words end it."""
    twilio = Twilio(Habit(Reaction.NOBODY))
    sid = twilio.placed()
    twilio.run(2.0)
    assert twilio.send(f"/Calls/{sid}.json", {"Status": status}).status == 200
    twilio.run(0.1)
    assert twilio.statuses[-1] == "canceled"


def test_completed() -> None:
    """Status=completed ends a stream: `stop`, and the socket is closed."""
    twilio = Twilio()
    sid = twilio.placed()
    twilio.run(4.0)
    twilio.send(f"/Calls/{sid}.json", {"Status": "completed"})
    twilio.run(0.2)
    server = twilio.media.made[0]
    assert '"event":"stop"' in str(server.messages[-1])
    assert server.closed_with == (1000, "")
    assert twilio.statuses[-1] == "completed"


def test_late_update() -> None:
    """Of a call that is over Twilio says 21220; that is nobody's mistake."""
    twilio = Twilio(Habit(Reaction.BUSY))
    sid = twilio.placed()
    twilio.run(5.0)
    told = twilio.send(f"/Calls/{sid}.json", {"Status": "completed"})
    assert (told.status, told.json["code"]) == (400, 21220)
    assert (twilio.rest.late, twilio.rest.troubles.complaints) == (1, {})


def test_transfer() -> None:
    """A <Dial> takes the call from its stream; its action is told how that went."""
    twilio = Twilio()
    twilio.board.habits["15550100003"] = Habit(after=1.0, lasts=2.0)
    sid = twilio.placed()
    twilio.run(4.0)
    twiml = (
        '<Response><Dial callerId="+15550100002" timeout="30" action="https://voice.example.com/a">'
        '<Number statusCallbackEvent="initiated completed" statusCallback="https://voice.example/s">'
        "+15550100003</Number></Dial></Response>"
    )
    answer = HttpAnswer(200, {"content-type": "text/xml"}, b"<Response><Hangup/></Response>")
    twilio.documents["https://voice.example.com/a"] = answer
    assert twilio.send(f"/Calls/{sid}.json", {"Twiml": twiml}).status == 200
    twilio.run(2.0)
    assert twilio.media.made[0].lost is not None
    assert not twilio.board.latest.is_over
    twilio.run(2.0)
    (dial,) = twilio.board.latest.noted
    assert isinstance(dial, Dial)
    assert (dial.number, dial.caller) == ("+15550100003", "+15550100002")
    told = fields(next(one for one in twilio.asked if one.url.endswith("/a")))
    assert (told["DialCallStatus"], told["DialCallDuration"]) == ("completed", "2")
    assert twilio.statuses[-1] == "completed"
    assert twilio.rest.troubles.complaints == {}


def test_tones() -> None:
    """Digits are played by a document that takes the stream's place, and may begin it anew."""
    twilio = Twilio()
    sid = twilio.placed()
    twilio.run(4.0)
    again = STREAM.replace("<Response>", '<Response><Play digits="ww12#"/>')
    twilio.send(f"/Calls/{sid}.json", {"Twiml": again})
    twilio.run(1.0)
    assert twilio.board.latest.noted == [Tones("ww12#")]
    assert [server.lost is None for server in twilio.media.made] == [False, True]


def test_document_by_url() -> None:
    """Without a document of its own a call asks for one, signed, when it is answered."""
    twilio = Twilio()
    url = "https://voice.example.com/twiml"
    twilio.documents[url] = HttpAnswer(200, {"content-type": "text/xml"}, STREAM.encode())
    twilio.placed(Twiml=None, Url=url)
    twilio.run(4.0)
    (asked,) = [one for one in twilio.asked if one.url == url]
    told = fields(asked)
    assert (told["CallStatus"], told["Direction"]) == ("in-progress", "outbound-api")
    assert len(twilio.media.made) == 1


def test_no_media() -> None:
    """A stream that nobody takes is the end of the call, and is known."""
    twilio = Twilio()
    twilio.refuses = True
    twilio.placed()
    twilio.run(4.0)
    call = twilio.board.latest
    assert call.over is Over.COMPLETED
    assert "no connection" in call.errors[0]


# -- machines -------------------------------------------------------------------------------------

AMD = {"AsyncAmd": "true", "AsyncAmdStatusCallback": f"{EVENTS}?amd=1"}
MACHINE = Habit(Reaction.MACHINE, greeting=4.0)
VERDICTS = [
    (Habit(), "Enable", "human", "1600"),
    (MACHINE, "Enable", "machine_start", "2400"),
    (MACHINE, "DetectMessageEnd", "machine_end_beep", "4500"),
    (Habit(Reaction.MACHINE, beeps=False), "DetectMessageEnd", "machine_end_silence", "5200"),
]


@pytest.mark.parametrize(("habit", "mode", "verdict", "took"), VERDICTS)
def test_detection(habit: Habit, mode: str, verdict: str, took: str) -> None:
    """While the stream runs already, it is told who has answered."""
    twilio = Twilio(habit)
    twilio.placed(MachineDetection=mode, **AMD)
    twilio.run(2.7)
    assert len(twilio.media.made) == 1
    twilio.run(6.0)
    (found,) = [one for one in twilio.asked if one.url.endswith("?amd=1")]
    told = fields(found)
    assert (told["AnsweredBy"], told["MachineDetectionDuration"]) == (verdict, took)
    assert "CallStatus" not in told
    assert twilio.rest.troubles.complaints == {}


def test_waiting_detection() -> None:
    """Without AsyncAmd the document waits for the verdict, and is told it."""
    twilio = Twilio(MACHINE)
    url = "https://voice.example.com/twiml"
    twilio.documents[url] = HttpAnswer(200, {"content-type": "text/xml"}, STREAM.encode())
    twilio.placed(MachineDetection="DetectMessageEnd", Twiml=None, Url=url)
    twilio.run(6.0)
    assert twilio.media.made == []
    twilio.run(2.0)
    (asked,) = [one for one in twilio.asked if one.url == url]
    assert fields(asked)["AnsweredBy"] == "machine_end_beep"
    assert len(twilio.media.made) == 1


def test_machine_listens() -> None:
    """A machine greets, beeps, and hangs up when it has listened for long enough."""
    twilio = Twilio(Habit(Reaction.MACHINE, greeting=2.0, listens=5.0))
    twilio.placed()
    twilio.run(12.0)
    call = twilio.board.latest
    assert call.over is Over.COMPLETED
    assert 6.9 < (call.ended_at or 0.0) - (call.answered_at or 0.0) < 7.2


def test_stop() -> None:
    """Whatever a switchboard does when it is stopped, nothing of it goes on."""
    twilio = Twilio(Habit(Reaction.MACHINE))
    for wait in (0.05, 0.3, 1.0, 3.0):
        twilio.placed(MachineDetection="Enable", **AMD)
        twilio.run(wait)
    twilio.board.stop()
    twilio.run(0.1)
    assert twilio.clock.getDelayedCalls() == []


def test_say() -> None:
    """What a document says takes its time."""
    twilio = Twilio()
    twilio.placed(Twiml="<Response><Say>Good bye to you.</Say><Hangup/></Response>")
    twilio.run(2.7)
    assert not twilio.board.latest.is_over
    twilio.run(1.0)
    assert twilio.board.latest.is_over
    assert twilio.board.latest.noted == [Pause(pytest.approx(0.96), "Good bye to you.")]
