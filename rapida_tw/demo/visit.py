"""Visit: the caller of the demo on the phone, following his story."""

from __future__ import annotations

from collections.abc import Mapping

from rapida_tw.audio.format import Samples
from rapida_tw.demo.story import PATIENCE, Act, Story
from rapida_tw.sim.caller import Caller, Happened, Tell
from rapida_tw.store.records import Entry

_QUIET = 0.3  # seconds between the assistant's last sound and the caller's first
_LONGEST = 90.0  # seconds; a story that has gone astray ends


class Visit:
    """One call. `sounds`: the samples of each text of the story; `tell` hears what happens.

    He understands the assistant by the journal: there is no recogniser in his ear.
    """

    def __init__(self, story: Story, sounds: Mapping[str, Samples], tell: Tell) -> None:
        self.caller = Caller(self._happened)
        self.caller.hangs_up(at=_LONGEST)
        self._story = story
        self._sounds = sounds
        self._tell = tell
        self._greeted = False

    def remembered(self, entry: Entry) -> None:
        """A watcher of the journal: what the assistant has said to its end is answered."""
        if entry.kind != "message" or entry.name != "assistant" or entry.data.get("interrupted"):
            return
        if entry.data.get("kind") == "greeting":
            return  # answered in the middle of it
        act = self._story.next(entry.value)
        if act is not None:
            self._do(act)

    def _happened(self, happened: Happened) -> None:
        self._tell(happened)
        if happened.what == "hears" and not self._greeted:
            self._greeted = True
            self._do(self._story.opening, happened.at + PATIENCE)

    def _do(self, act: Act, at: float | None = None) -> None:
        if act.voice:
            self.caller.says(self._sounds[act.voice], at, text=act.voice, quiet=_QUIET)
        else:
            self.caller.presses(act.keys, at, quiet=_QUIET)
