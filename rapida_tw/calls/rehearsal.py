"""Rehearsal: at the webhook, all is tried that an assistant's own definitions can get wrong.

When the media connection is there the carrier has answered the phone, and nobody is told any more.
What was made for the trial is kept for the call (warm.py).
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime

from rapida_tw.audio.format import AudioFormat
from rapida_tw.calls.accounts import Accounts
from rapida_tw.calls.context import CallContext, ContextStore
from rapida_tw.calls.line import DialplanLine
from rapida_tw.calls.parts import Vendors
from rapida_tw.calls.script import script
from rapida_tw.calls.toolset import Makers, toolset
from rapida_tw.calls.warm import Prepared
from rapida_tw.media.playout import Playout
from rapida_tw.pipeline.keypad import Keypad
from rapida_tw.store.records import Assistant, Deployment


class Rehearsal:
    """Makes what a call is made of, as a call does, and lets go of it."""

    def __init__(
        self,
        clock: IReactorTime,
        contexts: ContextStore,
        vendors: Vendors,
        makers: Makers,
        now: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._contexts = contexts
        self._vendors = vendors
        self._makers = makers
        self._now = now

    def __call__(
        self,
        assistant: Assistant,
        deployment: Deployment,
        context: CallContext,
        accounts: Accounts,
        leg: AudioFormat | None,
    ) -> Prepared:
        """`MisconfiguredAssistant` names the template, the tool or the vendor that is wrong."""
        ready = script(assistant, deployment, context, self._now())
        keypad = Keypad(self._clock, _nobody)
        line = DialplanLine(context, self._contexts)
        tools = toolset(ready.tools, keypad, Playout(), line, self._makers)
        tools.offered()  # servers are asked now which they have
        return Prepared(ready, self._vendors.open(assistant, deployment, accounts, leg))


def _nobody(digits: str) -> None:
    """No key is pressed in a rehearsal."""
