"""The contract of voices, for every one that is installed, before the fake of its vendor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from importlib.metadata import entry_points

import pytest
from twisted.internet.defer import CancelledError
from twisted.logger import LogEvent, formatEvent, globalLogPublisher
from twisted.python.failure import Failure

from rapida_tw.account import Account
from rapida_tw.audio.format import AudioFormat, Encoding
from rapida_tw.errors import MisconfiguredAssistant, VendorFailed
from rapida_tw.sim.vendors.delivery import Trouble
from rapida_tw.sim.vendors.speaking import CELL, MULAW, Spoken, decode, understood
from rapida_tw.speech.voices.format import VoiceFormat
from rapida_tw.speech.voices.provider import MULAW_8K
from tests.contracts.voice_case import Call, entry_of, kind_of
from tests.contracts.voice_fakes import KEY, OTHERS, ROWS, Row

Begin = Callable[..., Call]

TEXT = "Your table, for 2 & a dog: 19h30!"  # two seconds
NEXT = "Anything else?"
PHONE = AudioFormat(Encoding.MULAW, 8_000)
ENCODINGS = {Encoding.LINEAR16: "linear16", Encoding.MULAW: "mulaw", Encoding.ALAW: "alaw"}

each = pytest.mark.parametrize("name", ROWS)


def each_of(fits: Callable[[Row], bool]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", [name for name, row in ROWS.items() if fits(row)])


def each_with_formats(fits: Callable[[tuple[VoiceFormat, ...]], bool]) -> pytest.MarkDecorator:
    """Each vendor that can be asked for its formats, if they fit."""
    kinds = {name: kind_of(name) for name in ROWS}
    asked = [name for name, kind in kinds.items() if getattr(kind, "follows_leg", True)]
    return pytest.mark.parametrize("name", [name for name in asked if fits(kinds[name].formats)])


each_with_a_socket = each_of(lambda row: row.socket)
each_that_is_asked = each_with_formats(lambda formats: True)
each_with_mulaw = each_with_formats(lambda formats: MULAW_8K in formats)


def each_with(*troubles: Trouble) -> pytest.MarkDecorator:
    """Each vendor with each of these that can befall it."""
    pairs = [
        (name, trouble)
        for name, row in ROWS.items()
        for trouble in troubles
        if trouble not in row.never
    ]
    ids = [f"{name}-{trouble.value}" for name, trouble in pairs]
    return pytest.mark.parametrize(("name", "trouble"), pairs, ids=ids)


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Makes the test's one Call; it ends without a trace, and without its key in a log."""
    calls: list[Call] = []
    errors: list[str] = []
    written: list[str] = []

    def observe(event: LogEvent) -> None:
        written.append(formatEvent(event))
        if "log_failure" in event:
            errors.append(event["log_failure"].getTraceback())

    def make(name: str, *arguments: object, **account: str) -> Call:
        calls.append(Call(name, *arguments, **account))  # type: ignore[arg-type]
        return calls[-1]

    globalLogPublisher.addObserver(observe)
    try:
        yield make
        for call in calls:
            call.stop()
    finally:
        globalLogPublisher.removeObserver(observe)
        for call in reversed(calls):
            call.close()
    assert errors == []
    assert KEY not in "".join(written)


def test_everybody() -> None:
    """Every voice is here, or there is a reason why not."""
    installed = {point.name for point in entry_points(group="rapida_tw.synthesizers")}
    assert installed == {entry_of(name) for name in ROWS} | set(OTHERS)


# -- what is offered --------------------------------------------------------------------------


@each
def test_described(name: str, begin: Begin) -> None:
    """It has a name and a sentence for people, and the options that all have."""
    provider = begin(name).provider
    assert provider.vendor
    assert provider.description
    common = {"language", "model", "voice_id", "audio_encoding", "audio_sample_rate"}
    assert common <= {field.name for field in fields(provider.options)}
    provider.options()


@each
def test_unknown_option(name: str, begin: Begin) -> None:
    """An option that it does not have is told before there is a call."""
    call = begin(name)
    with pytest.raises(MisconfiguredAssistant, match=r"colour"):
        call.provider.open({"speak.colour": "blue"}, call.account)


