from __future__ import annotations

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.store.records import Conversation, Entry
from rapida_tw.turns import ASSISTANT, CALLER, Gap, Turn, find_gaps, find_turns
from rapida_tw.waveform import Waveform


def waveform(*sounds: tuple[int, float, float]) -> Waveform:
    """Ten seconds in bins of 10 ms with sound of (track, start, end)."""
    high = np.zeros((2, 1_000), np.int16)
    for track, start, end in sounds:
        high[track, round(start * 100) : round(end * 100)] = 5_000
    return Waveform(-high, high, 0.01, 10.0)


def message(role: str, text: str, at: float, **data: object) -> Entry:
    return Entry(1, "message", role, text, data, 1_000.0 + at)


def conversation(*entries: Entry) -> Conversation:
    connected = Entry(1, "event", "call.connected", at=1_000.0)
    return Conversation(1, 1, 1, "", created=990.0, entries=(connected, *entries))


class TurnTests(SynchronousTestCase):
    def test_known_end(self) -> None:
        """The caller's speech ended when its message says, and began with its sound."""
        turns = find_turns(
            waveform((CALLER, 1.0, 2.3)), conversation(message("user", "hello", 9.0, ended=2.0))
        )
        self.assertEqual(turns, [Turn(CALLER, 1.0, 2.02, "hello")])

    def test_known_beginning(self) -> None:
        """Two answers without a pause between them begin where their messages say."""
        turns = find_turns(
            waveform((ASSISTANT, 1.0, 4.0)),
            conversation(
                message("assistant", "One moment.", 2.0, began=1.0),
                message("assistant", "Yes.", 4.1, began=1.8),
            ),
        )
        self.assertEqual([(turn.start, turn.end) for turn in turns], [(1.0, 1.8), (1.8, 4.0)])

    def test_keys(self) -> None:
        """Pressed keys make no sound; they stand where they ended."""
        keys = message("user", "12", 5.5, ended=5.0, by="keys")
        self.assertEqual(find_turns(waveform(), conversation(keys)), [Turn(CALLER, 4.2, 5.0, "12")])

    def test_cough(self) -> None:
        """What was heard long before a turn is none of it."""
        turns = find_turns(
            waveform((CALLER, 1.0, 1.2), (CALLER, 5.0, 6.0)),
            conversation(message("user", "hello", 6.7, ended=6.0)),
        )
        self.assertEqual((turns[0].start, turns[0].end), (5.0, 6.0))

    def test_found_places(self) -> None:
        """Else it is the sound of its own side that ended when it was written."""
        turns = find_turns(
            waveform((CALLER, 1.0, 2.0), (ASSISTANT, 2.5, 4.0), (CALLER, 6.0, 7.0)),
            conversation(
                message("user", "hello", 2.7),
                message("assistant", "hi", 4.0),
                message("user", "bye", 7.7),
            ),
        )
        self.assertEqual(
            turns,
            [
                Turn(CALLER, 1.0, 2.0, "hello"),
                Turn(ASSISTANT, 2.5, 4.0, "hi"),
                Turn(CALLER, 6.0, 7.0, "bye"),
            ],
        )

    def test_several_sounds(self) -> None:
        """Sentences with a pause between them are one turn."""
        turns = find_turns(
            waveform((ASSISTANT, 1.0, 2.0), (ASSISTANT, 4.0, 5.0)),
            conversation(message("assistant", "One. Two.", 5.0, began=1.0)),
        )
        self.assertEqual((turns[0].start, turns[0].end), (1.0, 5.0))

    def test_nowhere(self) -> None:
        """A message without sound has no place."""
        self.assertEqual(find_turns(waveform(), conversation(message("user", "12#", 3.0))), [])

    def test_other_entries(self) -> None:
        """Only what the two sides said is a turn."""
        others = (
            message("system", "You are", 1.0, ended=1.0),
            message("user", "", 1.0, ended=1.0),
            Entry(1, "metric", "user", "1", {"ended": 1.0}),
        )
        self.assertEqual(find_turns(waveform(), conversation(*others)), [])

    def test_interrupted(self) -> None:
        """Whether a turn was interrupted comes from its message."""
        said = message("assistant", "Hel", 2.0, began=1.0, interrupted=True)
        (turn,) = find_turns(waveform((ASSISTANT, 1.0, 2.0)), conversation(said))
        self.assertTrue(turn.interrupted)

    def test_without_the_event(self) -> None:
        """Without the moment of connection, time counts from the conversation's creation."""
        entry = message("user", "hello", -8.0)
        (turn,) = find_turns(
            waveform((CALLER, 1.0, 2.0)), Conversation(1, 1, 1, "", created=990.0, entries=(entry,))
        )
        self.assertEqual(turn.start, 1.0)


class GapTests(SynchronousTestCase):
    def test_answer(self) -> None:
        """From the end of the question to the beginning of the answer."""
        turns = [Turn(CALLER, 1.0, 2.0, "a"), Turn(ASSISTANT, 2.6, 4.0, "b")]
        (gap,) = find_gaps(turns)
        self.assertEqual(gap, Gap(2.0, 2.6))
        self.assertAlmostEqual(gap.seconds, 0.6)

    def test_unanswered(self) -> None:
        """A turn that the caller went on from has no answer."""
        turns = [
            Turn(CALLER, 1.0, 2.0, "a"),
            Turn(CALLER, 3.0, 4.0, "b"),
            Turn(ASSISTANT, 5.0, 6.0, "c"),
        ]
        self.assertEqual(find_gaps(turns), [Gap(4.0, 5.0)])

    def test_overlap(self) -> None:
        """What the assistant was saying already is no answer."""
        turns = [Turn(ASSISTANT, 0.0, 2.2, "a"), Turn(CALLER, 2.0, 3.0, "b")]
        self.assertEqual(find_gaps(turns), [])
