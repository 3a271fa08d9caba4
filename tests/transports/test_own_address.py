"""The address of ours that leads to a peer."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from rapida_tw.transports.own_address import own_address


def test_this_machine() -> None:
    """Who is on this machine reaches us by the loopback."""
    assert own_address("127.0.0.1") == "127.0.0.1"


@pytest.mark.parametrize("peer", ["192.0.2.1", "10.0.0.1", "2001:db8::1", "fe80::1", "::1"])
def test_family(peer: str) -> None:
    """It is an address of the peer's family, also where there is no way to it."""
    own = ip_address(own_address(peer))
    assert own.version == ip_address(peer).version
    assert not own.is_unspecified


def test_nonsense() -> None:
    """What is no address leads nowhere, and raises nothing."""
    assert own_address("255.255.255.255")
