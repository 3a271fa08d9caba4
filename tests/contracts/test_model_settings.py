"""The contract of models, before a call: what they say of themselves, options and credentials."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from rapida_tw.account import Account
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.sim.vendors.answering import Turn
from tests.contracts.models import PROVIDERS, ROWS, Stage

each = pytest.mark.parametrize("name", sorted(PROVIDERS))


@each
def test_described(name: str) -> None:
    """It tells what it is, and its options have defaults."""
    provider = PROVIDERS[name]
    assert provider.description
    assert provider.vendor
    provider.options()


@each
def test_options(name: str) -> None:
    """Numbers come as texts, too, and what is empty is not given."""
    given = {"model.temperature": "0.5", "top_p": None, "tool_choice": ""}
    with closing(Stage(name, Turn("One."), **given)) as stage:
        assert stage.ask().text == "One."


@each
@pytest.mark.parametrize(
    ("given", "stops"),
    [("\n<|||>a, b", ["\n", "a, b"]), (["\n", "b"], ["\n", "b"]), ('["x"]', ["x"])],
)
def test_stops(name: str, given: Any, stops: list[str]) -> None:
    """White space and commas count in what ends an answer."""
    if name == "openai-responses":
        return  # that API has none
    with closing(Stage(name, Turn("One."), stop=given)) as stage:
        assert stage.ask().text == "One."
        assert str(stops) in str(stage.fake.bodies[-1])


@each
def test_objects(name: str) -> None:
    """Documents have objects where the official SDK has their JSON."""
    for schema in ({"type": "json_object"}, '{"type": "json_object"}'):
        options = {"parameters": {}} if name == "anthropic" else {"response_format": schema}
        if name in ("gemini", "vertexai"):
            options = {"response_format": {"type": "object"}}
        with closing(Stage(name, Turn("One."), **options)) as stage:
            assert stage.ask().text == "One."


@each
def test_foreign_options(name: str) -> None:
    """Who pays is among the options in Rapida's documents, and the vault's matter."""
    with closing(Stage(name, Turn("One."), **{"model.credential_id": "7"})) as stage:
        assert stage.ask().text == "One."


@each
@pytest.mark.parametrize(
    "wrong", [{"temprature": 1}, {"temperature": "hot"}, {"temperature": 9}, {"max_tokens": 0}]
)
def test_wrong_options(name: str, wrong: dict[str, Any]) -> None:
    """What is wrong is named."""
    with pytest.raises(MisconfiguredAssistant, match=next(iter(wrong))):
        Stage(name, **wrong)


@each
def test_no_model(name: str) -> None:
    """There is a usual model, or it is said that there is none."""
    options = dict.fromkeys(ROWS[name].options, "")
    if options:
        with pytest.raises(MisconfiguredAssistant, match="needs the option model"):
            Stage(name, **options)
    else:
        with closing(Stage(name, Turn("One."))) as stage:
            assert stage.ask().text == "One."


@each
def test_no_key(name: str) -> None:
    """Without a key it says so when it is opened, not in a call."""
    row = ROWS[name]
    with closing(Stage(name)) as stage:
        account = Account(name, {k: v for k, v in row.account.items() if k != row.key})
        if row.key:
            with pytest.raises(MisconfiguredAssistant, match=f"{name} needs a key"):
                stage.provider.open(stage.options, account)
        else:
            stage.provider.open(stage.options, account)


@each
def test_secret(name: str) -> None:
    """The key goes in a header, and nowhere else."""
    with closing(Stage(name, Turn("One."))) as stage:
        stage.ask()
        asked = stage.net.asked[-1]
        assert stage.secret in str(asked.headers)
        assert stage.secret not in f"{asked.path}{asked.query}{asked.body!r}"


@each
def test_base_url(name: str) -> None:
    """Another place, as the credential says."""
    with closing(Stage(name, Turn("One."))) as stage:
        stage.model = stage.open(base_url="http://127.0.0.9:8000/v1")
        assert "127.0.0.9" in str(stage.failed(stage.ask()))
