"""Numbers looked up at the farm's Vonage, in virtual time: both APIs, and all that goes wrong."""

from __future__ import annotations

from functools import cache
from typing import Any

from twisted.internet.defer import CancelledError
from twisted.python.failure import Failure

from rapida_tw.account import Account, Lacking
from rapida_tw.carriers.insight import CarrierBusy, Insight, Level, Network, Question
from rapida_tw.carriers.outbound import CarrierRefused
from rapida_tw.carriers.rest_exchange import requests
from rapida_tw.carriers.vonage_insight import SUNSET, WITHIN, VonageInsights
from rapida_tw.errors import BadRequest, MisconfiguredAssistant
from rapida_tw.sim.number_insight import Insight as Known
from rapida_tw.sim.rest_carriers import credential, rest_of
from rapida_tw.sim.rest_faults import Fault
from rapida_tw.sim.switchboard import Switchboard, Ways
from rapida_tw.sim.vonage_rest import VonageRest
from rapida_tw.simulation.clock import VirtualClock
from rapida_tw.simulation.vendor_net import FakeVendorNet
from tests.carriers.orders import NOW
from tests.net.case import NetCase

SECRET = "abcdef0123456789"
DIGITS = "15550100001"
NUMBER = "https://api.nexmo.com/ni"


@cache
def fields() -> dict[str, str]:
    """A whole credential; a key takes its time to make."""
    return credential("vonage", {"api_key": "a1b2c3d4", "api_secret": SECRET})


class InsightCase(NetCase):
    """`now`: seconds since the epoch when the clock began."""

    now = NOW

    def setUp(self) -> None:
        self.clock = VirtualClock()
        board = Switchboard()
        rest = rest_of("vonage", board, fields())
        assert isinstance(rest, VonageRest)
        self.rest = rest
        board.plug_in(_ways(self.clock, self.seconds))
        self.net = self.fakes = FakeVendorNet(self.clock, rest)
        self.insights = VonageInsights(self.net, self.clock, self.seconds)

    def seconds(self) -> float:
        return self.now + self.clock.seconds()

    def ask(
        self,
        level: Level = Level.BASIC,
        api: str = "",
        until: float = 0.5,
        digits: str = DIGITS,
        **changes: str,
    ) -> Any:
        """The insight, or the error, after so many seconds; None: neither is there."""
        account = Account("vonage", {**fields(), **changes})
        self.heard: list[Any] = []
        self.asking = self.insights.look_up(account, Question(digits, level, api))
        self.asking.addBoth(self.heard.append)
        self.run_for(until)
        return self.outcome

    @property
    def outcome(self) -> Any:
        if not self.heard:
            return None
        return self.heard[0].value if isinstance(self.heard[0], Failure) else self.heard[0]

    def known(self, *args: Any, **kwargs: Any) -> Insight:
        found = self.ask(*args, **kwargs)
        assert isinstance(found, Insight), found
        self.assertEqual(self.rest.troubles.complaints, {})
        return found

    def refused(self, *args: Any, **kwargs: Any) -> CarrierRefused:
        error = self.ask(*args, **kwargs)
        assert isinstance(error, CarrierRefused), error
        return error


def _ways(clock: VirtualClock, now: Any) -> Ways:
    """Of a switchboard on which nobody calls: only its time of day is used."""

    def nobody(*_: object) -> Any:
        raise AssertionError("nobody calls")

    nothing: Any = None
    return Ways(clock, nobody, nobody, nothing, now)


