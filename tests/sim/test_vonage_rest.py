"""Vonage's REST API as the farm has it: what it takes, and what becomes of a call."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from rapida_tw.sim.call_steps import Dial, Tones
from rapida_tw.sim.caller import Caller
from rapida_tw.sim.habits import Habit, Reaction
from rapida_tw.sim.http import HttpAnswer
from rapida_tw.sim.vonage_placed import VonageAccount
from rapida_tw.sim.vonage_rest import VonageRest
from tests.sim.outgoing import NOW, Client, Told

APPLICATION = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab"
SECRET = "abcdef0123456789"
EVENTS = "https://voice.example.com/ctx/1/event"
KEY = rsa.generate_private_key(65_537, 2048)
PEM = KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)
ENDPOINT = {
    "type": "websocket",
    "uri": "wss://voice.example.com/ctx/1",
    "content-type": "audio/l16;rate=16000",
    "headers": {"assistant_id": "7"},
}
NCCO = [{"action": "connect", "endpoint": [ENDPOINT]}]
ORDER: dict[str, Any] = {
    "to": [{"type": "phone", "number": "15550100001"}],
    "from": {"type": "phone", "number": "15550100002"},
    "ncco": NCCO,
    "event_url": [EVENTS],
    "event_method": "POST",
    "ringing_timer": 20,
}


def token(key: Any = KEY, **changes: Any) -> str:
    claims = {
        "application_id": APPLICATION,
        "iat": int(NOW),
        "exp": int(NOW) + 900,
        "jti": str(uuid4()),
    }
    given = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    return jwt.encode(given, key, "RS256")


class Vonage(Client):
    def __init__(self, habit: Habit | None = None, **account: Any) -> None:
        super().__init__(habit)
        known = VonageAccount(PEM.decode(), APPLICATION, api_secret=SECRET, **account)
        self.rest = VonageRest(self.board, known)
        self.host = "api.nexmo.com"

    def send(self, method: str, path: str, document: Any = None, shown: str = "") -> Told:
        headers = {"Authorization": f"Bearer {shown or token()}", "Host": self.host}
        return self.ask(self.rest, method, path, document=document, headers=headers)

    def create(self, **changes: Any) -> Told:
        order = {name: value for name, value in {**ORDER, **changes}.items() if value is not None}
        return self.send("POST", "/v1/calls", order)

    def placed(self, **changes: Any) -> str:
        told = self.create(**changes)
        assert told.status == 201, told.body
        uuid: str = told.json["uuid"]
        return uuid

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(one.body) for one in self.asked if one.url == EVENTS]

    def statuses(self, uuid: str) -> list[str]:
        return [one["status"] for one in self.events if one.get("uuid") == uuid]


def test_life() -> None:
    """Both legs tell of themselves, by different uuids in one conversation."""
    caller = Caller()
    caller.hangs_up(at=3.0)
    vonage = Vonage(Habit(phone=lambda: caller))
    told = vonage.create()
    assert (told.status, told.json["status"]) == (201, "started")
    uuid, conversation = told.json["uuid"], told.json["conversation_uuid"]
    vonage.run(4.0)
    assert vonage.send("GET", f"/v1/calls/{uuid}").json["status"] == "answered"
    first = json.loads(str(vonage.media.made[0].messages[0]))
    assert (first["event"], first["assistant_id"]) == ("websocket:connected", "7")
    vonage.run(3.0)
    assert vonage.statuses(uuid) == ["started", "ringing", "answered", "completed"]
    sockets = [one for one in vonage.events if one["to"] == ENDPOINT["uri"]]
    assert [one["status"] for one in sockets] == ["answered", "completed"]
    assert sockets[0]["uuid"] != uuid
    assert {one["conversation_uuid"] for one in vonage.events} == {conversation}
    completed = vonage.events[-1]
    assert (completed["duration"], completed["disconnected_by"]) == ("3", "user")
    assert vonage.rest.troubles.complaints == {}
    vonage.run(3.0)
    assert vonage.clock.getDelayedCalls() == []


ENDS: list[tuple[Habit, str, str | None]] = [
    (Habit(Reaction.BUSY), "busy", None),
    (Habit(Reaction.NOBODY), "timeout", None),
    (Habit(Reaction.FAILED), "failed", "cannot_route"),
    (Habit(Reaction.DECLINES), "rejected", "declined"),
]


@pytest.mark.parametrize(("habit", "status", "detail"), ENDS)
def test_nobody(habit: Habit, status: str, detail: str | None) -> None:
    """Whoever is not reached is told with Vonage's status and detail."""
    vonage = Vonage(habit)
    vonage.placed()
    vonage.run(22.0)
    last = vonage.events[-1]
    assert (last["status"], last.get("detail")) == (status, detail)
    assert vonage.media.made == []
    assert vonage.clock.getDelayedCalls() == []


