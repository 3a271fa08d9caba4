"""The telephones of the SIP tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Protocol

import pytest

from tests.interop.server import Server
from tests.interop.sip.sipp import NoSipp, Sipp, installed


class Sipping(Protocol):
    """Begins a run of a scenario against the server."""

    def __call__(self, scenario: str, *options: str, source: str = ..., **keys: str) -> Sipp: ...


@pytest.fixture(scope="session")
def sipp(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Sipp]:
    """Makes runs of SIPp; without it the tests are skipped, which in CI counts as failed."""
    try:
        installed()
    except NoSipp as reason:
        pytest.skip(str(reason))

    def run(scenario: str, *options: str, source: str = "127.0.0.1", **keys: str) -> Sipp:
        folder = tmp_path_factory.mktemp(scenario)
        return Sipp(server, scenario, folder, *options, source=source, **keys)

    return run


@pytest.fixture(scope="session")
def quiet_assistant(server: Server) -> str:
    """The id of an assistant that hears and says nothing, which is cheap."""
    made = json.loads(server.rapida("assistant", "create", "--name", "quiet", "--json"))
    quick = "--recognizer", "scripted", "--voice", "scripted"
    server.rapida("deployment", "set", made["id"], "--greeting", "", *quick)
    return str(made["id"])
