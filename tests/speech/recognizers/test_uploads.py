"""The shell of recognisers by upload: what is sent, when, and what becomes of the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import RATE, SILENCE
from rapida_tw.errors import RemoteProtocolError, VendorFailed
from rapida_tw.expect import Expectation
from rapida_tw.net.base import Answer, BodyReceiver, Net, Request, Socket, SocketReceiver
from rapida_tw.sim.vendors.hearing import read_wav
from rapida_tw.speech.recognizers.transcriber import Transcriber, TranscriptReader
from rapida_tw.speech.recognizers.uploads import UploadRecognizer
from rapida_tw.speech.recognizers.wire import Complaint, Final, Partial
from tests.speech.recognizers.stand_in import Told, numbered

VOICE = numbered(5000)


class Upload:
    """One request, and its answer: the test is the server."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.cancelled = self.aborted = False
        self.waiting: Deferred[Answer] = Deferred(self._cancelled)
        self.status = 200
        self.headers: Mapping[str, str] = {}
        self.receiver: BodyReceiver | None = None
        self._text = ""

    def _cancelled(self, _: object) -> None:
        self.cancelled = True

    def begins(self, status: int = 200, body: str = "", **headers: str) -> None:
        """Its head is there."""
        self.status, self._text = status, body
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.waiting.callback(self)

    def says(self, *pieces: str) -> None:
        assert self.receiver is not None
        for piece in pieces:
            self.receiver.data_received(piece.encode())

    def ends(self, failure: VendorFailed | None = None) -> None:
        assert self.receiver is not None
        self.receiver.ended(failure)

    def answers(self, *pieces: str) -> None:
        self.begins()
        self.says(*pieces)
        self.ends()

    # -- Answer -----------------------------------------------------------------------------------

    def read(self, receiver: BodyReceiver) -> None:
        self.receiver = receiver

    def text(self, limit: int = 65_536) -> Deferred[str]:
        result: Deferred[str] = Deferred()
        result.callback(self._text)
        return result

    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def abort(self) -> None:
        self.aborted = True


class Uploads:
    """A Net that keeps all requests."""

    def __init__(self) -> None:
        self.all: list[Upload] = []

    def connect(self, request: Request, receiver: SocketReceiver) -> Deferred[Socket]:
        raise AssertionError("no WebSocket here")

    def request(self, request: Request) -> Deferred[Answer]:
        self.all.append(Upload(request))
        return self.all[-1].waiting


class PlainReader:
    """Words as they come; "no: ..." is a complaint, "?" is garbage."""

    def __init__(self) -> None:
        self._words: list[str] = []

    def feed(self, data: bytes) -> Sequence[Partial | Complaint]:
        told = data.decode()
        if told == "?":
            raise RemoteProtocolError("a question")
        if told.startswith("no: "):
            return (Complaint(told[4:]),)
        self._words.append(told)
        return (Partial(" ".join(self._words)),)

    def finish(self) -> Final:
        if not self._words:
            raise RemoteProtocolError("nothing")
        return Final(" ".join(self._words), 0.7)


class PlainTranscriber:
    """Sends the recording as it is."""

    def request(self, recording: bytes) -> Request:
        return Request("https://plain.example/", "POST", {"authorization": "key-12345"}, recording)

    def reader(self) -> TranscriptReader:
        return PlainReader()

    def refused(self, status: int, body: str) -> Complaint:
        return Complaint(f"HTTP {status} {body}".strip(), retryable=status >= 429)


class UploadTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.net = Uploads()
        self.told = Told()
        self.recognizer = UploadRecognizer(self.net, self.clock, "Plain", PlainTranscriber())
        self.successResultOf(self.recognizer.start(self.told))

    def silence(self, count: int) -> None:
        for _ in range(count):
            self.recognizer.hear(SILENCE)

    def utter(self, voice: int = 25) -> None:
        """The cue comes when five frames have been heard."""
        for number in range(voice):
            self.recognizer.hear(VOICE)
            if number == 4:
                self.recognizer.speech_started()
        self.silence(25)
        self.recognizer.finish()

    @property
    def upload(self) -> Upload:
        return self.net.all[-1]

    def test_recording(self) -> None:
        """A turn with what was heard 300 ms before the cue, up to the end of its voice."""
        self.silence(50)
        self.utter()
        rate, samples = read_wav(self.upload.request.body)
        # Ten frames of silence before, ten behind.
        self.assertEqual((rate, len(samples)), (RATE, 2 * 320 * (10 + 25 + 10)))
        self.assertEqual(samples[: 2 * 320 * 10], bytes(2 * 320 * 10))
        self.assertEqual(samples[2 * 320 * 10 :][: 2 * 320], VOICE.tobytes())

    def test_answer(self) -> None:
        """Words while they come, then all."""
        self.utter()
        self.assertEqual(self.told.events, [])
        self.upload.answers("book", "a", "table")
        partials = [("partial", text) for text in ("book", "book a", "book a table")]
        self.assertEqual(self.told.events, [*partials, ("final", "book a table")])
        self.assertEqual(self.told.confidences, [0.7])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_too_little_voice(self) -> None:
        """A cough is not sent: servers would hear words in it."""
        self.utter(voice=14)
        self.assertEqual((self.net.all, self.told.finals()), ([], [""]))
        self.utter(voice=15)
        self.assertEqual(len(self.net.all), 1)

    def test_no_voice(self) -> None:
        """Neither is a turn of which the detector said nothing."""
        self.silence(50)
        self.recognizer.finish()
        self.recognizer.speech_started()
        self.silence(50)
        self.recognizer.finish()
        self.assertEqual((self.net.all, self.told.finals()), ([], ["", ""]))

    def test_long_turn(self) -> None:
        """Of a turn of more than a minute, the last one is sent."""
        self.utter(voice=3100)
        _, samples = read_wav(self.upload.request.body)
        self.assertEqual(len(samples), 2 * 320 * (3000 - 15))

    def test_in_order(self) -> None:
        """Of two turns under way, the first one's answer is told first."""
        self.utter()
        self.utter()
        first, second = self.net.all
        second.answers("two")
        self.assertEqual(self.told.events, [])
        first.answers("one")
        self.assertEqual(self.told.finals(), ["one", "two"])

    def test_asked_again(self) -> None:
        """A server that failed is asked once more, a moment later."""
        self.utter()
        self.upload.begins(503)
        self.clock.advance(0.2)
        self.assertEqual(len(self.net.all), 1)
        self.clock.advance(0.1)
        self.assertEqual(self.net.all[0].request, self.net.all[1].request)
        self.upload.answers("hello")
        self.assertEqual(self.told.events, [("partial", "hello"), ("final", "hello")])

    def test_asked_to_wait(self) -> None:
        """A pause that a server asks for is kept, when a caller would wait as long."""
        self.utter()
        self.upload.begins(429, retry_after="1.5")
        self.clock.advance(1.4)
        self.assertEqual(len(self.net.all), 1)
        self.clock.advance(0.2)
        self.assertEqual(len(self.net.all), 2)
        self.upload.begins(429, retry_after="30")
        self.assertEqual(self.told.finals(), [""])

    def test_cut_off(self) -> None:
        """Answers that break off, make no sense or complain are asked for again."""
        for spoil in (
            lambda upload: upload.ends(VendorFailed("cut off")),
            lambda upload: upload.says("?"),
            lambda upload: upload.says("no: too busy"),
            lambda upload: upload.ends(),
        ):
            self.utter()
            self.upload.begins()
            spoil(self.upload)
            self.clock.advance(0.3)
            self.upload.answers("hello")
            self.assertEqual(self.told.events[-1], ("final", "hello"))
        self.assertEqual([one.aborted for one in self.net.all][2::2], [True, True, False])

    def test_too_slow(self) -> None:
        """After 5 s the turn is lost; it is not asked for again, and its request is closed."""
        self.utter()
        self.clock.advance(4.9)
        self.assertEqual(self.told.finals(), [])
        self.clock.advance(0.2)
        self.assertEqual(self.told.finals(), [""])
        self.assertTrue(self.upload.cancelled)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stalled(self) -> None:
        """The same when it has begun to answer."""
        self.utter()
        self.upload.begins()
        self.upload.says("book")
        self.clock.advance(5.1)
        self.assertTrue(self.upload.aborted)
        self.assertEqual(self.told.finals(), [""])

    def test_refused(self) -> None:
        """A wrong key is told once, without the key; nothing is asked any more."""
        self.utter()
        self.upload.begins(401, "key-12345 is wrong")
        self.assertEqual(
            self.told.events, [("final", ""), ("failed", "Plain: HTTP 401 *** is wrong")]
        )
        self.assertIsInstance(self.told.error, VendorFailed)
        self.utter()
        self.assertEqual((len(self.net.all), self.told.finals()), (1, ["", ""]))

    def test_given_up(self) -> None:
        """Two turns in a row without an answer are enough; one is not."""
        self.utter()
        self.clock.advance(5.1)
        self.utter()
        self.upload.answers("hello")
        for _ in range(2):
            self.assertIsNone(self.told.error)
            self.utter()
            self.clock.advance(5.1)
        self.assertEqual(str(self.told.error), "Plain did not answer within 5 s")

    def test_given_up_while_owing(self) -> None:
        """Who gives up answers for all turns that are under way."""
        self.utter()
        self.utter()
        self.net.all[1].begins(401)
        self.assertEqual(self.told.finals(), ["", ""])
        self.assertTrue(self.net.all[0].cancelled)

    def test_stopped(self) -> None:
        """The end of the call closes everything, and nothing is told."""
        self.utter()
        self.utter()
        self.net.all[0].begins(503)
        self.successResultOf(self.recognizer.stop())
        self.recognizer.finish()
        self.recognizer.speech_started()
        self.utter()
        self.assertTrue(self.net.all[1].cancelled)
        self.assertEqual((self.told.events, len(self.net.all)), ([], 2))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_mistake_of_ours(self) -> None:
        """Whatever goes wrong, the turn is answered."""

        class Broken(PlainTranscriber):
            def request(self, recording: bytes) -> Request:
                raise RuntimeError("broken")

        recognizer = UploadRecognizer(self.net, self.clock, "Plain", Broken())
        recognizer.start(self.told)
        self.recognizer = recognizer
        self.utter()
        self.assertEqual(self.told.finals(), [""])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_nothing_to_prepare(self) -> None:
        """It has no connection of its own, and wants no hints."""
        self.recognizer.prepare()
        self.recognizer.expect(Expectation())
        self.assertEqual(self.net.all, [])


_conforms: tuple[type[Net], type[Transcriber], type[Answer]] = (Uploads, PlainTranscriber, Upload)
