"""Claimed: a call on its way from its announcement to its media."""

from __future__ import annotations

from dataclasses import dataclass, field

from rapida_tw.calls.accounts import Accounts
from rapida_tw.calls.context import CallContext
from rapida_tw.store.records import Assistant, Deployment


@dataclass(frozen=True, slots=True)
class Claimed:
    """A context that was taken, with all that `attach` needs of the store.

    It takes the room of a call until `attach`, `release` or `abandon` is called with it.
    """

    context: CallContext
    assistant: Assistant
    deployment: Deployment
    accounts: Accounts = field(default_factory=dict)
