"""`rapida doctor` as a whole, in a process of its own: it runs the reactor."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.cli.conftest import Rapida

FREE = (
    "[http]\nport = 0\n[audiosocket]\nport = 0\n"
    "[sip]\nport = 0\nserver = '127.0.0.1'\nexternal_ip = '127.0.0.1'\n[speech]\n"
)


def doctor(rapida: Rapida, *arguments: str) -> tuple[int, str, str]:
    command = (sys.executable, "-m", "rapida_tw.cli", "--config", str(rapida.config), "doctor")
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_healthy(rapida: Rapida) -> None:
    """Every part is named, with what was chosen for it."""
    rapida("init")
    rapida.config.write_text(rapida.config.read_text() + FREE)
    status, out, err = doctor(rapida)
    assert (status, err) == (0, "")
    assert out.endswith("nothing is wrong\n")
    for part in (
        "database",
        "SIP audio",
        "recogniser: local",
        "voice: local",
        "detector: local",
        "model",
    ):
        assert part in out


def test_not_installed(rapida: Rapida) -> None:
    """A recogniser that is not there is 1, for programs too."""
    rapida.config.write_text(rapida.config.read_text() + FREE + 'recognizer = "acme"\n')
    status, out, _ = doctor(rapida, "--json")
    assert status == 1
    (bad,) = (check for check in json.loads(out)["checks"] if check["state"] == "bad")
    assert bad["detail"].startswith("acme: no recognizers named 'acme'")
