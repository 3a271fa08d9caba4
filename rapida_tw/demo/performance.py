"""What `rapida demo` does, from the first line to the exit status."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, TimeoutError

from rapida_tw.audio.format import Samples
from rapida_tw.cli.local import Local, now
from rapida_tw.cli.reacting import run
from rapida_tw.config import Config, load
from rapida_tw.demo.screen import Screen, summary
from rapida_tw.demo.story import Story
from rapida_tw.demo.verdict import call_complaints, recording_complaints
from rapida_tw.demo.visit import Visit
from rapida_tw.demo.voice import speak_lines
from rapida_tw.errors import Unavailable
from rapida_tw.listening import Listening
from rapida_tw.log import Redactor, observer, wall_clock
from rapida_tw.models.receptionist import receptionist
from rapida_tw.service import House, build
from rapida_tw.sim.asterisk import Asterisk, Dialplan
from rapida_tw.sim.caller import Happened
from rapida_tw.sim.metronome import Metronome
from rapida_tw.sim.phone import CallFailed
from rapida_tw.store.conversations import Conversations
from rapida_tw.store.database import Database
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


class Performance:
    """The server and the call. `visit` and `conversation_id` are there when it has run."""

    def __init__(self, config: Config, assistant_id: int, api_key: str) -> None:
        self._config = config
        self._assistant_id = assistant_id
        self._api_key = api_key
        self.visit: Visit | None = None
        self.speaks = True
        self.conversation_id = 0

    async def run(self, reactor: Any) -> None:
        """Start the server, make the call, stop the server, whatever happens."""
        house = build(self._config, reactor, wall_clock)
        house.privilegedStartService()
        house.startService()
        try:
            for line in house.vendors.warm_up():
                say(f"  {line}")
            await self._call(reactor, house)
        finally:
            await house.stopService()

    async def _call(self, reactor: Any, house: House) -> None:
        sounds = await self._prepare(house)
        screen = Screen(say, reactor.seconds)
        over: Deferred[None] = Deferred()

        def happened(event: Happened) -> None:
            screen.happened(event)
            if event.what == "ended" and not over.called:
                over.callback(None)

        self.visit = Visit(Story(self.speaks), sounds, happened)
        house.journal.watchers += [self._note, screen.remembered, self.visit.remembered]
        url, port = _where(house)
        say(f"  server: {url}, AudioSocket on {HOST}:{port}")
        plan = Dialplan(url, str(self._assistant_id), self._api_key, HOST, port)
        try:
            line = await Asterisk(reactor, plan).call(self.visit.caller, Metronome(reactor))
        except CallFailed as error:
            raise Unavailable(f"the call did not come through: {error}") from None
        screen.connected()
        try:
            await over.addTimeout(_ENDED_WITHIN, reactor)
        except TimeoutError:
            raise Unavailable("the call did not end, although the caller hung up") from None
        finally:
            line.hang_up()

    async def _prepare(self, house: House) -> dict[str, Samples]:
        """What the caller will say. He only presses keys where nobody would understand him."""
        speech = self._config.speech
        recognizer = house.vendors.recognizers.get(speech.recognizer)
        voice = house.vendors.synthesizers.get(speech.synthesizer)
        if recognizer.description.startswith("none") or voice.description.startswith("tone"):
            self.speaks = False
            say("  caller: presses keys only, for want of a recogniser or a voice")
            return {}
        how, sounds = await speak_lines(voice, Story().texts())
        say(f"  caller: speaks, {how}")
        return sounds

    def _note(self, entry: Entry) -> None:
        self.conversation_id = entry.conversation_id


def _where(house: House) -> tuple[str, int]:
    """The URL and the AudioSocket port that the server has got."""
    ports = [port for part in house if isinstance(part, Listening) for port in part.ports]
    addresses: list[Any] = [port.getHost() for port in ports]
    http, audiosocket = (address.port for address in addresses)
    return f"http://{HOST}:{http}", audiosocket


def _report(config: Config, performance: Performance) -> list[str]:
    """Print what came of the call; answers what did not."""
    visit = performance.visit
    if visit is None or not performance.conversation_id:
        return ["the server does not know of the call"]
    found = _conversation(config, performance.conversation_id)
    say("\nThe call")
    for line in summary(found):
        say(line)
    complaints = list(call_complaints(visit.caller, found, performance.speaks))
    names = [entry.value for entry in found.entries if entry.kind == "recording"]
    if not names:
        return [*complaints, "there is no recording"]
    wav = config.recording.directory / names[-1]
    complaints += recording_complaints(wav, performance.speaks)
    if wav.exists():
        say(f"\n  recording  {wav}  (left the caller, right the assistant)")
        complaints += _draw(wav, found)
    return complaints


def _conversation(config: Config, conversation_id: int) -> Conversation:
    """As the database has it, now that the server is gone."""
    database = Database(config.database.url)
    try:
        return now(Conversations(database, wall_clock, "demo").get(conversation_id))
    finally:
        now(database.close())


def _draw(wav: Path, conversation: Conversation) -> list[str]:
    picture = wav.with_suffix(".png")
    try:
        from rapida_tw.timeline import render  # Pillow is an extra
    except ImportError:
        return ["there is no picture, because Pillow is not installed"]
    picture.write_bytes(render(wav, conversation))
    say(f"  picture    {picture}")
    return []
