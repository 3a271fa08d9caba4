"""The port of language models: messages in, streamed text and tool calls out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from rapida_tw.account import NOBODY, Account
from rapida_tw.expect import Expectation


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model wants a tool used; `arguments` follow the tool's JSON schema, unchecked.

    `kept` is for the adapter that made it: what its vendor wants to see again with the call.
    """

    id: str
    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    kept: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One entry of the dialogue as the model sees it.

    `role` is system, user, assistant or tool. Digits that the caller pressed come as a user
    message of just those digits. `interrupted`: the caller cut it off; `text` is what was heard.
    """

    role: str
    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool on offer: `name` of letters, digits, underscore; `parameters` is a JSON schema."""

    name: str
    description: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Completion:
    """The end of one model run: its whole text, the tools it wants, what it expects to hear."""

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    expecting: Expectation | None = None  # None: no change
    usage: Mapping[str, int] = field(default_factory=dict)


class Model(Protocol):
    """Thinks in one call."""

    def prepare(self) -> None:
        """The call has been announced, and will begin in a moment or never: connect now.

        Optional; only `stop` may follow.
        """

    def opening(self) -> Expectation | None:
        """What may be said before the first reply; None when anything may."""

    def reply(
        self, messages: Sequence[Message], tools: Sequence[Tool], say: Callable[[str], None]
    ) -> Deferred[Completion]:
        """One run: `say(delta)` as text streams; fires with the whole.

        Errbacks with `VendorFailed`. Cancelling closes the vendor's stream.
        """

    def stop(self) -> Deferred[None]:
        """The call is over: free everything."""


class ModelProvider(Protocol):
    """One a process, found by the entry point group `rapida_tw.models`, made with a Host."""

    description: str

    def open(self, options: Mapping[str, Any], account: Account = NOBODY) -> Model:
        """A model for one call; `MisconfiguredAssistant` names a bad option or field."""

    def stop(self) -> Deferred[None]: ...
