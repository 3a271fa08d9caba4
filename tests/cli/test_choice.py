"""Vendors as they are typed."""

from __future__ import annotations

from argparse import ArgumentTypeError

import pytest

from rapida_tw.cli.choice import choice, chosen
from tests.cli.conftest import Rapida


@pytest.mark.parametrize(
    ("text", "document"),
    [
        ("local", {"provider": "local"}),
        ("deepgram:12", {"provider": "deepgram", "credentialId": "12"}),
        ("a:1,b=c", {"provider": "a", "credentialId": "1", "options": {"b": "c"}}),
        ("a,b=c=d,e=", {"provider": "a", "options": {"b": "c=d", "e": ""}}),
    ],
)
def test_read(text: str, document: object) -> None:
    """Name, credential and options."""
    assert choice(text) == document


@pytest.mark.parametrize("text", ["a:x", "a:", "a,b", "a,=c"])
def test_refused(text: str) -> None:
    """What is neither a credential's id nor an option is told."""
    with pytest.raises(ArgumentTypeError):
        choice(text)


def test_none() -> None:
    """Nothing typed changes nothing."""
    assert chosen(None) is None


def test_deployed(rapida: Rapida) -> None:
    """The recogniser with its credential, and whom to ask when it fails."""
    assistant = rapida.json("assistant", "create", "--name", "Bob")["id"]
    vault = ("credential", "create", "--name", "x", "--set", "key=b", "--provider", "deepgram")
    credential = rapida.json(*vault)["id"]
    first = f"deepgram:{credential},model=nova-3"
    asked = ("--recognizer", first, "--recognizer", "local")
    stt = rapida.json("deployment", "set", assistant, *asked)["stt"]
    assert (stt["provider"], stt["credentialId"]) == ("deepgram", credential)
    assert stt["options"] == {"model": "nova-3"}
    assert [one["provider"] for one in stt["fallbacks"]] == ["local"]
    _, out, _ = rapida("deployment", "show", assistant)
    assert f"deepgram by credential {credential} with model=nova-3" in out
    assert "or           local" in out


def test_model(rapida: Rapida) -> None:
    """A new model forgets the options of the one before, and keeps the prompt."""
    made = rapida.json(
        *("assistant", "create", "--name", "Bob", "--prompt", "Be kind."),
        *("--model", "acme,model.name=a", "--model", "scripted"),
    )
    assert made["model"]["fallbacks"][0]["provider"] == "scripted"
    changed = rapida.json("assistant", "update", made["id"], "--model", "scripted")["model"]
    assert (changed["provider"], changed["options"]) == ("scripted", {})
    assert "fallbacks" not in changed
    assert changed["prompt"][0]["content"] == "Be kind."
