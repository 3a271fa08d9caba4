"""/v1/webhook-deliveries."""

from __future__ import annotations

from rapida_tw.store.records import Assistant
from tests.web.case import WebCase
from tests.web.fake_deliverer import FakeDeliverer
from tests.web.fakes import PROJECT

PATH = "/v1/webhook-deliveries"


class DeliveriesTests(WebCase):
    def setUp(self) -> None:
        super().setUp()
        self.deliverer = FakeDeliverer()
        self.make_site(deliverer=self.deliverer)

    def test_list(self) -> None:
        """Pages of what was asked for; of an address without its query, where tokens are."""
        answer = self.get(f"{PATH}?page=2&pageSize=5&conversationId=6&assistantId=5&state=failed")
        self.assertEqual(answer.status, 200)
        self.assertEqual(self.deliverer.asked, [(PROJECT, 2, 5, 6, 5, "failed")])
        (one,) = answer.json["data"]
        self.assertEqual(
            one,
            {
                "id": "9",
                "assistantId": "5",
                "conversationId": "6",
                "event": "call.ended",
                "eventId": "evt_6_call_ended",
                "url": "https://hooks.example.org/in",
                "state": "waiting",
                "attemptCount": 1,
                "nextAttemptDate": "2027-01-15T08:00:05.000Z",
                "createdDate": "2027-01-15T08:00:00.000Z",
                "updatedDate": "2027-01-15T08:00:00.500Z",
            },
        )
        self.assertEqual(answer.json["paginated"], {"currentPage": 2, "totalItem": 1})

    def test_all(self) -> None:
        """Nothing chosen is everything."""
        self.get(PATH)
        self.assertEqual(self.deliverer.asked, [(PROJECT, 1, 20, None, None, "")])

    def test_state(self) -> None:
        """A state that there is not."""
        self.assertEqual(self.get(f"{PATH}?state=lost").status, 400)

    def test_show(self) -> None:
        """With its attempts; of an id that is not there, 404."""
        found = self.get(f"{PATH}/9").json["data"]
        self.assertEqual(found["body"], {"event": "call.ended"})
        self.assertEqual(
            found["attempts"],
            [
                {
                    "date": "2027-01-15T08:00:00.000Z",
                    "status": 503,
                    "error": "HTTP 503",
                    "seconds": 0.5,
                    "response": "later",
                }
            ],
        )
        self.assertEqual(self.get(f"{PATH}/10").status, 404)

    def test_retry(self) -> None:
        """Once more."""
        self.assertEqual(self.send("POST", f"{PATH}/9/retry").status, 200)
        self.assertEqual(self.deliverer.asked, [("retry", 9, PROJECT)])

    def test_ping(self) -> None:
        """An assistant's webhooks are told of nothing; it must be there, in the project."""
        made = self.successResultOf(self.assistants.create(Assistant(0, PROJECT, "Ada")))
        answer = self.send("POST", PATH, {"assistantId": str(made.id)})
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.json["data"][0]["conversationId"], None)
        self.assertEqual(self.deliverer.pinged, [made.id])
        self.assertEqual(self.send("POST", PATH, {"assistantId": "4"}).status, 404)
        self.assertEqual(self.send("POST", PATH, {}).status, 400)

    def test_key(self) -> None:
        """Nothing without a key."""
        self.assertEqual(self.get(PATH, key=None).status, 403)
