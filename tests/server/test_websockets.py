"""A server process and calls by the media WebSockets of all carriers, each ended by either side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from rapida_tw.sim.caller import Caller
from rapida_tw.sim.farm import CARRIERS
from rapida_tw.sim.phone import Reason
from tests.server.installation import Installation
from tests.server.process import ServerProcess, complaints
from tests.server.town import CONVERSATION, GREETING, QUESTION, Town, answered, asking, outcome

# What the carriers report of the media besides; the others report nothing.
STREAM = {
    "twilio": ["stream.started", "stream.stopped"],
    "plivo": ["stream.started", "stream.stopped"],
    "telnyx": ["stream.started", "stream.stopped"],
    "vonage": ["stream.answered", "stream.completed"],
}


@dataclass(frozen=True, slots=True)
class Talked:
    """One call, as the caller and as the server's books saw it."""

    caller: Caller
    complaints: dict[str, int]  # of the carrier
    statuses: list[int]  # of the answers to its callbacks
    media: str  # where it was sent
    book: Any

    @property
    def metrics(self) -> dict[str, str]:
        return {metric["name"]: metric["value"] for metric in self.book["metrics"]}


@dataclass(frozen=True, slots=True)
class Calls:
    """A call of each carrier for each side that hangs up."""

    by_caller: dict[str, Talked]
    by_server: dict[str, Talked]
    live: list[Any]  # while all were on the phone
    metrics: str  # after all
    status: int
    printed: str

    @property
    def all(self) -> list[Talked]:
        return [*self.by_caller.values(), *self.by_server.values()]


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Calls:
    installation = Installation(tmp_path_factory.mktemp("websockets"))
    with ServerProcess(installation) as server, Town(installation) as town:
        installation.deploy(**CONVERSATION)
        carriers = [*CARRIERS] * 2
        callees = [town.callee(number=f"1555010{number:02}") for number in range(len(carriers))]
        callers = [asking() for _ in carriers]
        fakes = [CARRIERS[name](callee) for name, callee in zip(carriers, callees, strict=True)]
        calling = [town.call(fake, caller) for fake, caller in zip(fakes, callers, strict=True)]
        town.talk(lambda: all(map(answered, callers)), what=lambda: calling)
        lines: list[Any] = [outcome(one) for one in calling]

        live = installation.data_of("/v1/calls?pageSize=100")
        for line in lines[: len(CARRIERS)]:
            line.hang_up()
        for number in range(len(CARRIERS), len(carriers)):
            (call,) = (call for call in live if call["from"].endswith(f"{number:02}"))
            installation.data_of(f"/v1/calls/{call['id']}/hangup", "POST")
        town.talk(lambda: all(caller.ending for caller in callers))

        def books() -> list[Any]:
            listed = installation.data_of("/v1/conversations?pageSize=100")
            numbers = {callee.caller: None for callee in callees}
            found = {book["identifier"].removeprefix("+"): book["id"] for book in listed}
            return [installation.data_of(f"/v1/conversations/{found[one]}") for one in numbers]

        town.talk(lambda: all(book["endReason"] and _reported(book) for book in books()))
        talked = [
            Talked(caller, dict(line.complaints), town.statuses[fake], media, book)
            for caller, line, fake, media, book in zip(
                callers, lines, fakes, town.urls, books(), strict=True
            )
        ]
        metrics = installation.request("/metrics").body.decode()
        server.terminate()
        status = server.status()
    half = len(CARRIERS)
    return Calls(
        dict(zip(CARRIERS, talked[:half], strict=True)),
        dict(zip(CARRIERS, talked[half:], strict=True)),
        live,
        metrics,
        status,
        server.printed(),
    )


def _reported(book: Any) -> bool:
    expected = STREAM.get(book["carrier"], [])
    return {*expected} <= {event["name"] for event in book["events"]}


def test_all_talk(calls: Calls) -> None:
    """All were on the phone at once; each heard the greeting, asked, and heard an answer."""
    assert sorted(call["carrier"] for call in calls.live) == sorted([*CARRIERS] * 2)
    for talked in calls.all:
        greeting, answer = talked.caller.heard
        assert abs(greeting.lasting - 0.06 * len(GREETING)) < 0.3
        assert answer.lasting > 0.5


@pytest.mark.parametrize("carrier", CARRIERS)
def test_dialogue(calls: Calls, carrier: str) -> None:
    """The history has who called by what, what was said, and the answer as far as it was heard."""
    for talked in (calls.by_caller[carrier], calls.by_server[carrier]):
        book = talked.book
        assert book["carrier"] == carrier
        said = [(message["role"], message["text"]) for message in book["messages"]]
        assert said[:2] == [("assistant", GREETING), ("user", QUESTION)]
        (answer,) = book["messages"][2:]
        assert (answer["role"], answer["data"]["interrupted"]) == ("assistant", True)


@pytest.mark.parametrize("carrier", CARRIERS)
def test_caller_hangs_up(calls: Calls, carrier: str) -> None:
    """The end is the caller's, and a good one."""
    talked = calls.by_caller[carrier]
    assert talked.caller.ending is not None
    assert talked.caller.ending.reason is Reason.CALLER_HUNG_UP
    assert (talked.book["status"], talked.book["endReason"]) == ("ended", "remote_hangup")
    assert talked.metrics["call.status"] == "completed"
    assert talked.metrics["call.disconnected_by"] == "user"


@pytest.mark.parametrize("carrier", CARRIERS)
def test_server_hangs_up(calls: Calls, carrier: str) -> None:
    """A hang-up by the API reaches the carrier in its own form."""
    talked = calls.by_server[carrier]
    assert talked.caller.ending is not None
    assert talked.caller.ending.reason is Reason.SERVER_HUNG_UP
    assert (talked.book["status"], talked.book["endReason"]) == ("ended", "hung_up_by_api")
    assert talked.metrics["call.status"] == "completed"
    assert talked.metrics["call.disconnected_by"] == "system"


@pytest.mark.parametrize("carrier", CARRIERS)
def test_events(calls: Calls, carrier: str) -> None:
    """The call's milestones and the carrier's callbacks are in one history, all of them taken."""
    for talked in (calls.by_caller[carrier], calls.by_server[carrier]):
        names = [event["name"] for event in talked.book["events"]]
        assert names[0] == "webhook"
        assert [name for name in names if name.startswith("call.")] == [
            "call.connected",
            "call.ended",
        ]
        assert {*STREAM.get(carrier, [])} <= {*names}
        assert set(talked.statuses) <= {201}
        assert len(talked.statuses) >= len(STREAM.get(carrier, []))


def test_carriers_content(calls: Calls) -> None:
    """No carrier had anything to complain about."""
    assert [talked.complaints for talked in calls.all] == [{}] * len(calls.all)


def test_plain(calls: Calls) -> None:
    """Without TLS, here or before us, the documents say ws."""
    assert {talked.media.partition(":")[0] for talked in calls.all} == {"ws"}


def test_counted(calls: Calls) -> None:
    """The counters know two calls of each carrier, and nobody on the phone."""
    lines = calls.metrics.splitlines()
    assert "rapida_calls_running 0" in lines
    for carrier in CARRIERS:
        assert f'rapida_calls_total{{carrier="{carrier}"}} 2' in lines


def test_no_complaints(calls: Calls) -> None:
    """None of it troubled the server."""
    assert calls.status == 0
    assert complaints(calls.printed) == []
