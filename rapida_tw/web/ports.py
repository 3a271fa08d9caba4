"""What the web side needs of the rest of the house."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ParamSpec, Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.web.resource import IResource

from rapida_tw.calls.call import LiveCall
from rapida_tw.calls.claimed import Claimed
from rapida_tw.calls.registration import Registered
from rapida_tw.carriers.base import CarrierEvent, IncomingCall, MediaWire
from rapida_tw.errors import CallError
from rapida_tw.store.records import Conversation, NamedCall

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

    def named(
        self, carrier: str, names: Sequence[str], project_id: int | None = None
    ) -> Deferred[NamedCall | None]:
        """The call that a carrier knows under the first of `names` that fits; `Unavailable`."""

    def event_received(
        self, call: NamedCall | None, carrier: str, event: CarrierEvent, context_id: str = ""
    ) -> None:
        """A status callback of the carrier; None: it is of no known call.

        `context_id`: of the address that it was sent to.
        """

    def live(self, project_id: int) -> Sequence[LiveCall]: ...
    def find(self, conversation_id: int, project_id: int) -> LiveCall: ...
    def hang_up(self, conversation_id: int, project_id: int) -> None: ...
    def say(self, conversation_id: int, project_id: int, text: str) -> None: ...
    def transfer(self, conversation_id: int, project_id: int, to: str) -> Deferred[None]:
        """`NotSupported` when the call's carrier cannot."""

    def send_digits(self, conversation_id: int, project_id: int, digits: str) -> Deferred[None]:
        """Fires when they are sent, or heard as tones; `BadRequest`."""

    def machine_detected(self, conversation_id: int, project_id: int, verdict: str) -> None:
        """Another node was told who has answered."""

    def hold(self, conversation_id: int, project_id: int, on: bool) -> None:
        """Nobody speaks or listens any more; or both again."""

    def claim(self, context_id: str, carrier: str) -> Deferred[Claimed]:
        """Take a context for its media; `ContextNotFound`, `CapacityExceeded`, `Unavailable`."""

    def release(self, claimed: Claimed) -> None:
        """The media did not come: the context waits again."""

    def abandon(self, claimed: Claimed, error: CallError) -> None:
        """The media will not come: the call has failed."""


class Sockets(Protocol):
    """Who opens media sockets (`transports.media_socket.MediaSockets`)."""

    def resource(
        self,
        carrier: str,
        wire: MediaWire,
        subprotocols: tuple[str, ...],
        secure: bool,
        claimed: Claimed | None = None,
    ) -> IResource:
        """What takes the connection of a request over; `CapacityExceeded`."""


class PlugIns(Protocol):
    """The plug-ins of one kind (`speech.base.Registry`)."""

    def names(self) -> Sequence[str]:
        """All that are installed."""

    def made(self) -> Mapping[str, Any]:
        """Those in use so far; each has a `description`."""

    def declared(self) -> Mapping[str, Any]:
        """The classes of those that are installed; imports files."""


class InThread(Protocol):
    """Runs what may block, off the reactor (`deferToThreadPool` with its first two arguments)."""

    def __call__(
        self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> Deferred[T]: ...


Draw = Callable[[Path, Conversation], bytes]  # a recording's picture as PNG; `timeline.render`
