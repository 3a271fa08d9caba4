"""The contract of recognisers, for every one that is installed, before the fake of its vendor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from importlib.metadata import entry_points

import pytest
from twisted.internet.defer import CancelledError
from twisted.logger import LogEvent, formatEvent, globalLogPublisher

from rapida_tw.account import Account
from rapida_tw.errors import MisconfiguredAssistant, VendorFailed
from rapida_tw.sim.vendors.listening import Trouble
from tests.contracts.recognizer_case import Call, entry_of, plain
from tests.contracts.recognizer_fakes import KEY, OTHERS, ROWS

Begin = Callable[..., Call]

each = pytest.mark.parametrize("name", ROWS)
each_with_a_socket = pytest.mark.parametrize("name", [name for name in ROWS if ROWS[name].socket])


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

    def make(name: str, *script: str, **account: str) -> Call:
        calls.append(Call(name, *script, **account))
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
    """Every recogniser is here, or there is a reason why not."""
    installed = {point.name for point in entry_points(group="rapida_tw.recognizers")}
    assert installed == {entry_of(name) for name in ROWS} | set(OTHERS)


# -- what is offered --------------------------------------------------------------------------


@each
def test_described(name: str, begin: Begin) -> None:
    """It has a name and a sentence for people, and the options that all have."""
    provider = begin(name).provider
    assert provider.vendor
    assert provider.description.startswith(provider.vendor.split()[0])
    assert {"language", "model"} <= {field.name for field in fields(provider.options)}
    provider.options()


@each
def test_unknown_option(name: str, begin: Begin) -> None:
    """An option that it does not have is told before there is a call."""
    call = begin(name)
    with pytest.raises(MisconfiguredAssistant, match=r"colour"):
        call.provider.open({"listen.colour": "blue"}, call.account)


@each
def test_no_credential(name: str, begin: Begin) -> None:
    """So is a credential that is missing."""
    provider = begin(name).provider
    with pytest.raises(MisconfiguredAssistant, match=r"needs a"):
        provider.open(ROWS[name].options, Account(entry_of(name)))


@each
def test_secrets(name: str, begin: Begin) -> None:
    """The key is in no address and in no repr."""
    call = begin(name, "hello")
    call.start()
    call.utter()
    assert call.net.asked
    for asked in call.net.asked:
        assert KEY not in f"{asked.path}{asked.query}"
    assert KEY not in f"{call.recognizer!r}{call.provider!r}{call.account!r}"


@each
def test_base_url(name: str, begin: Begin) -> None:
    """Another server of the user's own is asked instead."""
    call = begin(name, "hello", base_url="https://speech.example/of/ours")
    call.vendor.hosts = ("speech.example",)
    call.begin()
    call.speak(0.5)
    call.pause(0.7)
    call.recognizer.finish()
    call.wait(0.5)
    assert call.net.asked
    first = call.net.asked[0]
    assert first.headers["host"] == "speech.example"
    assert first.path.startswith("/of/ours")


# -- words ------------------------------------------------------------------------------------


@each
def test_words(name: str, begin: Begin) -> None:
    """What is said is heard: partials that grow, then the words, once, in time."""
    call = begin(name, "book a table")
    call.start()
    call.pause(0.5)
    assert call.utter() <= ROWS[name].slowest
    call.pause(1.5)
    assert call.sink.text == "book a table"
    for partial in call.sink.partials:
        assert "book a table".startswith(plain(partial))


@each
def test_utterances(name: str, begin: Begin) -> None:
    """One after the other, none in another's place."""
    call = begin(name, "book a table", "for two", "at the window please")
    call.start()
    for count, text in enumerate(["book a table", "for two", "at the window please"]):
        before = len(call.sink.finals)
        call.utter(1.2)
        call.pause(0.5)
        assert plain(" ".join(call.sink.finals[before:])) == text, count
    assert call.sink.error is None


@each
def test_cough(name: str, begin: Begin) -> None:
    """A voice without words is answered all the same."""
    call = begin(name, "", "hello")
    call.start()
    assert call.utter() <= ROWS[name].slowest
    assert call.sink.text == ""
    call.pause(1.0)
    call.utter()
    call.pause(1.0)
    assert call.sink.text == "hello"


