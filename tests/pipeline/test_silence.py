"""Nobody hears four seconds of silence when a reply is owed, whatever is slow or broken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Clock, deferLater
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import RATE, TICK
from rapida_tw.errors import End, VendorFailed
from rapida_tw.expect import Expectation
from rapida_tw.media.playout import Playout
from rapida_tw.models.base import Completion, Message, Model, Tool, ToolCall
from rapida_tw.models.fallback import ModelChain
from rapida_tw.pipeline.barge_in import BargeIn
from rapida_tw.pipeline.conversation import Conversation
from rapida_tw.pipeline.experience import Experience
from rapida_tw.pipeline.history import History
from rapida_tw.pipeline.keypad import Keypad
from rapida_tw.pipeline.listen import Turn
from rapida_tw.pipeline.normalise import Normaliser
from rapida_tw.pipeline.reply import Job, Replier
from rapida_tw.pipeline.times import Times
from rapida_tw.pipeline.tools import Result, ToolBox
from rapida_tw.roster import Member
from rapida_tw.sickness import Sickness
from rapida_tw.speech.base import Synthesizer, VoiceSink
from rapida_tw.speech.cached_voice import CachedVoice, Speaker, VoiceCache
from rapida_tw.speech.fallback_voice import VoiceChain

MOST = 4.0  # seconds
NEVER = 3600.0
EXPERIENCE = Experience(error_message="Sorry.", fillers=("One moment.", "Still working."))
QUESTION = Turn("when do you open")
LOOK = ToolCall("1", "look")


@dataclass
class _Voice:
    """Speaks sixteen characters a second, after `delay`; may break or stall in mid-phrase."""

    clock: IReactorTime
    delay: float = 0.3
    fails: bool = False  # instead of its first sound
    stalls: float = 0.0  # seconds, in the middle
    breaks: bool = False  # in the middle
    starting: float = 0.0
    said: list[str] = field(default_factory=list)

    def prepare(self) -> None:
        """It connects when it is started."""

    def start(self) -> Deferred[None]:
        return deferLater(self.clock, self.starting)

    def say(self, phrase: str, sink: VoiceSink) -> Deferred[None]:
        return Deferred.fromCoroutine(self._say(phrase, sink))

    async def _say(self, phrase: str, sink: VoiceSink) -> None:
        await deferLater(self.clock, self.delay)
        if self.fails:
            raise VendorFailed("no voice")
        self.said.append(phrase)
        sound = np.full(int(RATE * len(phrase) / 16), 1000, np.int16)
        half = len(sound) // 2
        sink.write(sound[:half])
        if self.breaks:
            raise VendorFailed("the voice broke")
        if self.stalls:
            await deferLater(self.clock, self.stalls)
        sink.write(sound[half:])

    def stop(self) -> Deferred[None]:
        return succeed(None)


@dataclass
class _Model:
    """Writes a sentence every `pause` seconds, the first after `delay`; or fails then."""

    clock: IReactorTime
    delay: float = 0.5
    pause: float = 0.0
    fails: bool = False
    tools: bool = False  # it wants a tool first
    text: str = "We open at nine."

    def prepare(self) -> None:
        """It connects when it is asked."""

    def opening(self) -> Expectation | None:
        return None

    def reply(
        self, messages: Sequence[Message], tools: Sequence[Tool], say: Callable[[str], None]
    ) -> Deferred[Completion]:
        return Deferred.fromCoroutine(self._reply(messages, say))

    async def _reply(self, messages: Sequence[Message], say: Callable[[str], None]) -> Completion:
        await deferLater(self.clock, self.delay)
        if self.fails:
            raise VendorFailed("no model")
        if self.tools and messages[-1].role != "tool":
            return Completion("", (LOOK,))
        for number, sentence in enumerate(self.text.split(". ")):
            if number:
                say(". ")
                await deferLater(self.clock, self.pause)
            say(sentence)
        return Completion(self.text)

    def stop(self) -> Deferred[None]:
        return succeed(None)


@dataclass
class _Look:
    """A tool that takes its time."""

    clock: IReactorTime
    delay: float = 0.0
    tool = Tool("look", "Look it up.")

    def use(self, arguments: Any) -> Deferred[Result]:
        return deferLater(self.clock, self.delay, Result, "{}")


class _Told:
    """Of replier and conversation."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.ends: list[End] = []
        self.fillers: list[str] = []
        self.over = self.ends.append

    def assistant_said(self, text: str, job: Job, interrupted: bool, played: float) -> None:
        self.said.append(text)

    def reply_over(self, times: Times) -> None: ...
    def expecting(self, expectation: Expectation) -> None: ...
    def tool_used(self, name: str, result: str) -> None: ...
    def user_said(self, turn: Turn) -> None: ...
    def happened(self, name: str, detail: str = "") -> None: ...
    def filled(self, text: str) -> None:
        self.fillers.append(text)


