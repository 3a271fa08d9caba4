"""What can go wrong, who is at fault, and how a call ends.

Everything here is a value: it names a reason by a stable slug (metrics, logs, API answers) and
carries the HTTP status that the web layer answers with. Nothing here knows a protocol.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Fault(Enum):
    """Whose doing it was."""

    CALLER = "caller"
    CARRIER = "carrier"
    VENDOR = "vendor"
    CONFIGURATION = "configuration"
    SERVER = "server"


class ProtocolError(Exception):
    """A rule of a wire protocol was broken."""


class RemoteProtocolError(ProtocolError):
    """The far side broke the rule."""


class LocalProtocolError(ProtocolError):
    """We were asked to send what the protocol does not allow."""


class CallError(Exception):
    """A request or a call that cannot go on; subclasses say why."""

    fault = Fault.SERVER
    reason = "internal-error"
    status = 500
    # What the caller is told where the carrier can speak; the assistant's own words if it has some.
    spoken = "Sorry, something went wrong. Please call again later."


class BadRequest(CallError):
    """The request is malformed or lacks something; the text names it."""

    fault, reason, status = Fault.CALLER, "bad-request", 400


class Unauthenticated(CallError):
    """No API key was given, or it is unknown or revoked."""

    fault, reason, status = Fault.CONFIGURATION, "unauthenticated", 403


class Forged(CallError):
    """The request's signature is wrong, too old, or missing where it must be there."""

    fault, reason, status = Fault.CARRIER, "signature-mismatch", 403


class NotFound(CallError):
    """There is no such thing under that id (in the key's project)."""

    fault, reason, status = Fault.CONFIGURATION, "not-found", 404


class AssistantNotFound(NotFound):
    """The assistant does not exist in the project of the API key."""

    reason = "assistant-not-found"


class ContextNotFound(CallError):
    """The context was never registered, has expired, or was already claimed."""

    fault, reason, status = Fault.CARRIER, "context-not-found", 404


class DiallingForbidden(CallError):
    """The number may not be dialled: its prefix is not allowed, or is denied."""

    fault, reason, status = Fault.CONFIGURATION, "dialling-forbidden", 403


class TooManyCalls(CallError):
    """More calls than may be placed in that time; `retry_after`: seconds."""

    fault, reason, status = Fault.CALLER, "too-many-calls", 429

    def __init__(self, message: str = "", retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Conflict(CallError):
    """The idempotency key was used for another request."""

    fault, reason, status = Fault.CALLER, "idempotency-conflict", 409


class ChangedMeanwhile(Conflict):
    """Somebody else has changed it since it was read, so nothing was done; read it again."""

    reason = "changed-meanwhile"


class InUse(Conflict):
    """Something else needs it; the text says what."""

    reason = "in-use"


class Forbidden(CallError):
    """The API key is good, and its scopes do not cover this."""

    fault, reason, status = Fault.CONFIGURATION, "forbidden", 403


class CapacityExceeded(CallError):
    """The node is full or draining; running calls come first."""

    fault, reason, status = Fault.SERVER, "capacity-exceeded", 503


class GivenUp(CallError):
    """The caller hung up before the call was answered."""

    fault, reason, status = Fault.CALLER, "given-up", 409


class Unavailable(CallError):
    """Something that the request needs (database, context store) does not answer."""

    fault, reason, status = Fault.SERVER, "unavailable", 503


class VendorFailed(CallError):
    """A recogniser, a voice or a model failed; the text says which and how.

    `code`: the HTTP status or WebSocket close code that it answered; 0: it was not reached.
    `retryable`: another connection may do, or another moment; never for a wrong key, an empty
    account or a wrong option. `retry_after`: seconds, where the vendor named some. `sent`: some of
    the request may have arrived there.
    """

    fault, reason, status = Fault.VENDOR, "provider-failed", 502

    def __init__(
        self,
        message: str = "",
        code: int = 0,
        retryable: bool = True,
        retry_after: float | None = None,
        sent: bool = True,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.retryable = retryable
        self.retry_after = retry_after
        self.sent = sent


class MisconfiguredAssistant(CallError):
    """The assistant names a vendor or an option that is not installed or not valid."""

    fault, reason, status = Fault.CONFIGURATION, "configuration-failed", 422


class NotSupported(CallError):
    """This leg or carrier cannot do what was asked; the text is told to the model."""

    fault, reason, status = Fault.CARRIER, "not-supported", 409


@dataclass(frozen=True, slots=True)
class End:
    """How a call ended: decided once, the first reason wins.

    `reason` is the slug of logs and metrics; `status` and `disconnected_by` are the values of the
    metrics `call.status` and `call.disconnected_by`; `detail` is a sentence for people.
    """

    reason: str
    disconnected_by: str = "system"  # user, assistant or system
    status: str = "completed"  # completed, failed or no_answer
    fault: Fault | None = None
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.reason} ({self.detail})" if self.detail else self.reason

    def because(self, detail: str) -> End:
        """The same end with a sentence of explanation."""
        return End(self.reason, self.disconnected_by, self.status, self.fault, detail)


REMOTE_HANGUP = End("remote_hangup", "user")
TOOL_ENDED = End("tool_ended", "assistant")
TRANSFERRED = End("transferred", "assistant")
IDLE_TIMEOUT = End("idle_timeout")
MAX_DURATION = End("max_duration")
SHUTTING_DOWN = End("server_shutdown", fault=Fault.SERVER)
MEDIA_TIMEOUT = End("media_timeout", status="failed", fault=Fault.CARRIER)
FAR_END_STALLED = End("far_end_stalled", status="failed", fault=Fault.CARRIER)
NETWORK_FAILED = End("network_failed", status="failed", fault=Fault.CARRIER)
PROTOCOL_ERROR = End("protocol_error", status="failed", fault=Fault.CARRIER)
PROVIDER_FAILED = End("provider_failed", status="failed", fault=Fault.VENDOR)
INTERNAL_ERROR = End("internal_error", status="failed", fault=Fault.SERVER)
MACHINE = End("machine_detected", "assistant")
NEVER_CONNECTED = End("expired", status="no_answer", fault=Fault.CARRIER)
