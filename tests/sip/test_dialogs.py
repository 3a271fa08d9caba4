"""Whom a message within a dialog is for."""

from __future__ import annotations

from rapida_tw.sip import counters
from rapida_tw.sip.base import ServerTransaction
from rapida_tw.sip.dialogs import Dialogs
from rapida_tw.wire.sip_dialog import Dialog
from rapida_tw.wire.sip_message import Request, parse
from tests.sip.exchange import ours, theirs


class User:
    """A DialogUser that is never told anything here."""

    def request_received(self, transaction: ServerTransaction) -> None:
        raise AssertionError

    def ack_received(self, ack: Request) -> None:
        raise AssertionError


def called() -> tuple[Dialogs, Dialog, User]:
    """They have called; our tag is "us"."""
    dialogs, user = Dialogs(), User()
    invite = parse(theirs())
    assert isinstance(invite, Request)
    dialog = Dialog.answering(invite, "us")
    dialogs.add(dialog, user)
    return dialogs, dialog, user


def test_requests() -> None:
    """Our tag is in To, theirs in From."""
    dialogs, _, user = called()
    assert dialogs.find(parse(theirs("BYE", to=";tag=us"))) is user
    assert dialogs.find(parse(theirs("ACK", to=";tag=us"))) is user


def test_responses() -> None:
    """Our tag is in From, theirs in To."""
    dialogs, dialog, user = called()
    assert dialogs.find(dialog.request("BYE").answer(200)) is user


def test_others() -> None:
    """One wrong tag, another Call-ID or no tag: not known."""
    dialogs, _, _ = called()
    for changes in (
        {"to": ";tag=US"},
        {"to": ""},
        {"from_tag": "other"},
        {"call_id": "c9"},
        {"to": ";tag=them", "from_tag": "us"},
    ):
        fields = {"to": ";tag=us"} | changes
        assert dialogs.find(parse(theirs("BYE", **fields))) is None


def test_forks() -> None:
    """Each fork of an INVITE of ours has an entry of its own."""
    dialogs, users = Dialogs(), {"a": User(), "b": User()}
    for tag, user in users.items():
        dialogs.add(Dialog.asked(ours(), ours().answer(183, to_tag=tag)), user)
    assert len(dialogs) == 2
    for tag, user in users.items():
        info = parse(theirs("INFO", call_id="c2", from_tag=tag, to=";tag=us"))
        assert dialogs.find(info) is user


def test_told_of_the_end() -> None:
    """Who wants to know is told of each dialog that is over, once."""
    over: list[Dialog] = []
    dialogs, (_, dialog, user) = Dialogs(over.append), called()
    dialogs.remove(dialog)
    dialogs.add(dialog, user)
    dialogs.remove(dialog)
    dialogs.remove(dialog)
    assert over == [dialog]


def test_removed() -> None:
    """Afterwards nothing is left; removing twice is fine."""
    dialogs, dialog, _ = called()
    assert counters.dialogs.value() == 1
    dialogs.remove(dialog)
    dialogs.remove(dialog)
    assert (len(dialogs), counters.dialogs.value()) == (0, 0)
    assert dialogs.find(parse(theirs("BYE", to=";tag=us"))) is None
