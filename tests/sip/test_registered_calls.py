"""Calls that come through a registration of ours."""

from __future__ import annotations

import pytest

from rapida_tw.sip import counters
from rapida_tw.sip.base import Party
from tests.sip.house import ASSISTANT, OTHER, PROJECT
from tests.sip.registered import Registered
from tests.sip.upstream import OTHER as SECOND
from tests.sip.upstream import TRUNK


@pytest.mark.parametrize(
    ("headers", "to", "assistant", "number"),
    [
        ("", "15557654321", OTHER, "15557654321"),
        ("P-Called-Party-ID: <sip:15557654321@x>\r\n", "acme", OTHER, "15557654321"),
        ("P-Called-Party-ID: broken>\r\n", "15557654321", OTHER, "15557654321"),
        ("", "unmapped", ASSISTANT, "unmapped"),
        ("", "15550009999", ASSISTANT, "15550009999"),
    ],
    ids=["to", "called party", "broken", "unmapped", "of another project"],
)
def test_called(headers: str, to: str, assistant: int, number: str) -> None:
    """No password is asked; the number decides within the project, else the trunk's own."""
    up = Registered()
    up.grant()
    before = counters.logins.value("registered")
    assert up.calls(to=to, headers=headers).status == 200
    ((party, incoming),) = up.house.taken
    assert party == Party(assistant, PROJECT)
    assert (incoming.callee, incoming.caller) == (number, "+15550001111")
    assert counters.logins.value("registered") == before + 1
    up.agent.close()


def test_called_by_nobody() -> None:
    """Neither a number nor an assistant: 404."""
    up = Registered()
    up.owner = None
    up.grant()
    assert up.calls(to="unmapped").status == 404
    assert up.house.taken == []
    up.nothing_left()


@pytest.mark.parametrize("what", ["another host", "another user"])
def test_strangers(what: str) -> None:
    """Without the token, or from elsewhere, everybody is challenged."""
    up = Registered()
    up.grant()
    answer = up.calls(peer=SECOND) if what == "another host" else up.calls(user="acme")
    assert answer.status == 401
    up.nothing_left()


def test_registered_no_more() -> None:
    """The token of a registration that was taken back opens nothing."""
    up = Registered()
    up.grant()
    token = up.token
    up.registrations.set({})
    assert up.calls(user=token).status == 401
    up.nothing_left()


def test_spared() -> None:
    """The guard lets through where we are registered, and forgets it afterwards."""
    up = Registered()
    up.grant()
    assert up.agent.spares(TRUNK[0])
    up.stop()
    up.reply(up.last, 200)
    assert not up.agent.spares(TRUNK[0])
    up.nothing_left()
