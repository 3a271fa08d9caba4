"""/v1/number-insight."""

from __future__ import annotations

from dataclasses import replace

from jsonschema import Draft202012Validator
from twisted.internet.defer import Deferred, fail, succeed

from rapida_tw.account import Lacking
from rapida_tw.carriers.insight import CarrierBusy, Insight, Level, Network, Owner, Question
from rapida_tw.carriers.outbound import CarrierRefused
from rapida_tw.errors import BadRequest, NotFound
from rapida_tw.web.number_insight import Insights
from rapida_tw.web.openapi_schemas import SCHEMAS
from tests.web.case import WebCase
from tests.web.fakes import PROJECT

PATH = "/v1/number-insight"
BASIC = Insight("+15550100001", Level.BASIC, "number-insight", country_code="US")
FULL = Insight(
    "+15550100001",
    Level.ADVANCED,
    "number-insight",
    "(555) 010-0001",
    "US",
    "United States of America",
    valid=True,
    reachable=False,
    reachability="absent",
    ported=True,
    roaming=True,
    roaming_countries=("DE",),
    current=Network("AT&T", "310090", "mobile", "US"),
    original=Network("", "310004", "mobile", "US"),
    owner=Owner("John Smith", "consumer"),
    time_zones=("America/New_York",),
    missing=("the network was not asked",),
    raw={"status": 44},
)


class FakeInsights:
    """Answers `found`; remembers."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, Question, int | None]] = []
        self.found: Insight | Exception = BASIC

    def look_up(
        self, project_id: int, question: Question, credential_id: int | None = None
    ) -> Deferred[Insight]:
        self.asked.append((project_id, question, credential_id))
        return fail(self.found) if isinstance(self.found, Exception) else succeed(self.found)


_conforms: type[Insights] = FakeInsights


class NumberInsightTests(WebCase):
    def setUp(self) -> None:
        super().setUp()
        self.insights = FakeInsights()
        self.make_site(insights=self.insights)

    def test_basic(self) -> None:
        """The lowest level by itself; what is not known is null."""
        answer = self.get(f"{PATH}?number=%2B15550100001")
        self.assertEqual(answer.status, 200)
        self.assertEqual(
            answer.json["data"],
            {
                "number": "+15550100001",
                "nationalFormat": None,
                "countryCode": "US",
                "countryName": None,
                "valid": None,
                "reachable": None,
                "reachability": None,
                "ported": None,
                "roaming": None,
                "roamingCountries": [],
                "currentCarrier": None,
                "originalCarrier": None,
                "callerIdentity": None,
                "timeZones": [],
                "missing": [],
                "level": "basic",
                "source": "number-insight",
            },
        )
        self.assertEqual(self.insights.asked, [(PROJECT, Question("15550100001"), None)])

    def test_all(self) -> None:
        """Everything that can be asked for, and all that can be answered."""
        self.insights.found = FULL
        query = "number=15550100001&level=advanced&api=number&callerName=true&raw=true"
        answer = self.get(f"{PATH}?{query}&credentialId=77").json["data"]
        question = Question("15550100001", Level.ADVANCED, "number", True)
        self.assertEqual(self.insights.asked, [(PROJECT, question, 77)])
        self.assertEqual(
            answer["currentCarrier"],
            {
                "name": "AT&T",
                "networkCode": "310090",
                "networkType": "mobile",
                "countryCode": "US",
            },
        )
        self.assertEqual(answer["originalCarrier"]["name"], None)
        self.assertEqual(
            answer["callerIdentity"],
            {"name": "John Smith", "type": "consumer", "firstName": None, "lastName": None},
        )
        self.assertEqual((answer["reachable"], answer["reachability"]), (False, "absent"))
        self.assertEqual((answer["roaming"], answer["roamingCountries"]), (True, ["DE"]))
        self.assertEqual((answer["valid"], answer["ported"]), (True, True))
        self.assertEqual(answer["timeZones"], ["America/New_York"])
        self.assertEqual(answer["missing"], ["the network was not asked"])
        self.assertEqual(answer["raw"], {"status": 44})

    def test_schema(self) -> None:
        """The document is what /openapi.json says."""
        validator = Draft202012Validator(SCHEMAS["NumberInsight"])
        for found in (BASIC, FULL, replace(FULL, source="identity-insights")):
            self.insights.found = found
            validator.validate(self.get(f"{PATH}?number=15550100001&raw=1").json["data"])
        described = self.get("/openapi.json").json["paths"][PATH]["get"]
        names = [one["name"] for one in described["parameters"]]
        self.assertEqual(names, "number level credentialId api callerName raw".split())

    def test_a_plus_that_is_a_blank(self) -> None:
        """What browsers and curl make of +1…"""
        self.assertEqual(self.get(f"{PATH}?number=+15550100001").status, 200)
        self.assertEqual(self.insights.asked[0][1].digits, "15550100001")

    def test_bad(self) -> None:
        """What cannot be asked costs nothing."""
        for query, status in (
            ("", 400),
            ("number=", 400),
            ("number=me", 400),
            ("number=15550100001&level=cheap", 400),
            ("number=15550100001&api=other", 400),
            ("number=15550100001&raw=maybe", 400),
            ("number=15550100001&callerName=x", 400),
            ("number=15550100001&credentialId=x", 404),
        ):
            self.assertEqual(self.get(f"{PATH}?{query}").status, status, query)
        self.assertEqual(self.send("POST", f"{PATH}?number=15550100001").status, 405)
        self.assertEqual(self.insights.asked, [])

    def test_errors(self) -> None:
        """Each with its status and slug."""
        for error, status, slug in (
            (BadRequest("no number"), 400, "bad-request"),
            (NotFound("no credential 7"), 404, "not-found"),
            (Lacking("needs a credential"), 422, "configuration-failed"),
            (CarrierRefused("no credit (9)"), 502, "carrier-refused"),
        ):
            self.insights.found = error
            answer = self.get(f"{PATH}?number=15550100001")
            self.assertEqual((answer.status, answer.error), (status, slug))
            self.assertEqual(answer.json["error"]["errorMessage"], str(error))

    def test_busy(self) -> None:
        """With the wait that Vonage wants."""
        self.insights.found = CarrierBusy("slow", retry_after=2.5)
        answer = self.get(f"{PATH}?number=15550100001")
        self.assertEqual((answer.status, answer.error), (503, "carrier-busy"))
        self.assertEqual(answer.headers["retry-after"], "3")

    def test_key(self) -> None:
        """Nothing without a key, or without the scope: it costs money."""
        self.assertEqual(self.get(f"{PATH}?number=15550100001", key=None).status, 403)
        self.keys.scopes = ("calls:write", "credentials:write")
        self.assertEqual(self.get(f"{PATH}?number=15550100001").error, "forbidden")
        self.keys.scopes = ("numbers:read",)
        self.assertEqual(self.get(f"{PATH}?number=15550100001").status, 200)
        self.assertEqual(len(self.insights.asked), 1)

    def test_not_here(self) -> None:
        """A server that looks no numbers up does not have the address."""
        self.make_site()
        self.assertEqual(self.get(f"{PATH}?number=15550100001").error, "no-such-route")
