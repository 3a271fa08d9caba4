"""The contract of live models, over every one that is installed, with its vendor's fake."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from typing import Any

import pytest

from rapida_tw.errors import VendorFailed
from rapida_tw.models.base import Message
from rapida_tw.models.live_line import GIVE_UP_AFTER
from rapida_tw.sim.vendors.delivery import Trouble
from tests.models.live_case import VENDORS, VOICE, Desk, sounded

ANSWERS = [
    ["hours", "We open at nine."],
    ["count", "One two three four five six seven eight nine ten eleven twelve."],
    [
        "weather",
        {"say": "One moment.", "calls": [{"name": "weather", "arguments": {"in": "Rome"}}]},
    ],
    ["both", {"calls": [{"name": "weather"}, {"name": "weather"}]}],
    ["sunny", "It is sunny."],
    ["pressed 1", "You pressed one."],
]

Make = Callable[..., Desk]


@pytest.fixture(params=sorted(VENDORS))
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Makes the test's desk; when the test is over, so is its call, and nothing is left."""
    made: list[Desk] = []

    def desk(*script: str, started: bool = True, **options: Any) -> Desk:
        made.append(Desk(VENDORS[request.param], script=script, answers=ANSWERS, **options))
        if started:
            made[-1].start()
            assert made[-1].ready
        return made[-1]

    yield desk
    for one in made:
        assert one.stop() == []


def test_all_are_here() -> None:
    """Every live model that is installed is held to this contract."""
    assert {one.name for one in entry_points(group="rapida_tw.live_models")} == set(VENDORS)


def test_says_word_for_word(make: Make) -> None:
    """What it is told to say is what is heard, in sound and in words."""
    desk = make()
    desk.model.say("Hello, this is Bistro Roma.")
    desk.run(5.0)
    assert desk.sink.spoken() == [sounded("Hello, this is Bistro Roma.")]
    assert list(desk.sink.text.values()) == ["Hello, this is Bistro Roma."]
    assert desk.sink.notes == ["reply began", "sound", "spoken", "over"]


def test_question_and_answer(make: Make) -> None:
    """A question is heard, answered, and written down, with its tokens."""
    desk = make("what are your hours")
    desk.speak(1.2, pause=4.0)
    assert desk.sink.spoken() == [sounded("We open at nine.")]
    assert list(desk.sink.turns.values()) == ["what are your hours"]
    assert desk.sink.notes.count("turn taken") == 1
    assert desk.sink.tokens[-1]["input"] == 100
    assert desk.sink.tokens[-1]["output"] == 50


def test_caller_before_the_session(make: Make) -> None:
    """What was said before there was a session is heard in it."""
    desk = make("what are your hours", started=False)
    desk.start(0.0)
    desk.speak(1.2, pause=3.0)
    assert desk.ready
    assert desk.sink.spoken() == [sounded("We open at nine.")]


def test_interruption(make: Make) -> None:
    """The caller's voice ends the reply; nothing more of it is told, the next one is."""
    desk = make("count please", "hours")
    desk.speak(0.9, pause=1.6)
    assert "sound" in desk.sink.notes
    before = len(desk.sink.notes)
    desk.speak(0.6, pause=3.0)
    told = desk.sink.notes[before:]
    assert ("speech started" in told) or ("interrupted" in told)
    assert desk.sink.spoken()[-1] == sounded("We open at nine.")


def test_late_sound(make: Make) -> None:
    """Sound that a vendor sends behind its interruption is not told."""
    desk = make("count please", "hours")
    if hasattr(desk.fake, "late"):
        desk.fake.late = True
    desk.fake.manners.troubles.append(Trouble.LATE)
    desk.speak(0.9, pause=1.4)
    given = sum(map(len, next(iter(desk.sink.sound.values()))))
    desk.hear(0.3, VOICE)
    at_once = [sum(map(len, pieces)) for pieces in desk.sink.sound.values()]
    desk.hear(0.3)
    assert [sum(map(len, pieces)) for pieces in desk.sink.sound.values()] == at_once
    assert given <= at_once[0]
    desk.hear(4.0)
    assert desk.sink.spoken()[-1] == sounded("We open at nine.")


def test_cancelled(make: Make) -> None:
    """Of a reply that was cancelled nothing more is told, not even its end."""
    desk = make("count please", "hours")
    desk.sink.on_audio = desk.model.cancel
    desk.speak(0.9, pause=3.0)
    told = [note for note in desk.sink.notes if not note.startswith("heard")]
    assert told[-1] == "sound"
    desk.sink.on_audio = lambda: None
    desk.model.say("Goodbye.")
    desk.run(3.0)
    assert desk.sink.spoken()[-1] == sounded("Goodbye.")
    assert desk.sink.notes[-1] == "over"


def test_tool(make: Make) -> None:
    """A tool is wanted with its arguments, and its result is spoken about."""
    desk = make("the weather please")
    desk.speak(0.9, pause=2.5)
    (call,) = desk.sink.calls
    assert (call.name, dict(call.arguments)) == ("weather", {"in": "Rome"})
    desk.model.answer_tools([(call, '{"sky": "sunny"}')], reply=True)
    desk.run(4.0)
    assert desk.sink.spoken() == [sounded("One moment."), sounded("It is sunny.")]


def test_parallel_tools(make: Make) -> None:
    """Several tools are wanted at once, and answered at once."""
    desk = make("both of them")
    desk.speak(0.9, pause=2.0)
    first, second = desk.sink.calls
    assert first.id != second.id
    desk.model.answer_tools([(first, '{"sky": "sunny"}'), (second, '{"error": "no"}')], True)
    desk.run(4.0)
    assert desk.sink.spoken() == [sounded("It is sunny.")]


