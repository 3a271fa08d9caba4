"""REGISTER: a phone is told what it wants to hear, when its password is right."""

from __future__ import annotations

import pytest

from tests.sip.house import Endpoint, last


def test_register() -> None:
    """With the right password a phone is told that it is registered, for an hour at most."""
    endpoint = Endpoint()
    contacts = ("Contact", "<sip:bob@10.0.0.5:5060;ob>;expires=10, <sip:x@10.0.0.6>;q=0.1")
    challenge = endpoint.challenged(endpoint.request("REGISTER", "sip:h", contacts))
    register = endpoint.request("REGISTER", "sip:h", contacts, ("Expires", "9000"), cseq=2)
    register.headers.set("Authorization", endpoint.credentials(challenge, register))
    endpoint.send(register)
    answer = last(endpoint)
    assert answer.status == 200
    assert answer.headers.values("Contact") == [
        "<sip:bob@10.0.0.5:5060;ob>;expires=60",
        "<sip:x@10.0.0.6>;expires=3600",
    ]
    assert endpoint.agent.guard.spares(endpoint.flow.peer[0])
    endpoint.nothing_left()


@pytest.mark.parametrize("contact", ["*", "<sip:bob@10.0.0.5>;expires=0"])
def test_deregister(contact: str) -> None:
    """Then no Contact holds any more."""
    endpoint = Endpoint()
    fields = (("Contact", contact), ("Expires", "0"))
    challenge = endpoint.challenged(endpoint.request("REGISTER", "sip:h", *fields))
    register = endpoint.request("REGISTER", "sip:h", *fields, cseq=2)
    register.headers.set("Authorization", endpoint.credentials(challenge, register))
    endpoint.send(register)
    answer = last(endpoint)
    assert (answer.status, answer.headers.values("Contact")) == (200, [])


def test_wrong_register() -> None:
    """401, then 403."""
    endpoint = Endpoint()
    answer = endpoint.challenged(endpoint.request("REGISTER", "sip:h"))
    for status in (401, 403):
        register = endpoint.request("REGISTER", "sip:h", cseq=2)
        register.headers.set("Authorization", endpoint.credentials(answer, register, "wrong"))
        endpoint.send(register)
        answer = last(endpoint)
        assert answer.status == status
    endpoint.nothing_left()
