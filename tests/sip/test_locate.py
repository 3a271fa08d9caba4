"""Where a trunk is: literals, names, SRV, and DNS that does not do what it should (RFC 3263)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import DNSLookupError
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.names import dns
from twisted.names.error import DNSNameError
from twisted.python.failure import Failure

from rapida_tw.sip.locate import Locator, NotLocated, Service, Target
from rapida_tw.sip.names import SystemNames
from rapida_tw.sip.names import _none as none_of
from rapida_tw.sip.names import _services as services_of
from tests.sip.upstream import Names


class Place:
    """A locator, its DNS and its clock."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.names = Names()
        self.locator = Locator(self.names, self.clock, Random(3))

    def find(self, host: str, port: int | None = None, transport: str = "UDP") -> Any:
        """What comes at once: targets, an error, or nothing yet."""
        results: list[Any] = []
        self.locator.find(host, port, transport).addBoth(results.append)
        self.results = results
        if not results:
            return None
        return results[0].value if isinstance(results[0], Failure) else list(results[0])


@pytest.mark.parametrize(
    ("host", "port", "transport", "expected"),
    [
        ("192.0.2.1", None, "UDP", ("192.0.2.1", 5060)),
        ("192.0.2.1", None, "TLS", ("192.0.2.1", 5061)),
        ("192.0.2.1", 5080, "TCP", ("192.0.2.1", 5080)),
        ("2001:DB8::1", None, "UDP", ("2001:db8::1", 5060)),
    ],
)
def test_literals(host: str, port: int | None, transport: str, expected: tuple[str, int]) -> None:
    """Nobody is asked."""
    place = Place()
    (target,) = place.find(host, port, transport)
    assert (target.host, target.port, target.transport) == (*expected, transport)
    assert place.names.asked == []


def test_port() -> None:
    """With a port only the addresses are asked for (4.2)."""
    place = Place()
    place.names.hosts["t.example"] = ["192.0.2.1", "2001:db8::1", "nonsense", "192.0.2.1"]
    assert place.find("t.example", 5080) == [
        Target("192.0.2.1", 5080, "UDP", "t.example"),
        Target("2001:db8::1", 5080, "UDP", "t.example"),
    ]
    assert place.names.asked == ["t.example"]


@pytest.mark.parametrize(
    ("transport", "service"), [("UDP", "_sip._udp"), ("TCP", "_sip._tcp"), ("TLS", "_sips._tcp")]
)
def test_services(transport: str, service: str) -> None:
    """By priority, each with its own port; the certificate is for the name that was wanted."""
    place = Place()
    place.names.srv[f"{service}.t.example"] = [
        Service(20, 0, 5062, "b.example."),
        Service(10, 0, 5061, "a.example"),
        Service(5, 0, 0, "without-port.example"),
    ]
    place.names.hosts |= {"a.example": ["192.0.2.1", "192.0.2.2"], "b.example": ["192.0.2.3"]}
    assert place.find("t.example", None, transport) == [
        Target("192.0.2.1", 5061, transport, "t.example"),
        Target("192.0.2.2", 5061, transport, "t.example"),
        Target("192.0.2.3", 5062, transport, "t.example"),
    ]


def test_weights() -> None:
    """Within a priority by chance: 3 to 1, and the one without weight hardly ever."""
    place = Place()
    place.names.srv["_sip._udp.t.example"] = [
        Service(1, weight, 5060, f"{weight}.example") for weight in (75, 25, 0)
    ]
    for weight in (75, 25, 0):
        place.names.hosts[f"{weight}.example"] = [f"192.0.2.{weight + 1}"]
    first = Counter(place.find("t.example")[0].host for _ in range(400))
    assert 270 < first["192.0.2.76"] < 330
    assert 0 < first["192.0.2.1"] < 15
    assert len(place.find("t.example")) == 3


def test_no_services() -> None:
    """Without SRV, or when it fails, the name itself and the usual port."""
    for found in ((), OSError("SERVFAIL")):
        place = Place()
        place.names.srv["_sip._udp.trunk.example"] = found
        (target,) = place.find("trunk.example")
        assert (target.host, target.port) == ("198.51.100.1", 5060)


@pytest.mark.parametrize("target", [".", ""])
def test_service_denied(target: str) -> None:
    """A target of "." says that there is none (RFC 2782)."""
    place = Place()
    place.names.srv["_sip._udp.trunk.example"] = [Service(0, 0, 5060, target)]
    assert isinstance(place.find("trunk.example"), NotLocated)


