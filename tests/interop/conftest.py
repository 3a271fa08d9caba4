"""The peers of the interop tests: a real Asterisk and, as a user starts it, the server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rapida_tw.dialplan import Settings
from tests.interop.asterisk import Asterisk, NoAsterisk, install
from tests.interop.server import Server, free_port

SENTENCES = (
    "What are your opening hours?",
    "Where are you?",
    "I would like to speak to a person, please.",
    "Goodbye.",
)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server with its demo assistant."""
    with Server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="session")
def asterisk_root() -> Path:
    """The folder of a real Asterisk.

    Without one the tests are skipped with the reason, which in CI counts as failed.
    """
    try:
        return install()
    except NoAsterisk as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def asterisk(asterisk_root: Path, server: Server) -> Iterator[Asterisk]:
    """A real Asterisk that runs the shipped dialplan, filled in for the server."""
    settings = Settings(
        url=server.url,
        audiosocket_host="127.0.0.1",
        audiosocket_port=server.audiosocket,
        url_spare=server.url,
        audiosocket_spare=f"127.0.0.1:{server.audiosocket}",
        assistant_id=server.assistant_id,
        api_key=server.api_key,
        ari_port=free_port(),
    )
    with Asterisk(asterisk_root, settings, spoken=SENTENCES) as running:
        yield running
