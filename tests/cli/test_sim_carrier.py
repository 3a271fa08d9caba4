"""`rapida sim carrier`, as far as it comes without a server; the calls are tests/server."""

from __future__ import annotations

from pathlib import Path

import pytest

from rapida_tw.sim.rest_carriers import REST_CARRIERS, credential, new_key, rest_of
from rapida_tw.sim.switchboard import Switchboard
from tests.cli.conftest import Rapida

URL = "http://127.0.0.1:1"


def test_no_key(rapida: Rapida, tmp_path: Path) -> None:
    """So is a key that is none."""
    file = tmp_path / "key.pem"
    file.write_text("hello")
    options = ("--carrier", "vonage", "--private-key", file, "--url", URL)
    status, _, err = rapida("sim", "carrier", *options)
    assert status == 2
    assert "--private-key: " in err


def test_two_habits(rapida: Rapida) -> None:
    """Nobody is busy and a machine at once."""
    status, _, err = rapida("sim", "carrier", "--carrier", "twilio", "--busy", "--machine")
    assert status == 2
    assert "not allowed with" in err


@pytest.mark.parametrize("carrier", REST_CARRIERS)
def test_made_up(carrier: str) -> None:
    """What is given of an account stays; what is missing is made, and different each time."""
    one, other = credential(carrier, {"x": "1"}), credential(carrier, {"x": "1"})
    assert one["x"] == "1"
    assert one != other
    assert rest_of(carrier, Switchboard(), one).hosts


def test_given_key() -> None:
    """A key that the user has is the application's."""
    key = new_key()
    assert credential("vonage", {"private_key": key})["private_key"] == key
