"""A secret on its way through a real server: nothing that is left behind tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.server.installation import Answer, Installation
from tests.server.process import ServerProcess

SECRET = "e5c2-hunter2-0f3a"
VALUE = {"ari_url": "http://127.0.0.1:9", "ari_password": SECRET}


@dataclass(frozen=True, slots=True)
class Story:
    made: Mapping[str, Any]
    verified: Mapping[str, Any]
    refused: Answer
    deployed: Answer
    after_restart: Mapping[str, Any]
    left: Mapping[Path, bytes]  # every file


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    installation = Installation(tmp_path_factory.mktemp("credentials"), LOG__LEVEL="debug")
    ask = installation.request
    document = {"name": "ARI", "provider": "asterisk", "value": VALUE}
    with ServerProcess(installation) as server:
        made = ask("/v1/credentials", "POST", document).json()["data"]
        one = f"/v1/credentials/{made['id']}"
        verified = ask(f"{one}/verify", "POST").json()["data"]
        refused = ask("/v1/credentials", "POST", {**document, "value": {SECRET: SECRET}})
        phone = f"/v1/assistants/{installation.assistant()}/phone-deployment"
        deployed = ask(phone, "PUT", {"provider": "asterisk", "credentialId": made["id"]})
        server.terminate()
        server.status()
        first = server.printed().encode()
    with ServerProcess(installation) as server:
        after_restart = ask(f"{one}/verify", "POST").json()["data"]
        server.terminate()
        server.status()
    left = {path: path.read_bytes() for path in installation.folder.rglob("*") if path.is_file()}
    left[Path("first start")] = first
    return Story(made, verified, refused, deployed, after_restart, left)


def test_sealed(story: Story) -> None:
    """It is in the vault, and opens with the server's key; after a restart too."""
    assert story.made["keysSet"] == ["ari_password", "ari_url"]
    for answer in (story.verified, story.after_restart):
        assert [one["passed"] for one in answer["checks"] if one["check"] == "vault"] == [True]


def test_deployed(story: Story) -> None:
    """A deployment may name it."""
    assert story.deployed.status == 200
    assert story.deployed.json()["data"]["credentialId"] == story.made["id"]


def test_nothing_told(story: Story) -> None:
    """No file holds it readable: database, journal, log at its most talkative."""
    assert story.refused.status == 400
    assert any(path.name == "rapida.db" for path in story.left)
    for path, text in story.left.items():
        assert SECRET.encode() not in text, path
