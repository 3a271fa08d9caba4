"""`rapida talk`: what is to be done in the call. The call itself is tests/sim/test_talk.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from rapida_tw.cli.command import parser
from rapida_tw.cli.line import Target
from rapida_tw.cli.talk import _document, _options
from rapida_tw.sim.caller import Turn
from rapida_tw.sim.ear import Interval
from rapida_tw.sim.phone import Ending, Reason
from rapida_tw.sim.talk import Outcome, Play, Press, Say
from tests.cli.conftest import Rapida


def test_order() -> None:
    """Steps are taken in the order of the command line, whatever their kind."""
    words = "talk --assistant 5 --dtmf 1# --say hello --wav a.wav --dtmf 2a".split()
    steps = parser().parse_args(words).steps
    assert steps == (Press("1#"), Say("hello"), Play(Path("a.wav")), Press("2A"))


def test_calls_do_not_share_steps() -> None:
    """A second command line begins with none."""
    parser().parse_args("talk --assistant 5 --say hello".split())
    assert parser().parse_args("talk --assistant 5".split()).steps == ()


def test_keys(rapida: Rapida) -> None:
    """There are no other keys on a phone."""
    status, _, err = rapida("talk", "--assistant", 5, "--dtmf", "1x")
    assert status == 2
    assert "0-9 A-D * #" in err


def test_transports() -> None:
    """A caller may come by each of these; without a word it is AudioSocket."""
    words = "talk --assistant 5".split()
    assert parser().parse_args(words).transport == "audiosocket"
    for name in "audiosocket twilio vonage exotel asterisk plivo telnyx sip".split():
        assert parser().parse_args([*words, "--transport", name]).transport == name


def test_not_yet(rapida: Rapida) -> None:
    """A transport that has no caller yet is refused, with those that have."""
    status, _, err = rapida("talk", "--assistant", 5, "--transport", "sms")
    assert status == 2
    assert "a simulated caller by sms is not there yet; there is: audiosocket, twilio" in err


def test_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a carrier signs with, from the command line or better the environment."""
    words = "talk --assistant 5 --transport twilio".split()
    server = Target("http://x.test", "rpd-x", "x.test", 4573)
    monkeypatch.setenv("RAPIDA_CARRIER_SECRET", "of-environment")
    assert _options(parser().parse_args(words), server).secret == "of-environment"
    given = parser().parse_args([*words, "--carrier-secret", "given"])
    assert _options(given, server).secret == "given"
    assert "given" not in repr(_options(given, server))


def test_nothing_to_sign(rapida: Rapida) -> None:
    """A secret for a carrier that does not sign is a mistake."""
    words = "talk --assistant 5 --transport exotel --carrier-secret x".split()
    status, _, err = rapida(*words, "--url", "http://x.test", "--api-key", "rpd-x")
    assert status == 2
    assert "nothing to sign with --carrier-secret by exotel" in err


def test_sip() -> None:
    """By SIP the call goes to SIP's own port."""
    words = "talk --assistant 5 --transport sip".split()
    server = Target("http://x.test", "rpd-x", "x.test", 4573, ("sip.test", 5091))
    options = _options(parser().parse_args(words), server)
    assert (options.host, options.port) == ("sip.test", 5091)


def test_document() -> None:
    """The outcome for programs."""
    answered, ignored = Turn("hello", 1.0, 2.0, 2.5), Turn("12", 4.0, 4.2)
    outcome = Outcome(
        Ending(Reason.SERVER_HUNG_UP),
        9.0,
        (answered, ignored),
        (Interval(2.5, 3.0),),
        ("31950: a binary message (2 times)",),
    )
    document = _document(outcome)
    assert (document["ending"], document["answered"]) == ("server_hung_up", False)
    assert document["complaints"] == ["31950: a binary message (2 times)"]
    assert [turn["latency"] for turn in document["turns"]] == [0.5, None]
