"""What the web side needs of the rest of the house."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ParamSpec, Protocol, TypeVar

from twisted.internet.defer import Deferred

from rapida_tw.calls.call import LiveCall
from rapida_tw.calls.registration import Registered
from rapida_tw.carriers.base import IncomingCall
from rapida_tw.store.records import Conversation

P = ParamSpec("P")
T = TypeVar("T")


class CallRegister(Protocol):
    """The register of calls (`calls.calls.Calls`). `NotFound` for a call of another project too."""

    @property
    def ready(self) -> str:
        """Why no new call is taken; "" when one is."""

    def register(
        self, incoming: IncomingCall, assistant_id: int, project_id: int
    ) -> Deferred[Registered]:
        """`CapacityExceeded`, `AssistantNotFound`, `MisconfiguredAssistant`, `Unavailable`."""

    def follow_up(self, context_id: str) -> Deferred[str]:
        """Where the dialplan is to go on after the call; "" = nowhere."""

    def event_received(self, context_id: str, carrier: str, fields: Mapping[str, str]) -> None:
        """A status callback of the carrier; `ContextNotFound`."""

    def live(self, project_id: int) -> Sequence[LiveCall]: ...
    def find(self, conversation_id: int, project_id: int) -> LiveCall: ...
    def hang_up(self, conversation_id: int, project_id: int) -> None: ...
    def say(self, conversation_id: int, project_id: int, text: str) -> None: ...
    def transfer(self, conversation_id: int, project_id: int, to: str) -> Deferred[None]:
        """`NotSupported` when the call's carrier cannot."""

    def send_digits(self, conversation_id: int, project_id: int, digits: str) -> None:
        """`NotSupported` when the call's leg cannot."""


class PlugIns(Protocol):
    """The plug-ins of one kind (`speech.base.Registry`)."""

    def names(self) -> Sequence[str]:
        """All that are installed."""

    def made(self) -> Mapping[str, Any]:
        """Those in use so far; each has a `description`."""


class InThread(Protocol):
    """Runs what may block, off the reactor (`deferToThreadPool` with its first two arguments)."""

    def __call__(
        self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> Deferred[T]: ...


Draw = Callable[[Path, Conversation], bytes]  # a recording's picture as PNG; `timeline.render`
