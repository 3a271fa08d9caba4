"""A real Asterisk calls the assistant over AudioSocket, with the shipped and published dialplans.

Bounds on time are wide: the machine may be busy, and a test of speed is a benchmark's business.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.interop.asterisk import Asterisk, Call
from tests.interop.callers import (
    CALL,
    GOODBYE,
    HEARS,
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
from tests.interop.server import Server, free_port
from tests.interop.sound import duration, spurts, talk_time


@pytest.fixture(scope="module")
def calls(asterisk: Asterisk, server: Server) -> Mapping[str, Call]:
    """The calls that do not mind each other, made at the same time."""
    hours, where, person = (says(asterisk, one) for one in (HOURS, WHERE, PERSON))
    goodbye = says_twice(asterisk, GOODBYE)
    host = f"127.0.0.1:{server.http}"
    call = asterisk.call
    return {
        "published": call("published", f"Wait({CALL})", RAPIDA_HOST=host),
        "shipped": call("rapida-inbound", f"Wait({CALL})"),
        "asks": call("rapida-inbound", *HEARS, hours, *HEARS),
        "interrupts": call("rapida-inbound", *HEARS_SOME, hours, *HEARS),
        "presses": call("rapida-inbound", "Wait(2)", "SendDTMF(1)", *HEARS, "SendDTMF(3)", *HEARS),
        "says goodbye": call("rapida-inbound", *HEARS, *goodbye),
        "is silent": call("rapida-inbound", "System(sleep 7)", *HEARS, where, *HEARS),
        "wants a person": call("rapida-inbound", *HEARS, person, "Wait(20)"),
        "wideband": call("rapida-inbound-wideband", *HEARS, hours, *HEARS),
        "wideband goodbye": call("rapida-inbound-wideband", *HEARS, *goodbye),
        "narrow driver": call("driver", *HEARS, where, *HEARS),
        "wrong key": call("rapida-inbound", "Wait(5)", RAPIDA_API_KEY="rpd-wrong"),
        "no assistant": call("rapida-inbound", "Wait(5)", ASSISTANT_ID="1"),
        "first server down": call(
            "rapida-inbound-failover",
            f"Wait({CALL})",
            RAPIDA_HTTP=f"http://127.0.0.1:{free_port()}",
        ),
    }


def test_shipped_files(asterisk: Asterisk) -> None:
    """Asterisk reads all of conf/asterisk, and has nothing to complain of."""
    assert asterisk.at_start == []


@pytest.mark.parametrize("dialplan", ["published", "shipped"])
def test_greeting(calls: Mapping[str, Call], dialplan: str) -> None:
    """The caller hears the greeting, by the dialplan as published and by ours."""
    heard = calls[dialplan].wait().heard()
    assert talk_time(heard) > 2
    assert spurts(heard)[0][0] < 5


@pytest.mark.parametrize("dialplan", ["published", "shipped"])
def test_real_time(calls: Mapping[str, Call], dialplan: str) -> None:
    """No more was sent than time passed: a telephone could play all of it."""
    assert duration(calls[dialplan].wait().heard()) < CALL + 1


def test_number_not_encoded(calls: Mapping[str, Call], server: Server) -> None:
    """The published dialplan does not encode the "+" of a number; the number is understood."""
    caller = calls["published"].wait().caller
    assert caller.startswith("+")
    assert server.conversation(caller)["identifier"] == caller


@pytest.mark.parametrize("caller", ["asks", "wideband"])
def test_understood(calls: Mapping[str, Call], server: Server, caller: str) -> None:
    """What the caller asks is in the transcript, and so is the answer: in 8 kHz and in 16 kHz."""
    conversation = server.conversation(calls[caller].wait(90).caller)
    assert "opening hours" in said(conversation, "user")
    assert "open every day" in said(conversation, "assistant")


def test_answer_heard(calls: Mapping[str, Call]) -> None:
    """The answer is heard after the question."""
    call = calls["asks"].wait(90)
    [question] = spurts(call.said(), pause=1.0)
    assert any(begin > question[1] for begin, _ in spurts(call.heard()))


def test_interrupted(calls: Mapping[str, Call]) -> None:
    """The caller speaks over the greeting, and it stops."""
    call = calls["interrupts"].wait(90)
    question = spurts(call.said(), pause=1.0)[0]
    before = [spurt for spurt in spurts(call.heard()) if spurt[0] < question[0]]
    assert before[-1][1] > question[0], "the greeting was over before the question"
    assert before[-1][1] < question[0] + 1.5
    greeting = spurts(calls["asks"].wait(90).heard(), pause=1.0)[0]
    assert greeting[1] > before[-1][1] + 1, "the greeting would have ended anyway"


def test_digits(calls: Mapping[str, Call], server: Server) -> None:
    """Digits that the caller presses are answered: the hours for 1, the address for 3."""
    conversation = server.conversation(calls["presses"].wait(90).caller)
    assert "open every day" in said(conversation, "assistant")
    assert "harbour street" in said(conversation, "assistant")


def test_caller_hangs_up(calls: Mapping[str, Call], server: Server) -> None:
    """The call ends, and it was the caller who ended it."""
    conversation = server.conversation(calls["shipped"].wait().caller)
    assert conversation["status"] == "ended"
    assert metric(conversation, "call.status") == "completed"
    assert metric(conversation, "call.disconnected_by") == "user"


@pytest.mark.parametrize("caller", ["says goodbye", "wideband goodbye"])
def test_server_hangs_up(calls: Mapping[str, Call], server: Server, caller: str) -> None:
    """The assistant's goodbye is heard to its end, then the dialplan goes on by itself."""
    call = calls[caller].wait(90)
    assert call.went_through("rapida-next", "Hangup")
    *_, goodbye = spurts(call.said(), pause=1.0)  # the one that was understood
    answers = [spurt for spurt in spurts(call.heard()) if spurt[0] > goodbye[1]]
    assert sum(end - begin for begin, end in answers) > 1
    # The caller would have waited for 20 s more.
    assert duration(call.said()) < goodbye[1] + 15
    conversation = server.conversation(call.caller)
    assert metric(conversation, "call.disconnected_by") == "assistant"


