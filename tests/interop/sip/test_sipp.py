"""SIPp calls the assistant: the signalling of calls that are as they should be, and of others."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from tests.interop.callers import metric, said
from tests.interop.server import Server
from tests.interop.sip.conftest import Sipping
from tests.interop.sip.sipp import Message, Sipp

DIALLED = "15551234567"
WRONG = "rpd-wrong"
# For runs in which a repeated message is news, not something to be answered by itself.
PLAIN = "-nr"


@pytest.fixture(scope="module")
def runs(sipp: Sipping, server: Server) -> Mapping[str, Sipp]:
    """The scenarios that do not mind each other, begun at the same time; a caller each."""
    user = "-au", server.assistant_id
    number = iter(range(15550100, 15550200))

    def begin(scenario: str, *options: str, **keys: str) -> Sipp:
        return sipp(scenario, *options, **{"caller": f"+{next(number)}", **keys})

    return {
        "basic": begin("basic"),
        "tcp": begin("basic", "-t", "t1"),
        "one connection a call": begin("basic", "-t", "tn"),
        "digest": begin("digest", *user, "-ap", server.api_key, dialled=DIALLED),
        "digest for the number": begin(
            "digest", *user, "-ap", server.api_key, "-auth_uri", DIALLED, dialled=DIALLED
        ),
        "wrong digest": begin("digest_wrong", *user, "-ap", WRONG, dialled=DIALLED),
        "wrong key": begin("refused", key=WRONG),
        "no assistant": begin("refused", assistant="1"),
        "cancel": begin("cancel"),
        "hold": begin("hold"),
        "late offer": begin("late_offer"),
        "lost ack": begin("lost_ack", PLAIN),
        "repeated": begin("repeated", PLAIN),
        "unknown method": begin("unknown_method"),
        "no codec": begin("no_codec"),
        "options": begin("options"),
        "presses": begin("press", digit="1"),
        "is hung up": begin("hung_up", digit="9"),
        "is transferred": begin("transfer", digit="0"),
        "update": begin("update"),
        "timer": begin("timer"),
        "prack": begin("prack"),
        "extension": begin("extension"),
        "lines": begin("lines"),
        "stray": begin("stray"),
    }


def version(message: Message) -> int:
    """Of the server's description."""
    found = re.search(r"^o=- \d+ (\d+) IN IP4 127\.0\.0\.1$", message.body, re.MULTILINE)
    assert found, message.text
    return int(found[1])


def lines(message: Message) -> list[str]:
    """Its media lines."""
    return [line for line in message.body.splitlines() if line.startswith("m=")]


def caller(run: Sipp) -> str:
    """The number that called."""
    found = re.search(r"<sip:([^@]+)@", run.messages()[0].header("From"))
    assert found
    return found[1]


@pytest.mark.parametrize("name", ["basic", "tcp", "one connection a call"])
def test_call(runs: Mapping[str, Sipp], server: Server, name: str) -> None:
    """By password in the Request-URI: answered, greeted, remembered as ended by the caller."""
    run = runs[name].wait()
    assert [one.status for one in run.received() if one.method == "INVITE"] == [100, 180, 200]
    [answer] = run.answers(200)
    assert re.fullmatch(r"m=audio \d*[02468] RTP/AVP 0 101", *lines(answer))
    conversation = server.conversation(caller(run))
    assert conversation["carrier"] == "sip"
    assert metric(conversation, "call.disconnected_by") == "user"


def test_passwords_stay_secret(runs: Mapping[str, Sipp], server: Server) -> None:
    """The password that callers write into the Request-URI is in no answer and no log."""
    for run in runs.values():
        run.wait()
        told = "".join(one.text for one in run.received())
        assert server.api_key not in told
    assert server.api_key not in server.log()


@pytest.mark.parametrize("name", ["digest", "digest for the number"])
def test_digest(runs: Mapping[str, Sipp], server: Server, name: str) -> None:
    """A trunk is challenged, once, and its call is the assistant's that it logs in for.

    SIPp's answer is for the server; `-auth_uri` makes it one for the dialled number.
    """
    run = runs[name].wait()
    [challenge] = run.answers(401)
    assert challenge.header("WWW-Authenticate").startswith('Digest realm="rapida", nonce="')
    conversation = server.conversation(caller(run))
    assert conversation["assistantId"] == server.assistant_id
    assert conversation["metadata"]["client.assistant_phone"] == DIALLED


def test_wrong_digest(runs: Mapping[str, Sipp]) -> None:
    """A fresh challenge for the first wrong password, 403 for the second."""
    run = runs["wrong digest"].wait()
    assert len(run.answers(401)) == 2
    assert len(run.answers(403)) == 1


def test_refused_alike(runs: Mapping[str, Sipp]) -> None:
    """A wrong key and an assistant that does not exist get the same answer."""
    answers = [runs[name].wait().answers(403) for name in ("wrong key", "no assistant")]
    [key], [nobody] = answers
    assert key.first == nobody.first == "SIP/2.0 403 Forbidden"


def test_cancelled(runs: Mapping[str, Sipp], server: Server) -> None:
    """CANCEL is answered, and so is the INVITE, unless the call was answered before."""
    run = runs["cancel"].wait()
    assert len(run.answers(200, "CANCEL")) == 1
    assert len(run.answers(487)) + len(run.answers(200)) == 1
    assert server.conversation(caller(run))["status"] in ("ended", "failed")