class NumberTests(InsightCase):
    def test_levels(self) -> None:
        """Each level has what the one before it has, and more."""
        basic = self.known(Level.BASIC)
        self.assertEqual((basic.number, basic.country_code), (f"+{DIGITS}", "US"))
        self.assertEqual((basic.current, basic.valid), (None, None))
        standard = self.known(Level.STANDARD)
        self.assertEqual(standard.current, Network("Example Mobile", "310000", "mobile", "US"))
        self.assertEqual((standard.ported, standard.reachable), (False, None))
        advanced = self.known(Level.ADVANCED)
        self.assertEqual((advanced.valid, advanced.reachable), (True, True))
        self.assertEqual((advanced.roaming, advanced.missing), (False, ()))
        levels = [level.value for level in Level]
        self.assertEqual(self.rest.insights.asked, [(one, DIGITS) for one in levels])

    def test_no_secret_in_the_address(self) -> None:
        """Who asks is in a header alone."""
        self.known()
        (asked,) = self.fakes.asked
        self.assertEqual(asked.query, {"number": [DIGITS]})

    def test_in_part(self) -> None:
        """The network did not answer: a result, which says so."""
        for status in (43, 44, 45):
            self.rest.insights.numbers[DIGITS] = Known(status=status)
            part = self.known(Level.ADVANCED)
            self.assertEqual((part.reachable, part.roaming, part.valid), (None, None, True))
            self.assertEqual(len(part.missing), 1)

    def test_each_status(self) -> None:
        """HTTP 200 and a status are an error with a meaning, and are asked once."""
        for status, kind, says in (
            (3, BadRequest, "no number"),
            (4, CarrierRefused, "api_secret"),
            (5, CarrierRefused, "Vonage's"),
            (9, CarrierRefused, "credit"),
            (19, CarrierRefused, "may not use"),
            (999, CarrierRefused, "could not be read"),
        ):
            self.rest.insights.numbers[DIGITS] = Known(status=status)
            before = len(self.fakes.asked)
            error = self.ask(until=3.0)
            self.assertEqual(type(error), kind, status)
            self.assertIn(says, str(error))
            self.assertIn(f"({status})", str(error))
            self.assertEqual(len(self.fakes.asked), before + 1)

    def test_wrong_secret(self) -> None:
        """Said as such, without the secret."""
        before = requests.value("vonage", "number-insight", "refused")
        error = self.refused(api_secret="planted-wrong-secret")
        self.assertEqual(error.outcome.status, "authentication_failed")
        self.assertNotIn("planted", str(error))
        self.assertEqual(requests.value("vonage", "number-insight", "refused"), before + 1)

    def test_throttled(self) -> None:
        """Asked once more after a second; then whoever asked has to wait."""
        self.rest.insights.numbers[DIGITS] = Known(status=1)
        self.assertIsNone(self.ask(until=0.9))
        self.rest.insights.numbers.clear()
        self.run_for(0.5)
        self.assertIsInstance(self.outcome, Insight)
        self.assertEqual(len(self.fakes.asked), 2)
        self.rest.insights.numbers[DIGITS] = Known(status=1)
        error = self.refused(until=2.0)
        self.assertIsInstance(error, CarrierBusy)
        self.assertEqual((error.status, error.retry_after), (503, 1.0))
        self.assertEqual(len(self.fakes.asked), 4)

    def test_too_many(self) -> None:
        """429, in as many seconds as Vonage wants."""
        self.rest.troubles.retry_after = 3
        self.rest.troubles.faults.append(Fault.TOO_MANY)
        self.assertIsNone(self.ask(until=2.9))
        self.assertEqual(len(self.fakes.asked), 1)
        self.run_for(0.5)
        self.assertIsInstance(self.outcome, Insight)
        self.assertEqual(len(self.fakes.asked), 2)

    def test_too_many_for_long(self) -> None:
        """A longer wait is whoever's who asked."""
        self.rest.troubles.faults.append(Fault.TOO_MANY)
        error = self.refused()
        self.assertIsInstance(error, CarrierBusy)
        self.assertEqual((error.retry_after, len(self.fakes.asked)), (30.0, 1))

    def test_no_answer(self) -> None:
        """25 s are waited, and nobody asks a second time: it costs."""
        self.rest.troubles.faults.append(Fault.LOST)
        self.assertIsNone(self.ask(until=WITHIN - 0.1))
        self.run_for(0.2)
        self.assertEqual((len(self.fakes.asked), self.fakes.leftovers()), (1, []))
        self.assertIn("no answer within 25 s", str(self.outcome))
        outcome = self.outcome.outcome
        self.assertEqual((outcome.status, outcome.retryable), ("unreachable", False))

    def test_all_of_it_is_bounded(self) -> None:
        """The second try has what the first one has left of the time."""
        self.rest.troubles.retry_after = 5
        self.rest.troubles.faults += [Fault.TOO_MANY, Fault.UNANSWERED]
        self.assertIsNone(self.ask(until=WITHIN - 0.1))
        self.run_for(0.2)
        self.assertEqual((len(self.fakes.asked), self.fakes.leftovers()), (2, []))
        self.assertEqual(self.outcome.status, 502)

    def test_bad_answers(self) -> None:
        """Pages, nothing, and connections that break are Vonage's failure.

        Also on a second request: no kept connection is used, whose end would be asked about again.
        """
        self.known()
        for fault, says in (
            (Fault.HTML, "502 Bad Gateway"),
            (Fault.EMPTY, "makes no sense"),
            (Fault.UNAVAILABLE, ""),
            (Fault.CUT, "asking Vonage failed"),
            (Fault.DONE_AND_CUT, "asking Vonage failed"),
        ):
            self.rest.troubles.faults.append(fault)
            before = len(self.fakes.asked)
            error = self.refused()
            self.assertEqual((error.status, len(self.fakes.asked)), (502, before + 1))
            self.assertIn(says, str(error))

    def test_nobody_there(self) -> None:
        """Not reached at all."""
        self.fakes.down.add("api.nexmo.com")
        outcome = self.refused().outcome
        self.assertEqual((outcome.status, outcome.retryable), ("unreachable", True))

    def test_cancelled(self) -> None:
        """Whoever asked has gone: nothing stays open, waiting for an answer or for a moment."""
        self.rest.troubles.faults.append(Fault.UNANSWERED)
        self.assertIsNone(self.ask())
        self.asking.cancel()
        self.rest.insights.numbers[DIGITS] = Known(status=1)
        heard: list[Any] = []
        asking = self.insights.look_up(Account("vonage", fields()), Question(DIGITS))
        asking.addErrback(lambda failure: heard.append(failure.check(CancelledError)))
        self.run_for(0.5)
        asking.cancel()
        self.assertEqual(heard, [CancelledError])
        self.run_for(2.0)
        self.assertEqual((len(self.fakes.asked), self.fakes.leftovers()), (2, []))