@pytest.mark.parametrize("caller", ["wrong key", "no assistant"])
def test_refused(calls: Mapping[str, Call], caller: str) -> None:
    """No error text is taken for a UUID: the dialplan says that it is sorry."""
    call = calls[caller].wait()
    assert call.context_id() == ""
    assert call.went_through("rapida-error", "Playback")


def test_no_sound_from_caller(calls: Mapping[str, Call], server: Server) -> None:
    """A caller whose telephone sends nothing for 7 s stays connected, and is understood then."""
    call = calls["is silent"].wait(90)
    conversation = server.conversation(call.caller)
    assert "harbour street" in said(conversation, "assistant")


def test_driver(calls: Mapping[str, Call], server: Server) -> None:
    """By the channel driver in 8 kHz, the caller is heard and hears."""
    call = calls["narrow driver"].wait(90)
    assert talk_time(call.heard()) > 3
    assert "harbour street" in said(server.conversation(call.caller), "assistant")


def test_transfer(calls: Mapping[str, Call], server: Server) -> None:
    """The assistant transfers: the dialplan is told the target, goes there, and a person speaks."""
    call = calls["wants a person"].wait(90)
    assert "putting you through" in said(server.conversation(call.caller), "assistant")
    assert call.variable("RAPIDA_TRANSFER_TO") == "operator"
    assert call.went_through("rapida-transfer", "Dial")
    [wish] = spurts(call.said(), pause=1.0)
    assert [spurt for spurt in spurts(call.heard()) if spurt[0] > wish[1]]


def test_first_server_down(calls: Mapping[str, Call]) -> None:
    """When the first server does not answer over HTTP, the second one has the call."""
    call = calls["first server down"].wait()
    assert talk_time(call.heard()) > 2
    assert call.went_through("rapida-inbound-failover", "TryExec")


def test_unknown_context(asterisk: Asterisk, server: Server) -> None:
    """A UUID that nobody registered is hung up; the dialplan goes on, the reason is logged."""
    before = server.refused("context-not-found")
    call = asterisk.call_out("rapida-outbound", "Wait(5)", RAPIDA_CONTEXT_ID=UNKNOWN).wait()
    assert call.went_through("rapida-next", "Hangup")
    assert server.refused("context-not-found") == before + 1
    assert any("context-not-found" in line for line in server.log().splitlines())


def test_used_context(calls: Mapping[str, Call], asterisk: Asterisk, server: Server) -> None:
    """A UUID is good for one call only."""
    used = calls["shipped"].wait().context_id()
    before = server.refused("context-not-found")
    call = asterisk.call_out("rapida-outbound", "Wait(5)", RAPIDA_CONTEXT_ID=used).wait()
    assert call.went_through("rapida-next", "Hangup")
    assert server.refused("context-not-found") == before + 1


def test_outbound(asterisk: Asterisk, server: Server) -> None:
    """Who is called hears the assistant: RAPIDA_CONTEXT_ID is all that the dialplan needs."""
    context_id = server.context("+15550001")
    call = asterisk.call_out("rapida-outbound", "Wait(6)", RAPIDA_CONTEXT_ID=context_id).wait()
    assert talk_time(call.heard()) > 2


@pytest.fixture(scope="module")
def alone(calls: Mapping[str, Call]) -> None:
    """Nobody else is on the phone: see failover.conf for what a failed connection may do."""
    for call in calls.values():
        call.wait(90)


@pytest.mark.usefixtures("alone")
def test_audiosocket_unreachable(asterisk: Asterisk) -> None:
    """The second server is tried, and has the call."""
    dead = str(free_port())
    call = asterisk.call("rapida-inbound-failover", "Wait(6)", RAPIDA_PORT=dead).wait()
    assert talk_time(call.heard()) > 2


@pytest.mark.usefixtures("alone")
def test_both_unreachable(asterisk: Asterisk) -> None:
    """When neither is there, the caller is told."""
    dead = str(free_port())
    call = asterisk.call(
        "rapida-inbound-failover",
        "Wait(6)",
        RAPIDA_PORT=dead,
        RAPIDA_AS_SPARE=f"127.0.0.1:{dead}",
    ).wait()
    assert call.went_through("rapida-error", "Playback")
