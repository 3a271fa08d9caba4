"""SpokenPhrase: one phrase on its way into the playout, which begins there with its first sound.

Until then another sound may be put before it: whoever waits for a slow voice hears something.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rapida_tw.audio.format import Samples
from rapida_tw.media.playout import Playout
from rapida_tw.speech.base import VoiceSink, Word

NO_PART = -1  # what is said, but is in no message


class SpokenPhrase:
    """A VoiceSink. `spoken`: how the voice was told to say `text`; `sounds`: it begins."""

    def __init__(
        self, playout: Playout, text: str, part: int, spoken: str, sounds: Callable[[], None]
    ) -> None:
        self._playout = playout
        self._text = text
        self._part = part
        self._spoken = spoken
        self._sounds = sounds
        self._words: list[Word] = []  # told before there was a sound
        self.begun = False

    def write(self, samples: Samples, payload: bytes = b"") -> None:
        if not self.begun:
            self.begun = True
            self._playout.begin(self._text, self._part, self._spoken)
            self._playout.timed(self._words)
            self._sounds()
        self._playout.write(samples, payload)

    def timed(self, words: Sequence[Word]) -> None:
        if self.begun:
            self._playout.timed(words)
        else:
            self._words += words

    def finish(self, complete: bool) -> None:
        """No more of it comes; unless `complete`, a part of it was never spoken."""
        if self.begun:
            self._playout.finish(complete)


def interject(playout: Playout, phrase: SpokenPhrase | None, sound: Samples) -> None:
    """Let `sound` be heard now, whatever has become of `phrase`, which is being spoken.

    In the middle of it, it is taken for a part of it: its words are then a little later than told.
    """
    if phrase is not None and phrase.begun:
        playout.write(sound)
        return
    playout.begin("", NO_PART)
    playout.write(sound)
    playout.finish()


_conforms: type[VoiceSink] = SpokenPhrase
