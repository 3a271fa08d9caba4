"""NumberInsights: looks numbers up with a project's own credential."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from rapida_tw.account import Account, Lacking
from rapida_tw.carriers.insight import Insight, Question
from rapida_tw.carriers.vonage_insight import VonageInsights
from rapida_tw.errors import BadRequest
from rapida_tw.net.base import Net
from rapida_tw.store.records import CredentialStore

PROVIDER = "vonage"  # the one carrier that is asked
_PAGE = 100  # credentials that are looked at in one go


def number_insights(
    credentials: CredentialStore, net: Net, clock: IReactorTime, now: Callable[[], float]
) -> NumberInsights:
    """Those of Vonage. `now`: seconds since the epoch."""
    return NumberInsights(credentials, VonageInsights(net, clock, now))


class Asked(Protocol):
    """Who knows numbers (`carriers.vonage_insight.VonageInsights`)."""

    def look_up(self, account: Account, question: Question) -> Deferred[Insight]: ...


class NumberInsights:
    """The vault, and whom to ask."""

    def __init__(self, credentials: CredentialStore, asked: Asked) -> None:
        self._credentials = credentials
        self._asked = asked

    def look_up(
        self, project_id: int, question: Question, credential_id: int | None = None
    ) -> Deferred[Insight]:
        """With that credential, else with the newest one of Vonage's.

        `NotFound`, `BadRequest` for another carrier's; `Lacking` where the project has none; else
        as of `VonageInsights.look_up`.
        """
        return Deferred.fromCoroutine(self._look_up(project_id, question, credential_id))

    async def _look_up(
        self, project_id: int, question: Question, credential_id: int | None
    ) -> Insight:
        if credential_id is None:
            credential_id = await self._newest(project_id)
        else:
            found = await self._credentials.get(credential_id, project_id)
            if found.provider != PROVIDER:
                raise BadRequest(f"credential {credential_id} is none of {PROVIDER}")
        secrets = await self._credentials.secrets(credential_id, project_id)
        return await self._asked.look_up(Account(PROVIDER, secrets), question)

    async def _newest(self, project_id: int) -> int:
        number = 1
        while True:
            page = await self._credentials.page(project_id, number, _PAGE)
            for one in page.items:
                if one.provider == PROVIDER:
                    return int(one.id)
            if len(page.items) < _PAGE:
                raise Lacking(f"looking up numbers needs a credential of {PROVIDER}")
            number += 1
