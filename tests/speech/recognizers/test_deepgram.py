"""Deepgram: what its wires ask for and understand, before its fake and by its documents."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from rapida_tw.account import Account
from rapida_tw.audio.format import Encoding
from rapida_tw.errors import MisconfiguredAssistant, RemoteProtocolError
from rapida_tw.options import read
from rapida_tw.sim.vendors.base import Refusal
from rapida_tw.sim.vendors.deepgram import Deepgram, NovaSession
from rapida_tw.sim.vendors.deepgram_flux import FluxSession
from rapida_tw.sim.vendors.listening import Trouble
from rapida_tw.speech.base import Host
from rapida_tw.speech.recognizers.deepgram import (
    DeepgramOptions,
    DeepgramRecognizerProvider,
    DeepgramWire,
)
from rapida_tw.speech.recognizers.flux import FluxWire
from rapida_tw.speech.recognizers.wire import (
    Complaint,
    Event,
    Final,
    Flushed,
    Partial,
    Ready,
    RecognizerWire,
    SpeechStarted,
    TurnEnded,
)
from tests.speech.recognizers.pair import Pair, RecordingLine, asked, query_of, request_of

KEY = "deepgram-key"
BASE = "wss://api.deepgram.com"
FLUX = "flux-general-en"


def wire(**options: Any) -> RecognizerWire:
    chosen = read(DeepgramOptions, options, "listen.", "Deepgram")
    if chosen.flux:
        return FluxWire(chosen.query(), BASE, KEY)
    return DeepgramWire(chosen, BASE, KEY)


def pair(*script: str, **options: Any) -> Pair:
    return Pair(wire(**options), Deepgram(script, KEY))


def told(message: dict[str, Any], **options: Any) -> list[Event]:
    """What one message means."""
    return list(wire(**options).received(json.dumps(message).encode(), False))


def results(transcript: str, confidence: float = 0.9, **fields: Any) -> dict[str, Any]:
    best = {"transcript": transcript, "confidence": confidence, "words": []}
    return {"type": "Results", "start": 0.0, "channel": {"alternatives": [best]}, **fields}


# -- what is asked for ------------------------------------------------------------------------


def test_address() -> None:
    """The key is in a header; the query says what is wanted, as Deepgram spells it."""
    request = request_of(wire())
    assert request.url.startswith("wss://api.deepgram.com/v1/listen?")
    assert request.headers == {"Authorization": "Token deepgram-key"}
    assert query_of(request) == {
        "model": "nova-3",
        "language": "en-US",
        "channels": "1",
        "interim_results": "true",
        "punctuate": "true",
        "smart_format": "true",
        "no_delay": "true",
        "endpointing": "300",
        "encoding": "linear16",
        "sample_rate": "16000",
    }


def test_options() -> None:
    """Each option is a field; the fake takes them all."""
    options = {
        "listen.language": "de",
        "listen.smart_format": "false",
        "listen.punctuate": "false",
        "listen.filler_words": "true",
        "listen.numerals": True,
        "listen.profanity_filter": True,
        "listen.vad_events": "true",
        "listen.multichannel": True,
        "listen.diarize": True,
        "listen.redact_pci": True,
        "listen.redact_pii": True,
        "listen.endpointing": "0",
        "listen.mip_opt_out": True,
        "listen.audio.encoding": "mulaw",
        "listen.audio.sample_rate": "8000",
    }
    chosen = wire(**options)
    query = query_of(request_of(chosen))
    assert query["redact"] == "pci|pii"
    assert query["endpointing"] == "false"
    assert query["diarize_model"] == "latest"
    flags = ("filler_words", "numerals", "profanity_filter", "vad_events", "multichannel")
    assert all(query[name] == "true" for name in (*flags, "mip_opt_out"))
    assert "no_delay" not in query
    assert (chosen.encoding, chosen.rate) == (Encoding.MULAW, 8_000)
    Pair(chosen, Deepgram((), KEY))


def test_boosted_words() -> None:
    """Terms for those models that take terms, weighted keywords for the others."""
    words = {"keyword": "Rapida:2", "keyterm": ["voice agent"], "keywords": ("SIP",)}
    newer, older = wire(**words), wire(model="nova-2-phonecall", **words)
    assert query_of(request_of(newer))["keyterm"] == "Rapida|SIP|voice agent"
    assert query_of(request_of(older))["keywords"] == "Rapida:2|SIP|voice agent"
    for chosen in (newer, older):
        Pair(chosen, Deepgram((), KEY))


def test_flux_address() -> None:
    """Flux's models are at v2, which refuses what belongs to v1."""
    request = request_of(wire(model=FLUX, eot_threshold=0.8, eager_eot_threshold="0.4"))
    assert request.url.startswith("wss://api.deepgram.com/v2/listen?")
    assert query_of(request) == {
        "model": FLUX,
        "eot_threshold": "0.8",
        "eager_eot_threshold": "0.4",
        "encoding": "linear16",
        "sample_rate": "16000",
    }


