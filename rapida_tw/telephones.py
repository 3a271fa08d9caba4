"""Telephones: who places calls, and what the configuration says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import urlsplit

from twisted.internet.defer import DeferredList, maybeDeferred
from twisted.internet.interfaces import IReactorTime

from rapida_tw.ari.telephone import AriTelephone
from rapida_tw.calls.dialling_rules import DiallingRules
from rapida_tw.calls.placing import Settings
from rapida_tw.campaigns.pace import Limits
from rapida_tw.carriers.base import Carrier
from rapida_tw.carriers.outbound import Telephone
from rapida_tw.carriers.rest_telephone import RestTelephone
from rapida_tw.config.sections import Config, Outbound
from rapida_tw.net.base import Net


def outside(
    config: Config,
    carriers: Mapping[str, Carrier],
    net: Net,
    clock: IReactorTime,
    now: Callable[[], float],
) -> dict[str, Telephone]:
    """Those that ask others to dial, by the carrier's name."""
    found: dict[str, Telephone] = {
        name: RestTelephone(carrier.control, net, clock, now)
        for name, carrier in carriers.items()
        if carrier.control is not None
    }
    found["asterisk"] = AriTelephone(net, clock, config.server.node)
    return found


async def stop(telephones: Mapping[str, Telephone]) -> None:
    """All of them; one that fails does not keep the others."""
    stopping = [maybeDeferred(one.stop) for one in telephones.values()]
    await DeferredList(stopping, consumeErrors=True)


def rules(outbound: Outbound, clock: IReactorTime) -> DiallingRules:
    """The guard against toll fraud."""
    return DiallingRules(
        clock.seconds,
        outbound.allowed_prefixes,
        outbound.denied_prefixes,
        outbound.calls_per_second,
        outbound.calls_per_day,
    )


def limits(outbound: Outbound) -> Limits:
    """How fast campaigns go, by carrier and by number."""
    rates, calls = outbound.carrier_calls_per_second, outbound.carrier_calls
    return Limits(
        by_carrier={name: (rates.get(name, 0.0), calls.get(name, 0)) for name in {*rates, *calls}},
        number_per_second=outbound.number_calls_per_second,
        number_simultaneous=outbound.number_calls,
    )


def settings(config: Config) -> Settings:
    """Addresses for carriers are those that are configured: nobody's request tells them."""
    host, secure = config.server.public_host, config.server.public_scheme == "https"

    def url(scheme: str, path: str) -> str:
        return f"{scheme}{'s' if secure else ''}://{host}{path}"

    return Settings(
        config.outbound.ring_timeout,
        partial(url, "ws") if host else None,
        partial(url, "http") if host else None,
        config.outbound.audiosocket or _audiosocket(config),
    )


def _audiosocket(config: Config) -> str:
    """Where Asterisk finds our AudioSocket port, unless it is told; "" = nowhere."""
    if not config.audiosocket.enabled or config.audiosocket.listen:
        return ""
    host = config.server.public_host or config.audiosocket.host
    name = urlsplit(f"//{host}").hostname or ""
    if name in ("", "0.0.0.0", "::"):
        name = "127.0.0.1"  # Asterisk on this machine
    name = f"[{name}]" if ":" in name else name
    return f"{name}:{config.audiosocket.port}"
