"""Microphone: the options of `vad` that are not the detector's."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.vad import Edge
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.pipeline.microphone import Microphone


class ReadTests(SynchronousTestCase):
    """From a deployment."""

    def test_nothing(self) -> None:
        """Without options all is as it has been measured."""
        microphone, rest = Microphone.read({})
        self.assertEqual((microphone, rest), (Microphone(3, 10, True), {}))

    def test_lengths(self) -> None:
        """Frames of 10 ms and seconds become ticks, with any prefix, numbers also as text."""
        for options, start, stop in (
            ({"microphone.vad.min_speech_frame": "8"}, 4, 10),
            ({"microphone.vad.min_silence_frame": 20}, 3, 10),
            ({"min_speech_frame": 1, "vad.min_silence_frame": 35.0}, 1, 18),
            ({"microphone.vad.start_secs": 0.2, "stop_secs": "0.8"}, 10, 40),
            ({"start_secs": 0.2, "min_speech_frame": 6}, 3, 10),
            ({"min_speech_frame": 6, "start_secs": 0.2}, 3, 10),
        ):
            microphone, rest = Microphone.read(options)
            self.assertEqual((microphone.start, microphone.stop, rest), (start, stop, {}), options)

    def test_trigger(self) -> None:
        """Both spellings, of which the newer one counts."""
        new, old = "microphone.barge_in_trigger", "microphone.vad.barge_in_trigger"
        for options, by_sound in (
            ({new: "vad"}, True),
            ({old: "word"}, False),
            ({"barge_in_trigger": "word"}, False),
            ({new: "word", old: "vad"}, False),
            ({old: "vad", new: "word"}, False),
        ):
            self.assertEqual(Microphone.read(options)[0].interrupted_by_sound, by_sound, options)

    def test_rest(self) -> None:
        """What else there is goes to the detector, a confidence as its threshold."""
        for options, rest in (
            ({"engine": "energy", "min_volume": 0.6}, {"engine": "energy"}),
            ({"microphone.vad.threshold": 0.8}, {"microphone.vad.threshold": 0.8}),
            ({"microphone.vad.confidence": "0.7"}, {"microphone.vad.threshold": "0.7"}),
            ({"threshold": 0.4, "confidence": 0.7}, {"threshold": 0.4}),
            ({"unheard_of": 1}, {"unheard_of": 1}),
        ):
            self.assertEqual(Microphone.read(options)[1], rest)

    def test_mistakes(self) -> None:
        """Each mistake is named by its key."""
        wrong: tuple[dict[str, Any], ...] = (
            {"min_speech_frame": 0},
            {"min_speech_frame": "many"},
            {"min_silence_frame": None},
            {"stop_secs": -1},
            {"stop_secs": float("nan")},
            {"start_secs": float("inf")},
            {"start_secs": 2.1},
            {"barge_in_trigger": "shout"},
            {"barge_in_trigger": ["word"]},
        )
        for options in wrong:
            with self.assertRaises(MisconfiguredAssistant) as caught:
                Microphone.read(options)
            self.assertIn(next(iter(options)), str(caught.exception))

    def test_gate(self) -> None:
        """A voice must last as long as was asked for, and so must silence."""
        gate = Microphone(start=5, stop=4).gate()
        edges = [gate.hear(1.0) for _ in range(5)] + [gate.hear(0.0) for _ in range(4)]
        self.assertEqual(edges, [None] * 4 + [Edge.STARTED] + [None] * 3 + [Edge.STOPPED])