def test_flux_language() -> None:
    """A language is a hint for the multilingual model, and nothing for the English one."""
    many = {"model": "flux-general-multi", "keyterm": "Rapida:3", "eot_timeout_ms": 4000}
    query = query_of(request_of(wire(language="es-MX", **many)))
    assert (query["language_hint"], query["keyterm"]) == ("es", "Rapida")
    assert "language_hint" not in query_of(request_of(wire(language="multi", **many)))
    assert "language_hint" not in query_of(request_of(wire(model=FLUX, language="es")))


@pytest.mark.parametrize(
    "options",
    [
        {"model": ""},
        {"endpointing": -1},
        {"threshold": 2},
        {"audio.encoding": "opus"},
        {"audio.sample_rate": 44_100},
        {"eot_threshold": 0.4},
        {"eager_eot_threshold": 0.8},
        {"eot_threshold": 0.5, "eager_eot_threshold": 0.6},
        {"eot_timeout_ms": 100},
        {"smart_format": "perhaps"},
        {"colour": "blue"},
    ],
)
def test_bad_options(host: Host, options: dict[str, Any]) -> None:
    """What cannot be is told before there is a call."""
    with pytest.raises(MisconfiguredAssistant, match="Deepgram"):
        DeepgramRecognizerProvider(host).open(options, Account("deepgram", {"key": KEY}))


def test_no_key(host: Host) -> None:
    """So is a credential without a key."""
    with pytest.raises(MisconfiguredAssistant, match="deepgram needs a key"):
        DeepgramRecognizerProvider(host).open({}, Account("deepgram"))


@pytest.mark.parametrize("field", ["key", "api_key", "apiKey"])
def test_account(host: Host, field: str) -> None:
    """Each spelling of the key; its own servers where the credential says so."""
    account = Account("deepgram", {field: "k", "base_url": "http://127.0.0.1:8080/dg/"})
    provider = DeepgramRecognizerProvider(host)
    for model, path in (("nova-3", "/v1/listen"), (FLUX, "/v2/listen")):
        options = read(DeepgramOptions, {"model": model}, "", "Deepgram")
        request = request_of(provider.wire(options, account)())
        assert request.url.startswith(f"ws://127.0.0.1:8080/dg{path}?")
        assert request.headers == {"Authorization": "Token k"}


# -- v1 ---------------------------------------------------------------------------------------


def test_words() -> None:
    """Words so far, then the final ones, punctuated."""
    talk = pair("book a table")
    talk.speak(0.9)
    talk.pause(0.4)
    assert talk.partials == ["book", "book a", "book a table"]
    assert talk.finals == ["Book a table."]
    assert talk.kinds == ["Final"]


def test_finalize() -> None:
    """Asked, it answers with all words, and says that this is the answer."""
    talk = pair("book a table", endpointing=0)
    talk.speak(0.9)
    talk.pause(0.4)
    talk.finalize()
    assert talk.kinds == ["Final", "Flushed"]
    assert isinstance(talk.session, NovaSession)
    assert talk.session.commands == ["Finalize"]


def test_finalize_without_words() -> None:
    """A noticeable piece of silence is an answer, too; less is none."""
    talk = pair()
    talk.pause(0.6)
    talk.finalize()
    assert talk.kinds == ["Flushed"]
    talk.finalize()
    assert talk.kinds == ["Flushed"]


def test_answered_by_itself() -> None:
    """A pause that it noticed while we asked: what it says of that is the answer."""
    talk = wire()
    talk.audio(bytes(2 * 16_000 * 2))
    talk.finalize()
    pause = results("hello", is_final=True, speech_final=True, duration=1.5)
    assert list(talk.received(json.dumps(pause).encode(), False))[1:] == [Flushed()]
    talk.finalize()
    earlier = results("hello", is_final=True, speech_final=True, duration=0.9)
    assert Flushed() not in talk.received(json.dumps(earlier).encode(), False)


def test_twice() -> None:
    """A range that is closed is closed: its words count once, whatever comes again and when."""
    talk = wire()
    messages = [
        results("one", is_final=True, duration=1.0),
        results("one", is_final=True, duration=1.0),
        {**results("two", is_final=True, duration=1.0), "start": 0.98},
        results("one too", is_final=False, duration=1.5),
    ]
    told = [list(talk.received(json.dumps(one).encode(), False)) for one in messages]
    assert told == [[Final("one", 0.9)], [], [Final("two", 0.9)], []]


def test_empty_segments() -> None:
    """Segments without words are normal, and take back what was a guess."""
    assert told(results("", is_final=True)) == [Partial("")]
    assert told(results("", is_final=False)) == [Partial("")]


