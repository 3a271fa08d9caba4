"""What the guard lets through, of whom, and for how long it shuts a source out."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from rapida_tw.sip import counters
from rapida_tw.sip.guard import Guard, Limits, is_scanner
from rapida_tw.sip.networks import Networks, source

STRANGER = "198.51.100.7"
OPTIONS = b"OPTIONS sip:203.0.113.10 SIP/2.0\r\n"
INVITE = b"INVITE sip:1:k@203.0.113.10 SIP/2.0\r\n"
PLENTY = Limits(strangers=1e9, stranger_burst=1e9)


def guard(limits: Limits = PLENTY, trusted: tuple[str, ...] = ()) -> tuple[Guard, Clock]:
    clock = Clock()
    return Guard(clock.seconds, Networks(trusted), limits), clock


def passing(guard: Guard, data: bytes, times: int, host: str = STRANGER) -> int:
    """How many of so many get through."""
    return sum(not guard.drops(data, host) for _ in range(times))


def test_messages_of_a_source() -> None:
    """200 at once, then 50 a second."""
    subject, clock = guard()
    assert passing(subject, OPTIONS, 1_000) == 200
    clock.advance(1)
    assert passing(subject, OPTIONS, 1_000) == 50
    clock.advance(3_600)
    assert passing(subject, OPTIONS, 1_000) == 200


def test_invites_of_a_source() -> None:
    """20 at once, then 10 a second, while its other messages go on."""
    subject, clock = guard()
    assert passing(subject, INVITE, 50) == 20
    clock.advance(1)
    assert passing(subject, INVITE, 50) == 10
    assert passing(subject, OPTIONS, 20) == 20


def test_sources_have_their_own() -> None:
    """One source's flood costs another nothing."""
    subject, _ = guard()
    passing(subject, OPTIONS, 1_000)
    assert passing(subject, OPTIONS, 10, "198.51.100.8") == 10


def test_all_strangers_together() -> None:
    """Made-up addresses do not get around the limit."""
    subject, clock = guard(Limits(strangers=100, stranger_burst=500))
    through = sum(passing(subject, OPTIONS, 1, f"10.{n >> 8}.{n & 255}.1") for n in range(5_000))
    assert through == 500
    clock.advance(1)
    assert passing(subject, OPTIONS, 1, "10.0.0.9") == 1


def test_the_table_is_bounded() -> None:
    """However many sources there are."""
    subject, _ = guard(Limits(sources=100))
    for number in range(1_000):
        host = f"10.{number >> 8}.{number & 255}.1"
        subject.drops(OPTIONS, host)
        subject.authenticated(host)
    assert len(subject) <= 200


def test_a_busy_source_is_not_forgotten() -> None:
    """The oldest is forgotten first, and who goes on sending is not old."""
    subject, _ = guard(Limits(sources=10, strangers=1e9, stranger_burst=1e9))
    passing(subject, OPTIONS, 200)
    for number in range(100):
        subject.drops(OPTIONS, f"10.0.0.{number}")
        assert subject.drops(OPTIONS, STRANGER)


@pytest.mark.parametrize(
    ("host", "same", "other"),
    [
        ("198.51.100.7", "198.51.100.7", "198.51.100.8"),
        ("2001:db8:0:1::7", "2001:db8:0:1:ffff::1", "2001:db8:0:2::7"),
    ],
)
def test_sources(host: str, same: str, other: str) -> None:
    """An IPv4 address is a source, and an IPv6 network of 64 bits."""
    assert source(host) == source(same)
    assert source(host) != source(other)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "192.0.2.9"])
def test_trusted(host: str) -> None:
    """Loopback and the trusted networks have no limit."""
    subject, _ = guard(trusted=("192.0.2.0/24",))
    assert subject.spares(host)
    assert passing(subject, INVITE, 1_000, host) == 1_000


def test_authenticated() -> None:
    """Who gave a right password has no limit for ten minutes."""
    subject, clock = guard()
    subject.authenticated(STRANGER)
    assert passing(subject, INVITE, 1_000) == 1_000
    clock.advance(599)
    assert passing(subject, INVITE, 1_000) == 1_000
    clock.advance(2)
    assert passing(subject, INVITE, 1_000) == 20


def test_in_a_call() -> None:
    """Who is in a call has no limit as long as one of its calls goes on."""
    subject, _ = guard()
    subject.call_began(STRANGER)
    subject.call_began(STRANGER)
    subject.call_ended(STRANGER)
    assert passing(subject, OPTIONS, 1_000) == 1_000
    subject.call_ended(STRANGER)
    assert passing(subject, OPTIONS, 1_000) == 200
    subject.call_ended(STRANGER)  # more often than it began
    assert passing(subject, OPTIONS, 10) == 0


def test_ban() -> None:
    """Ten wrong passwords shut a source out for 10 s, the next ten for 20, at most for an hour."""
    subject, clock = guard()
    for seconds in (10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600, 3_600):
        for _ in range(9):
            subject.mistaken(STRANGER)
        assert not subject.drops(OPTIONS, STRANGER)
        subject.mistaken(STRANGER)
        assert subject.drops(OPTIONS, STRANGER)
        clock.advance(seconds - 0.1)
        assert subject.drops(OPTIONS, STRANGER)
        clock.advance(0.2)
        assert not subject.drops(OPTIONS, STRANGER)


def test_a_ban_is_forgotten() -> None:
    """After an hour without one, it begins anew."""
    subject, clock = guard()
    for _ in range(20):
        subject.mistaken(STRANGER)
    clock.advance(20 + 3_601)
    for _ in range(10):
        subject.mistaken(STRANGER)
    clock.advance(10.1)
    assert not subject.drops(OPTIONS, STRANGER)


def test_no_ban() -> None:
    """Neither for the trusted nor for who has given a right password since."""
    subject, _ = guard()
    for _ in range(9):
        subject.mistaken(STRANGER)
    subject.authenticated(STRANGER)
    for host in (STRANGER, "127.0.0.1"):
        for _ in range(100):
            subject.mistaken(host)
        assert not subject.drops(OPTIONS, host)


@pytest.mark.parametrize(
    ("header", "scanner"),
    [
        (b"User-Agent: friendly-scanner", True),
        (b"user-agent:VaxSIPUserAgent/3.1", True),
        (b"User-Agent: sipcli/v1.8", True),
        (b"User-Agent: pplsip", True),
        (b'From: "sipvicious"<sip:100@1.1.1.1>;tag=1', True),
        (b'f: "sipvicious"<sip:100@1.1.1.1>;tag=1', True),
        (b'To: "sipvicious"<sip:100@1.1.1.1>', True),
        (b"User-Agent: sipclient 1.0", False),
        (b"User-Agent: Asterisk PBX 22", False),
        (b"X-Note: not a friendly-scanner", False),
        (b"Subject: sipvicious", False),
    ],
)
def test_scanners(header: bytes, scanner: bool) -> None:
    """Known by their names, in the headers where they stand."""
    data = OPTIONS + b"Via: SIP/2.0/UDP 10.0.0.1\r\n" + header + b"\r\n\r\n"
    assert is_scanner(data) is scanner


def test_scanners_are_counted() -> None:
    """Dropped, but from a trusted source they are answered as anybody."""
    subject, _ = guard()
    before = counters.dropped.value("scanner")
    data = OPTIONS + b"User-Agent: friendly-scanner\r\n\r\n"
    assert subject.drops(data, STRANGER)
    assert counters.dropped.value("scanner") == before + 1
    assert not subject.drops(data, "127.0.0.1")
