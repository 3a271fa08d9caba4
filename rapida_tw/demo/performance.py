"""What `rapida demo` does, from the first line to the exit status."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred

from rapida_tw.audio.format import Samples
from rapida_tw.cli.local import Local
from rapida_tw.cli.reacting import run
from rapida_tw.config import Config, load
from rapida_tw.demo.screen import Screen, summary
from rapida_tw.demo.story import Story
from rapida_tw.demo.verdict import call_complaints, recording_complaints
from rapida_tw.demo.visit import Visit
from rapida_tw.listening import Listening
from rapida_tw.log import Redactor, observer, wall_clock
from rapida_tw.models.receptionist import receptionist
from rapida_tw.service import House, build
from rapida_tw.sim.asterisk import Asterisk, CallFailed, Dialplan
from rapida_tw.sim.caller import Happened
from rapida_tw.sim.metronome import Metronome
from rapida_tw.sim.voices import speak
from rapida_tw.store.records import Conversation, Entry

HOST = "127.0.0.1"
_ENDED_WITHIN = 100.0  # seconds for the whole call


def demo(data_dir: Path) -> int:
    """0 when all of it happened, else 1 and a sentence for each thing that did not."""
    say("rapida_tw: a server on this machine, and one call to it")
    config = configuration(data_dir)
    data_dir.mkdir(parents=True, exist_ok=True)
    log_file = data_dir / "server.log"
    with closing(Local(config)) as books, log_file.open("w", encoding="utf-8") as log:
        assistant_id = _receptionist(books)
        key, text = books.create_key("demo")
        try:
            performance = Performance(config, assistant_id, text)
            run(performance.run, observer(config.log, log, Redactor([text])))
        finally:
            books.revoke_key(key.id)
    complaints = _report(config, performance)
    for complaint in complaints:
        say(f"This did not work: {complaint}.")
    if complaints:
        say(f"The server's log is in {log_file}.")
    return 1 if complaints else 0


def configuration(data_dir: Path) -> Config:
    """The embedded default, on this machine's own address and on ports that are free."""
    changes = {
        "SERVER__DATA_DIR": str(data_dir),
        "SERVER__PUBLIC_SCHEME": "http",
        "HTTP__HOST": HOST,
        "HTTP__PORT": "0",
        "AUDIOSOCKET__HOST": HOST,
        "AUDIOSOCKET__PORT": "0",
        "SIP__ENABLED": "no",
    }
    return load(None, changes)


def say(line: str = "") -> None:
    print(line, flush=True)


def _receptionist(books: Local) -> int:
    """The id of the demo assistant, as this version of the program has it."""
    installed = books.install()
    documents = receptionist()
    books.update_assistant(installed.assistant_id, dict(documents["assistant"]))
    books.deploy(installed.assistant_id, dict(documents["deployment"]))
    return installed.assistant_id
