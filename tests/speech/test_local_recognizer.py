"""The local recogniser: what it sends to its worker, and what it tells the call."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase, TestCase

from rapida_tw.audio.format import SILENCE
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.expect import Expectation
from rapida_tw.speech import local_recognizer
from rapida_tw.speech.base import Host
from rapida_tw.speech.jsgf import HESITATIONS
from rapida_tw.speech.local_recognizer import LocalRecognizerProvider, confidence_of
from rapida_tw.speech.worker_wire import Kind, Message, final
from tests.speech.processes import Processes, WorkerProcess
from tests.speech.spoken import NO_POCKETSPHINX, cough, frames, spoken

GOOD, BAD = -0.003, -0.006  # scores


class Heard:
    """A sink that records."""

    def __init__(self) -> None:
        self.partials: list[str] = []
        self.finals: list[tuple[str, float]] = []
        self.answer: Deferred[None] = Deferred()

    def partial(self, text: str) -> None:
        self.partials.append(text)

    def final(self, text: str, confidence: float) -> None:
        self.finals.append((text, confidence))
        answer, self.answer = self.answer, Deferred()
        answer.callback(None)

    def failed(self, error: Exception) -> None:
        raise error

    def texts(self) -> list[str]:
        return [text for text, _ in self.finals]


class LocalRecognizerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.patch(local_recognizer, "find_spec", lambda name: name)
        self.reactor = Processes()
        self.provider = LocalRecognizerProvider(Host(self.reactor, Path()), workers=1)
        self.recognizer = self.provider.open({})
        self.sink = Heard()
        self.successResultOf(self.recognizer.start(self.sink))

    @property
    def worker(self) -> WorkerProcess:
        return self.reactor.started[-1]

    def hear(self, count: int) -> None:
        for _ in range(count):
            self.recognizer.hear(SILENCE)

    def heard(self, count: int) -> None:
        """The worker has taken that many pieces."""
        self.worker.answer(*[Message(Kind.HEARD, 1)] * count)

    def sent(self) -> float:
        """Seconds of audio."""
        audio = (len(one.payload) for one in self.worker.told if one.kind is Kind.AUDIO)
        return sum(audio) / 16_000

    def test_only_speech(self) -> None:
        """Nothing is sent until a voice is detected; then what began 300 ms before."""
        self.hear(100)
        self.assertEqual(self.worker.kinds(), [Kind.GRAMMAR])
        self.recognizer.speech_started()
        self.assertEqual(self.worker.kinds()[1:], [Kind.START, *[Kind.AUDIO] * 3])
        self.hear(5)
        self.assertEqual(self.worker.count(Kind.AUDIO), 4)
        self.recognizer.finish()
        self.hear(5)
        self.assertEqual(self.worker.kinds()[-1], Kind.END)

    def test_narrow(self) -> None:
        """Audio goes at 8 kHz: half of the samples, the same sound."""
        tone = np.rint(8000 * np.sin(2 * np.pi * 500 * np.arange(4800) / 16_000)).astype(np.int16)
        self.recognizer.speech_started()
        for frame in frames(tone):
            self.recognizer.hear(frame)
        audio = b"".join(one.payload for one in self.worker.told if one.kind is Kind.AUDIO)
        spectrum = np.abs(np.fft.rfft(np.frombuffer(audio, "<i2")[800:1600]))
        self.assertEqual(len(audio), 4800)
        self.assertEqual(int(spectrum.argmax()), 50)

    def test_all_is_sent(self) -> None:
        """An end sends what has not filled a message."""
        self.recognizer.speech_started()
        self.hear(7)
        self.recognizer.finish()
        self.assertAlmostEqual(self.sent(), 0.14)

    def test_answers(self) -> None:
        """Words so far, then words."""
        self.recognizer.speech_started()
        self.hear(5)
        self.worker.answer(Message(Kind.PARTIAL, 1, b"half past"))
        self.recognizer.finish()
        self.worker.answer(final(1, "half past six", GOOD))
        self.assertEqual(self.sink.partials, ["half past"])
        ((text, confidence),) = self.sink.finals
        self.assertEqual(text, "half past six")
        self.assertGreater(confidence, 0.95)

    def test_rejected(self) -> None:
        """What fits badly is no text; how bad is too bad can be chosen."""
        lenient = self.provider.open({"listen.threshold": "0"})
        sink = Heard()
        lenient.start(sink)
        for call, recognizer in ((1, self.recognizer), (2, lenient)):
            recognizer.speech_started()
            recognizer.finish()
            self.worker.answer(final(call, "saturday", BAD))
        self.assertEqual(self.sink.texts(), [""])
        self.assertEqual(sink.texts(), ["saturday"])

    def test_grammar(self) -> None:
        """A grammar goes to the worker when it changes, and then only."""
        for grammar in ("one", "one", "two", ""):
            self.recognizer.expect(Expectation(grammar))
        told = [one.text for one in self.worker.told if one.kind is Kind.GRAMMAR]
        self.assertEqual(told, ["", "one", "two", ""])

    def test_finish_without_speech(self) -> None:
        """Each finish is answered."""
        self.recognizer.finish()
        self.assertEqual(self.sink.finals, [("", 0.0)])

    def test_late_worker(self) -> None:
        """At most a second is at the worker and five wait here; then the oldest go, and count."""
        before = local_recognizer.dropped.value()
        self.recognizer.speech_started()
        self.hear(5 * 80)
        self.assertEqual(self.worker.count(Kind.AUDIO), 10)
        self.assertEqual(local_recognizer.dropped.value() - before, 20)
        self.recognizer.finish()
        self.assertEqual(self.worker.count(Kind.END), 0)
        for _ in range(6):
            self.heard(10)
        self.assertEqual(self.worker.count(Kind.AUDIO), 60)
        self.assertEqual(self.worker.kinds()[-1], Kind.END)

    def test_late_partial(self) -> None:
        """Words so far of an utterance that is over are left to its final."""
        self.recognizer.speech_started()
        self.hear(5)
        self.recognizer.finish()
        self.worker.answer(Message(Kind.PARTIAL, 1, b"half"))
        self.assertEqual(self.sink.partials, [])

    def test_worker_dies(self) -> None:
        """What it owed is answered with nothing; the next utterance has the next worker."""
        self.recognizer.expect(Expectation("grammar"))
        self.recognizer.speech_started()
        self.recognizer.finish()
        self.recognizer.speech_started()
        self.worker.die()
        self.flushLoggedErrors()
        self.assertEqual(self.sink.finals, [("", 0.0)])
        self.hear(50)
        self.recognizer.finish()
        self.assertEqual(self.sink.finals, [("", 0.0)] * 2)
        self.reactor.advance(0.5)
        self.recognizer.speech_started()
        self.recognizer.finish()
        kinds = [Kind.GRAMMAR, Kind.START, *[Kind.AUDIO] * 3, Kind.END]
        self.assertEqual(self.worker.kinds(), kinds)
        self.assertEqual(self.worker.told[0].text, "grammar")
        self.worker.answer(final(1, "six", GOOD))
        self.assertEqual(self.sink.texts(), ["", "", "six"])

    def test_dies_in_mid_utterance(self) -> None:
        """The successor is not given an utterance without its beginning."""
        self.recognizer.speech_started()
        self.worker.die()
        self.reactor.advance(0.5)
        self.hear(50)
        self.recognizer.finish()
        self.assertEqual(self.worker.kinds(), [Kind.GRAMMAR])
        self.assertEqual(self.sink.finals, [("", 0.0)])

    def test_begins_without_worker(self) -> None:
        """What begins while there is no worker is lost whole, and no part of it is sent later."""
        self.worker.die()
        self.flushLoggedErrors()
        self.hear(20)
        self.recognizer.speech_started()
        self.hear(3)
        self.reactor.advance(0.5)
        self.hear(23)
        self.recognizer.finish()
        self.assertEqual(self.sink.finals, [("", 0.0)])
        self.assertEqual(self.worker.kinds(), [Kind.GRAMMAR])
        self.recognizer.speech_started()
        self.recognizer.finish()
        self.assertAlmostEqual(self.sent(), 0.3)

    def test_stop(self) -> None:
        """After a stop the worker forgets the call, and the sink hears nothing."""
        self.recognizer.speech_started()
        self.recognizer.finish()
        self.successResultOf(self.recognizer.stop())
        self.assertEqual(self.worker.kinds()[-1], Kind.CLOSE)
        self.worker.answer(final(1, "six", GOOD))
        self.hear(20)
        self.recognizer.speech_started()
        self.recognizer.finish()
        self.assertEqual(self.sink.finals, [])
        self.assertEqual(self.worker.kinds()[-1], Kind.CLOSE)

    def test_options(self) -> None:
        """It knows English, and thresholds that are probabilities."""
        self.provider.open({"language": "en_GB"})
        for options in ({"language": "de-DE"}, {"threshold": 2}, {"model": "nova"}):
            self.assertRaises(MisconfiguredAssistant, self.provider.open, options)


class DeafTests(SynchronousTestCase):
    def test_deaf(self) -> None:
        """Without pocketsphinx the call goes on: nothing is understood, each finish answered."""
        self.patch(local_recognizer, "find_spec", lambda name: None)
        processes = Processes()
        provider = LocalRecognizerProvider(Host(processes, Path()))
        self.assertIn("not installed", provider.description)
        recognizer, sink = provider.open({}), Heard()
        self.successResultOf(recognizer.start(sink))
        recognizer.expect(Expectation("grammar"))
        recognizer.hear(SILENCE)
        recognizer.speech_started()
        recognizer.finish()
        self.assertEqual(sink.finals, [("", 0.0)])
        self.assertEqual(processes.started, [])
        self.successResultOf(provider.stop())


class ConfidenceTests(SynchronousTestCase):
    def test_confidence(self) -> None:
        """Rises with the score from 0 to 1, for nothing at all too."""
        values = [confidence_of(score) for score in (-1.0, -0.0054, -0.0047, -0.0033, 0.0)]
        self.assertEqual(values, sorted(values))
        self.assertLess(values[1], 0.2)
        self.assertEqual(values[2], 0.5)
        self.assertGreater(values[3], 0.95)


class RealWorkerTests(TestCase):
    """A real process hears a real voice."""

    skip = NO_POCKETSPHINX or None
    timeout = 60

    async def test_conversation(self) -> None:
        """Words are understood, a cough is none."""
        provider = LocalRecognizerProvider(Host(reactor, Path()), workers=1)
        self.addCleanup(provider.stop)
        recognizer, sink = provider.open({}), Heard()
        await recognizer.start(sink)
        recognizer.expect(
            Expectation("#JSGF V1.0; grammar g; public <a> = when are you open | goodbye;")
        )
        for samples in (spoken("when are you open"), cough(1), spoken("goodbye")):
            recognizer.speech_started()
            for frame in frames(samples):
                recognizer.hear(frame)
            answer = sink.answer
            recognizer.finish()
            await answer
            # Frames between utterances, so that nothing of this one is in front of the next.
            for _ in range(15):
                recognizer.hear(SILENCE)
        first, coughed, last = sink.texts()
        self.assertEqual((first, last), ("when are you open", "goodbye"))
        self.assertIn(coughed, ("", *HESITATIONS))
        await recognizer.stop()