def test_cancelled() -> None:
    """A hang-up while it rings cancels it; a second one comes too late, which is no mistake."""
    vonage = Vonage(Habit(Reaction.NOBODY))
    uuid = vonage.placed()
    vonage.run(2.0)
    assert vonage.send("PUT", f"/v1/calls/{uuid}", {"action": "hangup"}).status == 204
    vonage.run(0.1)
    assert vonage.statuses(uuid)[-1] == "cancelled"
    assert vonage.send("PUT", f"/v1/calls/{uuid}", {"action": "hangup"}).status == 404
    assert (vonage.rest.late, vonage.rest.troubles.complaints) == (1, {})


def test_hung_up() -> None:
    """A hang-up by REST is no `disconnected`; a socket that the server closes is one."""
    vonage = Vonage()
    uuid = vonage.placed()
    vonage.run(4.0)
    vonage.send("PUT", f"/v1/calls/{uuid}", {"action": "hangup"})
    vonage.run(0.2)
    assert vonage.media.made[0].closed_with == (1000, "")
    assert "disconnected" not in [one["status"] for one in vonage.events]
    assert vonage.events[-1]["disconnected_by"] == "platform"
    vonage.placed()
    vonage.run(4.0)
    vonage.media.made[1].close(1000)
    vonage.run(0.2)
    assert "disconnected" in [one["status"] for one in vonage.events]


def test_transfer() -> None:
    """Another NCCO takes the call from its socket to a phone."""
    vonage = Vonage(Habit(lasts=2.0, after=1.0))
    uuid = vonage.placed()
    vonage.run(4.0)
    phone = {"type": "phone", "number": "15550100003"}
    ncco = [{"action": "connect", "from": "15550100002", "endpoint": [phone]}]
    change = {"action": "transfer", "destination": {"type": "ncco", "ncco": ncco}}
    assert vonage.send("PUT", f"/v1/calls/{uuid}", change).status == 204
    vonage.run(1.0)
    assert vonage.media.made[0].lost is not None
    assert not vonage.board.latest.is_over
    vonage.run(4.0)
    (dial,) = vonage.board.latest.noted
    assert isinstance(dial, Dial)
    assert (dial.number, dial.caller) == ("15550100003", "15550100002")
    assert vonage.statuses(uuid)[-1] == "completed"


def test_digits() -> None:
    """Tones go to the phone while the socket stays."""
    vonage = Vonage()
    uuid = vonage.placed()
    vonage.run(4.0)
    told = vonage.send("PUT", f"/v1/calls/{uuid}/dtmf", {"digits": "12#"})
    assert (told.status, told.json) == (200, {"message": "DTMF sent", "uuid": uuid})
    assert vonage.board.latest.noted == [Tones("12#")]
    assert vonage.media.made[0].lost is None
    vonage.board.stop()


def test_answer_url() -> None:
    """Without an NCCO of its own a call asks for one when it is answered."""
    vonage = Vonage()
    url = "https://voice.example.com/ncco"
    body = json.dumps(NCCO).encode()
    vonage.documents[url] = HttpAnswer(200, {"content-type": "application/json"}, body)
    vonage.placed(ncco=None, answer_url=[url])
    vonage.run(4.0)
    assert len(vonage.media.made) == 1
    vonage.board.stop()


def test_region() -> None:
    """A call is known only in the region where it was placed."""
    vonage = Vonage()
    uuid = vonage.placed()
    vonage.host = "api-us-3.vonage.com"
    assert vonage.send("GET", f"/v1/calls/{uuid}").status == 404
    vonage.board.stop()


def test_other_leg() -> None:
    """Who addresses the WebSocket's leg has made a mistake, although it is one call."""
    vonage = Vonage()
    vonage.placed()
    vonage.run(4.0)
    (leg,) = {one["uuid"] for one in vonage.events if one["to"] == ENDPOINT["uri"]}
    vonage.send("PUT", f"/v1/calls/{leg}", {"action": "hangup"})
    assert "the WebSocket's leg is addressed" in next(iter(vonage.rest.troubles.complaints))
    vonage.board.stop()


# -- machines -------------------------------------------------------------------------------------

MACHINE = Habit(Reaction.MACHINE, greeting=4.0)
ADVANCED = "advanced_machine_detection"
DETECTED: list[tuple[Habit, dict[str, Any], list[tuple[str, str | None]]]] = [
    (Habit(), {ADVANCED: {"mode": "default"}}, [("human", None)]),
    (MACHINE, {ADVANCED: {"mode": "default"}}, [("machine", None), ("machine", "beep_start")]),
    (MACHINE, {"machine_detection": "continue"}, [("machine", None)]),
    (
        Habit(Reaction.MACHINE, beeps=False),
        {ADVANCED: {"behavior": "continue"}},
        [("machine", None), ("machine", "beep_timeout")],
    ),
]


@pytest.mark.parametrize(("habit", "asked", "expected"), DETECTED)
def test_detection(habit: Habit, asked: Any, expected: list[tuple[str, str | None]]) -> None:
    """Events tell who has answered, and when a machine listens."""
    vonage = Vonage(habit)
    vonage.placed(**asked)
    vonage.run(12.0)
    found = [
        (one["status"], one.get("sub_state"))
        for one in vonage.events
        if one["status"] in ("human", "machine")
    ]
    assert found == expected
    vonage.board.stop()