@each
def test_no_credential(name: str, begin: Begin) -> None:
    """So is a credential that is missing."""
    provider = begin(name).provider
    with pytest.raises(MisconfiguredAssistant, match=r"needs a"):
        provider.open(ROWS[name].options, Account(entry_of(name)))


@each
def test_secrets(name: str, begin: Begin) -> None:
    """The key is in no address and in no repr."""
    call = begin(name)
    call.start()
    call.say(TEXT)
    assert call.net.asked
    for asked in call.net.asked:
        assert KEY not in f"{asked.path}{asked.query}"
    assert KEY not in f"{call.voice!r}{call.provider!r}{call.account!r}"


@each
def test_base_url(name: str, begin: Begin) -> None:
    """Another server of the user's own is asked instead, below its own path."""
    call = begin(name, base_url="https://speech.example/of/ours")
    call.vendor.hosts = ("speech.example",)
    call.start()
    call.begin(TEXT, 0.5)
    assert call.net.asked
    assert call.net.asked[0].headers["host"] == "speech.example"
    assert call.net.asked[0].path.startswith("/of/ours")


# -- sound ------------------------------------------------------------------------------------


@each
def test_said(name: str, begin: Begin) -> None:
    """All of a phrase comes, in its order, whatever pieces the vendor makes of it."""
    call = begin(name)
    call.start()
    said = call.say(TEXT)
    assert said.complete
    assert said.text == TEXT
    assert said.seconds == pytest.approx(len(TEXT) * CELL, abs=0.025)


@each
def test_soon(name: str, begin: Begin) -> None:
    """It is heard while the vendor is still speaking."""
    call = begin(name)
    call.start()
    call.manners.speed = 1.0
    asked = call.clock.seconds()
    said = call.say(TEXT)
    assert said.complete
    last = len(TEXT) * CELL if call.row.whole else 0.0
    assert said.began - asked <= call.manners.first_after + last + 0.1


@each
def test_phrases(name: str, begin: Begin) -> None:
    """One after the other, none in another's place."""
    call = begin(name)
    call.start()
    for text in (TEXT, NEXT, "Yes.", TEXT):
        said = call.say(text)
        assert said.complete
        assert said.text == text
    assert len(call.net.asked) == (1 if call.row.socket else 4)


@each_with_a_socket
def test_many_phrases(name: str, begin: Begin) -> None:
    """A long reply of short phrases, made faster than anybody speaks, is said without a gap."""
    call = begin(name)
    call.start()
    for _ in range(22):
        asked = call.clock.seconds()
        said = call.say("Yes.")
        assert said.text == "Yes."
        assert said.ended - asked < 0.5


@each_that_is_asked
def test_formats(name: str, begin: Begin) -> None:
    """In each form in which it can be asked for."""
    for chosen in kind_of(name).formats:
        options = {
            "speak.audio.encoding": ENCODINGS[chosen.encoding],
            "speak.audio.sample_rate": str(chosen.rate),
        }
        call = begin(name, None, options)
        call.start()
        assert call.say(NEXT).text == NEXT, str(chosen)


@each_with_mulaw
def test_straight_through(name: str, begin: Begin) -> None:
    """Where the vendor has the leg's own form, its bytes come beside the samples, untouched."""
    call = begin(name, PHONE)
    call.start()
    said = call.say(TEXT)
    payload = b"".join(said.payloads)
    assert said.complete
    assert all(said.payloads)
    assert understood(decode(payload, MULAW), 8_000).rstrip() == TEXT
    assert len(said.sound) == 2 * len(payload)
    assert said.text == TEXT


@each_of(lambda row: row.words)
def test_words(name: str, begin: Begin) -> None:
    """When each word is spoken, in seconds of the phrase."""
    call = begin(name)
    call.start()
    for text in (TEXT, NEXT):
        words = call.say(text).words
        assert [word.text for word in words] == text.split()
        for word, due in zip(words, Spoken(text, 8_000).words, strict=True):
            assert word.start == pytest.approx(due.start, abs=0.01)
            assert word.end == pytest.approx(due.end, abs=0.01)


@each
def test_hard_text(name: str, begin: Begin) -> None:
    """What has a meaning in XML or JSON is spoken as it stands."""
    call = begin(name)
    call.start()
    text = 'a<b> & "c" \\d\' {"e": 1}'
    assert call.say(text).text == text


