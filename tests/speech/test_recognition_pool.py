"""Workers are started when needed, watched, restarted and ended."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.speech.recognition_pool import Line, Pool
from rapida_tw.speech.worker_wire import Kind, Message, final
from tests.speech.processes import Processes


class Calling:
    """A call that records what it is told."""

    def __init__(self) -> None:
        self.got: list[object] = []

    def answered(self, message: Message) -> None:
        self.got.append(message)

    def worker_lost(self) -> None:
        self.got.append("lost")

    def worker_ready(self) -> None:
        self.got.append("ready")


class PoolTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = Processes()
        self.pool = Pool(self.reactor, 2)

    def tearDown(self) -> None:
        """After a stop nothing is left to happen."""
        self.flushLoggedErrors()
        stopped = self.pool.stop()
        for process in self.reactor.started:
            if process.stdin_closed:
                process.die(0)
        self.successResultOf(stopped)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def enter(self) -> tuple[Calling, Line]:
        call = Calling()
        return call, self.pool.enter(call)

    def test_lazy(self) -> None:
        """No call, no process; the second call has a second one, the third shares."""
        self.assertEqual(self.reactor.started, [])
        for expected in (1, 2, 2):
            self.enter()
            self.assertEqual(len(self.reactor.started), expected)

    def test_environment(self) -> None:
        """The worker finds this package and none of our secrets."""
        self.patch(os, "environ", {**os.environ, "RAPIDA_SECRET": "s3cret"})
        self.enter()
        process = self.reactor.started[0]
        self.assertEqual(process.arguments[-1], "rapida_tw.speech.pocketsphinx_worker")
        self.assertIn("PYTHONPATH", process.env)
        self.assertNotIn("RAPIDA_SECRET", process.env)

    def test_answers_find_their_call(self) -> None:
        """Each call hears its own answers; one that has left, none."""
        self.pool = Pool(self.reactor, 1)
        (one, first), (two, second) = self.enter(), self.enter()
        process = self.reactor.started[0]
        for line in (first, second):
            line.send(Kind.END)
        second.leave()
        answers = [final(line.call, "yes", -0.002) for line in (first, second)]
        process.answer(*answers)
        self.assertEqual((one.got, two.got), ([answers[0]], []))
        self.assertEqual(process.told[-1], Message(Kind.CLOSE, second.call))

    def test_death(self) -> None:
        """A dead worker's calls are told, and introduce themselves to the next one."""
        call, line = self.enter()
        self.reactor.started[0].die()
        self.assertFalse(line.up)
        self.assertEqual(call.got, ["lost"])
        self.reactor.advance(0.5)
        self.assertTrue(line.up)
        self.assertEqual(call.got, ["lost", "ready"])

    def test_back_off(self) -> None:
        """One that dies again and again is restarted more and more rarely, at least each 30 s."""
        self.enter()
        for delay in (0.5, 1, 2, 4, 8, 16, 30, 30):
            self.reactor.started[-1].die()
            count = len(self.reactor.started)
            self.reactor.advance(delay - 0.01)
            self.assertEqual(len(self.reactor.started), count)
            self.reactor.advance(0.02)
            self.assertEqual(len(self.reactor.started), count + 1)

    def test_back_off_forgotten(self) -> None:
        """One that was of use is restarted at once."""
        _, line = self.enter()
        for _ in range(3):
            self.reactor.started[-1].die()
            self.reactor.advance(10)
        line.send(Kind.END)
        self.reactor.started[-1].answer(final(line.call, "yes", -0.002))
        self.reactor.started[-1].die()
        self.reactor.advance(0.5)
        self.assertTrue(line.up)

    def test_system_refuses(self) -> None:
        """When no process can be started it is tried again later."""
        self.reactor.failing = 1
        _, line = self.enter()
        self.assertFalse(line.up)
        self.reactor.advance(0.5)
        self.assertTrue(line.up)

    def test_hung(self) -> None:
        """A worker that owes an answer for ten seconds is killed; an idle one is left alone."""
        _, line = self.enter()
        process = self.reactor.started[0]
        line.send(Kind.END)
        process.answer(final(line.call, "", -1.0))
        self.reactor.advance(60)
        self.assertEqual(process.signals, [])
        line.send(Kind.AUDIO, b"")
        line.send(Kind.AUDIO, b"")
        self.reactor.advance(9)
        process.answer(Message(Kind.HEARD, line.call))
        self.reactor.advance(9)
        self.assertEqual(process.signals, [])
        self.reactor.advance(1)
        self.assertEqual(process.signals, ["KILL"])

    def test_garbage(self) -> None:
        """A worker that does not speak our language is killed."""
        self.enter()
        process = self.reactor.started[0]
        process.protocol.outReceived(b"Traceback (most recent call last)")
        self.assertEqual(process.signals, ["KILL"])

    def test_stop(self) -> None:
        """Stopping closes its input, kills what stays, and fires when it is gone."""
        self.enter()
        process = self.reactor.started[0]
        stopped = self.pool.stop()
        self.assertTrue(process.stdin_closed)
        self.reactor.advance(2)
        self.assertEqual(process.signals, ["KILL"])
        self.assertNoResult(stopped)
        process.die()
        self.successResultOf(stopped)
        process.stdin_closed = False

    def test_stopped(self) -> None:
        """A stopped pool starts nothing."""
        self.pool.stop()
        self.enter()
        self.assertEqual(self.reactor.started, [])
