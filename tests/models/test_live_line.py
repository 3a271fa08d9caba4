"""LiveLine: connections that come and go, and what the caller and the model do not notice of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from rapida_tw.audio.format import AudioFormat, Encoding
from rapida_tw.errors import VendorFailed
from rapida_tw.models.base import Message, ToolCall
from rapida_tw.models.live_audio import WAITING
from rapida_tw.models.live_audio import dropped as dropped_audio
from rapida_tw.models.live_line import reconnects
from tests.models.live_case import HELLO, QUIET, VENDORS, VOICE, Desk, sounded

ANSWERS = [["hours", "We open at nine."], ["count", "One two three four five six seven."]]


@pytest.fixture
def made() -> Iterator[list[Desk]]:
    """Desks of the test, which must leave nothing."""
    desks: list[Desk] = []
    yield desks
    for desk in desks:
        assert desk.stop() == []


def openai(made: list[Desk], *script: str, **options: Any) -> Desk:
    made.append(Desk(VENDORS["openai-realtime"], script=script, answers=ANSWERS, **options))
    return made[-1]


def gemini(made: list[Desk], *script: str, **options: Any) -> Desk:
    made.append(Desk(VENDORS["gemini-live"], script=script, answers=ANSWERS, **options))
    return made[-1]


def talked(desk: Desk, handle: bool = True) -> None:
    """The session has something to be resumed."""
    desk.start()
    desk.model.say("Hello.")
    desk.run(3.0)
    assert bool(desk.fake.memories) is handle


# -- goAway, sessions that end --------------------------------------------------------------------


def test_leaves_while_nobody_speaks(made: list[Desk]) -> None:
    """A connection that will end is replaced in a pause, and the session goes on in the next."""
    desk = gemini(made, "hours")
    talked(desk)
    desk.session.go_away(10.0)
    desk.hear(1.0)
    assert len(desk.fake.sessions) == 2
    assert desk.session.setup["sessionResumption"]["handle"]
    assert ("model", "Hello.") in desk.session.memory.dialogue
    desk.speak(0.6, pause=3.0)
    assert desk.sink.spoken()[-1] == sounded("We open at nine.")


def test_does_not_leave_in_a_reply(made: list[Desk]) -> None:
    """It waits for the end of a reply, and of the caller's voice."""
    desk = gemini(made, "count")
    talked(desk)
    desk.model.say("One two three four five six seven eight nine ten.")
    desk.run(0.5)
    desk.session.go_away(10.0)
    desk.hear(1.0)
    assert len(desk.fake.sessions) == 1
    desk.hear(3.0)
    assert len(desk.fake.sessions) == 2
    assert desk.sink.notes.count("over") == 2


def test_leaves_in_time(made: list[Desk]) -> None:
    """When nobody ever falls silent it leaves before the vendor does."""
    desk = gemini(made, "a b c d e f g h i j k l m n o p")
    talked(desk)
    desk.hear(0.5, VOICE)
    desk.session.go_away(4.0)
    desk.hear(2.0, VOICE)
    assert len(desk.fake.sessions) == 1
    desk.hear(1.0, VOICE)
    assert len(desk.fake.sessions) == 2


def test_ten_minutes(made: list[Desk]) -> None:
    """A long call has several connections, and neither side notices."""
    desk = gemini(made, "hours", lasts=30.0)
    talked(desk)
    for _ in range(3):
        desk.hear(25.0)
    assert len(desk.fake.sessions) >= 3
    assert not desk.sink.failures
    desk.speak(0.6, pause=3.0)
    assert desk.sink.spoken()[-1] == sounded("We open at nine.")


def test_handle_refused(made: list[Desk]) -> None:
    """A session that is too old to go on with is replaced by one that is told what was said."""
    desk = gemini(made, "hours")
    talked(desk)
    desk.fake.memories.clear()
    desk.sink.said = [Message("assistant", "Hello."), Message("user", "Hi.")]
    desk.session.line.drop()
    desk.run(1.0)
    assert desk.sink.notes[-1] == "back"
    assert [text for _, text in desk.session.memory.dialogue][1:3] == ["Hello.", "Hi."]
    assert desk.session.memory.dialogue[1][0] == "model"


def test_expired(made: list[Desk]) -> None:
    """A session of OpenAI's that has reached its limit is replaced, and told what was said."""
    desk = openai(made, "hours", lasts=20.0)
    desk.start()
    desk.sink.said = [Message("assistant", "Hello.")]
    desk.hear(21.0)
    assert desk.sink.notes == ["lost", "back"]
    assert desk.session.dialogue == [("assistant", "Hello.")]
    assert desk.fake.sessions[0].errors == ["session_expired"]


# -- what is said while there is no connection ----------------------------------------------------


def lose(desk: Desk) -> None:
    """Nothing is reached for a while."""
    desk.net.down |= set(desk.fake.hosts)
    desk.session.line.drop()
    desk.run(0.1)


def test_text_meanwhile(made: list[Desk]) -> None:
    """What is in the dialogue is not told twice; its answer is asked for."""
    desk = openai(made)
    desk.start()
    lose(desk)
    desk.sink.said = [Message("user", "hours")]
    desk.model.text("hours")
    desk.net.down.clear()
    desk.run(4.0)
    assert desk.session.dialogue[0] == ("user", "hours")
    assert [role for role, _ in desk.session.dialogue].count("user") == 1
    assert desk.sink.spoken() == [sounded("We open at nine.")]