def test_unsure() -> None:
    """Words below the threshold are not understood."""
    unsure = results("hello", 0.4, is_final=True)
    assert told(unsure, threshold=0.5) == [Partial("")]
    assert told(unsure) == [Final("hello", 0.4)]


def test_its_detector() -> None:
    """Its own detector begins turns only where the options say so."""
    assert told({"type": "SpeechStarted", "timestamp": 1.0}) == []
    talk = pair("hello", vad_events=True)
    talk.speak(0.3)
    assert talk.kinds == ["SpeechStarted"]


@pytest.mark.parametrize("kind", ["Metadata", "UtteranceEnd", "ConfigureSuccess", "Weather", None])
def test_others(kind: str | None) -> None:
    """What says nothing of words, and what nobody knows yet, is passed over."""
    assert told({"type": kind}) == []
    assert told({"type": kind}, model=FLUX) == []


def test_error() -> None:
    """A message it could not read is no reason to go."""
    error = {"type": "Error", "variant": "SchemaError", "description": "no such type"}
    assert told(error) == [Complaint("SchemaError: no such type", fatal=False)]


def test_keep_alive() -> None:
    """Text keeps a stream without audio alive; without it the fake hangs up after ten seconds."""
    talk = pair()
    for _ in range(4):
        talk.wait(4.0)
        for frame in talk.wire.keep_alive():
            talk.say(frame)
    assert talk.line.ended is None
    talk.wait(10.1)
    assert talk.line.ended is not None
    complaint = talk.wire.closed(*talk.line.ended)
    assert "did not receive audio data" in complaint.reason
    assert complaint.retryable


def test_goodbye() -> None:
    """It ends in order."""
    talk = pair("hello")
    talk.speak(0.3)
    talk.goodbye()
    assert talk.finals == ["Hello."]
    assert talk.line.ended == (1000, "")


@pytest.mark.parametrize(("code", "again"), [(1000, True), (1006, True), (1008, False)])
def test_closed(code: int, again: bool) -> None:
    """What would be undecodable again is not tried again."""
    for chosen in (wire(), wire(model=FLUX)):
        complaint = chosen.closed(code, "")
        assert (complaint.fatal, complaint.retryable) == (True, again)
        assert str(code) in complaint.reason


# -- Flux -------------------------------------------------------------------------------------


def test_turn() -> None:
    """It greets; then a turn from its beginning to its end."""
    talk = pair("book a table", model=FLUX)
    talk.speak(0.9)
    talk.pause(0.6)
    assert talk.told == [
        Ready(),
        SpeechStarted(),
        *(Partial(text) for text in ("", "book", "book a", "book a table")),
        Final("book a table", 0.9),
        TurnEnded(),
    ]


def test_forced_turn() -> None:
    """Asked, it ends the turn at once; without a turn it says nothing."""
    talk = pair("book a table", model=FLUX)
    talk.finalize()
    talk.speak(0.9)
    talk.finalize()
    assert talk.kinds == ["Ready", "SpeechStarted", "Final", "TurnEnded"]
    assert isinstance(talk.session, FluxSession)
    assert talk.session.commands == ["ForceEndTurn", "ForceEndTurn"]


def test_eager() -> None:
    """Turns that may be over are not over."""
    talk = pair("book a table", model=FLUX, eager_eot_threshold=0.4)
    talk.speak(0.9)
    talk.pause(0.6)
    assert talk.kinds == ["Ready", "SpeechStarted", "Final", "TurnEnded"]


def test_cough() -> None:
    """A turn without words."""
    talk = pair("", model=FLUX)
    talk.speak(0.3)
    talk.pause(0.6)
    assert talk.kinds == ["Ready", "SpeechStarted", "TurnEnded"]


def test_silence_is_sent() -> None:
    """While nothing is heard, silence ends the turn."""
    talk = pair("hello", model=FLUX)
    talk.speak(0.3)
    for _ in range(3):
        for frame in talk.wire.keep_alive():
            talk.say(frame)
    assert talk.kinds[-1] == "TurnEnded"


def test_flux_complaints() -> None:
    """Its errors end the stream; those that are ours would come again."""
    (theirs,) = told({"type": "Error", "code": "INTERNAL_SERVER_ERROR"}, model=FLUX)
    (ours,) = told({"type": "Error", "code": "UNPARSABLE_CLIENT_MESSAGE"}, model=FLUX)
    (careful,) = told({"type": "Warning", "code": "W", "description": "x"}, model=FLUX)
    assert theirs == Complaint("INTERNAL_SERVER_ERROR")
    assert ours == Complaint("UNPARSABLE_CLIENT_MESSAGE", retryable=False)
    assert careful == Complaint("W: x", fatal=False)


def test_flux_goodbye() -> None:
    """It ends in order."""
    talk = pair(model=FLUX)
    talk.goodbye()
    assert talk.line.ended == (1000, "")


