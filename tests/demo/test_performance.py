"""`make demo`, without make: the whole of it, in real time."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from rapida_tw.waveform import read_waveform


def test_demo(tmp_path: Path) -> None:
    """A call is made, told live, measured, recorded and drawn; nothing is left running."""
    command = (sys.executable, "-m", "rapida_tw.cli", "demo", "--data-dir", str(tmp_path / "demo"))
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    for part in (
        "recognizer:",
        "voice:",
        "detector:",
        "assistant  Hello",
        "presses 1",
        "is booked",
    ):
        assert part in done.stdout
    paths = {kind: re.search(rf"{kind} +(\S+)", done.stdout) for kind in ("recording", "picture")}
    assert paths["recording"]
    assert paths["picture"]
    assert read_waveform(Path(paths["recording"][1])).duration > 5
    assert Path(paths["picture"][1]).read_bytes().startswith(b"\x89PNG")


def test_folder_in_the_way(tmp_path: Path) -> None:
    """What cannot work is one sentence, at once."""
    (tmp_path / "demo").touch()
    command = (sys.executable, "-m", "rapida_tw.cli", "demo", "--data-dir", str(tmp_path / "demo"))
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert done.stderr == f"rapida: {tmp_path / 'demo'}: File exists\n"
