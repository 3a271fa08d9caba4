"""baresip, a softphone, talks with the assistant: codecs, encryption, keys, hold, both ends."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from rapida_tw.audio.format import RATE as WIDE
from tests.interop.asterisk import RATE, wait_until
from tests.interop.callers import metric, said
from tests.interop.server import Server
from tests.interop.sip.baresip import Phone
from tests.interop.sip.conftest import Calling
from tests.interop.sound import spurts, talk_time

DIALLED = "15551234567"
OPEN = "open every day"  # of the answer to the question, and to the key 1
STREET = "harbour street"  # of the answer to the key 3


@dataclass(frozen=True, slots=True)
class Caller:
    """A softphone, the number that it has, and whom it calls."""

    phone: Phone
    number: str
    target: str
    rate: int  # Hz, of what it says


Connect = Callable[..., Caller]


@pytest.fixture(scope="module")
def connect(server: Server, baresip: Calling) -> Connect:
    """Makes callers, each with a number of its own."""
    numbers = iter(range(15550200, 15550300))

    def connect(
        options: str = ";regint=0",
        *,
        digest: bool = False,
        transport: str = "udp",
        rate: int = WIDE,
    ) -> Caller:
        number = f"+{next(numbers)}"
        port = server.sips if transport == "tls" else server.sip
        way = f"127.0.0.1:{port}"
        account = f"<sip:{number}@{way};transport={transport}>{options}"
        target = f"sip:{server.assistant_id}:{server.api_key}@{way}"
        if digest:
            account += f";auth_user={server.assistant_id};auth_pass={server.api_key}"
            target = f"sip:{DIALLED}@{way}"
        more = ""
        if transport == "tls":
            more = f"sip_cafile {server.sip_certificate.certificate}"
        return Caller(baresip(account, more, rate), number, target, rate)

    return connect


@pytest.fixture(scope="module")
def talks(connect: Connect, server: Server, questions: Mapping[int, Path]) -> Mapping[str, Caller]:
    """Callers who hear the greeting, ask, hear the answer, press 3 and hang up, all at once."""
    callers = {
        "password": connect(),
        "digest": connect(digest=True),
        "tcp": connect(transport="tcp"),
        "tls": connect(transport="tls"),
        "srtp": connect(";regint=0;mediaenc=srtp-mand", transport="tls", digest=True),
        "opus": connect(";regint=0;audio_codecs=opus/48000/2"),
        "pcma": connect(";regint=0;audio_codecs=PCMA", rate=RATE),
        "l16": connect(";regint=0;audio_codecs=L16/16000/1"),
    }
    for caller in callers.values():
        caller.phone.dial(caller.target)
    for caller in callers.values():
        wait_until(lambda at=caller: talk_time(at.phone.heard()) > 1, 20, "the greeting is heard")
        caller.phone.play(questions[caller.rate])
    for caller in callers.values():
        server.wait_for_words(caller.number, OPEN)
        caller.phone.press("3")
    for caller in callers.values():
        server.wait_for_words(caller.number, STREET)
        caller.phone.hang_up()
    return callers


ALL = "password", "digest", "tcp", "tls", "srtp", "opus", "pcma", "l16"


@pytest.mark.parametrize("name", ALL)
def test_conversation(talks: Mapping[str, Caller], server: Server, name: str) -> None:
    """The question and the key are understood, and the answers heard, in each codec."""
    caller = talks[name]
    conversation = server.conversation(caller.number)
    assert "opening hours" in said(conversation, "user")
    [question] = spurts(caller.phone.said(), pause=1.0)
    answers = [spurt for spurt in spurts(caller.phone.heard()) if spurt[1] > question[1]]
    assert sum(end - begin for begin, end in answers) > 2
    assert metric(conversation, "call.disconnected_by") == "user"
    assert float(metric(conversation, "media.packets_sent")) > 200


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("password", "G722 16000Hz 1ch"),  # the best of all that baresip has
        ("opus", "opus 48000Hz 2ch"),
        ("pcma", "PCMA 8000Hz 1ch"),
        ("l16", "L16 16000Hz 1ch"),
    ],
)
def test_codec(talks: Mapping[str, Caller], name: str, codec: str) -> None:
    """What was agreed on, both ways: wideband where there is any."""
    log = talks[name].phone.log()
    assert f"Set audio encoder: {codec}" in log
    assert f"Set audio decoder: {codec}" in log


def test_encrypted(talks: Mapping[str, Caller]) -> None:
    """SRTP with keys in SDP, over TLS."""
    log = talks["srtp"].phone.log()
    assert re.search(r"SRTP is Enabled \(cryptosuite=AES_CM_128_HMAC_SHA1_80\)", log)


def test_digest_is_a_trunk(talks: Mapping[str, Caller], server: Server) -> None:
    """With credentials the dialled number is only told."""
    conversation = server.conversation(talks["digest"].number)
    assert conversation["assistantId"] == server.assistant_id
    assert conversation["metadata"]["client.assistant_phone"] == DIALLED


def test_hold(connect: Connect, server: Server, questions: Mapping[int, Path]) -> None:
    """Nothing is sent to who holds the call; after that it goes on, and a question is answered.

    The recording tells nothing of that: baresip 1.0 decodes no more once it has held a call.
    """
    caller = connect()
    phone = caller.phone
    phone.dial(caller.target)
    wait_until(lambda: talk_time(phone.heard()) > 1, 20, "the greeting is heard")
    phone.command("hold")
    wait_until(lambda: not grows(phone), 20, "nothing comes any more", phone.log)
    phone.command("resume")
    phone.play(questions[caller.rate])
    server.wait_for_words(caller.number, OPEN)
    phone.hang_up()
    assert metric(server.conversation(caller.number), "call.status") == "completed"


def grows(phone: Phone) -> bool:
    """Does it hear anything, be it silence, within half a second?"""
    before = len(phone.heard())
    time.sleep(0.5)
    return len(phone.heard()) > before


def test_is_hung_up(connect: Connect, server: Server) -> None:
    """The assistant says goodbye to its end, and hangs up."""
    caller = connect()
    caller.phone.dial(caller.target)
    wait_until(lambda: talk_time(caller.phone.heard()) > 1, 20, "the greeting is heard")
    caller.phone.press("9")
    caller.phone.wait_for("CALL_CLOSED")
    assert spurts(caller.phone.heard())
    conversation = server.conversation(caller.number)
    assert metric(conversation, "call.disconnected_by") == "assistant"


def test_register(connect: Connect) -> None:
    """A phone that registers first is told that it is, with the right password alone."""
    right = connect(";regint=60", digest=True).phone
    wait_until(lambda: "200 OK () [1 binding]" in right.log(), 20, "registered", right.log)
    wrong = connect(";regint=60;auth_user=1;auth_pass=wrong").phone
    wait_until(lambda: "403 Forbidden" in wrong.log(), 20, "refused", wrong.log)


def test_wrong_password(connect: Connect) -> None:
    """It is refused, and told no more than that."""
    caller = connect(";regint=0;auth_user=1;auth_pass=wrong")
    caller.phone.command("dial", caller.target.replace(":rpd-", ":rpd-not-"))
    caller.phone.wait_for("CALL_CLOSED")
    assert "403 Forbidden" in caller.phone.log()
