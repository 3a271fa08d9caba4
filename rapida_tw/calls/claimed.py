"""Claimed: a call on its way from its announcement to its media."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from rapida_tw.account import Account
from rapida_tw.audio.format import AudioFormat
from rapida_tw.calls.accounts import Accounts
from rapida_tw.calls.context import CallContext
from rapida_tw.carriers.outbound import Placed
from rapida_tw.store.records import Assistant, Deployment


class PlacedView(Protocol):
    """A call that was placed here (`placed_call.PlacedCall`)."""

    verdict: str
    unwanted: bool

    def wait_again(self) -> None:
        """Its media connection was cut before it was open: another one may come."""

    @property
    def placed(self) -> Placed | None:
        """What its carrier calls it, as soon as that is known."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A context that was taken, with all that `attach` needs of the store.

    It takes the room of a call until `attach`, `release` or `abandon` is called with it.
    `carrier`: the account of the call's carrier, where the deployment has one. `media`: the format
    that is expected. `placed`: what is known of it, where it is a call of ours.
    """

    context: CallContext
    assistant: Assistant
    deployment: Deployment
    accounts: Accounts = field(default_factory=dict)
    carrier: Account | None = None
    media: AudioFormat | None = None
    placed: PlacedView | None = None
