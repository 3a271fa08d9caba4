"""The port of calls that we place and steer: what is asked of a carrier, and what becomes of it.

A carrier with a REST API describes its requests as values (`RestControl`) and one class carries
them out for all (`rest_telephone.py`). What needs more than requests (ARI with its event socket,
our own SIP) is a `Telephone` by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from rapida_tw.account import Account
from rapida_tw.errors import CallError, End, Fault
from rapida_tw.net.base import Request


class Reach(Enum):
    """How far the request for a call got: whether somebody's phone may ring."""

    NOBODY = "nobody"  # surely not sent, or refused: asking again dials once
    UNKNOWN = "unknown"  # sent, and no answer came: the call may exist, nobody asks again
    CARRIER = "carrier"  # the carrier took it


@dataclass(frozen=True, slots=True)
class Outcome:
    """Why a call came to nothing.

    `status`: busy, no_answer, rejected, bad_number, authentication_failed, configuration_failed,
    capacity_exceeded, unreachable, cancelled, machine or failed. `reason`: the carrier's own words;
    `code`: its own code ("486", "21211", "17"), "" where it gave none. `retryable`: the same call
    may go better at another moment, with nothing changed; never with `Reach.UNKNOWN`.
    `retry_after`: seconds, where the carrier named some.
    """

    status: str
    reason: str = ""
    code: str = ""
    retryable: bool = False
    reach: Reach = Reach.CARRIER
    retry_after: float | None = None

    def end(self) -> End:
        """How the conversation ended."""
        status = "no_answer" if self.status in ("busy", "no_answer", "cancelled") else "failed"
        fault = None if status == "no_answer" else Fault.CARRIER
        return End(self.status, "system", status, fault, self.reason)


class CarrierRefused(CallError):
    """The carrier did not take a request; the text holds its own words, and no secret."""

    fault, reason, status = Fault.CARRIER, "carrier-refused", 502

    def __init__(
        self,
        message: str = "",
        outcome: Outcome | None = None,
        retry_after: float | None = None,
    ) -> None:
        """`retry_after`: seconds, where the carrier named some."""
        super().__init__(message)
        self.outcome = outcome or Outcome("failed", message)
        self.retry_after = retry_after

    @classmethod
    def by(cls, outcome: Outcome, retry_after: float | None = None) -> CarrierRefused:
        """With the outcome's words."""
        code = f" ({outcome.code})" if outcome.code else ""
        wait = outcome.retry_after if retry_after is None else retry_after
        told = replace(outcome, retry_after=wait)
        return cls(f"{outcome.reason or outcome.status}{code}", told, wait)


class State(Enum):
    """Where a placed call is, in the order of its life; it never goes back."""

    QUEUED = 0
    DIALLED = 1  # the carrier has it
    RINGING = 2
    ANSWERED = 3
    OVER = 4


@dataclass(frozen=True, slots=True)
class Progress:
    """What a callback tells of a call's life. `outcome`: why it is over, unless it was answered."""

    state: State
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """A call to be placed. Its context is stored before anybody is asked to dial.

    `callee`, `caller`: E.164 with +, or whatever address the carrier takes. `media_url` (wss or ws)
    and `event_url` as in `Invitation`; `audiosocket`: host:port of our AudioSocket listener as
    Asterisk reaches it. `options`: the deployment's, the call's own over them. `ring_seconds`:
    until nobody answered; `most_seconds`: of the whole call, 0 = unbounded. `detection`: "" (none),
    "start" (who answers) or "end" (also when a machine's greeting is over).
    """

    conversation_id: int
    assistant_id: int
    project_id: int
    context_id: str
    callee: str
    caller: str
    media_url: str
    event_url: str
    account: Account
    audiosocket: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    ring_seconds: float = 60.0
    most_seconds: float = 0.0
    detection: str = ""