def test_hangs_up_on_machines() -> None:
    """behavior=hangup ends the call of its own accord."""
    vonage = Vonage(MACHINE)
    vonage.placed(advanced_machine_detection={"behavior": "hangup", "mode": "default"})
    vonage.run(6.0)
    assert vonage.board.latest.is_over
    assert [one["status"] for one in vonage.events][-3:] == ["machine", "completed", "completed"]


def test_waits_for_the_beep() -> None:
    """With detect_beep the NCCO begins behind the beep."""
    vonage = Vonage(MACHINE)
    vonage.placed(advanced_machine_detection={"mode": "detect_beep"})
    vonage.run(6.5)
    assert vonage.media.made == []
    vonage.run(1.5)
    assert len(vonage.media.made) == 1
    vonage.board.stop()


# -- what is refused -------------------------------------------------------------------------------

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"to": [{"type": "phone", "number": "+15550100001"}]}, "to"),
    ({"to": {"type": "phone", "number": "15550100001"}}, "to"),
    ({"from": {"type": "phone", "number": "+15550100002"}}, "from"),
    ({"from": None}, "from"),
    ({"random_from_number": True}, "from"),
    ({"from": {"type": "phone", "number": "15550100077"}}, "from"),
    ({"ncco": None}, "ncco"),
    ({"answer_url": ["https://voice.example.com/x"]}, "ncco"),
    ({"ncco": [{"action": "connect", "endpoint": [{**ENDPOINT, "contentType": ""}, 1]}]}, "ncco"),
    ({"ncco": [{"action": "dial"}]}, "ncco"),
    ({"ncco": [{"action": "talk", "text": ""}]}, "ncco"),
    ({"event_url": EVENTS}, "event_url"),
    ({"event_method": "PUT"}, "event_method"),
    ({"ringing_timer": 121}, "ringing_timer"),
    ({"ringing_timer": 20.0}, "ringing_timer"),
    ({"length_timer": 0}, "length_timer"),
    ({"machine_detection": "on"}, "machine_detection"),
    ({ADVANCED: {"mode": "async"}}, ADVANCED),
    ({ADVANCED: {"beep_timeout": 44}}, "beep_timeout"),
    ({"status_url": [EVENTS]}, "status_url"),
]


@pytest.mark.parametrize(("changes", "parameter"), REFUSED)
def test_refused(changes: dict[str, Any], parameter: str) -> None:
    """A call that Vonage would not place is refused with what is wrong, and noted."""
    vonage = Vonage(numbers=frozenset({"15550100002"}))
    told = vonage.create(**changes)
    assert (told.status, told.json["type"]) == (400, "BAD_REQUEST")
    assert list(told.json["invalid_parameters"]) == [parameter]
    assert vonage.board.calls == {}
    assert sum(vonage.rest.troubles.complaints.values()) == 1


TOKENS: list[dict[str, Any]] = [
    {"application_id": "bbbbbbbb-bbbb-cccc-dddd-0123456789ab"},
    {"application_id": None},
    {"jti": None},
    {"iat": None},
    {"exp": None},
    {"exp": int(NOW) - 1, "iat": int(NOW) - 900},
    {"iat": int(NOW) + 120, "exp": int(NOW) + 900},
    {"exp": int(NOW) + 86_500},
    {"exp": int(NOW) + 10},
    {"key": rsa.generate_private_key(65_537, 2048)},
]


@pytest.mark.parametrize("changes", TOKENS)
def test_bad_token(changes: dict[str, Any]) -> None:
    """401 for a token of somebody else, or of another time."""
    vonage = Vonage()
    told = vonage.send("POST", "/v1/calls", ORDER, shown=token(**changes))
    assert (told.status, told.json["type"]) == (401, "UNAUTHORIZED")
    assert vonage.board.calls == {}


def test_other_algorithm() -> None:
    """Only RS256 is taken."""
    claims = {"application_id": APPLICATION, "iat": int(NOW), "exp": int(NOW) + 900, "jti": "1"}
    weak = jwt.encode(claims, "0" * 32, "HS256")
    assert Vonage().send("POST", "/v1/calls", ORDER, shown=weak).status == 401


def test_unknown() -> None:
    """A call that never was."""
    told = Vonage().send("PUT", f"/v1/calls/{uuid4()}", {"action": "hangup"})
    assert (told.status, told.json["type"]) == (404, "NOT_FOUND")


CHANGES: list[Any] = [
    {"action": "hang_up"},
    {"action": "hangup", "reason": 1},
    {"action": "transfer", "destination": {"type": "ncco", "ncco": []}},
    {"action": "transfer", "destination": {"ncco": NCCO}},
    [],
]


@pytest.mark.parametrize("change", CHANGES)
def test_refused_changes(change: Any) -> None:
    """Neither may a call be changed in every way."""
    vonage = Vonage()
    uuid = vonage.placed()
    vonage.run(4.0)
    assert vonage.send("PUT", f"/v1/calls/{uuid}", change).status == 400
    assert vonage.rest.troubles.complaints
    vonage.board.stop()
