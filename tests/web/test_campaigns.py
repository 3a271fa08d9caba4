"""/v1/campaigns."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator

from rapida_tw.campaigns.settings import MOST_ENTRIES
from rapida_tw.web.openapi_schemas import SCHEMAS
from tests.web.campaigns import campaign_service
from tests.web.case import Response, WebCase
from tests.web.fakes import ASSISTANT, OTHER_KEY

PATH = "/v1/campaigns"
CALLS = ["+15550100001", {"to": "+15550100002", "from": "+15550100009", "args": {"name": "Ada"}}]
VERBS = ("pause", "resume", "cancel")


class CampaignsCase(WebCase):
    def setUp(self) -> None:
        super().setUp()
        self.service = campaign_service(self)
        self.make_site(campaigns=self.service)

    def create(self, **changes: Any) -> Response:
        document = {"assistantId": str(ASSISTANT), "name": "Spring", "calls": CALLS, **changes}
        return self.send("POST", PATH, document)

    def made(self, **changes: Any) -> str:
        response = self.create(**changes)
        self.assertEqual(response.status, 200, response.body)
        return f"{PATH}/{response.json['data']['id']}"

    def holds(self, name: str, document: Any) -> None:
        """To its part of /openapi.json."""
        schema = {**SCHEMAS[name], "components": {"schemas": SCHEMAS}}
        Draft202012Validator(schema).validate(document)


class RouteTests(CampaignsCase):
    def test_create(self) -> None:
        """It runs at once; its answer says how many are called."""
        settings = {"callsPerSecond": 2, "hours": {"from": "10:00"}, "retries": {"attempts": 2}}
        data = self.create(settings=settings).json["data"]
        self.assertEqual((data["name"], data["state"]), ("Spring", "running"))
        self.assertEqual(data["settings"], settings)
        self.assertEqual(data["progress"], {"total": 2, "states": {"waiting": 2}, "outcomes": {}})
        self.holds("WholeCampaign", data)

    def test_once(self) -> None:
        """The same key makes one campaign; another request with it is refused."""
        first = self.made(idempotencyKey="k")
        self.assertEqual(self.made(idempotencyKey="k"), first)
        document = {"assistantId": str(ASSISTANT), "name": "Spring", "calls": CALLS}
        again = self.send("POST", PATH, document, Idempotency_Key="k").json["data"]["id"]
        self.assertEqual(f"{PATH}/{again}", first)
        refused = self.create(idempotencyKey="k", calls=["+15550100"])
        self.assertEqual((refused.status, refused.error), (409, "idempotency-conflict"))
        self.assertEqual(self.get(PATH).json["paginated"]["totalItem"], 1)
        other = self.send("POST", PATH, {**document, "idempotencyKey": "k"}, key=OTHER_KEY)
        self.assertEqual(other.status, 404)  # of the assistant: no other project's campaign

    def test_list(self) -> None:
        """Newest first, page by page, without their progress."""
        for name in ("a", "b", "c"):
            self.clock.advance(1)
            self.made(name=name)
        response = self.get(f"{PATH}?pageSize=2").json
        self.assertEqual([one["name"] for one in response["data"]], ["c", "b"])
        self.assertEqual(response["paginated"]["totalItem"], 3)
        self.assertNotIn("progress", response["data"][0])
        self.holds("Campaign", response["data"][0])

    def test_calls(self) -> None:
        """In their order, with what they were given."""
        path = self.made()
        first, second = self.get(f"{path}/calls").json["data"]
        self.assertEqual((first["to"], first["from"]), ("+15550100001", ""))
        self.assertEqual((second["to"], second["from"]), ("+15550100002", "+15550100009"))
        self.assertEqual((first["state"], first["attempts"]), ("waiting", 0))
        self.assertIsNone(first["conversationId"])
        self.holds("CampaignCall", first)
        page = self.get(f"{path}/calls?page=2&pageSize=1").json
        self.assertEqual([one["to"] for one in page["data"]], ["+15550100002"])

    def test_steering(self) -> None:
        """Each changes the state; what is cancelled stays so."""
        path = self.made()
        states = []
        for verb in ("pause", "pause", "resume", "cancel", "resume"):
            data = self.send("POST", f"{path}/{verb}").json["data"]
            self.holds("Campaign", data)
            states.append(data["state"])
        self.assertEqual(states, ["paused", "paused", "running", "cancelled", "cancelled"])
        progress = self.get(path).json["data"]["progress"]
        self.assertEqual(progress["states"], {"failed": 2})
        self.assertEqual(progress["outcomes"], {"cancelled": 2})

    def test_more(self) -> None:
        """Further calls; to a cancelled campaign there are none."""
        path = self.made()
        data = self.send("POST", f"{path}/calls", {"calls": ["+15550100003"]}).json["data"]
        self.assertEqual(data["progress"]["total"], 3)
        self.send("POST", f"{path}/cancel")
        refused = self.send("POST", f"{path}/calls", {"calls": ["+15550100003"]})
        self.assertEqual((refused.status, refused.error), (409, "campaign-over"))

    def test_delete(self) -> None:
        """It is gone, its calls too."""
        path = self.made()
        self.assertEqual(self.send("DELETE", path).status, 200)
        for gone in (path, f"{path}/calls"):
            self.assertEqual(self.get(gone).status, 404)
        self.assertEqual(self.send("DELETE", path).status, 404)

    def test_start(self) -> None:
        """Nobody's turn comes before the start."""
        path = self.made(settings={"startDate": "2100-01-01T00:00:00+01:00"})
        (first, _) = self.get(f"{path}/calls").json["data"]
        self.assertEqual(first["dueDate"][:19], "2099-12-31T23:00:00")


