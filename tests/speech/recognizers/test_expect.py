"""What the caller may say next, told to vendors that boost words in mid-stream."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from rapida_tw.account import Account
from rapida_tw.expect import ANYTHING, Expectation
from rapida_tw.sim.vendors.assemblyai import AssemblyAI
from rapida_tw.sim.vendors.deepgram import Deepgram
from rapida_tw.simulation.vendor_net import FakeVendorNet
from rapida_tw.speech.base import Host
from rapida_tw.speech.recognizers.assemblyai import AssemblyAIRecognizerProvider
from rapida_tw.speech.recognizers.deepgram import DeepgramRecognizerProvider
from rapida_tw.speech.recognizers.vocabulary import vocabulary
from tests.contracts.recognizer_case import Sink

MENU = Expectation(phrases=("opening hours", "Rapida"))
MANY = Expectation(phrases=tuple(f"a rather long term, number {number}" for number in range(400)))
VENDORS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "nova": (DeepgramRecognizerProvider, Deepgram, {"keyterm": "Rapida"}),
    "flux": (
        DeepgramRecognizerProvider,
        Deepgram,
        {"model": "flux-general-en", "keyterm": "Rapida"},
    ),
    "assemblyai": (AssemblyAIRecognizerProvider, AssemblyAI, {"keyword": "Rapida"}),
}


class Stage:
    """One call's recogniser before its vendor."""

    def __init__(self, name: str, base: str = "", **options: Any) -> None:
        provider, fake, usual = VENDORS[name]
        self.clock = Clock()
        self.fake = fake(key="a-key")
        self.net = FakeVendorNet(self.clock, self.fake)
        host = Host(self.clock, Path("."), self.net)
        account = Account(name, {"key": "a-key"} | ({"base_url": base} if base else {}))
        self.recognizer = provider(host).open({**usual, **options}, account)

    def start(self) -> None:
        self.recognizer.start(Sink())
        self.run()

    def run(self) -> None:
        for _ in range(4):
            self.clock.advance(0.05)

    @property
    def terms(self) -> list[str]:
        """What the vendor hears better now."""
        session: Any = self.fake.sessions[-1]
        if isinstance(self.fake, Deepgram):
            return list(session.keyterms)
        if session.configured:
            return list(session.configured[-1]["keyterms_prompt"])
        return [one.strip(' "') for one in session.asked.one("keyterms_prompt")[1:-1].split(",")]

    def close(self) -> None:
        self.recognizer.stop()
        self.run()
        assert not self.net.leftovers()
        self.net.stop()


@pytest.fixture(params=sorted(VENDORS))
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    one = Stage(request.param)
    yield one
    one.close()


def _told(stage: Stage) -> int:
    """How often the vendor was told in mid-stream."""
    session: Any = stage.fake.sessions[-1]
    if isinstance(stage.fake, Deepgram):
        return int(session.commands.count("Configure"))
    return len(session.configured)


def test_at_the_start(stage: Stage) -> None:
    """The opening's phrases are asked for with the connection."""
    stage.recognizer.expect(MENU)
    stage.start()
    assert stage.terms == ["Rapida", "opening hours"]
    assert _told(stage) == 0


def test_nothing_special(stage: Stage) -> None:
    """Without phrases nothing is sent; the options' words stay."""
    stage.recognizer.expect(ANYTHING)
    stage.start()
    stage.recognizer.expect(ANYTHING)
    stage.run()
    assert stage.terms == ["Rapida"]
    assert _told(stage) == 0


def test_in_mid_stream(stage: Stage) -> None:
    """Each reply's phrases replace those before; the same ones are told once."""
    stage.start()
    stage.recognizer.expect(MENU)
    stage.recognizer.expect(MENU)
    stage.run()
    assert stage.terms == ["Rapida", "opening hours"]
    assert _told(stage) == 1
    stage.recognizer.expect(ANYTHING)
    stage.run()
    assert stage.terms == ["Rapida"]


def test_while_connecting(stage: Stage) -> None:
    """What comes between the address and the greeting is told when there is a session."""
    stage.recognizer.prepare()
    stage.recognizer.expect(MENU)
    stage.start()
    assert stage.terms == ["Rapida", "opening hours"]
    assert _told(stage) == 1


def test_reconnected(stage: Stage) -> None:
    """Another connection knows them from its beginning."""
    stage.start()
    stage.recognizer.expect(MENU)
    stage.run()
    stage.fake.sessions[-1]._line.drop()
    for _ in range(4):
        stage.run()
    assert len(stage.fake.sessions) == 2
    assert stage.terms == ["Rapida", "opening hours"]
    assert _told(stage) == 0


def test_too_many(stage: Stage) -> None:
    """What a vendor would not take is left out, its options' words first to stay."""
    stage.start()
    stage.recognizer.expect(MANY)
    stage.run()
    assert stage.terms[:2] == ["Rapida", MANY.phrases[0]]
    assert len(stage.terms) <= 100
    assert len(stage.fake.sessions) == 1


def test_elsewhere() -> None:
    """Deepgram's regions take them with the connection only; older models not at all."""
    for base, options in (
        ("wss://api.eu.deepgram.com", {}),
        ("", {"model": "nova-2", "keyterm": ""}),
    ):
        stage = Stage("nova", base, **options)
        stage.start()
        stage.recognizer.expect(MENU)
        stage.run()
        assert _told(stage) == 0
        stage.close()


def test_vocabulary() -> None:
    """Words of the options first, each once, blanks made one."""
    assert vocabulary(["b", "a"], ["a", " c  d", ""], 9, 9, 99) == ["b", "a", "c d"]
    assert vocabulary(["a"], ["too long", "b", "c"], 2, 4, 99) == ["a", "b"]
    assert vocabulary(["aaaa"], ["bbb", "cc"], 9, 9, 6) == ["aaaa", "cc"]


@given(st.lists(st.text()), st.lists(st.text()), *[st.integers(0, 20)] * 3)
def test_limits(always: list[str], phrases: list[str], most: int, longest: int, sum: int) -> None:
    """Never more than a vendor takes."""
    chosen = vocabulary(always, phrases, most, longest, sum)
    assert len(chosen) == len(set(chosen)) <= most
    assert all(0 < len(one) <= longest for one in chosen)
    assert len("".join(chosen)) <= sum