@dataclass(frozen=True, slots=True)
class RemoteCall:
    """A call as its carrier's API knows it; for steering.

    `data`: what the carrier's webhook or its answer told and is needed again (Vonage's region).
    `caller`: the number that a party which is called for a transfer sees.
    """

    call_id: str
    account: Account
    direction: str = "inbound"
    caller: str = ""
    event_url: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RestAnswer:
    """An HTTP answer, whole; `headers` have names in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """The carrier has the call. `data` is kept with it: see `RemoteCall`."""

    call_id: str
    names: tuple[str, ...] = ()  # under which its callbacks may speak of it, besides
    data: Mapping[str, str] = field(default_factory=dict)


GONE: Mapping[str, Any] = {"gone": True}  # itself, not its like


class RestControl(Protocol):
    """One carrier's REST API as values: no I/O. `now`: seconds since the epoch.

    Those that make requests raise `MisconfiguredAssistant` for what the account or the options
    lack, `BadRequest` for a number that can be none, `NotSupported` for what the carrier cannot;
    those that read answers raise `CarrierRefused`. `name`: of the carrier.
    """

    name: str
    detects_machines: bool

    def place(self, order: Order, now: float) -> Request:
        """The one request that dials; it is sent at most once."""

    def read_placed(self, answer: RestAnswer) -> Placed: ...

    def hang_up(self, call: RemoteCall, now: float) -> Request | None:
        """End it, ringing or answered; None: closing the media connection is all that there is."""

    def transfer(self, call: RemoteCall, target: str, now: float) -> Request:
        """Blind: the caller is connected with `target`, our media connection ends."""

    def send_digits(self, call: RemoteCall, digits: str, now: float) -> Request:
        """0-9 A-D * #; `NotSupported` where only tones in the audio do it."""

    def check(self, account: Account, now: float) -> Request:
        """The cheapest request that proves the account: for `verify`. It changes nothing."""

    def read(self, answer: RestAnswer) -> Mapping[str, Any]:
        """The answer to any of the others; `GONE`, and no error, when there is no such call now."""


class DialUser(Protocol):
    """Who has asked for a call. Plain calls; `failed` is the last word, others repeat safely."""

    def accepted(self, placed: Placed) -> None:
        """The carrier has it: nothing of it may be asked for a second time. Once."""

    def progressed(self, progress: Progress) -> None:
        """Only where the Telephone sees it itself; other carriers' callbacks arrive by HTTP."""

    def attach(self, leg: Any) -> Any:
        """Where the Telephone carries the media itself (SIP): a `Leg` is there, the call begins.

        The `LegListener`. `CallError`: the leg is to be hung up.
        """

    def happened(self, name: str, **data: Any) -> None:
        """For the call's history."""

    def failed(self, outcome: Outcome) -> None:
        """There will be no media. Once, last; not after `attach`, nor after `cancel`."""


class Dialling(Protocol):
    """A call that was asked for."""

    def cancel(self) -> None:
        """Nobody answered in time, or it is not wanted any more: given up at the carrier too.

        The user hears nothing more. Idempotent; of a call whose media is attached: nothing.
        """


class Line(Protocol):
    """What a call's carrier can do besides carrying audio."""

    def transfer(self, target: str) -> Deferred[None]:
        """Get the transfer ready; `NotSupported` or `CarrierRefused` say why it cannot be.

        It happens when the call ends as TRANSFERRED, or has happened when this fires.
        """

    def withdraw(self) -> None:
        """The call ends otherwise: what was got ready must not happen."""

    def send_digits(self, digits: str) -> Deferred[None]:
        """`NotSupported`: then tones are sent in the audio."""

    def hold(self, on: bool) -> Deferred[None]:
        """Music for the caller, or an end of it; `NotSupported`: then there is silence."""

    def hang_up(self, end: End) -> None:
        """The call has ended, the leg was told: what the carrier must hear besides. Once, last.

        Not told when the far side has hung up. Never raises; errors are logged.
        """


class Telephone(Protocol):
    """How calls of one carrier are placed and steered; one a process."""

    detects_machines: bool

    def dial(self, order: Order, user: DialUser) -> Dialling:
        """The user is told nothing before this returns; errors as of `RestControl.place`."""

    def line(self, call: RemoteCall) -> Line | None:
        """For a call whose media is here, in or out; None: nothing can be done for it."""

    def check(self, account: Account) -> Deferred[str]:
        """Log in with the account: a sentence of who it is; `CarrierRefused`, `VendorFailed`."""

    def stop(self) -> Deferred[None]:
        """The server's end: nothing stays open."""


def unsure(outcome: Outcome) -> Outcome:
    """The same, when it is not known whether the carrier has the call."""
    return replace(outcome, reach=Reach.UNKNOWN, retryable=False)


Telephones = Mapping[str, Telephone]  # by the carrier's name
