"""A real Asterisk calls the assistant by chan_websocket, over plain TCP and over TLS.

Bounds on time are wide: the machine may be busy, and a test of speed is a benchmark's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from tests.interop.asterisk import Asterisk, Call
from tests.interop.callers import (
    CALL,
    GOODBYE,
    HEARS_OUT,
    HEARS_SOME,
    HOURS,
    PERSON,
    UNKNOWN,
    WHERE,
    metric,
    said,
    says,
    says_twice,
)
from tests.interop.server import Server
from tests.interop.sound import duration, spurts, talk_time

# What a telephone's recording and a server's clock may differ by.
AT_ONCE = 1.5  # seconds


@dataclass(frozen=True, slots=True)
class Line:
    """An Asterisk, the server that it calls, and the calls that were made at the same time."""

    asterisk: Asterisk
    server: Server
    calls: Mapping[str, Call]


@pytest.fixture(scope="module", params=["ws", "wss"])
def line(request: pytest.FixtureRequest) -> Line:
    """The shipped dialplan, with each kind of connection."""
    prefix = "secure_" if request.param == "wss" else ""
    server: Server = request.getfixturevalue(f"{prefix}server")
    asterisk: Asterisk = request.getfixturevalue(f"{prefix}asterisk")
    hours, person = says(asterisk, HOURS), says(asterisk, PERSON)

    def call(*script: str) -> Call:
        return asterisk.call("rapida-inbound-ws", *script)

    calls = {
        "is silent": call(f"Wait({CALL})"),
        "asks": call(*HEARS_OUT, hours, *HEARS_OUT),
        "interrupts": call(*HEARS_SOME, hours, *HEARS_OUT),
        "presses": call("Wait(2)", "SendDTMF(1)", *HEARS_OUT, "SendDTMF(3)", *HEARS_OUT),
        "says goodbye": call(*HEARS_OUT, *says_twice(asterisk, GOODBYE)),
        "wants a person": call(*HEARS_OUT, person, "Wait(20)"),
    }
    return Line(asterisk, server, calls)


@pytest.fixture(scope="module")
def dialects(asterisk: Asterisk, server: Server) -> Mapping[str, Call]:
    """Calls with other codecs, the other form of control messages, and other ways to be known."""
    where = says(asterisk, WHERE)
    other = server.context("+15550003")

    def call(codec: str, form: str) -> Call:
        return asterisk.call("websocket", *HEARS_OUT, where, *HEARS_OUT, CODEC=codec, FORM=form)

    return {
        "alaw": call("alaw", "json"),
        "slin": call("slin", "json"),
        "slin16": call("slin16", "json"),
        "plain-text": call("ulaw", "plain-text"),
        "plain-text slin16": call("slin16", "plain-text"),
        "variable": asterisk.call("websocket-variable", *HEARS_OUT, where, *HEARS_OUT),
        "mixed up": asterisk.call("websocket-mixed-up", *HEARS_OUT, where, *HEARS_OUT, OTHER=other),
    }


def test_shipped_files(line: Line) -> None:
    """Asterisk reads what `rapida dialplan` prints, and has nothing to complain of."""
    assert line.asterisk.at_start == []


def test_greeting(line: Line) -> None:
    """The caller hears the greeting, in real time."""
    heard = line.calls["is silent"].wait().heard()
    assert talk_time(heard) > 2
    assert spurts(heard)[0][0] < 5
    assert duration(heard) < CALL + 1


def test_understood(line: Line) -> None:
    """What the caller asks is in the transcript, and so is the answer, which is heard after it."""
    call = line.calls["asks"].wait(90)
    conversation = line.server.conversation(call.caller)
    assert "opening hours" in said(conversation, "user")
    assert "open every day" in said(conversation, "assistant")
    [question] = spurts(call.said(), pause=1.0)
    assert any(begin > question[1] for begin, _ in spurts(call.heard()))


def test_interrupted(line: Line) -> None:
    """The caller speaks over the greeting, and it stops: what Asterisk has queued is forgotten."""
    call = line.calls["interrupts"].wait(90)
    question = spurts(call.said(), pause=1.0)[0]
    before = [spurt for spurt in spurts(call.heard()) if spurt[0] < question[0]]
    assert before[-1][1] > question[0], "the greeting was over before the question"
    assert before[-1][1] < question[0] + AT_ONCE
    greeting = spurts(line.calls["asks"].wait(90).heard(), pause=1.0)[0]
    assert greeting[1] > before[-1][1] + 1, "the greeting would have ended anyway"


def test_digits(line: Line) -> None:
    """Digits that the caller presses are answered: the hours for 1, the address for 3."""
    conversation = line.server.conversation(line.calls["presses"].wait(90).caller)
    assert "open every day" in said(conversation, "assistant")
    assert "harbour street" in said(conversation, "assistant")


def test_caller_hangs_up(line: Line) -> None:
    """The call ends, and it was the caller who ended it."""
    conversation = line.server.conversation(line.calls["is silent"].wait().caller)
    assert conversation["status"] == "ended"
    assert metric(conversation, "call.status") == "completed"
    assert metric(conversation, "call.disconnected_by") == "user"


def test_server_hangs_up(line: Line) -> None:
    """The assistant's goodbye is heard to its end, then the dialplan goes on by itself."""
    call = line.calls["says goodbye"].wait(90)
    assert call.went_through("rapida-next", "Hangup")
    *_, goodbye = spurts(call.said(), pause=1.0)  # the one that was understood
    answers = [spurt for spurt in spurts(call.heard()) if spurt[0] > goodbye[1]]
    assert sum(end - begin for begin, end in answers) > 1
    # The caller would have waited for 20 s more.
    assert duration(call.said()) < goodbye[1] + 15
    conversation = line.server.conversation(call.caller)
    assert metric(conversation, "call.disconnected_by") == "assistant"


