"""Assistants and phone deployments, over HTTP."""

from __future__ import annotations

from dataclasses import replace

from twisted.internet.defer import Deferred, fail

from rapida_tw.errors import ChangedMeanwhile
from rapida_tw.store.records import Assistant
from tests.web.case import WebCase
from tests.web.fakes import ASSISTANT, OTHER_KEY, PROJECT

PATH = "/v1/assistants"
ONE = f"{PATH}/{ASSISTANT}"


class AssistantTests(WebCase):
    def test_create(self) -> None:
        """What is posted is stored in the key's project, and comes back with an id, a string."""
        document = {
            "name": "Eve",
            "model": {"provider": "scripted", "prompt": [{"role": "system", "content": "Hi"}]},
        }
        made = self.send("POST", PATH, document).json["data"]
        stored = self.assistants.kept[int(made["id"])]
        self.assertEqual((stored.name, stored.project_id), ("Eve", PROJECT))
        self.assertEqual(stored.prompt[0].content, "Hi")
        self.assertIsInstance(made["id"], str)
        self.assertEqual(made["model"]["provider"], "scripted")

    def test_mistakes(self) -> None:
        """All of them at once, and nothing is stored."""
        response = self.send("POST", PATH, {"name": 1, "tools": {}, "colour": "red"})
        self.assertEqual(response.status, 400)
        for key in ("name", "tools", "colour"):
            self.assertIn(key, response.json["error"]["errorMessage"])
        self.assertEqual(list(self.assistants.kept), [ASSISTANT])

    def test_list(self) -> None:
        """The envelope of every list."""
        answer = self.get(PATH).json
        self.assertEqual((answer["code"], answer["success"]), (200, True))
        self.assertEqual([one["id"] for one in answer["data"]], [str(ASSISTANT)])
        self.assertEqual(answer["paginated"], {"currentPage": 1, "totalItem": 1})

    def test_pages(self) -> None:
        """`page` and `pageSize` choose; the total counts all."""
        for number in range(1, 6):
            self.assistants.kept[number] = Assistant(number, PROJECT, f"number {number}")
        answer = self.get(f"{PATH}?page=2&pageSize=4").json
        self.assertEqual(len(answer["data"]), 2)
        self.assertEqual(answer["paginated"], {"currentPage": 2, "totalItem": 6})

    def test_show(self) -> None:
        """One, whole."""
        self.assertEqual(self.get(ONE).json["data"]["name"], "Ada")

    def test_other_project(self) -> None:
        """To another project's key it is not there, whatever is asked."""
        phone = f"{ONE}/phone-deployment"
        for method, path in (
            ("GET", ONE),
            ("PATCH", ONE),
            ("DELETE", ONE),
            ("GET", phone),
            ("PUT", phone),
        ):
            response = self.send(method, path, {"greeting": "x"}, key=OTHER_KEY)
            self.assertEqual((response.status, response.error), (404, "assistant-not-found"))
        self.assertEqual(self.assistants.kept[ASSISTANT].name, "Ada")
        self.assertEqual(self.assistants.deployed, {})

    def test_no_id(self) -> None:
        """What can be no id is not there."""
        for text in ("x", "0", str(2**63), "%20"):
            self.assertEqual(self.get(f"{PATH}/{text}").status, 404, text)

    def test_change(self) -> None:
        """A merge patch: what is not named stays."""
        changed = self.send("PATCH", ONE, {"description": "at the desk"}).json["data"]
        self.assertEqual((changed["name"], changed["description"]), ("Ada", "at the desk"))
        self.assertEqual(self.assistants.kept[ASSISTANT].description, "at the desk")

    def test_delete(self) -> None:
        """Gone, and not there the second time."""
        self.assertEqual(self.send("DELETE", ONE).status, 200)
        self.assertEqual(self.assistants.kept, {})
        self.assertEqual(self.send("DELETE", ONE).status, 404)


class RaceTests(WebCase):
    """Two who change the same assistant."""

    def setUp(self) -> None:
        super().setUp()
        self.refusals = 0
        update = self.assistants.update

        def raced(assistant: Assistant) -> Deferred[Assistant]:
            if not self.refusals:
                return update(assistant)
            self.refusals -= 1
            update(replace(self.assistants.kept[ASSISTANT], description="by another"))
            return fail(ChangedMeanwhile("it was changed"))

        self.patch(self.assistants, "update", raced)

    def test_both(self) -> None:
        """What another has changed in the same moment stays changed."""
        self.refusals = 1
        changed = self.send("PATCH", ONE, {"name": "Eve"}).json["data"]
        self.assertEqual((changed["name"], changed["description"]), ("Eve", "by another"))

    def test_again_and_again(self) -> None:
        """Who never comes to it is told so."""
        self.refusals = 99
        response = self.send("PATCH", ONE, {"name": "Eve"})
        self.assertEqual((response.status, response.error), (409, "changed-meanwhile"))


class DeploymentTests(WebCase):
    PATH = f"{ONE}/phone-deployment"

    def test_default(self) -> None:
        """What holds where nothing was set."""
        document = self.get(self.PATH).json["data"]
        self.assertEqual(document["idleTimeout"], 30)
        self.assertIsNone(document["updatedDate"])

    def test_put(self) -> None:
        """What is put is there, the rest is as by default."""
        self.send("PUT", self.PATH, {"greeting": "Hello", "tts": {"provider": "local"}})
        document = self.get(self.PATH).json["data"]
        self.assertEqual((document["greeting"], document["maxCallDuration"]), ("Hello", 300))
        self.assertEqual(self.assistants.deployed[ASSISTANT].tts.provider, "local")

    def test_mistakes(self) -> None:
        """Each is named, and nothing is stored."""
        response = self.send("PUT", self.PATH, {"idleTimeout": -1, "recording": "yes"})
        self.assertEqual(response.status, 400)
        self.assertIn("idleTimeout", response.json["error"]["errorMessage"])
        self.assertIn("recording", response.json["error"]["errorMessage"])
        self.assertEqual(self.assistants.deployed, {})
