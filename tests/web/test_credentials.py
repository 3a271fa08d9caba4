"""Credentials, over HTTP: secrets go in, and whatever is asked, none comes out."""

from __future__ import annotations

from typing import Any

from twisted.logger import LogEvent, LogLevel, formatEventAsClassicLogText, globalLogPublisher

from tests.store.private_keys import rsa_pem
from tests.web.case import Response, WebCase
from tests.web.fakes import ASSISTANT, OTHER_KEY, PROJECT

PATH = "/v1/credentials"
SECRET = "e5c2-hunter2-0f3a"
VALUE = {"account_sid": "AC0123", "account_token": SECRET}


class Acme:
    """As much of a carrier as credentials look at."""

    def __init__(self, *names: str) -> None:
        self.credential_fields = {name: f"The {name}." for name in names}


class CredentialTests(WebCase):
    def setUp(self) -> None:
        super().setUp()
        self.carriers["twilio"] = Acme("account_sid", "account_token")
        self.carriers["vonage"] = Acme("application_id", "private_key")
        self.make_site()
        self.answers: list[Response] = []
        self.events: list[LogEvent] = []
        globalLogPublisher.addObserver(self.events.append)
        self.addCleanup(globalLogPublisher.removeObserver, self.events.append)

    def tearDown(self) -> None:
        """No answer and no line of the log, at any level, holds anything of a value."""
        super().tearDown()
        texts = [repr(answer) for answer in self.answers]
        texts += [formatEventAsClassicLogText(event) or "" for event in self.events]
        for text in texts:
            self.assertNotIn(SECRET, text)
            self.assertNotIn("AC0123", text)

    def _answer(self, method: str, connection: Any) -> Response:
        self.answers.append(super()._answer(method, connection))
        return self.answers[-1]

    def create(self, provider: str = "twilio", value: Any = None, **more: Any) -> Response:
        value = VALUE if value is None else value
        document = {"name": "Main", "provider": provider, "value": value}
        return self.send("POST", PATH, document | more)

    def made(self, *arguments: Any) -> str:
        """The path of a new one."""
        return f"{PATH}/{self.create(*arguments).json['data']['id']}"

    def verify(self, path: str) -> tuple[bool | None, dict[str, tuple[bool | None, str]]]:
        answer = self.send("POST", f"{path}/verify").json["data"]
        checks = {one["check"]: (one["passed"], one["detail"]) for one in answer["checks"]}
        return answer["verified"], checks

    def test_create(self) -> None:
        """Stored in the key's project; the answer tells which keys are set."""
        answer = self.create().json["data"]
        stored = self.credentials.kept[int(answer["id"])]
        self.assertEqual((stored.name, stored.project_id), ("Main", PROJECT))
        self.assertEqual(self.credentials.values[stored.id], VALUE)
        self.assertEqual(answer["keysSet"], ["account_sid", "account_token"])
        self.assertNotIn("value", answer)

    def test_list(self) -> None:
        """The envelope of every list."""
        self.made()
        answer = self.get(PATH).json
        self.assertEqual([one["name"] for one in answer["data"]], ["Main"])
        self.assertEqual(answer["paginated"], {"currentPage": 1, "totalItem": 1})

    def test_show(self) -> None:
        """One, without its value."""
        shown = self.get(self.made()).json["data"]
        self.assertEqual(shown["provider"], "twilio")
        self.assertNotIn("value", shown)

    def test_change(self) -> None:
        """Name, value or both; the value as a whole."""
        path = self.made()
        self.assertEqual(self.send("PATCH", path, {"name": "New"}).json["data"]["name"], "New")
        changed = self.send("PATCH", path, {"value": {"account_token": SECRET}}).json["data"]
        self.assertEqual((changed["name"], changed["keysSet"]), ("New", ["account_token"]))

    def test_delete(self) -> None:
        """Gone, and not there the second time."""
        path = self.made()
        self.assertEqual(self.send("DELETE", path).status, 200)
        self.assertEqual(self.send("DELETE", path).status, 404)
        self.assertEqual(self.get(path).status, 404)

    def test_other_project(self) -> None:
        """To another project's key it is not there, whatever is asked."""
        path = self.made()
        for method, target in (
            ("GET", path),
            ("PATCH", path),
            ("DELETE", path),
            ("POST", f"{path}/verify"),
        ):
            response = self.send(method, target, {"name": "x"}, key=OTHER_KEY)
            self.assertEqual((response.status, response.error), (404, "not-found"))
        self.assertEqual(self.get(PATH, key=OTHER_KEY).json["data"], [])
        self.assertEqual(len(self.credentials.kept), 1)

    def test_no_key(self) -> None:
        """Without a key the door is closed."""
        for method, target in (("GET", PATH), ("POST", PATH), ("POST", f"{PATH}/5/verify")):
            self.assertEqual(self.send(method, target, VALUE, key=None).status, 403)

    def test_mistakes(self) -> None:
        """Clear, all at once, and silent about values: nothing is stored."""
        response = self.create("twilio", {"account_sid": "AC0123", SECRET: "x"}, colour="red")
        message = response.json["error"]["errorMessage"]
        self.assertEqual(response.status, 400)
        self.assertIn("known are account_sid, account_token", message)
        self.assertIn("colour", message)
        self.assertEqual(self.create("vonage", {"private_key": SECRET}).status, 400)
        self.assertEqual(self.create("deepgram", {"key": [SECRET]}).status, 400)
        self.assertEqual(self.credentials.kept, {})

    def test_broken_json(self) -> None:
        """A body that breaks off is not repeated."""
        body = b'{"name": "x", "value": {"account_token": "' + SECRET.encode()
        response = self.send("POST", PATH, body, Content_Type="application/json")
        self.assertEqual(response.status, 400)

    def test_verify(self) -> None:
        """What was looked at is told; nobody was asked, so nothing is proven."""
        verified, checks = self.verify(self.made())
        self.assertIsNone(verified)
        self.assertEqual([checks["vault"][0], checks["keys"][0]], [True, True])
        self.assertEqual(checks["provider"][0], None)
        self.assertIn("not asked", checks["provider"][1])

    def test_verify_incomplete(self) -> None:
        """What is not set is named, with what it is for."""
        verified, checks = self.verify(self.made("twilio", {"account_sid": "AC0123"}))
        self.assertIsNone(verified)
        self.assertEqual(checks["keys"], (None, "not set: account_token (The account_token.)"))

    def test_verify_trunk(self) -> None:
        """A SIP trunk's keys are known in several spellings; each is asked for once."""
        path = self.made("sip", {"user": "AC0123"})
        _, checks = self.verify(path)
        passed, detail = checks["keys"]
        self.assertIsNone(passed)
        self.assertIn("sip_server (", detail)
        self.assertNotIn("The same as", detail)

    def test_verify_private_key(self) -> None:
        """A key that can be read passes; one that a carrier came to know later may not."""
        value = {"application_id": "a", "private_key": rsa_pem()}
        path = self.made("vonage", value)
        self.assertEqual(self.verify(path)[1]["private_key"], (True, "can be read"))
        number = int(path.rpartition("/")[2])
        self.credentials.values[number] = value | {"private_key": SECRET}
        verified, checks = self.verify(path)
        self.assertIs(verified, False)
        self.assertIn("must be a private key", checks["private_key"][1])

    def test_verify_shut(self) -> None:
        """Sealed with another key of the server: that is an answer too."""
        path = self.made()
        self.credentials.shut = True
        verified, checks = self.verify(path)
        self.assertIs(verified, False)
        self.assertEqual(checks["vault"], (False, "sealed with another key"))

    def test_verify_others(self) -> None:
        """Of a provider that we know nothing about nothing is claimed."""
        verified, checks = self.verify(self.made("deepgram", {"key": SECRET}))
        self.assertIsNone(verified)
        self.assertIsNone(checks["keys"][0])

    def test_deployment(self) -> None:
        """A deployment names a credential of its project and its carrier, or is refused."""
        phone = f"/v1/assistants/{ASSISTANT}/phone-deployment"
        number = self.made().rpartition("/")[2]
        for document, status in (
            ({"provider": "twilio", "credentialId": number}, 200),
            ({"provider": "vonage", "credentialId": number}, 400),
            ({"provider": "twilio", "credentialId": "4"}, 400),
            ({"provider": "twilio"}, 200),
        ):
            self.assertEqual(self.send("PUT", phone, document).status, status, document)

    def test_quiet(self) -> None:
        """Nothing of this is an error of the server's."""
        self.create("twilio", {})
        self.assertFalse([one for one in self.events if one["log_level"] >= LogLevel.error])
