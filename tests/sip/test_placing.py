"""INVITEs that a session has placed on a REFER: without password, media or redirection."""

from __future__ import annotations

import pytest

from rapida_tw.sip.placing import Declined, Invitation, Placed
from rapida_tw.wire.sip_message import Response
from rapida_tw.wire.sip_uri import Address
from tests.sip.upstream import ANSWER, TRUNK, Upstream


class Placing:
    """An INVITE that a session asked for."""

    def __init__(self) -> None:
        self.up = Upstream()
        self.progress: list[int] = []
        self.results: list[object] = []
        assert self.up.agent.place is not None
        self.placed = self.up.agent.place(
            Invitation(
                "sip:200@198.51.100.1",
                Address.parse("<sip:bot@203.0.113.10>;tag=old"),
                self.up.ways.way(*TRUNK),
                ANSWER,
                (("Replaces", "c;to-tag=a;from-tag=b"), ("Referred-By", "<sip:bob@x>")),
                lambda response: self.progress.append(response.status),
            )
        )
        self.placed.addBoth(self._note)

    def _note(self, result: object) -> None:
        self.results.append(getattr(result, "value", result))


def test_placed() -> None:
    """With a new tag and the headers that it needs; the ACK is sent, also again."""
    placing = Placing()
    up, invite = placing.up, placing.up.invite
    assert invite.uri == "sip:200@198.51.100.1"
    assert invite.from_.uri.user == "bot"
    assert invite.from_.tag not in ("", "old")
    assert invite.headers.get("Replaces") == "c;to-tag=a;from-tag=b"
    assert "100rel" not in invite.headers.tokens("Supported")
    up.reply(invite, 100)
    up.reply(invite, 180)
    up.answer()
    up.answer()
    (placed,) = placing.results
    assert isinstance(placed, Placed)
    assert placed.dialog.target == "sip:gw@198.51.100.1:5062"
    assert placed.response.sdp == ANSWER
    assert placing.progress == [180]
    assert len(up.sent("ACK")) == 1
    up.nothing_left()


@pytest.mark.parametrize("status", [401, 407, 302, 486])
def test_declined(status: int) -> None:
    """No password, no other place."""
    placing = Placing()
    placing.up.challenge(placing.up.invite, status)
    (declined,) = placing.results
    assert isinstance(declined, Declined)
    assert declined.status == status
    assert len(placing.up.sent("INVITE")) == 1
    placing.up.nothing_left()


def test_nobody_answers() -> None:
    """408."""
    placing = Placing()
    placing.up.advance(32.5)
    (declined,) = placing.results
    assert isinstance(declined, Declined)
    assert declined.status == 408
    placing.up.nothing_left()


def test_placing_given_up() -> None:
    """CANCEL; a 200 that crosses it gets ACK and BYE."""
    placing = Placing()
    up = placing.up
    up.reply(up.invite, 180)
    placing.placed.cancel()
    assert up.sent("CANCEL")
    up.answer()
    assert up.sent("ACK")
    up.reply(up.one("BYE"), 200)
    assert not isinstance(placing.results[0], Response)
    up.nothing_left()
