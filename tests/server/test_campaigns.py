"""A server is killed in the middle of campaigns: nobody is called twice, nobody is forgotten."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.server.counting_carrier import CountingCarrier, counting_carrier
from tests.server.installation import Installation, until
from tests.server.process import ServerProcess, complaints

AT_ONCE = 6  # calls from one number
WITHIN = 30.0  # seconds for each step; they take some
OWN, BULK_OWN = "+15550900001", "+15550900002"
CAMPAIGN = [f"+155501000{n:02}" for n in range(20)]
PAUSED = [f"+155502000{n:02}" for n in range(4)]
BULK = [f"+155503000{n:02}" for n in range(15)]
SETTINGS = {"callsPerSecond": 50, "simultaneous": AT_ONCE}


@dataclass
class Story:
    """What was seen."""

    before: Counter[str] = field(default_factory=Counter)  # called when the server was killed
    paused: Counter[str] = field(default_factory=Counter)  # called when all but the pause was over
    called: Counter[str] = field(default_factory=Counter)  # called at the end
    waiting: set[str] = field(default_factory=set)  # in the paused campaign, since the pause
    state: str = ""  # of the paused campaign, after the restart
    entries: dict[str, Any] = field(default_factory=dict)  # of both campaigns, by number
    bulk: dict[str, Any] = field(default_factory=dict)  # conversations, by number
    log: str = ""


class Teller:
    """Does with a server what the story says."""

    def __init__(self, installation: Installation, carrier: CountingCarrier) -> None:
        self.ask = installation.data_of
        self.assistant = installation.assistant()
        self.carrier = carrier
        value = {"name": "t", "provider": "twilio", "value": carrier.fields}
        account = self.ask("/v1/credentials", "POST", value)
        options = {"phone": OWN}
        installation.deploy(provider="twilio", credentialId=account["id"], options=options)

    def campaign(self, numbers: list[str]) -> str:
        document = {"assistantId": self.assistant, "calls": numbers, "settings": SETTINGS}
        return f"/v1/campaigns/{self.ask('/v1/campaigns', 'POST', document)['id']}"

    def bulk(self, numbers: list[str]) -> dict[str, str]:
        """The conversations."""
        calls = [
            {"assistantId": self.assistant, "toNumber": one, "fromNumber": BULK_OWN}
            for one in numbers
        ]
        path = "/v1/talk/create-bulk-phone-call"
        entries = self.ask(path, "POST", {"phoneCalls": calls})
        return {one["identifier"]: f"/v1/conversations/{one['id']}" for one in entries}

    def until_called(self, numbers: list[str], count: int) -> None:
        until(
            lambda: len(self.carrier.called().keys() & {*numbers}) >= count,
            WITHIN,
            lambda: str(self.carrier.called()),
        )

    def until_state(self, path: str, state: str) -> None:
        until(lambda: self.ask(path)["state"] == state, WITHIN, lambda: str(self.ask(path)))

    def over(self, path: str) -> Any:
        """A conversation, once it is."""
        until(lambda: self.ask(path)["endReason"], WITHIN, lambda: str(self.ask(path)))
        return self.ask(path)

    def entries(self, path: str) -> dict[str, Any]:
        return {one["to"]: one for one in self.ask(f"{path}/calls?pageSize=100")}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    installation = Installation(
        tmp_path_factory.mktemp("campaigns"),
        SERVER__PUBLIC_HOST="voice.example.com",
        OUTBOUND__NUMBER_CALLS=str(AT_ONCE),
    )
    story = Story()
    habit = ("--answer-after", "0.2", "--talks", "0.8")
    with counting_carrier(installation, *habit) as carrier:
        with ServerProcess(installation) as server:
            teller = Teller(installation, carrier)
            running = teller.campaign(CAMPAIGN)
            paused = teller.campaign(PAUSED)  # behind the others, who have all the lines
            teller.ask(f"{paused}/pause", "POST")
            calls = teller.entries(paused)
            story.waiting = {to for to, one in calls.items() if one["state"] == "waiting"}
            conversations = teller.bulk(BULK)
            teller.until_called(CAMPAIGN, AT_ONCE + 2)
            teller.until_called(BULK, AT_ONCE + 2)
            server.kill()
            story.before = carrier.called()
        with ServerProcess(installation) as server:
            teller.until_state(running, "finished")
            teller.until_called(BULK, len(BULK) - AT_ONCE)
            for number, path in conversations.items():
                story.bulk[number] = teller.over(path)
            story.state, story.paused = teller.ask(paused)["state"], carrier.called()
            teller.ask(f"{paused}/resume", "POST")
            teller.until_state(paused, "finished")
            story.entries = teller.entries(running) | teller.entries(paused)
            story.called = carrier.called()
            server.terminate()
            assert server.status() == 0
            story.log = server.printed()
    return story


def test_killed_in_the_middle(story: Story) -> None:
    """Some had been called by then, and some had not."""
    for numbers in (CAMPAIGN, BULK):
        assert 0 < len(story.before.keys() & {*numbers}) < len(numbers)


def test_nobody_twice(story: Story) -> None:
    """The carrier was asked for each number once at most."""
    assert set(story.called.values()) == {1}


def test_all_others(story: Story) -> None:
    """Whoever had not been dialled is dialled after the restart."""
    states = {number: one["state"] for number, one in story.entries.items()}
    unsure = {number for number, state in states.items() if state == "unknown"}
    assert {number for number in CAMPAIGN if number not in story.called} <= unsure
    assert {*states.values()} == {"done", "unknown"}, states
    assert 0 < len(unsure) <= AT_ONCE


def test_under_way(story: Story) -> None:
    """Calls that the crash has cut off are told to be so."""
    outcomes = {one["state"]: one["outcome"] for one in story.entries.values()}
    assert outcomes == {"done": "remote_hangup", "unknown": "server_crashed"}


def test_pause(story: Story) -> None:
    """It is still paused after the restart, and goes on when it is told to."""
    assert story.state == "paused"
    assert story.waiting
    assert not story.paused.keys() & story.waiting
    assert {*PAUSED} <= story.called.keys()


def test_bulk(story: Story) -> None:
    """Calls of one request that were in line are made, those under way are not made again."""
    ends = Counter(one["endReason"] for one in story.bulk.values())
    assert set(ends) == {"remote_hangup", "server_crashed"}, ends
    assert ends["server_crashed"] <= AT_ONCE
    missed = {*BULK} - story.called.keys()
    assert {story.bulk[number]["endReason"] for number in missed} <= {"server_crashed"}


def test_log(story: Story) -> None:
    """What it has to say is said in sentences, and nothing is troubled but by the crash."""
    assert "has finished: " in story.log
    assert "was resumed" in story.log
    troubles = complaints(story.log)
    assert [one for one in troubles if "cut off by the last stop" not in one] == []
