"""A real Asterisk calls the assistant over SIP: with the trunk as published, and with ours."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from rapida_tw.audio.format import RATE as WIDE
from tests.interop.asterisk import Asterisk, Call, wait_until
from tests.interop.callers import (
    CALL,
    GOODBYE,
    HEARS,
    HEARS_SOME,
    HOURS,
    PERSON,
    metric,
    said,
    says,
    says_twice,
)
from tests.interop.server import Server
from tests.interop.sip.conftest import Calling
from tests.interop.sound import duration, spurts, talk_time

OPEN = "open every day"


@dataclass(frozen=True, slots=True)
class Line:
    """An Asterisk with a trunk to the server, and the calls that were made at the same time."""

    asterisk: Asterisk
    calls: Mapping[str, Call]


@pytest.fixture(scope="module")
def lines(asterisk: Asterisk, published_asterisk: Asterisk) -> Mapping[str, Line]:
    """Both of them, with the same callers."""
    contexts = {"shipped": "rapida-inbound-sip", "published": "rapida-outbound"}
    asterisks = {"shipped": asterisk, "published": published_asterisk}
    return {name: Line(one, _calls(one, contexts[name])) for name, one in asterisks.items()}


def _calls(asterisk: Asterisk, context: str) -> Mapping[str, Call]:
    hours, person = says(asterisk, HOURS), says(asterisk, PERSON)

    def call(*script: str) -> Call:
        return asterisk.call(context, *script)

    return {
        "listens": call(f"Wait({CALL})"),
        "asks": call(*HEARS, hours, *HEARS),
        "interrupts": call(*HEARS_SOME, hours, *HEARS),
        "presses": call("Wait(2)", "SendDTMF(1)", *HEARS, "SendDTMF(3)", *HEARS),
        "says goodbye": call(*HEARS, *says_twice(asterisk, GOODBYE)),
        "wants a person": call(*HEARS, person, "Wait(20)"),
    }


@pytest.fixture(params=["shipped", "published"])
def line(request: pytest.FixtureRequest, lines: Mapping[str, Line]) -> Line:
    return lines[request.param]


def test_greeting(line: Line) -> None:
    """The caller hears the greeting, in real time."""
    heard = line.calls["listens"].wait().heard()
    assert talk_time(heard) > 2
    assert spurts(heard)[0][0] < 5
    assert duration(heard) < CALL + 1


def test_trunk(line: Line, server: Server) -> None:
    """It is the assistant's that the trunk logs in for; the dialled number is known to it."""
    call = line.calls["listens"].wait()
    conversation = server.conversation(call.caller)
    assert conversation["carrier"] == "sip"
    assert conversation["assistantId"] == server.assistant_id
    assert conversation["metadata"]["client.assistant_phone"] == call.number
    assert metric(conversation, "call.disconnected_by") == "user"


def test_understood(line: Line, server: Server) -> None:
    """What the caller asks is understood, and the answer is heard."""
    call = line.calls["asks"].wait(90)
    conversation = server.conversation(call.caller)
    assert "opening hours" in said(conversation, "user")
    assert OPEN in said(conversation, "assistant")
    [question] = spurts(call.said(), pause=1.0)
    assert any(begin > question[1] for begin, _ in spurts(call.heard()))


def test_interrupted(line: Line) -> None:
    """The caller speaks over the greeting, and it stops."""
    call = line.calls["interrupts"].wait(90)
    question = spurts(call.said(), pause=1.0)[0]
    before = [spurt for spurt in spurts(call.heard()) if spurt[0] < question[0]]
    assert question[0] < before[-1][1] < question[0] + 1.5


def test_digits(line: Line, server: Server) -> None:
    """Digits that the caller presses are answered, by telephone-event."""
    conversation = server.conversation(line.calls["presses"].wait(90).caller)
    assert OPEN in said(conversation, "assistant")
    assert "harbour street" in said(conversation, "assistant")


def test_server_hangs_up(line: Line, server: Server) -> None:
    """The assistant's goodbye is heard to its end, then the call is over."""
    call = line.calls["says goodbye"].wait(90)
    *_, goodbye = spurts(call.said(), pause=1.0)  # the one that was understood
    answers = [spurt for spurt in spurts(call.heard()) if spurt[0] > goodbye[1]]
    assert sum(end - begin for begin, end in answers) > 1
    assert duration(call.said()) < goodbye[1] + 15
    conversation = server.conversation(call.caller)
    assert metric(conversation, "call.disconnected_by") == "assistant"


def test_transfer(lines: Mapping[str, Line], server: Server) -> None:
    """What is said before is heard; REFER takes the caller to the operator, our call is over."""
    call = lines["shipped"].calls["wants a person"].wait(90)
    assert call.went_through("rapida-transfer", "Dial")
    [wish] = spurts(call.said(), pause=1.0)
    heard = sum(end - begin for begin, end in spurts(call.heard()) if begin > wish[1])
    assert heard > 3  # the operator's "Hello, world" takes one and a half
    assert server.conversation(call.caller)["endReason"] == "transferred"


def test_nobody_to_transfer_to(lines: Mapping[str, Line], server: Server) -> None:
    """The published dialplan has no operator: the caller is told so, and can go on talking."""
    call = lines["published"].calls["wants a person"].wait(90)
    conversation = server.conversation(call.caller)
    assert "none of my colleagues" in said(conversation, "assistant")
    assert metric(conversation, "call.disconnected_by") == "user"


def test_codecs(lines: Mapping[str, Line]) -> None:
    """The published trunk allows µ-law alone; ours is wideband."""
    for name, codec in ("published", "ulaw"), ("shipped", "g722"):
        asterisk = lines[name].asterisk
        context = "rapida-outbound" if name == "published" else "rapida-inbound-sip"
        call = asterisk.call(context, "Wait(4)")
        wait_until(lambda one=asterisk, at=codec: _uses(one, at), 30, f"{name}: {codec}")
        call.wait()


def _uses(asterisk: Asterisk, codec: str) -> bool:
    """Does one of its SIP channels?"""
    return f" {codec} " in asterisk.cli("pjsip show channelstats")


def test_ping(lines: Mapping[str, Line]) -> None:
    """Our trunk asks with OPTIONS whether the server is there, and it is."""
    asterisk = lines["shipped"].asterisk
    wait_until(lambda: " Avail " in asterisk.cli("pjsip show contacts"), 40, "qualified")


def test_wrong_password(asterisk: Asterisk) -> None:
    """A trunk that cannot log in hears nothing, and its call fails at once."""
    call = asterisk.call("wrong-password", "Wait(5)").wait()
    assert call.variable("STATUS") in ("CONGESTION", "CHANUNAVAIL")


def test_hold(
    asterisk: Asterisk, server: Server, baresip: Calling, questions: Mapping[int, Path]
) -> None:
    """Who is held sends something that plays in the meantime; then the call goes on."""
    phone = baresip("<sip:telephone@127.0.0.1>;regint=0")
    phone.dial(f"sip:1999@127.0.0.1:{asterisk.sip}")
    wait_until(lambda: talk_time(phone.heard()) > 1, 20, "the greeting is heard")
    phone.command("hold")
    music = "Started music on hold"
    wait_until(lambda: music in asterisk.log(), 20, music, phone.log)
    time.sleep(3)  # of it
    phone.command("resume")
    time.sleep(1.5)  # what was heard is over
    phone.play(questions[WIDE])
    server.wait_for_words("telephone", OPEN)
    phone.hang_up()
    assert metric(server.conversation("telephone"), "call.status") == "completed"