def test_text_meanwhile_of_a_session_that_goes_on(made: list[Desk]) -> None:
    """A session that goes on has not heard it."""
    desk = gemini(made)
    talked(desk)
    lose(desk)
    desk.model.text("hours")
    desk.net.down.clear()
    desk.run(4.0)
    assert desk.sink.spoken()[-1] == sounded("We open at nine.")


def test_tool_result_meanwhile(made: list[Desk]) -> None:
    """A result that is in the dialogue is not told twice."""
    desk = openai(made)
    desk.start()
    lose(desk)
    call = ToolCall("c1", "weather")
    desk.sink.said = [
        Message("assistant", tool_calls=(call,)),
        Message("tool", "hours", tool_call_id="c1"),
    ]
    desk.model.answer_tools([(call, "hours")], True)
    desk.net.down.clear()
    desk.run(4.0)
    assert desk.session.errors == []
    assert desk.sink.spoken() == [sounded("We open at nine.")]


def test_said_and_cancelled_meanwhile(made: list[Desk]) -> None:
    """What is not wanted any more is not said."""
    desk = openai(made)
    desk.start()
    lose(desk)
    desk.model.say("Hello.")
    desk.model.cancel()
    desk.net.down.clear()
    desk.run(4.0)
    assert desk.sink.spoken() == []


def test_truncated_meanwhile(made: list[Desk]) -> None:
    """Items of another connection are not truncated: the next knows them as they were heard."""
    desk = openai(made)
    desk.start()
    desk.model.say("Hello.")
    desk.run(3.0)
    (item,) = desk.sink.sound
    desk.session.line.drop()
    desk.run(1.0)
    desk.model.truncate(item, 100)
    desk.run(0.1)
    assert desk.session.errors == []
    assert desk.session.truncated == []


def test_truncated_beyond_the_end(made: list[Desk]) -> None:
    """No more is told to have been heard than was given: the vendor would refuse it."""
    desk = openai(made)
    desk.start()
    desk.model.say("Hello.")
    desk.run(3.0)
    (item,) = desk.sink.sound
    desk.model.truncate(item, 99_999)
    desk.run(0.1)
    assert desk.session.truncated == [(item, 360)]


def test_bounded(made: list[Desk]) -> None:
    """What waits is bounded, the oldest goes first, and it is counted."""
    desk = openai(made)
    desk.start()
    before = dropped_audio.value("OpenAI")
    lose(desk)
    for _ in range(WAITING // 20 + 100):
        desk.model.hear(QUIET)
    assert 1.5 < dropped_audio.value("OpenAI") - before < 2.5
    desk.net.down.clear()


# -- attempts -------------------------------------------------------------------------------------


def test_counted(made: list[Desk]) -> None:
    """Operators see how often it happens."""
    desk = openai(made)
    desk.start()
    before = reconnects.value("OpenAI")
    desk.session.line.drop()
    desk.run(1.0)
    assert reconnects.value("OpenAI") == before + 1


def test_no_session(made: list[Desk]) -> None:
    """A vendor that opens sockets and no sessions is given up in time."""
    desk = openai(made)
    desk.fake.connect = lambda asked, line: _Mute()  # type: ignore[method-assign]
    desk.start(20.0)
    (error,) = desk.errors
    assert isinstance(error, VendorFailed)
    assert "did not set up a session" in str(error)


class _Mute:
    """A session that says nothing."""

    def opened(self) -> None: ...
    def received(self, message: bytes, binary: bool) -> None: ...
    def closed(self, code: int) -> None: ...


def test_prepared_connection_that_ends(made: list[Desk]) -> None:
    """A prepared connection that has ended by the time of the call is replaced."""
    desk = openai(made)
    desk.model.prepare()
    desk.run(1.0)
    desk.session.line.close(1001)
    desk.run(1.0)
    desk.start()
    assert desk.ready
    assert len(desk.fake.sessions) == 2


def test_cancelled_start(made: list[Desk]) -> None:
    """A start that nobody waits for any more ends at once."""
    desk = openai(made)
    desk.net.unanswering |= set(desk.fake.hosts)
    starting = desk.model.start(HELLO, desk.sink)
    starting.addErrback(lambda failure: None)
    starting.cancel()
    assert desk.clock.getDelayedCalls() == []


def test_start_after_the_end(made: list[Desk]) -> None:
    """What was stopped does not start."""
    desk = openai(made)
    desk.model.stop()
    desk.start()
    assert isinstance(desk.errors[0], VendorFailed)


# -- sound ----------------------------------------------------------------------------------------


def test_straight_through(made: list[Desk]) -> None:
    """Sound in the format of the call comes as the vendor sent it, too."""
    desk = openai(made, leg=AudioFormat(Encoding.MULAW))
    given: list[tuple[int, int]] = []

    def audio(item: str, samples: Any, payload: bytes = b"") -> None:
        given.append((len(samples), len(payload)))

    desk.sink.audio = audio  # type: ignore[method-assign]
    desk.start()
    desk.model.say("Hello.")
    desk.run(3.0)
    assert sum(size for _, size in given) == len("Hello.") * 480
    assert sum(count for count, _ in given) == 2 * len("Hello.") * 480
