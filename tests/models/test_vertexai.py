"""Vertex AI: where Gemini is asked there, and by whom."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import pytest

from rapida_tw.account import Account
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.models.vertexai import VertexProvider
from rapida_tw.net.base import Nowhere
from rapida_tw.sim.vendors.answering import Turn
from rapida_tw.speech.base import Host
from tests.contracts.models import HELLO, TOKENS, Stage

AT_GOOGLE = "publishers/google/models/gemini-3.5-flash-lite:streamGenerateContent?alt=sse"


def url(account: dict[str, str], **options: Any) -> str:
    """Where that account asks, with its key."""
    provider = VertexProvider(Host(None, None))  # type: ignore[arg-type]
    dialect = provider.dialect(provider.options(**options), Account("vertexai", account))
    found: list[Any] = []
    dialect.request(Nowhere(), HELLO, ()).addCallback(found.append)
    assert found[0].headers["x-goog-api-key"] == account["key"]
    address: str = found[0].url
    return address


@pytest.mark.parametrize(
    ("account", "options", "place"),
    [
        ({}, {}, "https://aiplatform.googleapis.com/v1/"),
        (
            {"project_id": "p1"},
            {},
            "https://aiplatform.googleapis.com/v1/projects/p1/locations/global/",
        ),
        (
            {"project_id": "p1", "region": "europe-west4"},
            {},
            "https://europe-west4-aiplatform.googleapis.com/v1/projects/p1/locations/europe-west4/",
        ),
        (
            {"project_id": "p1", "region": "europe-west4"},
            {"region": "us-east1"},
            "https://us-east1-aiplatform.googleapis.com/v1/projects/p1/locations/us-east1/",
        ),
        ({"base_url": "http://127.0.0.1:9/v1/"}, {}, "http://127.0.0.1:9/v1/"),
    ],
)
def test_places(account: dict[str, str], options: dict[str, str], place: str) -> None:
    """By project and region, or without either in the express mode."""
    assert url({"key": "a-key", **account}, **options) == place + AT_GOOGLE


@pytest.mark.parametrize(
    ("account", "sentence"),
    [
        ({"key": "k", "region": "evil.example/"}, "is no region"),
        ({"service_account_key": "{}"}, "not the JSON of a service account"),
        ({"service_account_key": TOKENS.service_account(project_id="")}, "needs a project_id"),
    ],
)
def test_misconfigured(account: dict[str, str], sentence: str) -> None:
    """What is wrong with a credential is said."""
    with pytest.raises(MisconfiguredAssistant, match=sentence):
        url(account)


def test_one_token_for_many_calls() -> None:
    """The service account's token is got once; the express mode needs none."""
    before = len(TOKENS.tokens)
    with closing(Stage("vertexai", Turn("One."), Turn("Two."), Turn("Three."))) as stage:
        assert stage.ask().text == "One."
        stage.model = stage.open()
        assert stage.ask().text == "Two."
        assert len(TOKENS.tokens) == before + 1
        project = json.loads(TOKENS.service_account())["project_id"]
        assert f"/projects/{project}/locations/global/" in stage.net.asked[-1].path
        stage.model = stage.open(service_account_key="", key=stage.fake.key)
        assert stage.ask().text == "Three."
        assert len(TOKENS.tokens) == before + 1
