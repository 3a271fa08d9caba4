"""The peers of the interop tests: a real Asterisk and, as a user starts it, the server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from rapida_tw.dialplan import SIP, WEBSOCKET, Settings
from tests.interop.asterisk import ETC, Asterisk, NoAsterisk, install
from tests.interop.callers import SENTENCES
from tests.interop.certificate import Certificate, self_signed
from tests.interop.server import Server, free_port


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
    with Asterisk(asterisk_root, _settings(server), spoken=SENTENCES) as running:
        yield running


@pytest.fixture(scope="session")
def published_asterisk(asterisk_root: Path, server: Server) -> Iterator[Asterisk]:
    """Another one, with the trunk that is published: nothing but placeholders is filled in."""
    settings = _settings(server)
    values = settings.values()
    files = {
        path.name: re.sub(r"@(\w+)@", lambda found: values[found[1]], path.read_text("utf-8"))
        for path in (ETC / "../sip/etc").glob("*.conf")
    }
    with Asterisk(
        asterisk_root, settings, spoken=SENTENCES, transport=SIP, instead=files, numbers=2000
    ) as running:
        yield running


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """What no machine knows yet."""
    return self_signed(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def secure_server(
    tmp_path_factory: pytest.TempPathFactory, certificate: Certificate
) -> Iterator[Server]:
    """A second server, which speaks nothing but TLS."""
    with Server(tmp_path_factory.mktemp("secure-server"), certificate) as running:
        yield running


@pytest.fixture(scope="session")
def secure_asterisk(
    asterisk_root: Path, secure_server: Server, certificate: Certificate
) -> Iterator[Asterisk]:
    """A second Asterisk, with chan_websocket alone, for the second server and its certificate."""
    with Asterisk(
        asterisk_root,
        _settings(secure_server),
        spoken=SENTENCES,
        transport=WEBSOCKET,
        certificate=certificate.certificate,
    ) as running:
        yield running


def _settings(server: Server) -> Settings:
    return Settings(
        url=server.url,
        audiosocket_host="127.0.0.1",
        audiosocket_port=server.audiosocket,
        url_spare=server.url,
        audiosocket_spare=f"127.0.0.1:{server.audiosocket}",
        assistant_id=server.assistant_id,
        api_key=server.api_key,
        sip_host="127.0.0.1",
        sip_port=server.sip,
        pjsip_port=free_port(),
        ari_port=free_port(),
    )
