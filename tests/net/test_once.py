"""Requests that must not be sent twice, and what is known of one that came to nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID
from OpenSSL.crypto import X509, PKey
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.ssl import (
    Certificate,
    CertificateOptions,
    optionsForClientTLS,
    trustRootFromCertificates,
)
from twisted.protocols.tls import TLSMemoryBIOFactory
from zope.interface import implementer

from rapida_tw.net.base import Nowhere, Request
from rapida_tw.net.endpoints import Target
from rapida_tw.net.service import RealNet
from rapida_tw.sim.memory_http import MemoryEndpoint
from tests.net.case import HOST, NetCase, RawCase, RawServers

DIAL = Request(f"https://{HOST}/v1/calls", "POST", {}, b'{"to":1}', once=True)


class OnceTests(RawCase):
    ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    def answered(self, request: Request) -> None:
        asking = self.net.request(request)
        self.run_for()
        self.server.write(self.ANSWER)
        self.run_for()
        self.assertEqual(self.successResultOf(self.successResultOf(asking).text()), "ok")

    def test_its_own_connection(self) -> None:
        """No kept connection is used for it, and its own is kept for nobody."""
        self.answered(replace(DIAL, once=False))
        self.answered(DIAL)
        self.assertIn(b"connection: close", self.server.received.lower())
        self.assertEqual(len(self.raw.servers), 2)
        self.assertTrue(self.server.lost)
        self.answered(DIAL)
        self.assertEqual(len(self.raw.servers), 3)

    def test_not_sent_again(self) -> None:
        """A server that closes without an answer has seen it; nobody sends it to another."""
        self.answered(replace(DIAL, once=False))
        asking = self.net.request(DIAL)
        self.run_for()
        self.server.transport.loseConnection()
        error = self.failure(asking)
        self.assertEqual((error.sent, error.retryable), (True, True))
        self.assertEqual(sum(b'{"to":1}' in one.received for one in self.raw.servers), 2)
        self.assertEqual(len(self.raw.servers), 2)


class NotSentTests(NetCase):
    def test_nobody_there(self) -> None:
        """No name, no listener, no answer to the connecting: nothing was sent."""
        stranger = replace(DIAL, url="https://nobody.test/v1/calls")
        self.assertFalse(self.failure(self.net.request(stranger)).sent)
        self.fakes.down.add(HOST)
        self.assertFalse(self.failure(self.net.request(DIAL)).sent)
        self.fakes.down.clear()
        self.fakes.unanswering.add(HOST)
        asking = self.net.request(DIAL)
        self.run_for(5.1)
        self.assertFalse(self.failure(asking).sent)

    def test_nothing_that_could_be_sent(self) -> None:
        """An address that is none, headers that are none, no way out."""
        for wrong in (replace(DIAL, url="ftp://a.test/"), replace(DIAL, headers={"a": "b\r\nc"})):
            self.assertFalse(self.failure(self.net.request(wrong)).sent)
        self.assertFalse(self.failure(Nowhere().request(DIAL)).sent)


@implementer(IStreamClientEndpoint)
class TlsEndpoint:
    """As `wrapClientTLS`, whose writes are driven by the global reactor."""

    def __init__(self, options: Any, way: MemoryEndpoint, clock: Any) -> None:
        self._options, self._way, self._clock = options, way, clock

    def connect(self, protocolFactory: Any) -> Deferred[Any]:
        wrapped = TLSMemoryBIOFactory(self._options, True, protocolFactory, self._clock)
        connecting: Deferred[Any] = self._way.connect(wrapped)
        return connecting.addCallback(lambda protocol: protocol.wrappedProtocol)


class TlsServers(RawServers):
    """Raw servers behind TLS; with `plain` they are not, and read what TLS sends."""

    plain = False

    def __init__(self, clock: Any) -> None:
        super().__init__(clock)
        self._clock = clock
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), 1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
            .sign(key, SHA256())
        )
        shown = X509.from_cryptography(certificate)
        options = CertificateOptions(PKey.from_cryptography_key(key), shown)
        self._tls = TLSMemoryBIOFactory(options, False, self, clock)
        self.trust: Any = trustRootFromCertificates([Certificate(shown)])

    def to(self, target: Target, protocols: tuple[bytes, ...] = ()) -> IStreamClientEndpoint:
        server = self if self.plain else self._tls
        options = optionsForClientTLS(target.host, self.trust)
        return TlsEndpoint(options, MemoryEndpoint(self.network, server), self._clock)


class TlsTests(NetCase):
    """Where the connection stands, but not yet the encryption."""

    def setUp(self) -> None:
        super().setUp()
        self.raw = TlsServers(self.clock)
        self.net = RealNet(self.clock, self.raw)

    def test_unencrypted(self) -> None:
        """What answers is no TLS, or nothing: the request was never readable to anybody."""
        self.raw.plain = True
        for answer in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b""):
            asking = self.net.request(DIAL)
            self.run_for()
            server = self.raw.servers[-1]
            server.write(answer)
            server.transport.loseConnection()
            self.assertFalse(self.failure(asking).sent)
            self.assertNotIn(b"/v1/calls", server.received)

    def test_untrusted(self) -> None:
        """A certificate that nobody trusts ends it before the request."""
        self.raw.trust = trustRootFromCertificates([])
        error = self.failure(self.net.request(DIAL))
        self.assertEqual((error.sent, error.retryable), (False, False))
        self.assertNotIn(b"/v1/calls", self.raw.servers[-1].received)

    def test_encrypted(self) -> None:
        """After the handshake the request may have arrived, whatever becomes of the answer."""
        asking = self.net.request(DIAL)
        self.run_for(1.0)
        server = self.raw.servers[-1]
        self.assertIn(b"/v1/calls", server.received)
        server.transport.loseConnection()
        self.assertTrue(self.failure(asking).sent)
