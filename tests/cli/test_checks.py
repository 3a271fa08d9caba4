"""`rapida doctor`: what it finds in an installation."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from rapida_tw.cli import checks
from rapida_tw.cli.finding import BAD, DOUBTFUL, GOOD, Finding
from rapida_tw.config import Config, Sip, load
from rapida_tw.errors import MisconfiguredAssistant


def config(folder: Path, **environ: str) -> Config:
    return load(None, {"SERVER__DATA_DIR": str(folder), **environ})


@contextmanager
def listener(*answers: bytes) -> Iterator[int]:
    """A port that answers what it is told, one connection after the other."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for answer in answers:
                line, _ = server.accept()
                with line:
                    line.recv(1000)
                    line.sendall(answer)

        thread = Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def test_folders(tmp_path: Path) -> None:
    """They are made, and tried by writing."""
    findings = list(checks._folders(config(tmp_path / "new")))
    assert {finding.what for finding in findings} >= {"data folder", "recordings"}
    assert (tmp_path / "new/recordings").is_dir()


def test_folder_in_the_way(tmp_path: Path) -> None:
    """A folder that cannot be is told with the reason."""
    (tmp_path / "file").touch()
    found = next(iter(checks._folders(config(tmp_path / "file/var"))))
    assert (found.state, found.detail) == (BAD, f"{tmp_path / 'file/var'}: Not a directory")


@pytest.mark.parametrize(("free", "state"), [(10 * 2**30, GOOD), (2**30, DOUBTFUL), (2**20, BAD)])
def test_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, state: str) -> None:
    """A disk that is filling up is seen before it is full."""
    usage = type("Usage", (), {"free": free})
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    assert checks._space("disk", tmp_path).state == state


def test_database(tmp_path: Path) -> None:
    """An empty one is told with what fills it."""
    found = checks._database(config(tmp_path))
    assert found.state == DOUBTFUL
    assert "rapida init" in found.detail


def test_bad_database(tmp_path: Path) -> None:
    """One that is none."""
    (tmp_path / "rapida.db").write_text("not a database, but long enough to look like a file" * 9)
    assert checks._database(config(tmp_path)).state == BAD


def test_no_redis() -> None:
    """None is needed."""
    assert checks._redis("").state == GOOD


@pytest.mark.parametrize(
    ("answer", "state"), [(b"+PONG\r\n", GOOD), (b"-NOAUTH Authentication required.\r\n", BAD)]
)
def test_redis(answer: bytes, state: str) -> None:
    """It must answer, and let us in."""
    with listener(answer) as port:
        assert checks._redis(f"redis://127.0.0.1:{port}").state == state


def test_redis_password() -> None:
    """A password that is refused is not shown."""
    with listener(b"-WRONGPASS invalid\r\n") as port:
        found = checks._redis(f"redis://:s3cret@127.0.0.1:{port}")
    assert found.state == BAD
    assert "WRONGPASS" in found.detail
    assert "s3cret" not in found.detail


def ports(tmp_path: Path, port: int) -> list[Finding]:
    changes = {"HTTP__HOST": "127.0.0.1", "HTTP__PORT": str(port), "AUDIOSOCKET__ENABLED": "no"}
    changes["SIP__ENABLED"] = "no"
    return list(checks._ports(config(tmp_path, **changes)))


def test_port_free(tmp_path: Path) -> None:
    """A port that nobody has."""
    with listener() as port:
        pass
    (found,) = ports(tmp_path, port)
    assert (found.state, found.detail) == (GOOD, f"127.0.0.1 port {port} is free")


def test_port_taken(tmp_path: Path) -> None:
    """A port that somebody else has."""
    with listener(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n") as port:
        (found,) = ports(tmp_path, port)
    assert (found.state, found.detail) == (BAD, f"127.0.0.1 port {port}: Address already in use")


def test_port_ours(tmp_path: Path) -> None:
    """A port that our own server has, which is running."""
    with listener(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as port:
        (found,) = ports(tmp_path, port)
    assert found.state == GOOD
    assert "running now" in found.detail


def sip(**changes: Any) -> dict[str, Finding]:
    section = replace(Sip(server="127.0.0.1", port=0), **changes)
    return {found.what: found for found in checks._sip(section, "")}


def test_sip_port() -> None:
    """SIP's ports are looked at, each by its transport."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        found = sip(port=port, transports=("udp", "tcp"))
    assert found["SIP over UDP"].state == BAD
    assert found["SIP over TCP"].state == GOOD


@pytest.mark.parametrize(
    ("server", "external_ip", "state", "text"),
    [
        ("127.0.0.1", "", GOOD, "is announced"),
        ("0.0.0.0", "", DOUBTFUL, "external_ip is not set"),
        ("0.0.0.0", "0.0.0.0", DOUBTFUL, "external_ip is not set"),
        ("0.0.0.0", "127.0.0.1", DOUBTFUL, "on other machines"),
        ("0.0.0.0", "203.0.113.10", GOOD, "203.0.113.10 is announced"),
    ],
)
def test_sip_audio(server: str, external_ip: str, state: str, text: str) -> None:
    """What would leave callers in silence is said in plain words."""
    found = sip(server=server, external_ip=external_ip)["SIP audio"]
    assert found.state == state
    assert text in found.detail


def test_sip_media(monkeypatch: pytest.MonkeyPatch) -> None:
    """Codecs and SRTP that are configured and not there are worth a word."""
    monkeypatch.setattr("rapida_tw.audio.opus.available", lambda: False)
    assert "opus" in sip()["SIP media"].detail
    assert "SIP media" not in sip(codecs=("PCMU",), srtp="off")


class Plugins:
    def __init__(self, **descriptions: str) -> None:
        self._descriptions = descriptions

    def get(self, name: str) -> Any:
        if name not in self._descriptions:
            raise MisconfiguredAssistant(f"no recognizer named {name!r}")
        return type("Plugin", (), {"description": self._descriptions[name]})


def test_vendors() -> None:
    """What was chosen and why; a makeshift is worth a look, a missing one is bad."""
    plugins: Any = Plugins(good="pocketsphinx", deaf="none: pocketsphinx is not installed")
    states = {
        name: checks._vendor("recogniser", plugins, name).state for name in ("good", "deaf", "x")
    }
    assert states == {"good": GOOD, "deaf": DOUBTFUL, "x": BAD}


@pytest.mark.parametrize(("hard", "state"), [(1024, DOUBTFUL), (65_536, GOOD), (-1, GOOD)])
def test_descriptors(monkeypatch: pytest.MonkeyPatch, hard: int, state: str) -> None:
    """The limit of open files is the limit of calls."""
    monkeypatch.setattr("resource.getrlimit", lambda _: (256, hard))
    assert checks._descriptors().state == state
