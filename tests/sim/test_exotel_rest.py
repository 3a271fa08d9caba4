"""Exotel's REST API as the farm has it: what it takes, and what becomes of a call."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import pytest

from rapida_tw.sim.call_steps import Over
from rapida_tw.sim.caller import Caller
from rapida_tw.sim.exotel import Flow
from rapida_tw.sim.exotel_placed import ExotelAccount
from rapida_tw.sim.exotel_rest import ExotelRest
from rapida_tw.sim.habits import Habit, Reaction
from rapida_tw.sim.http import HttpAnswer, HttpRequest
from rapida_tw.sim.vendors.base import Asked
from tests.sim.outgoing import Client, Told, basic

EVENTS = "https://voice.example.com/ctx/1/event"
VOICEBOT = "https://voice.example.com/call/7"
BASE = "/v1/Accounts/exotel1"
DIRECT: dict[str, Any] = {
    "From": "+919800000001",
    "CallerId": "08000000002",
    "StreamUrl": "wss://voice.example.com/ctx/1",
    "StreamType": "bidirectional",
    "CustomField": "context-1",
    "StatusCallback": EVENTS,
    "StatusCallbackContentType": "application/json",
    "StatusCallbackEvents[0]": "terminal",
    "StatusCallbackEvents[1]": "answered",
}
FLOW = {
    **{name: value for name, value in DIRECT.items() if not name.startswith("Stream")},
    "Url": "http://my.exotel.com/exotel1/exoml/start_voice/926",
}


class Exotel(Client):
    def __init__(self, habit: Habit | None = None, **account: Any) -> None:
        super().__init__(habit)
        flow = Flow(VOICEBOT, passthru_url="https://voice.example.com/passthru")
        self.rest = ExotelRest(
            self.board, ExotelAccount("exotel1", "key", "token", flow, **account)
        )

    def create(
        self, form: dict[str, Any] | None = None, ends: str = ".json", **changes: Any
    ) -> Told:
        given = {**(form or DIRECT), **changes}
        order = {name: value for name, value in given.items() if value is not None}
        path = f"{BASE}/Calls/connect{ends}"
        return self.ask(self.rest, "POST", path, form=order, headers=basic("key", "token"))

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(one.body) for one in self.asked if one.url == EVENTS]


def test_direct() -> None:
    """The answered phone is connected with the stream; the end is told."""
    caller = Caller()
    caller.hangs_up(at=3.0)
    exotel = Exotel(Habit(phone=lambda: caller))
    told = exotel.create()
    assert told.status == 200
    call = told.json["Call"]
    assert (call["Status"], call["From"]) == ("in-progress", "09800000001")
    exotel.run(4.0)
    start = json.loads(str(exotel.media.made[0].messages[1]))
    assert start["start"]["call_sid"] == call["Sid"]
    exotel.run(3.0)
    assert [one["EventType"] for one in exotel.events] == ["answered", "terminal"]
    last = exotel.events[-1]
    assert (last["Status"], last["ConversationDuration"]) == ("completed", 3)
    assert (last["CallSid"], last["CustomField"]) == (call["Sid"], "context-1")
    assert last["Legs"][0]["Status"] == "completed"
    assert [one for one in exotel.asked if "passthru" in one.url] == []
    assert exotel.rest.troubles.complaints == {}
    exotel.run(3.0)
    assert exotel.clock.getDelayedCalls() == []


def test_flow() -> None:
    """A call flow asks for its stream, and says whose call it is; its Passthru comes behind."""
    exotel = Exotel()
    body = b'{"url": "wss://voice.example.com/ctx/1"}'
    exotel.documents[VOICEBOT] = HttpAnswer(200, {"content-type": "application/json"}, body)
    sid = exotel.create(FLOW).json["Call"]["Sid"]
    exotel.run(4.0)
    (asked,) = [one for one in exotel.asked if one.url.startswith(VOICEBOT)]
    assert asked.method == "GET"
    for part in (f"CallSid={sid}", "Direction=outbound-dial", "CustomField=context-1"):
        assert part in asked.url
    exotel.media.made[0].close(1000)
    exotel.run(0.2)
    assert exotel.board.latest.over is Over.COMPLETED
    assert any("passthru" in one.url for one in exotel.asked)


ENDS = [
    (Habit(Reaction.BUSY), "busy"),
    (Habit(Reaction.NOBODY), "no-answer"),
    (Habit(Reaction.FAILED), "failed"),
]


@pytest.mark.parametrize(("habit", "status"), ENDS)
def test_nobody(habit: Habit, status: str) -> None:
    """Whoever is not reached is told with Exotel's status, after a 200 all the same."""
    exotel = Exotel(habit)
    assert exotel.create(TimeOut="20").status == 200
    exotel.run(22.0)
    assert [one["Status"] for one in exotel.events] == [status]
    assert exotel.media.made == []


