"""Endpoints: where a vendor's server is, and the way there; TLS by the platform's trust."""

from __future__ import annotations

import socket
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from cryptography import x509
from OpenSSL.crypto import X509
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator, IStreamClientEndpoint
from twisted.internet.ssl import Certificate, optionsForClientTLS, trustRootFromCertificates

from rapida_tw.errors import VendorFailed

CONNECT_WITHIN = 5.0  # seconds

_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_TLS = ("https", "wss")
_CONTEXTS = 64  # hosts whose TLS contexts are kept: to load the platform's trust takes milliseconds
_UNSENT_BYTES = 16_384  # in the kernel; the rest waits where it can be counted
_IDLE_SECONDS, _PROBE_SECONDS, _PROBES = 15, 5, 3  # of TCP keep-alive
_DEAD_HOST_MS = 10_000  # TCP_USER_TIMEOUT: unacknowledged for this long, the host is gone


class Target(NamedTuple):
    """A server: `host` is a name or a literal address, without brackets.

    `trust`: who vouches for it, in PEM, instead of the platform's authorities.
    """

    host: str
    port: int
    secure: bool
    trust: str = ""

    @property
    def authority(self) -> str:
        """As it stands in a Host header: the port only where it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


def target(url: str, *schemes: str) -> Target:
    """The server of `url`; `VendorFailed` where it is no address of one of the `schemes`."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    plain = url.isascii() and url.isprintable() and " " not in url
    if not host or not plain or parts.scheme not in schemes:
        shown = url.partition("?")[0].rpartition("@")[2]
        wanted = " or ".join(f"{scheme}://" for scheme in schemes)
        raise VendorFailed(
            f"{shown!r} is no address that begins with {wanted}", retryable=False, sent=False
        )
    return Target(host, port or _PORTS[parts.scheme], parts.scheme in _TLS)


class Endpoints(Protocol):
    """Leads to servers: over the network, or to fakes in memory."""

    def to(self, target: Target, protocols: tuple[bytes, ...] = ()) -> IStreamClientEndpoint:
        """`protocols`: what ALPN offers, over TLS."""


class RealEndpoints:
    """IPv4, IPv6 and names, by whichever answers first.

    `trust`: a `trustRoot` of Twisted's, instead of the platform's.
    """

    def __init__(self, reactor: Any, trust: Any = None) -> None:
        self._reactor = reactor
        self._trust = trust
        self._contexts: dict[tuple[object, ...], IOpenSSLClientConnectionCreator] = {}

    def to(self, target: Target, protocols: tuple[bytes, ...] = ()) -> IStreamClientEndpoint:
        plain = HostnameEndpoint(self._reactor, target.host, target.port, timeout=CONNECT_WITHIN)
        if not target.secure:
            return plain
        endpoint: IStreamClientEndpoint = wrapClientTLS(self.tls(target, protocols), plain)
        return endpoint

    def tls(self, to: Target, protocols: tuple[bytes, ...]) -> IOpenSSLClientConnectionCreator:
        """What checks that it is the host: kept, see `_CONTEXTS`."""
        key = to.host, to.trust, protocols
        options = self._contexts.get(key)
        if options is None:
            if len(self._contexts) >= _CONTEXTS:
                self._contexts.clear()
            trust = _authorities(to.trust) if to.trust else self._trust
            options = optionsForClientTLS(to.host, trust, acceptableProtocols=protocols or None)
            self._contexts[key] = options
        return options


def _authorities(pem: str) -> Any:
    """A `trustRoot` of these certificates alone."""
    try:
        certificates = x509.load_pem_x509_certificates(pem.encode())
    except ValueError as error:
        raise VendorFailed(f"no certificates in PEM: {error}", retryable=False) from None
    return trustRootFromCertificates([Certificate(X509.from_cryptography(c)) for c in certificates])


_conforms: type[Endpoints] = RealEndpoints


def tune(transport: Any) -> None:
    """Send at once, notice a dead host, and keep no minutes of audio in the kernel."""
    transport.setTcpNoDelay(True)
    transport.setTcpKeepAlive(True)
    handle = getattr(transport, "socket", None)
    if handle is None:  # in memory
        return
    for name, value in (
        ("TCP_NOTSENT_LOWAT", _UNSENT_BYTES),
        ("TCP_USER_TIMEOUT", _DEAD_HOST_MS),
        ("TCP_KEEPIDLE", _IDLE_SECONDS),
        ("TCP_KEEPINTVL", _PROBE_SECONDS),
        ("TCP_KEEPCNT", _PROBES),
    ):
        option = getattr(socket, name, None)  # not every system has each
        if option is not None:
            handle.setsockopt(socket.IPPROTO_TCP, option, value)
