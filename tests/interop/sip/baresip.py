"""baresip, a softphone: driven over its TCP control interface, listened to by its own recordings.

Version 1.0, as Debian 12 and 13 have it, plays files into a call and records both sides, but has no
player for a machine without sound: it decodes all the same.
"""

from __future__ import annotations

import json
import shutil
import socket
import struct
import subprocess
import wave
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rapida_tw.audio.format import RATE as WIDE
from rapida_tw.audio.format import Samples
from rapida_tw.audio.resample import resample_all
from tests.interop.asterisk import RATE, wait_until
from tests.interop.server import free_port
from tests.process import ended, started

LONGER = 180  # seconds, than any call
# Where a distribution puts them; the folder's name holds the machine's kind elsewhere.
_MODULES = "/usr/lib/baresip/modules", "/usr/lib/*/baresip/modules"
# The accounts last: they name codecs and encryption.
_LOADED = "g711 g722 l16 opus aufile sndfile srtp account".split()
_CONFIGURATION = """\
module_path {modules}
{loaded}
module_tmp uuid.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
statmode_default off
sip_listen 127.0.0.1:{port}
audio_source aufile,{folder}/silence.wav
audio_player aufile,none
ausrc_srate {rate}
auplay_srate {rate}
ausrc_channels 1
auplay_channels 1
snd_path {folder}/sound
{more}
"""


_HEADER = struct.Struct("<22xHI16x")  # of a WAV file of 16-bit samples: channels, rate


class NoBaresip(Exception):
    """It is not installed; the text says how it would be."""


def modules() -> Path:
    """Where its modules are; `NoBaresip` if it is not there."""
    if shutil.which("baresip"):
        for pattern in _MODULES:
            for found in Path("/").glob(pattern.lstrip("/")):
                return found
    raise NoBaresip("no baresip: Debian's package baresip-core is not installed")


class Phone:
    """One baresip with one account; a context manager."""

    def __init__(self, folder: Path, account: str, more: str = "", rate: int = WIDE) -> None:
        """`account`: a line of its accounts file. `more`: of its configuration.

        `rate` (Hz): of the sounds that it says. When it has to halve that for a codec of 8 kHz,
        nothing above 1.5 kHz is left, and nobody understands it.
        """
        self._folder = folder
        self._account = account
        self._more = more
        self._rate = rate
        self._control = free_port()
        self.port = free_port()  # where it is called
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._received = b""
        self._told: list[dict[str, Any]] = []

    def __enter__(self) -> Phone:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _start(self) -> None:
        (self._folder / "sound").mkdir()
        sound_file(self._folder / "silence.wav", self._rate)
        text = _CONFIGURATION.format(
            modules=modules(),
            loaded="\n".join(f"module {name}.so" for name in _LOADED),
            control=self._control,
            port=self.port,
            folder=self._folder,
            rate=self._rate,
            more=self._more,
        )
        for name, content in ("config", text), ("accounts", self._account), ("contacts", ""):
            (self._folder / name).write_text(content + "\n", "utf-8")
        command = ["baresip", "-f", str(self._folder), "-v"]
        self._process = started(command, self._folder / "log", cwd=self._folder)
        wait_until(self._connected, 30, "baresip is ready", self.log)

    def _connected(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log()
        with suppress(OSError):
            self._line = socket.create_connection(("127.0.0.1", self._control), 5)
            return True
        return False

    def stop(self) -> None:
        """It hangs up, and runs no more."""
        line, self._line = self._line, None
        if line is not None:
            line.close()
        process, self._process = self._process, None
        ended(process, 5)

    # -- what it is told, and tells ------------------------------------------------------------

    def command(self, name: str, parameters: str = "") -> str:
        """The answer to one of its commands, "" when it has none; an AssertionError if refused."""
        assert self._line is not None
        told = json.dumps({"command": name, "params": parameters, "token": name})
        self._line.sendall(f"{len(told)}:{told},".encode())
        answers: list[dict[str, Any]] = []

        def answered() -> bool:
            self._listen()
            answers.extend(one for one in self._told if one.get("token") == name)
            self._told = [one for one in self._told if one.get("token") != name]
            return bool(answers)

        wait_until(answered, 20, f"an answer to {name}", self.log)
        assert answers[0]["ok"], answers[0]
        return str(answers[0].get("data", ""))

    def events(self) -> list[dict[str, Any]]:
        """All that has happened, in order."""
        self._listen()
        return [one for one in self._told if one.get("event")]

    def has(self, kind: str) -> bool:
        """Has something of that kind happened?"""
        return any(one["type"] == kind for one in self.events())

    def wait_for(self, kind: str, seconds: float = 30) -> None:
        """Until something of that kind has happened: CALL_ESTABLISHED, CALL_CLOSED, ..."""
        wait_until(lambda: self.has(kind), seconds, kind, self.log)

    def _listen(self) -> None:
        """Take in what it has told since."""
        assert self._line is not None
        self._line.settimeout(0.01)
        with suppress(TimeoutError):
            while data := self._line.recv(65_536):
                self._received += data
        self._told += self._complete()

    def _complete(self) -> Iterator[dict[str, Any]]:
        """Netstrings of JSON."""
        while b":" in self._received:
            length, _, rest = self._received.partition(b":")
            size = int(length)
            if len(rest) <= size:
                return
            yield json.loads(rest[:size])
            self._received = rest[size + 1 :]

    def log(self) -> str:
        """All that it has written."""
        return (self._folder / "log").read_text("utf-8", "replace")

    # -- calls ---------------------------------------------------------------------------------

    def dial(self, uri: str) -> None:
        """Call, and wait until that is answered."""
        self.command("dial", uri)
        self.wait_for("CALL_ESTABLISHED")

    def play(self, sound: Path) -> None:
        """Say this from now on; see `sound_file`."""
        self.command("ausrc", f"aufile,{sound}")

    def press(self, digits: str) -> None:
        """One key after the other, as telephone-events."""
        for digit in digits:
            self.command("sndcode", digit)

    def hang_up(self) -> None:
        """And wait until the recordings are complete."""
        if not self.has("CALL_CLOSED"):
            self.command("hangup")
            self.wait_for("CALL_CLOSED")

    def heard(self) -> NDArray[np.int16]:
        """What has come out of the call's codec so far: int16[n] at RATE, one channel."""
        return self._recorded("dec")

    def said(self) -> NDArray[np.int16]:
        """What has gone into it, likewise."""
        return self._recorded("enc")

    def _recorded(self, side: str) -> NDArray[np.int16]:
        found = sorted((self._folder / "sound").glob(f"dump-*-{side}.wav"))
        data = found[-1].read_bytes() if found else b""
        if len(data) < _HEADER.size:
            return np.zeros(0, np.int16)
        # Of a call that goes on, the header does not know the length.
        channels, rate = _HEADER.unpack_from(data)
        whole = (len(data) - _HEADER.size) // (2 * channels) * channels
        samples = np.frombuffer(data, np.int16, whole, _HEADER.size)
        return samples[:: channels * (rate // RATE)]


def sound_file(path: Path, rate: int, samples: Samples | None = None) -> Path:
    """A WAV file at `rate` of the samples, int16[n] at WIDE, and silence after that.

    Where a file ends baresip ends the call, so that it has to last longer than any.
    """
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        if samples is not None:
            file.writeframes(resample_all(samples, WIDE, rate).tobytes())
        file.writeframes(bytes(2 * rate * LONGER))
    return path