class _Listener:
    speaking = False

    def expect(self, expectation: Expectation) -> None: ...


class SilenceTests(SynchronousTestCase):
    """Whole replies, in virtual time; each frame that is played is looked at."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(100.0)
        self.sickness = Sickness(self.clock.seconds)
        self.told = _Told()

    def hear(
        self,
        model: Model | None = None,
        voice: Synthesizer | None = None,
        tool: float = 0.0,
        experience: Experience = EXPERIENCE,
        before: float = 0.7,
    ) -> float:
        """The longest silence from the end of the question to that of its reply.

        `before`: how long it took to find out that the question was over. Without a greeting.
        """
        playout = Playout()
        talk = Conversation(self.clock, experience, self.told)
        talk.keypad = Keypad(self.clock, talk.digits_entered)
        talk.listener = _Listener()  # type: ignore[assignment]
        talk.barge_in = BargeIn(self.clock, playout, talk.interrupted, lambda: False)
        talk.replier = Replier(
            self.clock,
            History(),
            model or _Model(self.clock),
            ToolBox([_Look(self.clock, tool)]),
            voice or _Voice(self.clock),
            Normaliser(),
            playout,
            lambda sounded: None,
            self.told,
            experience.fillers,
        )
        talk.start()
        silence = longest = 0.0
        began = self.clock.seconds()
        if not experience.greeting:
            now = self.clock.seconds()
            silence = before
            talk.turn_ended(replace(QUESTION, speech_ended=now - before, recognized=now))
        while talk.turn_is_ours and not self.told.ends:
            playout.played()
            frame = playout.take()
            silence = 0.0 if frame is not None and frame.any() else silence + TICK
            longest = max(longest, silence)
            self.clock.advance(TICK)
            self.assertLess(self.clock.seconds(), began + 60.0)
        talk.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        return longest

    def voices(self, *voices: _Voice) -> VoiceChain:
        """A chain that has started, of those in order."""
        members = [
            Member[Synthesizer](f"v{number}", lambda voice=voice: voice)
            for number, voice in enumerate(voices)
        ]
        chain = VoiceChain(members, self.sickness, self.clock)
        chain.start()
        self.clock.advance(0)
        return chain

    def models(self, *models: _Model) -> ModelChain:
        members = [
            Member[Model](f"m{number}", lambda model=model: model)
            for number, model in enumerate(models)
        ]
        return ModelChain(members, self.sickness, self.clock)

    def test_quick(self) -> None:
        """Nothing is slow: nobody fills anything."""
        self.assertLess(self.hear(), 1.6)
        self.assertEqual((self.told.said, self.told.fillers), (["We open at nine."], []))

    def test_slow_model(self) -> None:
        """The model takes eight seconds: fillers are enough, no tone is heard."""
        self.assertLess(self.hear(_Model(self.clock, 8.0)), MOST)
        self.assertEqual(self.told.said, ["We open at nine."])
        self.assertNotIn("", self.told.fillers)

    def test_no_fillers(self) -> None:
        """A deployment without them has tones."""
        longest = self.hear(_Model(self.clock, 8.0), experience=replace(EXPERIENCE, fillers=()))
        self.assertLess(longest, MOST)
        self.assertEqual(set(self.told.fillers), {""})

    def test_slow_voice(self) -> None:
        """Each phrase needs three seconds, the fillers too; with every model."""
        for delay in (0.1, 1.4, 1.6, 3.0, 8.0):
            longest = self.hear(_Model(self.clock, delay), _Voice(self.clock, 3.0))
            self.assertLess(longest, MOST, delay)
            self.assertEqual(self.told.said[-1], "We open at nine.")

    def test_slow_start(self) -> None:
        """The turn's end was noticed late, and the voice is slow."""
        for before in (0.3, 1.0, 2.0):
            voice = _Voice(self.clock, 3.5)
            self.assertLess(self.hear(voice=voice, before=before), MOST, before)

    def test_no_model(self) -> None:
        """The model never answers: it is given up, and the apology is slow as well."""
        for delay in (0.3, 1.0, 2.0, 3.5):
            longest = self.hear(_Model(self.clock, NEVER), _Voice(self.clock, delay))
            self.assertLess(longest, MOST, delay)
            self.assertEqual(self.told.said[-1], "Sorry.")

    def test_model_fails(self) -> None:
        """It fails after three seconds, and the apology is slow."""
        longest = self.hear(_Model(self.clock, 3.0, fails=True), _Voice(self.clock, 3.0))
        self.assertLess(longest, MOST)
        self.assertEqual(self.told.said, ["Sorry."])

    def test_models_fail_over(self) -> None:
        """The first hangs, the second fails late, the third is slow, and so is the voice."""
        chain = self.models(
            _Model(self.clock, NEVER),
            _Model(self.clock, 2.0, fails=True),
            _Model(self.clock, 2.5),
        )
        self.assertLess(self.hear(chain, _Voice(self.clock, 1.5)), MOST)
        self.assertEqual(self.told.said, ["We open at nine."])

    def test_slow_sentences(self) -> None:
        """Between two sentences the model thinks for five seconds."""
        model = _Model(self.clock, pause=5.0, text="We open at nine. We close at ten. Bye.")
        self.assertLess(self.hear(model, _Voice(self.clock, 1.0)), MOST)
        self.assertEqual(self.told.said, [model.text])

    def test_voices_fail_over(self) -> None:
        """The first voice hangs, the second is slow: each word is heard, once."""
        for delay in (0.3, 1.9, 3.5):
            self.setUp()
            voice = _Voice(self.clock, delay)
            chain = self.voices(_Voice(self.clock, NEVER), voice)
            self.assertLess(self.hear(voice=chain), MOST, delay)
            self.assertEqual(self.told.said, ["We open at nine."])
            self.assertEqual(voice.said[-1], "We open at nine.")

    def test_voice_breaks(self) -> None:
        """It breaks in mid-phrase: the next one says the rest, after a while."""
        voice = _Voice(self.clock, 3.5)
        chain = self.voices(_Voice(self.clock, breaks=True), voice)
        self.assertLess(self.hear(voice=chain), MOST)
        self.assertEqual(voice.said, ["at nine."])
        self.assertEqual(self.told.said, ["We open at nine."])

    def test_voice_stalls(self) -> None:
        """It stalls in mid-phrase, with and without another one."""
        self.assertLess(self.hear(voice=_Voice(self.clock, stalls=9.0)), MOST)
        other = _Voice(self.clock, 3.0)
        chain = self.voices(_Voice(self.clock, stalls=9.0), other)
        self.assertLess(self.hear(voice=chain), MOST)
        self.assertEqual(other.said, ["at nine."])
        self.assertEqual(self.told.said, ["We open at nine."] * 2)

    def test_no_voice(self) -> None:
        """There is none at all: tones, until the call ends."""
        for voice in (
            _Voice(self.clock, 4.0, fails=True),
            _Voice(self.clock, NEVER),
        ):
            self.told = _Told()
            self.assertLess(self.hear(voice=voice), MOST)
            self.assertEqual(self.told.said, [])
            self.assertEqual([end.reason for end in self.told.ends], ["provider_failed"])

    def test_slow_tool(self) -> None:
        """A tool of twelve seconds, and a slow voice."""
        for delay in (0.3, 3.5):
            self.setUp()
            model, voice = _Model(self.clock, tools=True), _Voice(self.clock, delay)
            self.assertLess(self.hear(model, voice, tool=12.0), MOST)
            self.assertEqual(self.told.said[-1], "We open at nine.")

    def test_greeting(self) -> None:
        """The greeting is owed, too: by a voice that is slow."""
        experience = replace(EXPERIENCE, greeting="Hello, this is Acme.")
        self.assertLess(self.hear(voice=_Voice(self.clock, 6.0), experience=experience), MOST)
        self.assertEqual((self.told.said, self.told.fillers), (["Hello, this is Acme."], [""]))

    def test_kept_fillers(self) -> None:
        """Fillers that are kept are there at once, however slow the voice: no tone is heard."""
        slow = _Voice(self.clock, 3.0)
        voice = CachedVoice(slow, Speaker("v"), VoiceCache(), EXPERIENCE.fillers)
        for text in EXPERIENCE.fillers:
            voice.warm(text)
        self.clock.pump([TICK] * 400)
        self.assertEqual(slow.said, list(EXPERIENCE.fillers))
        self.assertLess(self.hear(_Model(self.clock, 7.0), voice), MOST)
        self.assertEqual(self.told.fillers[:2], list(EXPERIENCE.fillers))
        self.assertEqual(slow.said, [*EXPERIENCE.fillers, "We open at nine."])
