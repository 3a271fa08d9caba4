"""Calls that are placed, over HTTP."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from rapida_tw.carriers.outbound import CarrierRefused, Outcome
from rapida_tw.errors import (
    CallError,
    CapacityExceeded,
    Conflict,
    MisconfiguredAssistant,
    TooManyCalls,
)
from rapida_tw.store.records import Conversation
from rapida_tw.web.placing import AT_ONCE, BULK, SINGLE, refused
from tests.web.case import Response, WebCase
from tests.web.fake_placing import FakePlacing
from tests.web.fakes import ASSISTANT, OTHER_PROJECT, PROJECT

CALL = {"assistant": {"assistantId": str(ASSISTANT)}, "toNumber": "+15550100"}


class PlacingCase(WebCase):
    def setUp(self) -> None:
        super().setUp()
        self.placing = FakePlacing()
        self.make_site(placing=self.placing)

    def place(self, document: Any = CALL, path: str = SINGLE[0], **headers: str) -> Response:
        return self.send("POST", path, document, **headers)

    def refused(self, response: Response) -> tuple[int, str]:
        self.assertFalse(response.json["success"])
        self.assertEqual(response.json["code"], response.status)
        return response.status, response.error


class PlacingTests(PlacingCase):
    def test_queued(self) -> None:
        """Each of the addresses answers with the conversation at once."""
        for path in SINGLE:
            response = self.place({**CALL, "metadata": {"order": 7}, "args": {"a": 1}}, path)
            self.assertEqual(response.status, 200)
            data = response.json["data"]
            self.assertEqual(
                {key: data[key] for key in ("status", "direction", "identifier", "assistantId")},
                {
                    "status": "queued",
                    "direction": "outbound",
                    "identifier": "+15550100",
                    "assistantId": str(ASSISTANT),
                },
            )
            self.assertEqual(data["id"], str(100 + len(self.placing.dialled)))
            self.assertEqual((data["metadata"], data["arguments"]), ({"order": "7"}, {"a": 1}))

    def test_request(self) -> None:
        """What is asked of the house: the key's project, and who asked."""
        self.place(CALL, Idempotency_Key="once", x_auth_id="ada")
        (request,) = self.placing.dialled
        self.assertEqual((request.project_id, request.key_id), (PROJECT, 1))
        self.assertEqual((request.idempotency_key, request.user_id), ("once", "ada"))
        self.place(CALL, x_auth_id="a" * 9_000)
        self.assertEqual(self.placing.dialled[-1].user_id, "a" * 200)

    def test_numbers(self) -> None:
        """Mistakes have the numbers of the contract."""
        for change, number in (
            ({"toNumber": None}, 1002003),
            ({"toNumber": "' OR 1"}, 1002003),
            ({"assistant": None}, 1002004),
            ({"assistant": {"assistantId": "9"}}, 1002004),
            ({"metadata": []}, 1002005),
            ({"args": []}, 1002006),
            ({"options": []}, 1002007),
        ):
            response = self.place({**CALL, **change})
            self.assertEqual(self.refused(response), (400, str(number)))
        self.assertEqual(self.placing.dialled, [])

    def test_unreadable(self) -> None:
        """No JSON, or none of ours."""
        for path, number in ((SINGLE[1], "1002001"), (BULK, "1003001")):
            self.assertEqual(self.refused(self.place(b"{", path)), (400, number))
            self.assertEqual(self.refused(self.place([], path)), (400, number))

    def test_unauthenticated(self) -> None:
        """Numbers here, too."""
        for path, number in ((SINGLE[2], "1002002"), (BULK, "1003002")):
            response = self.send("POST", path, CALL, key="rpd-wrong")
            self.assertEqual(self.refused(response), (403, number))

    def test_not_prepared(self) -> None:
        """What hinders a call before anybody is asked; nothing is dialled."""
        for error, status in (
            (MisconfiguredAssistant("no credential"), 500),
            (CapacityExceeded("full"), 503),
            (Conflict("other request"), 409),
            (TooManyCalls("slowly", 2.2), 429),
        ):
            self.placing.unprepared["+15550100"] = error
            response = self.place()
            self.assertEqual(self.refused(response), (status, "1002008"))
            self.assertEqual(response.json["error"]["errorMessage"], str(error))
            self.assertNotIn("data", response.json)
            self.assertEqual(response.headers.get("retry-after"), "3" if status == 429 else None)
        self.assertEqual(self.placing.dialled, [])

    def test_not_dialled(self) -> None:
        """The carrier's own words, and the conversation in which it is remembered."""
        outcome = Outcome("bad_number", "no such number", "21211")
        self.placing.undialled["+15550100"] = CarrierRefused.by(outcome)
        response = self.place()
        self.assertEqual(self.refused(response), (500, "1002008"))
        self.assertEqual(response.json["error"]["errorMessage"], "no such number (21211)")
        self.assertEqual(response.json["data"], {"id": "101", "status": "failed"})

    def test_counted(self) -> None:
        """Each call that was not placed, alone or among many."""
        before = refused.value("bad-request")
        self.place({"toNumber": "1"})
        self.place({"phoneCalls": [{"toNumber": "1"}, CALL, {}]}, BULK)
        self.assertEqual(refused.value("bad-request") - before, 3)

    def test_bug(self) -> None:
        """What nobody expected tells nothing of itself."""
        for error in (KeyError("secret"), CallError("secret")):
            self.placing.undialled["+15550100"] = error
            response = self.place()
            self.assertEqual(self.refused(response), (500, "internal-error"))
            self.assertNotIn(b"secret", response.body)
            self.assertEqual(len(self.flushLoggedErrors()), 1)

    def test_client_gone(self) -> None:
        """A call that was asked for is placed, though nobody reads the answer."""
        self.placing.slow = True
        connection = self.ask(
            "POST",
            SINGLE[0],
            b'{"assistantId": "%d", "to": "100"}' % ASSISTANT,
            Content_Type="application/json",
        )
        (dialling,) = self.placing.waiting
        cancelled: list[Deferred[Conversation]] = []
        dialling._canceller = cancelled.append  # type: ignore[assignment]
        connection.close()
        self.assertEqual(cancelled, [])
        dialling.callback(None)  # type: ignore[arg-type]

    def test_ringing_call_hung_up(self) -> None:
        """A placed call that is not answered yet is given up; of the own project only."""
        self.placing.ringing = {5: PROJECT, 6: OTHER_PROJECT}
        answers = [self.send("POST", f"/v1/calls/{n}/hangup").status for n in (5, 6, 7)]
        self.assertEqual(answers, [200, 404, 404])
        self.assertEqual(self.placing.given_up, [(n, PROJECT) for n in (5, 6, 7)])

    def test_nobody_places(self) -> None:
        """A house without outbound calls has no such address."""
        self.make_site()
        self.assertEqual(self.send("POST", SINGLE[1], CALL).status, 404)