# -- garbage ----------------------------------------------------------------------------------

NAMES = st.sampled_from(
    [
        *("type", "channel", "alternatives", "transcript", "confidence", "is_final", "event"),
        *("speech_final", "from_finalize", "words", "start", "duration", "code", "description"),
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["Results", "TurnInfo", "EndOfTurn", "StartOfTurn", "Error", "hello"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(NAMES, VALUES, max_size=8) | st.binary(), st.sampled_from(["nova-3", FLUX]))
def test_any_message(message: Any, model: str) -> None:
    """Whatever comes is understood, or is a RemoteProtocolError."""
    payload = message if isinstance(message, bytes) else json.dumps(message).encode()
    talk = wire(model=model)
    talk.finalize()
    with suppress(RemoteProtocolError):
        talk.received(payload, False)


@pytest.mark.parametrize("model", ["nova-3", FLUX])
def test_binary(model: str) -> None:
    """It has no binary messages."""
    with pytest.raises(RemoteProtocolError):
        wire(model=model).received(b"{}", True)


# -- the fake ---------------------------------------------------------------------------------


def refusal(request: Any, vendor: Deepgram | None = None, **changed: str) -> Refusal | None:
    vendor = vendor or Deepgram((), KEY)
    seen = asked(request)
    query = {**seen.query, **{name: [value] for name, value in changed.items()}}
    seen = type(seen)(seen.method, seen.path, query, seen.headers)
    session = vendor.connect(seen, RecordingLine(Clock()))
    return session if isinstance(session, Refusal) else None


@pytest.mark.parametrize(
    ("model", "changed"),
    [
        ("nova-3", {"model": FLUX}),
        ("nova-3", {"keywords": "a"}),
        ("nova-2", {"keyterm": "a"}),
        ("nova-3", {"encoding": "mp4"}),
        ("nova-3", {"sample_rate": ""}),
        ("nova-3", {"interim_results": "True"}),
        ("nova-3", {"endpointing": "often"}),
        ("nova-3", {"utterance_end_ms": "10"}),
        ("nova-3", {"eot_threshold": "0.5"}),
        (FLUX, {"model": "nova-3"}),
        (FLUX, {"language": "en"}),
        (FLUX, {"language_hint": "en"}),
        (FLUX, {"eot_threshold": "0.2"}),
        (FLUX, {"eot_threshold": "0.5", "eager_eot_threshold": "0.6"}),
    ],
)
def test_fake_refuses(model: str, changed: dict[str, str]) -> None:
    """What Deepgram would refuse, in its form."""
    request = request_of(wire(model=model))
    assert refusal(request) is None
    refused = refusal(request, **changed)
    assert refused is not None
    assert refused.status == 400
    assert json.loads(refused.body)["err_code"]
    assert refused.headers["dg-error"]


def test_fake_knows_its_key() -> None:
    """A wrong key, or a refusal that it was told to make."""
    request = request_of(wire())
    wrong = refusal(request, Deepgram((), "another"))
    vendor = Deepgram((), KEY)
    vendor.manners.refusals.append(429)
    busy = refusal(request, vendor)
    assert [one.status for one in (wrong, busy) if one] == [401, 429]
    assert refusal(request, vendor) is None


@pytest.mark.parametrize("model", ["nova-3", FLUX])
def test_fake_ends_streams(model: str) -> None:
    """Commands belong into text; what it does not know is an error."""
    talk = pair(model=model)
    talk.say(talk.wire.audio(b'{"type":"KeepAlive"}'))
    assert talk.line.ended is not None
    assert talk.line.ended[0] == 1008


@pytest.mark.parametrize("trouble", Trouble)
@pytest.mark.parametrize("model", ["nova-3", FLUX])
def test_troubles(model: str, trouble: Trouble) -> None:
    """Each trouble befalls one utterance, and is seen as what it is."""
    vendor = Deepgram(["one two", "three"], KEY)
    vendor.manners.troubles.append(trouble)
    talk = Pair(wire(model=model), vendor)
    if trouble is Trouble.GARBAGE:
        with pytest.raises(RemoteProtocolError):
            talk.speak(0.6)
        return
    talk.speak(0.6)
    talk.pause(0.6)
    dropped = {Trouble.DROP: 1006, Trouble.CLOSE: 1011}
    if trouble in dropped:
        assert talk.line.ended is not None
        assert talk.line.ended[0] == dropped[trouble]
    elif trouble is Trouble.LATE:
        assert talk.finals == []
        talk.wait(1.1)
        assert len(talk.finals) == 1
    elif trouble is Trouble.UNKNOWN:
        assert len(talk.finals) == 1
    elif trouble is Trouble.ERROR:
        assert "Complaint" in talk.kinds
    else:
        assert talk.finals == []
