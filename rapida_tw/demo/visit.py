"""Visit: the caller of the demo on the phone, following his story."""

from __future__ import annotations

from collections.abc import Mapping

from rapida_tw.audio.format import Samples
from rapida_tw.demo.story import PATIENCE, Act, Story
from rapida_tw.sim.caller import Caller, Happened, Tell
from rapida_tw.store.records import Entry

_QUIET = 0.3  # seconds between the assistant's last sound and the caller's first
_KEY = 0.2  # seconds that he needs for each
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
        self._cut_in = False  # the latest act were keys into what the assistant was saying
        self._acts = 0
        self._finished = 0  # replies of the assistant that were heard to their end

    def remembered(self, entry: Entry) -> None:
        """A watcher of the journal: what the assistant has said to its end is answered."""
        if entry.kind != "message" or entry.name != "assistant" or entry.data.get("interrupted"):
            return
        if entry.data.get("kind") == "greeting":
            return  # answered in the middle of it
        self._finished += 1
        act = self._story.next(entry.value)
        if act is not None:
            self._do(act)

    def _happened(self, happened: Happened) -> None:
        if happened.what == "hears" and self._cut_in:
            # Between the end of what he cut off and the answer there is hardly a pause: where the
            # answer began is not to be heard.
            self._cut_in = False
            return
        self._tell(happened)
        if happened.what != "hears":
            return
        if not self._greeted:
            self._greeted = True
            at = happened.at + PATIENCE
            self.caller.does(lambda: self._cut_in_with(self._story.opening(), at), at)
        elif happened.text:  # the answer to his latest act begins
            self._be_patient(happened.at)

    def _be_patient(self, since: float) -> None:
        """Interrupt the answer that begins now, should it take too long for him."""
        patience = self._story.impatience()
        if patience is not None:
            so_far = self._acts, self._finished
            self.caller.does(lambda: self._interrupt(so_far, since + patience), since + patience)

    def _interrupt(self, so_far: tuple[int, int], now: float) -> None:
        """Go on, if nothing has happened meanwhile: the assistant is still talking."""
        if so_far != (self._acts, self._finished):
            return
        self._cut_in_with(self._story.interrupt(), now)

    def _cut_in_with(self, act: Act, now: float) -> None:
        self._do(act, now)
        if not act.voice:
            self._cut_in = True
            self._be_patient(now + _KEY * len(act.keys))

    def _do(self, act: Act, at: float | None = None) -> None:
        """At a time, or politely in his turn."""
        self._acts += 1
        self._cut_in = False
        if act.voice:
            self.caller.says(self._sounds[act.voice], at, text=act.voice, quiet=_QUIET)
        else:
            self.caller.presses(act.keys, at, quiet=_QUIET)
