"""The worker's answers, message by message; and the process as it is."""

from __future__ import annotations

import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.speech.worker_wire import Decoder, Kind, Message
from tests.speech.spoken import NO_POCKETSPHINX, spoken

if not NO_POCKETSPHINX:
    from rapida_tw.speech.grammars import Grammars
    from rapida_tw.speech.pocketsphinx_worker import Worker, dictionary
    from rapida_tw.speech.pronunciations import Pronunciations


def pieces(text: str) -> list[bytes]:
    """100 ms each."""
    audio = spoken(text)[::2].astype("<i2").tobytes()
    return [audio[start : start + 1600] for start in range(0, len(audio), 1600)]


class WorkerTests(SynchronousTestCase):
    skip = NO_POCKETSPHINX or None

    def setUp(self) -> None:
        self.answers: list[Message] = []
        self.worker = Worker(Grammars(Pronunciations(dictionary())), self.answers.append)

    def tell(self, *messages: Message) -> list[Message]:
        """All at once, as after a read; returns what was answered to them."""
        self.answers.clear()
        self.worker.received(list(messages))
        return list(self.answers)

    def test_utterance(self) -> None:
        """Each piece is answered by one message, and the end by the words."""
        self.tell(Message(Kind.START, 1))
        told = []
        for piece in pieces("goodbye"):
            (answer,) = self.tell(Message(Kind.AUDIO, 1, piece))
            if answer.kind is Kind.PARTIAL:
                told.append(answer.text)
        self.assertEqual(told, ["goodbye"])
        (answer,) = self.tell(Message(Kind.END, 1))
        text, score = answer.words
        self.assertEqual((answer.kind, text), (Kind.FINAL, "goodbye"))
        self.assertGreater(score, -0.0047)

    def test_late(self) -> None:
        """What has waited is decoded first; words so far are told for the last piece only."""
        audio = [Message(Kind.AUDIO, 1, piece) for piece in pieces("goodbye")]
        answers = self.tell(Message(Kind.START, 1), *audio)
        self.assertEqual([one.kind for one in answers], [Kind.HEARD] * len(audio))

    def test_mistakes(self) -> None:
        """A bad grammar is told, and its call goes on."""
        (warning,) = self.tell(Message(Kind.GRAMMAR, 1, b"nonsense"))
        self.assertEqual(warning.kind, Kind.WARNING)
        audio = [Message(Kind.AUDIO, 1, piece) for piece in pieces("goodbye")]
        answers = self.tell(Message(Kind.START, 1), *audio, Message(Kind.END, 1))
        self.assertEqual(answers[-1].words[0], "goodbye")

    def test_odd_audio(self) -> None:
        """Audio that cannot be spoils its utterance only: not the next one, not another call."""
        self.tell(Message(Kind.START, 1), Message(Kind.START, 2))
        answers = self.tell(Message(Kind.AUDIO, 1, b"odd"))
        self.assertEqual([one.kind for one in answers], [Kind.WARNING, Kind.HEARD])
        audio = [Message(Kind.AUDIO, call, one) for one in pieces("goodbye") for call in (1, 2)]
        *_, first, second = self.tell(*audio, Message(Kind.END, 1), Message(Kind.END, 2))
        self.assertEqual((first.words[0], second.words[0]), ("", "goodbye"))
        audio = [Message(Kind.AUDIO, 1, piece) for piece in pieces("goodbye")]
        *_, last = self.tell(Message(Kind.START, 1), *audio, Message(Kind.END, 1))
        self.assertEqual(last.words[0], "goodbye")

    def test_close(self) -> None:
        """A closed call leaves nothing behind, not even in mid-utterance."""
        self.tell(Message(Kind.START, 1), Message(Kind.CLOSE, 1))
        self.assertEqual(self.answers, [])
        self.assertEqual(self.worker.calls, 0)


class ProcessTests(SynchronousTestCase):
    skip = NO_POCKETSPHINX or None

    def test_process(self) -> None:
        """It speaks nothing but messages on its output, and ends with its input."""
        # pocketsphinx prints to descriptor 1 what it cannot parse.
        bad = b"#JSGF V1.0; grammar g; public <a> = yes; " + b"#;" * 20
        told = (Message(Kind.GRAMMAR, 1, bad), Message(Kind.START, 1), Message(Kind.END, 1))
        done = subprocess.run(
            [sys.executable, "-m", "rapida_tw.speech.pocketsphinx_worker"],
            input=b"".join(message.encode() for message in told),
            capture_output=True,
            timeout=30,
        )
        answers = list(Decoder().feed(done.stdout))
        kinds = [answer.kind for answer in answers]
        self.assertEqual(kinds, [Kind.READY, Kind.WARNING, Kind.FINAL], done.stderr)
        self.assertEqual(done.returncode, 0)
