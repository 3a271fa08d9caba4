"""VendorLogin: whether a vendor of speech lets an account in, at no cost.

A connection is opened as a call does it, and closed before anything is said. A vendor that is asked
by single requests would have to be given work, which costs: `rapida doctor --vendor` does that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred

from rapida_tw.account import Account, Lacking
from rapida_tw.errors import MisconfiguredAssistant, NotSupported
from rapida_tw.speech.base import RecognizerProvider, Registry, SynthesizerProvider


class VendorLogin:
    """`check` as a Telephone's, for `Account.vendor`."""

    def __init__(
        self,
        recognizers: Registry[RecognizerProvider],
        synthesizers: Registry[SynthesizerProvider],
    ) -> None:
        self._recognizers = recognizers
        self._synthesizers = synthesizers

    def check(self, account: Account) -> Deferred[str]:
        """What let it in; `NotSupported` where that cannot be known, else why it was refused."""
        return Deferred.fromCoroutine(self._check(account))

    async def _check(self, account: Account) -> str:
        name = account.vendor
        if name in self._recognizers.names():
            provider: Any = self._recognizers.get(name)
            if getattr(provider, "connects", False):
                await _opened(_made(provider, account), (_Nobody(),))
                return f"{provider.vendor} lets its recogniser be used"
        if name in self._synthesizers.names():
            provider = self._synthesizers.get(name)
            if getattr(provider, "connects", False):
                await _opened(_made(provider, account), ())
                return f"{provider.vendor} lets its voice be used"
        raise NotSupported(f"not asked, which would cost: `rapida doctor --vendor {name}` does it")


def _made(provider: Any, account: Account) -> Any:
    try:
        return provider.open({}, account)
    except Lacking:
        raise
    except MisconfiguredAssistant as error:  # an option of a deployment
        raise NotSupported(f"not asked: {error}") from None


async def _opened(engine: Any, sinks: Sequence[object]) -> None:
    try:
        await engine.start(*sinks)
    finally:
        await engine.stop()


class _Nobody:
    """A RecognizerSink for whom nothing is meant."""

    def partial(self, text: str) -> None:
        """Nothing was said."""

    def final(self, text: str, confidence: float) -> None:
        """Nothing was said."""

    def speech_started(self) -> None:
        """Nothing was said."""

    def turn_ended(self) -> None:
        """Nothing was said."""

    def failed(self, error: Exception) -> None:
        """The connection is closed already, or about to be."""
