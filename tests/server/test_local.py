"""One start with what a fresh installation has: the local recogniser, voice and detector."""

from __future__ import annotations

from pathlib import Path

from tests.server.caller import Caller, talk
from tests.server.installation import Installation
from tests.server.process import ServerProcess

LOCAL = {
    "SPEECH__RECOGNIZER": "local",
    "SPEECH__SYNTHESIZER": "local",
    "SPEECH__VAD": "local",
}


def test_greeting(tmp_path: Path) -> None:
    """It says which engines it chose, greets with a voice, and ends well, its workers too."""
    installation = Installation(tmp_path, **LOCAL)
    with ServerProcess(installation) as server:
        for kind in ("recognizer", "voice", "detector", "model"):
            assert f"House: {kind}: " in server.printed()
        caller = Caller(installation.audiosocket, installation.context(installation.assistant()))
        talk([caller], until=lambda: caller.loud > 25)
        caller.hang_up()
        workers = server.children()
        server.terminate()
        assert server.status() == 0, server.printed()
        assert [pid for pid in workers if Path(f"/proc/{pid}").exists()] == []
        assert "Traceback" not in server.printed()