@each
def test_silence(name: str, begin: Begin) -> None:
    """Without a word ever, each finish is answered."""
    call = begin(name)
    call.start()
    for _ in range(2):
        call.recognizer.speech_started()
        call.pause(0.5)
        count = len(call.sink.finals)
        call.recognizer.finish()
        call.pause(ROWS[name].slowest)
        assert call.sink.finals[count:] == [""]


@each
def test_turns(name: str, begin: Begin) -> None:
    """Ends of turns come from those that promise them, behind the words."""
    call = begin(name, "book a table")
    call.start()
    call.speak(0.96)
    call.pause(2.0)
    if call.recognizer.turns:
        assert (call.sink.text, call.sink.turns) == ("book a table", 1)
    else:
        assert call.sink.turns == 0


@each
def test_words_before_the_start(name: str, begin: Begin) -> None:
    """Who speaks while it connects is understood."""
    call = begin(name, "book a table")
    call.begin()
    call.utter()
    call.pause(1.5)
    assert call.sink.text == "book a table"


# -- what vendors do --------------------------------------------------------------------------


@each
@pytest.mark.parametrize("trouble", [Trouble.DROP, Trouble.CLOSE, Trouble.GARBAGE])
def test_lost_connection(name: str, trouble: Trouble, begin: Begin) -> None:
    """The words of an utterance that a connection did not survive come from the next one, once."""
    call = begin(name, "book a table", "for two")
    call.vendor.manners.troubles.append(trouble)
    call.start()
    call.utter()
    call.pause(3.0)
    if isinstance(call.sink.error, VendorFailed):
        assert trouble is Trouble.CLOSE  # some say that it is for good
        assert not call.sink.error.retryable
        return
    assert call.sink.text == "book a table"
    call.utter()
    call.pause(1.0)
    assert call.sink.text == "book a table for two"


@each
def test_heard_again(name: str, begin: Begin) -> None:
    """A word with which the connection went is heard by the next one."""
    call = begin(name, "hello")
    call.vendor.manners.troubles.append(Trouble.DROP)
    call.start()
    call.pause(0.5)
    call.utter(0.34)
    call.pause(3.0)
    assert call.sink.text == "hello"


@each
def test_error(name: str, begin: Begin) -> None:
    """The vendor's own error is got over, or is told with the vendor's name."""
    call = begin(name, "book a table")
    call.vendor.manners.troubles.append(Trouble.ERROR)
    call.start()
    call.utter()
    call.pause(3.0)
    if call.sink.error is None:
        assert call.sink.text == "book a table"
    else:
        assert call.provider.vendor in str(call.sink.error)
        assert KEY not in str(call.sink.error)


@each
def test_unknown_message(name: str, begin: Begin) -> None:
    """What is new is passed over."""
    call = begin(name, "book a table")
    call.vendor.manners.troubles.append(Trouble.UNKNOWN)
    call.start()
    call.utter()
    call.pause(1.5)
    assert call.sink.text == "book a table"
    assert len(call.net.asked) <= 2  # an address may be asked for


@each
@pytest.mark.parametrize("trouble", [Trouble.SILENCE, Trouble.NO_FINAL])
def test_no_answer(name: str, trouble: Trouble, begin: Begin) -> None:
    """A vendor that says nothing of an utterance is not waited for, and hears the next one."""
    call = begin(name, "book a table", "for two please")
    call.vendor.manners.troubles.append(trouble)
    call.start()
    assert call.utter() <= ROWS[name].slowest
    assert "book a table".startswith(call.sink.text)
    call.pause(4.0)
    before = len(call.sink.finals)
    call.utter(1.2)
    call.pause(1.0)
    assert plain(" ".join(call.sink.finals[before:])) == "for two please"


@each
def test_late_answer(name: str, begin: Begin) -> None:
    """Words that are final too late are not told twice."""
    call = begin(name, "book a table")
    call.vendor.manners.troubles.append(Trouble.LATE)
    call.start()
    assert call.utter() <= ROWS[name].slowest
    call.pause(2.0)
    assert call.sink.text == "book a table"