def test_transfer(line: Line) -> None:
    """The assistant transfers: the dialplan is told the target, goes there, and a person speaks."""
    call = line.calls["wants a person"].wait(90)
    assert "putting you through" in said(line.server.conversation(call.caller), "assistant")
    assert call.variable("RAPIDA_TRANSFER_TO") == "operator"
    assert call.went_through("rapida-transfer", "Dial")
    [wish] = spurts(call.said(), pause=1.0)
    assert [spurt for spurt in spurts(call.heard()) if spurt[0] > wish[1]]


def test_understood_each_other(line: Line) -> None:
    """After all those calls: no command was unknown to Asterisk, and no message to the server."""
    for call in line.calls.values():
        call.wait(90)
    assert [text for text in line.asterisk.complaints() if "unknown" in text] == []
    assert "malformed message" not in line.server.log()
    assert "complains" not in line.server.log()


@pytest.mark.parametrize(
    "dialect",
    ["alaw", "slin", "slin16", "plain-text", "plain-text slin16", "variable", "mixed up"],
)
def test_dialect(dialects: Mapping[str, Call], server: Server, dialect: str) -> None:
    """Whatever was chosen in the dial string, the caller is heard and hears."""
    call = dialects[dialect].wait(90)
    assert talk_time(call.heard()) > 3
    assert "harbour street" in said(server.conversation(call.caller), "assistant")


def test_unknown_context(asterisk: Asterisk, server: Server) -> None:
    """A context that nobody registered is refused before the socket opens, and why is logged."""
    call = asterisk.call_out("rapida-outbound-ws", "Wait(6)", RAPIDA_CONTEXT_ID=UNKNOWN).wait()
    assert call.went_through("rapida-error", "Playback")
    assert f"context-not-found: no context {UNKNOWN}" in server.log()


def test_outbound(asterisk: Asterisk, server: Server) -> None:
    """Who is called hears the assistant; the context is all that the dialplan needs, and once."""
    context_id = server.context("+15550002")
    call = asterisk.call_out("rapida-outbound-ws", "Wait(6)", RAPIDA_CONTEXT_ID=context_id)
    assert talk_time(call.wait().heard()) > 2
    again = asterisk.call_out("rapida-outbound-ws", "Wait(6)", RAPIDA_CONTEXT_ID=context_id)
    assert again.wait().went_through("rapida-error", "Playback")


def test_impossible_codec(asterisk: Asterisk, server: Server) -> None:
    """A codec that the server does not have ends the call, and the log says what to write."""
    call = asterisk.call("websocket", "Wait(5)", CODEC="gsm", FORM="json").wait()
    assert duration(call.heard()) < 5
    assert "c(ulaw), c(alaw) or c(slin16)" in server.log()
