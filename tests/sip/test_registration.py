"""Registrations with trunks: REGISTER in time."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred

from rapida_tw.sip.registration import LONGEST_BACK_OFF
from rapida_tw.sip.registrations import STATES, states
from rapida_tw.wire.sip_message import Request, parse
from tests.sip.registered import Registered
from tests.sip.upstream import OTHER as SECOND
from tests.sip.upstream import TRUNK, right

# -- REGISTER -----------------------------------------------------------------------------------


def test_register() -> None:
    """For the account, at the registrar, with a Contact that nobody can guess."""
    up = Registered(domain="acme.example", server="trunk.example")
    request = up.last
    assert request.uri == "sip:acme.example"
    assert str(request.to) == "<sip:acme@acme.example>"
    assert (request.from_.uri, len(request.from_.tag)) == (request.to.uri, 16)
    assert request.headers.get("Expires") == "3600"
    assert request.headers.get("Contact") == f"<sip:{up.token}@203.0.113.10:5090>"
    assert len(up.token) == 32
    assert up.state == "registering"
    up.grant()
    assert up.state == "registered"
    up.nothing_left()


def test_digest() -> None:
    """Challenges are answered, for each REGISTER anew."""
    up = Registered()
    for _ in range(2):
        up.challenge(up.last)
        assert right(up.last)
        up.grant()
        up.advance(3240.25)
    assert [request.cseq[0] for request in up.asked] == [1, 2, 3, 4, 5]
    assert len({request.call_id for request in up.asked}) == 1
    assert len({request.from_.tag for request in up.asked}) == 1
    up.grant()
    up.nothing_left()


@pytest.mark.parametrize(
    ("expires", "after"),
    [("3600", 3240), ("60", 54), ("30", 25), ("1", 15), ("0", 15), ("9999999999", 77760)],
)
def test_refresh(expires: str, after: float) -> None:
    """A tenth before the end, five seconds at least; what makes no sense is bounded."""
    up = Registered()
    up.grant(expires)
    up.clock.advance(after - 0.5)
    assert len(up.asked) == 1
    up.clock.advance(1)
    assert len(up.asked) == 2
    assert up.state == "registered"
    up.reply(up.last, 200)
    up.nothing_left()


def test_expires_header() -> None:
    """Where the Contact does not say, the header does; else what was asked for."""
    for headers, after in (((("Expires", "120"),), 108), ((), 3240)):
        up = Registered()
        up.reply(up.last, 200, headers)
        up.clock.advance(after - 0.5)
        assert len(up.asked) == 1
        up.clock.advance(1)
        assert len(up.asked) == 2
        up.reply(up.last, 200)
        up.nothing_left()


def test_too_brief() -> None:
    """423: at once for as long as they want, and from then on (10.3)."""
    up = Registered()
    up.reply(up.last, 423, (("Min-Expires", "7200"),))
    assert up.last.headers.get("Expires") == "7200"
    up.reply(up.last, 423, (("Min-Expires", "7200"),))
    assert len(up.asked) == 2
    assert up.state == "failed"
    up.nothing_left()


@pytest.mark.parametrize("minimum", ["60", "x", "", "99999999"])
def test_nonsense_minimum(minimum: str) -> None:
    """A 423 that does not help is a failure."""
    up = Registered()
    up.reply(up.last, 423, (("Min-Expires", minimum),))
    assert len(up.asked) == 1
    assert up.state == "failed"
    up.nothing_left()


# -- failures -----------------------------------------------------------------------------------


def pauses(up: Registered, count: int) -> list[float]:
    """Seconds between failures and the next tries."""
    found = []
    for _ in range(count):
        before = len(up.asked)
        up.reply(up.last, 403)
        start = up.clock.seconds()
        while len(up.asked) == before:
            up.clock.advance(1)
        found.append(up.clock.seconds() - start)
    return found


def test_back_off() -> None:
    """30 s, doubled up to half an hour, a fifth more or less; after a success from the start."""
    up = Registered()
    found = pauses(up, 9)
    usual = [30, 60, 120, 240, 480, 960, 1800, 1800, 1800]
    for pause, expected in zip(found, usual, strict=True):
        assert expected * 0.8 - 1 <= pause <= expected * 1.2 + 1
    assert len(set(found)) > 6
    up.grant()
    up.clock.advance(3241)
    assert pauses(up, 1)[0] <= 37
    up.grant()
    up.nothing_left()


@pytest.mark.parametrize(("after", "least", "most"), [("600", 480, 721), ("9999999", 1440, 2161)])
def test_retry_after(after: str, least: float, most: float) -> None:
    """A registrar may ask for more patience, up to half an hour."""
    up = Registered()
    up.reply(up.last, 503, (("Retry-After", f"{after} (maintenance)"),))
    up.clock.advance(least - 2)
    assert len(up.asked) == 1
    up.clock.advance(most - least + 4)
    assert len(up.asked) == 2
    assert most <= LONGEST_BACK_OFF * 1.2 + 1
    up.nothing_left()


def test_silent() -> None:
    """Nobody answers: the next address, then a pause."""
    up = Registered(server="two.example")
    assert up.asked == []
    up.names.hosts["two.example"] = [TRUNK[0], SECOND[0]]
    up.clock.advance(40)
    assert len(up.sent("REGISTER", TRUNK)) == 1
    up.advance(33)
    assert len(up.sent("REGISTER", SECOND)) == 1
    up.grant(peer=SECOND)
    assert up.state == "registered"
    up.clock.advance(3241)
    assert len(up.sent("REGISTER", SECOND)) == 2
    up.grant(peer=SECOND)
    up.nothing_left()


def test_overloaded() -> None:
    """503 of one of two: the other at once."""
    up = Registered(server="two.example")
    up.names.hosts["two.example"] = [TRUNK[0], SECOND[0]]
    up.clock.advance(40)
    up.reply(up.last, 503)
    assert len(up.sent("REGISTER", SECOND)) == 1
    up.grant(peer=SECOND)
    up.nothing_left()


def test_wrong_password() -> None:
    """It is not sent again and again."""
    up = Registered()
    up.challenge(up.last)
    up.challenge(up.last)
    assert len(up.asked) == 2
    assert up.state == "failed"
    up.nothing_left()


def test_old_answer() -> None:
    """The answer to a REGISTER before the last changes nothing."""
    up = Registered()
    first = up.last
    up.challenge(first)
    up.reply(first, 403)
    assert up.state == "registering"
    up.grant()
    assert up.state == "registered"
    up.nothing_left()


# -- the way stays open -------------------------------------------------------------------------


def pings(up: Registered) -> int:
    return sum(message == b"\r\n\r\n" for _, message in up.ways.sent)


def test_keep_alive() -> None:
    """An empty line every 30 s, for as long as it is registered."""
    up = Registered()
    up.advance(29)
    assert pings(up) == 0
    up.grant()
    up.advance(61)
    assert pings(up) == 2
    up.stop()
    up.advance(61)
    assert pings(up) == 2
    up.nothing_left()


def test_connection_lost() -> None:
    """Calls come over it: it is opened anew, and registered again."""
    up = Registered(transport="tcp")
    up.grant()
    flow = up.ways.way(*TRUNK, "TCP")
    assert up.agent.uses(flow)
    flow.open = False
    up.agent.lost(flow)
    up.advance(31)
    assert len(up.asked) == 2
    assert len(up.ways.asked) == 2
    up.grant()
    up.nothing_left()


# -- the end, and changes -----------------------------------------------------------------------


def test_unregister() -> None:
    """On stop it is taken back; a challenge is answered; done when that is answered."""
    up = Registered()
    up.grant()
    done: list[None] = []
    up.stop().addCallback(done.append)
    assert up.last.headers.get("Expires") == "0"
    up.challenge(up.last)
    assert right(up.last)
    assert up.last.headers.get("Expires") == "0"
    assert done == []
    up.reply(up.last, 200)
    assert len(done) == 1
    up.nothing_left()


def test_unregister_unheard() -> None:
    """At most a second."""
    up = Registered()
    up.grant()
    done: list[None] = []
    up.stop().addCallback(done.append)
    up.advance(0.75)
    assert done == []
    up.advance(0.5)
    assert len(done) == 1
    up.nothing_left()


@pytest.mark.parametrize("state", ["failed", "locating"])
def test_stopped_before(state: str) -> None:
    """What is not registered is not taken back."""
    up = Registered()
    if state == "failed":
        up.reply(up.last, 403)
    else:
        up.names.hosts["slow.example"] = Deferred()
        up.registrations.set({9: up.trunk(register="true", server="slow.example", port="5060")})
        up.clock.advance(0)
        up.reply(up.last, 200)
    count = len(up.asked)
    done: list[None] = []
    up.stop().addCallback(done.append)
    assert len(done) == 1
    assert len(up.asked) == count
    up.nothing_left()


def test_changes() -> None:
    """The same trunk goes on; a changed one begins anew; one without `register` is left out."""
    up = Registered()
    up.grant()
    token = up.token
    same = up.trunk(register="true")
    up.registrations.set({9: same, 10: up.trunk()})
    up.clock.advance(0)
    assert len(up.asked) == 1
    up.registrations.set({9: up.trunk(register="true", username="other")})
    assert up.last.headers.get("Expires") == "0"
    up.reply(up.last, 200)
    up.clock.advance(0)
    assert up.last.to.uri.user == "other"
    assert up.token != token
    up.grant()
    up.registrations.set({})
    assert up.last.headers.get("Expires") == "0"
    up.reply(up.last, 200)
    assert up.state == ""
    up.nothing_left()


def test_gauge() -> None:
    """How many there are in each state."""
    up = Registered()
    assert [states.value(state) for state in STATES] == [1, 0, 0]
    up.grant()
    assert [states.value(state) for state in STATES] == [0, 1, 0]
    up.clock.advance(3241)
    up.reply(up.last, 500)
    assert [states.value(state) for state in STATES] == [0, 0, 1]
    up.stop()
    assert [states.value(state) for state in STATES] == [0, 0, 0]
    up.nothing_left()


def test_no_secret() -> None:
    """The password is in no message."""
    up = Registered()
    up.challenge(up.last)
    assert not any(
        isinstance(message, Request) and b"secret" in message.encode()
        for _, message in up.ways.sent
    )
    assert parse(up.last.encode())
    up.nothing_left()