@each_with_a_socket
def test_back_pressure(name: str, begin: Begin) -> None:
    """A vendor that reads nothing for long is replaced; the call goes on."""
    call = begin(name, "book a table")
    call.start()
    for line in tuple(call.net.site.open):
        line.pause()
    call.pause(15.0)
    call.utter()
    call.pause(1.5)
    assert call.sink.error is None
    assert call.sink.text == "book a table"


@each
@pytest.mark.parametrize("status", [401, 403])
def test_refused(name: str, status: int, begin: Begin) -> None:
    """A refusal that stays one is told once, with the vendor's name and without the key."""
    call = begin(name, "hello")
    call.vendor.manners.refusals.extend([status] * 5)
    call.start()
    call.utter()
    error = call.failure
    assert isinstance(error, VendorFailed)
    assert (error.code, error.retryable) == (status, False)
    assert call.provider.vendor in str(error)
    assert KEY not in str(error)
    assert len(call.net.asked) == 1


@each
def test_wrong_key(name: str, begin: Begin) -> None:
    """So is a key that is not the vendor's, however it says so."""
    call = begin(name, "hello")
    call.vendor.key = "another-key-of-another"
    call.start()
    call.utter()
    error = call.failure
    assert isinstance(error, VendorFailed)
    assert not error.retryable
    assert call.provider.vendor in str(error)
    assert KEY not in str(error)


@each
@pytest.mark.parametrize("status", [429, 500, 503])
def test_busy(name: str, status: int, begin: Begin) -> None:
    """A refusal that may pass is tried again."""
    call = begin(name, "hello")
    call.vendor.manners.refusals.append(status)
    call.start()
    call.utter()
    call.pause(1.0)
    assert call.failure is None
    assert call.sink.text == "hello"


@each_with_a_socket
def test_not_there(name: str, begin: Begin) -> None:
    """Where nothing listens, three tries are enough."""
    call = begin(name)
    call.net.down.update(call.vendor.hosts)
    for host in hosts_of(call):
        call.net.down.add(host)
    call.start()
    error = call.failure
    assert isinstance(error, VendorFailed)
    assert error.retryable
    assert call.provider.vendor in str(error)


# -- beginning and end ------------------------------------------------------------------------


def hosts_of(call: Call) -> list[str]:
    """Which hosts it would ask."""
    other = Call(call.name)
    other.begin()
    hosts = [asked.headers["host"].partition(":")[0] for asked in other.net.asked]
    other.stop()
    other.close()
    return hosts


@each_with_a_socket
def test_cancelled(name: str, begin: Begin) -> None:
    """A start that nobody waits for any more leaves nothing behind."""
    call = begin(name)
    call.net.unanswering.update(hosts_of(call))
    call.begin()
    assert call.outcome == []
    assert call.starting is not None
    call.starting.cancel()
    assert call.outcome[0].check(CancelledError)
    assert call.net.leftovers() == []


@each_with_a_socket
def test_prepared(name: str, begin: Begin) -> None:
    """A connection that was made early is the call's."""
    call = begin(name, "book a table")
    call.recognizer.prepare()
    call.wait(1.0)
    connected = len(call.net.asked)
    call.start()
    call.utter()
    call.pause(1.5)
    assert connected
    assert len(call.net.asked) == connected
    assert call.sink.text == "book a table"


@each
def test_never_started(name: str, begin: Begin) -> None:
    """A call that was announced and did not come costs nothing for long."""
    call = begin(name)
    call.recognizer.prepare()
    call.wait(22.0)
    assert call.net.leftovers() == []


@each
def test_stopped_in_a_turn(name: str, begin: Begin) -> None:
    """The caller hangs up in mid-word: nothing is told any more, and nothing is left."""
    call = begin(name, "book a table")
    call.start()
    call.speak(0.7)
    call.stop()


@each
def test_stopped_while_owing(name: str, begin: Begin) -> None:
    """Or while an answer is due."""
    call = begin(name, "book a table")
    call.vendor.manners.troubles.append(Trouble.LATE)
    call.start()
    call.speak(0.96)
    call.pause(0.7)
    call.recognizer.finish()
    call.stop()
