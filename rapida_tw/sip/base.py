"""The ports of the SIP user agent: the way to a peer, who uses a transaction, who takes calls.

Nothing above `Reception` is known here, and no socket below `Flow`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from twisted.internet.defer import Deferred

from rapida_tw.carriers.base import IncomingCall
from rapida_tw.errors import CallError
from rapida_tw.media.leg import Leg, LegListener
from rapida_tw.wire.sip_message import Request, Response

HostPort = tuple[str, int]  # an IP address as canonical text, without brackets; a port


class Flow(Protocol):
    """The way to one peer: a UDP address, or a connection. Equal when it is the same way."""

    @property
    def transport(self) -> str:
        """UDP, TCP or TLS, as Via spells it."""

    @property
    def peer(self) -> HostPort:
        """Where it really comes from."""

    @property
    def local(self) -> HostPort:
        """What Via and Contact tell this peer of us."""

    @property
    def open(self) -> bool:
        """A connection that has gone is not; UDP always is."""

    def send(self, data: bytes) -> bool:
        """One whole message. Never raises; False when it surely did not leave."""

    def beside(self, port: int) -> Flow:
        """The way to another port of that host, from the same socket; of a connection: itself."""


class Flows(Protocol):
    """Ways that we open ourselves."""

    def to(self, host: str, port: int, transport: str, name: str = "") -> Deferred[Flow]:
        """`host` is an IP literal; an open connection is used again. `NetworkFailed`-like errors
        arrive as `OSError` or Twisted's `ConnectError`. `name`: whose certificate is wanted over
        TLS, where that is not the address.
        """


class ServerTransaction(Protocol):
    """One request of theirs, answered by us (RFC 3261 17.2, RFC 6026)."""

    request: Request
    flow: Flow

    @property
    def answered(self) -> bool:
        """A final response has been sent."""

    def respond(self, response: Response) -> None:
        """Send it; provisional ones before the final one. After the final one: nothing.

        A 2xx to an INVITE is repeated (T1 to T2, over TCP too) until `acknowledged`.
        """

    def acknowledged(self) -> None:
        """The ACK of the 2xx has come."""


@runtime_checkable
class InviteUser(Protocol):
    """Who answers an INVITE. `ServerTransaction`'s owner, told of what happens to it."""

    def cancelled(self, cancel: Request) -> None:
        """They gave up before the final response; the 487 has been sent already."""

    def not_acknowledged(self) -> None:
        """No ACK of our 2xx within 64*T1 (13.3.1.4): say BYE."""


class ClientUser(Protocol):
    """Who has sent a request."""

    def response_received(self, response: Response, flow: Flow) -> None:
        """Every provisional one, and the final one; of an INVITE each 2xx, repeated ones too."""

    def request_failed(self, reason: str) -> None:
        """No final response: "timeout", or why it could not be sent. Last."""


class ClientTransaction(Protocol):
    """One request of ours (RFC 3261 17.1, RFC 6026)."""

    request: Request
    flow: Flow

    def cancel(self, reason: str = "") -> None:
        """Give up an INVITE: CANCEL as soon as a provisional response is there (9.1).

        `reason`: the value of a Reason header (RFC 3326). The user is still told of the final
        response, 487 or a 2xx that was faster; 64*T1 later of a failure.
        """


class DialogUser(Protocol):
    """Who is told of requests within a dialog."""

    def request_received(self, transaction: ServerTransaction) -> None:
        """Any method but ACK and CANCEL; must be answered."""

    def ack_received(self, ack: Request) -> None:
        """The ACK of a 2xx of ours; it may carry an answer."""


@dataclass(frozen=True, slots=True)
class Party:
    """For whom a call is: proven by a key, or by a trusted network and the dialled number."""

    assistant_id: int
    project_id: int


class Reception(Protocol):
    """Who knows keys, numbers and assistants, and makes calls of legs (given by the house)."""

    @property
    def ready(self) -> str:
        """Why no new call is taken; "" when one is."""

    def passwords(self, assistant_id: int) -> Deferred[Sequence[str]]:
        """The living API keys that may call it, in clear, newest first; none when it is unknown.

        At most 50. `Unavailable`.
        """

    def enter(self, assistant_id: int, key: str) -> Deferred[Party]:
        """`Unauthenticated` for a wrong key or another project's assistant; `Unavailable`."""

    def dialled(self, number: str, project_id: int | None) -> Deferred[Party | None]:
        """Whose phone deployment has that number, in the project or in any."""

    def trunk(self, credential_id: int) -> Deferred[Party | None]:
        """Whose phone deployment uses that stored credential, if exactly one does."""

    def take(self, party: Party, incoming: IncomingCall) -> Deferred[Any]:
        """Admit and write down the call; what `attach` needs. One of `attach` and `abandon` must
        follow. `CapacityExceeded`, `AssistantNotFound`, `MisconfiguredAssistant`, `Unavailable`.
        """

    def attach(self, taken: Any, leg: Leg) -> LegListener:
        """The leg carries audio: the call begins. `CallError`."""

    def abandon(self, taken: Any, error: CallError) -> None:
        """It came to nothing: given up, refused, never acknowledged."""
