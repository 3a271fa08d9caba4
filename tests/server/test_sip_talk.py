"""`rapida talk --transport sip` against a server process, over real UDP."""

from __future__ import annotations

import json
from pathlib import Path

from tests.server.installation import Installation, script, sip
from tests.server.process import ServerProcess, complaints


def test_talk(tmp_path: Path) -> None:
    """The phone logs in, is greeted, presses a key, is answered, and complains of nothing."""
    installation = Installation(tmp_path, **sip())
    with ServerProcess(installation) as server:
        installation.deploy(greeting="Hello.")
        where = ("--config", str(installation.configuration))
        what = ("--assistant", installation.assistant(), "--transport", "sip", "--dtmf", "1")
        done = installation.run(script("rapida"), "talk", *where, *what, "--json")
        server.terminate()
        assert server.status() == 0
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["ending"] == "caller_hung_up"
    assert outcome["complaints"] == []
    assert len(outcome["heard"]) == 2
    assert complaints(server.printed()) == []


def test_refused(tmp_path: Path) -> None:
    """A key that is none is told in a sentence."""
    installation = Installation(tmp_path, **sip())
    with ServerProcess(installation) as server:
        where = ("--config", str(installation.configuration), "--api-key", "rpd-wrong")
        what = ("--assistant", "1", "--transport", "sip")
        done = installation.run(script("rapida"), "talk", *where, *what)
        server.terminate()
        assert server.status() == 0
    assert done.returncode == 1
    assert "did not take the call: 401 Unauthorized" in done.stderr