@each
def test_nothing_to_say(name: str, begin: Begin) -> None:
    """A phrase without a letter is said at once."""
    call = begin(name)
    call.start()
    asked = len(call.net.asked)
    said = call.begin("...")
    assert said.complete
    assert len(call.net.asked) == asked


# -- interruptions ----------------------------------------------------------------------------


def interrupt(call: Call, text: str, after: float) -> None:
    """Say it, and cancel it."""
    stopped = call.manners.stopped
    said = call.begin(text, after)
    assert not said.outcome
    said.saying.cancel()
    assert isinstance(said.failure, CancelledError)
    # A request's end is seen when there is more to be sent.
    call.wait(0.3)
    assert call.manners.stopped == stopped + 1, "the vendor was not told"


@each
@pytest.mark.parametrize("trouble", [None, Trouble.LATE])
@pytest.mark.parametrize("after", [0.05, 0.15])
def test_interrupted(name: str, trouble: Trouble | None, after: float, begin: Begin) -> None:
    """The vendor is told, nothing more of it is heard, and the next phrase is whole."""
    call = begin(name)
    call.start()
    call.manners.speed = 4.0
    call.manners.troubles.append(trouble)
    interrupt(call, TEXT, after)
    said = call.say(NEXT)
    assert said.complete
    assert said.text == NEXT


@each
def test_interrupted_and_answered(name: str, begin: Begin) -> None:
    """The next phrase may be asked for in the same moment."""
    call = begin(name)
    call.start()
    call.manners.speed = 4.0
    call.manners.troubles.append(Trouble.LATE)
    first = call.begin(TEXT, 0.15)
    first.saying.cancel()
    said = call.say(NEXT)
    assert said.complete
    assert said.text == NEXT


@each
def test_interrupted_often(name: str, begin: Begin) -> None:
    """A caller who never lets it finish, and then does."""
    call = begin(name)
    call.start()
    call.manners.speed = 1.0
    for _ in range(12):
        said = call.begin(TEXT, 0.14)
        assert not said.outcome
        said.saying.cancel()
    call.manners.speed = 20.0
    said = call.say(NEXT)
    assert said.complete
    assert said.text == NEXT
    assert len(call.net.asked) <= 13


# -- troubles ---------------------------------------------------------------------------------


@each_with(Trouble.DROP, Trouble.SILENCE, Trouble.EMPTY, Trouble.GARBAGE)
def test_nothing_heard(name: str, trouble: Trouble, begin: Begin) -> None:
    """A phrase of which nothing was heard is asked for once more, and then failed."""
    call = begin(name)
    call.start()
    call.manners.troubles.append(trouble)
    said = call.say(TEXT)
    assert said.complete
    assert said.text == TEXT
    assert said.ended <= 6.0
    # The net itself asks again where a connection that was kept for it turns out to be gone.
    call.manners.troubles.extend([trouble] * 4)
    failure = call.say(TEXT).failure
    call.manners.troubles.clear()
    assert isinstance(failure, VendorFailed)
    assert call.provider.vendor in str(failure)
    assert call.say(NEXT).text == NEXT


@each_with(Trouble.ERROR)
def test_error(name: str, trouble: Trouble, begin: Begin) -> None:
    """The vendor's own error is got over, or told with the vendor's name."""
    call = begin(name)
    call.start()
    call.manners.troubles.append(trouble)
    said = call.say(TEXT)
    if said.complete:
        assert said.text == TEXT
    else:
        assert call.provider.vendor in str(said.failure)
    assert call.say(NEXT).text == NEXT


@each_with(Trouble.DROP_MIDWAY, Trouble.STALL)
def test_cut_off(name: str, trouble: Trouble, begin: Begin) -> None:
    """Half of a phrase was heard: that is told, and not said again; the next one is."""
    call = begin(name)
    call.start()
    call.manners.troubles.append(trouble)
    said = call.say(TEXT)
    assert isinstance(said.failure, VendorFailed)
    assert call.provider.vendor in str(said.failure)
    whole = len(said.sound) // round(CELL * 16_000)
    assert 0 < whole < len(TEXT)
    assert TEXT.startswith(understood(said.sound[: whole * round(CELL * 16_000)]).rstrip())
    assert said.ended <= 6.0
    assert call.say(NEXT).text == NEXT


