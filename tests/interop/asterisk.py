"""A real Asterisk in a chroot of its own: started, called, listened to and always stopped.

Its dialplan is the one that `rapida dialplan` prints; only the way of transfers is filled in, as
its comment asks for. A caller is a list of steps, each an Asterisk application.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
import wave
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from rapida_tw.dialplan import Settings, every_file, some_files
from tests.process import ended, started

RATE = 8000  # Hz, of all recordings
CANNOT = 3  # exit status of install.sh
LOG_LIMIT = 100_000_000  # bytes of one file
ETC = Path(__file__).with_name("etc")
# Files that Asterisk complains about when they are missing, though nobody needs them.
_EMPTY = tuple("ccss cdr cel features acl udptl manager stasis chan_websocket pjproject".split())
# What the shipped dialplan asks its user to fill in.
_WAYS = {
    "PJSIP/your-operator": "Local/operator@person",
    "PJSIP/${EXTEN}@your-trunk": "Local/${EXTEN}@person",
}
# What its comments tell those who have a certificate of their own.
_OWN_CERTIFICATE = {
    ";ca_list_file = /etc/asterisk/": "ca_list_file = @folder@/etc/",
    ";same => n,Set(CURLOPT(ssl_verifypeer)=0)": "same => n,Set(CURLOPT(ssl_verifypeer)=0)",
}
_STEP = re.compile(
    r"Executing \[(?P<extension>[^@\]]+)@(?P<context>[^:]+):\d+\] "
    r'(?P<application>\w+)\("(?P<channel>[^"]+)", "(?P<arguments>.*)"\)'
)


class NoAsterisk(Exception):
    """It cannot be had on this machine; the text says why."""


def install() -> Path:
    """The folder of a real Asterisk, installed if need be; `NoAsterisk` if there can be none."""
    script = Path(__file__).with_name("install.sh")
    done = subprocess.run([str(script)], capture_output=True, text=True)
    if done.returncode == CANNOT:
        raise NoAsterisk(done.stderr.strip().rpartition("\n")[2])
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


def wait_until(
    happened: Callable[[], bool], seconds: float, what: str, state: Callable[[], object] = str
) -> None:
    """Look ten times a second; after `seconds` an AssertionError with `what` and the `state`."""
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what}\n{state()}")
        time.sleep(0.1)


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a dialplan that was executed."""

    context: str
    application: str
    arguments: str


class Call:
    """A call made by a telephone of this Asterisk to the dialplan's `number`."""

    def __init__(self, asterisk: Asterisk, number: str, caller: str) -> None:
        self.asterisk = asterisk
        self.number = number
        self.caller = caller

    def ended(self) -> bool:
        """The telephone is on the hook again, and its recordings are complete."""
        log, channel = self.asterisk.log(), f"Local/{self.number}@"
        if f'[h@caller:1] StopMixMonitor("{channel}' not in log:
            return False
        # Its recorder may end after it, and may not have begun when the call was very short.
        return f' MixMonitor("{channel}' not in log or f"End MixMonitor Recording {channel}" in log

    def wait(self, seconds: float = 60) -> Call:
        """Until it has ended."""
        wait_until(self.ended, seconds, f"the end of call {self.number}", self.steps)
        return self

    def steps(self) -> list[Step]:
        """What the server's side of the dialplan did, in order."""
        return list(self._steps())

    def _steps(self) -> Iterator[Step]:
        for line in self.asterisk.log().splitlines():
            found = _STEP.search(line)
            if (
                found
                and found["context"] != "caller"
                and found["channel"].startswith(f"Local/{self.number}@")
            ):
                yield Step(found["context"], found["application"], found["arguments"])

    def went_through(self, context: str, application: str) -> bool:
        """Did the dialplan execute that application in that context?"""
        return any((s.context, s.application) == (context, application) for s in self._steps())

    def variable(self, name: str) -> str:
        """What the dialplan set a variable to, last."""
        for step in reversed(self.steps()):
            if step.application == "Set" and step.arguments.startswith(f"{name}="):
                return step.arguments.removeprefix(f"{name}=")
        raise AssertionError(f"call {self.number} never set {name}: {self.steps()}")

    def context_id(self) -> str:
        """The UUID that the server gave, "" when it gave none."""
        return self.variable("CTX")

    def heard(self) -> NDArray[np.int16]:
        """What the caller heard: int16[n] at RATE, once the call has ended."""
        return _samples(self.asterisk.folder / "rec" / f"{self.number}-heard.wav")

    def said(self) -> NDArray[np.int16]:
        """What the caller said, likewise."""
        return _samples(self.asterisk.folder / "rec" / f"{self.number}-said.wav")


