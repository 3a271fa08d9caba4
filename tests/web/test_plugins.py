"""What is installed, over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.web.case import WebCase
from tests.web.fakes import FakePlugIns


@dataclass(frozen=True)
class Options:
    region: str
    rate: int = 16_000
    words: tuple[str, ...] = ()


class Provider:
    description = "the best there is"
    options = Options


class InstalledTests(WebCase):
    def data(self, path: str) -> Any:
        return self.get(path).json["data"]

    def test_carriers(self) -> None:
        """By name."""
        self.assertEqual([one["name"] for one in self.data("/v1/carriers")], ["asterisk"])

    def test_models(self) -> None:
        """What is installed but not in use yet is listed, and not started for that."""
        self.assertEqual(
            self.data("/v1/models"),
            [{"name": "scripted", "description": None, "options": None, "credentialFields": []}],
        )

    def test_speech(self) -> None:
        """Each kind of its own; who is in use tells which engine it chose."""
        made = {"local": Provider(), "scripted": Provider()}
        speech = {"recognizers": FakePlugIns(["local", "x"], made), "detectors": FakePlugIns(["y"])}
        self.make_site(speech=speech)
        data = self.data("/v1/speech")
        names = {kind: [one["name"] for one in plugins] for kind, plugins in data.items()}
        self.assertEqual(names, {"recognizers": ["local", "scripted", "x"], "detectors": ["y"]})
        self.assertEqual(data["recognizers"][0]["description"], "the best there is")

    def test_declared(self) -> None:
        """A class that says so by itself need not be in use."""
        plugins = FakePlugIns(["x"])
        plugins.classes["x"] = Provider
        self.make_site(models=plugins)
        (found,) = self.data("/v1/models")
        self.assertEqual(found["description"], "the best there is")
        self.assertEqual([field["name"] for field in found["options"]], ["region", "rate", "words"])

    def test_options(self) -> None:
        """The fields of a plug-in's options: which there are and which must be given."""
        self.make_site(models=FakePlugIns([], {"a": Provider()}))
        options = self.data("/v1/models")[0]["options"]
        self.assertEqual(
            options,
            [
                {"name": "region", "type": "str", "required": True, "default": None},
                {"name": "rate", "type": "int", "required": False, "default": 16_000},
                {"name": "words", "type": "tuple[str, ...]", "required": False, "default": None},
            ],
        )
