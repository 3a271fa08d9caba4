"""Callers nobody would like to have, and five others who must not notice them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from twisted.internet.protocol import Protocol

from rapida_tw.sim.caller import Caller
from rapida_tw.sim.farm import CARRIERS
from rapida_tw.sim.handshake import Handshake
from rapida_tw.sim.websocket import PING, TEXT, frame
from tests.server.installation import Installation
from tests.server.process import ServerProcess
from tests.server.town import Town, outcome
from tests.simulation.sockets import MuteCarrier

GREETING = "This greeting is as long as it takes to be sure that nothing is missing in it, " * 2
NEIGHBOURS = ("twilio", "vonage", "exotel", "asterisk", "telnyx")
UPGRADES = 100
UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}
IN_BAND = "/v1/talk/asterisk/ctx"  # where whoever asks gets a socket, and then must say who calls


class Flood(Protocol):
    """Upgrades, and then sends the same over and over, as fast as it is taken."""

    transport: Any

    def __init__(self, unit: bytes) -> None:
        self.received = b""
        self.is_lost = False
        self._much = unit * (200_000 // len(unit))

    def connectionMade(self) -> None:
        self.transport.write(Handshake("127.0.0.1", IN_BAND).request())

    def dataReceived(self, data: bytes) -> None:
        self.received += data

    def pour(self) -> None:
        if self.received and not self.is_lost and not self.transport.unsent:
            self.transport.write(self._much)

    def connectionLost(self, reason: object = None) -> None:
        self.is_lost = True


class NoHttp(Flood):
    """Sends what is no HTTP."""

    def connectionMade(self) -> None:
        self.transport.write(self._much)


@dataclass(frozen=True, slots=True)
class Scene:
    neighbours: dict[str, Caller]
    complaints: list[dict[str, int]]  # of the neighbours' carriers
    books: dict[str, Any]  # of the strangers, by their number
    statuses: set[int]  # of the upgrades with unknown contexts
    metrics: list[str]
    status: int
    printed: str


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    installation = Installation(tmp_path_factory.mktemp("strangers"))
    with ServerProcess(installation) as server, Town(installation) as town:
        installation.deploy(greeting=GREETING, greetingInterruptible=False)
        neighbours = {name: Caller() for name in NEIGHBOURS}
        calling = []
        for name, caller in neighbours.items():
            caller.hangs_up()
            calling.append(town.call(name, caller, town.callee(number="15550")))
        town.talk(lambda: all(caller.heard for caller in neighbours.values()), what=lambda: calling)

        def stranger(number: int, carrier: str = "twilio", receive_buffer: int = 0) -> Any:
            callee = town.callee(number=f"1555{number}")
            up = town.call(carrier, Caller(), callee, receive_buffer)
            town.talk(lambda: up.called)
            return outcome(up)

        stranger(1, "vonage", receive_buffer=4_096).stop_reading()
        stranger(2).send_raw(b"\xff" * 100)
        nonsense = stranger(3)
        for _ in range(50):
            nonsense.send_text("{nonsense")
        callee = town.callee(number="15554")
        town.call(MuteCarrier(CARRIERS["twilio"](callee)), Caller())
        floods = [Flood(frame(PING)), Flood(frame(TEXT, b"{}")), NoHttp(b"\x16\x03 no HTTP\r\n")]
        for flood in floods:
            town.connect(flood)

        statuses: list[int] = []

        def over() -> bool:
            for flood in floods:
                flood.pour()
            if len(statuses) < UPGRADES:
                path = f"/v1/talk/{NEIGHBOURS[len(statuses) % 5]}/ctx/{uuid4()}"
                statuses.append(town.ask("GET", path, UPGRADE).status)
            return not town.connected

        town.talk(over, within=25, what=town.__repr__)

        def books() -> list[Any]:
            listed: list[Any] = installation.data_of("/v1/conversations")
            return listed if all(book["endReason"] for book in listed) else []

        listed = town.talk(books)
        metrics = installation.request("/metrics").body.decode().splitlines()
        server.terminate()
        status = server.status()
    lines: list[Any] = [outcome(one) for one in calling]
    return Scene(
        neighbours,
        [dict(line.complaints) for line in lines],
        {book["identifier"][-1]: book for book in listed},
        set(statuses),
        metrics,
        status,
        server.printed(),
    )


@pytest.mark.parametrize("carrier", NEIGHBOURS)
def test_neighbours(scene: Scene, carrier: str) -> None:
    """They hear the whole greeting in the time that its words take: no gap in it, nothing cut."""
    (greeting,) = scene.neighbours[carrier].heard
    assert abs(greeting.lasting - 0.06 * len(GREETING)) < 0.25
    assert str(scene.neighbours[carrier].ending) == "caller_hung_up"
    assert scene.complaints == [{}] * len(NEIGHBOURS)


@pytest.mark.parametrize(
    ("number", "status", "reason"),
    [
        ("1", "failed", "far_end_stalled"),
        ("2", "failed", "protocol_error"),
        ("3", "failed", "protocol_error"),
        ("4", "failed", "never-started"),
    ],
    ids=["never reads", "garbage", "nonsense", "never starts"],
)
def test_strangers(scene: Scene, number: str, status: str, reason: str) -> None:
    """Each one's call ends with the reason in its history."""
    book = scene.books[number]
    assert (book["status"], book["endReason"]) == (status, reason)


def test_unknown_contexts(scene: Scene) -> None:
    """An upgrade that nobody announced is a plain 404, and counted."""
    assert scene.statuses == {404}
    refused = [
        line
        for line in scene.metrics
        if line.startswith("rapida_webhooks_refused_total{") and "context-not-found" in line
    ]
    assert sum(float(line.split()[-1]) for line in refused) == UPGRADES


def test_server(scene: Scene) -> None:
    """Nobody is left, and nothing of it was a bug of ours."""
    assert "rapida_calls_running 0" in scene.metrics
    assert scene.status == 0
    assert "Traceback" not in scene.printed
