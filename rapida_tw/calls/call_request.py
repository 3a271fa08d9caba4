"""A call that somebody wants placed: by REST, gRPC, the command or a campaign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from rapida_tw.errors import BadRequest
from rapida_tw.store.records import Conversation

LONGEST_NUMBER = 128  # characters; SIP addresses are the longest
_BETWEEN = " -.()/\u00a0"  # what people write between digits


@dataclass(frozen=True, slots=True)
class CallRequest:
    """Whom an assistant is to call.

    `caller` "" = the deployment's `phone`. `version` "" or "latest", else `vrsn_<id>`. `metadata`
    is kept with the conversation, `arguments` feed prompt and greeting, `options` stand over the
    deployment's for this call (`experience.…`, `listen.…`, `speak.…`, `microphone.…`, `speaker.…`,
    `model.…`, and the carrier's). `key_id`: the API key that asks, whose limits count; 0: none.
    `idempotency_key`: the same one dials once, however often it is asked for. `queued`: it waits
    for its turn, so that neither room nor the calls of this second count before it is dialled.
    """

    project_id: int
    assistant_id: int
    callee: str
    caller: str = ""
    version: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    key_id: int = 0
    idempotency_key: str = ""
    user_id: str = ""
    source: str = "sdk"
    queued: bool = False


class Placing(Protocol):
    """Who places calls (`calls.placing.Placements`)."""

    def place(self, request: CallRequest) -> Deferred[Conversation]:
        """`prepare` and `dial`.

        Answers with the conversation, `queued`, as soon as the carrier has taken the call, and
        after `PATIENCE` seconds at the latest: what becomes of it then is in the history.
        """

    def prepare(self, request: CallRequest) -> Deferred[Conversation]:
        """Everything is checked and written down, nobody is rung up yet.

        `BadRequest`, `AssistantNotFound`, `MisconfiguredAssistant`, `DiallingForbidden`,
        `TooManyCalls`, `CapacityExceeded`, `Conflict`, `Unavailable`. An idempotency key that is
        known with the same request answers with the conversation of then, which `dial` leaves be.
        """

    def dial(self, conversation: Conversation, request: CallRequest) -> Deferred[Conversation]:
        """Ring up for what was prepared, once; errors also `CarrierRefused`, `VendorFailed`.

        A `CallError` after the preparation has ended the conversation as failed.
        """

    def give_up(self, conversation_id: int, project_id: int | None = None) -> bool:
        """Stop ringing; False when it is no call that rings here."""


@dataclass(frozen=True, slots=True)
class CallOver:
    """What became of a call, for who waits for it. `status` as of `call.status`.

    `certain`: False where the carrier may have it all the same.
    """

    conversation_id: int
    status: str
    reason: str
    retryable: bool
    certain: bool = True


def dialled(text: str) -> str:
    """A number in E.164 or as its network dials it; a name or SIP address stays as it is.

    `BadRequest` for what can be neither.
    """
    number = text.strip()
    if not number or len(number) > LONGEST_NUMBER or not number.isprintable():
        raise BadRequest("toNumber is missing or no number")
    digits = "".join(one for one in number if one not in _BETWEEN)
    bare = digits.removeprefix("+")
    if bare.isascii() and bare.isdigit():
        if not 2 <= len(bare) <= 20:
            raise BadRequest("toNumber is no number: it has 2 to 20 digits")
        return digits
    if not all((one.isalnum() and one.isascii()) or one in "+*#._-@:" for one in number):
        raise BadRequest("toNumber is no number and no address")
    return number