class IdentityTests(InsightCase):
    def test_levels(self) -> None:
        """The successor, by its own document, in the same form."""
        basic = self.known(Level.BASIC, "identity")
        self.assertEqual((basic.source, basic.valid), ("identity-insights", True))
        self.assertEqual(basic.time_zones, ("America/New_York",))
        self.assertEqual(basic.current, None)
        standard = self.known(Level.STANDARD, "identity")
        self.assertEqual(standard.current, Network("Example Mobile", "310000", "mobile", "US"))
        self.assertEqual((standard.ported, standard.missing), (False, ()))
        advanced = self.known(Level.ADVANCED, "identity")
        self.assertEqual((advanced.reachable, advanced.roaming), (None, None))
        self.assertEqual(
            advanced.missing,
            ("reachability: Not here (NO_COVERAGE)", "roaming: Not here (NO_COVERAGE)"),
        )
        self.assertEqual(self.fakes.asked[0].headers["host"], "api-eu.vonage.com")

    def test_by_the_credential(self) -> None:
        """An application alone is asked as one."""
        self.assertEqual(self.known(api_key="").source, "identity-insights")

    def test_wrong_key(self) -> None:
        """Another's key is refused; what is no key is not sent anywhere."""
        other = credential("vonage", {})["private_key"]
        error = self.refused(Level.BASIC, "identity", private_key=other)
        self.assertEqual(error.outcome.status, "authentication_failed")
        error = self.ask(Level.BASIC, "identity", private_key="planted words")
        self.assertEqual(type(error), MisconfiguredAssistant)
        self.assertNotIn("planted", str(error))
        self.assertIsInstance(self.ask(Level.BASIC, "identity", application_id=""), Lacking)
        self.assertEqual(len(self.fakes.asked), 1)

    def test_no_number(self) -> None:
        """What Vonage takes for none is whoever's who asked."""
        self.assertIsInstance(self.ask(api="identity", digits="x"), BadRequest)

    def test_too_many(self) -> None:
        """429: once more, as of the other one."""
        self.rest.troubles.retry_after = 1
        self.rest.troubles.faults += [Fault.TOO_MANY, Fault.TOO_MANY]
        self.assertIsInstance(self.refused(Level.BASIC, "identity", 2.0), CarrierBusy)
        self.assertEqual(len(self.fakes.asked), 2)

    def test_bad_answers(self) -> None:
        """Pages, nothing, silence."""
        for fault in (Fault.HTML, Fault.EMPTY, Fault.UNAVAILABLE, Fault.CUT, Fault.UNANSWERED):
            self.rest.troubles.faults.append(fault)
            self.assertEqual(self.refused(Level.BASIC, "identity", WITHIN + 0.1).status, 502)


class SunsetTests(InsightCase):
    now = SUNSET - 1.0

    def test_change_over(self) -> None:
        """At its end, and not before, the successor is asked."""
        self.assertEqual(self.known(until=0.5).source, "number-insight")
        self.run_for(0.5)
        self.assertEqual(self.known().source, "identity-insights")
        self.assertIsInstance(self.ask(private_key=""), Lacking)


class RepeatedSecretTests(NetCase):
    def test_said_back(self) -> None:
        """A server that says the secret back does not get it into an answer."""
        insights = VonageInsights(self.net, self.clock, lambda: NOW)
        account = Account("vonage", {**fields(), "base_url": "https://api.vendor.test"})
        asking = insights.look_up(account, Question(DIGITS))
        self.run_for()
        shown = self.fakes.asked[-1].headers["authorization"]
        echo = {"secret": SECRET, "header": shown}
        body = {"status": 0, "country_name": f"x {SECRET}", "echo": echo}
        self.vendor.replies[-1].whole(200, body)
        self.run_for()
        found: Insight = self.successResultOf(asking)
        self.assertEqual(found.country_name, "x ***")
        self.assertNotIn(SECRET, repr(found))
        self.assertEqual(found.raw["echo"], {"secret": "***", "header": "Basic ***"})

    def test_half_an_answer(self) -> None:
        """A body that breaks off is no answer."""
        insights = VonageInsights(self.net, self.clock, lambda: NOW)
        account = Account("vonage", {**fields(), "base_url": "https://api.vendor.test"})
        asking = insights.look_up(account, Question(DIGITS))
        self.run_for()
        reply = self.vendor.replies[-1]
        reply.head(200, {"Content-Length": "100"})
        reply.write(b'{"status": 0,')
        reply.drop()
        self.run_for()
        error = self.failureResultOf(asking, CarrierRefused).value
        self.assertEqual(error.outcome.status, "unreachable")
