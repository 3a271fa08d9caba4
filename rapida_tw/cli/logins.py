"""Who is asked with a credential when no server does it: whether it is good, and about numbers."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Any

from rapida_tw import telephones
from rapida_tw.carriers.base import Carrier
from rapida_tw.carriers.insight import Insight, Question
from rapida_tw.cli.reacting import run
from rapida_tw.config import Config
from rapida_tw.log import wall_clock
from rapida_tw.net.service import RealNet
from rapida_tw.number_insights import number_insights
from rapida_tw.sip import trunk
from rapida_tw.sip_telephone import TrunkLogin
from rapida_tw.speech.base import Host, RecognizerProvider, Registry, SynthesizerProvider
from rapida_tw.store.credential_documents import Known, known_fields
from rapida_tw.store.documents import Document
from rapida_tw.store.records import CredentialStore
from rapida_tw.store.verification import Login, Logins, verification
from rapida_tw.vendor_login import VendorLogin

_CARRIERS = "rapida_tw.carriers"
_SPEECH = ("rapida_tw.recognizers", "rapida_tw.synthesizers")
_VENDORS = (*_SPEECH, "rapida_tw.models", "rapida_tw.live_models")


def known(provider: str) -> Known:
    """The keys of that provider's credentials; loads its plug-ins and no others."""
    vendors = [{provider: plugin} for plugin in _plugins(provider, *_VENDORS)]
    found = known_fields(_carrier(provider), *vendors)
    return {**found, trunk.PROVIDER: trunk.CREDENTIAL_FIELDS}


def verify(
    store: CredentialStore, credential_id: int, project_id: int, provider: str, config: Config
) -> Document:
    """Blocks, on a reactor of its own; the store must answer at once."""

    async def work(reactor: Any) -> Document:
        return await ask(reactor, store, credential_id, project_id, provider, config)

    return run(work)


async def ask(
    reactor: Any,
    store: CredentialStore,
    credential_id: int,
    project_id: int,
    provider: str,
    config: Config,
) -> Document:
    """The same, on a reactor that runs."""
    net = RealNet(reactor)
    host = Host(reactor, config.server.data_dir, net, now=wall_clock)
    hears = Registry[RecognizerProvider](_SPEECH[0], host)
    speaks = Registry[SynthesizerProvider](_SPEECH[1], host)
    carriers = telephones.outside(config, _carrier(provider), net, reactor, wall_clock)
    whom: dict[str, Login] = {**carriers, trunk.PROVIDER: TrunkLogin()}
    logins = Logins(reactor, whom, VendorLogin(hears, speaks))
    try:
        return await verification(store, credential_id, project_id, known(provider), logins)
    finally:
        await telephones.stop(carriers)
        engines: list[Any] = [*hears.made().values(), *speaks.made().values()]
        for engine in engines:
            await engine.stop()
        await net.stop()


def look_up(
    store: CredentialStore, project_id: int, question: Question, credential_id: int | None
) -> Insight:
    """Blocks, on a reactor of its own; the store must answer at once."""

    async def work(reactor: Any) -> Insight:
        net = RealNet(reactor)
        try:
            insights = number_insights(store, net, reactor, wall_clock)
            return await insights.look_up(project_id, question, credential_id)
        finally:
            await net.stop()

    return run(work)


def can_ask(provider: str) -> bool:
    """Whether there is anything to ask: else no reactor is needed."""
    return bool(_carrier(provider)) or any(_plugins(provider, *_VENDORS))


def _carrier(provider: str) -> dict[str, Carrier]:
    """By its name, as others are."""
    return {carrier.name: carrier for carrier in _plugins(provider, _CARRIERS)}


def _plugins(name: str, *groups: str) -> Iterator[Any]:
    for group in groups:
        for point in entry_points(group=group, name=name):
            yield point.load()
