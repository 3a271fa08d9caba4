"""SIP as one service: sockets, RTP ports and the user agent, put together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address
from random import SystemRandom
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.ssl import PrivateCertificate
from twisted.internet.task import deferLater
from twisted.logger import Logger

from rapida_tw.audio import opus
from rapida_tw.config.sections import Sip
from rapida_tw.listening import CannotStart
from rapida_tw.media.clock import MediaClock
from rapida_tw.sip.agent import SipAgent
from rapida_tw.sip.base import Reception
from rapida_tw.sip.lines import RtpLines
from rapida_tw.sip.names import SystemNames
from rapida_tw.sip.settings import SipSettings
from rapida_tw.sip.trunk import Trunk
from rapida_tw.transports import srtp
from rapida_tw.transports.datagrams import UdpSockets
from rapida_tw.transports.reading import BeatReader
from rapida_tw.transports.report_wheel import ReportWheel
from rapida_tw.transports.rtp_ports import PortPool
from rapida_tw.transports.rtp_stream import Streams
from rapida_tw.transports.sip_sockets import SipSockets
from rapida_tw.wire.sdp_negotiation import Capabilities

ANSWERED_WITHIN = 1.0  # seconds for the answers to our last BYEs
_LOOK_EVERY = 0.02  # seconds


class SipService(Service):
    """Listens while privileges are there, takes calls until `drain`, stops last."""

    _log = Logger()

    def __init__(
        self,
        config: Sip,
        reactor: Any,
        beat: MediaClock,
        reader: BeatReader,
        reception: Reception,
        now: Callable[[], float],
    ) -> None:
        """`now`: seconds since the epoch. `CannotStart` for what cannot be had here."""
        self._config = config
        self._reactor = reactor
        random = SystemRandom()
        settings = _settings(config)
        sockets = UdpSockets(reactor, reader)
        first, last = config.rtp_port_range_start, config.rtp_port_range_end
        self.pools = {
            version: PortPool(reactor, sockets, interface, first, last, random)
            for version, interface in _interfaces(config.server).items()
        }
        streams = Streams(
            reactor,
            beat,
            ReportWheel(reactor, random),
            now,
            config.rtp_learning,  # type: ignore[arg-type]  # one of its words, by the configuration
            config.rtp_timeout,
        )
        lines = RtpLines(settings, self.pools, streams, capabilities(config), random)
        self.sockets = SipSockets(reactor)
        self.agent = SipAgent(
            reactor,
            settings,
            reception,
            lines,
            self.sockets,
            random,
            now,
            resolver=SystemNames(reactor),
        )
        self.sockets.receiver = self.agent
        self.port = 0  # of UDP, or of what else there is, once it listens

    def privilegedStartService(self) -> None:
        """`CannotStart` when a port cannot be had."""
        super().privilegedStartService()
        for warning in warnings(self._config):
            self._log.warn("{warning}", warning=warning)
        for version, interface in _interfaces(self._config.server).items():
            host = self.agent.settings.host if version == 4 else self.agent.settings.host6
            for transport in self._config.transports:
                try:
                    port = self._listen(transport, interface, host)
                except OSError as error:
                    where = f"{interface} port {self._config.port}"
                    why = error.strerror or error
                    raise CannotStart(f"SIP cannot listen on {where}: {why}") from error
                self.port = self.port or port

    def _listen(self, transport: str, interface: str, host: str) -> int:
        config = self._config
        port = self.port or config.port
        if transport == "udp":
            return self.sockets.listen_udp(interface, port, host)
        if transport == "tcp":
            return self.sockets.listen_tcp(interface, port, host)
        context = _certificate(config.tls_certificate, config.tls_key)
        return self.sockets.listen_tls(interface, config.tls_port, host, context)

    def trunks_changed(self, trunks: Mapping[int, Trunk]) -> None:
        """All of them, by their credential: those that want it are registered with."""
        self.agent.registrations.set(trunks)

    def drain(self) -> None:
        """Take no call any more."""
        self.agent.drain()

    def stopService(self) -> Deferred[None]:
        """Fires when the far sides have answered our BYEs, or did not, and nothing is open."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        self.agent.drain()
        leaving = self.agent.registrations.stop()
        waited = 0.0
        while len(self.agent.dialogs) and waited < ANSWERED_WITHIN:
            await deferLater(self._reactor, _LOOK_EVERY)
            waited += _LOOK_EVERY
        await leaving
        self.agent.close()
        await self.sockets.close()
        for pool in self.pools.values():
            pool.close()


def capabilities(config: Sip) -> Capabilities:
    """What can be agreed on here; `CannotStart` when it is less than what is demanded."""
    codecs = tuple(name for name in config.codecs if name != "opus" or opus.available())
    if not codecs:
        raise CannotStart("[sip] codecs: opus alone, and this machine has no libopus")
    if config.srtp == "required" and not srtp.installed():
        raise CannotStart('[sip] srtp: "required" needs the extra rapida-tw[srtp]')
    return Capabilities(codecs, config.srtp, srtp.installed())


def warnings(config: Sip) -> Iterator[str]:
    """In plain words, what of the configuration leaves callers in silence."""
    announced = config.external_ip
    if not announced or ip_address(announced).is_unspecified:
        if _is_anywhere(config.server):
            yield (
                "sip.external_ip is not set: callers are told the address of this machine that"
                " leads to them. Behind NAT they would hear nothing: set it to the public address"
            )
    elif ip_address(announced).is_loopback and not _is_loopback(config.server):
        yield (
            f"sip.external_ip is {announced}: callers on other machines would send their sound to"
            " themselves; set it to the address under which they reach this one"
        )


def _settings(config: Sip) -> SipSettings:
    announced = config.external_ip
    if announced and ip_address(announced).is_unspecified:
        announced = ""
    is_ipv6 = ":" in announced
    return SipSettings(
        host="" if is_ipv6 else announced or _own(config.server, 4),
        host6=announced if is_ipv6 else _own(config.server, 6),
        port=config.port,
        realm=config.realm,
        codecs=config.codecs,
        srtp=config.srtp,
        algorithms=config.digest,
        trusted_networks=config.trusted_networks,
        learning=config.rtp_learning,
        rtp_timeout=config.rtp_timeout,
    )


def _interfaces(server: str) -> dict[int, str]:
    """What is bound, by the version of IP: "::" means both."""
    if server == "localhost":
        return {4: "127.0.0.1"}
    if server == "::":
        return {4: "0.0.0.0", 6: "::"}
    return {6 if ":" in server else 4: server}


def _own(server: str, version: int) -> str:
    """The one address that is listened on; "" where it is any."""
    interface = _interfaces(server).get(version, "")
    return "" if not interface or ip_address(interface).is_unspecified else interface


def _is_anywhere(server: str) -> bool:
    return any(ip_address(one).is_unspecified for one in _interfaces(server).values())


def _is_loopback(server: str) -> bool:
    return all(ip_address(one).is_loopback for one in _interfaces(server).values())


def _certificate(certificate: str, key: str) -> Any:
    """Twisted's context of our certificate; `CannotStart` for files that are none."""
    try:
        with open(certificate, "rb") as cert, open(key, "rb") as secret:
            both = PrivateCertificate.loadPEM(secret.read() + b"\n" + cert.read())
    except Exception as error:  # OpenSSL's own kinds, without a text
        why = getattr(error, "strerror", "") or "not a certificate and its key in PEM"
        raise CannotStart(f"[sip] tls_certificate, tls_key: {why}") from error
    return both.options()