class DoorTests(CampaignsCase):
    def every(self, path: str, key: str) -> set[tuple[int, str]]:
        """What all routes of a campaign answer to that key."""
        answers = [
            self.get(path, key=key),
            self.get(f"{path}/calls", key=key),
            self.send("POST", f"{path}/calls", {"calls": ["+15550100003"]}, key=key),
            *(self.send("POST", f"{path}/{verb}", key=key) for verb in VERBS),
            self.send("DELETE", path, key=key),
        ]
        return {(one.status, one.error) for one in answers}

    def test_other_project(self) -> None:
        """Another project's is not there, and stays as it is."""
        path = self.made()
        self.assertEqual(self.every(path, OTHER_KEY), {(404, "not-found")})
        self.assertEqual(self.get(PATH, key=OTHER_KEY).json["data"], [])
        data = self.get(path).json["data"]
        self.assertEqual((data["state"], data["progress"]["total"]), ("running", 2))

    def test_nothing_there(self) -> None:
        """What is no id is not there either."""
        for path in (f"{PATH}/5", f"{PATH}/x"):
            self.assertEqual({status for status, _ in self.every(path, OTHER_KEY)}, {404})

    def test_scopes(self) -> None:
        """Reading and writing are two."""
        path = self.made()
        self.keys.scopes = ("campaigns:read",)
        for target in (PATH, path, f"{path}/calls"):
            self.assertEqual(self.get(target).status, 200)
        self.assertEqual(self.create().status, 403)
        for verb in (*VERBS, "calls"):
            self.assertEqual(self.send("POST", f"{path}/{verb}", {}).status, 403)
        self.assertEqual(self.send("DELETE", path).status, 403)
        self.keys.scopes = ("calls:write", "conversations:read")
        self.assertEqual((self.get(path).status, self.create().status), (403, 403))
        self.keys.scopes = ("campaigns:write",)
        self.assertEqual(self.create().status, 200)

    def test_no_such_assistant(self) -> None:
        """One of the project's own."""
        self.assertEqual(self.create(assistantId="5").status, 404)


