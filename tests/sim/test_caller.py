from __future__ import annotations

from pathlib import Path

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.sim.caller import PATIENCE, Caller, Happened
from rapida_tw.sim.phone import Ending, Reason

SILENCE = bytes(320)
SOUND = np.full(160, 4_000, "<i2").tobytes()


class FakeLine:
    """A line that records, and whose beats the test gives."""

    rate, interval = 8_000, 0.02

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.now = 0.0
        self.beats = 0
        self.packets: list[bytes] = []
        self.digits: list[tuple[float, str]] = []
        self.hung_up_at: float | None = None
        caller.connected(self)

    def send_audio(self, payload: bytes) -> None:
        self.packets.append(payload)

    def press(self, digit: str) -> None:
        self.digits.append((round(self.now, 2), digit))

    def hang_up(self) -> None:
        self.hung_up_at = self.now
        self.caller.disconnected(Ending(Reason.CALLER_HUNG_UP), self.now)

    def run(self, until: float, server: bytes = SILENCE) -> None:
        """Beat on; each beat the server's packet is heard and the caller's is taken."""
        while self.now < until - 0.001 and self.hung_up_at is None:
            self.beats += 1
            self.now = self.beats * 0.02
            self.caller.audio_heard(server, 8_000, self.now)
            self.caller.beat(self.now)

    def loud(self) -> list[int]:
        """The numbers of the beats with sound of the caller's, from 1."""
        return [n for n, packet in enumerate(self.packets, 1) if packet != SILENCE]


class CallerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.told: list[Happened] = []
        self.caller = Caller(self.told.append)

    def test_silence(self) -> None:
        """A caller with nothing to say sends silence, a packet a beat."""
        line = FakeLine(self.caller)
        line.run(1.0)
        self.assertEqual(line.packets, [SILENCE] * 50)

    def test_sends_nothing(self) -> None:
        """A phone may also suppress its silence, but not its voice."""
        self.caller = Caller(sends_silence=False)
        self.caller.says("hello", at=0.5, lasting=0.2)
        line = FakeLine(self.caller)
        line.run(1.0)
        self.assertEqual(len(line.packets), 10)

    def test_says(self) -> None:
        """A line begins on its beat and lasts as long as it was told."""
        self.caller.says("hello", at=0.5, lasting=0.8)
        line = FakeLine(self.caller)
        line.run(3.0)
        self.assertEqual(line.loud(), list(range(25, 65)))
        (turn,) = self.caller.turns
        self.assertEqual(turn.text, "hello")
        self.assertAlmostEqual(turn.started, 0.5)
        self.assertAlmostEqual(turn.ended or 0, 64 * 0.02)

    def test_says_samples(self) -> None:
        """Samples are sent at the line's rate; the last sound in them ends the turn."""
        samples = np.zeros(16_000, np.int16)
        samples[3_200:6_400] = 5_000
        self.caller.says(samples, at=1.0, text="spoken")
        line = FakeLine(self.caller)
        line.run(4.0)
        # The filter rings a little at hard edges: one packet more on either side.
        self.assertIn(line.loud()[0], (59, 60))
        self.assertAlmostEqual(self.caller.turns[0].ended or 0, 69 * 0.02, places=1)

    def test_steps_in_the_order_of_their_times(self) -> None:
        """The order in which steps were written down does not matter."""
        self.caller.says("second", at=2.0, lasting=0.1)
        self.caller.says("first", at=1.0, lasting=0.1)
        FakeLine(self.caller).run(3.0)
        self.assertEqual([turn.text for turn in self.caller.turns], ["first", "second"])

    def test_presses(self) -> None:
        """Keys are released five a second; the last of them ends the turn."""
        self.caller.presses("12#", at=1.0)
        line = FakeLine(self.caller)
        line.run(2.0)
        self.assertEqual(line.digits, [(1.0, "1"), (1.2, "2"), (1.4, "#")])
        self.assertAlmostEqual(self.caller.turns[0].ended or 0, 1.4)

    def test_hangs_up(self) -> None:
        """The caller hangs up at its time and sends nothing more."""
        self.caller.hangs_up(at=1.0)
        line = FakeLine(self.caller)
        line.run(2.0)
        self.assertAlmostEqual(line.hung_up_at or 0, 1.0)
        self.assertEqual(self.caller.ending, Ending(Reason.CALLER_HUNG_UP))
        self.assertAlmostEqual(self.caller.ended_at or 0, 1.0)

    def test_does(self) -> None:
        """A step can be anything."""
        done: list[str] = []
        self.caller.does(lambda: done.append("stall"), at=1.0)
        line = FakeLine(self.caller)
        line.run(0.9)
        self.assertEqual(done, [])
        line.run(1.1)
        self.assertEqual(done, ["stall"])

    def test_polite(self) -> None:
        """Without a time, a line waits until the other side has spoken and been quiet."""
        self.caller.says("and now me", lasting=0.5)
        line = FakeLine(self.caller)
        line.run(2.0)
        line.run(4.0, SOUND)
        self.assertEqual(line.loud(), [])
        line.run(6.0)
        self.assertAlmostEqual(self.caller.turns[0].started, 4.02 + 0.6, places=1)

    def test_each_turn_waits_for_its_answer(self) -> None:
        """The second line waits for the answer to the first."""
        self.caller.says("one", lasting=0.5)
        self.caller.says("two", lasting=0.5)
        line = FakeLine(self.caller)
        line.run(1.0, SOUND)
        line.run(6.0)
        self.assertEqual(len(self.caller.turns), 1)
        line.run(7.0, SOUND)
        line.run(8.0)
        self.assertEqual(len(self.caller.turns), 2)

    def test_patience(self) -> None:
        """Where nobody ever speaks, the caller speaks at last."""
        self.caller.says("is anybody there", lasting=0.5)
        line = FakeLine(self.caller)
        line.run(PATIENCE + 0.1)
        self.assertAlmostEqual(self.caller.turns[0].started, PATIENCE, places=1)

    def test_cut_off_tail_is_no_answer(self) -> None:
        """What an interruption cut off is not taken for the answer to it."""
        self.caller.says("wait", at=1.0, lasting=0.5)
        self.caller.says("next", lasting=0.5)
        line = FakeLine(self.caller)
        line.run(1.6, SOUND)
        line.run(4.0)
        self.assertEqual(len(self.caller.turns), 1)

    def test_latency(self) -> None:
        """Latency runs from the last sound sent to the first sound heard."""
        self.caller.says("hello", at=0.5, lasting=0.8)
        line = FakeLine(self.caller)
        line.run(2.0)
        line.run(3.0, SOUND)
        (turn,) = self.caller.turns
        self.assertAlmostEqual(turn.latency or 0, 2.02 - 1.28)

    def test_no_answer_no_latency(self) -> None:
        """Without an answer there is no latency."""
        self.caller.says("hello", at=0.5, lasting=0.2)
        FakeLine(self.caller).run(2.0)
        self.assertIsNone(self.caller.turns[0].latency)

    def test_first_answer_counts(self) -> None:
        """A second sentence of the answer does not change the latency."""
        self.caller.says("hello", at=0.5, lasting=0.2)
        line = FakeLine(self.caller)
        for until, server in ((1.0, SILENCE), (2.0, SOUND), (3.0, SILENCE), (4.0, SOUND)):
            line.run(until, server)
        self.assertAlmostEqual(self.caller.turns[0].answered or 0, 1.02)

    def test_heard(self) -> None:
        """What was heard is known by its times and as a file."""
        line = FakeLine(self.caller)
        line.run(1.0)
        line.run(2.0, SOUND)
        line.run(3.0)
        self.assertEqual(len(self.caller.heard), 1)
        self.assertAlmostEqual(self.caller.heard_until, 2.02)
        path = Path(self.mktemp())
        self.caller.save_heard(path)
        self.assertGreater(path.stat().st_size, 2 * 8_000 * 2)

    def test_spectator(self) -> None:
        """A spectator is told of everything, in order."""
        self.caller.says("hello", at=0.5, lasting=0.2)
        self.caller.presses("1", at=2.0)
        self.caller.hangs_up(at=3.0)
        line = FakeLine(self.caller)
        line.run(1.0)
        line.run(2.0, SOUND)
        line.run(4.0)
        self.assertEqual(
            [(told.what, told.text) for told in self.told],
            [
                ("says", "hello"),
                ("hears", "after 340 ms"),
                ("presses", "1"),
                ("hangs-up", ""),
                ("ended", "caller_hung_up"),
            ],
        )
