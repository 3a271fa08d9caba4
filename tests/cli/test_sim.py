"""`rapida sim load`; the load itself is tests/sim/test_load.py."""

from __future__ import annotations

import socket
from dataclasses import replace

from rapida_tw.cli.sim import _facts, _served
from rapida_tw.sim.jitter import Pacing
from rapida_tw.sim.load import Outcome
from tests.cli.conftest import Rapida

GOOD = Outcome(10, Pacing(1500, 0.2, 1.2, 5.0, 0, 0), 0, 0, 150.0, 1.0, 2.0, 0.0, 0.0, 0, (), ())


def test_served() -> None:
    """Every call must have lasted, and audio must have come."""
    assert _served(GOOD)
    assert not _served(replace(GOOD, ended_early=1))
    assert not _served(replace(GOOD, pacing=Pacing(0, 0, 0, 0, 0, 150)))


def test_for_people() -> None:
    """The table has the pacing, late and lost packets."""
    text = _facts(GOOD)
    assert "p99_ms" in text
    assert "lost" in text


def test_nobody(rapida: Rapida) -> None:
    """No server is one sentence."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    status, _, err = rapida("sim", "load", "--assistant", 5, "--url", url, "--api-key", "rpd-x")
    assert (status, err) == (1, f"rapida: no server answers at {url}: Connection refused\n")


def test_other_transports(rapida: Rapida) -> None:
    """What there is no load by is wrong usage, and what there is is told."""
    status, _, err = rapida("sim", "load", "--assistant", 5, "--transport", "exotel")
    assert status == 2
    assert "exotel" in err
    assert "there is: audiosocket, twilio, vonage" in err


def test_tls(rapida: Rapida) -> None:
    """Raw sockets speak no TLS: a load by WebSocket says so before it tells the server of calls."""
    url = "https://voice.example.com"
    options = ("--url", url, "--api-key", "rpd-x", "--transport", "twilio")
    status, _, err = rapida("sim", "load", "--assistant", 5, *options)
    assert status == 2
    assert "without TLS" in err
