"""With which credential a number is looked up."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed

from rapida_tw.account import Account, Lacking
from rapida_tw.carriers.insight import Insight, Level, Question
from rapida_tw.errors import BadRequest, NotFound
from rapida_tw.number_insights import NumberInsights
from rapida_tw.store.vault import CredentialUnreadable
from tests.web.fake_credentials import FakeCredentials

PROJECT, OTHER = 1, 2
QUESTION = Question("15550100001")
FOUND = Insight("+15550100001", Level.BASIC, "number-insight")


class Newest(FakeCredentials):
    """The newest first, as the store has it."""

    def page(self, project_id: int, number: int = 1, size: int = 20) -> Deferred[Any]:
        self.kept = dict(sorted(self.kept.items(), reverse=True))
        return super().page(project_id, number, size)


class Asked:
    def __init__(self) -> None:
        self.accounts: list[Account] = []

    def look_up(self, account: Account, question: Question) -> Deferred[Insight]:
        assert question == QUESTION
        self.accounts.append(account)
        return succeed(FOUND)


class Desk:
    def __init__(self) -> None:
        self.credentials = Newest()
        self.asked = Asked()
        self.insights = NumberInsights(self.credentials, self.asked)

    def keep(self, provider: str, key: str, project: int = PROJECT) -> int:
        made: list[Any] = []
        self.credentials.create(project, key, provider, {"api_key": key}).addCallback(made.append)
        return int(made[0].id)

    def look_up(self, credential_id: int | None = None) -> Any:
        """The account that was asked with; what fails is raised."""
        heard: list[Any] = []
        failures: list[Any] = []
        asking = self.insights.look_up(PROJECT, QUESTION, credential_id)
        asking.addCallbacks(heard.append, failures.append)
        if failures:
            failures[0].raiseException()
        assert heard == [FOUND]
        return self.asked.accounts[-1]["api_key"]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_newest(desk: Desk) -> None:
    """Vonage's newest, not another carrier's nor another project's."""
    desk.keep("vonage", "old")
    desk.keep("vonage", "new")
    desk.keep("twilio", "twilio's")
    desk.keep("vonage", "theirs", OTHER)
    assert desk.look_up() == "new"


def test_named(desk: Desk) -> None:
    """The one that is asked for."""
    old = desk.keep("vonage", "old")
    desk.keep("vonage", "new")
    assert desk.look_up(old) == "old"


def test_far_down(desk: Desk) -> None:
    """However many newer ones of others there are."""
    desk.keep("vonage", "first")
    for number in range(250):
        desk.keep("deepgram", str(number))
    assert desk.look_up() == "first"


@pytest.mark.parametrize("count", [0, 3, 100, 200])
def test_none(desk: Desk, count: int) -> None:
    """A project without one is told so."""
    for number in range(count):
        desk.keep("twilio", str(number))
    with pytest.raises(Lacking, match="credential of vonage"):
        desk.look_up()
    assert not desk.asked.accounts


def test_wrong_one(desk: Desk) -> None:
    """Another carrier's keys are not sent to Vonage, and another project's are not found."""
    with pytest.raises(BadRequest, match="none of vonage"):
        desk.look_up(desk.keep("twilio", "secret"))
    with pytest.raises(NotFound):
        desk.look_up(desk.keep("vonage", "theirs", OTHER))
    assert not desk.asked.accounts


def test_shut(desk: Desk) -> None:
    """A value that does not open is no value."""
    desk.keep("vonage", "key")
    desk.credentials.shut = True
    with pytest.raises(CredentialUnreadable):
        desk.look_up()