def parts(request: HttpRequest) -> dict[str, str]:
    """Of a multipart body."""
    boundary = request.headers["Content-Type"].partition("boundary=")[2]
    found = {}
    for piece in request.body.decode().split(f"--{boundary}\r\n")[1:]:
        head, _, value = piece.partition("\r\n\r\n")
        found[head.partition('name="')[2].rstrip('"')] = value.partition("\r\n")[0]
    return found


def test_multipart() -> None:
    """Callbacks are multipart unless JSON was asked for; their legs are flattened."""
    exotel = Exotel(Habit(Reaction.BUSY))
    exotel.create(StatusCallbackContentType=None)
    exotel.run(4.0)
    told = parts(exotel.asked[-1])
    assert (told["Status"], told["EventType"]) == ("busy", "terminal")
    assert told["Legs[0][Status]"] == "busy"


def test_only_the_end() -> None:
    """Without events only the end is told, in few fields."""
    exotel = Exotel(Habit(Reaction.BUSY))
    few = {name: value for name, value in DIRECT.items() if "Events" not in name}
    exotel.create(few)
    exotel.run(4.0)
    assert [set(one) for one in exotel.events] == [
        {"CallSid", "DateUpdated", "Status", "RecordingUrl"}
    ]


def test_xml() -> None:
    """Without .json the answer is XML, which nobody wants by design."""
    exotel = Exotel()
    told = exotel.create(ends="")
    assert told.headers["Content-Type"] == "application/xml"
    assert ElementTree.fromstring(told.body).findtext("Call/Status") == "in-progress"
    assert exotel.rest.troubles.complaints
    exotel.board.stop()


def test_multipart_request() -> None:
    """The order may be multipart, too."""
    exotel = Exotel()
    lines = []
    for name, value in DIRECT.items():
        lines += ["--xyz", f'Content-Disposition: form-data; name="{name}"', "", value]
    body = "\r\n".join((*lines, "--xyz--", "")).encode()
    told = Told(exotel.clock)
    headers = {
        "authorization": basic("key", "token")["Authorization"],
        "content-type": "multipart/form-data; boundary=xyz",
    }
    exotel.rest.answer(Asked("POST", f"{BASE}/Calls/connect.json", {}, headers, body), told)
    assert told.status == 200
    assert exotel.rest.troubles.complaints == {}
    exotel.board.stop()


REFUSED: list[tuple[dict[str, Any], int]] = [
    ({"From": None}, 400),
    ({"From": "12"}, 400),
    ({"CallerId": None}, 400),
    ({"CallerId": "08000000099"}, 403),
    ({"StreamUrl": None}, 400),
    ({"Url": FLOW["Url"]}, 400),
    ({"StreamUrl": "https://voice.example.com/ctx/1"}, 400),
    ({"StreamUrl": "wss://voice.example.com/" + "x" * 600}, 400),
    ({"StreamUrl": "wss://voice.example.com/?a=1&b=2&c=3&d=4"}, 400),
    ({"StreamType": None}, 400),
    ({"StreamUrl": None, "StreamType": None, "Url": "https://voice.example.com/"}, 400),
    ({"CustomField": "x" * 129}, 400),
    ({"StatusCallback": "voice.example.com"}, 400),
    ({"StatusCallbackContentType": "text/xml"}, 400),
    ({"TimeLimit": "14401"}, 400),
]


@pytest.mark.parametrize(("changes", "status"), REFUSED)
def test_refused(changes: dict[str, Any], status: int) -> None:
    """A call that Exotel would not place is refused as a RestException, and noted."""
    exotel = Exotel(exophones=frozenset({"08000000002"}))
    told = exotel.create(**changes)
    assert (told.status, told.json["RestException"]["Status"]) == (status, status)
    assert exotel.board.calls == {}
    assert sum(exotel.rest.troubles.complaints.values()) == 1


def test_swallowed() -> None:
    """What Exotel would take without a word is noted all the same."""
    exotel = Exotel()
    exotel.create({**DIRECT, "StatusCallbackEvents[2]": "completed", "Timeout": "20"})
    assert len(exotel.rest.troubles.complaints) == 2
    exotel.board.stop()


def test_wrong_token() -> None:
    """401, in place of anything else."""
    exotel = Exotel()
    path = f"{BASE}/Calls/connect.json"
    told = exotel.ask(exotel.rest, "POST", path, form=DIRECT, headers=basic("key", "wrong"))
    assert told.json["RestException"]["Status"] == 401
    assert exotel.board.calls == {}


def test_read() -> None:
    """A call can be read, the account too; others are not found."""
    exotel = Exotel()
    sid = exotel.create().json["Call"]["Sid"]

    def get(path: str) -> Told:
        return exotel.ask(exotel.rest, "GET", f"{BASE}{path}", headers=basic("key", "token"))

    assert get(f"/Calls/{sid}.json").json["Call"]["Sid"] == sid
    assert get(".json").json["Account"]["Sid"] == "exotel1"
    assert get("/Calls.json").json["Metadata"]["Total"] == 1
    assert b"<ActiveStreamCount>0<" in get("/ActiveStreams").body
    assert exotel.rest.troubles.complaints == {}
    assert get("/Calls/1.json").status == 404
    exotel.board.stop()
