"""The embedded brain: a model that follows a script, offline, and always answers the same.

It keeps to the port exactly as a language model would: its words come in pieces, tools are asked
for in the completion, a reply can be cancelled. It also says what may come next (`Expectation`),
which is what makes the local recogniser reliable. Understands English.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred, succeed

from rapida_tw.account import NOBODY, Account
from rapida_tw.expect import Expectation
from rapida_tw.models.base import Completion, Message, Model, ModelProvider, Tool
from rapida_tw.models.dialogue import Dialogue, Turn
from rapida_tw.models.grammar import expectation
from rapida_tw.models.receptionist import receptionist
from rapida_tw.models.script import Place, Script
from rapida_tw.models.script_reader import read_script
from rapida_tw.speech.base import Host

_DELTA = re.compile(r"\S+\s*")  # a word with the space behind it, as tokens come
_KEPT = 64  # scripts that stay read


class ScriptedModel:
    """Follows the script in one call."""

    def __init__(self, script: Script, expectations: dict[Place, Expectation]) -> None:
        self._script = script
        self._expectations = expectations  # those of the script, shared by its calls
        self._dialogue = Dialogue(script)

    def prepare(self) -> None:
        """It needs no time to start."""

    def opening(self) -> Expectation | None:
        """What the first question, or the greeting, can be answered with."""
        return self._expecting()

    def reply(
        self, messages: Sequence[Message], tools: Sequence[Tool], say: Callable[[str], None]
    ) -> Deferred[Completion]:
        """Answer the newest message; has fired when it returns."""
        turns = self._turns(messages, frozenset(tool.name for tool in tools))
        text = " ".join(filter(None, (turn.text for turn in turns)))
        for delta in _DELTA.findall(text):
            say(delta)
        calls = tuple(call for turn in turns for call in turn.calls)
        return succeed(Completion(text, calls, self._expecting()))

    def stop(self) -> Deferred[None]:
        return succeed(None)

    def _turns(self, messages: Sequence[Message], offered: frozenset[str]) -> list[Turn]:
        newest = next((one for one in reversed(messages) if one.role in ("user", "tool")), None)
        if newest is None:
            return [self._dialogue.begin(offered)]
        if not self._dialogue.last:
            # The greeting is the deployment's: "pardon?" asks for it all the same.
            self._dialogue.last = _said_before(messages)
        told = [
            self._dialogue.told(one.tool_call_id, one.text, offered)
            for one in messages
            if one.role == "tool"  # those told before say nothing any more
        ]
        if newest.role == "user":
            told.append(self._dialogue.heard(newest.text, offered))
        return told

    def _expecting(self) -> Expectation:
        place = self._dialogue.place
        if place not in self._expectations:
            self._expectations[place] = expectation(self._script, place)
        return self._expectations[place]


def _said_before(messages: Sequence[Message]) -> str:
    said = (one for one in reversed(messages) if one.role == "assistant" and not one.interrupted)
    return next((one.text for one in said), "")


class ScriptedModelProvider:
    """Reads scripts. Options are a script (see `script_reader`); none: the demo receptionist."""

    description = "follows a script, offline"

    def __init__(self, host: Host) -> None:
        self._read: dict[str, tuple[Script, dict[Place, Expectation]]] = {}

    def open(self, options: Mapping[str, Any], account: Account = NOBODY) -> ScriptedModel:
        """A model for one call; `MisconfiguredAssistant` names every mistake of the script."""
        if not options:
            options = receptionist()["assistant"]["model"]["options"]
        key = json.dumps(options, sort_keys=True, default=repr)
        if key not in self._read:
            script = read_script(options)
            if len(self._read) == _KEPT:
                del self._read[next(iter(self._read))]  # the oldest
            self._read[key] = (script, {})
        return ScriptedModel(*self._read[key])

    def stop(self) -> Deferred[None]:
        return succeed(None)


_model: type[Model] = ScriptedModel
_provider: type[ModelProvider] = ScriptedModelProvider
