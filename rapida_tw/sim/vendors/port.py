"""VendorPort: fakes of vendors on a real TCP port, for official clients and benchmarks.

Who is asked is decided by the Host header where it is one of a fake's `hosts`; else, where there is
one fake alone, it is that; else by the first segment of the path, which is the name of the fake's
module and is taken off: `http://127.0.0.1:8000/deepgram/v1/listen`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IListeningPort
from twisted.internet.ssl import CertificateOptions, PrivateCertificate

from rapida_tw.sim.vendors.base import FakeVendor
from rapida_tw.sim.vendors.rpc_serving import Find
from rapida_tw.sim.vendors.serving import VendorSite, by_host


def name_of(vendor: FakeVendor) -> str:
    """The last part of its module's name."""
    return type(vendor).__module__.rpartition(".")[2]


def by_host_or_path(vendors: tuple[FakeVendor, ...]) -> Find:
    """As the module says."""
    by_its_host = by_host(vendors)
    by_name = {name_of(vendor): vendor for vendor in vendors}

    def find(host: str, path: str) -> tuple[FakeVendor, str] | None:
        found = by_its_host(host, path)
        if found is not None:
            return found
        name, _, rest = path.removeprefix("/").partition("/")
        if name in by_name and (len(vendors) > 1 or path.startswith(f"/{name}/")):
            return by_name[name], f"/{rest}"
        return (vendors[0], path) if len(vendors) == 1 else None

    return find


def _options(certificate: PrivateCertificate) -> CertificateOptions:
    """gRPC's clients want their protocol to be chosen by ALPN."""
    return CertificateOptions(
        privateKey=certificate.privateKey.original,
        certificate=certificate.original,
        acceptableProtocols=[b"h2", b"http/1.1"],
    )


class VendorPort:
    """`start`, then `port`; with `certificate` and `key` (files in PEM) it speaks TLS."""

    def __init__(self, reactor: Any, *vendors: FakeVendor) -> None:
        self.site = VendorSite(by_host_or_path(vendors), reactor)
        self.port = 0
        self._reactor = reactor
        self._listening: IListeningPort | None = None

    def start(
        self,
        port: int = 0,
        certificate: Path | None = None,
        key: Path | None = None,
        interface: str = "127.0.0.1",
    ) -> int:
        """Listen; returns the port, which the system chooses for 0."""
        if certificate is None or key is None:
            self._listening = self._reactor.listenTCP(port, self.site, interface=interface)
        else:
            pem = key.read_bytes() + certificate.read_bytes()
            options = _options(PrivateCertificate.loadPEM(pem))
            self._listening = self._reactor.listenSSL(port, self.site, options, interface=interface)
        assert self._listening is not None
        address: Any = self._listening.getHost()
        self.port = address.port
        return self.port

    def stop(self) -> Deferred[Any]:
        """Take no more connections, and cut the WebSockets that are open."""
        for line in tuple(self.site.open):
            line.drop()
        for call in tuple(self.site.calls):
            call.drop()
        assert self._listening is not None
        return maybeDeferred(self._listening.stopListening)
