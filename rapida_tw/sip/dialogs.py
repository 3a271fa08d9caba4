"""The dialogs that are open, and whose they are (RFC 3261 12)."""

from __future__ import annotations

from collections.abc import Callable

from rapida_tw.sip import counters
from rapida_tw.sip.base import DialogUser
from rapida_tw.wire.sip_dialog import Dialog
from rapida_tw.wire.sip_message import Message, Request

_Id = tuple[str, str, str]


class Dialogs:
    """Finds whom a message within a dialog is for, by Call-ID, our tag and their tag."""

    def __init__(self, removed: Callable[[Dialog], None] = lambda dialog: None) -> None:
        """`removed` is told of each that is over."""
        self._removed = removed
        self._users: dict[_Id, DialogUser] = {}

    def add(self, dialog: Dialog, user: DialogUser) -> None:
        """From now on `user` is told. Each fork of our INVITE has a tag, so an entry of its own."""
        self._users[dialog.id] = user
        counters.dialogs.set(len(self._users))

    def remove(self, dialog: Dialog) -> None:
        """Idempotent."""
        if self._users.pop(dialog.id, None) is not None:
            counters.dialogs.set(len(self._users))
            self._removed(dialog)

    def find(self, message: Message) -> DialogUser | None:
        """None: of no dialog, or of one that is over; a request with a To tag is answered 481."""
        ours, theirs = message.from_.tag, message.to.tag
        if isinstance(message, Request):
            ours, theirs = theirs, ours
        return self._users.get((message.call_id, ours, theirs))

    def __len__(self) -> int:
        return len(self._users)