def test_hold(runs: Mapping[str, Sipp]) -> None:
    """Hold, a refresh of it, resume and another codec: new versions where the text is new."""
    answers = runs["hold"].wait().answers(200)
    directions = [re.findall(r"^a=(sendrecv|recvonly)$", one.body, re.MULTILINE) for one in answers]
    assert directions == [["sendrecv"], ["recvonly"], ["recvonly"], ["sendrecv"], ["sendrecv"]]
    first = version(answers[0])
    assert [version(one) - first for one in answers] == [0, 1, 1, 2, 3]
    codecs = [line.split()[3] for one in answers for line in lines(one)]
    assert codecs == ["0", "0", "0", "0", "8"]


def test_late_offer(runs: Mapping[str, Sipp], server: Server) -> None:
    """The 200 offers all that can be done here; the ACK's answer is taken."""
    run = runs["late offer"].wait()
    [offer] = run.answers(200)
    assert {"0", "8", "9"} <= set(lines(offer)[0].split()[3:])
    assert server.conversation(caller(run))["status"] == "ended"


def test_lost_ack(runs: Mapping[str, Sipp]) -> None:
    """The 200 is repeated until an ACK comes, and not after that."""
    run = runs["lost ack"].wait()
    answers = [one for one in run.messages() if one.status == 200 and one.method == "INVITE"]
    assert len(answers) == 3


def test_repeated(runs: Mapping[str, Sipp], server: Server) -> None:
    """An INVITE that comes three times is one call, with one tag."""
    run = runs["repeated"].wait()
    tags = {one.header("To") for one in run.received() if one.status > 100}
    assert len(tags) == 1
    server.conversation(caller(run))
    assert server.calls_of(caller(run)) == 1


def test_unknown_method(runs: Mapping[str, Sipp]) -> None:
    """501 for what nobody knows, 405 with what is allowed for the rest."""
    run = runs["unknown method"].wait()
    assert len(run.answers(501, "FROBNICATE")) == 1
    [refused] = run.answers(405, "PUBLISH")
    assert "INVITE" in refused.header("Allow")


def test_no_codec(runs: Mapping[str, Sipp]) -> None:
    """488 where nothing is in common."""
    assert len(runs["no codec"].wait().answers(488)) == 1


def test_options(runs: Mapping[str, Sipp]) -> None:
    """A trunk's ping is answered, without a password, with what can be done here."""
    [answer] = runs["options"].wait().answers(200, "OPTIONS")
    assert answer.header("Accept") == "application/sdp"
    assert "INVITE" in answer.header("Allow")


def test_info(runs: Mapping[str, Sipp], server: Server) -> None:
    """A digit that is told by INFO is answered."""
    conversation = server.conversation(caller(runs["presses"].wait()))
    assert "open every day" in said(conversation, "assistant")


def test_hung_up(runs: Mapping[str, Sipp], server: Server) -> None:
    """The assistant's BYE says why, and its call is remembered as ended by it."""
    run = runs["is hung up"].wait()
    [bye] = run.requests("BYE")
    assert bye.header("Reason").startswith("Q.850;cause=16")
    assert metric(server.conversation(caller(run)), "call.disconnected_by") == "assistant"


def test_transferred(runs: Mapping[str, Sipp], server: Server) -> None:
    """REFER names the operator at the far side; when that has worked, BYE ends the call."""
    run = runs["is transferred"].wait()
    [refer] = run.requests("REFER")
    assert re.fullmatch(r"<sip:operator@127\.0\.0\.1:\d+>", refer.header("Refer-To"))
    conversation = server.conversation(caller(run))
    assert conversation["endReason"] == "transferred"


def test_update(runs: Mapping[str, Sipp]) -> None:
    """UPDATE holds a call as a re-INVITE does; without offer it is answered without one."""
    held, refreshed = runs["update"].wait().answers(200, "UPDATE")
    assert "a=inactive" in held.body
    assert refreshed.body == ""


def test_session_timer(runs: Mapping[str, Sipp]) -> None:
    """Less than 90 s is too short; then the caller refreshes, and is answered in kind."""
    run = runs["timer"].wait()
    [short] = run.answers(422)
    assert short.header("Min-SE") == "90"
    for answer in run.answers(200) + run.answers(200, "UPDATE"):
        assert answer.header("Session-Expires") == "90;refresher=uac"
        assert answer.header("Require") == "timer"


def test_reliable_ringing(runs: Mapping[str, Sipp]) -> None:
    """Whoever requires it hears 180 reliably, and its PRACK is answered."""
    run = runs["prack"].wait()
    [ringing] = run.answers(180)
    assert ringing.header("Require") == "100rel"
    assert len(run.answers(200, "PRACK")) == 1


def test_unknown_extension(runs: Mapping[str, Sipp]) -> None:
    """What is demanded and not known is named."""
    [refused] = runs["extension"].wait().answers(420)
    assert refused.header("Unsupported") == "nothingSupportsThis"


def test_media_lines(runs: Mapping[str, Sipp]) -> None:
    """An INVITE of 9 kB: as many media lines in the answer, and all but the audio refused."""
    [answer] = runs["lines"].wait().answers(200)
    video, audio, image = lines(answer)
    assert video.startswith("m=video 0 ")
    assert re.fullmatch(r"m=audio [1-9]\d+ RTP/AVP 8", audio)
    assert image.startswith("m=image 0 ")


def test_stray_bye(runs: Mapping[str, Sipp]) -> None:
    """A BYE of no call is told so."""
    assert len(runs["stray"].wait().answers(481, "BYE")) == 1