class BulkTests(PlacingCase):
    def bulk(self, *calls: Any, **headers: str) -> Response:
        return self.place({"phoneCalls": list(calls)}, BULK, **headers)

    def test_all(self) -> None:
        """One entry each, in their order."""
        response = self.bulk(CALL, {**CALL, "toNumber": "+15550111"})
        data = response.json["data"]
        self.assertEqual([one["identifier"] for one in data], ["+15550100", "+15550111"])
        self.assertEqual([one["status"] for one in data], ["queued", "queued"])
        self.assertNotIn("error", response.json)

    def test_some(self) -> None:
        """Entries fail by themselves; the answer is a success, with the first error."""
        self.placing.undialled["+15550122"] = CarrierRefused("busy here")
        response = self.bulk(
            {"toNumber": "1"}, CALL, {**CALL, "toNumber": "+15550122"}, {**CALL, "args": 5}
        )
        self.assertEqual((response.status, response.json["success"]), (200, True))
        data = response.json["data"]
        self.assertEqual([one["status"] for one in data], ["failed", "queued", "failed", "failed"])
        errors = [one["error"] and one["error"]["errorCode"] for one in data]
        self.assertEqual(errors, ["1003005", None, "1003009", "1003007"])
        self.assertEqual([one["id"] for one in data], [None, "101", "102", None])
        self.assertEqual(data[2]["metadata"]["telephony.error"], "busy here")
        self.assertEqual(response.json["error"]["errorCode"], "1003005")

    def test_bug(self) -> None:
        """What nobody expected costs one entry, and tells nothing of itself."""
        for error in (KeyError("secret"), CallError("secret")):
            self.placing.undialled["+15550122"] = error
            response = self.bulk({**CALL, "toNumber": "+15550122"}, CALL)
            self.assertEqual(response.status, 200)
            failed, placed = response.json["data"]
            self.assertEqual((failed["status"], placed["status"]), ("failed", "queued"))
            self.assertEqual(failed["error"]["errorCode"], "1003009")
            self.assertNotIn(b"secret", response.body)
            self.assertEqual(len(self.flushLoggedErrors()), 1)

    def test_none(self) -> None:
        """Nothing was placed: the answer has the first error's status."""
        response = self.bulk({"toNumber": "1"}, 5)
        self.assertEqual(self.refused(response), (400, "1003005"))
        self.assertEqual(len(response.json["data"]), 2)
        self.assertEqual(self.refused(self.bulk()), (400, "1003003"))

    def test_idempotency(self) -> None:
        """One header's key is one for each place of the list."""
        self.bulk(CALL, CALL, Idempotency_Key="k")
        keys = [request.idempotency_key for request in self.placing.dialled]
        self.assertEqual(keys, ["k#0", "k#1"])

    def test_few_at_once(self) -> None:
        """No carrier is asked for hundreds of calls in one moment; a client that goes stops it."""
        self.placing.slow = True
        calls = b",".join([b'{"assistantId": "%d", "to": "100"}' % ASSISTANT] * (AT_ONCE + 3))
        body = b'{"phoneCalls": [%b]}' % calls
        connection = self.ask("POST", BULK, body, Content_Type="application/json")
        self.assertEqual(len(self.placing.dialled), AT_ONCE)
        self.placing.waiting.pop(0).callback(None)  # type: ignore[arg-type]
        self.assertEqual(len(self.placing.dialled), AT_ONCE + 1)
        connection.close()
        for waiting in self.placing.waiting:
            waiting.callback(None)  # type: ignore[arg-type]
        self.assertEqual(len(self.placing.dialled), AT_ONCE + 1)
