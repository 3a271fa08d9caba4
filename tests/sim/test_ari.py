"""The fake of ARI, asked by another client than ours, over real loopback and by hand."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import pytest
from twisted.internet.task import Clock

from rapida_tw.sim.ari import FakeAri
from rapida_tw.sim.ari_channels import Person
from rapida_tw.sim.vendors.base import Asked, Refusal

LOGIN = {"authorization": "Basic " + b64encode(b"rapida:ari-secret").decode()}


class Reply:
    """Keeps the answer."""

    gone = False

    def __init__(self, clock: Any) -> None:
        self.clock: Any = clock
        self.status = 0
        self.document: Any = None

    def whole(self, status: int, body: Any) -> None:
        self.status, self.document = status, body

    def head(self, status: int, headers: Mapping[str, str] | None = None) -> None: ...
    def write(self, data: bytes) -> None: ...
    def end(self) -> None: ...
    def drop(self) -> None: ...


class Line:
    """Keeps the events."""

    def __init__(self, clock: Any) -> None:
        self.clock: Any = clock
        self.events: list[Any] = []

    def send(self, message: Any) -> None:
        self.events.append(message)

    def send_fragments(self, *pieces: bytes, binary: bool = False) -> None: ...
    def ping(self, payload: bytes = b"") -> None: ...
    def close(self, code: int = 1000, reason: str = "") -> None: ...
    def drop(self) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...


class Asking:
    """One Asterisk and who asks it."""

    def __init__(self) -> None:
        self.clock: Any = Clock()
        self.ari = FakeAri(self.clock)
        self.line = Line(self.clock)

    def listen(self, app: str = "rapida") -> Any:
        asked = Asked("GET", "/ari/events", {"app": [app]}, LOGIN)
        return self.ari.connect(asked, self.line)

    def ask(self, method: str, path: str, body: Any = None, **query: str) -> tuple[int, Any]:
        headers = LOGIN | ({"content-type": "application/json"} if body is not None else {})
        content = b"" if body is None else json.dumps(body).encode()
        fields = {name: [value] for name, value in query.items()}
        reply = Reply(self.clock)
        self.ari.answer(Asked(method, f"/ari{path}", fields, headers, content), reply)
        return reply.status, reply.document

    def kinds(self) -> list[str]:
        return [event["type"] for event in self.line.events]


@pytest.fixture
def asterisk() -> Asking:
    return Asking()


ENDPOINT = "PJSIP/+15551234567@trunk"


def test_answered(asterisk: Asking) -> None:
    """Events come in the order in which a real one sends them."""
    asterisk.listen()
    asterisk.ask("POST", "/channels", endpoint=ENDPOINT, app="rapida", channelId="c")
    asterisk.clock.advance(0.5)
    asterisk.clock.advance(1)
    told = [kind for kind in asterisk.kinds() if kind != "ChannelVarset"]
    assert told == [
        *("Dial", "ChannelStateChange", "Dial", "ChannelStateChange", "Dial", "StasisStart")
    ]
    asterisk.ask("DELETE", "/channels/c")
    assert asterisk.kinds()[-3:] == ["ChannelHangupRequest", "StasisEnd", "ChannelDestroyed"]


def test_refused(asterisk: Asking) -> None:
    """Who is busy never comes into the application."""
    asterisk.listen()
    asterisk.ari.channels.people[""] = Person(cause=17, sip=486)
    asterisk.ask("POST", "/channels", endpoint=ENDPOINT, app="rapida", channelId="c")
    asterisk.clock.advance(2)
    assert "StasisStart" not in asterisk.kinds()
    last = asterisk.line.events[-1]
    assert (last["cause"], last["cause_txt"], last["tech_cause"]) == (17, "User busy", 486)


def test_no_application(asterisk: Asking) -> None:
    """Who answers while it is not there is hung up."""
    asterisk.ask("POST", "/channels", endpoint=ENDPOINT, app="rapida", channelId="c")
    asterisk.clock.advance(2)
    assert asterisk.ari.channels.destroyed == [("c", 16)]


@pytest.mark.parametrize(
    "endpoint",
    [
        "PJSIP/trunk/+15551234567",
        "PJSIP/+15551234567",
        "PJSIP/+15551234567@nowhere",
        "SCCP/1",
        "Local/1@nowhere",
        "",
    ],
)
def test_not_dialled(asterisk: Asking, endpoint: str) -> None:
    """Dial strings that a real one cannot use."""
    status, document = asterisk.ask("POST", "/channels", endpoint=endpoint, app="rapida")
    assert (status, document) in (
        (500, {"error": "Allocation failed"}),
        (400, {"message": "Endpoint must be specified"}),
    )


@pytest.mark.parametrize(
    ("method", "path", "query", "status"),
    [
        ("GET", "/channels/x", {}, 404),
        ("PUT", "/channels/x", {}, 405),
        ("GET", "/nothing", {}, 404),
        ("POST", "/channels", {"endpoint": ENDPOINT}, 400),
        ("POST", "/channels", {"endpoint": ENDPOINT, "app": "a", "colour": "red"}, 400),
        ("POST", "/channels/c/dtmf", {"dtmf": "1"}, 409),
        ("POST", "/channels", {"endpoint": ENDPOINT, "app": "a", "channelId": "c"}, 409),
        ("POST", "/bridges/b/addChannel", {"channel": "c"}, 404),
        ("POST", "/channels/externalMedia", {"app": "a", "format": "slin"}, 400),
        ("POST", "/applications/a/subscription", {"eventSource": "channel:c"}, 404),
        ("GET", "/asterisk/ping", {}, 200),
    ],
)
def test_statuses(
    asterisk: Asking, method: str, path: str, query: Mapping[str, str], status: int
) -> None:
    """What a real one answers."""
    asterisk.ask("POST", "/channels", endpoint=ENDPOINT, app="rapida", channelId="c")
    assert asterisk.ask(method, path, **query)[0] == status


def test_login(asterisk: Asking) -> None:
    """By header or query; without one nothing is told."""
    asked = Asked("GET", "/ari/events", {"app": ["rapida"]}, {})
    assert isinstance(asterisk.ari.connect(asked, asterisk.line), Refusal)
    query = {"app": ["rapida"], "api_key": ["rapida:ari-secret"]}
    asked = Asked("GET", "/ari/events", query, {})
    assert not isinstance(asterisk.ari.connect(asked, asterisk.line), Refusal)


def test_replaced(asterisk: Asking) -> None:
    """A second socket takes the events of an application."""
    asterisk.listen()
    first, asterisk.line = asterisk.line, Line(asterisk.clock)
    asterisk.listen()
    assert first.events == [{"type": "ApplicationReplaced", "application": "rapida"}]