class Asterisk:
    """One Asterisk with a configuration of its own; a context manager."""

    def __init__(
        self,
        root: Path,
        settings: Settings,
        *,
        spoken: Sequence[str] = (),
        transport: str = "",
        certificate: Path | None = None,
        instead: Mapping[str, str] | None = None,
        numbers: int = 1000,
    ) -> None:
        """`root`: where `install` put it; `spoken`: the sentences that callers may say.

        `transport`: has the files of that one alone. `certificate`: the server's own one, which
        they are told as they say themselves. `instead`: files that stand for the shipped ones.
        `numbers`: those that its telephones call come after it, two for one server need others.
        """
        self._root = root
        self.sip, self.ari = settings.pjsip_port, settings.ari_port
        self._files = some_files(settings, transport) if transport else every_file(settings)
        self._certificate = certificate
        self._instead = instead or {}
        self._spoken = spoken
        self._calls = numbers
        self.at_start: list[str] = []  # what it complained of when it had read its files
        self._log = 0, ""
        folder = root / "srv"
        folder.mkdir(exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix="rapida-", dir=folder))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Asterisk:
        try:
            self._configure()
            self._start()
            self.at_start = self.complaints()
            self._speak()
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

    # -- starting and stopping ---------------------------------------------------------------

    def inside(self, *parts: str) -> str:
        """A path in this Asterisk's folder, as it is seen from within the chroot."""
        return str(Path("/", self.folder.relative_to(self._root), *parts))

    def _configure(self) -> None:
        for name in "etc varlib/keys spool/outgoing spool/tmp run log rec music".split():
            (self.folder / name).mkdir(parents=True)
        _music(self.folder / "music" / "chord.wav")
        modules = next(self._root.glob("usr/lib/*/asterisk/modules")).relative_to(self._root)
        shipped = dict(self._files)
        _fill(shipped, _WAYS)
        if self._certificate is not None:
            (self.folder / "etc" / "rapida.crt").write_bytes(self._certificate.read_bytes())
            _fill(shipped, _OWN_CERTIFICATE)
        # Another client for the same server.
        client = shipped.get("websocket_client.conf", "")
        shipped["websocket_client.conf"] = client + client.replace("[rapida]", "[nameless]")
        shipped.update(self._instead)
        private = {path.name: path.read_text("utf-8") for path in ETC.glob("*.conf")}
        # The list of the callers opens the section, and the shipped one goes on with it.
        private["modules.conf"] += shipped.pop("modules.conf").replace("[modules]\n", "")
        for name in ("callers.conf", "called.conf", "published.conf"):
            shipped["extensions.conf"] += "\n" + private.pop(name)
        with_sip = private.pop("callers_pjsip.conf"), private.pop("modules_sip.conf")
        if "pjsip.conf" in shipped:
            shipped["pjsip.conf"] += with_sip[0].replace("@sip@", str(self.sip))
            private["modules.conf"] += with_sip[1]
        empty = dict.fromkeys((f"{name}.conf" for name in _EMPTY), "")
        for name, text in (empty | private | shipped).items():
            text = text.replace("@folder@", self.inside()).replace("@modules@", f"/{modules}")
            (self.folder / "etc" / name).write_text(text, "utf-8")

    def _start(self) -> None:
        # Whatever becomes of the tests, Asterisk does not outlive them, and an Asterisk that runs
        # wild (it can, after a failed AudioSocket connection) does not fill the disk with its log.
        bound = ["setpriv", "--pdeathsig", "TERM", "prlimit", f"--fsize={LOG_LIMIT}"]
        command = [*bound, "chroot", str(self._root), "asterisk", "-f", "-C", self._conf]
        self._process = started(command, self.folder / "log" / "console")
        booted = "fully booted"
        wait_until(lambda: booted in self.cli("core waitfullybooted"), 30, booted, self.log)

    def _speak(self) -> None:
        """Make a sound file of each sentence, in 8 kHz, named by `sentence`."""
        for text in self._spoken:
            wide = self.inside("rec", f"{_file_name(text)}.wav16")
            speak = ["flite", "-voice", "slt", "-t", text, "-o", wide]
            subprocess.run(["chroot", str(self._root), *speak], check=True, capture_output=True)
            self.cli(f"file convert {wide} {self.sentence(text)}.sln")

    @property
    def _conf(self) -> str:
        return self.inside("etc", "asterisk.conf")

    def stop(self) -> None:
        """End it, however it is, and remove its folder, unless RAPIDA_KEEP is set."""
        process, self._process = self._process, None
        ended(process, 5)
        if not os.environ.get("RAPIDA_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)

    # -- using it ------------------------------------------------------------------------------

    def cli(self, command: str) -> str:
        """Asterisk's answer to a command of its console."""
        remote = ["chroot", str(self._root), "asterisk", "-C", self._conf, "-rx", command]
        done = subprocess.run(remote, capture_output=True, text=True, timeout=30)
        return done.stdout + done.stderr

    def log(self) -> str:
        """All that it has logged so far."""
        path = self.folder / "log" / "full.log"
        with suppress(FileNotFoundError):
            size = path.stat().st_size
            if size != self._log[0]:
                self._log = size, path.read_text("utf-8", "replace")
        return self._log[1]

    def complaints(self) -> list[str]:
        """The warnings and errors in the log."""
        return [
            line for line in self.log().splitlines() if re.search(r"\] (WARNING|ERROR)\[", line)
        ]

    def sentence(self, text: str) -> str:
        """The sound file of a sentence, as Playback() wants it."""
        return self.inside("rec", _file_name(text))

    def call(self, context: str, *script: str, caller: str = "", **variables: str) -> Call:
        """Call a fresh number in `context`. The telephone executes `script` and hangs up.

        `variables` are set on the channels of the call, and hide global ones of the same name.
        """
        number = self._number()
        caller = caller or f"+1555{int(number):07d}"
        return self._originate(number, context, ("caller", number), caller, script, variables)

    def call_out(self, context: str, *script: str, **variables: str) -> Call:
        """Call a telephone that executes `script`, and put what answers into `context`, at `s`."""
        number = self._number()
        return self._originate(number, "caller", (context, "s"), "", script, variables)

    def _number(self) -> str:
        self._calls += 1
        return str(self._calls)

    def _originate(
        self,
        number: str,
        context: str,
        other: tuple[str, str],
        caller: str,
        script: Sequence[str],
        variables: Mapping[str, str],
    ) -> Call:
        """By a call file, which Asterisk picks up at once."""
        steps = {f"STEP{place}": step for place, step in enumerate(script, 1)}
        lines = [
            f"Channel: Local/{number}@{context}/n",
            f"CallerID: <{caller}>",
            "WaitTime: 20",
            f"Context: {other[0]}",
            f"Extension: {other[1]}",
            *(f"Setvar: {name}={value}" for name, value in {**variables, **steps}.items()),
        ]
        draft = self.folder / "spool" / "tmp" / number
        draft.write_text("\n".join(lines) + "\n", "utf-8")
        draft.rename(self.folder / "spool" / "outgoing" / number)
        return Call(self, number, caller)


def _fill(files: dict[str, str], changes: Mapping[str, str]) -> None:
    """Replace what stands in one of the files; it must stand there."""
    for old, new in changes.items():
        [name] = [name for name, text in files.items() if old in text]
        files[name] = files[name].replace(old, new)


def _music(path: Path) -> None:
    """Ten seconds of a chord that swells, which nobody takes for speech."""
    at = np.arange(10 * RATE) / RATE
    chord = sum(np.sin(2 * np.pi * tone * at) for tone in (220, 277, 330))
    swell = 1 + np.sin(2 * np.pi * 0.3 * at)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((600 * swell * chord).astype(np.int16).tobytes())


def _file_name(text: str) -> str:
    return re.sub(r"\W+", "-", text.lower())


def _samples(path: Path) -> NDArray[np.int16]:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels()) == (RATE, 1), path
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)
