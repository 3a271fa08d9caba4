"""What `rapida doctor --vendor NAME` does: uses a vendor once, as a call would, and takes times.

The recogniser hears a sentence at the speed of speech; the voice says one; the model answers one.
All of it costs the account as much as some seconds of a call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall, deferLater

from rapida_tw.account import Account
from rapida_tw.audio.format import FRAME, RATE, SILENCE, TICK, Samples
from rapida_tw.errors import CallError, VendorFailed
from rapida_tw.expect import Expectation
from rapida_tw.models.base import Message, Model, ModelProvider
from rapida_tw.speech.base import (
    Pieces,
    Recognizer,
    RecognizerProvider,
    Synthesizer,
    SynthesizerProvider,
)

SENTENCE = "what are your opening hours"
ANSWER = "We are open every day from nine to six."
_GRAMMAR = f"#JSGF V1.0;\ngrammar trial;\npublic <trial> = {SENTENCE};\n"
WITHIN = 20.0  # seconds for each part
_PAUSE = 0.6  # seconds of silence before `finish`, as a call's endpointing waits
_PROMPT = (
    Message("system", "You answer the telephone of a small shop. Answer in one short sentence."),
    Message("user", f"{SENTENCE}?"),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was tried. `seconds`: None where it is not a matter of time."""

    part: str  # recogniser, voice or model
    what: str
    seconds: float | None = None
    detail: str = ""
    ok: bool = True


Tell = Callable[[Step], None]


class Trial:
    """Tries the plug-ins of one name, step by step; each step is told as soon as it is known."""

    def __init__(self, clock: IReactorTime, account: Account, tell: Tell) -> None:
        self._clock = clock
        self._account = account
        self._tell = tell
        self._began = 0.0

    async def recognizer(
        self, provider: RecognizerProvider, options: Mapping[str, Any], sentence: Samples
    ) -> None:
        """`sentence`: int16[n] of `SENTENCE`, 16 kHz."""
        await self._guarded("recogniser", lambda: self._hear(provider, options, sentence))

    async def voice(self, provider: SynthesizerProvider, options: Mapping[str, Any]) -> None:
        await self._guarded("voice", lambda: self._speak(provider, options))

    async def model(self, provider: ModelProvider, options: Mapping[str, Any]) -> None:
        await self._guarded("model", lambda: self._think(provider, options))

    async def _guarded(self, part: str, work: Callable[[], Any]) -> None:
        """Its failure is a step that did not work."""
        self._began = self._clock.seconds()
        working = Deferred.fromCoroutine(work())
        working.addTimeout(WITHIN, self._clock)
        try:
            await working
        except TimeoutError:
            self._step(part, "gave up", f"nothing more within {WITHIN:.0f} s", ok=False)
        except CallError as error:
            self._step(part, "failed", str(error), ok=False)

    def _step(self, part: str, what: str, detail: str = "", ok: bool = True) -> None:
        self._tell(Step(part, what, self._clock.seconds() - self._began, detail, ok))

    # -- the recogniser ---------------------------------------------------------------------------

    async def _hear(
        self, provider: RecognizerProvider, options: Mapping[str, Any], sentence: Samples
    ) -> None:
        recognizer = provider.open(options, self._account)
        heard = _Heard(self._clock)
        try:
            recognizer.expect(Expectation(grammar=_GRAMMAR))
            await recognizer.start(heard)
            self._step("recogniser", "connected")
            await self._say(recognizer, sentence)
            self._began = self._clock.seconds()
            if not recognizer.turns:
                recognizer.finish()
            text = await heard.understood()
        finally:
            await recognizer.stop()
        if heard.first is not None:
            first = heard.first - (self._began - len(sentence) / RATE - _PAUSE)
            self._tell(Step("recogniser", "first words, from the first sound", first))
        last = heard.last - self._began
        understood = f'"{text}"' if text else "nothing was understood"
        what = "all words, from the end of the pause"
        self._tell(Step("recogniser", what, last, understood, bool(text)))

    async def _say(self, recognizer: Recognizer, sentence: Samples) -> None:
        """Frame by frame, at the speed of speech; then the pause."""
        frames = _frames(sentence)
        recognizer.hear(SILENCE)
        recognizer.speech_started()

        def hear() -> None:
            frame = next(frames, None)
            if frame is None:
                beat.stop()
            else:
                recognizer.hear(frame)

        beat = LoopingCall(hear)
        beat.clock = self._clock
        await beat.start(TICK)

    # -- the voice --------------------------------------------------------------------------------

    async def _speak(self, provider: SynthesizerProvider, options: Mapping[str, Any]) -> None:
        voice: Synthesizer = provider.open(options, self._account)
        sound = _Sound(self._clock)
        try:
            await voice.start()
            self._step("voice", "connected")
            self._began = self._clock.seconds()
            await voice.say(ANSWER, sound)
        finally:
            await voice.stop()
        if sound.first is not None:
            self._tell(Step("voice", "first sound", sound.first - self._began))
        samples = np.concatenate((SILENCE[:0], *sound.samples))
        spoken = f"{len(samples) / RATE:.1f} s of sound"
        loud = bool(len(samples)) and int(np.abs(samples.astype(np.int32)).max()) > 300
        self._step("voice", "all of it", spoken if loud else f"{spoken}, and silent", loud)

    # -- the model --------------------------------------------------------------------------------

    async def _think(self, provider: ModelProvider, options: Mapping[str, Any]) -> None:
        model: Model = provider.open(options, self._account)
        first: list[float] = []
        try:
            completion = await model.reply(
                _PROMPT, (), lambda delta: first.append(self._clock.seconds())
            )
        finally:
            await model.stop()
        if first:
            self._tell(Step("model", "first words", first[0] - self._began))
        used = ", ".join(f"{number} {name} tokens" for name, number in completion.usage.items())
        told = f'"{completion.text.strip()[:80]}"' + (f" ({used})" if used else "")
        self._step("model", "all words", told, bool(completion.text.strip()))


class _Heard:
    """A RecognizerSink that waits for the words."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._words: list[str] = []
        self._over: Deferred[None] = Deferred()
        self.first: float | None = None
        self.last = 0.0

    async def understood(self) -> str:
        """All words; waits half a second for a vendor that gives them piece by piece."""
        await self._over
        await deferLater(self._clock, 0.5)
        return " ".join(self._words).strip()

    def partial(self, text: str) -> None:
        if text and self.first is None:
            self.first = self._clock.seconds()

    def final(self, text: str, confidence: float) -> None:
        self.partial(text)
        self.last = self._clock.seconds()
        if text:
            self._words.append(text)
        self._end()

    def speech_started(self) -> None:
        """Words are waited for."""

    def turn_ended(self) -> None:
        self._end()

    def failed(self, error: Exception) -> None:
        if not self._over.called:
            self._over.errback(VendorFailed(str(error)))

    def _end(self) -> None:
        if not self._over.called:
            self._over.callback(None)


class _Sound(Pieces):
    def __init__(self, clock: IReactorTime) -> None:
        super().__init__()
        self._clock = clock
        self.first: float | None = None

    def write(self, samples: Samples, payload: bytes = b"") -> None:
        if self.first is None and len(samples):
            self.first = self._clock.seconds()
        super().write(samples, payload)


def _frames(sentence: Samples) -> Iterator[Samples]:
    whole = len(sentence) // FRAME
    yield from sentence[: whole * FRAME].reshape(whole, FRAME)
    for _ in range(round(_PAUSE / TICK)):
        yield SILENCE
