"""Challenges to calls of ours: what is answered with the trunk's password, and how often."""

from __future__ import annotations

import pytest

from tests.sip.upstream import Upstream, right


@pytest.mark.parametrize("status", [401, 407])
@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_digest(status: int, algorithm: str) -> None:
    """The same call, the next CSeq, a new branch, and the Request-URI byte for byte."""
    up = Upstream()
    up.dial(server="sip:trunk.example:5080;transport=tcp")
    up.challenge(up.invite, status, algorithm=algorithm)
    first, second = up.sent("INVITE")
    name = "Authorization" if status == 401 else "Proxy-Authorization"
    assert right(second, header=name)
    assert second.uri == first.uri == "sip:+15557654321@trunk.example:5080;transport=tcp"
    assert (second.call_id, second.from_.tag) == (first.call_id, first.from_.tag)
    assert (second.cseq, second.via.branch != first.via.branch) == ((2, "INVITE"), True)
    assert second.sdp == first.sdp
    up.answer()
    ack = up.sent("ACK")[-1]
    assert ack.cseq == (2, "ACK")
    assert ack.headers.get(name) == second.headers.get(name)
    up.asks("BYE", of=second)
    up.nothing_left()


def test_proxy_and_server() -> None:
    """Two rounds: each header answers its own."""
    up = Upstream()
    up.dial()
    up.challenge(up.invite, 407)
    up.challenge(up.invite, 401)
    last = up.sent("INVITE")[-1]
    assert right(last)
    assert right(last, header="Proxy-Authorization")
    up.challenge(up.invite, 407)
    assert len(up.sent("INVITE")) == 3
    assert up.user.told == ["forbidden"]
    up.nothing_left()


def test_stale() -> None:
    """A stale nonce allows one more try, not two."""
    up = Upstream()
    up.dial()
    up.challenge(up.invite)
    nonce = up.challenge(up.invite, stale=True)
    assert f'nonce="{nonce}"' in up.invite.headers.get("Authorization")
    assert len(up.sent("INVITE")) == 3
    up.challenge(up.invite, stale=True)
    assert len(up.sent("INVITE")) == 3
    assert up.user.told == ["forbidden"]
    up.nothing_left()


def test_wrong_password() -> None:
    """The password is not tried twice."""
    up = Upstream()
    up.dial()
    up.challenge(up.invite)
    up.challenge(up.invite)
    assert len(up.sent("INVITE")) == 2
    outcome = up.user.outcome
    assert outcome is not None
    assert (outcome.status, outcome.code, outcome.retryable) == ("forbidden", 401, False)
    up.nothing_left()


def test_another_realm() -> None:
    """A trunk that names its realm has its password shown to no other."""
    up = Upstream()
    up.dial(realm="acme.example")
    up.challenge(up.invite, realm="evil.example")
    assert len(up.sent("INVITE")) == 1
    assert up.user.told == ["forbidden"]
    up.nothing_left()


def test_later_challenge() -> None:
    """A BYE that is challenged is answered with the same password."""
    up = Upstream()
    up.dial()
    up.answer()
    up.advance(1.25)
    assert up.user.session is not None
    up.user.session.hang_up()
    up.challenge(up.one("BYE"))
    assert right(up.sent("BYE")[-1])
    up.reply(up.sent("BYE")[-1], 200)
    up.nothing_left()