@each_with(Trouble.NO_DONE)
def test_no_end(name: str, trouble: Trouble, begin: Begin) -> None:
    """A phrase that was heard to its end is said, even if the vendor forgets to tell."""
    call = begin(name)
    call.start()
    call.manners.troubles.append(trouble)
    said = call.say(TEXT)
    assert said.complete
    assert said.text.startswith(TEXT[:-1])
    assert said.ended <= 6.0
    assert call.say(NEXT).text == NEXT


@each
@pytest.mark.parametrize("status", [401, 403])
def test_refused(name: str, status: int, begin: Begin) -> None:
    """A refusal that stays one is told once, with the vendor's name and without the key."""
    call = begin(name)
    call.manners.refusals.extend([status] * 5)
    error, _ = call.started(TEXT)
    assert isinstance(error, VendorFailed)
    assert (error.code, error.retryable) == (status, False)
    assert call.provider.vendor in str(error)
    assert KEY not in str(error)
    assert len(call.net.asked) == 1


@each
def test_wrong_key(name: str, begin: Begin) -> None:
    """So is a key that is not the vendor's, however it says so."""
    call = begin(name)
    call.vendor.key = "another-key-of-another"
    error, _ = call.started(TEXT)
    assert isinstance(error, VendorFailed)
    assert not error.retryable
    assert call.provider.vendor in str(error)
    assert KEY not in str(error)


@each
@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("retry_after", ["", "1"])
def test_busy(name: str, status: int, retry_after: str, begin: Begin) -> None:
    """A refusal that may pass is tried again, when the vendor says if it does."""
    call = begin(name)
    call.manners.refusals.append(status)
    call.manners.retry_after = retry_after
    error, said = call.started(TEXT)
    assert error is None
    assert said is not None
    assert said.text == TEXT


@each
def test_busy_for_long(name: str, begin: Begin) -> None:
    """A vendor that wants to be left alone for longer than a caller waits is not asked again."""
    call = begin(name)
    call.manners.refusals.append(429)
    call.manners.retry_after = "30"
    error, _ = call.started(TEXT)
    assert isinstance(error, VendorFailed)
    assert (error.code, error.retryable, error.retry_after) == (429, True, 30.0)
    assert len(call.net.asked) == 1


@each
def test_not_there(name: str, begin: Begin) -> None:
    """Where nothing listens, two tries are enough."""
    call = begin(name)
    call.start()
    call.begin(TEXT, 0.05)
    hosts = {asked.headers["host"] for asked in call.net.asked}
    call.stop()
    call.close()
    call = begin(name)
    call.net.down.update(hosts)
    error, _ = call.started(TEXT)
    assert isinstance(error, VendorFailed)
    assert error.retryable
    assert call.provider.vendor in str(error)


# -- beginning and end ------------------------------------------------------------------------


@each_with_a_socket
def test_prepared(name: str, begin: Begin) -> None:
    """A connection that was made early is the call's."""
    call = begin(name)
    call.voice.prepare()
    call.wait(1.0)
    assert call.start() == [None]
    assert call.say(TEXT).text == TEXT
    assert len(call.net.asked) == 1


@each
def test_never_started(name: str, begin: Begin) -> None:
    """A call that was announced and did not come leaves nothing."""
    call = begin(name)
    call.voice.prepare()
    call.wait(0.5)
    call.stop()


@each
def test_a_long_silence(name: str, begin: Begin) -> None:
    """The assistant has nothing to say for longer than the vendor waits; then it has."""
    call = begin(name)
    call.start()
    call.say(TEXT)
    call.wait(400.0)
    asked = call.clock.seconds()
    said = call.say(NEXT)
    assert said.text == NEXT
    assert said.began - asked <= call.manners.first_after + 0.2


@each
def test_stopped_while_speaking(name: str, begin: Begin) -> None:
    """The call ends in the middle of a phrase."""
    call = begin(name)
    call.start()
    call.manners.speed = 1.0
    said = call.begin(TEXT, 0.5)
    call.stop()
    assert isinstance(said.failure, CancelledError)
    assert call.manners.stopped >= 1


@each
def test_stopped_while_starting(name: str, begin: Begin) -> None:
    """The call ends before the voice is ready."""
    call = begin(name)
    outcome: list[object] = []
    call.voice.start().addBoth(outcome.append)
    call.stop()
    assert outcome
    assert outcome[0] is None or isinstance(outcome[0], Failure)
