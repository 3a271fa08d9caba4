"""The ports of calls of ours: who asks for one, what is given for it, what it is made with."""

from __future__ import annotations

from typing import Protocol

from rapida_tw.errors import End
from rapida_tw.media.leg import LegListener
from rapida_tw.sip.guard import Guard
from rapida_tw.sip.ladder import Ladders
from rapida_tw.sip.locate import Locator
from rapida_tw.sip.outcome import Outcome
from rapida_tw.sip.placing import Place
from rapida_tw.sip.session import Session
from rapida_tw.sip.settings import Stack


class Switch(Stack, Protocol):
    """What calls of ours need beside the Stack (sip/agent.py)."""

    guard: Guard
    ladders: Ladders
    locator: Locator
    place: Place | None


class CallUser(Protocol):
    """Who has asked for a call. One of `answered` and `failed` comes, once, after the others.

    After `answered` comes one of `attach` and `ended`. What these raise is our mistake, and logged.
    """

    def trying(self) -> None:
        """The trunk has the call. Once."""

    def ringing(self) -> None:
        """It rings over there. Once."""

    def early_media(self) -> None:
        """There is something to hear before the answer; nobody is given it. Once."""

    def answered(self, session: Session) -> None:
        """It is picked up; `session.format` is what is agreed on."""

    def attach(self, session: Session) -> LegListener:
        """Their sound flows, or will not for a while: the call begins. `CallError` hangs up."""

    def ended(self, end: End) -> None:
        """It was answered, and is over before it could be attached."""

    def failed(self, outcome: Outcome) -> None:
        """Nobody has answered, and why."""


class Handle(Protocol):
    """A call that was asked for."""

    call_id: str  # its Call-ID, from the first moment on

    def cancel(self) -> None:
        """Not wanted any more: `failed` or `ended` is told at once. Attached, it is the leg's."""
