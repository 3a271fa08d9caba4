"""The telephones of the SIP tests."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from rapida_tw.audio.format import RATE as WIDE
from rapida_tw.demo.voice import recorded
from tests.interop.asterisk import RATE
from tests.interop.server import Server
from tests.interop.sip.baresip import NoBaresip, Phone, modules, sound_file
from tests.interop.sip.sipp import NoSipp, Sipp, installed


class Sipping(Protocol):
    """Begins a run of a scenario against the server."""

    def __call__(self, scenario: str, *options: str, source: str = ..., **keys: str) -> Sipp: ...


class Calling(Protocol):
    """Starts a softphone; see `Phone`."""

    def __call__(self, account: str, more: str = ..., rate: int = ...) -> Phone: ...


@pytest.fixture(scope="session")
def sipp(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sipping]:
    """Makes runs of SIPp; without it the tests are skipped, which in CI counts as failed."""
    try:
        installed()
    except NoSipp as reason:
        pytest.skip(str(reason))

    begun: list[Sipp] = []

    def run(scenario: str, *options: str, source: str = "127.0.0.1", **keys: str) -> Sipp:
        folder = tmp_path_factory.mktemp(scenario)
        begun.append(Sipp(server, scenario, folder, *options, source=source, **keys))
        return begun[-1]

    yield run
    for one in begun:
        one.stop()


@pytest.fixture(scope="module")
def baresip(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calling]:
    """Makes softphones that run until the module's end."""
    try:
        modules()
    except NoBaresip as reason:
        pytest.skip(str(reason))
    with ExitStack() as phones:

        def make(account: str, more: str = "", rate: int = WIDE) -> Phone:
            folder = tmp_path_factory.mktemp("baresip")
            return phones.enter_context(Phone(folder, account, more, rate))

        yield make


@pytest.fixture(scope="session")
def questions(tmp_path_factory: pytest.TempPathFactory) -> Mapping[int, Path]:
    """Sound files in which the opening hours are asked for, by their rate."""
    folder = tmp_path_factory.mktemp("questions")
    samples = recorded("what are your opening hours")
    return {rate: sound_file(folder / f"{rate}.wav", rate, samples) for rate in (RATE, WIDE)}


@pytest.fixture(scope="session")
def quiet_assistant(server: Server) -> str:
    """The id of an assistant that hears and says nothing, which is cheap."""
    made = json.loads(server.rapida("assistant", "create", "--name", "quiet", "--json"))
    quick = "--recognizer", "scripted", "--voice", "scripted"
    server.rapida("deployment", "set", made["id"], "--greeting", "", *quick)
    return str(made["id"])
