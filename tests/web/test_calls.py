"""Live calls, over HTTP."""

from __future__ import annotations

from rapida_tw.calls.call import LiveCall
from rapida_tw.errors import NotSupported
from tests.web.case import WebCase
from tests.web.fakes import ASSISTANT, OTHER_KEY, OTHER_PROJECT, PROJECT

PATH = "/v1/calls"


def live(number: int, project_id: int = PROJECT) -> LiveCall:
    return LiveCall(
        number, ASSISTANT, project_id, "asterisk", "inbound", "+1555", "100", "active", 5.0, 1.5, 3
    )


class LiveCallTests(WebCase):
    def setUp(self) -> None:
        super().setUp()
        self.calls.running = [live(11), live(12), live(13), live(21, OTHER_PROJECT)]

    def test_show(self) -> None:
        """Who talks to whom, since when."""
        self.assertEqual(
            self.get(f"{PATH}/11").json["data"],
            {
                "id": "11",
                "assistantId": str(ASSISTANT),
                "carrier": "asterisk",
                "direction": "inbound",
                "from": "+1555",
                "to": "100",
                "status": "active",
                "startedDate": "1970-01-01T00:00:05.000Z",
                "duration": 1.5,
                "turns": 3,
            },
        )

    def test_list(self) -> None:
        """The project's own, newest first, a page of them."""
        answer = self.get(f"{PATH}?pageSize=2").json
        self.assertEqual([call["id"] for call in answer["data"]], ["13", "12"])
        self.assertEqual(answer["paginated"], {"currentPage": 1, "totalItem": 3})
        answer = self.get(f"{PATH}?page=2&pageSize=2").json
        self.assertEqual([call["id"] for call in answer["data"]], ["11"])

    def test_not_there(self) -> None:
        """A call that has ended, or of another project, is not found by anything."""
        for path in (f"{PATH}/99", f"{PATH}/21"):
            self.assertEqual(self.get(path).status, 404)
            for action, document in (
                ("hangup", None),
                ("transfer", {"to": "100"}),
                ("dtmf", {"digits": "1"}),
                ("say", {"text": "x"}),
            ):
                self.assertEqual(self.send("POST", f"{path}/{action}", document).status, 404)
        self.assertEqual(self.calls.steered, [])

    def test_hang_up(self) -> None:
        """No body is needed."""
        response = self.send("POST", f"{PATH}/11/hangup")
        self.assertEqual((response.status, response.json["data"]["id"]), (200, "11"))
        self.assertEqual(self.calls.steered, [("hang up", 11)])

    def test_transfer(self) -> None:
        """To a number or an address."""
        self.assertEqual(self.send("POST", f"{PATH}/11/transfer", {"to": "sip:a@b.c"}).status, 200)
        self.assertEqual(self.calls.steered, [("transfer", 11, "sip:a@b.c")])

    def test_digits(self) -> None:
        """As they are pressed."""
        self.assertEqual(self.send("POST", f"{PATH}/11/dtmf", {"digits": "12#*A"}).status, 200)
        self.assertEqual(self.calls.steered, [("digits", 11, "12#*A")])

    def test_hold(self) -> None:
        """On unless it says off."""
        for document, told in (({}, "True"), ({"on": False}, "False")):
            self.assertEqual(self.send("POST", f"{PATH}/11/hold", document).status, 200)
            self.assertEqual(self.calls.steered[-1], ("hold", 11, told))
        self.assertEqual(self.send("POST", f"{PATH}/11/hold", {"on": "no"}).status, 400)

    def test_one_mistake(self) -> None:
        """What is there and wrong is not told to be missing."""
        for document, told in (({"digits": "xyz"}, "must be 1 to 64"), ({}, "is required")):
            message = self.send("POST", f"{PATH}/11/dtmf", document).json["error"]["errorMessage"]
            self.assertIn(told, message)
            self.assertEqual(message.count("digits must") + message.count("is required"), 1)

    def test_say(self) -> None:
        """A text for the assistant's voice."""
        self.assertEqual(self.send("POST", f"{PATH}/11/say", {"text": "Hold on."}).status, 200)
        self.assertEqual(self.calls.steered, [("say", 11, "Hold on.")])

    def test_not_supported(self) -> None:
        """409 with the carrier's reason."""
        self.calls.refusal = NotSupported("this call's dialplan does not take transfers")
        response = self.send("POST", f"{PATH}/11/transfer", {"to": "100"})
        self.assertEqual((response.status, response.error), (409, "not-supported"))
        self.assertIn("dialplan", response.json["error"]["errorMessage"])

    def test_mistakes(self) -> None:
        """400 for a body that does not say what to do; the call does not notice."""
        for action, document in (
            ("transfer", {}),
            ("transfer", {"to": ""}),
            ("transfer", {"to": "a b"}),
            ("transfer", {"to": "1", "from": "2"}),
            ("dtmf", {"digits": "1e"}),
            ("dtmf", {"digits": 12}),
            ("dtmf", {"digits": "1" * 65}),
            ("say", {"text": "  "}),
            ("say", {"text": "x" * 2001}),
            ("say", ["text"]),
        ):
            response = self.send("POST", f"{PATH}/11/{action}", document)
            self.assertEqual(response.status, 400, document)
        self.assertEqual(self.calls.steered, [])

    def test_other_project(self) -> None:
        """Each project has its own view."""
        data = self.get(PATH, key=OTHER_KEY).json["data"]
        self.assertEqual([call["id"] for call in data], ["21"])
