"""Who is to be asked whether a credential is good, when no server does it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from rapida_tw.ari.telephone import AriTelephone
from rapida_tw.carriers.outbound import Telephone
from rapida_tw.carriers.rest_telephone import RestTelephone
from rapida_tw.cli.reacting import run
from rapida_tw.log import wall_clock
from rapida_tw.net.service import RealNet
from rapida_tw.sip import trunk
from rapida_tw.speech.base import Host, RecognizerProvider, Registry, SynthesizerProvider
from rapida_tw.store.credential_documents import Known, known_fields
from rapida_tw.store.documents import Document
from rapida_tw.store.records import CredentialStore
from rapida_tw.store.verification import Logins, verification
from rapida_tw.vendor_login import VendorLogin

_CARRIERS = "rapida_tw.carriers"
_SPEECH = ("rapida_tw.recognizers", "rapida_tw.synthesizers")
_VENDORS = (*_SPEECH, "rapida_tw.models", "rapida_tw.live_models")


def known(provider: str) -> Known:
    """The keys of that provider's credentials; loads its plug-ins and no others."""
    vendors = [{provider: plugin} for plugin in _plugins(provider, *_VENDORS)]
    carriers = dict(zip([provider], _plugins(provider, _CARRIERS), strict=False))
    found = known_fields(carriers, *vendors)
    return {**found, trunk.PROVIDER: trunk.CREDENTIAL_FIELDS}


def verify(
    store: CredentialStore, credential_id: int, project_id: int, provider: str, data_dir: Path
) -> Document:
    """Blocks, on a reactor of its own; the store must answer at once."""

    async def work(reactor: Any) -> Document:
        net = RealNet(reactor)
        host = Host(reactor, data_dir, net, now=wall_clock)
        hears = Registry[RecognizerProvider](_SPEECH[0], host)
        speaks = Registry[SynthesizerProvider](_SPEECH[1], host)
        telephone = _telephone(provider, net, reactor)
        carriers = {} if telephone is None else {provider: telephone}
        logins = Logins(reactor, carriers, VendorLogin(hears, speaks))
        try:
            return await verification(store, credential_id, project_id, known(provider), logins)
        finally:
            if telephone is not None:
                await telephone.stop()
            engines: list[Any] = [*hears.made().values(), *speaks.made().values()]
            for engine in engines:
                await engine.stop()
            await net.stop()

    return run(work)


def can_ask(provider: str) -> bool:
    """Whether there is anything to ask: else no reactor is needed."""
    carriers = [one for one in _plugins(provider, _CARRIERS) if _logs_in(one)]
    return bool(carriers) or any(_plugins(provider, *_VENDORS))


def _logs_in(carrier: Any) -> bool:
    return carrier.control is not None or carrier.name == "asterisk"


def _telephone(provider: str, net: RealNet, reactor: Any) -> Telephone | None:
    for carrier in _plugins(provider, _CARRIERS):
        if carrier.control is not None:
            return RestTelephone(carrier.control, net, reactor, wall_clock)
        if carrier.name == "asterisk":
            return AriTelephone(net, reactor)
    return None


def _plugins(name: str, *groups: str) -> Iterator[Any]:
    for group in groups:
        for point in entry_points(group=group, name=name):
            yield point.load()
