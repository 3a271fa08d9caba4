"""Starts that cannot be: the process says why in a sentence, and ends."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.installation import Installation, until


def refused(folder: Path, **settings: str) -> tuple[int, str]:
    """Status and words of a start with those settings; there is never a traceback."""
    status, printed = Installation(folder, **settings).refused()
    assert "Traceback" not in printed, printed
    return status, printed


@pytest.fixture
def taken() -> Iterator[str]:
    """A port that somebody listens on already."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield str(other.getsockname()[1])


@pytest.mark.parametrize(("section", "name"), [("HTTP", "HTTP"), ("AUDIOSOCKET", "AudioSocket")])
def test_port_in_use(tmp_path: Path, taken: str, section: str, name: str) -> None:
    """A server without one of its ports would look healthy and drop calls."""
    status, printed = refused(tmp_path, **{f"{section}__PORT": taken})
    assert status == 1
    assert f"{name} cannot listen on tcp:{taken}:interface=127.0.0.1: " in printed
    assert "Address already in use" in printed


def test_port_in_use_by_daemon(tmp_path: Path, taken: str) -> None:
    """A daemon's start comes back with the reason too, and leaves no pid file."""
    installation = Installation(tmp_path, HTTP__PORT=taken)
    options = ("--pidfile", str(tmp_path / "pid"), "--logfile", str(tmp_path / "log"))
    done = installation.run(*installation.twistd(*options))
    assert done.returncode == 1
    assert "HTTP cannot listen" in done.stderr
    log = tmp_path / "log"  # the daemon itself may still be about to end
    until(lambda: "Address already in use" in log.read_text(), 10, log.read_text)
    assert not (tmp_path / "pid").exists()


def test_socket_not_handed_over(tmp_path: Path) -> None:
    """A worker that is started by hand, with the settings of its unit."""
    status, printed = refused(tmp_path, HTTP__LISTEN="systemd:domain=INET:name=http")
    assert status == 1
    assert "HTTP cannot listen on systemd:domain=INET:name=http: there is no 'http'" in printed


def test_certificate_missing(tmp_path: Path) -> None:
    """The certificate's file is not there."""
    where = str(tmp_path / "no.pem")
    status, printed = refused(tmp_path, HTTP__TLS_CERTIFICATE=where, HTTP__TLS_KEY=where)
    assert status == 2
    assert f"[http] tls_certificate: there is no file '{where}'" in printed


def test_database_cannot_be_written(tmp_path: Path) -> None:
    """A database below what is no folder: exit 2, as for all mistakes of configuration."""
    path = tmp_path / "rapida.toml" / "rapida.db"
    status, printed = refused(tmp_path, DATABASE__URL=f"sqlite:///{path}")
    assert status == 2
    assert f"database.url: database {path}: Not a directory" in printed


def test_data_cannot_be_written(tmp_path: Path) -> None:
    """The same for the folder of all data."""
    status, printed = refused(tmp_path, SERVER__DATA_DIR="/proc/rapida")
    assert status == 2
    assert "/proc/rapida" in printed
    assert "No such file or directory" in printed


def test_secret_key_cannot_be_made(tmp_path: Path) -> None:
    """The database is elsewhere and fine, but the secret key has no place."""
    elsewhere = f"sqlite:///{tmp_path}/rapida.db"
    status, printed = refused(tmp_path, SERVER__DATA_DIR="/proc/rapida", DATABASE__URL=elsewhere)
    assert status == 1
    assert "/proc/rapida cannot be used: No such file or directory" in printed


def test_secret_key_cannot_be_read(tmp_path: Path) -> None:
    """The secret key's name is taken by a folder."""
    (tmp_path / "var/secret_key").mkdir(parents=True)
    status, printed = refused(tmp_path)
    assert status == 1
    assert f"{tmp_path}/var/secret_key cannot be used: Is a directory" in printed


def test_recordings_cannot_be_written(tmp_path: Path) -> None:
    """The recordings' folder cannot be made."""
    folder = tmp_path / "rapida.toml" / "recordings"
    status, printed = refused(tmp_path, RECORDING__DIRECTORY=str(folder))
    assert status == 1
    assert f"{folder} cannot be used: Not a directory" in printed


@pytest.mark.parametrize(
    ("key", "kind"),
    [("SPEECH__RECOGNIZER", "recognizers"), ("MODEL__DEFAULT", "models")],
)
def test_unknown_plug_in(tmp_path: Path, key: str, kind: str) -> None:
    """A plug-in that is not installed; the ports were open already, and the process ends."""
    status, printed = refused(tmp_path, **{key: "nosuch"})
    assert status == 1
    assert f"no {kind} named 'nosuch'; installed: " in printed


@pytest.mark.parametrize("check", [(), ("--check",)])
def test_all_mistakes_at_once(tmp_path: Path, check: tuple[str, ...]) -> None:
    """Everything that is wrong with the configuration is told in one go, and nothing is made."""
    installation = Installation(tmp_path, SIP__SRTP="often", AUDIOSOCKET__PORT="70000")
    bad = tmp_path / "bad.toml"
    bad.write_text("[http]\nport = 'x'\nprot = 1\n[lgo]\n[log]\nlevel = 'loud'\n")
    done = installation.run(*installation.twistd("-n", "--pidfile="), "-c", str(bad), *check)
    assert (done.returncode, done.stdout) == (2, "")
    first, *mistakes = done.stderr.splitlines()
    assert first == "6 mistakes in the configuration:"
    for told in ("[http] port", "[http] prot", "[lgo]", "[log] level", "SIP__SRTP", "AUDIOSOCKET_"):
        assert sum(told in mistake for mistake in mistakes) == 1, (told, mistakes)
    assert not installation.data.exists()


def test_checked(tmp_path: Path) -> None:
    """A good configuration is told to be good, and nothing is started or made."""
    installation = Installation(tmp_path)
    done = installation.run(*installation.twistd(), "--check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "nothing wrong" in done.stdout
    assert not installation.data.exists()
