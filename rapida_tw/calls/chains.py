"""Chains: a vendor that an assistant names, or several as one, of whom the next helps out.

What is said in every call is kept for all calls of a process, and who failed lately is known to
all of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Protocol, TypeVar, runtime_checkable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from rapida_tw.account import Account
from rapida_tw.audio.format import AudioFormat
from rapida_tw.calls.accounts import Accounts, account_of
from rapida_tw.models.base import Model, ModelProvider
from rapida_tw.models.fallback import ModelChain
from rapida_tw.roster import Member
from rapida_tw.sickness import Sickness
from rapida_tw.speech.base import (
    Recognizer,
    RecognizerProvider,
    Registry,
    Synthesizer,
    SynthesizerProvider,
)
from rapida_tw.speech.cached_voice import CachedVoice, Speaker, VoiceCache
from rapida_tw.speech.fallback import RecognizerChain
from rapida_tw.speech.fallback_voice import VoiceChain
from rapida_tw.store.records import VendorChoice

T = TypeVar("T", Recognizer, Synthesizer, Model)

_HOT_SPARE = ("hot_spare", "listen.hot_spare")  # options of the chain, not of its first member
_TRUE = frozenset(("true", "1", "yes"))


@runtime_checkable
class Keeping(Protocol):
    """A voice that keeps what it has said (CachedVoice, VoiceChain)."""

    def keep(self, texts: Iterable[str]) -> None: ...
    def warm(self, text: str) -> Deferred[None]: ...


class Chains:
    """Of one process; opening costs nothing yet. All raise `MisconfiguredAssistant`."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._sickness = Sickness(clock.seconds)
        self._cache = VoiceCache()

    def recognizer(
        self,
        choice: VendorChoice,
        default: str,
        accounts: Accounts,
        providers: Registry[RecognizerProvider],
    ) -> Recognizer:
        choice, hot_spare = _hot_spare(choice)

        def open(name: str, options: Mapping[str, Any], account: Account) -> Recognizer:
            return providers.get(name).open(options, account)

        members = _members(choice, default, accounts, open)
        if len(members) == 1:
            return members[0].open()
        first, *_ = [_tried(one) for one in members]
        chain = RecognizerChain(members, self._sickness, self._clock, hot_spare)
        chain.turns = first.turns  # until one of them is at work, which then tells by itself
        return chain

    def voice(
        self,
        choice: VendorChoice,
        default: str,
        accounts: Accounts,
        leg: AudioFormat | None,
        providers: Registry[SynthesizerProvider],
    ) -> Synthesizer:
        """`leg`: the format in which its sound will leave, if it is known."""

        def open(name: str, options: Mapping[str, Any], account: Account) -> Synthesizer:
            options = {key: one for key, one in options.items() if not key.startswith("speaker.")}
            return providers.get(name).open(options, account, leg)

        def cached(member: Member[Synthesizer]) -> Member[Synthesizer]:
            """What a vendor has said once need not be paid for and waited for again."""
            if not providers.get(member.name).remote:
                return member
            speaker = Speaker(member.name, member.account, member.settings, leg)

            def keeping() -> Synthesizer:
                return CachedVoice(member.open(), speaker, self._cache)

            return replace(member, open=keeping)

        members = [cached(one) for one in _members(choice, default, accounts, open)]
        if len(members) == 1:
            return members[0].open()
        for member in members:
            _tried(member)
        return VoiceChain(members, self._sickness, self._clock)

    def model(
        self,
        choice: VendorChoice,
        default: str,
        accounts: Accounts,
        providers: Registry[ModelProvider],
    ) -> Model:
        def open(name: str, options: Mapping[str, Any], account: Account) -> Model:
            return providers.get(name).open(options, account)

        members = _members(choice, default, accounts, open)
        if len(members) == 1:
            return members[0].open()
        for member in members:
            _tried(member)
        return ModelChain(members, self._sickness, self._clock)


def _members(
    choice: VendorChoice,
    default: str,
    accounts: Accounts,
    open: Callable[[str, Mapping[str, Any], Account], T],
) -> list[Member[T]]:
    return [_member(one, default, accounts, open) for one in choice.chain]


def _member(
    choice: VendorChoice,
    default: str,
    accounts: Accounts,
    open: Callable[[str, Mapping[str, Any], Account], T],
) -> Member[T]:
    name = choice.provider or default
    account = account_of(choice, name, accounts)
    settings = json.dumps(choice.options, sort_keys=True, default=str)
    credential = str(choice.credential_id or "")
    return Member(name, lambda: open(name, choice.options, account), credential, settings)


def _tried(member: Member[T]) -> T:
    """Opened once and let go: a mistake in a fallback must not be found when it is needed."""
    opened = member.open()
    _let_go(opened.stop())
    return opened


def _let_go(stopping: Deferred[None]) -> None:
    """It was never started."""
    stopping.addErrback(lambda _: None)


def _hot_spare(choice: VendorChoice) -> tuple[VendorChoice, bool]:
    """The choice without the chain's own option, and what that says."""
    wanted = [str(choice.options[key]).lower() for key in _HOT_SPARE if key in choice.options]
    if not wanted:
        return choice, False
    options = {key: value for key, value in choice.options.items() if key not in _HOT_SPARE}
    return replace(choice, options=options), wanted[0] in _TRUE