def test_service_without_address() -> None:
    """The next one is used; when none has an address, that is said."""
    place = Place()
    place.names.srv["_sip._udp.t.example"] = [
        Service(1, 0, 5060, "gone.example"),
        Service(2, 0, 5060, "trunk.example"),
    ]
    assert [target.host for target in place.find("t.example")] == ["198.51.100.1"]
    del place.names.hosts["trunk.example"]
    assert isinstance(place.find("t.example"), NotLocated)


def test_bounds() -> None:
    """Eight targets, and no more names than that are looked up."""
    place = Place()
    place.names.srv["_sip._udp.t.example"] = [
        Service(0, 0, 5060, f"{number}.example") for number in range(100)
    ]
    assert isinstance(place.find("t.example"), NotLocated)
    assert len(place.names.asked) == 9
    place.names.hosts["many.example"] = [f"192.0.2.{number}" for number in range(100)]
    assert len(place.find("many.example", 5060)) == 8


def test_unknown() -> None:
    """`NotLocated`, whatever DNS says."""
    error = Place().find("nowhere.example")
    assert isinstance(error, NotLocated)
    assert "nowhere.example" in str(error)


def test_slow_services() -> None:
    """Three seconds are given to SRV, then the name itself is asked for."""
    place = Place()
    place.names.srv["_sip._udp.trunk.example"] = Deferred()
    assert place.find("trunk.example") is None
    place.clock.advance(3.1)
    assert [target.host for target in place.results[0]] == ["198.51.100.1"]
    assert place.clock.getDelayedCalls() == []


def test_slow() -> None:
    """Eight seconds in all; what asks is given up."""
    place = Place()
    gone: list[object] = []
    place.names.hosts["t.example"] = Deferred(gone.append)
    assert place.find("t.example", 5060) is None
    place.clock.advance(8.1)
    assert place.results[0].check(NotLocated)
    assert len(gone) == 1
    assert place.clock.getDelayedCalls() == []


def test_given_up() -> None:
    """Cancelled, it asks nothing more."""
    place = Place()
    place.names.srv["_sip._udp.trunk.example"] = Deferred()
    finding = place.locator.find("trunk.example", None, "UDP")
    results: list[Failure] = []
    finding.addErrback(results.append)
    finding.cancel()
    assert results[0].check(CancelledError)
    assert place.names.asked == ["_sip._udp.trunk.example"]
    assert place.clock.getDelayedCalls() == []


# -- the machine's own DNS ----------------------------------------------------------------------


class Found:
    """What twisted.names gives of one record."""

    def __init__(self, record: Any, kind: int = dns.SRV) -> None:
        self.payload = record
        self.type = kind


class Reactor(MemoryReactorClock):  # type: ignore[misc]
    """With a resolver that the test plays."""

    def __init__(self) -> None:
        super().__init__()
        self.receivers: list[Any] = []
        self.nameResolver = self

    def resolveHostName(self, receiver: Any, name: str) -> None:
        self.receivers.append(receiver)


def test_addresses() -> None:
    """As they come, each once; none is an error; after giving up nobody minds."""
    reactor = Reactor()
    names = SystemNames(reactor)
    results: list[Any] = []
    for _ in range(2):
        names.addresses("t.example").addBoth(results.append)
    lost = names.addresses("t.example")
    lost.addErrback(lambda _: None)
    lost.cancel()
    first, second, third = reactor.receivers
    for host in ("192.0.2.1", "2001:db8::1", "192.0.2.1"):
        first.addressResolved(type("Address", (), {"host": host}))
    for receiver in (first, second, third):
        receiver.resolutionBegan(None)
        receiver.resolutionComplete()
    assert results[0] == ["192.0.2.1", "2001:db8::1"]
    assert results[1].check(DNSLookupError)


def test_records() -> None:
    """SRV alone, and not too many; no such name is no service, any other failure is one."""
    record = dns.Record_SRV(10, 5, 5061, "a.example")
    answer = ([Found(record)] * 40 + [Found(dns.Record_A("192.0.2.1"), dns.A)], [], [])
    assert services_of(answer) == [Service(10, 5, 5061, "a.example")] * 16
    assert none_of(Failure(DNSNameError("no"))) == []
    with pytest.raises(OSError, match="down"):
        none_of(Failure(OSError("down")))


def test_no_name_server(tmp_path: Path) -> None:
    """An error, at once, without a socket or a timer."""
    reactor = Reactor()
    for text in ("", "nameserver fe80::1%eth0\n", "# nameserver 192.0.2.1\n"):
        (tmp_path / "resolv.conf").write_text(text, "ascii")
        results: list[Failure] = []
        names = SystemNames(reactor, tmp_path / "resolv.conf")
        names.services("_sip._udp.t.example").addErrback(results.append)
        assert results[0].check(DNSLookupError)
    assert reactor.getDelayedCalls() == []
