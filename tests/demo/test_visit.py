"""The caller of the demo on a line, in virtual time."""

from __future__ import annotations

import numpy as np

from rapida_tw.demo.story import PATIENCE, WISHES, Story
from rapida_tw.demo.visit import Visit
from rapida_tw.sim.caller import Happened
from rapida_tw.store.records import Entry

LOUD = b"\x00\x20" * 160
SILENT = bytes(320)


class FakeLine:
    """8 kHz, packets of 20 ms; notes keys and whether there was speech."""

    rate, interval = 8_000, 0.02

    def __init__(self) -> None:
        self.keys = ""
        self.spoke = False
        self.down = False

    def send_audio(self, payload: bytes) -> None:
        self.spoke = self.spoke or any(payload)

    def press(self, digit: str) -> None:
        self.keys += digit

    def hang_up(self) -> None:
        self.down = True


class Scene:
    """A visit, and an assistant whose sound and sentences are given by hand."""

    def __init__(self, speaks: bool = True) -> None:
        story = Story(speaks)
        sounds = {text: np.full(3200, 9000, np.int16) for text in story.texts()}
        self.told: list[Happened] = []
        self.visit = Visit(story, sounds, self.told.append)
        self.line = FakeLine()
        self.now = 0.0
        self.visit.caller.connected(self.line)

    def passes(self, seconds: float, sound: bytes = SILENT) -> None:
        for _ in range(round(seconds / 0.02)):
            self.visit.caller.beat(self.now)
            self.visit.caller.audio_heard(sound, 8_000, self.now)
            self.now += 0.02

    def assistant(self, text: str, interrupted: bool = False, kind: str = "answer") -> None:
        data = {"interrupted": interrupted, "kind": kind}
        self.visit.remembered(Entry(1, "message", "assistant", text, data))

    @property
    def did(self) -> list[str]:
        return [event.text for event in self.told if event.what in ("says", "presses")]


def test_interrupts_the_greeting() -> None:
    """He listens for a while, then asks."""
    scene = Scene()
    scene.passes(PATIENCE - 0.1, LOUD)
    assert scene.did == []
    scene.passes(0.3, LOUD)
    assert scene.did == [WISHES[0].voice]
    assert scene.line.spoke


def test_waits_for_his_turn() -> None:
    """What was said to its end is answered when the sound is over too."""
    scene = Scene()
    scene.passes(3.0, LOUD)
    scene.passes(1.0)
    scene.passes(1.0, LOUD)
    scene.assistant("We are open. What else can I do for you?")
    assert scene.did == [WISHES[0].voice]
    scene.passes(0.5)
    assert scene.did == [WISHES[0].voice, WISHES[1].voice]


def test_interrupted_sentences_need_no_answer() -> None:
    """He has said already what he wanted; the greeting he answers in its middle."""
    scene = Scene()
    scene.assistant("Hello. What can I do", interrupted=True)
    scene.assistant("Hello. What can I do for you?", kind="greeting")
    scene.passes(1.0, LOUD)
    scene.passes(1.0)
    assert scene.did == []


def test_goes_on_without_waiting() -> None:
    """An answer that takes too long is cut off by the next wish."""
    scene = Scene()
    scene.passes(3.0, LOUD)
    scene.passes(1.0)
    scene.passes(2.5, LOUD)
    assert scene.did == [WISHES[0].voice, WISHES[1].voice]


def test_does_not_cut_off_what_is_over() -> None:
    """An answer that ended in time is not interrupted afterwards."""
    scene = Scene()
    scene.passes(3.0, LOUD)
    scene.passes(1.0)
    scene.passes(1.0, LOUD)
    scene.assistant("Are you there?")  # nothing that the story answers
    scene.passes(3.0)
    assert scene.did == [WISHES[0].voice]


def test_keys_into_speech_measure_nothing() -> None:
    """When the assistant goes on without a pause, no latency is claimed."""
    scene = Scene(speaks=False)
    scene.passes(PATIENCE + 0.5, LOUD)
    scene.passes(0.5)
    scene.passes(0.5, LOUD)
    assert scene.line.keys == "1"
    assert [event.text for event in scene.told if event.what == "hears"] == [""]


def test_never_for_ever() -> None:
    """A story that has gone astray ends."""
    scene = Scene()
    scene.passes(89.0)
    assert not scene.line.down
    scene.passes(2.0)
    assert scene.line.down
