"""A client of a carrier's REST API, for tests: asks, and notes what the carrier then does."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Clock

from rapida_tw.sim.call_steps import Report
from rapida_tw.sim.carrier import Media
from rapida_tw.sim.habits import Habit
from rapida_tw.sim.http import HttpAnswer, HttpRequest, NoAnswer
from rapida_tw.sim.memory import Network
from rapida_tw.sim.metronome import Metronome
from rapida_tw.sim.placed_call import PlacedCall
from rapida_tw.sim.switchboard import Delivery, Switchboard, Ways
from rapida_tw.sim.vendors.base import Asked, FakeVendor
from rapida_tw.sim.websocket_line import WebSocketLine
from tests.sim.peers import run
from tests.sim.websocket_server import MediaServers

NOW = 1_767_323_045.0


class Told:
    """A `Reply` that keeps what it is told."""

    def __init__(self, clock: IReactorTime) -> None:
        self.clock = clock
        self.gone = False
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.body = b""
        self.over = self.dropped = False

    def head(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        self.status, self.headers = status, dict(headers or {})

    def write(self, data: bytes) -> None:
        self.body += data

    def end(self) -> None:
        self.over = True

    def whole(self, status: int, body: bytes | str | Mapping[str, Any] | list[Any]) -> None:
        self.head(status)
        self.body = body if isinstance(body, bytes) else _text(body).encode()
        self.over = True

    def drop(self) -> None:
        self.dropped = True

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def _text(body: Any) -> str:
    return body if isinstance(body, str) else json.dumps(body)


class Client:
    """One switchboard, plugged in; its callbacks are answered with `status`."""

    def __init__(self, habit: Habit | None = None, delivery: Delivery | None = None) -> None:
        self.clock = Clock()
        self.board = Switchboard(habit, delivery)
        self.media = MediaServers()
        self.asked: list[HttpRequest] = []  # by the carrier
        self.documents: dict[str, HttpAnswer] = {}  # what these addresses answer
        self.status = 204
        self.deaf = False  # nobody answers callbacks
        self.refuses = False  # no connection for media
        self.reports: list[Report] = []
        self.board.watch = self._happened
        ways = Ways(
            self.clock,
            self._http,
            self._connect,
            Metronome(self.clock),
            lambda: NOW + self.clock.seconds(),
        )
        self.board.plug_in(ways)

    def _happened(self, call: PlacedCall, report: Report) -> None:
        self.reports.append(report)

    def _http(self, request: HttpRequest) -> Deferred[HttpAnswer]:
        self.asked.append(request)
        if self.deaf:
            return fail(NoAnswer("nobody there"))
        document = self.documents.get(request.url.partition("?")[0])
        return succeed(document or HttpAnswer(self.status))

    def _connect(self, media: Media, line: WebSocketLine) -> Deferred[object]:
        if self.refuses:
            return fail(ConnectionRefusedError())
        Network(self.clock).connect(self.media, line)
        return succeed(None)

    def run(self, seconds: float) -> None:
        run(self.clock, seconds)

    def ask(
        self,
        vendor: FakeVendor,
        method: str,
        url: str,
        *,
        form: Mapping[str, Any] | None = None,
        document: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Told:
        """A request; `form` with lists for repeated fields, or a `document` as JSON."""
        told = Told(self.clock)
        path, _, query = url.partition("?")
        given = {name.lower(): value for name, value in (headers or {}).items()}
        body = b""
        if form is not None:
            given.setdefault("content-type", "application/x-www-form-urlencoded")
            body = urlencode(form, doseq=True).encode()
        if document is not None:
            given.setdefault("content-type", "application/json")
            body = json.dumps(document).encode()
        queried: dict[str, list[str]] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            queried.setdefault(name, []).append(value)
        vendor.answer(Asked(method, path, queried, given, body), told)
        return told


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


def fields(request: HttpRequest) -> dict[str, str]:
    """Of a form."""
    return dict(parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=True))
