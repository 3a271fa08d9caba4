"""`rapida doctor`: what it finds out about calls that are to be placed."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from rapida_tw.cli.finding import BAD, DOUBTFUL, GOOD, Finding
from rapida_tw.cli.placing_checks import Deployed, _told, addresses
from rapida_tw.config import load
from tests.cli.conftest import Rapida
from tests.cli.test_doctor import FREE, doctor


def found(
    tmp_path: Path,
    provider: str,
    options: dict[str, Any] | None = None,
    running: bool = False,
    **environ: str,
) -> list[Finding]:
    config = load(None, {"SERVER__DATA_DIR": str(tmp_path), **environ})
    return list(addresses(config, [Deployed(provider, 1, options or {})], running))


def test_no_public_host(tmp_path: Path) -> None:
    """Carriers with an API must find this server; a trunk need not."""
    (one,) = found(tmp_path, "twilio")
    assert (one.state, "public_host is not set" in one.detail) == (DOUBTFUL, True)
    assert found(tmp_path, "sip") == []


def test_public_host(tmp_path: Path) -> None:
    """What they are told."""
    (one,) = found(tmp_path, "vonage", SERVER__PUBLIC_HOST="voice.example.com")
    assert (one.state, one.detail) == (GOOD, "vonage is told voice.example.com")


@pytest.mark.parametrize(
    ("environ", "state", "text"),
    [
        ({}, DOUBTFUL, "an Asterisk on this machine"),
        ({"OUTBOUND__AUDIOSOCKET": "voice.example.com:4573"}, GOOD, "told voice.example.com:4573"),
        ({"AUDIOSOCKET__ENABLED": "no"}, BAD, "is off"),
    ],
)
def test_audiosocket(tmp_path: Path, environ: dict[str, str], state: str, text: str) -> None:
    """What Asterisk is told, and whether that is any good."""
    (one,) = found(tmp_path, "asterisk", **environ)
    assert one.state == state
    assert text in one.detail


@pytest.mark.parametrize("options", [{"context": "rapida-outbound"}, {"media": "websocket"}])
def test_no_audiosocket(tmp_path: Path, options: dict[str, Any]) -> None:
    """Asterisk's other modes know their way by themselves."""
    assert found(tmp_path, "asterisk", options, AUDIOSOCKET__ENABLED="no") == []


def test_audiosocket_reached(tmp_path: Path) -> None:
    """While the server runs its address is tried."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"127.0.0.1:{listening.getsockname()[1]}"
        (one,) = found(tmp_path, "asterisk", running=True, OUTBOUND__AUDIOSOCKET=address)
        assert one.state == DOUBTFUL
    (one,) = found(tmp_path, "asterisk", running=True, OUTBOUND__AUDIOSOCKET=address)
    assert (one.state, "cannot be reached" in one.detail) == (BAD, True)


@pytest.mark.parametrize(("verified", "state"), [(True, GOOD), (False, BAD), (None, GOOD)])
def test_told(verified: bool | None, state: str) -> None:
    """A verification in a line: what failed, else what the provider says."""
    checks = [
        {"check": "keys", "passed": verified, "detail": "not set: key"},
        {"check": "provider", "passed": verified, "detail": "account Luna"},
    ]
    seen = {"name": "main", "provider": "twilio", "verified": verified, "checks": checks}
    detail = "not set: key" if verified is False else "account Luna"
    assert _told(seen) == Finding("credential main (twilio)", state, detail)


def test_credentials(rapida: Rapida) -> None:
    """The carriers of deployments are asked, those of SIP trunks are named."""
    rapida("init")
    rapida.config.write_text(rapida.config.read_text() + FREE)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        nobody = f"http://127.0.0.1:{probe.getsockname()[1]}"
    keys = {
        "asterisk": {"ari_url": nobody, "ari_user": "rapida", "ari_password": "s3cret-word"},
        "sip": {"sip_server": "trunk.example.com"},
    }
    for carrier, value in keys.items():
        given = [part for pair in value.items() for part in ("--set", "=".join(pair))]
        named = "--provider", carrier, "--name", carrier
        credential = rapida.json("credential", "create", *named, *given)["id"]
        other = rapida.json("assistant", "create", "--name", carrier)["id"]
        rapida.json("deployment", "set", other, "--carrier", carrier, "--credential", credential)
    status, out, _ = doctor(rapida, "--json")
    checks = {one["what"]: one for one in json.loads(out)["checks"]}
    assert status == 1
    assert checks["credential asterisk (asterisk)"]["state"] == BAD
    assert "it was not called" in checks["credential sip (sip)"]["detail"]
    assert checks["AudioSocket for ARI"]["state"] == DOUBTFUL
    assert "s3cret" not in out