def test_text(make: Make) -> None:
    """What the caller told otherwise than by voice is answered."""
    desk = make()
    desk.model.text("The caller pressed 1")
    desk.run(4.0)
    assert desk.sink.spoken() == [sounded("You pressed one.")]


def test_lost_while_nobody_speaks(make: Make) -> None:
    """A lost connection is replaced; the next one knows the dialogue and goes on."""
    desk = make("what are your hours")
    desk.model.say("Hello.")
    desk.run(4.0)
    desk.sink.said = [Message("assistant", "Hello."), Message("user", "Hi.")]
    desk.session.line.drop()
    desk.run(0.5)
    assert desk.sink.notes[-2:] == ["lost", "back"]
    assert len(desk.fake.sessions) == 2
    desk.speak(1.2, pause=3.0)
    assert desk.sink.spoken()[-1] == sounded("We open at nine.")
    known = getattr(desk.session, "dialogue", None) or desk.session.memory.dialogue
    assert "Hello." in [text for _, text in known]


def test_lost_in_the_middle_of_a_sentence(make: Make) -> None:
    """The caller speaks on while the connection is lost, and is understood as if it was not."""
    desk = make("what are your hours today")
    desk.hear(1.0)
    desk.hear(0.6, VOICE)
    desk.session.line.drop()
    desk.net.down |= set(desk.fake.hosts)
    desk.hear(0.6, VOICE)
    desk.net.down.clear()
    desk.hear(0.4, VOICE)
    desk.hear(4.0)
    assert desk.session._hearing.seconds > 0.6 + 0.6 + 0.4 + 4.0
    assert list(desk.sink.turns.values()) == ["what are your hours today"]
    assert desk.sink.spoken() == [sounded("We open at nine.")]


def test_drop_in_a_reply(make: Make) -> None:
    """A connection that is cut in a reply says so, and the rest can be asked for."""
    desk = make("hours")
    desk.fake.manners.troubles.append(Trouble.DROP_MIDWAY)
    desk.speak(0.6, pause=2.5)
    assert "lost" in desk.sink.notes
    assert desk.sink.notes[-1] == "back"
    desk.model.go_on()
    desk.run(4.0)
    assert desk.sink.notes[-1] == "over"


def test_garbage(make: Make) -> None:
    """What nobody understands costs the connection, not the call."""
    desk = make("hours", "hours", "hours")
    desk.fake.manners.troubles.append(Trouble.GARBAGE)
    desk.speak(0.6, pause=5.0)
    lost = desk.sink.notes.index("lost")
    assert desk.sink.notes[lost : lost + 2] == ["lost", "back"]
    assert not desk.sink.failures
    desk.speak(0.6, pause=3.0)
    assert desk.sink.spoken()[-1] == sounded("We open at nine.")


def test_never_back(make: Make) -> None:
    """A vendor that is gone for good is given up, with its reason, in time."""
    desk = make()
    desk.net.down |= set(desk.fake.hosts)
    desk.session.line.drop()
    desk.run(GIVE_UP_AFTER + 1.0)
    (error,) = desk.sink.failures
    assert isinstance(error, VendorFailed)
    assert "not reached" in str(error)


def test_wrong_key(make: Make) -> None:
    """A wrong key fails the start at once, for good, and is not in the sentence."""
    desk = make(started=False, key="a-wrong-key-0815")
    desk.start(2.0)
    (error,) = desk.errors
    assert isinstance(error, VendorFailed)
    assert not error.retryable
    assert "0815" not in str(error)
    assert "key" in str(error).lower()
    assert len(desk.net.asked) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_refused(make: Make, status: int) -> None:
    """A handshake that is refused for good is not tried again."""
    desk = make(started=False)
    desk.fake.manners.refusals.append(status)
    desk.start(2.0)
    (error,) = desk.errors
    assert isinstance(error, VendorFailed)
    assert error.code == status
    assert len(desk.net.asked) == 1


def test_busy_at_first(make: Make) -> None:
    """A vendor that is busy for a moment is asked again, and the call begins."""
    desk = make(started=False)
    desk.fake.manners.refusals.append(503)
    desk.start(2.0)
    assert desk.ready


def test_unanswering(make: Make) -> None:
    """A vendor that does not answer fails the start in time."""
    desk = make(started=False)
    desk.net.unanswering |= set(desk.fake.hosts)
    desk.start(GIVE_UP_AFTER + 6.0)
    assert isinstance(desk.errors[0], VendorFailed)


def test_prepared(make: Make) -> None:
    """A call that was announced is connected before it begins."""
    desk = make(started=False)
    desk.model.prepare()
    desk.run(1.0)
    assert len(desk.net.asked) == 1
    desk.start()
    assert desk.ready
    assert len(desk.net.asked) == 1


def test_announced_in_vain(make: Make) -> None:
    """An announced call that never comes leaves nothing."""
    desk = make(started=False)
    desk.model.prepare()
    desk.run(1.0)


def test_slow(make: Make) -> None:
    """Back-pressure: what a vendor does not take waits, is bounded, and is heard later."""
    desk = make("what are your hours")
    desk.session.line.pause()
    desk.hear(1.2, VOICE)
    desk.hear(1.0)
    desk.session.line.resume()
    desk.hear(4.0)
    assert desk.sink.spoken() == [sounded("We open at nine.")]