class MistakeTests(CampaignsCase):
    def refused(self, told: str, **changes: Any) -> None:
        response = self.create(**changes)
        self.assertEqual((response.status, response.error), (400, "bad-request"), response.body)
        self.assertIn(told, response.json["error"]["errorMessage"])

    def test_documents(self) -> None:
        """Each mistake is told by its key."""
        for told, changes in (
            ("assistantId is required", {"assistantId": None}),
            ("assistantId must be", {"assistantId": "x"}),
            ("name must be", {"name": 5}),
            ("name must be", {"name": "x" * 201}),
            ("calls must be a list", {"calls": "+15550100"}),
            ("calls must hold", {"calls": [5]}),
            ("calls[1]: toNumber is missing", {"calls": ["+15550100", {}]}),
            ("calls[1]: toNumber is no number", {"calls": ["+15550100", "nobody at all"]}),
            ("calls[0]: toNumber is no number", {"calls": ["+" + "1" * 40]}),
            ("calls[0]: not known here: x", {"calls": [{"to": "+15550100", "x": 1}]}),
            ("calls[0]: args", {"calls": [{"to": "+15550100", "args": []}]}),
            ("calls[0]: a campaign", {"calls": [{"to": "+15550100", "idempotencyKey": "k"}]}),
            ("settings must be", {"settings": []}),
            ("idempotencyKey must", {"idempotencyKey": "a b"}),
            ("idempotencyKey must", {"idempotencyKey": "k" * 201}),
            ("pace is not known", {"pace": 5}),
        ):
            self.refused(told, **changes)

    def test_settings(self) -> None:
        """The same within the settings."""
        for key, value in (
            ("callsPerSecond", 0),
            ("callsPerSecond", "fast"),
            ("callsPerSecond", True),
            ("simultaneous", 0),
            ("simultaneous", 1.5),
            ("simultaneous", 10**400),
            ("startDate", "tomorrow"),
            ("startDate", "2030-01-01T00:00:00"),
            ("startDate", 5),
            ("endDate", "2030-13-01T00:00:00Z"),
            ("endDate", "x" * 100_000),
            ("hours.from", "9:00"),
            ("hours.from", "24:00"),
            ("hours.to", "09:00"),
            ("hours.days", []),
            ("hours.days", [0]),
            ("hours.days", [True]),
            ("hours.timeZone", "Mars/Olympus"),
            ("hours.timeZone", "../../etc/passwd"),
            ("hours.timeZone", "/etc/localtime"),
            ("hours.timeZone", "Europe"),
            ("hours.timeZone", "Europe/Berlin" * 10),
            ("hours.fallbackTimeZone", "callee"),
            ("hours.more", 1),
            ("retries.attempts", 11),
            ("retries.after", 9),
            ("retries.factor", 0.5),
            ("retries.outcomes", ["completed"]),
            ("retries.outcomes", [["busy"]]),
            ("retries.outcomes", "busy"),
            ("unknown", 1),
        ):
            *within, last = key.split(".")
            inner = {last: value}
            self.refused(f"settings.{key} ", settings={within[0]: inner} if within else inner)

    def test_dates(self) -> None:
        """An end before the start is none."""
        dates = {"startDate": "2030-01-02T00:00:00Z", "endDate": "2030-01-01T00:00:00Z"}
        self.refused("settings.endDate must be later", settings=dates)

    def test_long_lists(self) -> None:
        """As many as the bound says, and not one more."""
        many = ["+15550100"] * MOST_ENTRIES
        self.refused("calls must be a list", calls=[*many, "+15550100"])
        progress = self.create(calls=many).json["data"]["progress"]
        self.assertEqual(progress["total"], MOST_ENTRIES)
        path = self.made()
        response = self.send("POST", f"{path}/calls", {"calls": [*many, "+15550100"]})
        self.assertEqual(response.status, 400)

    def test_too_large(self) -> None:
        """Neither its number of calls nor its bytes go without a bound."""
        calls = [{"to": "+15550100", "args": {"a": "x" * 1000}}] * 2000
        self.assertEqual(self.create(calls=calls).status, 413)

    def test_no_documents(self) -> None:
        """What is no object of JSON."""
        path = self.made()
        for body in (b"", b"[]", b"5", b"null", b'"x"', b"{", b'{"calls": NaN}', b"\xff"):
            for target in (PATH, f"{path}/calls"):
                response = self.send("POST", target, body, Content_Type="application/json")
                self.assertEqual(response.status, 400, body)
        documents: tuple[Any, ...] = (
            {},
            {"calls": []},
            {"calls": None},
            {"calls": ["+15"], "x": 1},
        )
        for more in documents:
            self.assertEqual(self.send("POST", f"{path}/calls", more).status, 400)

    def test_nothing_of_it_is_kept(self) -> None:
        """One bad number among many: no campaign is made of the rest."""
        self.refused("calls[2]", calls=["+15550100", "+15550101", "?"])
        self.assertEqual(self.get(PATH).json["data"], [])

    def test_nobody(self) -> None:
        """A campaign may be made empty, and filled later."""
        path = self.made(calls=[])
        self.assertEqual(self.get(path).json["data"]["progress"]["total"], 0)
